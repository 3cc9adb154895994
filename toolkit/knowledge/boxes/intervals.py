"""Numbers between two ends, exactly, and the one of them that reads most easily."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Interval"]

_DIGITS = 30
"""Decimal places that a readable value may need."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers between two ends; None is no end.

    Parameters
    ----------
    low, high : Fraction or None
    low_open, high_open : bool
        The end itself is left out.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: Fraction) -> bool:
        return not (
            (self.low is not None and (value < self.low or (self.low_open and value == self.low)))
            or (self.high is not None and (value > self.high or (self.high_open and value == self.high)))
        )

    def meet(self, other: Interval) -> Interval:
        """Return the numbers in both; with ends that exclude one another when there are none."""
        low, low_open = self.low, self.low_open
        if other.low is not None and (low is None or other.low >= low):
            low, low_open = other.low, other.low_open or (low == other.low and low_open)
        high, high_open = self.high, self.high_open
        if other.high is not None and (high is None or other.high <= high):
            high, high_open = other.high, other.high_open or (high == other.high and high_open)
        return Interval(low, high, low_open, high_open)

    def whole(self) -> Interval:
        """Return the same whole numbers between closed ends; the low end is above the high when none."""
        low = self.low if self.low is None else Fraction(math.ceil(self.low))
        high = self.high if self.high is None else Fraction(math.floor(self.high))
        return Interval(
            low + 1 if low is not None and self.low_open and low == self.low else low,
            high - 1 if high is not None and self.high_open and high == self.high else high,
        )

    @property
    def empty(self) -> bool:
        """Whether no number lies in it."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def example(self, *, whole: bool = False) -> Fraction:
        """Return a number in it that is easy to read, a whole one if asked and there is one."""
        if whole:
            closed = self.whole()
            if not closed.empty:
                return next((end for end in (closed.low, closed.high) if end is not None), Fraction(0))
        if self.low is None or self.high is None:
            return self._beyond()
        middle = (self.low + self.high) / 2
        if self.low == self.high:
            return middle
        rounded = (Fraction(round(middle * 10**digits), 10**digits) for digits in range(_DIGITS))
        return next((value for value in rounded if self.low < value < self.high), middle)

    def _beyond(self) -> Fraction:
        if self.low is not None:
            return Fraction(math.floor(self.low) + 1) if self.low_open else self.low
        if self.high is not None:
            return Fraction(math.ceil(self.high) - 1) if self.high_open else self.high
        return Fraction(0)
