"""What speaks against a forecast, each with a code and a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import optimize, special

from toolkit.analysis.curve_record import Refusal
from toolkit.analysis.fits.ladder import Ladder
from toolkit.analysis.interval import Interval

__all__ = [
    "MIN_FORM_WEIGHT",
    "MIN_RUNGS",
    "MIN_SEEDS",
    "REACH",
    "refuse_ladder",
    "refuse_target",
    "rises",
]

MIN_RUNGS = 8
MIN_SEEDS = 3
MIN_DECADES = 1.5
MIN_FORM_WEIGHT = 0.7
REACH = 10.0
"""Beyond this multiple of the largest cost no forecast is shown."""
RISE_LEVEL = 0.05
"""Chance that a ladder which never rises is said to, over all its rungs."""


def refuse_ladder(data: Ladder) -> Iterator[Refusal]:
    """Yield what is missing of a ladder, whatever is fitted to it."""
    different = len(np.unique(data.log_x))
    if different < MIN_RUNGS:
        told = f"{different} rungs of different cost" if different < data.n else f"{data.n} rungs"
        yield Refusal("few_rungs", f"{told} were measured; a forecast needs at least {MIN_RUNGS}")
    fewest = int(data.n_seeds.min())
    if fewest < MIN_SEEDS:
        run = "1 seed was run" if fewest == 1 else f"{fewest} seeds were run"
        short = int((data.n_seeds < MIN_SEEDS).sum())
        where = "" if short == data.n else f" at {short} of {data.n} rungs"
        yield Refusal("few_seeds", f"{run}{where}; a forecast needs at least {MIN_SEEDS}")
    if data.decades < MIN_DECADES - 1e-6:
        yield Refusal(
            "short_span",
            f"the costs span {math.floor(100 * data.decades) / 100:.2f} powers of ten; a forecast needs at "
            f"least {MIN_DECADES}",
        )
    if rises(data):
        yield Refusal("not_monotone", "the error rises with cost somewhere by more than its seeds explain")


def rises(data: Ladder) -> bool:
    """Tell whether some rung is further off the nearest curve that never rises than its seeds explain.

    Two standard errors would be passed by some rung of every third flat ladder of ten, so the bound is that
    of the largest of all rungs.
    """
    degrees = float((data.n_seeds - 1).sum())
    if degrees == 0:
        return False
    falling = optimize.isotonic_regression(data.y, weights=data.weights, increasing=False).x
    one_sided = (1 - RISE_LEVEL) ** (1 / data.n)
    bound = float(special.stdtrit(degrees, one_sided))
    return bool((np.abs(data.y - falling) > bound * data.standard_errors).any())


def refuse_target(error: float, floor_low: float, reach: Interval) -> Refusal | None:
    """Return why a target is not to be promised, None where it may be.

    Parameters
    ----------
    error : float
        The target.
    floor_low : float
        Lower end of the floor's interval.
    reach : Interval
        The multiple of the largest cost that reaches it.
    """
    # Without a floor above it, a target is only too far for a number.
    if math.isinf(reach.low) and error <= floor_low:
        return Refusal(
            "unreachable",
            f"an error of {error:.4g} is unreachable with this recipe: it lies under the floor, which is at "
            f"least {floor_low:.4g}",
        )
    if math.isinf(reach.high):
        return Refusal(
            "not_shown_reachable",
            f"an error of {error:.4g} is not shown to be reachable: the floor may lie above it, or the error "
            "may not fall",
        )
    if reach.estimate > REACH:
        return Refusal(
            "beyond_reach",
            f"an error of {error:.4g} takes {reach.estimate:.3g} times the largest cost measured; nothing is "
            f"forecast beyond {REACH:.0f} times",
        )
    return None
