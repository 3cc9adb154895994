"""Whether number columns can meet comparisons between two columns, exactly, with an example.

Linear constraints over fractions, ends open or closed, some variables whole: Fourier-Motzkin
elimination decides the real relaxation and gives a point of it; where the point misses a whole
number, a gap of its column or an unequal, the question is split in two there (branch and bound).
Constraints among whole columns only are tightened to whole bounds at every step, which decides
nearly all of them without a split (A. Schrijver, "Theory of linear and integer programming", 1986,
chapters 12 and 23).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from toolkit.errors import TooComplexError
from toolkit.knowledge.intervals import Interval

__all__ = ["Quantity", "Relation", "can_meet", "solve"]

MAX_SPLITS = 500
"""Questions that one question may be split into."""

MAX_CONSTRAINTS = 1_000
"""Constraints that eliminating the variables of one question may leave."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """The values that one column may take here.

    Parameters
    ----------
    intervals : tuple of Interval
        Separate, from low to high; with closed whole ends if `whole`.
    whole : bool
    """

    intervals: tuple[Interval, ...]
    whole: bool

    @property
    def hull(self) -> Interval:
        """The smallest interval that holds all values."""
        first, last = self.intervals[0], self.intervals[-1]
        return Interval(first.low, last.high, first.low_open, last.high_open)

    def split(self, value: Fraction) -> tuple[Quantity, ...] | None:
        """Return the values on either side of one that is none of them; None when it is."""
        off_grid = self.whole and value.denominator != 1
        if not off_grid and any(value in interval for interval in self.intervals):
            return None
        sides: list[Quantity] = []
        for side in (Interval(high=value), Interval(low=value)):
            parts = [interval.meet(side) for interval in self.intervals]
            if self.whole:
                parts = [part.whole() for part in parts]
            inside = tuple(part for part in parts if not part.empty)
            if inside:
                sides.append(Quantity(inside, self.whole))
        return tuple(sides)


@dataclass(frozen=True, slots=True)
class Relation:
    """``left_factor * left - right_factor * right`` has one of some signs.

    Parameters
    ----------
    left, right : str
    left_factor, right_factor : int
    signs : int
        Bits: 1 below zero, 2 zero, 4 above zero.
    """

    left: str
    left_factor: int
    right: str
    right_factor: int
    signs: int


def can_meet(quantities: Mapping[str, Quantity], relations: Sequence[Relation]) -> bool:
    """Tell whether some values meet all relations; as `solve`, but quick for a single inequality."""
    if len(relations) == 1 and relations[0].signs != 0b010:
        return _one_can_meet(quantities, relations[0])
    return solve(quantities, relations) is not None


def _one_can_meet(quantities: Mapping[str, Quantity], relation: Relation) -> bool:
    # What a difference of two free quantities can reach is known from their ends.
    left, right = quantities[relation.left].hull, quantities[relation.right].hull
    ends = []
    for sign in (1, -1):
        end: tuple[Fraction, bool] | None = (Fraction(0), True)
        for hull, factor in ((left, sign * relation.left_factor), (right, -sign * relation.right_factor)):
            limit, is_open = (hull.high, hull.high_open) if factor > 0 else (hull.low, hull.low_open)
            end = None if end is None or limit is None else (end[0] + factor * limit, end[1] and not is_open)
        ends.append(end)
    for end, sign in zip(ends, (0b100, 0b001), strict=True):
        if relation.signs & sign:
            touches = bool(relation.signs & 0b010)
            if end is None or end[0] > 0 or (touches and end[0] == 0 and end[1]):
                return True
    return False


def solve(quantities: Mapping[str, Quantity], relations: Sequence[Relation]) -> dict[str, Fraction] | None:
    """Return values that meet all relations, None when there are none.

    Parameters
    ----------
    quantities : mapping of str to Quantity
        Every column that a relation names, with at least one interval.
    relations : sequence of Relation

    Raises
    ------
    TooComplexError
        Not decided within `MAX_SPLITS` and `MAX_CONSTRAINTS`.
    """
    names = list(quantities)
    waiting = [(list(quantities.values()), list(relations))]
    for _ in range(MAX_SPLITS):
        if not waiting:
            return None
        values, signs = waiting.pop()
        point = _relaxed(names, values, signs)
        if point is None:
            continue
        for index, value in enumerate(point):
            sides = values[index].split(value)
            if sides is not None:
                waiting += [([*values[:index], side, *values[index + 1 :]], signs) for side in sides]
                break
        else:
            found = dict(zip(names, point, strict=True))
            broken = next((index for index, one in enumerate(signs) if not _met(one, found)), None)
            if broken is None:
                return found
            one = signs[broken]
            for side in (0b001, 0b100):
                parted = Relation(one.left, one.left_factor, one.right, one.right_factor, side)
                waiting.append((values, [*signs[:broken], parted, *signs[broken + 1 :]]))
    raise TooComplexError("the comparisons between columns are too entangled to be decided")


def _met(relation: Relation, point: Mapping[str, Fraction]) -> bool:
    difference = relation.left_factor * point[relation.left] - relation.right_factor * point[relation.right]
    return bool(relation.signs >> (1 + (difference > 0) - (difference < 0)) & 1)


_Bound = tuple[Fraction, bool]
_Constraints = dict[tuple[int, ...], _Bound]
"""Coefficients, without a common divisor -> (b, open): their sum over the point is >= b, or > b.

An empty key stands for ``0 >= 1``: the constraints exclude one another.
"""


def _add(
    constraints: _Constraints,
    coefficients: Sequence[int],
    bound: Fraction,
    is_open: bool,
    whole: Sequence[bool],
) -> None:
    """Add ``coefficients . point >= bound`` if it says more than what is there."""
    divisor = math.gcd(*coefficients)
    if divisor == 0:
        if bound > 0 or (bound == 0 and is_open):
            constraints[()] = (Fraction(1), False)
        return
    key = tuple(coefficient // divisor for coefficient in coefficients)
    bound /= divisor
    if all(whole[index] for index, coefficient in enumerate(key) if coefficient):
        bound, is_open = Fraction(math.floor(bound) + 1 if is_open else math.ceil(bound)), False
    known = constraints.get(key)
    if known is None or (bound, is_open) > known:
        constraints[key] = (bound, is_open)
        if len(constraints) > MAX_CONSTRAINTS:
            raise TooComplexError("the comparisons between columns are too many to be decided")


def _stated(names: Sequence[str], values: Sequence[Quantity], relations: Sequence[Relation]) -> _Constraints:
    """Return the real relaxation: hulls for intervals, nothing for an unequal."""
    whole = [quantity.whole for quantity in values]
    place = {name: index for index, name in enumerate(names)}
    constraints: _Constraints = {}

    def unit(index: int, sign: int) -> list[int]:
        return [sign * (other == index) for other in range(len(names))]

    for index, quantity in enumerate(values):
        hull = quantity.hull
        if hull.low is not None:
            _add(constraints, unit(index, 1), hull.low, hull.low_open, whole)
        if hull.high is not None:
            _add(constraints, unit(index, -1), -hull.high, hull.high_open, whole)
    for relation in relations:
        difference = [0] * len(names)
        difference[place[relation.left]] += relation.left_factor
        difference[place[relation.right]] -= relation.right_factor
        if not relation.signs & 0b001:
            _add(constraints, difference, Fraction(0), not relation.signs & 0b010, whole)
        if not relation.signs & 0b100:
            opposite = [-coefficient for coefficient in difference]
            _add(constraints, opposite, Fraction(0), not relation.signs & 0b010, whole)
    return constraints


def _relaxed(
    names: Sequence[str], values: Sequence[Quantity], relations: Sequence[Relation]
) -> list[Fraction] | None:
    """Return a point of the real relaxation, whole where that is easy; None when there is none."""
    whole = [quantity.whole for quantity in values]
    left = set(range(len(names)))
    steps: list[tuple[int, _Constraints]] = []
    constraints = _stated(names, values, relations)
    while left and () not in constraints:
        index = min(left, key=lambda index: _products(constraints, index))
        left.remove(index)
        steps.append((index, {key: bound for key, bound in constraints.items() if key[index]}))
        constraints = _eliminate(constraints, index, whole)
    if () in constraints:
        return None
    point = [Fraction(0)] * len(names)
    for index, bounds in reversed(steps):
        room = Interval()
        for key, (bound, is_open) in bounds.items():
            rest = bound - sum(key[other] * point[other] for other in range(len(names)) if other != index)
            end = rest / key[index]
            side = (
                Interval(low=end, low_open=is_open)
                if key[index] > 0
                else Interval(high=end, high_open=is_open)
            )
            room = room.meet(side)
        point[index] = room.example(whole=whole[index])
    return point


def _products(constraints: _Constraints, index: int) -> int:
    signs = [key[index] for key in constraints if key[index]]
    above = sum(sign > 0 for sign in signs)
    return above * (len(signs) - above)


def _eliminate(constraints: _Constraints, index: int, whole: Sequence[bool]) -> _Constraints:
    """Return what the constraints say about the other variables."""
    rest: _Constraints = {key: bound for key, bound in constraints.items() if not key[index]}
    above = [(key, bound) for key, bound in constraints.items() if key[index] > 0]
    below = [(key, bound) for key, bound in constraints.items() if key[index] < 0]
    for key, (bound, is_open) in above:
        for other, (other_bound, other_open) in below:
            up, down = -other[index], key[index]
            _add(
                rest,
                [up * one + down * two for one, two in zip(key, other, strict=True)],
                up * bound + down * other_bound,
                is_open or other_open,
                whole,
            )
    return rest
