"""Checks of a knowledge base against rows: rules that do nothing, say the same, or are contradicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.data_certainties import judge
from toolkit.knowledge.checks.data_columns import Levels, check_columns, example, n_rows, share
from toolkit.knowledge.checks.findings import RuleFinding, Severity, gravest_first
from toolkit.knowledge.condition import Condition
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.entries import Rule
from toolkit.knowledge.observed import Observed, RuleEvidence, look, n_set
from toolkit.knowledge.symbolic import ExpertSystem

__all__ = ["check_data", "hold_against"]

NEARLY_ALWAYS = 0.95
"""A rule that fires on a larger share of the rows tells next to nothing apart."""

ALIKE = 0.95
"""Two rules with a larger Jaccard index (rows where both fire over rows where any does) are as one."""


def check_data(
    knowledge: KnowledgeBase,
    system: ExpertSystem,
    features: pd.DataFrame,
    labels: NDArray[np.integer] | None,
    clusters: NDArray[np.integer],
    *,
    levels: Levels | None = None,
    times: NDArray[np.integer] | None = None,
) -> tuple[RuleFinding, ...]:
    """Hold a knowledge base against rows and tell what its author should know.

    Parameters
    ----------
    knowledge : KnowledgeBase
    system : ExpertSystem
        The same, compiled.
    features : DataFrame of shape (n_rows, n_columns)
    labels : ndarray of shape (n_rows,), optional
        0 or 1; without them certainties are not judged.
    clusters : ndarray of shape (n_rows,)
        Rows of one cluster are not independent.
    levels : mapping of str to tuple of str, optional
        Choice column -> names of its codes, in order.
    times : ndarray of shape (n_rows,), optional
        Date of each row; all 0 where the task has no time.

    Returns
    -------
    tuple of RuleFinding
        The gravest first. Without rows there is nothing to find.
    """
    return hold_against(knowledge, system, features, labels, clusters, levels=levels, times=times)[1]


def hold_against(
    knowledge: KnowledgeBase,
    system: ExpertSystem,
    features: pd.DataFrame,
    labels: NDArray[np.integer] | None,
    clusters: NDArray[np.integer],
    *,
    levels: Levels | None = None,
    times: NDArray[np.integer] | None = None,
) -> tuple[Observed | None, tuple[RuleFinding, ...]]:
    """Return what was observed of every rule, and what `check_data` finds; parameters are the same.

    Nothing is observed without rows, or where the prior is no probability.
    """
    if not len(features):
        return None, ()
    of_columns = list(check_columns(knowledge, features, levels))
    if any(finding.severity == "error" for finding in of_columns):
        return None, gravest_first(of_columns)
    observed = look(system, features, labels, clusters, times)
    checks = _Checks(
        knowledge=knowledge,
        system=system,
        features=features,
        levels=levels,
        observed=observed,
        rules=knowledge.all_rules,
        conditions=knowledge.conditions().rules,
    )
    found = [*checks.firings(), *checks.alike(), *checks.certainties(), *checks.facts(labels)]
    return observed, gravest_first([*found, *of_columns, *checks.gap()])


@dataclass(frozen=True)
class _Checks:
    knowledge: KnowledgeBase
    system: ExpertSystem
    features: pd.DataFrame
    levels: Levels | None
    observed: Observed
    rules: tuple[Rule, ...]
    conditions: tuple[Condition, ...]

    def firings(self) -> Iterator[RuleFinding]:
        """Yield the rules that fire nowhere, never count, or fire nearly everywhere."""
        for index, seen in enumerate(self.observed.rules):
            if not seen.n_fires:
                yield self.finding(
                    "fires-on-no-row",
                    "warning",
                    index,
                    f"'{seen.rule}' fires on none of the {seen.n_rows:,} rows, so nothing here can judge it; "
                    "it may be meant for rows to come",
                )
            elif not seen.n_counts:
                yield self.finding(
                    "never-counts",
                    "warning",
                    index,
                    f"'{seen.rule}' fires on {n_rows(seen.n_fires)} but counts on none: a stronger rule of "
                    f"group '{self.rules[index].group}' always fires too; leave it out, or out of the group",
                )
            elif self.nearly_always(seen):
                fired = self.observed.firings.fired[index]
                quiet = self.observed.firings.rows(~fired)
                yield self.finding(
                    "fires-nearly-always",
                    "warning",
                    index,
                    f"'{seen.rule}' fires on {share(seen.n_fires / seen.n_rows)} of the rows: that moves "
                    "the prior and tells nothing apart; narrow it",
                    rows=quiet,
                )

    def alike(self) -> Iterator[RuleFinding]:
        """Yield each rule that fires on nearly the same rows as one before it."""
        fired = self.observed.firings.fired
        sizes = n_set(fired)
        order = [int(index) for index in np.argsort(sizes, kind="stable") if sizes[index]]
        partners: dict[int, int] = {}
        for place, one in enumerate(order):
            # Of two sets, the smaller over the larger is the most their Jaccard index can be.
            near = [other for other in order[place + 1 :] if sizes[one] > ALIKE * sizes[other]]
            for other in near:
                both = int(n_set(fired[one] & fired[other]))
                first, second = sorted((one, other))
                if both > ALIKE * (sizes[one] + sizes[other] - both):
                    partners[second] = min(first, partners.get(second, first))
        for second, first in sorted(partners.items()):
            together = any({first, second} <= set(group) for group in self.system.groups)
            here, there = self.rules[first].id, self.rules[second].id
            same = "; they are of one group, so only the stronger counts" if together else ""
            yield self.finding(
                "fires-alike",
                "info" if together else "warning",
                second,
                f"'{here}' and '{there}' fire on nearly the same rows{same}"
                + (
                    "" if same else ": the same evidence counts twice; merge them, or put them into one group"
                ),
                rows=self.observed.firings.rows(fired[first] ^ fired[second]),
                others=(first,),
            )

    def certainties(self) -> Iterator[RuleFinding]:
        """Yield the rules whose certainty the labels contradict, and those that count double."""
        for index, seen in enumerate(self.observed.rules):
            if seen.fires_on_dates == 1:
                yield self.finding(
                    "fires-on-one-date",
                    "info",
                    index,
                    f"'{seen.rule}' fires on all rows of one date and on none of the other "
                    f"{self.observed.n_dates - 1}: one date cannot judge a certainty, whatever its rows",
                )
        told = [not self.nearly_always(seen) for seen in self.observed.rules]
        for one in judge(self.rules, self.observed.rules, told):
            counted = self.observed.firings.counted[one.index]
            rows = self.observed.firings.rows(counted) if one.severity == "warning" else None
            yield self.finding(one.code, one.severity, one.index, one.sentence, rows=rows)

    def facts(self, labels: NDArray[np.integer] | None) -> Iterator[RuleFinding]:
        """Yield hard facts that labels break."""
        if labels is None or not self.system.n_facts:
            return
        held = self.system.facts(self.features)
        n_never = len(self.knowledge.never)
        # never overrules always
        settled = ~held[:, :n_never].any(axis=1)
        conditions = self.knowledge.conditions()
        for place, fact in enumerate((*self.knowledge.never, *self.knowledge.always)):
            never = place < n_never
            holds = held[:, place] if never else held[:, place] & settled
            broken = np.flatnonzero(holds & (labels == never))
            if len(broken):
                kind, index = ("never", place) if never else ("always", place - n_never)
                condition = (*conditions.never, *conditions.always)[place]
                yield RuleFinding(
                    "fact-broken",
                    "warning",
                    f"the hard fact '{fact.id}' ({kind}) is broken on {len(broken):,} of the "
                    f"{n_rows(int(holds.sum()))} it settles, and admits no exception; narrow it, or make "
                    "it a rule",
                    rules=(fact.id,),
                    witness=self.example(broken, columns_of(condition)),
                    where=self.knowledge.where(kind, index),
                )

    def gap(self) -> Iterator[RuleFinding]:
        """Yield the rows on which no rule fires."""
        silent = self.observed.firings.silent()
        if len(silent) and self.rules:
            yield RuleFinding(
                "gap-in-data",
                "info",
                f"no rule fires on {share(len(silent) / len(self.features))} of the rows ({len(silent):,}): "
                "the prior stands there",
                witness=self.example(silent, self.system.columns),
            )

    def nearly_always(self, seen: RuleEvidence) -> bool:
        return seen.n_fires > NEARLY_ALWAYS * seen.n_rows

    def finding(
        self,
        code: str,
        severity: Severity,
        index: int,
        sentence: str,
        *,
        rows: NDArray[np.intp] | None = None,
        others: tuple[int, ...] = (),
    ) -> RuleFinding:
        concerned = (*others, index)
        names = dict.fromkeys(name for one in concerned for name in columns_of(self.conditions[one]))
        return RuleFinding(
            code,
            severity,
            sentence,
            rules=tuple(self.rules[one].id for one in concerned),
            witness=None if rows is None else self.example(rows, names),
            where=self.knowledge.rule_where(index),
        )

    def example(self, rows: NDArray[np.intp], names: Iterable[str]) -> dict[str, object] | None:
        """Return the columns called `names` of the row in the middle of `rows`."""
        if not len(rows):
            return None
        known = [name for name in names if name in self.knowledge.columns]
        return example(self.features, int(rows[len(rows) // 2]), known, self.knowledge, self.levels)
