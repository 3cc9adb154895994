"""Boxes as arrays: all pairs compared column by column.

Where a set of cells has no gap it is a range of cell numbers, and two ranges are compared with two
comparisons; where it has, it is words of bits. Differences of columns are decided from the values
that their columns can reach, in floating point where the margin allows it and exactly where not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.cells import NumberCells, SignCells
from toolkit.knowledge.boxes.parts import Part, meet
from toolkit.knowledge.boxes.regions import Space

__all__ = ["BoxTable"]

MAX_EXACT = 20_000
"""Pairs of boxes whose differences of columns are decided one by one."""

_WORD = 64

_ROUNDING = 1e-12
"""More than the relative error of two products and their sum."""

_TINY = 1e-290
"""More than the absolute error of numbers too small for a relative one."""

_INEQUALITIES = (0b001, 0b011, 0b100, 0b110)
"""Signs that a difference can have if it can go far enough in one direction."""

_Bools = NDArray[np.bool_]
_Ints = NDArray[np.int32]


@dataclass(frozen=True)
class _Limited:
    """What boxes say of one column.

    Parameters
    ----------
    place : int
    rows : ndarray of shape (n,)
        The boxes that limit the column.
    low, high : ndarray of shape (n,)
        First and last cell allowed.
    gaps : ndarray
        Which of the n have a gap in between.
    words : ndarray of shape (n_words, n)
        Allowed cells as bits; no words where no box has a gap.
    """

    place: int
    rows: NDArray[np.intp]
    low: _Ints
    high: _Ints
    gaps: NDArray[np.intp]
    words: NDArray[np.uint64]

    @classmethod
    def of(cls, place: int, masks: dict[int, int], n_cells: int) -> _Limited:
        """Return the arrays for box -> cells."""
        low = np.array([(mask & -mask).bit_length() - 1 for mask in masks.values()], np.int32)
        high = np.array([mask.bit_length() - 1 for mask in masks.values()], np.int32)
        counts = np.array([mask.bit_count() for mask in masks.values()], np.int32)
        gaps = np.flatnonzero(counts != high - low + 1)
        n_words = -(-n_cells // _WORD) if gaps.size else 0
        packed = b"".join(mask.to_bytes(8 * n_words, "little") for mask in masks.values()) if n_words else b""
        words = np.frombuffer(packed, "<u8").reshape(len(masks) if n_words else 0, n_words).T
        rows = np.fromiter(masks, np.intp, len(masks))
        return cls(place, rows, low, high, gaps, np.ascontiguousarray(words))

    def shared(self) -> _Bools:
        """Return whether two boxes allow the same cell, shape (n, n)."""
        starts_before_end = self.low[:, None] <= self.high
        shared: _Bools = starts_before_end & starts_before_end.T
        if self.gaps.size:
            exact = np.zeros((len(self.gaps), len(self.rows)), np.bool_)
            for word in self.words:
                exact |= (word[self.gaps, None] & word) != 0
            shared[self.gaps] = exact
            shared[:, self.gaps] = exact.T
        return shared

    def contains(self) -> _Bools:
        """Return whether one box allows all cells that another does, shape (n outer, n inner)."""
        contains: _Bools = (self.low[:, None] <= self.low) & (self.high[:, None] >= self.high)
        if self.gaps.size:
            exact = np.ones((len(self.gaps), len(self.rows)), np.bool_)
            for word in self.words:
                exact &= (~word[self.gaps, None] & word) == 0
            contains[self.gaps] = exact
        return contains

    def allows(self, cells: _Ints) -> _Bools:
        """Return whether boxes allow some cells, shape (n, n_cells); -1 is allowed everywhere."""
        allows: _Bools = (self.low[:, None] <= cells) & (cells <= self.high[:, None])
        if self.gaps.size:
            known = np.maximum(cells, 0)
            words = self.words[known // _WORD][:, self.gaps].T
            allows[self.gaps] = (words >> (known % _WORD).astype(np.uint64)) & np.uint64(1) != 0
        allows[:, cells < 0] = True
        return allows


class BoxTable:
    """Some boxes of one space.

    Parameters
    ----------
    parts : sequence of Part
        Each with at least one row.
    space : Space

    Attributes
    ----------
    signed : ndarray of shape (n_boxes,)
        The boxes that limit a difference of columns.
    """

    def __init__(self, parts: Sequence[Part], space: Space) -> None:
        self.parts = parts
        self.space = space
        masks: list[dict[int, int]] = [{} for _ in space.domains]
        for index, part in enumerate(parts):
            for place, mask in part.items():
                masks[place][index] = mask
        self.columns = {
            place: _Limited.of(place, limited, space.full[place].bit_length())
            for place, limited in enumerate(masks)
            if limited
        }
        self.signed = np.zeros(len(parts), np.bool_)
        for sign in space.links.sides:
            self.signed[list(masks[sign])] = True

    def overlap(self) -> _Bools:
        """Return whether two boxes share their cells in every column, shape (n, n)."""
        n = len(self.parts)
        overlap = np.ones((n, n), np.bool_)
        for column in self.columns.values():
            if len(column.rows) == n:
                overlap &= column.shared()
            else:
                overlap[np.ix_(column.rows, column.rows)] &= column.shared()
        return overlap

    def covers(self) -> _Bools:
        """Return whether one box lies in another, cell by cell, shape (n outer, n inner)."""
        n = len(self.parts)
        covers = np.ones((n, n), np.bool_)
        for column in self.columns.values():
            if len(column.rows) == n:
                covers &= column.contains()
            else:
                wide = np.zeros((len(column.rows), n), np.bool_)
                wide[:, column.rows] = column.contains()
                covers[column.rows] &= wide
        return covers

    def inside(self, points: _Ints) -> _Bools:
        """Return whether points may lie in boxes, shape (n, n_points); sure when it says no."""
        inside = np.ones((len(self.parts), len(points)), np.bool_)
        for place, column in self.columns.items():
            inside[column.rows] &= column.allows(points[:, place])
        return inside

    def points(self) -> Iterator[_Ints]:
        """Yield points, one in each box, as cells, shape (n, n_places); -1 is a cell not known."""
        located = {index: self._located(index) for index in np.flatnonzero(self.signed).tolist()}
        for last in (False, True):
            points = np.empty((len(self.parts), len(self.space.domains)), np.int32)
            for place, cells in enumerate(self.space.domains):
                # Left free, a column is best missing: hardly another box allows that.
                points[:, place] = cells.n_cells - 1 if last and not cells.unknown else 0
                if cells.unknown:
                    points[:, place] = cells.n_cells
                column = self.columns.get(place)
                if column is not None:
                    points[column.rows, place] = column.high if last else column.low
            for sign, sides in self.space.links.sides.items():
                missing = [points[:, side] == self.space.domains[side].n_cells for side in sides]
                points[:, sign] = np.where(missing[0] | missing[1], self.space.domains[sign].n_cells, -1)
            for index, cells_of_row in located.items():
                points[index] = cells_of_row
            yield points

    def _located(self, index: int) -> list[int]:
        """Return the cells of a row in a box that limits a difference."""
        try:
            row = self.space.row(self.parts[index])
        except TooComplexError:
            row = None
        if row is None:
            return [-1] * len(self.space.domains)
        return [cell.bit_length() - 1 for cell in self.space.locate(row)]

    def decide(self, overlap: _Bools) -> _Bools:
        """Strike out, in place, overlaps that differences of columns forbid; return those not decided."""
        undecided = np.zeros_like(overlap)
        signed = np.flatnonzero(self.signed)
        if not signed.size:
            return undecided
        places = self.space.links.places
        linked = [{place: part[place] for place in part.keys() & places} for part in self.parts]
        reaches = {side: _Reach(self, side) for side in {*itertools.chain(*self.space.links.sides.values())}}
        estimates = {one: self._estimated(one, reaches) for one in signed.tolist()}
        sides = {one: self._sides(one) for one in estimates}
        left = MAX_EXACT
        for one, (possible, impossible) in estimates.items():
            overlap[one, impossible] = overlap[impossible, one] = False
            asked = overlap[one] & ~(possible & ~self.signed)
            asked[: one + 1] &= ~self.signed[: one + 1]
            for other in np.flatnonzero(asked & possible & self.signed).tolist():
                # Two inequalities about four columns, each with room where the other holds, are both met.
                asked[other] = not (estimates[other][0][one] and sides[one].isdisjoint(sides[other]))
            others = np.flatnonzero(asked)
            for other in others[:left].tolist():
                both = meet(linked[one], linked[other])
                try:
                    met = both is not None and self.space.links.possible(both)
                except TooComplexError:
                    met = False
                    undecided[one, other] = undecided[other, one] = True
                overlap[one, other] = overlap[other, one] = met
            beyond = others[left:]
            overlap[one, beyond] = overlap[beyond, one] = False
            undecided[one, beyond] = undecided[beyond, one] = True
            left = max(0, left - len(others))
        return undecided

    def _sides(self, one: int) -> set[int]:
        """Return the columns of the differences that a box limits."""
        links = self.space.links
        return {side for sign in links.signs(self.parts[one]) for side in links.sides[sign]}

    def _estimated(self, one: int, reaches: Mapping[int, _Reach]) -> tuple[_Bools, _Bools]:
        """Return which boxes leave room for the difference that one box limits, and which surely do not.

        Whether they limit differences themselves is not looked at.
        """
        part, links = self.parts[one], self.space.links
        signs = links.signs(part)
        cells, allowed = self.space.domains[signs[0]], part[signs[0]]
        nothing = np.zeros(len(self.parts), np.bool_)
        if len(signs) > 1 or allowed not in _INEQUALITIES or not isinstance(cells, SignCells):
            return nothing, nothing
        sides = [reaches[side] for side in links.sides[signs[0]]]
        if sides[0].gaps[one] or sides[1].gaps[one]:
            return nothing, nothing
        upwards = 1 if allowed & 0b100 else -1
        factors = (upwards * cells.pair.left_factor, -upwards * cells.pair.right_factor)
        terms = [factor * side.end(one, factor > 0) for factor, side in zip(factors, sides, strict=True)]
        most = terms[0] + terms[1]
        margin = _ROUNDING * (np.abs(terms[0]) + np.abs(terms[1])) + _TINY
        plain = ~sides[0].gaps & ~sides[1].gaps
        return plain & ((most > margin) | np.isinf(most)), most < -margin


class _Reach:
    """The values of one number column that boxes allow, in floating point."""

    def __init__(self, table: BoxTable, place: int) -> None:
        cells = table.space.domains[place]
        if not isinstance(cells, NumberCells):
            raise TypeError(f"'{table.space.names[place]}' holds no numbers")
        n = len(table.parts)
        self.low, self.high = np.zeros(n, np.int32), np.full(n, cells.n_cells - 1, np.int32)
        self.gaps = np.zeros(n, np.bool_)
        column = table.columns.get(place)
        if column is not None:
            self.low[column.rows], self.high[column.rows] = column.low, column.high
            self.gaps[column.rows[column.gaps]] = True
            self.gaps[column.rows[column.high >= cells.n_cells]] = True
        intervals = [cells.intervals(1 << cell)[0] for cell in range(cells.n_cells)]
        self.ends = (
            np.array([-np.inf if one.low is None else float(one.low) for one in intervals]),
            np.array([np.inf if one.high is None else float(one.high) for one in intervals]),
        )

    def end(self, one: int, upper: bool) -> NDArray[np.float64]:
        """Return the highest or lowest value that a box shares with each box, shape (n,)."""
        shared = np.minimum(self.high[one], self.high) if upper else np.maximum(self.low[one], self.low)
        ends: NDArray[np.float64] = self.ends[upper][np.clip(shared, 0, len(self.ends[upper]) - 1)]
        return ends
