"""How far rungs are off their curve beyond what their seeds tell, and the weights that follow.

All seeds of a rung share its tuning, its place in the nested subsets and its test rows, so their mean may be
off by more than their spread says. Where seeds agree to the fourth digit at the large rungs, weights from
seeds alone would draw the curve through those, and call everything else noise.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from toolkit.analysis.fits.ladder import Ladder
from toolkit.analysis.fits.profile import best_fit
from toolkit.analysis.fits.shapes import POWER
from toolkit.analysis.stacks import Floats

__all__ = ["with_rung_noise"]

MOST_WEIGHT = 10.0
"""The most that one rung counts in terms of another. A few seeds that happen to agree prove no more, and real
ladders bend: what the large rungs say is not ten times as true of the curve."""

_N_ROUNDS = 3
_N_PARAMETERS = 3


def with_rung_noise(data: Ladder) -> Ladder:
    """Return the ladder with weights that count a rung effect beside the variance of the seeds.

    The variance t of the rung effect is the one at which the weighted squares of the residuals about a power
    law with a floor come to their degrees of freedom: ``sum r^2 / (t + v) = R - 3``, v the squared standard
    error from the seeds (Paule and Mandel, 1982, J. Res. NBS 87(5)); none where they are below without.

    Parameters
    ----------
    data : Ladder
        From `prepare`. With one seed, or fewer than five rungs, it stays as it is.
    """
    own = data.standard_errors**2
    if data.n < _N_PARAMETERS + 2 or not np.isfinite(own).all() or np.ptp(own) == 0:
        return data
    found = replace(data, weights=np.ones(data.n))
    for _ in range(_N_ROUNDS):
        b, h, a = best_fit(found, coarse=True).best
        squares = (data.y - a - np.log1p(h * POWER.z(np.array(b), data.log_x))) ** 2
        variances = own + _rung_variance(squares, own)
        weights = 1 / np.maximum(variances, variances.max() / MOST_WEIGHT)
        found = replace(data, weights=weights / weights.mean())
    return found


def _rung_variance(squares: Floats, own: Floats) -> float:
    """Return t with ``sum squares / (t + own) = R - 3``, by bisection on the log scale; 0 where none is."""
    wanted = len(squares) - _N_PARAMETERS
    if (squares / own).sum() <= wanted:
        return 0.0
    low, high = 1e-3 * float(own.min()), float(squares.sum()) / wanted
    for _ in range(20):
        middle = math.sqrt(low * high)
        if (squares / (middle + own)).sum() > wanted:
            low = middle
        else:
            high = middle
    return float(high)
