"""The curves of all tracks: error against training cost, and against rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from toolkit.analysis.climbs import COST_AXES, PRECISION_ERROR, Climb, climbs
from toolkit.analysis.fits.curves import REACH, CurveFit, fit_curve
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Curve
from toolkit.analysis.stacks import StackKey

__all__ = ["COST_AXES", "PRECISION_ERROR", "track_curves"]

_N_GRID = 40


def track_curves(readings: Mapping[StackKey, RungReadings], primary_error: str) -> tuple[Curve, ...]:
    """Fit every track that climbs a ladder of data.

    Tracks that see no training rows (rules climb their number of rules) or stand on one rung have none.

    Parameters
    ----------
    readings : mapping of (track, rung) to RungReadings
        What the rungs cost, and the cells that tell their errors.
    primary_error : str
        The task's error; 1 less average precision is fitted beside it.
    """
    return tuple(_curve(climb) for climb in climbs(readings, primary_error))


def _curve(climb: Climb) -> Curve:
    fit = fit_curve(climb.costs, climb.errors)
    grid = _grid(fit, climb.costs)
    return Curve(
        track=climb.track,
        error=climb.error,
        cost=climb.cost,
        form=fit.form,
        exponent=fit.exponent,
        floor=fit.floor,
        elasticity=fit.elasticity,
        k_half=fit.k_half,
        k_half_excess=fit.k_half_excess,
        loglog=fit.loglog,
        forms=fit.forms,
        held_out=fit.held_out,
        refusals=fit.refusals,
        points=tuple(zip(climb.costs.tolist(), climb.means.tolist(), strict=True)),
        grid_cost=tuple(row[0] for row in grid),
        grid_error=tuple(row[1] for row in grid),
        grid_low=tuple(row[2] for row in grid),
        grid_high=tuple(row[3] for row in grid),
        rungs=climb.rungs,
    )


def _grid(fit: CurveFit, costs: np.ndarray) -> list[tuple[float, float, float, float]]:
    """Return cost, error, low and high from the smallest rung to ten times the largest."""
    if fit.fit is None:
        return []
    rows = []
    for cost in np.geomspace(costs.min(), REACH * costs.max(), _N_GRID).tolist():
        ahead = fit.predict(cost)
        if ahead is not None:
            rows.append((cost, ahead.estimate, ahead.low, ahead.high))
    return rows
