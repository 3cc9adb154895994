"""What more training costs and what it brings: error against CPU-seconds, rows and rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.front import training_cpu_seconds
from toolkit.analysis.results import Curve, Interval, Results, RungSummary
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.curve_axes import CostAxis, ErrorAxis, cost_axes, error_axes
from toolkit.report.curve_drawings import curve_drawings
from toolkit.report.curve_figures import rule_steps
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import deployed

__all__ = ["CurvesSection"]

_FORMS = {
    "power": "power law",
    "power_floor": "power law with a floor",
    "exponential_floor": "exponential with a floor",
    "log": "logarithm",
}


class CurvesSection(Section):
    """Measured rungs with intervals, the fits that hold, and the fits that are refused."""

    order: ClassVar[int] = 30
    title: ClassVar[str] = "What more training buys"

    def render(self, results: Results) -> Markup:
        """Return figures and fits; not applicable when no track has a finished cell."""
        if not results.summaries:
            raise NotApplicable("No track has a finished cell yet.")
        drawn = [part for error in error_axes(results) if (part := _figure(results, error)) is not None]
        rules = _rules_figure(results)
        if rules is not None:
            drawn.append(rules)
        if not drawn:
            raise NotApplicable("No finished cell has both an error and a measured training cost.")
        return elements.join(*drawn, _fits(results))


def _figure(results: Results, error: ErrorAxis) -> Markup | None:
    axes = cost_axes(results)
    drawings = curve_drawings(results, error, axes)
    if not drawings:
        return None
    measured = [(summary, y) for summary in _drawn(results) if (y := error.read(summary)) is not None]
    cluster = results.task.get("cluster", "row")
    best, lowest = min(measured, key=lambda entry: entry[1].estimate)
    return figures.embed_choice(
        drawings,
        name=f"curve-{error.key}",
        title=f"{error.title} against what training costs",
        question="Cost",
        description=f"Lower is better; the lowest is {best.track} with {formats.interval(lowest)}. Bars span "
        f"the seeds; other {cluster}s would move all points together, within that 95 % interval. Rings mark "
        "the rungs of the verdict, two the leader's. The step line is the front: nothing is cheaper and "
        "better. Tracks that do not learn from more rows are levels.",
        table=_table(results, error, axes, measured),
    )


def _drawn(results: Results) -> list[RungSummary]:
    """Return the rungs in the figures: of tracks that climb rules, only the one of the verdict."""
    chosen = deployed(results).values()
    return [one for one in results.summaries if one.n_train > 0 or one in chosen]


def _table(
    results: Results,
    error: ErrorAxis,
    axes: Sequence[CostAxis],
    measured: Sequence[tuple[RungSummary, Interval]],
) -> Markup:
    known, chosen = track_names(results), deployed(results)
    costs = [axis for axis in axes if axis.name != "rows"]
    return elements.table(
        f"{error.title} against what training costs",
        [
            Column("Track"),
            Column("Rung", numeric=True),
            Column(error.title, numeric=True, note="95 % interval"),
            Column("Seeds", numeric=True),
            Column("Training rows", numeric=True),
            Column("Rules", numeric=True),
            *(Column(axis.choice, numeric=True, note=axis.basis) for axis in costs),
            Column("On the front"),
        ],
        [
            [
                label(summary.track, known),
                f"{summary.rung}, of the verdict"
                if chosen.get(summary.track) is summary
                else str(summary.rung),
                elements.estimate(y),
                str(summary.n_seeds),
                formats.count(summary.n_train),
                "" if summary.n_rules is None else formats.count(summary.n_rules),
                *(_amount(axis, summary) for axis in costs),
                "yes" if summary.on_front else "",
            ]
            for summary, y in measured
        ],
    )


def _amount(axis: CostAxis, summary: RungSummary) -> str | Markup:
    amount = axis.read(summary)
    if amount is None:
        return "" if axis.name == "flop" else formats.MISSING
    return elements.whole(axis.show(amount))


def _rules_figure(results: Results) -> Markup | None:
    error = error_axes(results)[0]
    figure = rule_steps(results, error)
    if figure is None:
        return None
    rungs = [
        (summary, y)
        for summary in results.summaries
        if summary.n_rules is not None and summary.n_train == 0 and (y := error.read(summary)) is not None
    ]
    table = elements.table(
        f"{error.title} by number of rules",
        [
            Column("Track"),
            Column("Rules", numeric=True),
            Column(error.title, numeric=True, note="95 % interval"),
            Column("Training CPU time", numeric=True),
        ],
        [
            [
                label(summary.track, track_names(results)),
                formats.count(summary.n_rules),
                elements.estimate(y),
                formats.seconds(training_cpu_seconds(summary)),
            ]
            for summary, y in rungs
        ],
    )
    return figures.embed(
        figure,
        name="curve-rules",
        title=f"{error.title} by number of rules",
        description="Rules cost hours of an expert, not computation: steps show what each further rule "
        "brings on the same test rows. Intervals are in the table. No curve is fitted.",
        table=table,
    )


def _name_of(curve: Curve) -> str:
    error = (
        "1 − PR-AUC"
        if "average_precision" in curve.error
        else formats.words(curve.error.removeprefix("error_"))
    )
    cost = (
        "training rows"
        if curve.cost == "n_train"
        else "CPU-seconds"
        if "cpu_seconds" in curve.cost
        else (formats.words(curve.cost.removeprefix("cost_")))
    )
    return f"{error} against {cost}"


def _halving(curve: Curve) -> str | Markup:
    """Return how many times the largest cost halves the error, as far as the data show it."""
    factor = curve.k_half
    if factor is None:
        return ""
    if math.isinf(factor.low):
        return "not reachable"
    if math.isinf(factor.estimate):
        return f"not reachable; at least {formats.number(factor.low)}"
    return elements.estimate(factor)


def _last(curve: Curve) -> str:
    return formats.number(curve.points[-1][1], 4) if curve.points else ""


def _fits(results: Results) -> Markup:
    """Return the table of fits and the list of refusals."""
    known = track_names(results)
    held = [curve for curve in results.curves if not curve.refusals]
    refused = [curve for curve in results.curves if curve.refusals]
    parts: list[Markup] = []
    if held:
        parts.append(
            elements.table(
                "Fitted curves, with 95 % intervals",
                [
                    Column("Track"),
                    Column("Curve"),
                    Column("Form"),
                    Column("Exponent", numeric=True),
                    Column("Last measured", numeric=True, note="error"),
                    Column("Floor", numeric=True, note="more of the same cannot pass it"),
                    Column("Spending to halve the error", numeric=True, note="times"),
                    Column("Exponent without floor", numeric=True, note="classic log-log line"),
                ],
                [
                    [
                        label(curve.track, known),
                        _name_of(curve),
                        _FORMS.get(curve.form, formats.words(curve.form)),
                        elements.estimate(curve.exponent) if curve.exponent else "",
                        _last(curve),
                        elements.estimate(curve.floor) if curve.floor else "",
                        _halving(curve),
                        elements.estimate(curve.loglog.exponent) if curve.loglog else "",
                    ]
                    for curve in held
                ],
            )
        )
    if refused:
        parts.append(_refusals(refused, known))
    if not parts:
        return Markup("")
    heading = Markup("<h3>{}</h3>").format("Fits and refusals")
    return elements.join(heading, *parts)


def _refusals(refused: Sequence[Curve], known: list[str]) -> Markup:
    """Return curves that are not drawn, with the reasons."""
    return elements.table(
        "Curves that the data do not support; they are not drawn and nothing is forecast from them",
        [Column("Track"), Column("Curve"), Column("Why")],
        [
            [
                label(curve.track, known),
                _name_of(curve),
                Markup("<br>").join(formats.sentence(text) for _, text in curve.refusals),
            ]
            for curve in refused
        ],
    )
