"""What may be said of a target: read off among the results, forecast, drawn on without one, or nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from toolkit.analysis.fits.curves import REACH, REFUSAL_LEVEL, CurveFit
from toolkit.analysis.fits.loglog import LogLog
from toolkit.analysis.interval import Interval

__all__ = ["Held", "Reach", "hold", "reach"]

Reach = Literal[
    "at_most",
    "at_most_fitted",
    "measured",
    "forecast",
    "drawn_on",
    "not_told",
    "not_shown",
    "too_far",
    "cannot",
]


@dataclass(frozen=True)
class Held:
    """Both fits at `REFUSAL_LEVEL`: what is shown or refused rests on these, whatever level is asked for.

    Parameters
    ----------
    line : LogLog
    curve : CurveFit
    """

    line: LogLog
    curve: CurveFit

    @property
    def may_fall(self) -> bool:
        """Whether the line may fall: not where all errors are equal, nor where it clearly rises."""
        return self.line.exponent.high > 0

    @property
    def clearly_falls(self) -> bool:
        """Whether the data exclude that the line does not fall."""
        return self.line.exponent.low > 0

    @property
    def shows_floor(self) -> bool:
        """Whether the data exclude that there is no floor."""
        floor = self.curve.floor
        return self.may_fall and floor is not None and floor.low > 1e-6 * floor.estimate


def hold(line: LogLog, curve: CurveFit) -> Held:
    """Return fits of any level at that of refusals."""
    if line.level == REFUSAL_LEVEL:
        return Held(line, curve)
    return Held(replace(line, level=REFUSAL_LEVEL), replace(curve, level=REFUSAL_LEVEL))


def reach(
    target: float,
    by: Literal["line", "curve"],
    held: Held,
    *,
    ends: tuple[float, float],
    first: float,
    highest: float,
    refused: bool,
) -> Reach:
    """Return what may be said of a target.

    Parameters
    ----------
    target : float
        An error.
    by : {"line", "curve"}
        Whose compute is told; of the curve there is a fit.
    held : Held
    ends : tuple of (float, float)
        Least and largest compute of the results.
    first : float
        The error at the least compute.
    highest : float
        Of all errors.
    refused : bool
        Whether something speaks against a forecast.

    Returns
    -------
    Reach
        ``at_most``: the cheapest result reaches it already; ``at_most_fitted``: the fit does there, the
        result itself does not; ``measured``: within the results; ``forecast``; ``drawn_on``: beyond them,
        where nothing is forecast; ``not_told``: the error may not fall at all; ``not_shown``: the fit may
        never come down to it, for its compute has no upper end; ``too_far``: the fit reaches it, at a compute
        that no number is kept for; ``cannot``: it is out of reach.
    """
    cheapest, largest = ends
    if target >= highest:
        return "at_most"
    if not held.may_fall:
        return "at_most" if target >= first else "cannot"
    if not held.clearly_falls and not held.shows_floor:
        return "not_told"
    told, lowest = _told(target, by, held)
    at = told.estimate
    if at <= cheapest:
        return "at_most" if target >= first else "at_most_fitted"
    if math.isinf(told.low):
        return "too_far" if target > lowest.low else "cannot"
    if math.isinf(at) and target > lowest.estimate:
        return "too_far"
    if math.isinf(told.high) and (by == "curve" or target <= lowest.high):  # else of a line: over 10^308
        return "not_shown"
    if at <= largest:
        return "measured"
    return "drawn_on" if refused or at > REACH * largest else "forecast"


def _told(target: float, by: Literal["line", "curve"], held: Held) -> tuple[Interval, Interval]:
    """Return the compute for the target, and the least error that the fit ever comes down to."""
    if by == "line":
        exponent = held.line.exponent
        ends = (0.0 if end > 0 else math.inf for end in (exponent.estimate, exponent.high, exponent.low))
        return held.line.cost_to(target), Interval(*ends)
    told, floor = held.curve.cost_to(target), held.curve.floor
    assert told is not None and floor is not None  # noqa: S101, PT018
    return told, floor
