"""Scales of an error: a share of 1, per cent, or a loss; and what an error on one of them may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

__all__ = ["Scale", "doubt_scale", "from_scale", "wrong_target"]

Scale = Literal["share", "percent", "loss"]
"""A share of 1, a share of 100, or a loss that may be above 1."""

_MOST = {"share": 1.0, "percent": 100.0}


def from_scale(value: float, scale: Scale) -> float:
    """Return an error as the analysis has it: a share of 1, or a loss."""
    return value / 100 if scale == "percent" else value


def wrong_target(target: float, scale: Scale) -> str:
    """Return why a target is no error on the table's scale; empty where it may be one.

    Parameters
    ----------
    target : float
    scale : {"share", "percent", "loss"}
    """
    if not (math.isfinite(target) and target > 0):
        return f"an error is a number above 0, got {target:g}"
    most = _MOST.get(scale, math.inf)
    if target < most:
        return ""
    advice = "a loss has the scale 'loss'"
    if scale == "share" and target < _MOST["percent"]:
        advice = f"{target:g} % is {target / 100:g}, and {advice}"
    return f"an error is under {most:g} on the scale '{scale}', got {target:g}; {advice}"


def doubt_scale(shares: Sequence[float], scale: Scale) -> str:
    """Return a doubt whether a column is in per cent: shares of 1 were read as a hundredth of what they are.

    Parameters
    ----------
    shares : sequence of float
        Every error of the table, as `from_scale` gives them.
    scale : {"share", "percent", "loss"}

    Returns
    -------
    str
        Empty where there is no doubt. Errors may truly lie under 1 %, so nothing is refused.
    """
    if scale != "percent" or not shares or max(shares) > 0.01:
        return ""
    least, most = 100 * min(shares), 100 * max(shares)
    return (
        f"on the scale 'percent' every error is at most 1 % ({least:.4g} % to {most:.4g} %); if the column "
        "holds shares, as 0.25 for 25 %, name the scale 'share' (--scale share; error_scale in a file)"
    )
