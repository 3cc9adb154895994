"""A ladder as curves see it: log costs, log mean errors of the rungs, and how far each may be off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from toolkit.analysis.stacks import Floats

__all__ = ["Ladder", "prepare"]

ROUNDING = 1e-12
"""Log errors that differ by no more are one error."""


@dataclass(frozen=True)
class Ladder:
    """Rungs in rising order of cost.

    Seeds of a rung share its test set and its tuning, so they are no independent points: a rung counts once,
    with the mean of its log errors, and with a weight from a smooth function of the seeds' variances and the
    number of its seeds.

    Parameters
    ----------
    log_x : ndarray of shape (n_rungs,)
        Log of cost over the largest cost; 0 at the last.
    y : ndarray of shape (n_rungs,)
        Mean log error over seeds.
    weights : ndarray of shape (n_rungs,)
        Of mean 1.
    standard_errors : ndarray of shape (n_rungs,)
        Of `y`, from the seeds alone; NaN where no rung has two.
    n_seeds : ndarray of shape (n_rungs,)
        How many seeds each rung has.
    """

    log_x: Floats
    y: Floats
    weights: Floats
    standard_errors: Floats
    n_seeds: Floats

    @property
    def n(self) -> int:
        """Number of rungs."""
        return len(self.y)

    @property
    def decades(self) -> float:
        """Powers of ten that the costs span."""
        return -float(self.log_x[0]) / math.log(10)

    @property
    def is_constant(self) -> bool:
        """Whether all rungs have one error."""
        return bool(np.ptp(self.y) <= ROUNDING)

    def cheapest(self, n_rungs: int) -> Ladder:
        """Return the ladder of the `n_rungs` cheapest rungs."""
        weights = self.weights[:n_rungs]
        return Ladder(
            self.log_x[:n_rungs] - self.log_x[n_rungs - 1],
            self.y[:n_rungs],
            weights / weights.mean(),
            self.standard_errors[:n_rungs],
            self.n_seeds[:n_rungs],
        )


def prepare(cost: Floats, error: Floats) -> Ladder:
    """Put rungs into rising order of cost, cost (n_rungs,) and error (n_rungs, n_seeds), NaN for no seed."""
    order = np.argsort(cost, kind="stable")
    cost, log_error = cost[order], np.log(error[order])
    log_x = np.log(cost) - math.log(cost[-1])
    n_seeds = np.isfinite(log_error).sum(axis=1).astype(np.float64)
    y = np.nansum(log_error, axis=1) / n_seeds
    degrees = n_seeds - 1
    variances = np.nansum((log_error - y[:, None]) ** 2, axis=1) / np.maximum(degrees, 1)
    smooth = _variance_function(log_x, variances, degrees)
    weights = n_seeds / smooth
    is_known = bool((degrees > 0).any())
    standard_errors = np.sqrt(smooth / n_seeds) if is_known else np.full(len(cost), np.nan)
    return Ladder(log_x, y, weights / weights.mean(), standard_errors, n_seeds)


def _variance_function(log_x: Floats, variances: Floats, degrees: Floats) -> Floats:
    """Smooth the variances of seeds: log-linear in log cost, its slope shrunk by its own noise."""
    some = (variances > 0) & (degrees > 0)
    if some.sum() < 4:
        pooled = float(variances @ degrees) / float(degrees.sum()) if some.any() else 1.0
        return np.full(len(log_x), max(pooled, 1e-300))
    # The logarithm of a chi-square is biased by a constant and has a known variance.
    half = degrees[some] / 2
    bias, noise = special.digamma(half) - np.log(half), special.polygamma(1, half)
    x, y = log_x[some], np.log(variances[some]) - bias
    from_mean = x - x.mean()
    spread = float((from_mean**2).sum())
    if spread == 0:
        return np.full(len(log_x), math.exp(float(y.mean())))
    slope = float((from_mean * y).sum()) / spread
    slope *= slope**2 / (slope**2 + float((from_mean**2 * noise).sum()) / spread**2)
    return np.asarray(np.exp(y.mean() + slope * (log_x - x.mean())))
