"""The forms a curve may have, all written ``E(x) = A (1 + h z(x))`` with x the cost over the largest one.

A is the error at the largest rung and z(1) = 0. With a floor, z falls to -1: h is the share of the error that
more spending may yet remove, 1 - h = f the share that it may not. Forms differ in z alone, so one search fits
them all (`toolkit.analysis.fits.profile`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.analysis.stacks import Floats

__all__ = ["EXPONENTIAL", "FORMS", "LOGARITHM", "POWER", "Shape"]

MOST_EXPONENT = 600.0
"""Largest exponent of e that is formed; from 710 on there is no number for it."""

FORMS = ("power", "power_floor", "exponential_floor", "log")


@dataclass(frozen=True)
class Shape:
    """How error falls with cost: a family of curves z(x) with one rate, or none.

    Parameters
    ----------
    name : str
        One of `FORMS`; `POWER` serves ``power`` too, with h = 1.
    highest_share : float
        The largest h; 1 where there is a floor, which is not negative.
    """

    name: str
    highest_share: float

    @property
    def has_rate(self) -> bool:
        """Whether the family has a parameter beside h."""
        return self.name != "log"

    @property
    def has_floor(self) -> bool:
        """Whether the curve stops falling somewhere."""
        return self.name != "log"

    def rates(self, log_x: Floats, n: int) -> Floats:
        """Return the rates to try: up to one whose curve reaches its floor within one rung."""
        if self.name == "exponential_floor":
            return np.geomspace(0.05, 100.0, n)
        if not self.has_rate:
            return np.ones(1)
        steps = np.diff(log_x)
        step = max(float(np.median(steps[steps > 0])), 1e-6)  # published results may have equal costs
        # e^(rate x span) must stay a number.
        most = min(max(3.0, min(5.0 / step, 60.0)), MOST_EXPONENT / -float(log_x[0]))
        return np.geomspace(1e-4, most, n)

    def z(self, rate: Floats, log_x: Floats | float) -> Floats:
        """Return the shape at log x, the two broadcast against each other."""
        with np.errstate(over="ignore"):
            if self.name == "log":
                return np.asarray(-log_x + 0.0 * rate)
            if self.name == "exponential_floor":
                return np.asarray(np.expm1(-rate * np.expm1(log_x)))
            return np.asarray(np.expm1(-rate * log_x))

    def x_at(self, rate: Floats, z: Floats) -> Floats:
        """Return x where the shape is `z`; infinite at or below -1 where there is a floor."""
        if self.name == "log":
            with np.errstate(over="ignore"):
                return np.asarray(np.exp(-z))
        falls = (z > -1) & (rate > 0)
        log_left = np.log1p(np.where(falls, z, 0.0))
        rate = np.where(falls, rate, 1.0)
        with np.errstate(over="ignore"):
            if self.name == "exponential_floor":
                x = np.maximum(1 - log_left / rate, 0.0)
            else:
                x = np.exp(-log_left / rate)
        return np.where(falls, x, np.inf)

    def x_halving_excess(self, rate: Floats, h: Floats) -> Floats:
        """Return x where what is left above the floor has halved; without floor, where the error has."""
        if self.name == "log":
            return self.x_at(rate, -0.5 / h)
        return self.x_at(rate, np.full_like(rate, -0.5))

    def slope(self, rate: Floats) -> Floats:
        """Return minus dz / d log x at the largest rung."""
        return np.asarray(rate if self.has_rate else np.ones_like(rate))


POWER = Shape("power_floor", 1.0)
EXPONENTIAL = Shape("exponential_floor", 1.0)
LOGARITHM = Shape("log", 50.0)
