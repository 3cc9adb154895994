"""One colour a track, the same in the report and on a results board."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KNOWN", "MORE", "colours"]

# Colours of Okabe and Ito, https://jfly.uni-koeln.de/color/ (2008), readable by colour-blind eyes; their
# yellow is too pale for a line. The grey, the violet and the pale green were searched for: far from the rest.
KNOWN = {
    "baseline": "#63686d",
    "rules": "#D55E00",
    "classical": "#0072B2",
    "neural": "#009E73",
    "hybrid": "#CC79A7",
}
MORE = ("#E69F00", "#56B4E9", "#8906E0", "#97C059")


def colours(tracks: Iterable[str]) -> dict[str, str]:
    """Return a colour for each track; the toolkit's own tracks always keep theirs."""
    names = list(dict.fromkeys(tracks))
    others = sorted(name for name in names if name not in KNOWN)
    return {name: KNOWN.get(name) or MORE[others.index(name) % len(MORE)] for name in names}
