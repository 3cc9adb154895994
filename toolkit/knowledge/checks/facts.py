"""Checks of hard facts: those that say nothing, everything, the same or the opposite of one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolkit.knowledge.boxes.overlaps import pairwise
from toolkit.knowledge.boxes.regions import Region
from toolkit.knowledge.checks.analysed import Analysed, Fact
from toolkit.knowledge.checks.findings import RuleFinding, Severity
from toolkit.knowledge.checks.wording import contradiction
from toolkit.knowledge.condition import columns as columns_of

__all__ = ["facts"]


def facts(base: Analysed) -> Iterator[RuleFinding]:
    """Yield hard facts that say nothing, everything, the same or the opposite of one another."""
    columns = base.knowledge.columns
    for fact in base.facts:
        name = f"'{fact.entry.id}' under {fact.kind}"
        if fact.region is None:
            yield _of_facts(
                base, "not-analysed", "info", f"{name} is too complex to be analysed exactly", [fact]
            )
        elif not fact.region:
            reason = contradiction(fact.condition, columns, base.can_be_met)
            yield _of_facts(base, "never-fires", "error", f"{name} can never be met: {reason}", [fact])
        elif (place := base.everywhere(fact.condition, fact.region)) is not None:
            words = base.knowledge.outcome
            answer = words.negative if fact.kind == "never" else words.positive
            yield _of_facts(
                base,
                "always-fires",
                "error",
                f"{name} is met on every row{place}: every answer there would be '{answer}'",
                [fact],
            )
    yield from _pairs(base, [fact for fact in base.facts if fact.region])


def _pairs(base: Analysed, facts: Sequence[Fact]) -> Iterator[RuleFinding]:
    pairs = pairwise([fact.region for fact in facts if fact.region])
    idle: set[int] = set()
    for one, first in enumerate(facts):
        for other, second in enumerate(facts):
            inside = pairs.within[one, other] and (other < one or not pairs.within[other, one])
            if other != one and inside and first.kind == second.kind and one not in idle:
                idle.add(one)
                yield _of_facts(
                    base,
                    "subsumed",
                    "info",
                    f"'{first.entry.id}' under {first.kind} adds nothing: '{second.entry.id}' is met "
                    "wherever it is",
                    [first, second],
                    first.region,
                )
    for one, first in enumerate(facts):
        for other, second in enumerate(facts[one + 1 :], one + 1):
            clash = pairs.overlap[one, other] and first.kind != second.kind and idle.isdisjoint((one, other))
            if clash:
                yield _of_facts(
                    base,
                    "facts-clash",
                    "warning",
                    f"'{first.entry.id}' under {first.kind} and '{second.entry.id}' under {second.kind} "
                    "can both be met, and never wins there; narrow one of them if there are such rows",
                    [first, second],
                    base.both(first.region, second.region),
                )


def _of_facts(
    base: Analysed,
    code: str,
    severity: Severity,
    sentence: str,
    concerned: Sequence[Fact],
    witness: Region | None = None,
) -> RuleFinding:
    names = {name for fact in concerned for name in columns_of(fact.condition)}
    return RuleFinding(
        code,
        severity,
        sentence,
        rules=tuple(fact.entry.id for fact in concerned),
        witness=base.row(witness, names),
        where=base.knowledge.where(concerned[0].kind, concerned[0].index, "when"),
    )
