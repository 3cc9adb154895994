"""Strips: which track to use along one assumption, with a mark where it stands today."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from toolkit.analysis.whatif.record import Regime
from toolkit.analysis.whatif.words import amount
from toolkit.report import axes, elements, formats
from toolkit.report.axes import Scale
from toolkit.report.change_tables import used
from toolkit.report.elements import Column
from toolkit.report.line_labels import END
from toolkit.report.looks import INK, Look, looks

__all__ = ["Strip", "now_told", "strip_figure", "strip_table"]

_AROUND = 1.5
"""Powers of ten that are shown beyond the outermost change and beyond today's value."""
_HALF = 0.3
"""Half the height of a strip."""
_LETTER, _WIDE, _NARROW = 8.0, 700.0, 240.0
"""Pixels of a letter, and of the picture on a wide and on a narrow page."""
_TOLD = 5
"""Changes that are told in words."""
_NEXT_UNIT = (("G", " billion"), ("M", " million"), ("k", ",000"))


@dataclass(frozen=True)
class Strip:
    """One row of the figure.

    Parameters
    ----------
    name : str
    regimes : tuple of Regime
        From low to high without a gap.
    nothing : str
        What an empty answer means.
    """

    name: str
    regimes: tuple[Regime, ...]
    nothing: str


def strip_figure(
    strips: Sequence[Strip], now: tuple[float, float, float], x_title: str, known: Sequence[str]
) -> go.Figure:
    """Return strips over one axis.

    Parameters
    ----------
    strips : sequence of Strip
        At least one.
    now : (float, float, float)
        Lowest, most likely and highest declared value, the second above zero.
    x_title : str
    known : sequence of str
        All tracks.
    """
    scale = _shown(strips, now)
    drawn: dict[str, list[tuple[int, Regime]]] = {}
    for row, strip in enumerate(strips):
        for one in strip.regimes:
            if one.high > scale.low and one.low < scale.high:
                drawn.setdefault(one.best or strip.nothing, []).append((row, one))
    known_looks = looks(known)
    data = [
        _surface(name, some, strips, scale, known_looks.get(name))
        for name in [*known, *(name for name in drawn if name not in known)]
        if (some := drawn.get(name))
    ]
    layout = axes.frame(130 + 68 * len(strips), x_title)
    # Without it every entry takes a line of its own on a narrow page.
    layout["legend"] |= {
        "entrywidth": _LETTER * max(map(len, known), default=0),
        "entrywidthmode": "pixels",
    }
    layout["xaxis"] |= {**scale.layout(), **_in_words(scale)}
    layout["yaxis"] |= {
        "range": [0.6 - len(strips), 0.7],
        "tickmode": "array",
        "tickvals": [-float(row) for row in range(len(strips))],
        "ticktext": ["" for _ in strips],
        "showgrid": False,
        "ticks": "",
    }
    layout["annotations"] = [
        one for row, strip in enumerate(strips) for one in _names(row, strip, scale, layout, now[1])
    ]
    return go.Figure(data=[*data, *_today(now, len(strips), scale)], layout=layout)


def _shown(strips: Sequence[Strip], now: tuple[float, float, float]) -> Scale:
    """Return the part of the reach that has all changes and today's value in it."""
    ends = [end for strip in strips for one in strip.regimes for end in (one.low, one.high)]
    reach = min(ends), max(ends)
    inner = [end for end in (*ends, *now) if end not in reach and end > 0]
    low, high = min(inner) / 10**_AROUND, max(inner) * 10**_AROUND
    return Scale(max(low, reach[0]), min(high, reach[1]), True)


def _in_words(scale: Scale) -> dict[str, Any]:
    layout = scale.layout()
    return {"ticktext": [_tick(place) for place in layout["tickvals"]]}


def _tick(value: float) -> str:
    text = formats.tick(value)
    for letter, word in _NEXT_UNIT:
        if text.endswith(letter):
            text = f"{text.removesuffix(letter)}{word}"
    return text if len(text) < 9 else text.replace(" billion", " bn").replace(" million", " M")


def _surface(
    name: str, some: Sequence[tuple[int, Regime]], strips: Sequence[Strip], scale: Scale, look: Look | None
) -> go.Scatter:
    """Return all parts of the strips that one track has, as one trace with an entry in the legend."""
    x: list[float | None] = []
    y: list[float | None] = []
    for row, one in some:
        low, high = max(one.low, scale.low), min(one.high, scale.high)
        x += [low, high, high, low, low, None]
        y += [-row - _HALF, -row - _HALF, -row + _HALF, -row + _HALF, -row - _HALF, None]
    told = "; ".join(f"{strips[row].name}: {_span(one)}" for row, one in some)
    return go.Scatter(
        name=html.escape(name, quote=False),
        x=x[:-1],
        y=y[:-1],
        mode="lines",
        fill="toself",
        fillcolor="rgba(128,128,128,0)" if look is None else axes.pale(look.colour, 0.35),
        fillpattern={}
        if look is None
        else {
            "shape": look.pattern,
            "fillmode": "overlay",
            "fgcolor": look.colour,
            "fgopacity": 0.45,
            "size": 9,
            "solidity": 0.1,
        },
        line={"color": INK if look is None else look.colour, "width": 0.8 if look is None else 1.2},
        showlegend=look is not None,
        hoveron="fills",
        hoverinfo="text",
        text=axes.hover((name, told)),
    )


def _span(one: Regime) -> str:
    return f"{amount(one.low)} to {amount(one.high)}"


def _names(
    row: int, strip: Strip, scale: Scale, layout: dict[str, Any], likely: float
) -> list[dict[str, Any]]:
    """Return the name of a strip, and those of its parts; on a narrow page only where there is room too."""
    bottom, top = layout["yaxis"]["range"]
    height = (_HALF + 0.18 - row - bottom) / (top - bottom)
    found = [{**_at(0.0, height, strip.name), "xanchor": "left"}]
    for one in strip.regimes:
        if one.high <= scale.low or one.low >= scale.high:
            continue
        left, right = (min(max(scale.share(end), 0.0), 1.0) for end in (one.low, one.high))
        text = one.best or strip.nothing
        today = scale.share(likely)
        if left < today < right:  # the mark would stand on the name
            left, right = (left, today) if today - left > right - today else (today, right)
        room = (right - left) / (_LETTER * len(text) + 8)
        if room * _WIDE < 1:
            continue
        found.append(
            {
                **_at((left + right) / 2, (-row - bottom) / (top - bottom), text),
                "xanchor": "center",
                **({} if room * _NARROW >= 1 else {"name": END}),
            }
        )
    return found


def _at(x: float, y: float, text: str) -> dict[str, Any]:
    return {
        "text": html.escape(text, quote=False),
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "yanchor": "middle",
        "showarrow": False,
        "font": {"color": INK},
    }


def _today(now: tuple[float, float, float], n: int, scale: Scale) -> list[go.Scatter]:
    """Return a line where the assumption stands today, and its range where there is one, above the strips."""
    low, likely, high = now
    top = 0.42
    line = go.Scatter(
        name="as declared",
        showlegend=False,
        mode="lines+markers",
        x=[likely, likely],
        y=[top, -(n - 1) - 0.5],
        line={"color": INK, "width": 2},
        marker={"symbol": ["triangle-down", "circle"], "size": [11, 2], "color": INK},
        hovertext=axes.hover((f"as declared: {amount(likely)}",)),
        hoverinfo="text",
    )
    if low == high:
        return [line]
    ends = [max(low, scale.low), min(high, scale.high)]
    span = go.Scatter(
        name="declared range",
        showlegend=False,
        mode="lines",
        x=ends,
        y=[top, top],
        line={"color": INK, "width": 4},
        hoverinfo="skip",
    )
    return [span, line]


def now_told(strip: Strip, likely: float, unit: str) -> str:
    """Return what a strip says from left to right, in words."""
    first, *later = strip.regimes
    told = ", ".join(f"{one.best or strip.nothing} from {amount(one.low)}" for one in later)
    if len(later) > _TOLD:
        told = f"{len(later)} changes further up, which the table has"
    name = strip.name
    start = first.best or strip.nothing
    changes = f"{start} at first, then {told}" if told else f"{start} everywhere"
    return f"{name}, from low to high: {changes} (declared: {amount(likely)} {unit})"


def strip_table(strips: Sequence[Strip], title: str, unit: str, known: Sequence[str]) -> Markup:
    """Return the parts of strips as rows, from low to high.

    Parameters
    ----------
    strips : sequence of Strip
    title, unit : str
        Of the assumption.
    known : sequence of str
        All tracks.
    """
    return elements.table(
        f"{formats.title(title)} ({unit}) and what it means",
        [Column("Question"), Column("From", numeric=True), Column("To", numeric=True), Column("Answer")],
        [
            [
                strip.name,
                amount(one.low),
                amount(one.high) if math.isfinite(one.high) else "∞",
                used(one.best, known) if one.best else strip.nothing,
            ]
            for strip in strips
            for one in strip.regimes
        ],
    )
