"""Regressions beside the classic line: year as a second regressor, and lines within one family."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from toolkit.analysis.fits.loglog import LogLog, fit_loglog
from toolkit.analysis.interval import Interval
from toolkit.analysis.published.selection import rungs
from toolkit.analysis.published.values import FamilyFit, WithYear
from toolkit.published.values import Observation

__all__ = ["family_fits", "fit_line", "fit_with_year", "regress_on_year"]

Floats = NDArray[np.float64]

FEWEST_OF_FAMILY = 3
FEWEST_WITH_YEAR = 6
ALIKE = 0.03
"""Compute and year count as one regressor where less than this of either is not the other's."""


def fit_line(compute: Floats, error: Floats, *, level: float = 0.95) -> LogLog:
    """Fit the classic line; through equal errors it is flat, for rounding alone would give it a power.

    Parameters
    ----------
    compute, error : ndarray of shape (n,)
        As `fit_loglog` takes them.
    level : float
    """
    line = fit_loglog(compute, error, level=level)
    if np.ptp(np.log(error)) > 1e-12:
        return replace(line, r_squared=1.0) if line.r_squared > 1 - 1e-12 else line
    return replace(line, slope=0.0, variance=0.0, r_squared=0.0)


def regress_on_year(
    points: Sequence[Observation], measure: str, *, is_ladder: bool, level: float = 0.95
) -> tuple[WithYear | None, str]:
    """Regress on compute and year, over the results that have a year.

    Parameters
    ----------
    points : sequence of Observation
        What the classic line rests on.
    measure : str
    is_ladder : bool
        Rows of equal compute are seeds of one rung, and no results of their own.
    level : float

    Returns
    -------
    WithYear or None
    str
        How many results are left out for want of a year, or why there is no fit; empty where all are in it,
        and where no result has a year.
    """
    dated = [one for one in points if one.year is not None]
    if not dated:
        return None, ""
    year = np.array([one.year for one in dated], dtype=np.float64)
    compute = np.array([one.compute[measure] for one in dated])
    error = np.array([one.error for one in dated])
    found = None if is_ladder else fit_with_year(compute, error, year, level=level)
    missing = len(points) - len(dated)
    if found is None:
        return None, f"there is no regression on year as well: {_why(year, missing, is_ladder)}"
    if not missing:
        return found, ""
    are = "1 has none and is" if missing == 1 else f"{missing} have none and are"
    return (
        found,
        f"the regression on year as well uses the {len(dated)} results that have one; {are} left out of it",
    )


def _why(year: Floats, missing: int, is_ladder: bool) -> str:
    if is_ladder:
        return "rows of equal compute are repeats of one rung, and a ladder is of one recipe"
    if len(year) < FEWEST_WITH_YEAR:
        have = "1 result has" if len(year) == 1 else f"{len(year)} results have"
        without = f" and {missing} {'has' if missing == 1 else 'have'} none" if missing else ""
        return f"{have} a year{without}; it takes at least {FEWEST_WITH_YEAR}"
    if np.ptp(year) == 0:
        return f"all results that have a year are of {year[0]:.6g}"
    return "compute and year rise in step, so that neither can be told from the other"


def fit_with_year(compute: Floats, error: Floats, year: Floats, *, level: float = 0.95) -> WithYear | None:
    """Regress log error on log compute and year, by ordinary least squares.

    Parameters
    ----------
    compute, error : ndarray of shape (n,)
        Positive.
    year : ndarray of shape (n,)
    level : float

    Returns
    -------
    WithYear or None
        None with fewer than six points, or where compute and year rise in step and cannot be told apart.
    """
    n = len(compute)
    design = np.column_stack([np.ones(n), np.log(compute), year])
    design[:, 1:] -= design[:, 1:].mean(axis=0)
    if n < FEWEST_WITH_YEAR or np.linalg.matrix_rank(_scaled(design), tol=ALIKE) < 3:
        return None
    y = np.log(error)
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    left = y - design @ coefficients
    degrees = n - 3
    deviations = np.sqrt(left @ left / degrees * np.diag(inverse))
    half = float(special.stdtrit(degrees, (1 + level) / 2)) * deviations
    exponent = Interval(*(float(-coefficients[1] + sign * half[1]) for sign in (0, -1, 1)))
    yearly = [math.expm1(min(float(coefficients[2] + sign * half[2]), 700.0)) for sign in (0, -1, 1)]
    total = float(((y - y.mean()) ** 2).sum())
    return WithYear(
        n=n,
        exponent=exponent,
        power=_of(exponent, lambda one: 1 / one),
        k_half=_of(exponent, _halving),
        share_a_year=Interval(*yearly),
        r_squared=1 - float(left @ left) / total if total > 0 else 0.0,
    )


def _scaled(design: Floats) -> Floats:
    """Return columns of length 1; a column of zeros stays one."""
    lengths = np.linalg.norm(design, axis=0)
    return np.asarray(design / np.where(lengths > 0, lengths, 1.0))


def _halving(exponent: float) -> float:
    power = math.log(2) / exponent
    return math.exp(power) if power < 709 else math.inf


def _of(exponent: Interval, figure: Callable[[float], float]) -> Interval:
    """Return a falling figure of the exponent, infinite where that is not positive."""
    ends = (exponent.estimate, exponent.high, exponent.low)
    return Interval(*(figure(end) if end > 0 else math.inf for end in ends))


def family_fits(
    observations: Sequence[Observation], measure: str, *, level: float = 0.95
) -> tuple[FamilyFit, ...]:
    """Fit the line within each family of at least three different computes by this measure.

    Rows of equal compute are repeats of one size where the family is a ladder, as in the fit over all.

    Parameters
    ----------
    observations : sequence of Observation
    measure : str
    level : float
    """
    families: dict[str, list[Observation]] = {}
    for one in observations:
        if one.family and measure in one.compute:
            families.setdefault(one.family, []).append(one)
    found = []
    for name, members in sorted(families.items()):
        compute = np.array([one.compute[measure] for one in members])
        if len(np.unique(compute)) >= FEWEST_OF_FAMILY:
            sizes = rungs(compute, np.array([one.error for one in members]))
            line = fit_line(sizes.costs, sizes.means, level=level)
            found.append(FamilyFit(name, line.n, line))
    return tuple(found)
