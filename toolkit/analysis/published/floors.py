"""How well curves with a given floor fit: what shows whether the data can tell one floor from another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from toolkit.analysis.published.values import FixedFloor

__all__ = ["fixed_floors", "round_floors"]

Floats = NDArray[np.float64]

N_PARAMETERS = 3
"""Level, exponent and noise. A floor that was given beforehand is not estimated."""


def round_floors(least_error: float, targets: Sequence[float] = ()) -> tuple[float, ...]:
    """Return floors to compare: none, round numbers under the least error, and the targets among them.

    Parameters
    ----------
    least_error : float
        No floor lies above the best result.
    targets : sequence of float
    """
    power = 10.0 ** math.floor(math.log10(least_error))
    step = max(digit * power for digit in (0.1, 0.2, 0.5, 1.0, 2.0) if digit * power <= least_error / 4)
    steps = [step * i for i in range(math.ceil(least_error / step)) if step * i < 0.95 * least_error]
    found = [*steps, *(target for target in targets if 0 < target < 0.95 * least_error)]
    return tuple(sorted({float(f"{floor:.6g}") for floor in found}))


def fixed_floors(compute: Floats, error: Floats, floors: Sequence[float]) -> tuple[FixedFloor, ...]:
    """Fit ``E = floor + A C^-b`` to logarithms of errors, for each of some floors.

    Parameters
    ----------
    compute, error : ndarray of shape (n,)
        Positive; at least five.
    floors : sequence of float
        Each under the least error.

    Returns
    -------
    tuple of FixedFloor
        AICc is infinite with too few points for it.
    """
    x = np.log(compute) - np.log(compute).mean()
    y = np.log(error)
    return tuple(_fit(x, y, floor) for floor in floors)


def _fit(x: Floats, y: Floats, floor: float) -> FixedFloor:
    def residuals(parameters: Floats) -> Floats:
        level, exponent = parameters
        return np.asarray(y - np.log(floor + np.exp(np.clip(level - exponent * x, -700, 700))))

    slope, level = np.polyfit(x, np.log(np.exp(y) - floor), 1)
    found = optimize.least_squares(residuals, (level, -slope), method="lm", xtol=1e-12, ftol=1e-12)
    squares = float(2 * found.cost)
    n, k = len(x), N_PARAMETERS
    penalty = 2 * k + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else math.inf
    return FixedFloor(floor, float(found.x[1]), squares, n * math.log(max(squares, 1e-24) / n) + penalty)
