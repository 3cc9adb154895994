"""Plain regression of log error on log cost: the classic method, without a floor.

It stands beside the fit that has one. On a curve with a floor its exponent is too small, and its interval is
narrow: it tells how well the line is placed, not whether the curve is a line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.analysis.interval import Interval

__all__ = ["LogLog", "fit_loglog"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LogLog:
    """A least-squares line through log error over log cost, all points alike.

    Parameters
    ----------
    slope, intercept : float
        Of natural logarithms; `intercept` at the mean log cost.
    center : float
        Mean log cost.
    spread : float
        Sum of squared distances of log costs from their mean.
    variance : float
        Of the residuals, n - 2 degrees of freedom.
    r_squared : float
    n : int
    level : float
        Confidence level of all intervals.
    """

    slope: float
    intercept: float
    center: float
    spread: float
    variance: float
    r_squared: float
    n: int
    level: float

    @property
    def exponent(self) -> Interval:
        """The power by which the error falls: minus the slope."""
        half = self._quantile * math.sqrt(self.variance / self.spread)
        return Interval(-self.slope, -self.slope - half, -self.slope + half)

    @property
    def power(self) -> Interval:
        """The power of k by which cost rises when the error falls to 1/k; infinite for a flat line."""
        return self._of_exponent(lambda exponent: 1 / exponent)

    @property
    def k_half(self) -> Interval:
        """The multiple of the cost that halves the error; infinite for a flat line."""
        return self._of_exponent(lambda exponent: _exp(math.log(2) / exponent))

    def predict(self, cost: float, *, new_point: bool = False) -> Interval:
        """Return the error of the line at `cost`; with `new_point` the interval is for one more point."""
        distance = math.log(cost) - self.center
        middle = self.intercept + self.slope * distance
        variance = self.variance * (1 / self.n + distance**2 / self.spread + new_point)
        half = self._quantile * math.sqrt(variance)
        return Interval(*(math.exp(min(one, 700.0)) for one in (middle, middle - half, middle + half)))

    def cost_to(self, error: float) -> Interval:
        """Return the cost at which the line reaches `error`.

        The interval is Fieller's: all costs whose predicted mean may be `error`. Its upper end is infinite
        when the slope may be zero.
        """
        drop = math.log(error) - self.intercept
        estimate = _exp(self.center + drop / self.slope) if self.slope < 0 else math.inf
        # (drop - slope d)^2 <= t^2 s^2 (1/n + d^2 / spread), a quadratic in the distance d from the center.
        scale = self._quantile**2 * self.variance
        square = self.slope**2 - scale / self.spread
        linear = -2 * drop * self.slope
        constant = drop**2 - scale / self.n
        under_root = linear**2 - 4 * square * constant
        if square > 0 and self.slope < 0:
            root = math.sqrt(max(under_root, 0.0))
            low, high = ((-linear + sign * root) / (2 * square) for sign in (-1, 1))
            # Where the points lie on the line, rounding takes the ends past the estimate.
            ends = _exp(self.center + low), _exp(self.center + high)
            return Interval(estimate, min(estimate, ends[0]), max(estimate, ends[1]))
        if under_root <= 0 or constant <= 0 or drop > 0:
            return Interval(estimate, 0.0, math.inf)
        # The slope may be zero: what remains are two rays, and the one of higher costs is asked for.
        root = math.sqrt(under_root)
        low = max((-linear - root) / (2 * square), (-linear + root) / (2 * square))
        return Interval(estimate, _exp(self.center + low), math.inf)

    @property
    def _quantile(self) -> float:
        from scipy.special import stdtrit  # slow to load, and not needed where curves are known

        return float(stdtrit(self.n - 2, (1 + self.level) / 2))

    def _of_exponent(self, figure: Callable[[float], float]) -> Interval:
        """Return a falling figure of the exponent, infinite where that is not positive."""
        one = self.exponent
        ends = (one.estimate, one.high, one.low)
        return Interval(*(figure(end) if end > 0 else math.inf for end in ends))


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf


def fit_loglog(cost: Floats, error: Floats, *, level: float = 0.95) -> LogLog:
    """Fit the line.

    Parameters
    ----------
    cost, error : ndarray of shape (n,)
        Positive; at least three points of at least two costs.
    level : float

    Raises
    ------
    ValueError
        Fewer than three points, or all of one cost.
    """
    x, y = np.log(cost), np.log(error)
    if len(x) < 3 or np.ptp(x) == 0:
        raise ValueError(f"a line needs three points of different cost, got {len(x)}")
    center, spread = float(x.mean()), float(((x - x.mean()) ** 2).sum())
    slope = float(((x - center) * y).sum()) / spread
    squares = float(((y - y.mean() - slope * (x - center)) ** 2).sum())
    total = float(((y - y.mean()) ** 2).sum())
    return LogLog(
        slope=slope,
        intercept=float(y.mean()),
        center=center,
        spread=spread,
        variance=squares / (len(x) - 2),
        r_squared=1 - squares / total if total > 0 else 0.0,
        n=len(x),
        level=level,
    )
