"""What would change a verdict, in a sentence."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from toolkit.amounts import MINUS
from toolkit.analysis.whatif.record import Assumption, Flip, Sensitivity

__all__ = ["amount", "beyond", "change_lines", "change_sentence", "declared", "side", "then"]


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
    exact = Decimal(repr(float(value)))
    last = Decimal(1).scaleb(exact.adjusted() - 2)
    rounded = float(
        exact.quantize(last, ROUND_HALF_EVEN if up is None else ROUND_CEILING if up else ROUND_FLOOR)
    )
    return f"{MINUS if rounded < 0 else ''}{_of_size(abs(rounded))}"


def _of_size(size: float) -> str:
    for scale, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if size >= scale:
            return f"{size / scale:,.12g}{word}"
    if size >= 100:
        return f"{size:,.0f}"
    if size >= 1e-9:
        return f"{size:.{2 - math.floor(math.log10(size))}f}".rstrip("0").rstrip(".")
    return f"{size:.3g}"


def beyond(one: Assumption) -> str:
    """Return its nearest change, e.g. ``decisions under 17.4 million a year``; empty where there is none."""
    flip = one.nearest
    return "" if flip is None else f"{one.title} {side(one, flip)} {one.unit}"


def side(one: Assumption, flip: Flip) -> str:
    """Return where a change of an assumption is, e.g. ``under 17.4 million``: what is named is beyond it."""
    if flip.at in (one.lowest, one.highest):  # as far as was looked: nothing is beyond it
        return f"at {amount(flip.at)}"
    up = flip.at > one.likely
    return f"{'over' if up else 'under'} {amount(flip.at, up=up)}"


def declared(one: Assumption) -> str:
    """Return what was declared, with its range where there is one."""
    likely = amount(one.likely)
    return likely if one.low == one.high else f"{likely} [{amount(one.low)}, {amount(one.high)}]"


def change_lines(found: Sensitivity) -> list[str]:
    """Return the most fragile assumptions, a line each."""
    return [
        f"{beyond(one)} (declared {declared(one)}) → {then(one.nearest.best)}"
        for one in found.fragile
        if one.nearest is not None
    ]


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
