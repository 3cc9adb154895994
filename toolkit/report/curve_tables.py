"""Tables of fitted curves: figures, checks, forecasts beside what was measured, and refusals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from toolkit.analysis.curve_record import Curve
from toolkit.analysis.interval import Interval
from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.curve_lines import FORECAST_REACH, fitted_line
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names

__all__ = ["fit_tables", "held_out", "weights"]

_FORMS = {
    "power": "power law",
    "power_floor": "power law with a floor",
    "exponential_floor": "exponential with a floor",
    "log": "logarithm",
}


def fit_tables(results: Results) -> Markup:
    """Return fits that hold with forecasts and checks, then those that are refused; empty without any."""
    known = track_names(results)
    held = [curve for curve in results.curves if not curve.refusals]
    refused = [curve for curve in results.curves if curve.refusals]
    parts = [*([_figures(held, known), _forecasts(held, known)] if held else [])]
    if refused:
        parts.append(_refusals(refused, known))
    if not parts:
        return Markup("")
    return elements.join(Markup("<h3>{}</h3>").format("Fits and refusals"), *parts)


def _figures(curves: Sequence[Curve], known: Sequence[str]) -> Markup:
    return elements.table(
        "Fitted curves, with 95 % intervals",
        [
            Column("Track"),
            Column("Curve"),
            Column("Form"),
            Column("Exponent", numeric=True),
            Column("Floor", numeric=True, note="more of the same cannot pass it"),
            Column("Spending to halve the error", numeric=True, note="times"),
            Column("To halve what is above the floor", numeric=True, note="times"),
            Column("Exponent without floor", numeric=True, note="classic log-log line"),
        ],
        [
            [
                label(curve.track, known),
                _name_of(curve),
                _FORMS.get(curve.form, formats.words(curve.form)),
                elements.estimate(curve.exponent) if curve.exponent else "",
                elements.estimate(curve.floor) if curve.floor else "",
                _halved(curve),
                _times(curve.k_half_excess),
                elements.estimate(curve.loglog.exponent) if curve.loglog else "",
            ]
            for curve in curves
        ],
    )


def _forecasts(curves: Sequence[Curve], known: Sequence[str]) -> Markup:
    return elements.table(
        "Their forecasts, beside the last measured point, and the checks",
        [
            Column("Track"),
            Column("Curve"),
            Column("Last measured", numeric=True),
            Column(f"Forecast at {FORECAST_REACH:.0f} times the cost", numeric=True, note="95 % interval"),
            Column("Largest rung predicted from the others"),
            Column("Weights of the forms", note="AICc"),
        ],
        [
            [
                label(curve.track, known),
                _name_of(curve),
                _last(curve),
                _ahead(curve),
                held_out(curve),
                weights(curve),
            ]
            for curve in curves
        ],
    )


def _refusals(refused: Sequence[Curve], known: Sequence[str]) -> Markup:
    """Return curves that are not drawn, with the reasons."""
    return elements.table(
        "Curves that the data do not support; they are not drawn and nothing is forecast from them",
        [
            Column("Track"),
            Column("Curve"),
            Column("Why"),
            Column("Last measured", numeric=True),
            Column("Largest rung predicted from the others"),
        ],
        [
            [
                label(curve.track, known),
                _name_of(curve),
                Markup("<br>").join(formats.sentence(text) for _, text in curve.refusals),
                _last(curve),
                held_out(curve),
            ]
            for curve in refused
        ],
    )


def _name_of(curve: Curve) -> str:
    is_precision = "average_precision" in curve.error
    error = "1 − PR-AUC" if is_precision else formats.words(curve.error.removeprefix("error_"))
    if curve.cost == "n_train":
        return f"{error} against training rows"
    cost = "CPU-seconds" if "cpu_seconds" in curve.cost else formats.words(curve.cost.removeprefix("cost_"))
    return f"{error} against {cost}"


def _times(factor: Interval | None) -> str | Markup:
    """Return how many times the largest cost, as far as the data show it."""
    if factor is None:
        return ""
    if math.isinf(factor.estimate) or math.isinf(factor.low):
        return _not_shown(factor)
    return elements.estimate(factor)


def _halved(curve: Curve) -> str | Markup:
    """Return what halves the error: not reachable only where the whole interval of the floor lies above."""
    factor, line = curve.k_half, fitted_line(curve)
    if factor is None or not math.isinf(factor.estimate):
        return _times(factor)
    if curve.floor is not None and line is not None and curve.floor.low > line.measured[-1].error / 2:
        return "not reachable"
    return _not_shown(factor)


def _not_shown(factor: Interval) -> str:
    told = "not shown to be reachable"
    if math.isinf(factor.low):
        return told
    return f"{told}; at least {formats.number(formats.bound(factor.low, up=False))}"


def _amount(curve: Curve) -> Callable[[float], str]:
    """Return what puts a cost of the curve into words."""
    if curve.cost == "n_train":
        return lambda rows: formats.counted(rows, "row")
    return formats.seconds if "cpu_seconds" in curve.cost else formats.number


def _last(curve: Curve) -> str | Markup:
    if not curve.points:
        return ""
    cost, error = max(curve.points)
    return Markup("{}<br><small>{}</small>").format(formats.number(error, 4), f"at {_amount(curve)(cost)}")


def _ahead(curve: Curve) -> str | Markup:
    """Return the error at the end of the forecast, and the cost there."""
    line = fitted_line(curve)
    if line is None or not line.forecast:
        return ""
    end = line.forecast[-1]
    told = elements.estimate(Interval(end.error, end.low, end.high))
    # The ends of the interval are a line of their own.
    return Markup("{} <small>{}</small>").format(told, f"at {_amount(curve)(end.cost)}")


def held_out(curve: Curve) -> str:
    """Return what the other rungs say of the largest, and whether it is so."""
    check = curve.held_out
    if check is None:
        return ""
    predicted = formats.interval(check.predicted)
    digits = max(formats.digits_for(check.predicted), 4)
    where = "inside" if check.inside else "outside"
    return f"{predicted}, measured {formats.number(check.observed, digits)}: {where}"


def weights(curve: Curve) -> str:
    """Return the AICc weights of the forms, those of .01 and more."""
    told = [
        f"{_FORMS.get(one.form, formats.words(one.form))} {one.weight:.2f}".replace(" 0.", " .")
        for one in curve.forms
        if one.weight >= 0.01
    ]
    return ", ".join(told)
