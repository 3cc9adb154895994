"""How tracks look: colour, marker and dash differ together, so none is needed alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from toolkit.analysis.boards.colours import KNOWN, MORE
from toolkit.analysis.results import Results
from toolkit.report.elements import fragment

__all__ = ["GRID", "INK", "PAPER", "Look", "label", "looks", "track_names"]

INK = "#010101"
"""Stands for the colour of text in a figure; the page puts the theme's own in its place."""

PAPER = "#fefefe"
"""Stands for the colour of the page."""

GRID = "#030303"
"""Stands for the colour of fine lines."""


@dataclass(frozen=True)
class Look:
    """Colour, Plotly marker and dash of one track; the marker as an SVG path within -7 … 7 and as a sign."""

    colour: str
    symbol: str
    dash: str
    shape: str
    pattern: str
    sign: str


_KNOWN = {
    "baseline": Look(
        KNOWN["baseline"], "x", "dash", "M-5-3L-3-5 0-2 3-5 5-3 2 0 5 3 3 5 0 2-3 5-5 3-2 0Z", "", "✖"
    ),
    "rules": Look(KNOWN["rules"], "square", "dot", "M-5-5H5V5H-5Z", "/", "■"),
    "classical": Look(
        KNOWN["classical"], "circle", "solid", "M-5.5 0A5.5 5.5 0 1 0 5.5 0A5.5 5.5 0 1 0-5.5 0Z", ".", "●"
    ),
    "neural": Look(KNOWN["neural"], "triangle-up", "longdash", "M0-6L6 5H-6Z", "\\", "▲"),
    "hybrid": Look(KNOWN["hybrid"], "diamond", "dashdot", "M0-6.5L6.5 0 0 6.5-6.5 0Z", "x", "◆"),
}
_MORE = (
    Look(MORE[0], "triangle-down", "longdashdot", "M0 6L6-5H-6Z", "-", "▼"),
    Look(MORE[1], "cross", "5px,2px", "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z", "|", "✚"),
    Look(MORE[2], "star", "2px,4px", "M0-7L2-2 7-2 3 1 4 6 0 3-4 6-3 1-7-2-2-2Z", "+", "★"),
    Look(MORE[3], "hourglass", "8px,2px,2px,2px", "M-5-6H5L-5 6H5Z", "/", "⋈"),
)


def looks(tracks: Iterable[str]) -> dict[str, Look]:
    """Return a look for each track; the toolkit's own tracks always keep theirs."""
    names = list(dict.fromkeys(tracks))
    others = sorted(name for name in names if name not in _KNOWN)
    return {
        name: _KNOWN[name] if name in _KNOWN else _MORE[others.index(name) % len(_MORE)] for name in names
    }


def track_names(results: Results) -> list[str]:
    """Return every track there is a trace of, in the order of the experiment file."""
    declared = [str(name) for name in results.experiment.get("tracks", {})]
    seen = [summary.track for summary in results.summaries]
    judged = [entry.track for entry in results.verdict.tracks]
    cells = [cell.track for cell in results.cells]
    return list(dict.fromkeys([*declared, *seen, *judged, *cells]))


def label(track: str, known: Iterable[str]) -> Markup:
    """Return the track's name with its marker, as in the figures."""
    look = looks([*known, track])[track]
    return fragment("track", name=track, colour=look.colour, shape=look.shape)
