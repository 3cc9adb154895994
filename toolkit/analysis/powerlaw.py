"""The numerics of a power law with a floor: weights, profile fit, confidence region.

On the log scale the model is ``ln E = a + log1p(h z)`` with h = 1 - f and the shape z = x^-b - 1: a in
closed form, h by a one-dimensional search for every b. Other forms differ only in z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from toolkit.analysis.stacks import Floats

__all__ = ["Best", "Fit", "Ladder", "best_share", "fit_floor", "fit_power", "prepare"]

_N_SHAPES = 120
_N_STEPS = 24
_N_NEWTON = 6
_N_ACROSS = 9


class Best(NamedTuple):
    """The exponent b, the share h = 1 - f that falls, and a, the log error at the largest cost."""

    b: float
    h: float
    a: float


class Fit(NamedTuple):
    """A fit: its best parameters, weighted sum of squares, region (3, n_points) of b, h, a, and ends of b."""

    best: Best
    squares: float
    region: Floats
    ends: tuple[float, float]


@dataclass(frozen=True)
class Ladder:
    """Rungs in rising order of cost: log x, mean log error, weights of mean 1, and seeds."""

    log_x: Floats
    y: Floats
    weights: Floats
    standard_errors: Floats
    n_seeds: int

    @property
    def n(self) -> int:
        """Number of rungs."""
        return len(self.y)

    def without_largest(self) -> Ladder:
        """Return the ladder less its largest rung."""
        kept = self.weights[:-1]
        return Ladder(
            self.log_x[:-1] - self.log_x[-2],
            self.y[:-1],
            kept / kept.mean(),
            self.standard_errors[:-1],
            self.n_seeds,
        )


def prepare(cost: Floats, error: Floats) -> Ladder:
    """Put rungs into rising order of cost, cost (n_rungs,) and error (n_rungs, n_seeds)."""
    order = np.argsort(cost, kind="stable")
    cost, error = cost[order], error[order]
    log_error = np.log(error)
    n_seeds = error.shape[1]
    log_x = np.log(cost / cost[-1])
    variances = log_error.var(axis=1, ddof=1) if n_seeds > 1 else np.zeros(len(cost))
    smooth = _variance_function(log_x, variances, n_seeds)
    weights = 1 / smooth
    standard_errors = np.sqrt(smooth / n_seeds) if n_seeds > 1 else np.full(len(cost), np.nan)
    return Ladder(log_x, log_error.mean(axis=1), weights / weights.mean(), standard_errors, n_seeds)


def _variance_function(log_x: Floats, variances: Floats, n_seeds: int) -> Floats:
    """Smooth the variances of seeds: log-linear in log cost, its slope shrunk by its own noise."""
    some = variances > 0
    if some.sum() < 4:
        return np.full(len(log_x), max(float(variances.mean()), 1e-300) if some.any() else 1.0)
    degrees = n_seeds - 1
    # The logarithm of a chi-square is biased by a constant and has a known variance.
    bias = float(special.digamma(degrees / 2)) - math.log(degrees / 2)
    noise = float(special.polygamma(1, degrees / 2))
    x, y = log_x[some], np.log(variances[some]) - bias
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * y).sum()) / spread
    slope *= slope**2 / (slope**2 + noise / spread)
    return np.asarray(np.exp(y.mean() + slope * (log_x - x.mean())))


def _residuals(data: Ladder, z: Floats, u: Floats) -> tuple[Floats, Floats]:
    """Return weighted sums of squares and a, for shapes z (..., R) and log h u (...)."""
    left = data.y - np.log1p(np.exp(u)[..., None] * z)
    a = left @ data.weights / data.n
    left -= a[..., None]
    return np.asarray(left**2 @ data.weights), np.asarray(a)


def best_share(data: Ladder, z: Floats) -> tuple[Floats, Floats]:
    """Return for every shape the log h <= 0 that fits best, and its sum of squares."""
    lowest = np.log(1e-4 / np.maximum(z.max(axis=-1), 1e-4))
    steps = lowest[:, None] * np.linspace(1, 0, _N_STEPS)
    squares, _ = _residuals(data, z[:, None, :], steps)
    pick = squares.argmin(axis=1)
    u = steps[np.arange(len(z)), pick]
    width = -lowest / (_N_STEPS - 1)
    best = squares[np.arange(len(z)), pick]
    for _ in range(_N_NEWTON):
        slope = np.exp(u)[:, None] * z
        left = data.y - np.log1p(slope)
        slope /= 1 + slope
        slope -= (slope @ data.weights / data.n)[:, None]
        move = (left * slope) @ data.weights / np.maximum(slope**2 @ data.weights, 1e-300)
        trial = np.minimum(u + np.clip(move, -width, width), 0.0)
        value, _ = _residuals(data, z, trial)
        better = value < best
        u, best = np.where(better, trial, u), np.where(better, value, best)
        width = np.where(better, width, width / 3)
    return u, best


def _power(data: Ladder, b: Floats) -> Floats:
    return np.asarray(np.expm1(-np.atleast_1d(b)[:, None] * data.log_x))


def _exponents(data: Ladder) -> Floats:
    """Return the exponents to try: up to one that reaches its floor within one rung."""
    step = max(float(np.median(np.diff(data.log_x))), 1e-6)
    return np.geomspace(0.01, max(3.0, min(5.0 / step, 60.0)), _N_SHAPES)


def fit_floor(data: Ladder, level: float) -> Fit:
    """Fit power + floor; the region is the profile-F one with R - 3 degrees of freedom.

    Parameters
    ----------
    data : Ladder
        At least four rungs.
    level : float
        Confidence level for one quantity at a time.
    """
    tried = _exponents(data)
    grid = tried
    for _ in range(3):
        u, squares = best_share(data, _power(data, grid))
        pick = int(squares.argmin())
        b, log_h = float(grid[pick]), float(u[pick])
        around = (float(grid[max(pick - 1, 0)]), float(grid[min(pick + 1, len(grid) - 1)]))
        grid = np.geomspace(*around, 40)
    least, a = _residuals(data, _power(data, np.array([b])), np.array([log_h]))
    smallest = max(float(least[0]), 1e-24)
    region, ends = _region(data, smallest, tried, b, level)
    return Fit(Best(b, math.exp(log_h), float(a[0])), smallest, region, ends)


def _region(
    data: Ladder, least: float, tried: Floats, best: float, level: float
) -> tuple[Floats, tuple[float, float]]:
    """Return points (b, h, a) that cover all parameters within the bound on the sum of squares."""
    degrees = data.n - 3
    bound = least * (1 + float(stats.f.ppf(level, 1, degrees)) / degrees)
    low, high = (_end(data, best, tried, bound, upwards=upwards) for upwards in (False, True))
    b = np.geomspace(low, high, _N_SHAPES) if low < high else np.array([best])
    z = _power(data, b)
    u, _ = best_share(data, z)
    lower = _crossing(data, z, u, np.log(1e-7 / np.maximum(z.max(axis=-1), 1e-7)), bound)
    upper = _crossing(data, z, u, np.zeros(len(b)), bound)
    across = lower + (upper - lower) * np.linspace(0, 1, _N_ACROSS)[:, None]
    _, a = _residuals(data, np.broadcast_to(z, (_N_ACROSS, *z.shape)), across)
    points = np.stack([np.broadcast_to(b, across.shape), np.exp(across), a]).reshape(3, -1)
    return points, (0.0 if low <= tried[0] else low, math.inf if high >= tried[-1] else high)


def _end(data: Ladder, best: float, tried: Floats, bound: float, *, upwards: bool) -> float:
    """Return where the profile of b leaves the bound on one side, or the last exponent tried."""
    side = tried[tried > best] if upwards else tried[tried < best][::-1]
    grid = np.concatenate([[best], side])
    for _ in range(3):
        _, squares = best_share(data, _power(data, grid))
        outside = np.flatnonzero(squares[1:] > bound)
        if not len(outside):
            return float(grid[-1])
        cut = int(outside[0])
        grid = np.linspace(grid[cut], grid[cut + 1], 16)
    return float(grid[0] + grid[-1]) / 2


def _crossing(data: Ladder, z: Floats, inner: Floats, outer: Floats, bound: float) -> Floats:
    """Return where the sum of squares crosses the bound between `inner` and `outer`, by bisection."""
    open_ended = _residuals(data, z, outer)[0] <= bound
    low, high = inner.copy(), outer.copy()
    for _ in range(24):
        middle = (low + high) / 2
        within = _residuals(data, z, middle)[0] <= bound
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.where(open_ended, outer, low)


def fit_power(data: Ladder, level: float) -> Fit:
    """Fit the plain power law, R - 2 degrees of freedom."""
    center = float((data.log_x * data.weights).mean())
    x = data.log_x - center
    spread = float((data.weights * x**2).sum())
    b = -float((data.weights * x * data.y).sum()) / spread
    mean = float((data.y * data.weights).mean())
    squares = float((data.weights * (data.y - mean + b * x) ** 2).sum())
    scale = squares / (data.n - 2)
    # A quantity depends on b and on the mean level, which are uncorrelated: walk round their ellipse.
    reach = math.sqrt(float(stats.f.ppf(level, 1, data.n - 2)))
    angle = np.linspace(0, 2 * math.pi, 181)
    bs = b + reach * math.sqrt(scale / spread) * np.cos(angle)
    levels = mean + reach * math.sqrt(scale / data.n) * np.sin(angle)
    region = np.stack([bs, np.ones_like(bs), levels + bs * center])
    half = reach * math.sqrt(scale / spread)
    return Fit(Best(b, 1.0, mean + b * center), squares, region, (b - half, b + half))
