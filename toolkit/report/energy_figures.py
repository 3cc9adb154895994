"""Energy of every track as bars from the lowest to the highest estimate."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import plotly.graph_objects as go
from markupsafe import Markup

from toolkit.analysis.spending import Footprint
from toolkit.report import elements, figures, formats, spans
from toolkit.report.axes import blank, hover, log_ticks
from toolkit.report.elements import Column
from toolkit.report.looks import INK, PAPER, label, looks

__all__ = ["WORK", "by_time", "energy_figure"]

WORK = {
    "search": "one search of parameters",
    "training": "one training",
    "million_predictions": "a million predictions",
    "year": "a year",
}
"""Pieces of work in order, and what they are called."""


def by_time(footprints: Sequence[Footprint]) -> list[Footprint]:
    """Return footprints of one piece of work, the least CPU time first; those on an accelerator come last."""
    return sorted(footprints, key=lambda one: (one.accelerator_seconds, one.cpu_seconds))


def energy_figure(work: str, footprints: Sequence[Footprint], known: Sequence[str]) -> Markup:
    """Return figure and table of one piece of work; footprints without work are in the table alone.

    Parameters
    ----------
    work : str
        A key of `WORK`.
    footprints : sequence of Footprint
        Of that work.
    known : sequence of str
        All tracks of the report, for their looks.
    """
    ordered = by_time(footprints)
    drawn = [one for one in ordered if one.joules.high > 0]
    title = formats.title(WORK[work])
    if not drawn:
        return Markup("")
    last = ", those on an accelerator last" if any(one.accelerator_seconds for one in drawn) else ""
    told = "; ".join(f"{one.track} {spans.joules(one.joules)}, {one.basis}" for one in drawn)
    idle = " The power of idle capacity that is paid for is in it." if work == "year" else ""
    return figures.embed(
        _drawing(drawn, known),
        name=f"energy-{work}",
        title=f"{title}: energy",
        description=f"In the order of CPU time, the least on top{last}: {told}.{idle}",
        table=_table(f"{title}: CPU time, energy and carbon", ordered, known),
    )


def _drawing(drawn: Sequence[Footprint], known: Sequence[str]) -> go.Figure:
    looked = looks(known)
    figure = blank(92 + 38 * len(drawn), "Energy (joules, log scale)")
    names = [html.escape(one.track, quote=False) for one in drawn]
    # An end at nought has no place on this axis; the bar then begins a decade below its middle.
    lows = [one.joules.low if one.joules.low > 0 else one.joules.mid / 10 for one in drawn]
    texts = [hover(_facts(one)) for one in drawn]
    for one, low, name, text in zip(drawn, lows, names, texts, strict=True):
        look = looked[one.track]
        figure.add_trace(
            go.Bar(
                orientation="h",
                base=[low],
                x=[one.joules.high - low],
                y=[name],
                width=0.5,
                marker={
                    "color": look.colour,
                    "line": {"color": INK, "width": 0.6},
                    "pattern": {**figures.PATTERN, "shape": look.pattern},
                },
                hovertext=[text],
                hoverinfo="text",
            )
        )
    figure.add_trace(
        go.Scatter(
            mode="markers",
            x=[one.joules.mid for one in drawn],
            y=names,
            marker={
                "color": PAPER,
                "symbol": [looked[one.track].symbol for one in drawn],
                "size": 9,
                "line": {"color": INK, "width": 1.2},
            },
            hovertext=texts,
            hoverinfo="text",
        )
    )
    ends = [*lows, *(one.joules.high for one in drawn)]
    # Left to find the range, Plotly starts from one without a tick and complains of the title's place.
    span = [math.log10(min(ends)) - 0.1, math.log10(max(ends)) + 0.1]
    figure.update_xaxes(type="log", range=span, **log_ticks(ends, room=0.1))
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names[::-1], showgrid=False, ticks=""
    )
    figure.update_layout(showlegend=False, barmode="overlay")
    return figure


def _facts(one: Footprint) -> tuple[str, ...]:
    return (
        one.track,
        f"energy: {spans.joules(one.joules)}, {one.basis}",
        f"carbon: {spans.carbon(one.kg_co2e)}",
        f"CPU time: {formats.seconds(one.cpu_seconds)}",
        *([f"accelerator: {formats.seconds(one.accelerator_seconds)}"] if one.accelerator_seconds else []),
    )


def _table(caption: str, ordered: Sequence[Footprint], known: Sequence[str]) -> Markup:
    accelerated = any(one.accelerator_seconds for one in ordered)
    return elements.table(
        caption,
        [
            Column("Track"),
            Column("CPU time", numeric=True),
            *([Column("Accelerator time", numeric=True)] if accelerated else []),
            Column("Energy", numeric=True, note="lowest to highest"),
            Column("Middle", numeric=True),
            Column("Carbon", numeric=True, note="lowest to highest"),
            Column("Basis"),
        ],
        [
            [
                label(one.track, known),
                formats.seconds(one.cpu_seconds),
                *([formats.seconds(one.accelerator_seconds)] if accelerated else []),
                elements.whole(spans.joules(one.joules)),
                spans.one(one.joules.mid) if one.joules.mid > 0 else "none",
                elements.whole(spans.carbon(one.kg_co2e)),
                one.basis,
            ]
            for one in ordered
        ],
    )
