"""What more training costs and what it brings: error against CPU-seconds, rows and rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.comparison.front import training_cpu_seconds
from toolkit.analysis.results import Interval, Results, RungSummary
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.curve_axes import CostAxis, ErrorAxis, cost_axes, error_axes, on_front_of
from toolkit.report.curve_drawings import curve_drawings
from toolkit.report.curve_figures import rule_steps
from toolkit.report.curve_tables import fit_tables
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import deployed, effort

__all__ = ["CurvesSection"]


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
        return elements.join(*drawn, fit_tables(results))


def _figure(results: Results, error: ErrorAxis) -> Markup | None:
    results = on_front_of(results, error)
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
        f"the seeds; other {cluster}s would move all points together, within that 95 % interval. Tracks that "
        "do not learn from more rows are levels.",
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
            Column("Trained on"),
            *(Column(axis.choice, numeric=True, note=axis.basis) for axis in costs),
            Column("Standing"),
        ],
        [
            [
                label(summary.track, known),
                str(summary.rung),
                elements.estimate(y),
                str(summary.n_seeds),
                effort(summary),
                *(_amount(axis, summary) for axis in costs),
                _standing(summary, is_deployed=chosen.get(summary.track) is summary),
            ]
            for summary, y in measured
        ],
    )


def _standing(summary: RungSummary, *, is_deployed: bool) -> str:
    words = (("verdict", is_deployed), ("front", summary.on_front))
    return ", ".join(word for word, holds in words if holds)


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
