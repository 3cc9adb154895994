"""A knowledge base with every condition as an exact region, and the words to speak of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from toolkit.errors import TooComplexError
from toolkit.knowledge.base import Conditions, KnowledgeBase
from toolkit.knowledge.boxes.overlaps import Pairwise, pairwise
from toolkit.knowledge.boxes.parts import Budget
from toolkit.knowledge.boxes.regions import Region, Space
from toolkit.knowledge.checks.findings import RuleFinding, Severity
from toolkit.knowledge.checks.wording import enumerated
from toolkit.knowledge.condition import Condition
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.entries import ColumnSpec, Constraint, Rule
from toolkit.knowledge.schema import Schema

__all__ = ["Analysed", "Fact", "analysed"]

MAX_STEPS = 50_000
"""Steps of one region or one search."""

MAX_TOTAL_STEPS = 1_000_000
"""Steps of all of them together: some seconds."""

_FEW = 10
"""Of up to so many rules, those that are not needed to outdo another are not named."""


@dataclass(frozen=True)
class Fact:
    """A hard fact.

    Parameters
    ----------
    kind : {"never", "always"}
    index : int
        Its place under that key.
    entry : Constraint
    condition : Condition
    region : Region or None
        None when it could not be analysed.
    """

    kind: str
    index: int
    entry: Constraint
    condition: Condition
    region: Region | None


@dataclass(frozen=True)
class Analysed:
    """A knowledge base, read and analysed.

    Parameters
    ----------
    knowledge : KnowledgeBase
    rules : tuple of Rule
        Written ones, then rows of tables.
    conditions : Conditions
    space : Space
    regions : tuple of Region or None
        One for each rule; None when it could not be analysed.
    facts : tuple of Fact
    budget : Budget
        For all searches together.
    """

    knowledge: KnowledgeBase
    rules: tuple[Rule, ...]
    conditions: Conditions
    space: Space
    regions: tuple[Region | None, ...]
    facts: tuple[Fact, ...]
    budget: Budget

    def region(self, condition: Condition) -> Region | None:
        """Return the region of a part of some condition, None when it could not be analysed."""
        return _region(self.space, condition, self.budget)

    def can_be_met(self, condition: Condition) -> bool:
        """Tell whether some row may meet a part of some condition; surely none when it says no."""
        region = self.region(condition)
        return region is None or bool(region)

    def search(self, region: Region, others: Iterable[Region | None]) -> Region | None:
        """Return a part of a region outside of others, empty if there is none, None if that is not known."""
        try:
            return region.outside([other for other in others if other], Budget(MAX_STEPS, self.budget))
        except TooComplexError:
            return None

    def covered(self, region: Region, others: Iterable[Region | None]) -> bool:
        """Tell whether a region surely lies inside some others taken together."""
        found = self.search(region, others)
        return found is not None and not found

    def everywhere(self, condition: Condition, region: Region) -> str | None:
        """Return where a condition holds, in words: everywhere, or where its columns are known; or None."""
        names = columns_of(condition)
        if self.covered(self.space.everything, [region]):
            return ""
        known = self.space.known(names)
        if not known or not self.covered(known, [region]):
            return None
        return (
            f" where {enumerated([repr(name) for name in names])} {'is' if len(names) == 1 else 'are'} known"
        )

    @cached_property
    def pairs(self) -> Pairwise:
        """How the rules' regions lie to one another; those not analysed overlap with nothing."""
        nothing = Region(self.space, [])
        return pairwise([nothing if region is None else region for region in self.regions])

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Rules of which only the first that fires counts."""
        return self.knowledge.groups

    @cached_property
    def outdone(self) -> dict[int, list[int]]:
        """Rules that can fire but never count -> those before them in a group that fire wherever they do."""
        found: dict[int, list[int]] = {}
        for members in self.groups:
            for place, member in enumerate(members):
                over = self._over(member, members[:place])
                if over:
                    found.setdefault(member, over)
        return found

    def _over(self, index: int, before: Sequence[int]) -> list[int]:
        region = self.regions[index]
        if not region:
            return []
        alone = next((one for one in before if self.regions[one] and self.pairs.within[index, one]), None)
        if alone is not None:
            return [alone]
        regions = {one: self.regions[one] for one in before if self.pairs.overlap[index, one]}
        if len(regions) < 2 or not self.covered(region, regions.values()):
            return []
        for one in list(regions) if len(regions) <= _FEW else ():
            if self.covered(region, [other for key, other in regions.items() if key != one]):
                del regions[one]
        return list(regions)

    @cached_property
    def idle(self) -> frozenset[int]:
        """Rules that never make a difference of their own: they cannot fire, count, or tell rows apart."""
        return frozenset(
            index
            for index, region in enumerate(self.regions)
            if not region
            or index in self.outdone
            or self.everywhere(self.conditions.rules[index], region) is not None
        )

    @cached_property
    def tables(self) -> tuple[tuple[str, str, range], ...]:
        """Name and hit policy of each decision table, and its rows among the rules."""
        found, start = [], len(self.knowledge.rules)
        for table in self.knowledge.tables:
            found.append((table.table, table.hit_policy, range(start, start + len(table.rows))))
            start += len(table.rows)
        return tuple(found)

    def certainty(self, *indices: int) -> float:
        """Return the certainty that some rules have together: certainty factors add up as log-odds."""
        total = 0.0
        for index in indices:
            certainty = self.knowledge.certainty(self.rules[index])
            total += math.copysign(-math.log1p(-abs(certainty)), certainty)
        return math.copysign(-math.expm1(-abs(total)), total)

    def says(self, index: int) -> str:
        """Return a rule with what it says: ``'due' (buys, 0.2)``."""
        rule = self.rules[index]
        return f"'{rule.id}' ({rule.then}, {rule.strength:g})"

    def outcome(self, certainty: float) -> str:
        """Return a joint certainty in words: ``together they say 'buys' with certainty 0.36``."""
        if abs(certainty) < 0.005:
            return "together they cancel out"
        words = self.knowledge.outcome
        word = words.positive if certainty > 0 else words.negative
        return f"together they say '{word}' with certainty {abs(certainty):.2f}"

    def finding(
        self,
        code: str,
        severity: Severity,
        sentence: str,
        *indices: int,
        witness: Region | None = None,
        names: Iterable[str] | None = None,
    ) -> RuleFinding:
        """Return a finding about some rules, placed at the first, with a row of a region.

        The row is shown by the columns in `names`, those of the rules if left out.
        """
        if names is None:
            names = {name for index in indices for name in columns_of(self.conditions.rules[index])}
        return RuleFinding(
            code,
            severity,
            sentence,
            rules=tuple(self.rules[index].id for index in indices),
            witness=self.row(witness, names),
            where=self.knowledge.rule_where(indices[0], "when"),
        )

    def row(self, region: Region | None, names: Iterable[str] | None = None) -> dict[str, object] | None:
        """Return some columns of a row in a region as an expert would write them, in the file's order."""
        try:
            row = None if region is None else region.witness()
        except TooComplexError:
            row = None
        if row is None:
            return None
        columns = self.knowledge.columns
        wanted = set(row) if names is None else set(names)
        return {name: _plain(row[name], columns[name]) for name in columns if name in wanted and name in row}

    def both(self, one: Region | None, other: Region | None) -> Region | None:
        """Return the rows that two regions share, None when that cannot be told."""
        try:
            return None if one is None or other is None else one & other
        except TooComplexError:
            return None


def analysed(knowledge: KnowledgeBase, schema: Schema | None = None) -> Analysed:
    """Return a knowledge base with its conditions as regions.

    Parameters
    ----------
    knowledge : KnowledgeBase
    schema : Schema, optional
        The task's columns: the values that choices really have.

    Raises
    ------
    KnowledgeError
        A condition cannot be read.
    """
    conditions = knowledge.conditions()
    levels = (
        {} if schema is None else {one.name: one.levels for one in schema.columns if one.kind == "category"}
    )
    budget = Budget(MAX_TOTAL_STEPS)
    space = Space.of([one for part in conditions for one in part], knowledge.columns, levels)
    facts = tuple(
        Fact(kind, index, entry, condition, _region(space, condition, budget))
        for kind, entries, read in (
            ("never", knowledge.never, conditions.never),
            ("always", knowledge.always, conditions.always),
        )
        for index, (entry, condition) in enumerate(zip(entries, read, strict=True))
    )
    regions = tuple(_region(space, condition, budget) for condition in conditions.rules)
    return Analysed(knowledge, knowledge.all_rules, conditions, space, regions, facts, budget)


def _region(space: Space, condition: Condition, budget: Budget) -> Region | None:
    try:
        return space.region(condition, Budget(MAX_STEPS, budget))
    except TooComplexError:
        return None


def _plain(value: Fraction | str | None, spec: ColumnSpec) -> object:
    if not isinstance(value, Fraction):
        return value
    if spec.type == "yes/no":
        return "yes" if value else "no"
    if value.denominator == 1:
        return int(value)
    number = float(value)
    return number if Fraction(repr(number)) == value else value
