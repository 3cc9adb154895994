"""Cost-performance curves: error against cost, and what may and may not be said of it.

With x = C / Cmax, ``E(C) = A [(1 - f) x^-b + f]``: A is the error at the largest rung, f the share of it that
no more spending removes with this recipe, c = A f the floor. Other forms stand beside it
(`toolkit.analysis.fits.shapes`); all parameters are profiled (`toolkit.analysis.fits.profile`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from toolkit.analysis.curve_record import FormWeight, HeldOut, Refusal
from toolkit.analysis.fits.ladder import Ladder, prepare
from toolkit.analysis.fits.loglog import LogLog, fit_loglog
from toolkit.analysis.fits.profile import (
    Fit,
    Region,
    best_fit,
    best_share,
    bound,
    fit_power,
    power_region,
    region,
)
from toolkit.analysis.fits.refusals import MIN_FORM_WEIGHT, MIN_RUNGS, REACH, refuse_ladder, refuse_target
from toolkit.analysis.fits.rung_noise import with_rung_noise
from toolkit.analysis.fits.shapes import EXPONENTIAL, FORMS, LOGARITHM, POWER, Shape
from toolkit.analysis.interval import Interval
from toolkit.analysis.stacks import Floats

__all__ = ["FORMS", "REACH", "CurveFit", "FormWeight", "HeldOut", "Refusal", "fit_curve"]

FEWEST_RUNGS = 5
"""With fewer nothing is fitted: three parameters and the noise."""
REFUSAL_LEVEL = 0.95
"""Of what speaks against a forecast, whatever the level of the intervals that are asked for."""
_SHAPES = {"power": POWER, "power_floor": POWER, "exponential_floor": EXPONENTIAL, "log": LOGARITHM}
_Quantity = Callable[[Floats, Floats, Floats], Floats]
"""A figure of (b, h, a)."""


@dataclass(frozen=True)
class CurveFit:
    """A fitted curve; every figure an interval whose ends may be infinite.

    Parameters
    ----------
    form : str
        Whose figures these are, one of `FORMS`; ``none`` when nothing could be fitted.
    level : float
        Confidence level of all intervals.
    largest_cost : float
    loglog : LogLog or None
        Plain regression of log error on log cost: the classic method, wrong where there is a floor.
    ladder : Ladder
    fit : Fit or None
        Best parameters; None without a fit.
    """

    form: str
    level: float
    largest_cost: float
    loglog: LogLog | None
    ladder: Ladder = field(repr=False)
    fit: Fit | None = field(default=None, repr=False)
    _regions: dict[float, Region] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def forms(self) -> tuple[FormWeight, ...]:
        """AICc weights of the forms, the highest first; empty without a fit."""
        if self.fit is None:
            return ()
        return _form_weights(self.ladder, self.fit if self.form == "power_floor" else best_fit(self.ladder))

    @cached_property
    def exponent(self) -> Interval | None:
        """b: what is left above the floor falls as cost to the power of -b. None for forms without one."""
        if self.fit is None or self.form not in ("power", "power_floor"):
            return None
        return Interval(self.fit.best.b, *self._region(self.level).ends)

    @cached_property
    def floor(self) -> Interval | None:
        """The error that no spending passes with this recipe; None where the form has none to estimate."""
        if self.form in ("power", "log"):
            return None
        return self._over(lambda b, h, a: np.exp(a) * (1 - h))

    @cached_property
    def elasticity(self) -> Interval | None:
        """Per cent of error for one per cent of cost at the largest rung: -b (1 - f)."""
        return self._over(lambda b, h, a: -self._shape.slope(b) * h)

    @cached_property
    def k_half(self) -> Interval | None:
        """The multiple of the largest cost that halves the error there; infinite where none does."""
        return self._over(lambda b, h, a: self._shape.x_at(b, -0.5 / h))

    @cached_property
    def k_half_excess(self) -> Interval | None:
        """The multiple of the largest cost that halves what is left above the floor: 2^(1/b)."""
        return self._over(lambda b, h, a: self._shape.x_halving_excess(b, h))

    def predict(self, cost: float, *, level: float | None = None, new_rung: bool = False) -> Interval | None:
        """Return the expected error at `cost`; None without a fit.

        Parameters
        ----------
        cost : float
            Not to be shown beyond `REACH` times the largest. Where a logarithm has come to nothing, 0.
        level : float, optional
            That of the fit by default.
        new_rung : bool
            Return the interval for the mean error of a rung yet to be run, its noise included.

        Raises
        ------
        ValueError
            The cost is not positive and finite.
        """
        _check_positive("cost", cost)
        if self.fit is None:
            return None
        level = level or self.level
        log_x = math.log(cost) - math.log(self.largest_cost)

        def error(b: Floats, h: Floats, a: Floats) -> Floats:
            return np.asarray(np.exp(a) * np.maximum(1 + h * self._shape.z(b, log_x), 0.0))

        expected = self._over(error, level)
        if expected is None or not new_rung:
            return expected
        quantile = float(special.stdtrit(self.fit.degrees, (1 + level) / 2))
        noise = quantile * math.sqrt(self.fit.squares / self.fit.degrees / self.ladder.weights[-1])
        return _widen(expected, noise)

    def cost_to(self, error: float) -> Interval | None:
        """Return the cost at which the curve reaches `error`, infinite where it never does.

        Raises
        ------
        ValueError
            The error is not positive and finite.
        """
        _check_positive("error", error)
        return self._over(
            lambda b, h, a: self.largest_cost * self._shape.x_at(b, (error * np.exp(-a) - 1) / h)
        )

    def refuse_target(self, error: float) -> Refusal | None:
        """Return why `cost_to` of this error is not to be promised; None where it may be shown."""
        cost = self.cost_to(error)
        if cost is None and self.ladder.is_constant:
            return Refusal("no_fall", "all rungs have one error: nothing is seen to fall with cost")
        if cost is None:
            return Refusal("few_rungs", "too few rungs were measured for a fit")
        multiple = Interval(*(end / self.largest_cost for end in (cost.estimate, cost.low, cost.high)))
        return refuse_target(error, self.floor.low if self.floor else 0.0, multiple)

    @cached_property
    def held_out(self) -> HeldOut | None:
        """The largest rung against the 95 % prediction of the others; None with fewer than seven rungs."""
        if self.fit is None or self.ladder.n < FEWEST_RUNGS + 2:
            return None
        data = self.ladder
        rest = with_rung_noise(data.cheapest(data.n - 1))
        before = self.largest_cost * math.exp(float(data.log_x[-2]))
        others = _fitted(rest, self.form, REFUSAL_LEVEL, before)
        # The last rung has its own weight, which the others do not know.
        told = others.predict(self.largest_cost)
        assert told is not None and others.fit is not None  # noqa: S101, PT018
        scale = others.fit.squares / others.fit.degrees
        quantile = float(special.stdtrit(others.fit.degrees, (1 + REFUSAL_LEVEL) / 2))
        noise = scale * float(data.weights[:-1].mean() / data.weights[-1])
        predicted = _widen(told, quantile * math.sqrt(noise))
        observed = math.exp(float(data.y[-1]))
        inside = predicted.low <= observed <= predicted.high
        return HeldOut(self.largest_cost, observed, predicted, inside)

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """Everything that speaks against forecasting from this fit."""
        found = list(refuse_ladder(self.ladder))
        if self.ladder.is_constant or (self.fit is not None and self._may_be_flat()):
            found.append(Refusal("no_fall", "the error does not clearly fall with cost"))
        if self.fit is not None and self.form_weight < MIN_FORM_WEIGHT:
            found.append(Refusal("form_unclear", "other forms fit as well, and they forecast something else"))
        if self.held_out is not None and not self.held_out.inside:
            found.append(
                Refusal("held_out_miss", "the largest rung lies outside what the smaller ones predict")
            )
        return tuple(found)

    def _may_be_flat(self) -> bool:
        """Tell whether one error for all rungs is not rejected either."""
        assert self.fit is not None  # noqa: S101
        data = self.ladder
        mean = float(data.y @ data.weights) / data.n
        return float((data.y - mean) ** 2 @ data.weights) <= bound(self.fit, REFUSAL_LEVEL)

    @property
    def form_weight(self) -> float:
        """AICc weight of the form whose figures these are; a power law is one with a floor of none."""
        names = ("power", "power_floor") if self.form == "power_floor" else (self.form,)
        return sum(one.weight for one in self.forms if one.form in names)

    @property
    def _shape(self) -> Shape:
        return _SHAPES[self.form]

    def _region(self, level: float) -> Region:
        assert self.fit is not None  # noqa: S101
        if level not in self._regions:
            self._regions[level] = (
                power_region(self.ladder, self.fit, level)
                if self.form == "power"
                else region(self.ladder, self.fit, level, self._shape)
            )
        return self._regions[level]

    def _over(self, quantity: _Quantity, level: float | None = None) -> Interval | None:
        """Return a quantity at the best parameters, and its range over the region."""
        if self.fit is None:
            return None
        points = self._region(level or self.level).points
        with np.errstate(over="ignore", divide="ignore"):
            estimate = float(quantity(*(np.array([one]) for one in self.fit.best))[0])
            values = quantity(points[0], points[1], points[2])
        return Interval(estimate, min(float(values.min()), estimate), max(float(values.max()), estimate))


def _widen(expected: Interval, noise: float) -> Interval:
    """Add noise on the log scale to both sides of an interval, as if it were independent."""
    if expected.low <= 0:
        return Interval(expected.estimate, 0.0, expected.high * math.exp(noise))
    up = math.hypot(math.log(expected.high / expected.estimate), noise)
    down = math.hypot(math.log(expected.estimate / expected.low), noise)
    return Interval(expected.estimate, expected.estimate * math.exp(-down), expected.estimate * math.exp(up))


def _form_weights(data: Ladder, floor_fit: Fit) -> tuple[FormWeight, ...]:
    """Return the AICc weights of the forms; those with too many parameters for the rungs get none.

    `floor_fit` is that of a power law with a floor.
    """
    _, logarithm = best_share(data, LOGARITHM.z(np.ones(1), data.log_x[:, None]), LOGARITHM.highest_share)
    rates = EXPONENTIAL.rates(data.log_x, 120)
    _, exponential = best_share(data, EXPONENTIAL.z(rates, data.log_x[:, None]))
    squares = {
        "power": (fit_power(data).squares, 3),
        "power_floor": (floor_fit.squares, 4),
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
    weights = [FormWeight(form, math.exp((lowest - score) / 2) / total) for form, score in scores.items()]
    return tuple(sorted(weights, key=lambda one: -one.weight))


def _fitted(data: Ladder, form: str, level: float, largest: float, loglog: LogLog | None = None) -> CurveFit:
    fit = fit_power(data) if form == "power" else best_fit(data, _SHAPES[form])
    return CurveFit(form, level, largest, loglog, data, fit)


def _chosen(data: Ladder, level: float, largest: float, loglog: LogLog | None) -> CurveFit:
    """Return the fit with the form that ``auto`` takes."""
    usual = _fitted(data, "power_floor", level, largest, loglog)
    if data.n < MIN_RUNGS:
        return usual
    best = usual.forms[0]
    clear = best.weight >= MIN_FORM_WEIGHT and best.form in ("exponential_floor", "log")
    return _fitted(data, best.form, level, largest, loglog) if clear else usual


def _check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be one positive and finite number, got {value}")


def _check(costs: Floats, errors: Floats, level: float, form: str) -> None:
    if costs.ndim != 1 or errors.ndim != 2 or len(costs) != len(errors) or errors.size == 0:
        raise ValueError(
            "cost must be (n_rungs,) and error (n_rungs, n_seeds), or (n_rungs,) for one seed, got "
            f"{costs.shape} and {errors.shape}"
        )
    if not (np.isfinite(costs).all() and (costs > 0).all()):
        raise ValueError("every cost must be finite and positive")
    run = ~np.isnan(errors)
    if not (np.isfinite(errors[run]).all() and (errors[run] > 0).all()):
        raise ValueError("every error must be finite and positive, or NaN where a seed did not run")
    if not run.any(axis=1).all():
        raise ValueError("every rung must have an error")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    if form not in ("auto", *FORMS):
        raise ValueError(f"form must be one of auto, {', '.join(FORMS)}, got {form!r}")


def fit_curve(cost: ArrayLike, error: ArrayLike, *, level: float = 0.95, form: str = "auto") -> CurveFit:
    """Fit error against cost.

    Parameters
    ----------
    cost : array-like of shape (n_rungs,)
        Positive. Two rungs of one cost are two systems, each a point; runs of one system are columns.
    error : array-like of shape (n_rungs, n_seeds) or (n_rungs,)
        Positive, or NaN where a seed did not run; without a second dimension it is one seed. Seeds of a
        rung share its test set and tuning, so they are never taken for independent points: the fit is to the
        log means of the rungs, weighted by a smooth variance function.
    level : float
        Confidence level of all intervals.
    form : {"auto", "power", "power_floor", "exponential_floor", "log"}
        ``auto`` is a power law with a floor (of which the one without is a case), unless AICc clearly
        prefers the exponential or the logarithm and there are rungs enough to tell.

    Returns
    -------
    CurveFit
        With form ``none`` and no figures when there are fewer than five rungs of different cost, or when all
        rungs have one error: rounding would choose the curve.

    Raises
    ------
    ValueError
        A cost or error is not positive and finite, or the shapes do not fit.

    References
    ----------
    Profile likelihood intervals: Venzon and Moolgavkar (1988), Applied Statistics 37(1). AICc weights:
    Burnham and Anderson (2002), Model Selection and Multimodel Inference.
    """
    costs = np.asarray(cost, dtype=np.float64)
    errors = np.asarray(error, dtype=np.float64)
    if errors.ndim == 1:
        errors = errors[:, None]
    _check(costs, errors, level, form)
    largest = float(costs.max())
    different = len(np.unique(costs))
    data = with_rung_noise(prepare(costs, errors))
    means = np.exp(np.nanmean(np.log(errors), axis=1))
    loglog = fit_loglog(costs, means, level=level) if len(costs) > 2 and different > 1 else None
    if different < FEWEST_RUNGS or data.is_constant:
        return CurveFit("none", level, largest, loglog, data)
    if form == "auto":
        return _chosen(data, level, largest, loglog)
    return _fitted(data, form, level, largest, loglog)
