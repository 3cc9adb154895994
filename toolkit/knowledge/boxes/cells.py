"""The values of one column cut into the few cells that conditions can tell apart.

A set of cells is a whole number used as a bit mask, bit 0 the first cell. Where a column says
nothing about missing values, missing is a cell of its own, the last, that no comparison meets;
where it does, a missing value is that value and needs no cell.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.condition import Member, Op, Pair
from toolkit.knowledge.entries import ColumnSpec

__all__ = ["ChoiceCells", "NumberCells", "SignCells", "oriented"]


class NumberCells:
    """The points and gaps of a number column between the numbers that conditions name.

    Parameters
    ----------
    spec : ColumnSpec
        Its range bounds the cells; gaps without a whole number are none where only those may be.
    cuts : iterable of Fraction
        The numbers that conditions name.
    """

    def __init__(self, spec: ColumnSpec, cuts: Iterable[Fraction]) -> None:
        self.whole = spec.type in ("whole number", "yes/no")
        bounds = (0, 1) if spec.type == "yes/no" else (spec.min, spec.max)
        low, high = (None if bound is None else Fraction(repr(bound)) for bound in bounds)
        self.range = Interval(low, high).whole() if self.whole else Interval(low, high)
        self.yes_no = spec.type == "yes/no"
        missing = spec.read(spec.missing)
        self.missing = missing if isinstance(missing, Fraction) else None
        self._cuts = sorted({cut for cut in cuts if cut in self.range})
        self._place = {cut: place for place, cut in enumerate(self._cuts)}
        # Places alternate: gap, point, gap, point, ..., gap. Only those that hold a number are cells.
        self._below = [0]
        for place in range(2 * len(self._cuts) + 1):
            self._below.append(self._below[-1] + (not self._at(place).empty))
        self.n_cells = self._below[-1]
        self.known = (1 << self.n_cells) - 1
        self.unknown = 1 << self.n_cells if self.missing is None else 0
        self.full = self.known | self.unknown

    def _at(self, place: int) -> Interval:
        index, is_point = divmod(place, 2)
        if is_point:
            cut = self._cuts[index]
            point = Interval(cut, cut)
            return point.whole() if self.whole else point
        low, low_open = (self._cuts[index - 1], True) if index else (self.range.low, False)
        high, high_open = (self._cuts[index], True) if index < len(self._cuts) else (self.range.high, False)
        gap = Interval(low, high, low_open, high_open)
        return gap.whole() if self.whole else gap

    @cached_property
    def _cells(self) -> list[Interval]:
        places = range(2 * len(self._cuts) + 1)
        return [self._at(place) for place in places if self._below[place] < self._below[place + 1]]

    def compare(self, op: Op, value: Fraction) -> int:
        """Return the cells where ``column op value`` holds.

        Raises
        ------
        ValueError
            `value` lies inside a cell.
        """
        place = self._place.get(value)
        if place is not None:
            less, not_more = self._below[2 * place + 1], self._below[2 * place + 2]
        elif value in self.range:
            raise ValueError(f"no condition of this space names {value}")
        else:
            above = self.range.high is not None and value > self.range.high
            less = not_more = self.n_cells if above else 0
        below, up_to = (1 << less) - 1, (1 << not_more) - 1
        if op in ("<", ">="):
            return below if op == "<" else self.known & ~below
        if op in ("<=", ">"):
            return up_to if op == "<=" else self.known & ~up_to
        return up_to & ~below if op == "==" else self.known & ~(up_to & ~below)

    def locate(self, value: Fraction | str | None) -> int:
        """Return the cell of a value, 0 when the column cannot take it."""
        number = self.missing if value is None else value
        if not isinstance(number, Fraction):
            return self.unknown if number is None else 0
        if number not in self.range or (self.whole and number.denominator != 1):
            return 0
        index = bisect_left(self._cuts, number)
        place = 2 * index + (index < len(self._cuts) and self._cuts[index] == number)
        return 1 << self._below[place]

    def intervals(self, mask: int) -> tuple[Interval, ...]:
        """Return the values of some cells as separate intervals, from low to high."""
        found = []
        left = mask & self.known
        while left:
            first = (left & -left).bit_length() - 1
            run = left >> first
            last = first + ((run + 1) & ~run).bit_length() - 2
            low, high = self._cells[first], self._cells[last]
            found.append(Interval(low.low, high.high, low.low_open, high.high_open))
            left &= ~((1 << (last + 1)) - 1)
        return tuple(found)

    def limits(self, mask: int) -> tuple[Interval, ...]:
        """Return `intervals` with no end where the column's own range is the only limit."""
        found = list(self.intervals(mask))
        if found and found[0].low == self.range.low and not found[0].low_open:
            found[0] = replace(found[0], low=None, low_open=False)
        if found and found[-1].high == self.range.high and not found[-1].high_open:
            found[-1] = replace(found[-1], high=None, high_open=False)
        return tuple(found)

    def example(self, mask: int) -> Fraction | None:
        """Return a value in one of some cells, at least one; missing only when there is no other."""
        intervals = self.intervals(mask)
        return intervals[0].example(whole=self.whole) if intervals else None


class ChoiceCells:
    """The values of a choice, those that occur in the same comparisons taken together.

    Parameters
    ----------
    spec : ColumnSpec
    levels : tuple of str, optional
        All values that the column can take; without them there is always another value.
    mentions : iterable of Member
        The comparisons.
    """

    def __init__(self, spec: ColumnSpec, levels: tuple[str, ...] | None, mentions: Iterable[Member]) -> None:
        self.missing = spec.missing if isinstance(spec.missing, str) else None
        sets = sorted({member.levels for member in mentions})
        named: dict[str, list[int]] = {}
        for number, members in enumerate(sets):
            for level in members:
                named.setdefault(level, []).append(number)
        if levels is not None:
            # What missing stands for is a value, whatever the list says.
            domain = dict.fromkeys(levels if self.missing is None else (*levels, self.missing))
        else:
            domain = dict.fromkeys((*named, _another(named)))
        classes: dict[tuple[int, ...], list[str]] = {}
        for level in domain:
            classes.setdefault(tuple(named.get(level, ())), []).append(level)
        self.open = levels is None
        self.classes = tuple(tuple(members) for members in classes.values())
        self.n_cells = len(self.classes)
        self.known = (1 << self.n_cells) - 1
        self.unknown = 1 << self.n_cells if self.missing is None else 0
        self.full = self.known | self.unknown
        self._cell = {level: cell for cell, members in enumerate(self.classes) for level in members}
        self._sets = {
            members: sum(1 << cell for cell, numbers in enumerate(classes) if number in numbers)
            for number, members in enumerate(sets)
        }

    def member(self, member: Member) -> int:
        """Return the cells where a comparison holds; ValueError when the space was made without it."""
        mask = self._sets.get(member.levels)
        if mask is None:
            raise ValueError(f"no condition of this space names {', '.join(member.levels)} together")
        return self.known & ~mask if member.negated else mask

    def locate(self, value: Fraction | str | None) -> int:
        """Return the cell of a value, 0 when the column cannot take it."""
        level = self.missing if value is None else value
        if level is None:
            return self.unknown
        if isinstance(level, str) and level not in self._cell and self.open:
            return 1 << self._cell[self._other]
        return 1 << self._cell[level] if isinstance(level, str) and level in self._cell else 0

    @cached_property
    def _other(self) -> str:
        return next(reversed(self._cell))

    def levels(self, mask: int) -> tuple[str, ...]:
        """Return the values in some cells; for a choice without a list, those that conditions name."""
        found = [level for cell, members in enumerate(self.classes) if mask >> cell & 1 for level in members]
        return tuple(level for level in found if not self.open or level != self._other)

    def written(self, mask: int) -> tuple[tuple[str, ...], bool]:
        """Return values, and whether they are the refused ones: what some cells allow, in few words."""
        allowed, refused = self.levels(mask), self.levels(self.known & ~mask)
        others_allowed = self.open and bool(self.locate(self._other) & mask)
        negated = others_allowed or (not self.open and len(refused) < len(allowed))
        return (refused if negated else allowed), negated

    def example(self, mask: int) -> str | None:
        """Return a value in one of some cells, at least one; missing only when there is no other."""
        cells = mask & self.known
        return self.classes[(cells & -cells).bit_length() - 1][0] if cells else None


def _another(named: Iterable[str]) -> str:
    text = "another value"
    while text in named:
        text += "'"
    return text


@dataclass(frozen=True)
class SignCells:
    """The sign of ``left_factor * left - right_factor * right``: below 0, 0, above 0.

    Parameters
    ----------
    pair : Pair
        Oriented; its operator does not matter.
    missing_possible : bool
        Either column can be missing, and then the sign is.
    """

    pair: Pair
    missing_possible: bool

    n_cells = 3
    known = 0b111

    @property
    def unknown(self) -> int:
        """The cell of a missing sign."""
        return 0b1000 if self.missing_possible else 0

    @property
    def full(self) -> int:
        """All cells."""
        return self.known | self.unknown

    def locate(self, left: Fraction | None, right: Fraction | None) -> int:
        """Return the cell for two values."""
        if left is None or right is None:
            return self.unknown
        difference = self.pair.left_factor * left - self.pair.right_factor * right
        return 1 << (1 + (difference > 0) - (difference < 0))

    def relations(self, mask: int) -> list[Pair]:
        """Return some signs as a comparison; none where all are allowed, or none is known."""
        op = _OPS.get(mask & self.known)
        return [] if op is None else [replace(self.pair, op=op)]


SIGNS: dict[Op, int] = {"<": 0b001, "==": 0b010, ">": 0b100, "<=": 0b011, ">=": 0b110, "!=": 0b101}
"""Signs of left minus right that a comparison allows."""

_OPS: dict[int, Op] = {mask: op for op, mask in SIGNS.items()}


def oriented(pair: Pair) -> tuple[Pair, int]:
    """Return a pair with its columns in order and a positive left factor, and the signs it allows.

    Two pairs about the same difference have the same oriented form, up to the operator.
    """
    signs = SIGNS[pair.op]
    divisor = math.gcd(pair.left_factor, pair.right_factor)
    left, right = (pair.left_factor // divisor, pair.left), (pair.right_factor // divisor, pair.right)
    swapped = pair.left > pair.right
    if swapped:
        left, right = right, left
    flipped = swapped != (left[0] < 0)
    if left[0] < 0:
        left, right = (-left[0], left[1]), (-right[0], right[1])
    if flipped:
        signs = (signs & 0b010) | (signs & 0b001) << 2 | signs >> 2
    return Pair(left[1], left[0], ">", right[1], right[0]), signs
