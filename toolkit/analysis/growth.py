"""How costs grow with labelled rows: a fixed part and a part a row, from the rungs that were run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.analysis.interval import Interval

__all__ = ["Growth", "fit_growth"]


@dataclass(frozen=True)
class Growth:
    """``cost = fixed + per_row * rows``, neither negative.

    Parameters
    ----------
    fixed, per_row : float
    log_spread : float
        Of measured costs about the line, standard deviation on the log scale.
    """

    fixed: float
    per_row: float
    log_spread: float

    def at(self, rows: float) -> float:
        """Return the expected cost at so many rows."""
        return self.fixed + self.per_row * rows

    def total(self, rows: Sequence[float]) -> Interval:
        """Return the sum over several rungs; they may all be off the line to the same side."""
        estimate = sum(map(self.at, rows))
        factor = math.exp(1.96 * self.log_spread)
        return Interval(estimate, estimate / factor, estimate * factor)


def fit_growth(rows: Sequence[float], costs: Sequence[float | None]) -> Growth | None:
    """Fit the line to relative errors; None without two measured costs.

    Parameters
    ----------
    rows : sequence of float
    costs : sequence of float or None
        Not negative; None and 0 are left out.
    """
    known = [(n, cost) for n, cost in zip(rows, costs, strict=True) if cost is not None and cost > 0]
    if len(known) < 2:
        return None
    x, y = (np.array(one) for one in zip(*known, strict=True))
    best = min(_candidates(x, y), key=lambda one: float((((one[0] + one[1] * x) / y - 1) ** 2).sum()))
    fixed, per_row = best
    logs = np.log(y / (fixed + per_row * x))
    return Growth(fixed, per_row, math.sqrt(float((logs**2).sum()) / max(len(known) - 2, 1)))


def _candidates(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """Return the constant, the line through nothing, and the free line where neither part is negative."""
    weights = 1 / y**2
    constant = float((weights * y).sum() / weights.sum())
    found = [(constant, 0.0)]
    if (x > 0).any():
        found.append((0.0, float((weights * x * y).sum() / (weights * x**2).sum())))
    if np.ptp(x) > 0:
        per_row, fixed = np.polyfit(x, y, 1, w=1 / y)
        if fixed >= 0 and per_row >= 0:
            found.append((float(fixed), float(per_row)))
    return found
