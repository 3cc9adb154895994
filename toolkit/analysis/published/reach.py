"""What may be said of a target: read off among the results, forecast, drawn on without one, or nothing."""

from __future__ import annotations

import math
from typing import Literal

from toolkit.analysis.fits.curves import REACH, CurveFit
from toolkit.analysis.fits.loglog import LogLog
from toolkit.analysis.interval import Interval

__all__ = ["Reach", "may_fall", "reach", "shows_floor"]

Reach = Literal[
    "at_most", "at_most_fitted", "measured", "forecast", "drawn_on", "not_told", "not_shown", "cannot"
]


def may_fall(line: LogLog) -> bool:
    """Tell whether the line may fall: not where all errors are equal, nor where it clearly rises."""
    return line.exponent.high > 0


def shows_floor(line: LogLog, curve: CurveFit) -> bool:
    """Tell whether the data exclude that there is no floor."""
    floor = curve.floor
    return may_fall(line) and floor is not None and floor.low > 1e-6 * floor.estimate


def reach(
    target: float,
    told: Interval,
    line: LogLog,
    curve: CurveFit,
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
    told : Interval
        The compute that reaches it, by the line or the curve, whichever is told.
    line : LogLog
    curve : CurveFit
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
        where nothing is forecast; ``not_told``: the error may not fall at all; ``not_shown``: the target may
        be out of reach; ``cannot``: it is.
    """
    cheapest, largest = ends
    at = told.estimate
    if target >= highest:
        return "at_most"
    if not may_fall(line):
        return "at_most" if target >= first else "cannot"
    if line.exponent.low <= 0 and not shows_floor(line, curve):
        return "not_told"
    if at <= cheapest:
        return "at_most" if target >= first else "at_most_fitted"
    if math.isinf(told.low):
        return "cannot"
    if math.isinf(at):
        return "not_shown"
    if at <= largest:
        return "measured"
    return "drawn_on" if refused or at > REACH * largest else "forecast"
