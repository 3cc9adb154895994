"""Checks of pairs of rules: the same, one inside another, in conflict, and overlaps a table forbids."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from toolkit.knowledge.boxes.regions import Region
from toolkit.knowledge.checks.analysed import Analysed
from toolkit.knowledge.checks.counting import Counting
from toolkit.knowledge.checks.findings import RuleFinding, Severity
from toolkit.knowledge.checks.wording import listed
from toolkit.knowledge.condition import columns as columns_of

MOST = 10
"""Pairs that are told one by one, for each table and for conflicts; the others are counted."""

__all__ = ["conflicts", "containments", "table_overlaps", "undecided"]


def table_overlaps(base: Analysed) -> Iterator[RuleFinding]:
    """Yield the rows of a table with hit policy "unique" that can fire together."""
    for name, policy, rows in base.tables:
        if policy != "unique" or len(rows) < 2:
            continue
        among = slice(rows.start, rows.stop)
        pairs = np.argwhere(np.triu(base.pairs.overlap[among, among], 1)) + rows.start
        for one, other in pairs[:MOST].tolist():
            yield base.finding(
                "table-overlap",
                "error",
                f"{listed([base.rules[one].id, base.rules[other].id])} can fire together, but in table "
                f"'{name}' with hit policy U rows must not overlap; narrow one, or choose F or C",
                other,
                one,
                witness=base.both(base.regions[one], base.regions[other]),
            )
        if len(pairs) > MOST:
            yield base.finding(
                "table-overlap",
                "error",
                f"{len(pairs) - MOST:,} more pairs of rows of table '{name}' overlap",
                rows.start,
            )


def containments(counts: Counting) -> Iterator[RuleFinding]:
    """Yield rules that count on the same rows, and rules that count only where others do."""
    base = counts.base
    inner = counts.inner
    same, against = inner & inner.T, _against(base)
    for index in np.flatnonzero(inner.any(axis=1)).tolist():
        # Where this one counts the others do too, so its rows are theirs.
        shown = counts.where_all([index])
        if not shown:
            continue
        twins = np.flatnonzero(same[index, :index] & ~against[index, :index]).tolist()
        opposites = np.flatnonzero(same[index, :index] & against[index, :index]).tolist()
        wider = np.flatnonzero(inner[index] & ~same[index] & ~against[index]).tolist()
        general = np.flatnonzero(inner[index] & ~same[index] & against[index]).tolist()
        if twins:
            yield _nested(counts, "duplicate", index, twins, shown)
        if opposites:
            yield _nested(counts, "contradiction", index, opposites, shown)
        if wider and not twins:
            yield _nested(counts, "subsumed", index, wider, shown)
        if general and not twins:
            yield _nested(counts, "exception", index, general, shown)


def _nested(counts: Counting, code: str, index: int, others: list[int], shown: Region) -> RuleFinding:
    base = counts.base
    this, those = base.says(index), listed([base.rules[other].id for other in others])
    if len(others) == 1:
        those = base.says(others[0])
    does = "does" if len(others) == 1 else "do"
    joint = base.outcome(base.certainty(index, *others))
    alike = code in ("duplicate", "contradiction")
    fires = all(counts.everywhere(one) for one in ([index, *others] if alike else [index]))
    acts = "fires" if fires else "counts"
    sentence = {
        "duplicate": f"{this} {acts} on exactly the same rows as {those}, so one piece of evidence "
        f"counts more than once: {joint}; leave one out, or put them into one group",
        "contradiction": f"{this} {acts} on exactly the same rows as {those} and says the "
        f"opposite: {joint}; decide which is right",
        "subsumed": f"{this} {acts} only where {those} {does} too, so the evidence counts more "
        f"than once: {joint}; put them into one group, or narrow the wider",
        "exception": f"{this} is an exception to {those}: where it {acts}, {joint}",
    }[code]
    severity: Severity = "info" if code == "exception" else "warning"
    names = counts.columns([index, *others])
    return base.finding(code, severity, sentence, index, *others, witness=shown, names=names)


def conflicts(counts: Counting) -> Iterator[RuleFinding]:
    """Yield pairs of rules about the same columns that pull a row in opposite directions.

    The pairs of which the weaker rule is strongest come first; those beyond `MOST`, and those about
    different columns, where rules are meant to be weighed against one another, are counted.
    """
    base = counts.base
    names = {name: number for number, name in enumerate(base.knowledge.columns)}
    uses = np.zeros((len(base.rules), len(names)), np.float32)
    for index, condition in enumerate(base.conditions.rules):
        uses[index, [names[name] for name in columns_of(condition)]] = 1
    within = counts.inner
    met = np.triu(base.pairs.overlap & _against(base) & ~within & ~within.T & ~counts.settled, 1)
    shared = uses @ uses.T > 0
    pairs = np.argwhere(met & shared)
    strengths = np.array([abs(base.certainty(index)) for index in range(len(base.rules))])
    weaker = strengths[pairs].min(axis=1) if len(pairs) else np.empty(0)
    order = np.argsort(-weaker, kind="stable")
    found, waiting = counts.first(pairs[order].tolist(), MOST)
    for one, other, shown in found:
        verb = "fire" if counts.everywhere(one) and counts.everywhere(other) else "count"
        yield base.finding(
            "conflict",
            "info",
            f"{base.says(one)} and {base.says(other)} can both {verb}; "
            f"{base.outcome(base.certainty(one, other))}",
            one,
            other,
            witness=shown,
            names=counts.columns([one, other]),
        )
    rest, fewer = counts.n_counting(waiting)
    if rest:
        yield _count(
            f"{'up to ' if fewer else ''}{rest:,} more {'pairs' if rest > 1 else 'pair'} of rules about the "
            "same columns can count with opposite outcomes; the pairs told are those with the most evidence "
            "on either side"
        )
    apart, fewer = counts.n_counting(np.argwhere(met & ~shared).tolist())
    if apart:
        yield _count(
            f"{'up to ' if fewer else ''}{apart:,} {'pairs' if apart > 1 else 'pair'} of rules about "
            "different columns can count with opposite outcomes; their evidence is weighed, as it should be "
            "if they are independent"
        )


def undecided(counts: Counting) -> Iterator[RuleFinding]:
    """Yield the number of pairs that could not be compared."""
    pairs = int(np.count_nonzero(np.triu(counts.unknown | counts.unknown.T, 1)))
    if pairs:
        yield RuleFinding(
            "not-analysed",
            "info",
            f"{pairs:,} {'pairs' if pairs > 1 else 'pair'} of rules could not be compared exactly, so "
            "an overlap may go untold; split the rules with many alternatives",
        )


def _count(sentence: str) -> RuleFinding:
    return RuleFinding("conflict", "info", sentence)


def _against(base: Analysed) -> NDArray[np.bool_]:
    """Return which rules say opposite things, shape (n_rules, n_rules)."""
    signs = np.sign([base.certainty(index) for index in range(len(base.rules))])
    against: NDArray[np.bool_] = signs[:, None] != signs
    return against
