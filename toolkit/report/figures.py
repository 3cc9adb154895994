"""Plotly figures in one style, and their place in the page with a text and a table beside them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from markupsafe import Markup

from toolkit.analysis.results import Interval
from toolkit.report.axes import blank, errors, hover
from toolkit.report.elements import fragment, slug
from toolkit.report.looks import GRID, INK, PAPER, Look

__all__ = ["PATTERN", "Bar", "Drawing", "Part", "bars", "embed", "embed_choice", "stacked", "whiskers"]

PATTERN = {"fillmode": "overlay", "fgcolor": PAPER, "fgopacity": 0.5, "size": 7}
"""How the pattern of a bar is drawn; its shape tells bars apart in black and white."""


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


def _scaled(value: Interval, unit: float) -> Interval:
    return Interval(value.estimate / unit, value.low / unit, value.high / unit)


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


def whiskers(rows: Sequence[Bar], x_title: str, margin: float | None = None, unit: float = 1.0) -> go.Figure:
    """Return points with intervals, one a row, a line at zero and a band of `margin` around it.

    All are drawn in multiples of `unit`.
    """
    figure = blank(96 + 40 * len(rows), x_title)
    figure.add_trace(
        go.Scatter(
            mode="markers",
            x=[row.value.estimate / unit for row in rows],
            y=[html.escape(row.name, quote=False) for row in rows],
            error_x=errors([_scaled(row.value, unit) for row in rows]),
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
        ends = {"x0": -margin / unit, "x1": margin / unit}
        figure.add_vrect(**ends, fillcolor=GRID, opacity=0.55, line_width=0, layer="below")
    figure.update_layout(showlegend=False)
    _rows(figure, [row.name for row in rows])
    return figure


def stacked(names: Sequence[str], parts: Sequence[Part], x_title: str, unit: float = 1.0) -> go.Figure:
    """Return stacked horizontal bars, one a name; patterns tell the parts apart in black and white."""
    # On a phone the legend takes a line for each part.
    figure = blank(110 + 48 * len(names) + 10 * len(parts), x_title)
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
                    "pattern": {**PATTERN, "shape": part.pattern},
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


@dataclass(frozen=True)
class Drawing:
    """One of the drawings that a figure can show.

    Parameters
    ----------
    name : str
        Anchor of its data, unique in the report; also the name of a file that is saved.
    choice : str
        What the button says.
    figure : Figure
        With its height set.
    description : str
        What a reader who cannot see it should know.
    note : str
        What stands below while it is shown.
    """

    name: str
    choice: str
    figure: go.Figure
    description: str
    note: str | Markup = ""


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
    only = Drawing(name, "", figure, description, note)
    return embed_choice([only], name=name, title=title, question="", description=description, table=table)


def embed_choice(
    drawings: Sequence[Drawing],
    *,
    name: str,
    title: str,
    question: str,
    description: str,
    table: Markup,
) -> Markup:
    """Return the place of a figure that shows one of several drawings, on paper the first with the table.

    Parameters
    ----------
    drawings : sequence of Drawing
        At least one; all as high as the first.
    name : str
        Anchor, unique in the report.
    title : str
        Heading above the figure.
    question : str
        What is chosen.
    description : str
        The caption, of all drawings.
    table : Markup
        The same numbers.
    """
    return fragment(
        "figure",
        name=slug(name),
        title=title,
        question=question,
        description=description,
        height=int(drawings[0].figure.layout.height),
        drawings=[
            {
                "name": slug(one.name),
                "choice": one.choice,
                "description": one.description,
                "data": _data(one.figure),
                "note": one.note,
            }
            for one in drawings
        ],
        table=table,
    )


def _data(figure: go.Figure) -> Markup:
    """Return a figure as JSON that cannot end the script element it stands in: "<" is an escape."""
    text = figure.to_json(validate=False).replace("<", "\\u003c")
    return Markup(text)  # noqa: S704 ("<" is escaped, and the type of the script is data)
