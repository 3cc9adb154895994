"""What curves are drawn against: training costs on one axis, errors on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from toolkit.analysis.comparison.front import ONE_MINUS, mark_front, training_cpu_seconds
from toolkit.analysis.results import Interval, Results, RungSummary
from toolkit.analysis.spending import TrainingPrice
from toolkit.report import formats
from toolkit.report.slopes import COMPUTE_SLOPES, ROW_SLOPES, Slope

__all__ = ["CostAxis", "ErrorAxis", "cost_axes", "error_axes", "on_front_of"]

Rung = tuple[str, int]
"""(track, rung)."""


@dataclass(frozen=True)
class CostAxis:
    """What a curve is drawn against.

    Parameters
    ----------
    name : str
        Part of the anchor.
    choice : str
        What the button says.
    basis : str
        Measured, modelled or counted.
    title : str
        With the unit and the basis.
    amounts : mapping of (track, rung) to float
        Rungs whose cost was not measured are missing.
    show : callable
        An amount in words.
    fitted : str
        The `Curve.cost` whose fits hold here; empty for none.
    scale : mapping of str to float
        Track -> what the fitted cost is multiplied by; its fit is not drawn where it is missing.
    slopes : tuple of Slope
        What theory says of this axis.
    has_front : bool
        Whether the front, which is computed for CPU-seconds, is the same here.
    note : str
        What a reader has to know of this axis.
    """

    name: str
    choice: str
    basis: str
    title: str
    amounts: Mapping[Rung, float]
    show: Callable[[float], str]
    fitted: str = ""
    scale: Mapping[str, float] = field(default_factory=dict)
    slopes: tuple[Slope, ...] = ()
    has_front: bool = False
    note: str = ""

    def read(self, summary: RungSummary) -> float | None:
        """Return the cost of a rung, None when it was not measured."""
        return self.amounts.get((summary.track, summary.rung))


@dataclass(frozen=True)
class ErrorAxis:
    """An error, lower is better; a score is shown as 1 less the score."""

    key: str
    title: str
    is_score: bool

    def read(self, summary: RungSummary) -> Interval | None:
        """Return the error of a rung."""
        value = summary.scores.get(self.key)
        if value is None or not self.is_score:
            return value
        return Interval(1 - value.estimate, 1 - value.high, 1 - value.low)

    def seeds(self, results: Results) -> dict[Rung, tuple[float, ...]]:
        """Return the errors of the seeds of each rung."""
        found: dict[Rung, list[float]] = {}
        for cell in results.cells:
            value = cell.scores.get(self.key)
            if cell.status == "finished" and value is not None:
                one = 1 - value if self.is_score else value
                found.setdefault((cell.track, cell.rung), []).append(one)
        return {rung: tuple(values) for rung, values in found.items()}

    def fitted(self, error: str) -> bool:
        """Tell whether `Curve.error` is this error."""
        return error.removeprefix("error_").removeprefix("one_minus_").removeprefix(
            "score_"
        ) == self.key.removeprefix("error_").removeprefix("score_")


def on_front_of(results: Results, error: ErrorAxis) -> Results:
    """Return the results with the rungs marked that are on the front of this error."""
    name = f"{ONE_MINUS}{error.key.removeprefix('score_')}" if error.is_score else error.key
    return replace(results, summaries=mark_front(results.summaries, name, results.fronts))


_TITLES = {"log_loss": "Log loss", "brier": "Brier score"}


def error_axes(results: Results) -> list[ErrorAxis]:
    """Return the task's primary error, then 1 less average precision."""
    primary = str(results.task.get("primary_error", "error_log_loss"))
    name = primary.removeprefix("error_")
    return [
        ErrorAxis(primary, _TITLES.get(name, formats.words(name)), is_score=False),
        ErrorAxis("score_average_precision", "1 − PR-AUC", is_score=True),
    ]


def cost_axes(results: Results) -> list[CostAxis]:
    """Return the axes that some rung has an amount on; CPU-seconds, which are measured, come first."""
    return [axis for axis in _axes(results) if any(amount > 0 for amount in axis.amounts.values())]


def _axes(results: Results) -> Iterator[CostAxis]:
    tracks = {summary.track for summary in results.summaries}
    yield CostAxis(
        name="cpu",
        choice="CPU-seconds",
        basis="measured",
        title="Training CPU-seconds",
        amounts=_amounts(results, training_cpu_seconds),
        show=formats.seconds,
        fitted="cost_train_cpu_seconds",
        scale=dict.fromkeys(tracks, 1.0),
        slopes=COMPUTE_SLOPES,
        has_front=True,
        note="CPU-seconds of search and fit are measured.",
    )
    yield CostAxis(
        name="rows",
        choice="Rows",
        basis="counted",
        title="Training rows",
        amounts=_amounts(results, lambda summary: float(summary.n_train)),
        show=formats.count,
        fitted="n_train",
        scale=dict.fromkeys(tracks, 1.0),
        slopes=ROW_SLOPES,
    )
    yield from _priced(results)
    yield CostAxis(
        name="flop",
        choice="FLOP",
        basis="counted, nets only",
        title="FLOP of one fit, counted",
        amounts=_amounts(results, lambda summary: summary.costs.get("cost_fit_flop")),
        show=lambda amount: formats.quantity(amount, "FLOP"),
        slopes=COMPUTE_SLOPES,
        note="FLOP of dense products of matrices compare nets alone; the search is not counted, and no curve "
        "is fitted here.",
    )


def _amounts(results: Results, read: Callable[[RungSummary], float | None]) -> dict[Rung, float]:
    found = ((summary, read(summary)) for summary in results.summaries)
    return {(summary.track, summary.rung): value for summary, value in found if value is not None}


def _priced(results: Results) -> Iterator[CostAxis]:
    """Yield money, energy and carbon: CPU-seconds times a price, so a fit only changes its unit."""
    prices = results.spending.training_prices
    currency = results.verdict.currency
    money = formats.in_money(currency)
    kinds: tuple[tuple[str, str, str, Callable[[TrainingPrice], float], Callable[[float], str]], ...] = (
        ("money", currency, f"{currency} for training, modelled", lambda one: one.money, money),
        (
            "energy",
            "Joules",
            "Joules of training, modelled",
            lambda one: one.joules.mid,
            lambda amount: formats.quantity(amount, "J"),
        ),
        (
            "carbon",
            "kg CO₂e",
            "kg CO₂e of training, modelled",
            lambda one: one.kg_co2e.mid,
            lambda amount: formats.quantity(1000 * amount, "g CO₂e"),
        ),
    )
    away = sorted({one.track for one in prices if one.on_accelerator})
    for name, choice, title, read, show in kinds:
        timed = [one for one in prices if one.cpu_seconds > 0]
        scale = {one.track: read(one) / one.cpu_seconds for one in timed if one.track not in away}
        yield CostAxis(
            name=name,
            choice=choice,
            basis="modelled",
            title=title,
            amounts={(one.track, one.rung): read(one) for one in prices},
            show=show,
            fitted="cost_train_cpu_seconds",
            scale=scale,
            slopes=COMPUTE_SLOPES,
            has_front=not away,
            note=_price_note(name, scale, show, away),
        )


def _price_note(name: str, scale: Mapping[str, float], show: Callable[[float], str], away: list[str]) -> str:
    ends = {
        "money": "the idle share of paid hours is in it",
        "energy": "the middle of a band of coefficients, see energy and carbon",
        "carbon": "the middle of a band of coefficients, see energy and carbon",
    }
    found = []
    if scale:
        found.append(
            f"Modelled: measured CPU-seconds times {show(next(iter(scale.values())))} each ({ends[name]}). "
            "That is one price for all tracks, so the picture is that of CPU-seconds with another unit, and "
            "its fits are the same."
        )
    if away:
        found.append(
            f"The training of {', '.join(away)} is priced on an accelerator, where costs do not follow "
            "CPU-seconds: points only, and no fit."
        )
    return " ".join(found)
