"""Plotly figures in one style, and their place in the page with a text and a table beside them."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from toolkit.analysis.results import Interval
from toolkit.report import formats
from toolkit.report.elements import fragment, slug
from toolkit.report.looks import GRID, INK, PAPER, Look

__all__ = [
    "Bar",
    "Part",
    "bars",
    "blank",
    "embed",
    "errors",
    "hover",
    "log_axis",
    "log_ticks",
    "stacked",
    "whiskers",
]

FLAT_RATIO = 3.0
"""A positive axis whose ends differ by less than this factor is drawn straight, not in logarithms."""

_MAX_TICKS = 7
_PATTERN = {"fillmode": "overlay", "fgcolor": PAPER, "fgopacity": 0.5, "size": 7}


@dataclass(frozen=True)
class Bar:
    """One row of a bar or whisker figure: name, estimate with interval, its text and all facts."""

    name: str
    value: Interval
    text: str
    facts: tuple[str, ...]
    look: Look


@dataclass(frozen=True)
class Part:
    """One component of a stacked bar: a number for each row."""

    name: str
    values: tuple[float, ...]
    texts: tuple[str, ...]
    colour: str
    pattern: str


def hover(facts: Iterable[str]) -> str:
    """Return the lines of a hover box; names cannot smuggle in Plotly's own tags."""
    return "<br>".join(html.escape(fact, quote=False) for fact in facts)


def log_axis(values: Iterable[float | None]) -> bool:
    """Tell whether an axis of `values` reads better in logarithms."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) >= FLAT_RATIO


def log_ticks(values: Iterable[float]) -> dict[str, Any]:
    """Return places and texts of the ticks of a logarithmic axis: plain numbers, at most seven.

    Parameters
    ----------
    values : iterable of float
        Positive; what the axis has to show.
    """
    found = list(values)
    low, high = math.log10(min(found)), math.log10(max(found))
    decades = range(math.floor(low), math.ceil(high) + 1)
    if high - low > 3:
        step = math.ceil(len(decades) / _MAX_TICKS)
        places = [10.0**power for power in decades[::step]]
    else:
        digits = (1, 3) if high - low > 1 else (1, 2, 5)
        places = [digit * 10.0**power for power in decades for digit in digits]
        places = [place for place in places if low - 0.15 <= math.log10(place) <= high + 0.15]
    return {"tickmode": "array", "tickvals": places, "ticktext": [formats.number(p, 1) for p in places]}


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
    figure = go.Figure()
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        hoverlabel={"bgcolor": PAPER, "bordercolor": INK, "font": {"color": INK}, "align": "left"},
        hovermode="closest",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        xaxis={**axis, "title": {"text": x_title, "standoff": 8, "font": {"size": 13}}},
        yaxis={**axis, "title": {"text": y_title, "standoff": 8, "font": {"size": 13}}},
    )
    return figure


def _scaled(value: Interval, unit: float) -> Interval:
    return Interval(value.estimate / unit, value.low / unit, value.high / unit)


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


def _rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Make the y axis one of names, the first on top, and mark zero on the other."""
    figure.update_xaxes(zeroline=True)
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=[html.escape(name, quote=False) for name in reversed(names)],
        showgrid=False,
        ticks="",
        ticklabelstandoff=8,
    )


def bars(rows: Sequence[Bar], x_title: str, unit: float = 1.0) -> go.Figure:
    """Return horizontal bars from zero with whiskers for the intervals, in multiples of `unit`."""
    figure = blank(96 + 52 * len(rows), x_title)
    figure.add_trace(
        go.Bar(
            orientation="h",
            x=[row.value.estimate / unit for row in rows],
            y=[html.escape(row.name, quote=False) for row in rows],
            error_x=errors([_scaled(row.value, unit) for row in rows]),
            marker={
                "color": [row.look.colour for row in rows],
                "line": {"color": INK, "width": 0.6},
            },
            hovertext=[hover(row.facts) for row in rows],
            hoverinfo="text",
            width=0.6,
        )
    )
    figure.update_layout(showlegend=False)
    _rows(figure, [row.name for row in rows])
    return figure


def whiskers(rows: Sequence[Bar], x_title: str, margin: float | None = None) -> go.Figure:
    """Return points with intervals, one a row, a line at zero and a band of `margin` around it."""
    figure = blank(96 + 40 * len(rows), x_title)
    figure.add_trace(
        go.Scatter(
            mode="markers",
            x=[row.value.estimate for row in rows],
            y=[html.escape(row.name, quote=False) for row in rows],
            error_x=errors([row.value for row in rows]),
            marker={
                "color": [row.look.colour for row in rows],
                "symbol": [row.look.symbol for row in rows],
                "size": 11,
                "line": {"color": INK, "width": 1},
            },
            hovertext=[hover(row.facts) for row in rows],
            hoverinfo="text",
        )
    )
    if margin is not None:
        figure.add_vrect(x0=-margin, x1=margin, fillcolor=GRID, opacity=0.55, line_width=0, layer="below")
    figure.update_layout(showlegend=False)
    _rows(figure, [row.name for row in rows])
    return figure


def stacked(names: Sequence[str], parts: Sequence[Part], x_title: str, unit: float = 1.0) -> go.Figure:
    """Return stacked horizontal bars, one a name; patterns tell the parts apart in black and white."""
    figure = blank(130 + 48 * len(names), x_title)
    for part in parts:
        figure.add_trace(
            go.Bar(
                orientation="h",
                name=html.escape(part.name, quote=False),
                x=[value / unit for value in part.values],
                y=[html.escape(name, quote=False) for name in names],
                marker={
                    "color": part.colour,
                    "line": {"color": INK, "width": 0.6},
                    "pattern": {
                        "shape": part.pattern,
                        "fillmode": "overlay",
                        "fgcolor": PAPER,
                        "fgopacity": 0.5,
                    },
                },
                hovertext=[
                    hover((name, f"{part.name}: {text}"))
                    for name, text in zip(names, part.texts, strict=True)
                ],
                hoverinfo="text",
                width=0.6,
            )
        )
    figure.update_layout(barmode="relative", showlegend=True, legend_traceorder="normal")
    _rows(figure, names)
    return figure


def embed(
    figure: go.Figure, *, name: str, title: str, description: str, table: Markup, note: str | Markup = ""
) -> Markup:
    """Return the figure's place in the page: heading, drawing, description and table.

    Parameters
    ----------
    figure : Figure
        With its height set.
    name : str
        Anchor, unique in the report.
    title : str
        Heading above the figure.
    description : str
        What a reader who cannot see it should know; also the caption.
    table : Markup
        The same numbers.
    note : str, optional
        More for the caption.
    """
    # Data inside a script element must not end it: JSON may write "<" as an escape.
    data = figure.to_json(validate=False).replace("<", "\\u003c")
    return fragment(
        "figure",
        name=slug(name),
        title=title,
        description=description,
        height=int(figure.layout.height),
        data=Markup(data),  # noqa: S704 ("<" is escaped above, and the type of the script is data)
        table=table,
        note=note,
    )
