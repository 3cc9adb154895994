"""Colours, lines and markers of our figures in matplotlib's words."""

from __future__ import annotations

import html
import re
from typing import Any

from toolkit.report.looks import GRID, INK, PAPER

__all__ = ["HATCHES", "POINTS_A_PIXEL", "colour", "dashes", "marker", "plain", "points"]

POINTS_A_PIXEL = 0.72

_ON_PAPER = {INK: "#1b2127", PAPER: "#ffffff", GRID: "#dfe1e0", "ink": "#1b2127"}
"""What stand-ins are on white paper, as in the page's light theme."""

_RGBA = re.compile(r"rgba\((\d+),\s*(\d+),\s*(\d+),\s*([\d.]+)\)")

HATCHES = {"": "", "/": "//", "\\": "\\\\", "x": "xx", "-": "--", "|": "||", "+": "++", ".": ".."}
"""Pattern of a surface -> matplotlib's."""

# In multiples of 3 pixels, as Plotly draws them.
_DASHES = {
    "solid": (),
    "dot": (1, 1),
    "dash": (3, 3),
    "longdash": (5, 5),
    "dashdot": (3, 1, 1, 1),
    "longdashdot": (5, 2, 1, 2),
}

_HOURGLASS = [(-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0)]
_MARKERS: dict[str, Any] = {
    "circle": "o",
    "square": "s",
    "triangle-up": "^",
    "triangle-down": "v",
    "triangle-left": "<",
    "triangle-right": ">",
    "diamond": "D",
    "diamond-tall": "d",
    "x": "X",
    "cross": "P",
    "star": "*",
    "hourglass": _HOURGLASS,
    "line-ns": "|",
}


def points(pixels: float) -> float:
    """Return a length in points."""
    return pixels * POINTS_A_PIXEL


def plain(text: str) -> str:
    """Return a text of a figure without its tags for line breaks and its escapes."""
    return html.unescape(str(text).replace("<br>", "\n"))


def colour(name: str) -> Any:
    """Return a colour for white paper."""
    found = _RGBA.fullmatch(name)
    if found:
        red, green, blue = (int(part) / 255 for part in found.groups()[:3])
        return (red, green, blue, float(found[4]))
    return _ON_PAPER.get(name, name)


def dashes(name: str) -> Any:
    """Return matplotlib's style of a line: a word of Plotly's, or lengths in pixels.

    Raises
    ------
    ValueError
        It is neither.
    """
    if name in _DASHES:
        lengths = [3.0 * length for length in _DASHES[name]]
    elif re.fullmatch(r"\d+px(,\d+px)*", name):
        lengths = [float(part.removesuffix("px")) for part in name.split(",")]
    else:
        raise ValueError(f"a line with the dash '{name}' cannot be drawn")
    return (0, tuple(points(length) for length in lengths)) if lengths else "solid"


def marker(symbol: str) -> tuple[Any, bool]:
    """Return matplotlib's marker, and whether it is an outline only.

    Raises
    ------
    ValueError
        A symbol that our figures do not use.
    """
    bare = symbol.removesuffix("-open")
    if bare not in _MARKERS:
        raise ValueError(f"a marker '{symbol}' cannot be drawn")
    return _MARKERS[bare], bare != symbol
