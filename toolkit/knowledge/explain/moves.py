"""Moving rows into a box, as little as needed: column by column, then until comparisons of columns hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.boxes.regions import Box, Limits
from toolkit.knowledge.condition import Op, Pair
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.explain.sides import ChoiceSide, Moved, NumberSide, Side, beside

__all__ = ["Column", "RuleBox"]

_Floats = NDArray[np.float64]

_SIGNS: dict[Op, tuple[int, ...]] = {
    "<": (-1,),
    "<=": (-1, 0),
    ">": (1,),
    ">=": (0, 1),
    "==": (0,),
    "!=": (-1, 1),
}
"""Signs of left minus right that a comparison of two columns allows."""


@dataclass(frozen=True)
class Column:
    """A column's values, with what missing stands for in its place.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,)
        Codes for a choice, -1 where missing; NaN for a number that is still missing.
    missing : ndarray of shape (n_rows,)
        Where the row itself says nothing.
    dtype : dtype
        Of the column's own array.
    """

    numbers: _Floats
    missing: NDArray[np.bool_]
    dtype: np.dtype[np.generic]

    def take(self, rows: NDArray[np.intp]) -> Column:
        """Return some rows."""
        return Column(self.numbers[rows], self.missing[rows], self.dtype)


@dataclass(frozen=True)
class RuleBox:
    """A box of a rule: the rule fires on the rows in it.

    Parameters
    ----------
    rule : int
    sides : tuple of Side
        One for each column; those that are compared have one interval.
    pairs : tuple of Pair
        Comparisons of two columns that must hold too.
    """

    rule: int
    sides: tuple[Side, ...]
    pairs: tuple[Pair, ...] = ()

    @classmethod
    def split(
        cls,
        rule: int,
        box: Box,
        specs: Mapping[str, ColumnSpec],
        levels: Mapping[str, tuple[str, ...]],
        scales: Mapping[str, float],
    ) -> Iterator[RuleBox]:
        """Yield a box as sides, one for each choice of intervals where columns are compared.

        Parameters
        ----------
        rule : int
        box : Box
        specs : mapping of str to ColumnSpec
        levels : mapping of str to tuple of str
            Of the choice columns, in order of code.
        scales : mapping of str to float
            The difference of each column that costs 1.
        """
        limits = dict(box.limits)
        compared = dict.fromkeys(name for pair in box.pairs for name in (pair.left, pair.right))
        for name in compared:
            limits.setdefault(name, Limits(intervals=(Interval(),)))
        split = [[(name, (each,)) for each in limits[name].intervals] for name in compared]
        for chosen in itertools.product(*split):
            intervals = dict(chosen)
            sides = tuple(
                _side(name, limit, intervals.get(name, limit.intervals), specs[name], levels, scales)
                for name, limit in limits.items()
            )
            if sides:
                yield cls(rule, sides, box.pairs)

    def moved(self, columns: Mapping[str, Column]) -> tuple[dict[str, Moved], _Floats]:
        """Move rows into the box.

        Parameters
        ----------
        columns : mapping of str to Column

        Returns
        -------
        moved : dict of str to Moved
            One for each column of the box.
        distance : ndarray of shape (n_rows,)
            What the moves cost together; infinite where no way in was found.
        """
        inside = {}
        for side in self.sides:
            column = columns[side.column]
            inside[side.column] = side.moved(column.numbers, column.dtype)
        if not self.pairs:
            return inside, _total(inside)
        # of two columns that are compared either may be the cheaper one to move
        one, other = (self._paired(columns, inside, left_first=first) for first in (True, False))
        totals = _total(one), _total(other)
        better = totals[1] < totals[0]
        chosen = {
            name: Moved(
                targets=np.where(better, other[name].targets, one[name].targets),
                costs=np.where(better, other[name].costs, one[name].costs),
                ends=np.where(better, other[name].ends, one[name].ends),
                texts=inside[name].texts,
            )
            for name in inside
        }
        return chosen, np.minimum(*totals)

    def _paired(
        self, columns: Mapping[str, Column], inside: Mapping[str, Moved], *, left_first: bool
    ) -> dict[str, Moved]:
        """Move on until the comparisons hold too, one after the other."""
        sides = {side.column: side for side in self.sides if isinstance(side, NumberSide)}
        values = {name: moved.targets for name, moved in inside.items()}

        def movable(name: str) -> _Movable:
            return _Movable(values[name], sides[name], columns[name].dtype)

        for pair in self.pairs:
            values[pair.left], values[pair.right] = _related(
                pair, movable(pair.left), movable(pair.right), left_first=left_first
            )
        hold = np.all([_holds(pair, values[pair.left], values[pair.right]) for pair in self.pairs], axis=0)
        found = {}
        for name, moved in inside.items():
            costs, ends = moved.costs, moved.ends
            if name in sides:
                before = columns[name].numbers
                away = np.abs(values[name] - before) / sides[name].scale
                costs = np.where(np.isnan(before), moved.costs, away)
                ends = np.where(values[name] == moved.targets, ends, -1)
            found[name] = Moved(values[name], np.where(hold, costs, np.inf), ends, moved.texts)
        return found


def _side(
    name: str,
    limits: Limits,
    intervals: tuple[Interval, ...],
    spec: ColumnSpec,
    levels: Mapping[str, tuple[str, ...]],
    scales: Mapping[str, float],
) -> Side:
    if spec.type == "choice":
        missing = spec.missing if isinstance(spec.missing, str) else None
        return ChoiceSide(name, limits, levels[name], missing)
    return NumberSide(name, intervals, spec, scales[name], limits.may_be_missing)


def _total(moved: Mapping[str, Moved]) -> _Floats:
    total: _Floats = np.sum([each.costs for each in moved.values()], axis=0)
    return total


@dataclass(frozen=True)
class _Movable:
    """One column of a comparison of two: its values, and the interval that it stays in."""

    numbers: _Floats
    side: NumberSide
    dtype: np.dtype[np.generic]

    def towards(self, factor: int, other: _Floats, signs: tuple[int, ...]) -> _Floats:
        """Return the nearest values for which the sign of ``factor * value - other`` is one of `signs`.

        Where the interval ends before, the value at its end.
        """
        difference = np.sign(factor * self.numbers - other)
        rises = (difference < 0) | ((difference == 0) & (1 in signs))
        up = rises == (factor > 0)
        wanted = other / factor
        if self.side.whole or self.dtype.kind != "f":
            beyond = np.where(up, np.ceil(wanted), np.floor(wanted))
            wanted = np.rint(wanted) if signs == (0,) else beyond
            stepped = np.where(up, wanted + 1, wanted - 1)
        else:
            wanted = wanted.astype(self.dtype).astype(np.float64)
            stepped = beside(wanted, np.where(up, self.side.step, -self.side.step), self.dtype)
        reached = np.sign(factor * wanted - other)
        enough = (reached == np.where(rises, 1, -1)) | ((reached == 0) & (0 in signs)) | (signs == (0,))
        (ends,) = self.side.ends(self.dtype)
        new = np.clip(np.where(enough, wanted, stepped), ends.lowest, ends.highest)
        return np.where(np.isin(difference, signs), self.numbers, new)


def _related(pair: Pair, left: _Movable, right: _Movable, *, left_first: bool) -> tuple[_Floats, _Floats]:
    """Move one column, and the other where that is not enough, until a comparison of them holds."""
    signs = _SIGNS[pair.op]
    mirrored = tuple(-sign for sign in signs)
    x, y = left.numbers, right.numbers
    if left_first:
        x = left.towards(pair.left_factor, pair.right_factor * y, signs)
        y = right.towards(pair.right_factor, pair.left_factor * x, mirrored)
    else:
        y = right.towards(pair.right_factor, pair.left_factor * x, mirrored)
        x = left.towards(pair.left_factor, pair.right_factor * y, signs)
    return x, y


def _holds(pair: Pair, left: _Floats, right: _Floats) -> NDArray[np.bool_]:
    return np.isin(np.sign(pair.left_factor * left - pair.right_factor * right), _SIGNS[pair.op])
