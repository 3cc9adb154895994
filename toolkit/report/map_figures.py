"""The map: which track to use, by volume and by the value of a hit.

A track's colour is full where it leads by more than the margin, pale where another is as good. The page's
sliders paint the same figure anew; `codes` says by which numbers.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import plotly.graph_objects as go

from toolkit.analysis.whatif.record import Region
from toolkit.report import formats
from toolkit.report.axes import blank, log_ticks, pale
from toolkit.report.looks import GRID, INK, PAPER, Look, looks

__all__ = ["codes", "map_figure"]

PALE = 0.35
_SIGN_EVERY = 6
"""Cells from one sign to the next, across and up."""
_HEIGHT = 460


def codes(region: Region, tracks: Sequence[str]) -> list[list[int]]:
    """Return a number for each cell: 0 where none pays, for track i 1 + 2 i, or 2 + 2 i within the margin."""
    places = {track: place for place, track in enumerate(tracks)}
    return [
        [0 if not best else 1 + 2 * places[best] + close for best, close in zip(row, ties, strict=True)]
        for row, ties in zip(region.best, region.tie, strict=True)
    ]


def map_figure(region: Region, tracks: Sequence[str], here: tuple[float, float], currency: str) -> go.Figure:
    """Return the map.

    Parameters
    ----------
    region : Region
    tracks : sequence of str
        That enter the verdict, in its order.
    here : tuple of float
        Volume and value of a hit as declared.
    currency : str
    """
    known = looks(tracks)
    figure = blank(_HEIGHT, "decisions a year (logarithmic)")
    colours = [GRID]
    for track in tracks:
        colours += [known[track].colour, pale(known[track].colour, PALE)]
    figure.add_trace(_cells(region, tracks, known, colours))
    for track in tracks:
        figure.add_trace(_entry(track, known[track].colour))
    figure.add_trace(_entry("none pays", GRID))
    figure.add_trace(
        go.Scatter(
            mode="markers",
            name="as declared",
            x=[here[0]],
            y=[here[1]],
            marker={"symbol": "star", "size": 17, "color": PAPER, "line": {"color": INK, "width": 1.6}},
            hoverinfo="skip",
            cliponaxis=False,
        )
    )
    for axis, values in (("xaxis", region.volumes), ("yaxis", region.hits)):
        ends = [math.log10(end) for end in _edges(values)]
        ticks = log_ticks(values, room=0)
        ticks["ticktext"] = [text.replace("G", "\u00a0bn") for text in ticks["ticktext"]]
        figure.update_layout({axis: {"type": "log", "range": [ends[0], ends[-1]], **ticks}})
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(
        showgrid=False, title={"text": f"value of a hit ({html.escape(currency, quote=False)}, logarithmic)"}
    )
    figure.update_layout(showlegend=True)
    return figure


def _edges(values: Sequence[float]) -> list[float]:
    """Return the ends of cells around values that rise by one factor."""
    half = math.sqrt(values[1] / values[0])
    return [values[0] / half, *(value * half for value in values)]


def _cells(region: Region, tracks: Sequence[str], known: dict[str, Look], colours: list[str]) -> go.Heatmap:
    numbers = codes(region, tracks)
    steps = len(colours)
    scale = [[end / steps, colour] for place, colour in enumerate(colours) for end in (place, place + 1)]
    signs = ["", *(sign for track in tracks for sign in (known[track].sign, known[track].sign))]
    texts = [
        [
            signs[number] if row % _SIGN_EVERY == column % _SIGN_EVERY == _SIGN_EVERY // 2 else ""
            for column, number in enumerate(line)
        ]
        for row, line in enumerate(numbers)
    ]
    names = ["none pays"]
    for track in tracks:
        shown = html.escape(track, quote=False)
        names += [shown, f"{shown}; others are within the margin"]
    return go.Heatmap(
        x=_edges(region.volumes),
        y=_edges(region.hits),
        z=numbers,
        zmin=-0.5,
        zmax=steps - 0.5,
        colorscale=scale,
        showscale=False,
        text=texts,
        texttemplate="%{text}",
        textfont={"color": INK, "size": 11},
        customdata=[[names[number] for number in line] for line in numbers],
        hovertemplate="%{x:.3s} decisions a year, %{y:.3g} a hit<br>%{customdata}<extra></extra>",
        meta={"names": names, "signs": signs, "every": _SIGN_EVERY},
    )


def _entry(name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        mode="markers",
        name=html.escape(name, quote=False),
        x=[None],
        y=[None],
        marker={"symbol": "square", "size": 12, "color": colour, "line": {"color": INK, "width": 0.6}},
    )


def counted(region: Region, tracks: Sequence[str]) -> str:
    """Return which share of the map each track leads on, for readers who do not see it."""
    cells = [best for row in region.best for best in row]
    shares = [(cells.count(track) / len(cells), track or "none pays") for track in [*tracks, ""]]
    told = [f"{name} on {formats.ratio(share, 2)}" for share, name in sorted(shares, reverse=True) if share]
    return ", ".join(told)
