"""A track's curve as it is reported: figures, checks, refusals, and lines to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from toolkit.analysis.fits.loglog import LogLog
from toolkit.analysis.interval import Interval

__all__ = ["Curve", "FormWeight", "HeldOut", "Refusal"]


class Refusal(NamedTuple):
    """Why no forecast is made: a code for programs and a sentence for people."""

    code: str
    sentence: str


class FormWeight(NamedTuple):
    """A form and its AICc weight among all of them."""

    form: str
    weight: float


class HeldOut(NamedTuple):
    """The largest rung against what the others predict of it."""

    cost: float
    observed: float
    predicted: Interval
    inside: bool


@dataclass(frozen=True)
class Curve:
    """Error against one cost of one track.

    Parameters
    ----------
    track, error, cost : str
    form : str
        Whose figures these are; ``none`` without a fit.
    exponent, floor, elasticity, k_half, k_half_excess : Interval or None
        As in `CurveFit`.
    loglog : LogLog or None
        The classic line without a floor.
    forms : tuple of FormWeight
    held_out : HeldOut or None
    refusals : tuple of Refusal
    points : tuple of (float, float)
        The rungs that were fitted: cost, mean error.
    rungs : tuple of int
        Their numbers, in the order of `points`.
    grid_cost, grid_error, grid_low, grid_high : tuple of float
        The fit and its band, from the smallest rung to ten times the largest.
    """

    track: str
    error: str
    cost: str
    form: str
    exponent: Interval | None
    floor: Interval | None
    elasticity: Interval | None
    k_half: Interval | None
    refusals: tuple[Refusal, ...]
    k_half_excess: Interval | None = None
    loglog: LogLog | None = None
    forms: tuple[FormWeight, ...] = ()
    held_out: HeldOut | None = None
    points: tuple[tuple[float, float], ...] = ()
    grid_cost: tuple[float, ...] = ()
    grid_error: tuple[float, ...] = ()
    grid_low: tuple[float, ...] = ()
    grid_high: tuple[float, ...] = ()
    rungs: tuple[int, ...] = ()

    def point(self, rung: int) -> tuple[float, float] | None:
        """Return cost and mean error of a rung; None where it was not fitted."""
        return self.points[self.rungs.index(rung)] if rung in self.rungs else None
