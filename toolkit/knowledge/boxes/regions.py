"""The rows that meet a condition, exactly: a union of boxes.

A `Space` cuts every column into the cells that some conditions can tell apart (`cells`); the sign
of a difference of two columns is one more column. A box is a set of cells for each column that it
limits, and a condition becomes a `Region`, a union of boxes. Sets of cells are exact, so that and,
or, difference and containment are bit arithmetic (`parts`); only boxes that limit a difference need
`links` to tell whether the columns can be so. No region holds a box without a row.

Columns are taken to keep to their declared range, and a missing value means what
`condition.holds` says: it meets no comparison, unless the column says what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from toolkit.knowledge.boxes.cells import ChoiceCells, NumberCells, SignCells, oriented
from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.boxes.links import Links
from toolkit.knowledge.boxes.parts import Budget, Part, difference, escape, meet, simplified
from toolkit.knowledge.condition import Condition, Junction, Member, Pair, Threshold, leaves
from toolkit.knowledge.entries import ColumnSpec

__all__ = ["Box", "Limits", "Region", "Row", "Space"]

MAX_STEPS = 50_000
"""Pairs of boxes that making one region, or one search for a row, may look at."""

Row = dict[str, Fraction | str | None]
"""Numbers as fractions, choices as texts; what is left out is missing."""


@dataclass(frozen=True)
class Limits:
    """What a box allows in one column.

    Parameters
    ----------
    intervals : tuple of Interval
        For a number: the allowed values, from low to high; an end of None is the column's own, and
        whole numbers have closed whole ends.
    levels : tuple of str
        For a choice: the allowed values, or those not allowed if `negated`.
    negated : bool
    may_be_missing : bool
    """

    intervals: tuple[Interval, ...] = ()
    levels: tuple[str, ...] = ()
    negated: bool = False
    may_be_missing: bool = False


@dataclass(frozen=True)
class Box:
    """One box of a region, in the words of its columns.

    Parameters
    ----------
    limits : mapping of str to Limits
        The columns that it limits.
    pairs : tuple of Pair
        Comparisons of two columns that must hold as well.
    """

    limits: Mapping[str, Limits]
    pairs: tuple[Pair, ...] = ()


class Space:
    """The rows that some conditions can tell apart; made by `of`.

    Attributes
    ----------
    names : tuple of str
        The columns, in the order of the knowledge base; differences come after them.
    domains : tuple of NumberCells, ChoiceCells or SignCells
    full : tuple of int
        All cells of each.
    links : Links
    """

    def __init__(
        self,
        columns: Mapping[str, NumberCells | ChoiceCells],
        signs: Mapping[Pair, SignCells],
        budget: Budget | None = None,
    ) -> None:
        self.names = tuple(columns)
        self.domains: tuple[NumberCells | ChoiceCells | SignCells, ...] = (*columns.values(), *signs.values())
        self.full = tuple(domain.full for domain in self.domains)
        self.links = Links(self.domains, self.names, budget)
        keys: list[str | Pair] = [*columns, *signs]
        self._place = {key: place for place, key in enumerate(keys)}

    @classmethod
    def of(
        cls,
        conditions: Iterable[Condition],
        columns: Mapping[str, ColumnSpec],
        levels: Mapping[str, tuple[str, ...]] | None = None,
        budget: Budget | None = None,
    ) -> Space:
        """Return the space in which some conditions can be analysed.

        Parameters
        ----------
        conditions : iterable of Condition
        columns : mapping of str to ColumnSpec
            Type, range, values and what missing stands for.
        levels : mapping of str to tuple of str, optional
            All values of choices, as the task has them; they overrule declared values.
        budget : Budget, optional
            For all comparisons of two columns; see `links.MAX_STEPS`.
        """
        cuts: dict[str, list[Fraction]] = {}
        members: dict[str, list[Member]] = {}
        pairs: dict[Pair, None] = {}
        for leaf in {leaf: None for condition in conditions for leaf in leaves(condition)}:
            if isinstance(leaf, Threshold):
                cuts.setdefault(leaf.column, []).append(leaf.value)
            elif isinstance(leaf, Member):
                members.setdefault(leaf.column, []).append(leaf)
            else:
                pairs[oriented(leaf)[0]] = None
        used = {*cuts, *members, *(name for pair in pairs for name in (pair.left, pair.right))}
        cells: dict[str, NumberCells | ChoiceCells] = {}
        for name, spec in columns.items():
            if name in used and spec.type == "choice":
                known = (levels or {}).get(name, spec.values)
                cells[name] = ChoiceCells(spec, known, members.get(name, ()))
            elif name in used:
                cells[name] = NumberCells(spec, cuts.get(name, ()))
        signs = {
            pair: SignCells(pair, bool(cells[pair.left].unknown or cells[pair.right].unknown))
            for pair in pairs
        }
        return cls(cells, signs, budget)

    @property
    def everything(self) -> Region:
        """All rows."""
        return Region(self, [{}])

    def region(self, condition: Condition, budget: Budget | None = None) -> Region:
        """Return the rows that meet a condition.

        Parameters
        ----------
        condition : Condition
            Its comparisons are among those that the space was made of.
        budget : Budget, optional
            `MAX_STEPS` when left out.

        Raises
        ------
        TooComplexError
            It falls into too many boxes.
        ValueError
            A comparison that the space was not made of.
        """
        return Region(self, self._parts(condition, budget or Budget(MAX_STEPS)))

    def known(self, names: Iterable[str]) -> Region:
        """Return the rows in which none of some columns is missing."""
        part: Part = {}
        for name in names:
            place = self._place.get(name)
            if place is not None and self.domains[place].unknown:
                part[place] = self.domains[place].known
        return Region(self, [part] if all(part.values()) else [])

    def _parts(self, condition: Condition, budget: Budget) -> list[Part]:
        if not isinstance(condition, Junction):
            part = self._leaf(condition)
            return [] if part is None else [part]
        read = [self._parts(part, budget) for part in condition.parts]
        if condition.kind == "or":
            return simplified([part for parts in read for part in parts], self.full, budget)
        product: list[Part] = [{}]
        for parts in sorted(read, key=len):
            budget.spend(len(product) * len(parts))
            met = [meet(one, other) for one in product for other in parts]
            product = simplified([part for part in met if part is not None], self.full, budget)
        return product

    def _leaf(self, leaf: Threshold | Pair | Member) -> Part | None:
        if isinstance(leaf, Pair):
            pair, signs = oriented(leaf)
            place = self._find(pair)
            return meet(self.links.known(place), {place: signs})
        place = self._find(leaf.column)
        cells = self.domains[place]
        if isinstance(leaf, Threshold) and isinstance(cells, NumberCells):
            mask = cells.compare(leaf.op, leaf.value)
        elif isinstance(leaf, Member) and isinstance(cells, ChoiceCells):
            mask = cells.member(leaf)
        else:
            raise ValueError(f"'{leaf.column}' is of another type in this space")
        if mask == self.full[place]:
            return {}
        return {place: mask} if mask else None

    def _find(self, key: str | Pair) -> int:
        if key not in self._place:
            raise ValueError(f"no condition of this space names {key}")
        return self._place[key]

    def row(self, part: Part) -> Row | None:
        """Return a row in a box, None when there is none; see `Region.witness`."""
        solved = self.links.solved(part)
        if solved is None:
            return None
        part, values = solved
        row: Row = {}
        for place, name in enumerate(self.names):
            cells = self.domains[place]
            if name in values:
                row[name] = values[name]
            elif not isinstance(cells, SignCells):
                row[name] = cells.example(part[place]) if place in part else cells.missing
        return {name: value for name, value in row.items() if value is not None}

    def locate(self, row: Mapping[str, Fraction | str | None]) -> list[int]:
        """Return the cell that a row lies in for each column and difference; 0 is out of range."""
        values = [row.get(name) for name in self.names]
        found = []
        for place, cells in enumerate(self.domains):
            if isinstance(cells, SignCells):
                left, right = (values[side] for side in self.links.sides[place])
                found.append(
                    cells.locate(
                        left if isinstance(left, Fraction) else None,
                        right if isinstance(right, Fraction) else None,
                    )
                )
            else:
                found.append(cells.locate(values[place]))
                values[place] = cells.missing if values[place] is None else values[place]
        return found

    def box(self, part: Part) -> Box:
        """Return a box in the words of its columns."""
        limits: dict[str, Limits] = {}
        pairs = []
        for place, mask in sorted(part.items()):
            cells = self.domains[place]
            missing = bool(mask & cells.unknown)
            if isinstance(cells, SignCells):
                pairs += cells.relations(mask)
            elif isinstance(cells, NumberCells):
                limits[self.names[place]] = Limits(cells.limits(mask), may_be_missing=missing)
            else:
                levels, negated = cells.written(mask)
                limits[self.names[place]] = Limits((), levels, negated, missing)
        return Box(limits, tuple(pairs))


class Region:
    """A set of rows: a union of boxes, each with at least one row.

    Parameters
    ----------
    space : Space
    parts : sequence of Part
        Boxes; those without a row are left out.
    """

    def __init__(self, space: Space, parts: Sequence[Part]) -> None:
        self.space = space
        self.parts = tuple(part for part in parts if space.links.possible(part))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __and__(self, other: Region) -> Region:
        budget = Budget(MAX_STEPS)
        budget.spend(len(self.parts) * len(other.parts))
        met = (meet(one, two) for one in self.parts for two in other.parts)
        return self._of([part for part in met if part is not None], budget)

    def __or__(self, other: Region) -> Region:
        return self._of([*self.parts, *other.parts], Budget(MAX_STEPS))

    def __sub__(self, other: Region) -> Region:
        return self.without([other])

    def without(self, others: Iterable[Region], budget: Budget | None = None) -> Region:
        """Return all of it that lies in none of some regions.

        Raises
        ------
        TooComplexError
            It falls into too many boxes, or the budget is spent.
        """
        budget, space = budget or Budget(MAX_STEPS), self.space
        cut = [part for other in others for part in other.parts]
        left = [
            piece
            for part in self.parts
            for piece in difference(part, cut, space.full, space.links.possible, budget)
        ]
        return self._of(left, budget)

    def _of(self, parts: list[Part], budget: Budget) -> Region:
        return Region(self.space, simplified(parts, self.space.full, budget))

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes, which may overlap, in the words of their columns."""
        return tuple(self.space.box(part) for part in self.parts)

    def contains(self, row: Mapping[str, Fraction | str | None]) -> bool:
        """Tell whether a row lies in it; a value outside its column's range lies nowhere."""
        cells = self.space.locate(row)
        return any(all(cells[place] & mask for place, mask in part.items()) for part in self.parts)

    def witness(self) -> Row | None:
        """Return a row in it that is easy to read, None when there is none.

        Columns left out may be missing or anything else. What missing stands for is written out, so
        that `condition.holds` can be asked.

        Raises
        ------
        TooComplexError
            It limits too many differences of columns.
        """
        return self.space.row(self.parts[0]) if self.parts else None

    def outside(self, others: Iterable[Region], budget: Budget | None = None) -> Region:
        """Return a part of it that lies in none of some regions, empty when they cover it.

        Raises
        ------
        TooComplexError
            Not found within the budget.
        """
        budget, space = budget or Budget(MAX_STEPS), self.space
        parts = [part for other in others for part in other.parts]
        for part in self.parts:
            found = escape(part, parts, space.full, space.links.possible, budget)
            if found is not None:
                return Region(space, [found])
        return Region(space, [])
