"""Cost-performance curves: a power law with a floor, and what may and may not be said of it.

Model, with x = C / Cmax: ``E(C) = A [(1 - f) x^-b + f]``. A is the error at the largest rung, f the share
of it that no more spending removes with this recipe, c = A f the floor. On the log scale that is
``ln E = a + log1p(h (x^-b - 1))`` with h = 1 - f: for a given shape z = x^-b - 1 only a and h are left, a in
closed form, h by one-dimensional search. All parameters are profiled, so intervals follow the narrow ridge
on which b and f trade against each other (`toolkit.analysis.powerlaw`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from toolkit.analysis.powerlaw import Fit, Ladder, best_share, fit_floor, fit_power, prepare
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats

__all__ = ["FORMS", "CurveFit", "fit_curve"]

FORMS = ("power", "power_floor", "exponential_floor", "log")
MIN_RUNGS = 8
MIN_SEEDS = 3
MIN_DECADES = 1.5
MIN_FORM_WEIGHT = 0.7
REACH = 10.0
"""Beyond this multiple of the largest cost no forecast is shown."""

_Quantity = Callable[[Floats, Floats, Floats], Floats]
"""A figure of (b, h, a)."""


@dataclass(frozen=True)
class CurveFit:
    """A fitted curve; every figure an interval whose ends may be infinite.

    Parameters
    ----------
    form : str
        The form that AICc prefers, one of `FORMS`, or ``none`` when too few rungs could be fitted.
        The figures are those of power + floor (of which power is the case without floor), or of the
        plain power law when that form was asked for.
    exponent, floor, elasticity, k_half : Interval or None
        b; c = A f; -b (1 - f) at the largest rung; the multiple of the largest cost that halves the error.
    loglog_exponent : Interval or None
        Plain regression of log error on log cost: the classic method, wrong where there is a floor.
    form_weights : dict of str to float
        AICc weights of the forms.
    refusals : tuple of (str, str)
        Code and sentence of everything that speaks against forecasting from this fit.
    largest_cost : float
    fit : Fit or None
        Best parameters and confidence region.
    """

    form: str
    exponent: Interval | None
    floor: Interval | None
    elasticity: Interval | None
    k_half: Interval | None
    loglog_exponent: Interval | None
    form_weights: dict[str, float]
    refusals: tuple[tuple[str, str], ...]
    largest_cost: float
    fit: Fit | None = field(default=None, repr=False)

    def predict(self, cost: float) -> Interval | None:
        """Return the expected error at `cost`; None without a fit. Not to be shown beyond `REACH`."""
        if self.fit is None:
            return None
        log_x = math.log(cost / self.largest_cost)
        return _over(lambda b, h, a: np.exp(a + np.log1p(h * np.expm1(-b * log_x))), self.fit)

    def cost_to(self, error: float) -> Interval | None:
        """Return the cost at which the curve reaches `error`, infinite where it never does."""

        def reach(b: Floats, h: Floats, a: Floats) -> Floats:
            room = error / np.exp(a) - (1 - h)
            falls = (room > 0) & (h > 0) & (b > 0)
            share = np.where(falls, room, 1.0) / np.where(falls, h, 1.0)
            cost = self.largest_cost * np.exp(-np.log(share) / np.where(falls, b, 1.0))
            return np.where(falls, cost, np.inf)

        return None if self.fit is None else _over(reach, self.fit)


def _over(quantity: _Quantity, fit: Fit) -> Interval:
    """Return a quantity at the best parameters, and its range over the confidence region."""
    with np.errstate(over="ignore"):
        estimate = float(quantity(*(np.array([one]) for one in fit.best))[0])
        values = quantity(fit.region[0], fit.region[1], fit.region[2])
    return Interval(estimate, min(float(values.min()), estimate), max(float(values.max()), estimate))


def _k_half(b: Floats, h: Floats, a: Floats) -> Floats:
    falls = (h > 0.5) & (b > 0)
    share = np.where(falls, h, 1.0) / np.where(falls, h - 0.5, 1.0)
    return np.where(falls, np.exp(np.log(share) / np.where(falls, b, 1.0)), np.inf)


def _form_weights(data: Ladder, floor_squares: float) -> dict[str, float]:
    """Return the AICc weights of the forms; those with too many parameters for the rungs get none."""
    line = np.polyfit(data.log_x, data.y, 1, w=np.sqrt(data.weights))
    power = data.y - np.polyval(line, data.log_x)
    _, logarithm = best_share(data, -data.log_x[None, :])
    rates = np.geomspace(0.05, 100, 120)
    _, exponential = best_share(data, np.expm1(rates[:, None] * -np.expm1(data.log_x)))
    squares = {
        "power": (float((data.weights * power**2).sum()), 3),
        "power_floor": (floor_squares, 4),
        "exponential_floor": (float(exponential.min()), 4),
        "log": (float(logarithm[0]), 3),
    }
    scores = {
        form: data.n * math.log(max(value, 1e-24) / data.n) + 2 * k + 2 * k * (k + 1) / (data.n - k - 1)
        for form, (value, k) in squares.items()
        if data.n - k - 1 > 0
    }
    lowest = min(scores.values())
    total = sum(math.exp((lowest - score) / 2) for score in scores.values())
    return {form: math.exp((lowest - score) / 2) / total for form, score in scores.items()}


def _loglog(data: Ladder, level: float) -> Interval:
    line = stats.linregress(data.log_x, data.y)
    half = float(stats.t.ppf((1 + level) / 2, data.n - 2)) * float(line.stderr)
    return Interval(-float(line.slope), -float(line.slope) - half, -float(line.slope) + half)


def _held_out_misses(data: Ladder, level: float) -> bool:
    """Tell whether the largest rung falls outside the prediction of the others."""
    rest = data.without_largest()
    fit = fit_floor(rest, level)
    step = float(data.log_x[-1] - data.log_x[-2])
    ahead = _over(lambda b, h, a: a + np.log1p(h * np.expm1(-b * step)), fit)
    noise = fit.squares / (rest.n - 3) / (data.weights[-1] / data.weights[:-1].mean())
    quantile = float(stats.t.ppf((1 + level) / 2, rest.n - 3))
    gap = float(data.y[-1]) - ahead.estimate
    side = ahead.high - ahead.estimate if gap > 0 else ahead.estimate - ahead.low
    return abs(gap) > math.hypot(side, quantile * math.sqrt(noise))


def _rises(data: Ladder) -> bool:
    """Tell whether a rung is more than two standard errors off the nearest curve that never rises."""
    if data.n_seeds < 2:
        return False
    falling = optimize.isotonic_regression(data.y, weights=data.weights, increasing=False).x
    return bool((np.abs(data.y - falling) > 2 * data.standard_errors).any())


def _refuse_design(data: Ladder) -> list[tuple[str, str]]:
    found = []
    if data.n < MIN_RUNGS:
        found.append(("few_rungs", f"{data.n} rungs were measured; a forecast needs at least {MIN_RUNGS}"))
    if data.n_seeds < MIN_SEEDS:
        found.append(("few_seeds", f"{data.n_seeds} seeds were run; a forecast needs at least {MIN_SEEDS}"))
    decades = -float(data.log_x[0]) / math.log(10)
    if decades < MIN_DECADES:
        sentence = f"the costs span {decades:.2f} powers of ten; a forecast needs at least {MIN_DECADES}"
        found.append(("short_span", sentence))
    if _rises(data):
        found.append(("not_monotone", "the error rises with cost somewhere by more than two standard errors"))
    return found


def _check(costs: Floats, errors: Floats, form: str) -> None:
    if costs.ndim != 1 or errors.ndim != 2 or len(costs) != len(errors) or errors.size == 0:
        raise ValueError(
            f"cost must be (n_rungs,) and error (n_rungs, n_seeds), got {costs.shape} and {errors.shape}"
        )
    if not (np.isfinite(costs).all() and (costs > 0).all()):
        raise ValueError("every cost must be finite and positive")
    if not (np.isfinite(errors).all() and (errors > 0).all()):
        raise ValueError("every error must be finite and positive")
    if form not in ("auto", *FORMS[:2]):
        raise ValueError(f"form must be auto, {FORMS[0]} or {FORMS[1]}, got {form!r}")


def fit_curve(cost: ArrayLike, error: ArrayLike, *, level: float = 0.95, form: str = "auto") -> CurveFit:
    """Fit error against cost.

    Seeds of a rung share its test set and tuning, so they are never treated as independent points: the
    fit is to the log means of the rungs, weighted by a smooth variance function.

    Parameters
    ----------
    cost : array-like of shape (n_rungs,)
        Positive.
    error : array-like of shape (n_rungs, n_seeds)
        Positive.
    level : float
        Confidence level of all intervals.
    form : {"auto", "power_floor", "power"}
        ``auto`` gives the figures of power + floor, names the form that AICc prefers, and refuses when
        a power law, with or without floor, is not clearly preferred.

    Returns
    -------
    CurveFit
        With form ``none`` and no figures when there are fewer than five rungs of different cost.

    Raises
    ------
    ValueError
        A cost or error is not positive and finite, or the shapes do not fit.
    """
    costs = np.asarray(cost, dtype=np.float64)
    errors = np.asarray(error, dtype=np.float64)
    _check(costs, errors, form)
    largest = float(costs.max())
    different = len(np.unique(costs))
    if different < max(3, len(costs)):
        few = ("few_rungs", f"{different} different costs were measured; a fit needs at least 5")
        return CurveFit("none", None, None, None, None, None, {}, (few,), largest)
    data = prepare(costs, errors)
    refusals = _refuse_design(data)
    loglog = _loglog(data, level)
    if data.n < 5:
        return CurveFit("none", None, None, None, None, loglog, {}, tuple(refusals), largest)
    floor_fit = fit_floor(data, level)
    fit = fit_power(data, level) if form == "power" else floor_fit
    weights = _form_weights(data, floor_fit.squares)
    if weights.get("power", 0.0) + weights.get("power_floor", 0.0) < MIN_FORM_WEIGHT:
        refusals.append(
            ("form_unclear", "other forms than a power law fit as well, and they forecast something else")
        )
    if data.n >= 7 and _held_out_misses(data, level):
        refusals.append(("held_out_miss", "the largest rung lies outside what the smaller ones predict"))
    return CurveFit(
        form=max(weights, key=weights.__getitem__) if form == "auto" else form,
        exponent=Interval(fit.best.b, *fit.ends),
        floor=_over(lambda b, h, a: np.exp(a) * (1 - h), fit),
        elasticity=_over(lambda b, h, a: -b * h, fit),
        k_half=_over(_k_half, fit),
        loglog_exponent=loglog,
        form_weights=weights,
        refusals=tuple(refusals),
        largest_cost=largest,
        fit=fit,
    )
