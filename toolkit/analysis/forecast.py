"""The curves of all tracks: error against training cost, and against rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from toolkit.analysis.curves import REACH, CurveFit, fit_curve
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Curve
from toolkit.analysis.stacks import StackKey
from toolkit.records import CellRecord

__all__ = ["COST_AXES", "PRECISION_ERROR", "track_curves"]

COST_AXES = ("n_train", "cost_train_cpu_seconds")
"""Rows, and the CPU-seconds of search and fit together."""
PRECISION_ERROR = "error_one_minus_average_precision"
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
    tracks: dict[str, list[RungReadings]] = {}
    for (track, _), rung in sorted(readings.items(), key=lambda one: one[0][1]):
        tracks.setdefault(track, []).append(rung)
    order = dict.fromkeys(track for track, _ in readings)
    errors = dict.fromkeys((primary_error, PRECISION_ERROR))
    found = (
        _curve(tracks[track], track, error, cost) for track in order for error in errors for cost in COST_AXES
    )
    return tuple(curve for curve in found if curve is not None)


def _error_of(cell: CellRecord, error: str) -> float | None:
    value = cell.scores.get(error)
    if value is None and error == PRECISION_ERROR:
        precision = cell.scores.get("score_average_precision")
        value = None if precision is None else 1 - precision
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _cost_of(rung: RungReadings, cost: str) -> float | None:
    if cost == "n_train":
        return rung.n_train
    fit = rung.median("cost_fit_cpu_seconds")
    return None if fit is None else fit + (rung.median("cost_search_cpu_seconds") or 0.0)


def _costs_and_errors(
    rungs: Sequence[RungReadings], error: str, cost: str
) -> Iterator[tuple[float, dict[int, float]]]:
    """Yield each rung's cost and its errors by seed."""
    for rung in rungs:
        spent = _cost_of(rung, cost)
        errors = {cell.seed: value for cell in rung.cells if (value := _error_of(cell, error)) is not None}
        if spent is not None and errors and spent > 0:
            yield spent, errors


def _curve(climbed: Sequence[RungReadings], track: str, error: str, cost: str) -> Curve | None:
    if not any(cell.n_train > 0 for rung in climbed for cell in rung.cells):
        return None
    rungs = sorted(_costs_and_errors(climbed, error, cost), key=lambda one: one[0])
    if len({value for value, _ in rungs}) < 2:
        return None
    costs = np.array([value for value, _ in rungs])
    common = sorted(set.intersection(*(set(errors) for _, errors in rungs)))
    # Without a seed that climbed every rung, the rungs' means are all there is.
    table = (
        np.array([[errors[seed] for seed in common] for _, errors in rungs])
        if common
        else np.array([[np.mean(list(errors.values()))] for _, errors in rungs])
    )
    fit = fit_curve(costs, table)
    means = np.exp(np.log(table).mean(axis=1))
    grid = _grid(fit, costs)
    return Curve(
        track=track,
        error=error,
        cost=cost,
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
        points=tuple(zip(costs.tolist(), means.tolist(), strict=True)),
        grid_cost=tuple(row[0] for row in grid),
        grid_error=tuple(row[1] for row in grid),
        grid_low=tuple(row[2] for row in grid),
        grid_high=tuple(row[3] for row in grid),
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
