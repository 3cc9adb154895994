"""Checks of single rules: never, always, to no effect, and comparisons that decide nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from toolkit.knowledge.checks.analysed import Analysed
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.wording import contradiction, enumerated, listed, ranges, told
from toolkit.knowledge.condition import Member, Pair, Threshold, leaves
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.entries import ColumnSpec

__all__ = ["comparisons", "effects", "extremes"]

_Leaf = Threshold | Pair | Member


def extremes(base: Analysed) -> Iterator[RuleFinding]:
    """Yield the rules that never fire, always fire, or could not be analysed."""
    columns = base.knowledge.columns
    for index, (rule, region) in enumerate(zip(base.rules, base.regions, strict=True)):
        condition = base.conditions.rules[index]
        if region is None:
            yield base.finding(
                "not-analysed",
                "info",
                f"'{rule.id}' is too complex to be analysed exactly, so nothing more is said about it; "
                "split it into several rules",
                index,
            )
        elif not region:
            reason = contradiction(condition, columns, base.can_be_met)
            yield base.finding("never-fires", "error", f"'{rule.id}' can never fire: {reason}", index)
        elif (place := base.everywhere(condition, region)) is not None:
            yield base.finding(
                "always-fires",
                "warning",
                f"'{rule.id}' fires on every row{place}: it tells no two rows apart, so put it into "
                "the prior, or narrow it",
                index,
            )


def effects(base: Analysed) -> Iterator[RuleFinding]:
    """Yield the rules that can fire but never matter: outdone in their group, or overruled by hard facts."""
    settled = [fact for fact in base.facts if fact.region]
    for index, (rule, region) in enumerate(zip(base.rules, base.regions, strict=True)):
        if not region:
            continue
        if index in base.outdone:
            yield _never_counts(base, index)
        over = next(([fact] for fact in settled if base.covered(region, [fact.region])), settled)
        if over and base.covered(region, [fact.region for fact in over]):
            names = enumerated([f"'{fact.entry.id}' (under {fact.kind})" for fact in over], "or")
            yield base.finding(
                "overruled",
                "warning",
                f"'{rule.id}' fires only where {names} settles the answer, so it never matters; leave it out",
                index,
                witness=region,
            )


def _never_counts(base: Analysed, index: int) -> RuleFinding:
    before = base.outdone[index]
    names = [f"'{base.rules[one].id}'" for one in before]
    in_table = next((name for name, policy, rows in base.tables if index in rows and policy == "first"), None)
    first = "comes first in its group" if in_table is None else f"comes first in table '{in_table}'"
    return base.finding(
        "never-counts",
        "warning",
        f"'{base.rules[index].id}' can never count: wherever it fires, "
        f"{names[0] if len(names) == 1 else 'one of ' + enumerated(names, 'or')} fires too and {first}; "
        "leave it out, or say where else it should count",
        index,
        *before,
        witness=base.regions[index],
    )


def comparisons(base: Analysed) -> Iterator[RuleFinding]:
    """Yield the comparisons that hold nowhere, or everywhere, because of their columns' ranges."""
    columns = base.knowledge.columns
    uses: dict[_Leaf, list[int]] = {}
    for index, condition in enumerate(base.conditions.rules):
        for leaf in dict.fromkeys(leaves(condition)):
            uses.setdefault(leaf, []).append(index)
    for leaf, users in uses.items():
        region = base.region(leaf)
        names = listed([base.rules[index].id for index in users])
        if region is None:
            continue
        if not region and any(base.regions[index] for index in users):
            yield base.finding(
                "constant-comparison",
                "warning",
                f"the comparison {told(leaf, columns)} never holds{ranges(leaf, columns)}, "
                f"so it does nothing in {names}; mend it, or the column's entry",
                *users,
            )
        elif region and not _at_the_edge(leaf, columns) and base.conditions.rules[users[0]] != leaf:
            names_of = columns_of(leaf)
            known = base.space.known(names_of)
            if known and base.covered(known, [region]):
                yield base.finding(
                    "constant-comparison",
                    "warning",
                    f"the comparison {told(leaf, columns)} holds whenever "
                    f"{enumerated(names_of)} {'is' if len(names_of) == 1 else 'are'} known"
                    f"{ranges(leaf, columns)}, so it decides nothing in {names}; "
                    "mend it, or the column's entry",
                    *users,
                )


def _at_the_edge(leaf: _Leaf, columns: Mapping[str, ColumnSpec]) -> bool:
    """Tell whether a number lies in its column's range: ``0 <= x`` is a fair way to write a range."""
    if not isinstance(leaf, Threshold):
        return False
    spec = columns[leaf.column]
    low, high = (0, 1) if spec.type == "yes/no" else (spec.min, spec.max)
    return (low is None or leaf.value >= low) and (high is None or leaf.value <= high)
