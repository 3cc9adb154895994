"""All pairs of regions at once: which overlap, and which lies within which.

Boxes are compared column by column in numpy, as ranges of cell numbers where a set of cells has no
gap and as words of bits where it has. That settles every pair of single boxes. What is left,
regions of several boxes and differences of columns, is first put to the test by a few points of
each box, which refutes nearly all of the rest; the remaining pairs are decided one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.parts import Budget
from toolkit.knowledge.boxes.regions import Region
from toolkit.knowledge.boxes.table import BoxTable

__all__ = ["Pairwise", "pairwise"]

MAX_BOXES = 4_000
"""Boxes that are compared all with all; regions with the most boxes are left out beyond."""

MAX_STEPS = 300_000
"""Steps that deciding the remaining pairs of regions may take, all together."""

_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairwise:
    """How regions lie to one another.

    Parameters
    ----------
    overlap : ndarray of shape (n, n)
        Some row lies in both.
    within : ndarray of shape (n, n)
        ``[i, j]``: every row of i lies in j; true where i has no row.
    unknown : ndarray of shape (n, n)
        Not decided within the budget; the other two say no there.
    """

    overlap: _Bools
    within: _Bools
    unknown: _Bools


def pairwise(regions: Sequence[Region]) -> Pairwise:
    """Return which regions of one space overlap, and which lie within which.

    Parameters
    ----------
    regions : sequence of Region
    """
    n = len(regions)
    overlap, within, unknown = (np.zeros((n, n), np.bool_) for _ in range(3))
    kept = _affordable(regions)
    if kept.size:
        among = np.ix_(kept, kept)
        overlap[among], within[among], unknown[among] = _compared([regions[index] for index in kept])
    full = np.array([bool(region) for region in regions], np.bool_)
    within[~full] = True
    dropped = full.copy()
    dropped[kept] = False
    unknown[dropped] = full
    unknown[:, dropped] = full[:, None]
    np.fill_diagonal(overlap, full)
    np.fill_diagonal(within, val=True)
    np.fill_diagonal(unknown, val=False)
    return Pairwise(overlap, within, unknown)


def _affordable(regions: Sequence[Region]) -> NDArray[np.intp]:
    """Return the regions with a row, as many as `MAX_BOXES` allows, those of few boxes first."""
    sizes = np.array([len(region.parts) for region in regions], np.intp)
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    return np.sort(order[np.cumsum(sizes[order]) <= MAX_BOXES])


def _compared(regions: Sequence[Region]) -> tuple[_Bools, _Bools, _Bools]:
    """Return overlap, within and unknown of regions, each with a row."""
    parts = [part for region in regions for part in region.parts]
    sizes = np.array([len(region.parts) for region in regions])
    owners = np.repeat(np.arange(len(regions)), sizes)
    table = BoxTable(parts, regions[0].space)
    meets = table.overlap()
    undecided = table.decide(meets)
    # Box by box and region by region are the same both ways round, so rows are joined twice.
    overlap = _any(_any(meets, owners).T, owners)
    unknown = _any(_any(undecided, owners).T, owners) & ~overlap
    uncovered = ~_any(table.covers(), owners).T
    within = ~_any(uncovered, owners)
    signed = np.zeros(len(regions), np.bool_)
    signed[owners[table.signed]] = True
    hard = signed[:, None] | (signed | (sizes > 1))
    np.fill_diagonal(hard, val=False)
    open_pairs = hard & (overlap | unknown) & ~within
    for points in table.points() if open_pairs.any() else ():
        outside = ~_any(table.inside(points), owners)
        open_pairs &= ~_any(outside.T, owners)
    budget = Budget(MAX_STEPS)
    for one, other in np.argwhere(open_pairs):
        try:
            within[one, other] = not regions[one].outside([regions[other]], budget)
        except TooComplexError:
            unknown[one, other] = True
    return overlap, within, unknown


def _any(values: _Bools, owners: NDArray[np.intp]) -> _Bools:
    """Return, for each owner of rows, where any of its rows is true; owners in order."""
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    if len(first) == len(owners):
        return values
    found = values[first]
    for row in np.setdiff1d(np.arange(len(owners)), first, assume_unique=True):
        found[owners[row]] |= values[row]
    return found
