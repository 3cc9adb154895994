"""Fits of curves by profiling: the best one, and all that are as good as chance allows.

On the log scale every form is ``ln E = a + log1p(h z)``: a in closed form, h by a one-dimensional search for
every rate b, so that a region follows the narrow ridge on which b and h trade against each other. The region
holds what a profile-F test at the level does not reject, one figure at a time.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from toolkit.analysis.fits.ladder import Ladder
from toolkit.analysis.fits.shapes import POWER, Shape
from toolkit.analysis.stacks import Floats

__all__ = ["Best", "Fit", "Region", "best_fit", "best_share", "bound", "fit_power", "power_region", "region"]

_N_RATES = 120
_N_STEPS = 24
_N_NEWTON = 6
_N_ACROSS = 9


class Best(NamedTuple):
    """The rate b, the share h = 1 - f that falls, and a, the log error at the largest cost."""

    b: float
    h: float
    a: float


class Fit(NamedTuple):
    """The best parameters, their weighted sum of squares, and the degrees of freedom that are left."""

    best: Best
    squares: float
    degrees: int


class Region(NamedTuple):
    """Points (3, n_points) of b, h and a that the data do not reject, and the ends of b."""

    points: Floats
    ends: tuple[float, float]


def _residuals(data: Ladder, z: Floats, u: Floats) -> tuple[Floats, Floats]:
    """Return weighted sums of squares and a, for shapes z (R, ...) and log h u (...).

    Rungs come first: there are few, and numpy is quick along a long last axis only.
    """
    left = np.exp(u) * z
    np.log1p(left, out=left)
    left = left.reshape(data.n, -1)
    np.subtract(data.y[:, None], left, out=left)
    a = data.weights @ left / data.n
    left -= a
    left *= left
    return (data.weights @ left).reshape(u.shape), a.reshape(u.shape)


def best_share(data: Ladder, z: Floats, highest: float = 1.0) -> tuple[Floats, Floats]:
    """Return for every shape, z (R, n), the log h <= log `highest` that fits best, and its sum of squares."""
    top = math.log(highest)
    lowest = np.log(1e-4 / np.maximum(z.max(axis=0), 1e-4))
    steps = top + (lowest - top) * np.linspace(1, 0, _N_STEPS)[:, None]
    squares, _ = _residuals(data, z[:, None], steps)
    pick = squares.argmin(axis=0), np.arange(z.shape[1])
    u, best = steps[pick], squares[pick]
    width = (top - lowest) / (_N_STEPS - 1)
    for _ in range(_N_NEWTON):
        slope = np.exp(u) * z
        left = data.y[:, None] - np.log1p(slope)
        slope /= 1 + slope
        slope -= data.weights @ slope / data.n
        left *= slope
        slope *= slope
        move = data.weights @ left / np.maximum(data.weights @ slope, 1e-300)
        trial = np.minimum(u + np.minimum(np.maximum(move, -width), width), top)
        value, _ = _residuals(data, z, trial)
        better = value < best
        u, best = np.where(better, trial, u), np.where(better, value, best)
        width = np.where(better, width, width / 3)
    return u, best


def _z(data: Ladder, shape: Shape, rates: Floats) -> Floats:
    """Return the shapes of rates (n,), shape (R, n)."""
    return shape.z(np.atleast_1d(rates), data.log_x[:, None])


def best_fit(data: Ladder, shape: Shape = POWER, *, coarse: bool = False) -> Fit:
    """Fit one shape by least squares; of the power law, that with a floor.

    Parameters
    ----------
    data : Ladder
        At least four rungs.
    shape : Shape
    coarse : bool
        The rate to some per cent only, in a third of the time.
    """
    grid = shape.rates(data.log_x, _N_RATES // 3 if coarse else _N_RATES)
    for _ in range(3 if shape.has_rate and not coarse else 1):
        u, squares = best_share(data, _z(data, shape, grid), shape.highest_share)
        pick = int(squares.argmin())
        b, log_h = float(grid[pick]), float(u[pick])
        around = (float(grid[max(pick - 1, 0)]), float(grid[min(pick + 1, len(grid) - 1)]))
        grid = np.geomspace(*around, 40)
    least, a = _residuals(data, _z(data, shape, np.array([b])), np.array([log_h]))
    smallest = max(float(least[0]), 1e-24)
    return Fit(Best(b, math.exp(log_h), float(a[0])), smallest, data.n - 2 - shape.has_rate)


def bound(fit: Fit, level: float) -> float:
    """Return the largest sum of squares that is not rejected: F with 1 and the fit's degrees of freedom."""
    quantile = float(special.stdtrit(fit.degrees, (1 + level) / 2)) ** 2
    return fit.squares * (1 + quantile / fit.degrees)


def region(data: Ladder, fit: Fit, level: float, shape: Shape = POWER) -> Region:
    """Return what the data do not reject at `level`, for one figure at a time.

    Parameters
    ----------
    data : Ladder
    fit : Fit
        From `best_fit` with the same shape.
    level : float
    shape : Shape
    """
    limit, best = bound(fit, level), fit.best.b
    tried = shape.rates(data.log_x, _N_RATES)
    if shape.has_rate:
        low, high = _ends(data, shape, best, tried, limit)
        b = np.geomspace(low, high, _N_RATES) if low < high else np.array([best])
    else:
        low = high = best
        b = tried
    z = _z(data, shape, b)
    u, _ = best_share(data, z, shape.highest_share)
    least = np.log(1e-7 / np.maximum(z.max(axis=0), 1e-7))
    most = np.full(len(b), math.log(shape.highest_share))
    lower, upper = _crossing(data, z, u, np.stack([least, most]), limit)
    # Densest at the ends, where figures have their extremes.
    places = (1 - np.cos(np.linspace(0, math.pi, _N_ACROSS if shape.has_rate else 181))) / 2
    across = lower + (upper - lower) * places[:, None]
    squares, a = _residuals(data, z[:, None], across)
    # Whatever b and h leave of the bound is a's: it may be off as far as that.
    slack = np.sqrt(np.maximum(limit - squares, 0.0) / data.n)
    points = np.stack(
        [
            np.broadcast_to(one, (3, *across.shape))
            for one in (b, np.exp(across), a + slack * np.array([-1.0, 0.0, 1.0])[:, None, None])
        ]
    ).reshape(3, -1)
    return Region(points, (0.0 if low <= tried[0] else low, math.inf if high >= tried[-1] else high))


def _ends(data: Ladder, shape: Shape, best: float, tried: Floats, bound: float) -> tuple[float, float]:
    """Return where the profile of b leaves the bound on both sides, or the first and last rate tried."""
    grid = np.concatenate([tried[tried < best], [best], tried[tried > best]])
    outside = best_share(data, _z(data, shape, grid), shape.highest_share)[1] > bound
    at = int(np.searchsorted(grid, best))
    below, above = np.flatnonzero(outside[:at]), np.flatnonzero(outside[at:])
    # Each from a rate within the bound to the next one outside.
    low = grid[[below[-1] + 1, below[-1]]] if len(below) else grid[[0, 0]]
    high = grid[[at + above[0] - 1, at + above[0]]] if len(above) else grid[[-1, -1]]
    for _ in range(2):
        steps = np.linspace(0, 1, 16)[:, None]
        both = np.stack([low, high])
        fine = both[:, 0] + (both[:, 1] - both[:, 0]) * steps
        _, squares = best_share(data, _z(data, shape, fine.T.ravel()), shape.highest_share)
        first = (squares.reshape(2, 16) > bound).argmax(axis=1)
        low, high = (
            fine[[max(cut - 1, 0), cut], side] if cut else both[side] for side, cut in enumerate(first)
        )
    return float(low.mean()), float(high.mean())


def _crossing(data: Ladder, z: Floats, inner: Floats, outer: Floats, bound: float) -> Floats:
    """Return where the sum of squares crosses the bound between `inner` and `outer`, by bisection."""
    open_ended = _residuals(data, z[:, None], outer)[0] <= bound
    low, high = np.broadcast_to(inner, outer.shape), outer
    for _ in range(24):
        middle = (low + high) / 2
        within = _residuals(data, z[:, None], middle)[0] <= bound
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.where(open_ended, outer, low)


def fit_power(data: Ladder) -> Fit:
    """Fit the power law without floor: a weighted line through the logarithms."""
    center, _, b, mean = _line(data)
    squares = float((data.weights * (data.y - mean + b * (data.log_x - center)) ** 2).sum())
    return Fit(Best(b, 1.0, mean + b * center), max(squares, 1e-24), data.n - 2)


def power_region(data: Ladder, fit: Fit, level: float) -> Region:
    """Return what the data do not reject of power laws without floor."""
    center, spread, b, mean = _line(data)
    scale = fit.squares / fit.degrees
    # A figure depends on b and on the mean level, which are uncorrelated: walk round their ellipse.
    reach = float(special.stdtrit(fit.degrees, (1 + level) / 2))
    angle = np.linspace(0, 2 * math.pi, 361)
    half = reach * math.sqrt(scale / spread)
    bs = b + half * np.cos(angle)
    levels = mean + reach * math.sqrt(scale / data.n) * np.sin(angle)
    return Region(np.stack([bs, np.ones_like(bs), levels + bs * center]), (b - half, b + half))


def _line(data: Ladder) -> tuple[float, float, float, float]:
    """Return the weighted mean log cost, the spread about it, minus the slope, and the mean log error."""
    center = float((data.log_x * data.weights).mean())
    x = data.log_x - center
    spread = float((data.weights * x**2).sum())
    b = -float((data.weights * x * data.y).sum()) / spread
    return center, spread, b, float((data.y * data.weights).mean())
