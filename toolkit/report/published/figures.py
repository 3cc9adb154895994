"""Drawing of a table: error against compute with the line, the curve with a floor, and slopes of theory."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Published, Study
from toolkit.published.values import Observation
from toolkit.report import axes, formats
from toolkit.report.looks import INK
from toolkit.report.published import words

__all__ = ["error_against_compute"]


class _Style(NamedTuple):
    """How a fit looks: colour, dash and pattern differ together, so none is needed alone."""

    colour: str
    dash: str
    pattern: str


# Okabe and Ito's colours; dashes and markers differ too.
_POINT, _TARGET = "#56B4E9", "#CC79A7"
_LINE = _Style("#0072B2", "solid", "")
_CURVE = _Style("#D55E00", "dash", "/")
_SLOPES = ("dot", "dashdot", "longdashdot")
_N_GRID = 60
_LARGEST = 1e308
"""No axis goes on past here, for no number does."""
_LEAST_SHOWN = 0.4
"""Of the least of all errors and targets: under it nothing is drawn."""


def error_against_compute(published: Published, study: Study) -> go.Figure:
    """Return the figure of one measure.

    Parameters
    ----------
    published : Published
    study : Study
        One of its studies.
    """
    unit = f", {study.measure.unit}" if study.measure.unit else ""
    figure = axes.blank(
        520,
        f"{html.escape(study.measure.title + unit, quote=False)} (log scale)",
        f"{html.escape(published.error_title, quote=False)} (log scale)",
    )
    x = [study.compute(one) for one in (*study.points, *study.members)]
    y = [one.error for one in (*study.points, *study.members)]
    right = _right_end(published, study, max(x))
    grid = np.geomspace(min(x) / 1.3, right, _N_GRID).tolist()
    least = _LEAST_SHOWN * min([*y, *(one.target for one in study.forecasts)])
    line = [study.line.predict(cost) for cost in grid]
    curve = [study.curve.predict(cost) for cost in grid]
    _band(figure, grid, line, _LINE, least)
    if curve[0] is not None:
        _band(figure, grid, [one for one in curve if one is not None], _CURVE, least)
    _slopes(figure, published, study, grid)
    _draw(figure, grid, line, f"line, with {words.level(published)} band", _LINE)
    if curve[0] is not None:
        told = [one for one in curve if one is not None]
        _draw(figure, grid, told, f"curve with a floor, with {words.level(published)} band", _CURVE)
    _points(figure, published, study, study.members, _of_members(study), "circle-open")
    _points(figure, published, study, study.points, _of_points(study), "circle")
    _targets(figure, published, study, grid)
    ticks = axes.log_ticks(grid)
    ticks["ticktext"] = [words.tick(place) for place in ticks["tickvals"]]
    figure.update_xaxes(type="log", range=_span(grid), **ticks)
    shown = [*y, *(one.target for one in study.forecasts)]
    figure.update_yaxes(
        type="log", range=_span([0.75 * min(shown), 1.3 * max(shown)]), **_error_ticks(published, shown)
    )
    figure.update_layout(showlegend=True)
    return figure


def _of_points(study: Study) -> str:
    if study.is_ladder:
        return "measured"
    return "results" if not study.members else "results; of a family the best"


def _of_members(study: Study) -> str:
    if any(study.is_averaged(one) for one in study.members):
        return "further rows of a family: other sizes, and repeats of which the mean counts"
    return "other sizes of a family, not in these fits"


def _right_end(published: Published, study: Study, largest: float) -> float:
    """Return where the axis ends: past the forecasts and the claims, as far as they can be drawn."""
    wanted = [10 * largest]
    for one in study.forecasts:
        if one.reach not in words.WITH_AMOUNT:
            continue
        if math.isfinite(one.told.high):
            wanted.append(3 * one.told.high)
        elif math.isfinite(one.told.estimate):
            wanted.append(10 * one.told.estimate)
    wanted += [3 * claim for _, claim in _claimed(published, study)]
    return min(max(wanted), largest * 1e8, max(largest, _LARGEST))


def _claimed(published: Published, study: Study) -> list[tuple[float, float]]:
    """Return targets and computes that somebody claims, by the measure that is priced."""
    if study.measure.key != published.priced:
        return []
    claims = published.declared.get("claims") or ()
    return [(one["target"], one["compute"]) for one in claims if one.get("target") and one.get("compute")]


def _band(
    figure: go.Figure, x: Sequence[float], told: Sequence[Interval], style: _Style, least: float
) -> None:
    """Add a pale band with an edge, and with a pattern where two bands lie on each other."""
    kept = [
        (cost, max(one.low, least), one.high)
        for cost, one in zip(x, told, strict=True)
        if math.isfinite(one.high) and one.high > least
    ]
    if not kept:
        return
    costs, low, high = ([row[i] for row in kept] for i in range(3))
    red, green, blue = (int(style.colour[i : i + 2], 16) for i in (1, 3, 5))
    pattern = {"shape": style.pattern, "fillmode": "overlay", "fgcolor": style.colour}
    figure.add_trace(
        go.Scatter(
            x=[*costs, *reversed(costs), costs[0]],
            y=[*high, *reversed(low), high[0]],
            fill="toself",
            fillcolor=f"rgba({red},{green},{blue},0.13)",
            fillpattern={**pattern, "fgopacity": 0.3, "size": 9, "solidity": 0.1},
            line={"color": f"rgba({red},{green},{blue},0.7)", "width": 0.8, "dash": style.dash},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _draw(figure: go.Figure, x: Sequence[float], told: Sequence[Interval], name: str, style: _Style) -> None:
    figure.add_trace(
        go.Scatter(
            name=name,
            mode="lines",
            x=list(x),
            y=[one.estimate for one in told],
            line={"color": style.colour, "width": 2, "dash": style.dash},
            hoverinfo="skip",
        )
    )


def _slopes(figure: go.Figure, published: Published, study: Study, grid: Sequence[float]) -> None:
    """Draw powers of theory from where the line begins: an error k times lower for k to the power."""
    start = study.line.predict(grid[0]).estimate
    for power, dash in zip(published.declared.get("slopes") or (), _SLOPES * 9, strict=False):
        figure.add_trace(
            go.Scatter(
                name=f"slope of k{formats.superscript(power)}",
                mode="lines",
                x=[grid[0], grid[-1]],
                y=[start, start * (grid[-1] / grid[0]) ** (-1 / power)],
                line={"color": INK, "width": 1.2, "dash": dash},
                hoverinfo="skip",
            )
        )


def _facts(published: Published, study: Study, one: Observation) -> tuple[str, ...]:
    return (
        f"{one.name}, {one.year:.0f}" if one.year is not None else one.name,
        f"{published.error_title}: {words.error(published, one.error)}",
        f"{study.measure.title}: {words.compute(study.compute(one), study.measure.unit)}",
        *([f"family: {one.family}"] if one.family else []),
        *_wrapped(one.note),
    )


def _wrapped(text: str, width: int = 60) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _points(
    figure: go.Figure,
    published: Published,
    study: Study,
    points: Sequence[Observation],
    name: str,
    symbol: str,
) -> None:
    if not points:
        return
    figure.add_trace(
        go.Scatter(
            name=name,
            mode="markers",
            x=[study.compute(one) for one in points],
            y=[one.error for one in points],
            marker={"color": _POINT, "symbol": symbol, "size": 9, "line": {"color": INK, "width": 0.8}},
            hovertext=[axes.hover(_facts(published, study, one)) for one in points],
            hoverinfo="text",
            # drawn last, so that no line hides them, and named first
            legendrank=1,
        )
    )


def _targets(figure: go.Figure, published: Published, study: Study, grid: Sequence[float]) -> None:
    """Draw each target as a level, where the fit that is told crosses it, and what is claimed."""
    named: set[str] = set()
    for one in study.forecasts:
        figure.add_trace(
            go.Scatter(
                name=f"target {words.error(published, one.target, 6)}",
                mode="lines",
                x=[grid[0], grid[-1]],
                y=[one.target, one.target],
                line={"color": _TARGET, "width": 1.4, "dash": "longdash"},
                hoverinfo="skip",
            )
        )
        if one.reach in words.WITH_AMOUNT and one.told.estimate <= grid[-1]:
            drawn_on = one.reach == "drawn_on"
            name = f"the {one.by} drawn on, no forecast" if drawn_on else f"where the {one.by} reaches it"
            style = _CURVE if one.by == "curve" else _LINE
            text = axes.hover(
                (
                    f"the {one.by} at {words.error(published, one.target, 6)}",
                    words.interval(one.told, study.measure.unit),
                    *(["drawn on: no forecast"] if drawn_on else []),
                )
            )
            figure.add_trace(
                go.Scatter(
                    name=name,
                    showlegend=name not in named,
                    mode="markers",
                    x=[one.told.estimate],
                    y=[one.target],
                    error_x=axes.errors([_within(one.told, grid)], style.colour),
                    marker={
                        "color": style.colour,
                        "symbol": "diamond-open" if drawn_on else "diamond",
                        "size": 10,
                        "line": {"color": INK, "width": 0.8},
                    },
                    hovertext=[text],
                    hoverinfo="text",
                )
            )
            named.add(name)
    claimed = _claimed(published, study)
    if claimed:
        figure.add_trace(
            go.Scatter(
                name="claimed",
                mode="markers",
                x=[compute for _, compute in claimed],
                y=[target for target, _ in claimed],
                marker={"color": INK, "symbol": "x", "size": 10},
                hovertext=[
                    axes.hover((f"claimed: {words.compute(one, study.measure.unit)}",)) for _, one in claimed
                ],
                hoverinfo="text",
            )
        )


def _within(value: Interval, grid: Sequence[float]) -> Interval:
    return Interval(value.estimate, max(value.low, grid[0]), min(value.high, grid[-1]))


def _span(values: Sequence[float]) -> list[float]:
    return [math.log10(min(values)), math.log10(max(values))]


def _error_ticks(published: Published, values: Sequence[float]) -> dict[str, object]:
    """Return ticks in words; closer ones than other axes have, for errors span a power of ten at most."""
    low, high = 0.75 * min(values), 1.3 * max(values)
    power = 10.0 ** math.floor(math.log10(low))
    digits = (1, 2, 5) if high / low > 30 else (1, 2, 3, 5) if high / low > 6 else (1, 1.5, 2, 3, 4, 5, 7)
    every = [
        digit * power * 10.0**i for i in range(math.ceil(math.log10(high / power)) + 1) for digit in digits
    ]
    places = [place for place in every if low <= place <= high]
    return {
        "tickmode": "array",
        "tickvals": places,
        "ticktext": [words.error(published, one) for one in places],
    }
