"""Where rules count: not where a rule before them in their group fires, nor where a hard fact decides.

What groups leave of a rule is a region of its own, and those regions are compared. Hard facts
often meet every rule, so they are not cut off all of them; they are asked only where a pair of
rules is about to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.overlaps import Pairwise, pairwise
from toolkit.knowledge.boxes.parts import Budget
from toolkit.knowledge.boxes.regions import Region
from toolkit.knowledge.checks.analysed import MAX_STEPS, Analysed
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.condition import holds

__all__ = ["Counting", "counting"]

MAX_TOTAL_STEPS = 200_000
"""Steps that cutting rules off one another may take, all together."""

MAX_PAIRS = 1_000
"""Pairs that are held against the hard facts only to be counted."""


@dataclass(frozen=True)
class Counting:
    """The rows on which rules count as far as their groups go, and how they lie to one another.

    Parameters
    ----------
    base : Analysed
    regions : tuple of Region or None
        One for each rule; None when it could not be analysed.
    pairs : Pairwise
        Of these regions.
    before : mapping of int to tuple of int
        Rule -> the rules that silence it somewhere.
    """

    base: Analysed
    regions: tuple[Region | None, ...]
    pairs: Pairwise
    before: dict[int, tuple[int, ...]]

    @cached_property
    def _facts(self) -> list[Region]:
        return [fact.region for fact in self.base.facts if fact.region]

    def settled_by(self, index: int) -> frozenset[int] | None:
        """Return the hard facts, by number, that can be met where a rule counts; None if not known."""
        region, found = self.regions[index], set()
        for number, fact in enumerate(self.base.facts):
            both = self.base.both(region, fact.region)
            if both is None:
                return None
            if both:
                found.add(number)
        return frozenset(found)

    def everywhere(self, index: int) -> bool:
        """Tell whether a rule surely counts on every row on which it fires."""
        return index not in self.before and self.settled_by(index) == frozenset()

    def where_all(self, indices: Sequence[int]) -> Region | None:
        """Return a part of the rows on which some rules all count; empty if none, None if not known."""
        region = self.regions[indices[0]]
        for index in indices[1:]:
            region = self.base.both(region, self.regions[index])
        if region is None or not self.base.facts:
            return region
        found = self.base.search(region, self._facts)
        if not found:
            return found
        unread = [fact.condition for fact in self.base.facts if fact.region is None]
        try:
            row = found.witness() if unread else None
        except TooComplexError:
            return None
        return None if row is not None and any(holds(one, row) for one in unread) else found

    def not_settled(self, pairs: Sequence[Sequence[int]]) -> tuple[int, bool]:
        """Return how many pairs can both count, and whether that is known: if not, no more than that."""
        if not self.base.facts:
            return len(pairs), True
        facts = {index: self.settled_by(index) for index in {one for pair in pairs for one in pair}}
        left, exact, asked = len(pairs), True, 0
        for one, other in pairs:
            first, second = facts[one], facts[other]
            if first is not None and second is not None and first.isdisjoint(second):
                continue
            asked += 1
            found = self.where_all([one, other]) if asked <= MAX_PAIRS else None
            left -= found is not None and not found
            exact = exact and found is not None
        return left, exact

    def columns(self, indices: Sequence[int]) -> set[str]:
        """Return the columns that decide whether some rules count."""
        rules = {one for index in indices for one in (index, *self.before.get(index, ()))}
        names = {name for one in rules for name in columns_of(self.base.conditions.rules[one])}
        for index in indices:
            numbers = self.settled_by(index)
            for number in range(len(self.base.facts)) if numbers is None else numbers:
                names.update(columns_of(self.base.facts[number].condition))
        return names


def counting(base: Analysed) -> Counting:
    """Return where rules count, and how those rows lie to one another.

    Parameters
    ----------
    base : Analysed
    """
    meets = base.pairs.overlap | base.pairs.unknown
    regions, before = list(base.regions), {}
    budget = Budget(MAX_TOTAL_STEPS, base.budget)
    for members in base.groups:
        mates = np.zeros(len(regions), np.bool_)
        mates[list(members)] = True
        for place, member in enumerate(members):
            over = tuple(one for one in members[:place] if base.regions[one] is None or meets[member, one])
            # A rule that meets none but its own group needs no cutting: no pair of it is ever told.
            if over and base.regions[member] and (meets[member] & ~mates).any():
                before[member] = over
                regions[member] = _cut(base, member, over, budget)
    return Counting(base, tuple(regions), _compared(base, regions, list(before)), before)


def _cut(base: Analysed, index: int, over: Sequence[int], budget: Budget) -> Region | None:
    region, others = base.regions[index], [base.regions[one] for one in over]
    known = [other for other in others if other is not None]
    if region is None or len(known) < len(others):
        return None
    try:
        return region.without(known, Budget(MAX_STEPS, budget))
    except TooComplexError:
        return None


def _compared(base: Analysed, regions: Sequence[Region | None], changed: Sequence[int]) -> Pairwise:
    """Return how regions lie to one another, where some of the rules' have been cut."""
    if not changed:
        return base.pairs
    meets = base.pairs.overlap | base.pairs.unknown
    among = np.union1d(changed, np.flatnonzero(meets[list(changed)].any(axis=0)))
    nothing = Region(base.space, [])
    parts = pairwise([regions[index] or nothing for index in among])
    places = np.flatnonzero(np.isin(among, changed))
    overlap, within, unknown = (
        matrix.copy() for matrix in (base.pairs.overlap, base.pairs.within, base.pairs.unknown)
    )
    for whole, part in ((overlap, parts.overlap), (within, parts.within), (unknown, parts.unknown)):
        whole[np.ix_(among[places], among)] = part[places]
        whole[np.ix_(among, among[places])] = part[:, places]
    lost = [index for index in changed if regions[index] is None]
    unknown[lost] = meets[lost]
    unknown[:, lost] = meets[:, lost]
    for index in lost:
        within[index] = within[:, index] = False
        unknown[index, index] = False
    return Pairwise(overlap, within, unknown)
