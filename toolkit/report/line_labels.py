"""Names at the ends of lines, moved apart where lines end close together."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.report.looks import GRID, INK, Look

__all__ = ["END", "LineEnd", "apart", "label"]

END = "end"
"""Name of everything that stands right of the picture; a narrow page has a legend instead."""

_GAP_PIXELS = 17.0
_ABOVE_AND_BELOW = 96.0
"""Pixels of a figure's height that are not the picture: legend, ticks and title of the axis."""


@dataclass(frozen=True)
class LineEnd:
    """Where a line ends, as shares of the picture from left and bottom, and whose it is."""

    name: str
    right: float
    height: float
    look: Look


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Return places at least `gap` apart, in the order given, that are as near to `heights` as can be.

    Parameters
    ----------
    heights : sequence of float
        Rising.
    gap : float
    """
    # Without the gaps the places need only rise: pool neighbours that do not, each at the mean of its pool.
    pools: list[tuple[float, int]] = []
    for rank, height in enumerate(heights):
        pools.append((height - rank * gap, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, some), (high, more) = pools[-2:]
            pools[-2:] = [((low * some + high * more) / (some + more), some + more)]
    bare = [height for height, times in pools for _ in range(times)]
    return [height + rank * gap for rank, height in enumerate(bare)]


def label(ends: Sequence[LineEnd], height: float) -> dict[str, Any]:
    """Return the layout that writes each name beside the end of its line, right of the picture.

    Parameters
    ----------
    ends : sequence of LineEnd
    height : float
        Of the whole figure, in pixels.

    Returns
    -------
    dict
        ``annotations``, ``shapes`` and ``margin_right`` in pixels.
    """
    if not ends:
        return {"annotations": [], "shapes": [], "margin_right": 16}
    gap = _GAP_PIXELS / (height - _ABOVE_AND_BELOW)
    ordered = sorted(ends, key=lambda end: end.height)
    places = apart([min(max(end.height, 0.0), 1.0) for end in ordered], gap)
    down = max(places[-1] - 1.0, 0.0)
    annotations, shapes = [], []
    for end, place in zip(ordered, places, strict=True):
        beside = {
            "name": END,
            "xref": "paper",
            "yref": "paper",
            "x": 1.0,
            "y": place - down,
            "xanchor": "left",
            "yanchor": "middle",
            "showarrow": False,
        }
        sign = {"text": end.look.sign, "font": {"color": end.look.colour, "size": 13}, "xshift": 12}
        name = html.escape(end.name, quote=False)
        annotations += [{**beside, **sign}, {**beside, "text": name, "font": {"color": INK}, "xshift": 27}]
        shapes.append(
            {
                "name": END,
                "type": "line",
                "xref": "paper",
                "yref": "paper",
                "x0": end.right,
                "y0": min(max(end.height, 0.0), 1.0),
                "x1": 1.012,
                "y1": place - down,
                "line": {"color": GRID, "width": 1.2},
            }
        )
    widest = max(len(end.name) for end in ends)
    return {"annotations": annotations, "shapes": shapes, "margin_right": 36 + 8 * widest}
