"""What more training costs and what it brings: error against CPU-seconds, rows and rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.front import training_cpu_seconds
from toolkit.analysis.results import Curve, Results
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.curve_axes import COST_AXES, CostAxis, ErrorAxis, error_axes
from toolkit.report.curve_figures import FITS, error_against_cost, rule_steps
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names

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
        drawn = [
            part
            for error in error_axes(results)
            for cost in COST_AXES
            if (part := _figure(results, error, cost)) is not None
        ]
        rules = _rules_figure(results)
        if rules is not None:
            drawn.append(rules)
        if not drawn:
            raise NotApplicable("No finished cell has both an error and a measured training cost.")
        return elements.join(*drawn, _fits(results))


def _figure(results: Results, error: ErrorAxis, cost: CostAxis) -> Markup | None:
    figure = error_against_cost(results, error, cost)
    if figure is None:
        return None
    known = track_names(results)
    measured = [
        (summary, cost.read(summary), y)
        for summary in results.summaries
        if (y := error.read(summary)) is not None
    ]
    unmeasured = sorted({summary.track for summary, x, _ in measured if x is None})
    table = elements.table(
        f"{error.title} against {cost.title}",
        [
            Column("Track"),
            Column("Rung", numeric=True),
            Column("Training rows", numeric=True),
            Column("Rules", numeric=True),
            Column("Training CPU time", numeric=True),
            Column(error.title, numeric=True, note="95 % interval"),
            Column("Seeds", numeric=True),
            Column("On the front"),
        ],
        [
            [
                label(summary.track, known),
                str(summary.rung),
                formats.count(summary.n_train),
                "" if summary.n_rules is None else formats.count(summary.n_rules),
                formats.seconds(training_cpu_seconds(summary)),
                elements.estimate(y),
                str(summary.n_seeds),
                "yes" if summary.on_front else "",
            ]
            for summary, _, y in measured
        ],
    )
    best = min(measured, key=lambda entry: entry[2].estimate)
    notes = []
    if any(trace.name == FITS for trace in figure.data):
        notes.append("Beyond the last point of its track a fit is a forecast.")
    if unmeasured:
        notes.append(f"Rungs whose cost was not measured are missing: {', '.join(unmeasured)}.")
    return figures.embed(
        figure,
        name=f"curve-{error.key}-{cost.name}",
        title=f"{error.title} against {cost.title[0].lower()}{cost.title[1:]}{cost.note}",
        description=f"{error.title} on the test rows, lower is better; bars are 95 % intervals over clusters "
        f"and seeds. Lowest: {best[0].track} with {formats.interval(best[2])}. "
        "Tracks that do not learn from more rows are levels.",
        table=table,
        note=" ".join(notes),
    )


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
        [Column("Track"), Column("Rules", numeric=True), Column(error.title, numeric=True)],
        [
            [
                label(summary.track, track_names(results)),
                formats.count(summary.n_rules),
                elements.estimate(y),
            ]
            for summary, y in rungs
        ],
    )
    return figures.embed(
        figure,
        name="curve-rules",
        title=f"{error.title} by number of rules",
        description="Rules cost hours of an expert, not computation: steps show what each further rule "
        "brings. No curve is fitted.",
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
