"""Ladders as numbers: what each rung of a track cost, and its errors seed by seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.analysis.readings import RungReadings
from toolkit.analysis.stacks import Floats, StackKey
from toolkit.records import CellRecord

__all__ = [
    "COST_AXES",
    "PRECISION_ERROR",
    "Climb",
    "climbs",
    "error_table",
    "ladders_of",
]

COST_AXES = ("n_train", "cost_train_cpu_seconds")
"""Rows, and the CPU-seconds of search and fit together."""
PRECISION_ERROR = "error_one_minus_average_precision"


@dataclass(frozen=True, eq=False)
class Climb:
    """One track's ladder, cheapest rung first.

    Parameters
    ----------
    track, error, cost : str
    rungs : tuple of int
        In the order of cost, which on an axis of seconds need not be theirs.
    costs : ndarray of shape (n_rungs,)
        Positive.
    errors : ndarray of shape (n_rungs, n_seeds)
        NaN where a seed has no cell of a rung.
    """

    track: str
    error: str
    cost: str
    rungs: tuple[int, ...]
    costs: Floats
    errors: Floats

    @property
    def means(self) -> Floats:
        """Geometric mean of the errors of each rung, shape (n_rungs,)."""
        return np.asarray(np.exp(np.nanmean(np.log(self.errors), axis=1)))


def ladders_of(readings: Mapping[StackKey, RungReadings]) -> dict[str, list[RungReadings]]:
    """Return the rungs of every track that climbs a ladder of data, lowest first.

    Tracks that see no training rows (rules climb their number of rules) have none.
    """
    tracks: dict[str, list[RungReadings]] = {track: [] for track, _ in readings}
    for (track, _), rung in sorted(readings.items(), key=lambda one: one[0][1]):
        tracks[track].append(rung)
    return {
        track: rungs
        for track, rungs in tracks.items()
        if any(cell.n_train > 0 for rung in rungs for cell in rung.cells)
    }


def climbs(readings: Mapping[StackKey, RungReadings], primary_error: str) -> Iterator[Climb]:
    """Yield the ladder of every track, for each error on each cost axis; tracks on one rung have none.

    Parameters
    ----------
    readings : mapping of (track, rung) to RungReadings
        What the rungs cost, and the cells that tell their errors.
    primary_error : str
        The task's error; 1 less average precision stands beside it.
    """
    errors = dict.fromkeys((primary_error, PRECISION_ERROR))
    for track, rungs in ladders_of(readings).items():
        for error in errors:
            for cost in COST_AXES:
                found = _climb(rungs, track, error, cost)
                if found is not None:
                    yield found


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


def _climb(climbed: Sequence[RungReadings], track: str, error: str, cost: str) -> Climb | None:
    found = []
    for rung in climbed:
        spent = _cost_of(rung, cost)
        errors = {cell.seed: value for cell in rung.cells if (value := _error_of(cell, error)) is not None}
        if spent is not None and errors and spent > 0:
            found.append((spent, rung.rung, errors))
    found.sort(key=lambda one: one[:2])
    if len({spent for spent, _, _ in found}) < 2:
        return None
    return Climb(
        track=track,
        error=error,
        cost=cost,
        rungs=tuple(rung for _, rung, _ in found),
        costs=np.array([spent for spent, _, _ in found]),
        errors=error_table([errors for _, _, errors in found]),
    )


def error_table(by_seed: Sequence[Mapping[int, float]]) -> Floats:
    """Return the errors of each rung, shape (n_rungs, n_seeds), NaN where a seed has none."""
    seeds = sorted(set().union(*by_seed))
    return np.array([[errors.get(seed, math.nan) for seed in seeds] for errors in by_seed])
