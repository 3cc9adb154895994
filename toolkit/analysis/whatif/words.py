"""What would change a verdict, in a sentence."""

from __future__ import annotations

import math

from toolkit.analysis.whatif.record import Assumption, Sensitivity

__all__ = ["amount", "beyond", "change_sentence", "then"]


def amount(value: float, *, up: bool | None = None) -> str:
    """Return a number for people, of three digits, e.g. ``17.4 million``.

    Parameters
    ----------
    value : float
    up : bool, optional
        Round up (True) or down (False), so that what is said stays beyond a change; to the nearest when None.
    """
    if value == 0:
        return "0"
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    # a number that has three digits is itself, whatever dividing it leaves
    steps = round(value / unit, 6)
    rounded = unit * (round(steps) if up is None else math.ceil(steps) if up else math.floor(steps))
    for scale, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if abs(rounded) >= scale:
            return f"{rounded / scale:.3g}{word}"
    if abs(rounded) >= 1000:
        return f"{round(rounded):,}"
    if abs(rounded) >= 1e-4:
        return (
            f"{rounded:.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}".rstrip("0").rstrip(".")
            if (abs(rounded) < 100)
            else f"{rounded:.0f}"
        )
    return f"{rounded:.3g}"


def beyond(one: Assumption) -> str:
    """Return its nearest change, e.g. ``decisions under 17.4 million a year``; empty where there is none."""
    flip = one.nearest
    if flip is None:
        return ""
    up = flip is one.above
    where = "over" if up else "under"
    return f"{one.title} {where} {amount(flip.at, up=up)} {one.unit}"


def then(track: str) -> str:
    """Return what is used beyond a change."""
    return track or "none pays"


def change_sentence(found: Sensitivity) -> str:
    """Return what would change the verdict first."""
    if not found.assumptions:
        return ""
    if not found.fragile:
        return "No assumption changes this by itself, within a thousand times of what was declared."
    first = found.fragile[0]
    flip = first.nearest
    track = "" if flip is None else then(flip.best)
    return f"What would change it first: {beyond(first)} (declared: {amount(first.likely)}), then {track}."
