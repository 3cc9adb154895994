"""Sorted arrays of days, on which a count is a difference of two positions."""

from __future__ import annotations

import duckdb
import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY_SPAN", "Days", "Floats", "Ints", "fetch", "positions", "ratio", "running"]

DAY_SPAN = 1024
"""More than any day number in a sort key, so that the keys of neighbouring groups cannot meet."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fetch(connection: duckdb.DuckDBPyConnection, sql: str, **params: object) -> dict[str, Ints]:
    """Run a query and return its integer columns."""
    columns = connection.execute(sql, params).fetchnumpy()
    return {name: np.asarray(column, np.int64) for name, column in columns.items()}


def positions(values: Ints, ordered: Ints) -> Ints:
    """Return the position of each of `values` in `ordered`, which holds them all, in any order."""
    by_value = np.argsort(ordered)
    return by_value[np.searchsorted(ordered[by_value], values)]


def running(values: Ints) -> Ints:
    """Return sums of the first 0, 1, ... values; whole numbers, hence exact differences."""
    return np.concatenate([[0], np.cumsum(values)])


def ratio(numerator: Floats | Ints, denominator: Floats | Ints) -> Floats:
    """Divide; NaN where the denominator is 0."""
    quotient = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


class Days:
    """Days on which something happened to groups (pairs, households, household-stores).

    Parameters
    ----------
    group, day : ndarray of shape (n_days,), int64
        Sorted by group, then day; unique. Groups are numbered from 0 without holes.
    """

    def __init__(self, group: Ints, day: Ints) -> None:
        self.day = day
        self._groups = np.arange(group[-1] + 1 if len(group) else 0)
        self._key = group * DAY_SPAN + day

    def before(self, day: int, groups: Ints | None = None) -> Ints:
        """Return, for each group (by default all), the position after its last entry before `day`."""
        chosen = self._groups if groups is None else groups
        return np.searchsorted(self._key, chosen * DAY_SPAN + day)
