"""Which boxes hold a row although they limit differences of columns, and which row.

The sign of a difference depends on its two columns, which cells alone do not know: a box with
``x < 3``, ``y > 5`` and ``x - y > 0`` has no empty set of cells, and no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from toolkit.knowledge.boxes.cells import ChoiceCells, NumberCells, SignCells
from toolkit.knowledge.boxes.linear import Quantity, Relation, can_meet, solve
from toolkit.knowledge.boxes.parts import Budget, Part, meet

__all__ = ["Links"]

MAX_STEPS = 100_000
"""Combinations of two constraints for all questions of one space: some seconds."""

_SIGNS = 0b111

_Solved = tuple[Part, Mapping[str, Fraction]]


class Links:
    """The differences of a space and their columns.

    Parameters
    ----------
    domains : sequence of NumberCells, ChoiceCells or SignCells
    names : sequence of str
        Names of the columns, which come before the differences.
    budget : Budget, optional
        `MAX_STEPS` when left out; answers are remembered and cost it once.
    """

    def __init__(
        self,
        domains: Sequence[NumberCells | ChoiceCells | SignCells],
        names: Sequence[str],
        budget: Budget | None = None,
    ) -> None:
        place = {name: index for index, name in enumerate(names)}
        self._domains = domains
        self._names = names
        self.sides = {
            index: (place[domain.pair.left], place[domain.pair.right])
            for index, domain in enumerate(domains)
            if isinstance(domain, SignCells)
        }
        self.places = {index for sign, sides in self.sides.items() for index in (sign, *sides)}
        self._possible: dict[frozenset[tuple[int, int]], bool] = {}
        self._quantities: dict[tuple[int, int], Quantity] = {}
        self._solved: dict[frozenset[tuple[int, int]], _Solved | None] = {}
        self._budget = budget or Budget(MAX_STEPS)

    def signs(self, part: Part) -> list[int]:
        """Return the differences that a box limits."""
        return sorted(part.keys() & self.sides.keys())

    def known(self, sign: int) -> Part:
        """Return the box in which both columns of a difference are known."""
        sides = (side for side in self.sides[sign] if self._domains[side].unknown)
        return {side: self._domains[side].known for side in sides}

    def possible(self, part: Part) -> bool:
        """Tell whether a box holds a row.

        Raises
        ------
        TooComplexError
            Too many comparisons between columns.
        """
        if self.sides.keys().isdisjoint(part):
            return True
        key = frozenset(item for item in part.items() if item[0] in self.places)
        known = self._possible.get(key)
        if known is None:
            known = any(can_meet(*self._question(case), self._budget) for case in self._cases(dict(key)))
            self._possible[key] = known
        return known

    def solved(self, part: Part) -> _Solved | None:
        """Return a box inside one, and values for the columns that differences limit there, or None.

        Raises
        ------
        TooComplexError
            Too many comparisons between columns.
        """
        key = frozenset(item for item in part.items() if item[0] in self.places)
        if key not in self._solved:
            self._solved[key] = self._solve(dict(key))
        found = self._solved[key]
        return None if found is None else ({**part, **found[0]}, found[1])

    def _solve(self, part: Part) -> _Solved | None:
        for case in self._cases(part):
            values = solve(*self._question(case), self._budget)
            if values is not None:
                return case, values
        return None

    def _cases(self, part: Part) -> Iterator[Part]:
        """Split a box until each sign is limited only where both of its columns are known."""
        for sign in self.signs(part):
            sides, mask = self.sides[sign], part[sign]
            if mask & self._domains[sign].unknown:
                rest = {place: cells for place, cells in part.items() if place != sign}
                cases = [
                    meet(rest, {side: self._domains[side].unknown})
                    for side in sides
                    if self._domains[side].unknown
                ]
                cases.append(meet(part, {**self.known(sign), sign: _SIGNS}))
                for case in cases:
                    if case is not None:
                        yield from self._cases(case)
                return
            met = meet(part, self.known(sign))
            if met is None:
                return
            part = met
        yield part

    def _question(self, case: Part) -> tuple[dict[str, Quantity], list[Relation]]:
        quantities: dict[str, Quantity] = {}
        relations = []
        for sign in self.signs(case):
            domain = self._domains[sign]
            if isinstance(domain, SignCells):
                pair = domain.pair
                relations.append(
                    Relation(pair.left, pair.left_factor, pair.right, pair.right_factor, case[sign])
                )
                for side in self.sides[sign]:
                    cells = case.get(side, self._domains[side].known)
                    quantities[self._names[side]] = self._quantity(side, cells)
        return quantities, relations

    def _quantity(self, place: int, mask: int) -> Quantity:
        found = self._quantities.get((place, mask))
        if found is None:
            domain = self._domains[place]
            if not isinstance(domain, NumberCells):
                raise TypeError(f"'{self._names[place]}' holds no numbers")
            found = self._quantities[place, mask] = Quantity(domain.intervals(mask), domain.whole)
        return found
