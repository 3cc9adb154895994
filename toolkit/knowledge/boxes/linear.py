"""Whether number columns can meet comparisons between two columns, exactly, with an example.

Linear constraints over fractions, ends open or closed, some variables whole: Fourier-Motzkin
elimination decides the real relaxation and gives a point of it; where the point misses a whole
number, a gap of its column or an unequal, the question is split in two there (branch and bound).
Constraints among whole columns only are tightened to whole bounds at every step, which decides
nearly all of them without a split (A. Schrijver, "Theory of linear and integer programming", 1986,
chapters 12 and 23).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.elimination import Constraints, add, point
from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.boxes.parts import Budget

__all__ = ["Quantity", "Relation", "can_meet", "solve"]

MAX_SPLITS = 500
"""Questions that one question may be split into."""

_INEQUALITIES = (0b001, 0b011, 0b100, 0b110)


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
        sides = (self.within(Interval(high=value)), self.within(Interval(low=value)))
        return tuple(side for side in sides if side is not None)

    def within(self, limit: Interval) -> Quantity | None:
        """Return the values inside an interval, None when there are none."""
        parts = [interval.meet(limit) for interval in self.intervals]
        if self.whole:
            parts = [part.whole() for part in parts]
        inside = tuple(part for part in parts if not part.empty)
        return Quantity(inside, self.whole) if inside else None


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


def can_meet(quantities: Mapping[str, Quantity], relations: Sequence[Relation], budget: Budget) -> bool:
    """Tell whether some values meet all relations; as `solve`, but quick where no circle of relations is.

    A column that only one inequality names may as well take its end: what is left is a limit of the
    other column. That is exact for whole columns and columns with gaps, too.
    """
    rooms, left = dict(quantities), list(relations)
    while left:
        uses = Counter(name for relation in left for name in (relation.left, relation.right))
        found = next(
            (
                (relation, name)
                for relation in left
                for name in (relation.left, relation.right)
                if uses[name] == 1 and relation.signs in _INEQUALITIES
            ),
            None,
        )
        if found is None:
            return solve(rooms, left, budget) is not None
        relation, leaf = found
        left.remove(relation)
        other = relation.right if leaf == relation.left else relation.left
        limit = _limit(relation, leaf, rooms[leaf].hull)
        room = rooms[other].within(limit)
        if room is None:
            return False
        rooms[other] = room
    return True


def _limit(relation: Relation, leaf: str, hull: Interval) -> Interval:
    """Return what an inequality asks of one column when the other is free in `hull`."""
    direction = 1 if relation.signs & 0b100 else -1
    own, other = direction * relation.left_factor, -direction * relation.right_factor
    if leaf != relation.left:
        own, other = other, own
    end, is_open = (hull.high, hull.high_open) if own > 0 else (hull.low, hull.low_open)
    if end is None:
        return Interval()
    bound, is_open = -own * end / other, is_open or not relation.signs & 0b010
    return Interval(low=bound, low_open=is_open) if other > 0 else Interval(high=bound, high_open=is_open)


def solve(
    quantities: Mapping[str, Quantity], relations: Sequence[Relation], budget: Budget
) -> dict[str, Fraction] | None:
    """Return values that meet all relations, None when there are none.

    Parameters
    ----------
    quantities : mapping of str to Quantity
        Every column that a relation names, with at least one interval.
    relations : sequence of Relation
    budget : Budget
        A step is one combination of two constraints.

    Raises
    ------
    TooComplexError
        Not decided within the budget and `MAX_SPLITS`.
    """
    found: dict[str, Fraction] = {}
    for connected in _components(relations):
        names = {name for relation in connected for name in (relation.left, relation.right)}
        values = _solve({name: quantities[name] for name in sorted(names)}, connected, budget)
        if values is None:
            return None
        found.update(values)
    return found


def _components(relations: Sequence[Relation]) -> list[list[Relation]]:
    """Return relations that share columns together, the smallest first."""
    found: list[tuple[set[str], list[Relation]]] = []
    for relation in relations:
        names, members = {relation.left, relation.right}, [relation]
        apart = []
        for others, connected in found:
            if names.isdisjoint(others):
                apart.append((others, connected))
            else:
                names, members = names | others, connected + members
        found = [*apart, (names, members)]
    return sorted((members for _, members in found), key=len)


def _solve(
    quantities: Mapping[str, Quantity], relations: list[Relation], budget: Budget
) -> dict[str, Fraction] | None:
    names = list(quantities)
    waiting = [(list(quantities.values()), relations)]
    for _ in range(MAX_SPLITS):
        if not waiting:
            return None
        values, signs = waiting.pop()
        whole = [quantity.whole for quantity in values]
        place = point(_relaxed(names, values, signs), whole, budget)
        if place is None:
            continue
        for index, value in enumerate(place):
            sides = values[index].split(value)
            if sides is not None:
                waiting += [([*values[:index], side, *values[index + 1 :]], signs) for side in sides]
                break
        else:
            found = dict(zip(names, place, strict=True))
            broken = next((index for index, one in enumerate(signs) if not _met(one, found)), None)
            if broken is None:
                return found
            # Only an unequal can be broken here: it says nothing in the relaxation.
            one = signs[broken]
            for side in (0b001, 0b100):
                parted = replace(one, signs=side)
                waiting.append((values, [*signs[:broken], parted, *signs[broken + 1 :]]))
    raise TooComplexError("the comparisons between columns are too entangled to be decided")


def _met(relation: Relation, point: Mapping[str, Fraction]) -> bool:
    difference = relation.left_factor * point[relation.left] - relation.right_factor * point[relation.right]
    return bool(relation.signs >> (1 + (difference > 0) - (difference < 0)) & 1)


def _relaxed(names: Sequence[str], values: Sequence[Quantity], relations: Sequence[Relation]) -> Constraints:
    """Return the real relaxation: hulls for intervals, nothing for an unequal."""
    whole = [quantity.whole for quantity in values]
    place = {name: index for index, name in enumerate(names)}
    constraints: Constraints = {}

    def unit(index: int, sign: int) -> list[int]:
        return [sign * (other == index) for other in range(len(names))]

    for index, quantity in enumerate(values):
        hull = quantity.hull
        if hull.low is not None:
            add(constraints, unit(index, 1), hull.low, hull.low_open, whole)
        if hull.high is not None:
            add(constraints, unit(index, -1), -hull.high, hull.high_open, whole)
    for relation in relations:
        difference = [0] * len(names)
        difference[place[relation.left]] += relation.left_factor
        difference[place[relation.right]] -= relation.right_factor
        if not relation.signs & 0b001:
            add(constraints, difference, Fraction(0), not relation.signs & 0b010, whole)
        if not relation.signs & 0b100:
            opposite = [-coefficient for coefficient in difference]
            add(constraints, opposite, Fraction(0), not relation.signs & 0b010, whole)
    return constraints
