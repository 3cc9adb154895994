"""Where rules count: not where a rule before them in their group fires, nor where a hard fact decides.

Cutting those rows off every rule would leave thousands of boxes. So rules are compared by where they
fire, all at once, and only the pairs that this leaves are asked whether they count there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.parts import Budget
from toolkit.knowledge.boxes.regions import Region
from toolkit.knowledge.checks.analysed import MAX_STEPS, Analysed
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.condition import holds

__all__ = ["Counting"]

MAX_TOTAL_STEPS = 400_000
"""Steps of all questions about counting together, whatever the other checks have used."""

MAX_PAIRS = 1_000
"""Pairs that are asked about only to be counted, or in the hope that one rule lies in another."""


@dataclass(frozen=True)
class Counting:
    """The rows on which rules count, and how those of two rules lie to one another.

    Parameters
    ----------
    base : Analysed
    """

    base: Analysed
    _budget: Budget = field(init=False)
    _facts_met: dict[int, frozenset[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_budget", Budget(MAX_TOTAL_STEPS))

    @cached_property
    def before(self) -> dict[int, tuple[int, ...]]:
        """Rule -> the rules that may silence it somewhere."""
        found = {}
        for members in self.base.groups:
            for place, member in enumerate(members):
                over = tuple(
                    one
                    for one in members[:place]
                    if self.base.regions[one] is None or self._meets[member, one]
                )
                if over:
                    found[member] = over
        return found

    @cached_property
    def _meets(self) -> NDArray[np.bool_]:
        return self.base.pairs.overlap | self.base.pairs.unknown

    @cached_property
    def silent(self) -> NDArray[np.intp]:
        """Rules of which no pair is told: idle, or silenced by what could not be analysed."""
        lost = [
            index
            for index, over in self.before.items()
            if any(self.base.regions[one] is None for one in over)
        ]
        return np.union1d(np.array(lost, np.intp), np.array([*self.base.idle], np.intp))

    @cached_property
    def unknown(self) -> NDArray[np.bool_]:
        """Pairs of rules that could not be compared, shape (n_rules, n_rules)."""
        lost = [index for index in self.silent.tolist() if index not in self.base.idle]
        unknown = self.base.pairs.unknown.copy()
        unknown[lost] |= self.base.pairs.overlap[lost]
        unknown[:, lost] |= self.base.pairs.overlap[:, lost]
        return unknown

    @cached_property
    def settled(self) -> NDArray[np.bool_]:
        """Pairs that say nothing about each other, shape (n_rules, n_rules).

        Those of one group never count both, those of a table U must not overlap anyway, an idle rule
        has been found out, and of one that what is not analysed may silence nothing is known.
        """
        base = self.base
        settled = np.zeros((len(base.rules), len(base.rules)), np.bool_)
        unique = (rows for _, policy, rows in base.tables if policy == "unique")
        for members in (*base.groups, *unique):
            settled[np.ix_(list(members), list(members))] = True
        settled[self.silent] = True
        settled[:, self.silent] = True
        return settled

    @cached_property
    def inner(self) -> NDArray[np.bool_]:
        """Pairs of which the first counts only where the second does too, shape (n_rules, n_rules)."""
        base = self.base
        inner: NDArray[np.bool_] = base.pairs.within & ~self.settled
        np.fill_diagonal(inner, val=False)
        # Less than all of a rule may count, so it may count inside a rule that it does not fire inside.
        wider = np.zeros_like(inner)
        silenced = list(self.before)
        wider[silenced] = base.pairs.overlap[silenced] & ~inner[silenced] & ~self.settled[silenced]
        np.fill_diagonal(wider, val=False)
        budget = Budget(MAX_TOTAL_STEPS // 8, self._budget)
        for one, other in np.argwhere(wider)[:MAX_PAIRS].tolist():
            found = self._search(base.regions[one], [*self._rules([one]), base.regions[other]], budget)
            inner[one, other] = found is not None and not found
        for one, other in np.argwhere(inner).tolist():
            inner[one, other] = all(
                not self._meets[one, over] or self._never(one, over) for over in self.before.get(other, ())
            )
        return inner

    def _never(self, index: int, over: int) -> bool:
        """Tell whether a rule surely never counts where another fires."""
        both = self.base.both(self.base.regions[index], self.base.regions[over])
        found = self._search(both, [*self._rules([index]), *self._facts([index])])
        return found is not None and not found

    def _search(
        self, region: Region | None, others: Iterable[Region | None], budget: Budget | None = None
    ) -> Region | None:
        if region is None:
            return None
        cut = [other for other in others if other]
        try:
            return region.outside(cut, Budget(MAX_STEPS, budget or self._budget)) if cut else region
        except TooComplexError:
            return None

    def _rules(self, indices: Sequence[int]) -> list[Region | None]:
        """Return where some rules that meet all of a few others silence one of them."""
        over = {one for index in indices for one in self.before.get(index, ())}
        return [self.base.regions[one] for one in sorted(over) if self._meets[one, list(indices)].all()]

    def _facts(self, indices: Sequence[int]) -> list[Region | None]:
        numbers = frozenset.intersection(*(self.settled_by(index) for index in indices))
        return [self.base.facts[number].region for number in sorted(numbers)]

    def settled_by(self, index: int) -> frozenset[int]:
        """Return the hard facts, by number, that may be met where a rule fires."""
        if index not in self._facts_met:
            region = self.base.regions[index]
            met = (self.base.both(region, fact.region) for fact in self.base.facts)
            self._facts_met[index] = frozenset(
                number for number, both in enumerate(met) if both is None or both
            )
        return self._facts_met[index]

    def everywhere(self, index: int) -> bool:
        """Tell whether a rule surely counts on every row on which it fires."""
        return index not in self.before and not self.settled_by(index)

    def where_all(self, indices: Sequence[int]) -> Region | None:
        """Return a part of the rows on which some rules all count; empty if none, None if not known."""
        region = self.base.regions[indices[0]]
        for index in indices[1:]:
            region = self.base.both(region, self.base.regions[index])
        found = self._search(region, [*self._rules(indices), *self._facts(indices)])
        unread = [fact.condition for fact in self.base.facts if fact.region is None]
        try:
            row = found.witness() if unread and found else None
        except TooComplexError:
            return None
        return None if row is not None and any(holds(one, row) for one in unread) else found

    def first(
        self, pairs: Sequence[Sequence[int]], most: int
    ) -> tuple[list[tuple[int, int, Region]], list[Sequence[int]]]:
        """Return the first pairs that surely can both count, with where, and the pairs that still may."""
        found: list[tuple[int, int, Region]] = []
        waiting: list[Sequence[int]] = []
        for place, (one, other) in enumerate(pairs):
            if len(found) == most or place == MAX_PAIRS:
                return found, [*waiting, *pairs[place:]]
            shown = self.where_all([one, other])
            if shown:
                found.append((one, other, shown))
            elif shown is None:
                waiting.append((one, other))
        return found, waiting

    def n_counting(self, pairs: Sequence[Sequence[int]]) -> tuple[int, bool]:
        """Return how many pairs that can both fire can both count, and whether there may be fewer."""
        left, asked, fewer = len(pairs), 0, False
        if not self.base.facts and not self.before:
            return left, fewer
        for pair in pairs:
            if asked == MAX_PAIRS:
                return left, True
            if self._rules(pair) or self._facts(pair):
                asked += 1
                found = self.where_all(pair)
                left -= found is not None and not found
                fewer = fewer or found is None
        return left, fewer

    def columns(self, indices: Sequence[int]) -> set[str]:
        """Return the columns that decide whether some rules count."""
        rules = {one for index in indices for one in (index, *self.before.get(index, ()))}
        names = {name for one in rules for name in columns_of(self.base.conditions.rules[one])}
        for number in {number for index in indices for number in self.settled_by(index)}:
            names.update(columns_of(self.base.facts[number].condition))
        return names
