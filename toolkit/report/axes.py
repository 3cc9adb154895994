"""Axes and frames of figures in one style: plain ticks, few lines, room for a phone."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from toolkit.analysis.results import Interval
from toolkit.report import formats
from toolkit.report.looks import GRID, INK, PAPER

__all__ = ["band", "blank", "errors", "hover", "legend_entry", "log_axis", "log_ticks"]

FLAT_RATIO = 3.0
"""A positive axis whose ends differ by less than this factor is drawn straight, not in logarithms."""

_MAX_TICKS = 7


def hover(facts: Iterable[str]) -> str:
    """Return the lines of a hover box; names cannot smuggle in Plotly's own tags."""
    return "<br>".join(html.escape(fact, quote=False) for fact in facts)


def log_axis(values: Iterable[float | None]) -> bool:
    """Tell whether an axis of `values` reads better in logarithms."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) >= FLAT_RATIO


def log_ticks(values: Iterable[float]) -> dict[str, Any]:
    """Return places and texts of the ticks of a logarithmic axis: short numbers, at most seven.

    Parameters
    ----------
    values : iterable of float
        Positive; what the axis has to show.
    """
    found = list(values)
    low, high = math.log10(min(found)) - 0.15, math.log10(max(found)) + 0.15
    if high - low > 3.3:
        decades = range(math.ceil(low), math.floor(high) + 1)
        places = [10.0**power for power in decades[:: math.ceil(len(decades) / _MAX_TICKS)]]
    else:
        digits = (1, 3) if high - low > 1.3 else (1, 2, 5)
        places = [
            digit * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for digit in digits
        ]
        places = [place for place in places if low <= math.log10(place) <= high]
    return {"tickmode": "array", "tickvals": places, "ticktext": [formats.tick(place) for place in places]}


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> go.Scatter:
    """Return a pale band between two lines, without an entry in the legend."""
    return go.Scatter(
        x=[*x, *reversed(x)],
        y=[*high, *reversed(low)],
        fill="toself",
        fillcolor=colour,
        opacity=0.16,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def legend_entry(name: str, colour: str, symbol: str) -> go.Scatter:
    """Return a trace without points that stands in the legend: that shows the first marker of a trace.

    Parameters
    ----------
    name : str
        Also the group, which the trace of the points has to share.
    colour, symbol : str
    """
    return go.Scatter(
        name=name,
        legendgroup=name,
        mode="markers",
        x=[None],
        y=[None],
        marker={"color": colour, "symbol": symbol, "size": 10},
        hoverinfo="skip",
    )


def blank(height: int, x_title: str, y_title: str = "") -> go.Figure:
    """Return an empty figure in the report's style.

    Parameters
    ----------
    height : int
        In pixels; the width follows the page.
    x_title, y_title : str
        Titles of the axes, with units.
    """
    axis: dict[str, Any] = {
        "automargin": True,
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "zerolinecolor": INK,
        "zerolinewidth": 1,
        "ticks": "outside",
        "tickcolor": GRID,
        "fixedrange": True,
        "exponentformat": "power",
    }
    # Given at once: updating the layout of a figure takes ten times as long.
    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
            "hoverlabel": {"bgcolor": PAPER, "bordercolor": INK, "font": {"color": INK}, "align": "left"},
            "hovermode": "closest",
            "dragmode": False,
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            "xaxis": {**axis, "title": {"text": x_title, "standoff": 8, "font": {"size": 13}}},
            "yaxis": {**axis, "title": {"text": y_title, "standoff": 8, "font": {"size": 13}}},
        }
    )


def errors(values: Sequence[Interval], colour: str = INK) -> dict[str, Any]:
    """Return asymmetric error bars; an infinite end is drawn as no end."""

    def reach(distance: float) -> float:
        return distance if math.isfinite(distance) else 0.0

    return {
        "type": "data",
        "symmetric": False,
        "array": [reach(value.high - value.estimate) for value in values],
        "arrayminus": [reach(value.estimate - value.low) for value in values],
        "color": colour,
        "thickness": 1.2,
        "width": 4,
    }
