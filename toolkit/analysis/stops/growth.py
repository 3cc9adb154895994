"""How costs grow with labelled rows, from the rungs that were run.

Two laws bracket what work really takes: a fixed part and a part a row (too much where training stops the
earlier the more rows there are), and a power of the rows (too little where the small rungs are mostly a fixed
part). Of 21 ladders of seven tasks, whose three largest rungs were foretold from the other seven, the first
was off by +30 % in the mean and the second by -20 %; the interval from the one to the other held 20.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.analysis.interval import Interval

__all__ = ["Growth", "fit_growth"]


@dataclass(frozen=True)
class Growth:
    """``cost = fixed + per_row * rows``, neither negative; beside it ``cost = scale * rows ** power``.

    Parameters
    ----------
    fixed, per_row : float
    log_spread : float
        Of measured costs about the line, standard deviation on the log scale.
    scale, power : float or None
        None where some costs are of no rows.
    """

    fixed: float
    per_row: float
    log_spread: float
    scale: float | None = None
    power: float | None = None

    def at(self, rows: float) -> float:
        """Return the expected cost at so many rows, by the line."""
        return self.fixed + self.per_row * rows

    def total(self, rows: Sequence[float]) -> Interval:
        """Return the sum of several pieces of work: midway between both laws, from the lower to the higher.

        Parameters
        ----------
        rows : sequence of float
            Of each, at least one.
        """
        line = sum(map(self.at, rows))
        curved = line
        if self.scale is not None and self.power is not None:
            curved = sum(self.scale * n**self.power for n in rows)
        factor = math.exp(1.96 * self.log_spread / math.sqrt(len(rows)))
        return Interval(math.sqrt(line * curved), min(line, curved) / factor, max(line, curved) * factor)


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
    spread = math.sqrt(float((logs**2).sum()) / max(len(known) - 2, 1))
    if (x <= 0).any() or np.ptp(x) == 0:
        return Growth(fixed, per_row, spread)
    power = max(float(np.polyfit(np.log(x), np.log(y), 1)[0]), 0.0)
    log_scale = float((np.log(y) - power * np.log(x)).mean())
    return Growth(fixed, per_row, spread, math.exp(log_scale), power)


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
