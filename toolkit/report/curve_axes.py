"""What curves are drawn against: training costs on one axis, errors on the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from toolkit.analysis.front import training_cpu_seconds
from toolkit.analysis.results import Interval, Results, RungSummary
from toolkit.report import formats

__all__ = ["COST_AXES", "CostAxis", "ErrorAxis", "error_axes"]


@dataclass(frozen=True)
class CostAxis:
    """What a curve is drawn against.

    Parameters
    ----------
    name : str
        Part of the anchor.
    title : str
        With the unit.
    read : callable
        The cost of a rung, None when not measured.
    fitted : callable
        Tells whether `Curve.cost` is this axis.
    note : str
        What the heading adds.
    """

    name: str
    title: str
    read: Callable[[RungSummary], float | None]
    fitted: Callable[[str], bool]
    note: str = ""


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

    def fitted(self, error: str) -> bool:
        """Tell whether `Curve.error` is this error."""
        return error.removeprefix("error_").removeprefix("one_minus_").removeprefix(
            "score_"
        ) == self.key.removeprefix("error_").removeprefix("score_")


COST_AXES = (
    CostAxis(
        "cpu",
        "Training CPU-seconds",
        training_cpu_seconds,
        lambda cost: "cpu_seconds" in cost,
        ", search and fit",
    ),
    CostAxis("rows", "Training rows", lambda summary: float(summary.n_train), lambda cost: cost == "n_train"),
)

_TITLES = {"log_loss": "Log loss", "brier": "Brier score"}


def error_axes(results: Results) -> list[ErrorAxis]:
    """Return the task's primary error, then 1 less average precision."""
    primary = str(results.task.get("primary_error", "error_log_loss"))
    name = primary.removeprefix("error_")
    return [
        ErrorAxis(primary, _TITLES.get(name, formats.words(name)), is_score=False),
        ErrorAxis("score_average_precision", "1 − PR-AUC", is_score=True),
    ]
