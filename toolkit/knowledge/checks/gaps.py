"""Checks of what is left: rows, and inputs of decision tables, for which there is no rule."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.knowledge.boxes.regions import Region
from toolkit.knowledge.checks.analysed import Analysed
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.condition import columns as columns_of

__all__ = ["gaps"]


def gaps(base: Analysed) -> Iterator[RuleFinding]:
    """Yield an example of the rows, all values known, on which nothing fires: of all rules, of each table."""
    if not base.tables or base.knowledge.rules:
        gap = _gap(base, range(len(base.rules)))
        if gap:
            yield RuleFinding(
                "gap",
                "info",
                "no rule fires on rows like the example, although all values are known: the prior stands",
                witness=base.row(gap),
                where=base.knowledge.where("rules"),
            )
    for name, _, rows in base.tables:
        gap = _gap(base, rows)
        if gap:
            yield RuleFinding(
                "table-gap",
                "info",
                f"no row of table '{name}' fires on inputs like the example, although all are known",
                witness=base.row(gap, _names(base, rows)),
                where=base.knowledge.rule_where(rows.start),
            )


def _gap(base: Analysed, indices: range) -> Region | None:
    regions = [base.regions[index] for index in indices]
    if not regions or None in regions:
        return None
    return base.search(base.space.known(_names(base, indices)), regions)


def _names(base: Analysed, indices: range) -> set[str]:
    return {name for index in indices for name in columns_of(base.conditions.rules[index])}
