from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.condition import Condition, columns, holds

# A loaded machine must not fail a test: no clock decides here.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

COLUMNS: dict[str, dict[str, Any]] = {
    "n": {"type": "whole number", "min": 0, "max": 3},
    "m": {"type": "whole number", "min": 0, "max": 2, "missing": 1},
    "flag": {"type": "yes/no"},
    "kind": {"type": "choice", "values": ["a", "b"]},
}

COMPARISONS = st.one_of(
    st.tuples(
        st.sampled_from("nm"), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(-1, 4)
    ).map(lambda parts: f"{parts[0]} {parts[1]} {parts[2]}"),
    st.sampled_from(["flag", "not flag", 'kind == "a"', 'kind != "a"', 'kind in ["a", "b"]', "true"]),
    st.sampled_from(["n > m", "2 * n <= 3 * m", "n == m", "not (n > m)"]),
)
CONDITIONS = st.one_of(
    COMPARISONS,
    st.lists(COMPARISONS, min_size=2, max_size=3).map(" and ".join),
    st.lists(COMPARISONS, min_size=2, max_size=2).map(" or ".join),
)
ENTRIES = st.tuples(
    CONDITIONS,
    st.sampled_from(["buys", "does not buy"]),
    st.sampled_from([0.1, 0.2, 0.3]),
    st.sampled_from([None, None, "g", "h"]),
)
ROWS = st.tuples(
    st.sampled_from(["-", "< 2", "<= 2", "> 0", "1", "[2..3]"]),
    st.sampled_from(["-", "yes", "no"]),
    st.sampled_from(["buys", "does not buy"]),
)
PAIRS = ("duplicate", "contradiction", "subsumed", "exception", "conflict")


def base_of(
    rules: list[tuple[str, str, float, str | None]],
    never: list[str],
    always: list[str],
    table: list[tuple[str, str, str]],
) -> KnowledgeBase:
    rows = [
        {"id": str(number), "tests": tests, "then": then, "certainty": 0.2, "because": "b"}
        for number, (*tests, then) in enumerate(table)
    ]
    keys = ("when", "then", "certainty", "group")
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "p",
            "prior": "10 %",
            "columns": COLUMNS,
            "rules": [
                {"id": f"r{number}", "because": "b", **dict(zip(keys, rule, strict=True))}
                for number, rule in enumerate(rules)
            ],
            "never": [
                {"id": f"n{number}", "because": "b", "when": when} for number, when in enumerate(never)
            ],
            "always": [
                {"id": f"a{number}", "because": "b", "when": when} for number, when in enumerate(always)
            ],
            "tables": [{"table": "t", "hit_policy": "first", "inputs": ["n", "flag"], "rows": rows}]
            if rows
            else [],
        }
    )


def every_row(knowledge: KnowledgeBase) -> list[dict[str, Fraction | str | None]]:
    values = {
        "n": [None, 0, 1, 2, 3],
        "m": [0, 1, 2],
        "flag": [None, "no", "yes"],
        "kind": [None, "a", "b"],
    }
    return [
        {name: knowledge.columns[name].read(value) for name, value in zip(values, row, strict=True)}
        for row in itertools.product(*values.values())
    ]


class Truth:
    """What is so, by looking at every row."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self.knowledge = knowledge
        read = knowledge.conditions()
        self.rows = every_row(knowledge)
        self.conditions: dict[str, Condition] = {}
        for entries, conditions in (
            (knowledge.all_rules, read.rules),
            (knowledge.never, read.never),
            (knowledge.always, read.always),
        ):
            self.conditions |= {entry.id: one for entry, one in zip(entries, conditions, strict=True)}
        self.met = {name: self.where(one) for name, one in self.conditions.items()}
        self.settled = np.zeros(len(self.rows), np.bool_)
        for entry in (*knowledge.never, *knowledge.always):
            self.settled |= self.met[entry.id]
        names = [rule.id for rule in knowledge.all_rules]
        self.counts = {name: self.met[name] & ~self.settled for name in names}
        for members in knowledge.groups:
            for place, member in enumerate(members):
                for before in members[:place]:
                    self.counts[names[member]] &= ~self.met[names[before]]

    def where(self, condition: Condition) -> NDArray[np.bool_]:
        return np.array([holds(condition, row) for row in self.rows])

    def known(self, name: str) -> NDArray[np.bool_]:
        names = columns(self.conditions[name])
        return np.array([all(row[column] is not None for column in names) for row in self.rows])

    def witness(self, finding: RuleFinding) -> dict[str, Fraction | str | None]:
        row = {name: spec.read(spec.missing) for name, spec in self.knowledge.columns.items()}
        row |= {
            name: self.knowledge.columns[name].read(value) for name, value in (finding.witness or {}).items()
        }
        assert row in self.rows
        return row

    def claims(self, finding: RuleFinding) -> bool:
        """Tell whether what a finding says is so, of all rows and of its own."""
        met = [self.met[name] for name in finding.rules]
        shown = None if finding.witness is None else self.witness(finding)
        here = [shown is not None and holds(self.conditions[name], shown) for name in finding.rules]
        facts = [self.met[entry.id] for entry in (*self.knowledge.never, *self.knowledge.always)]
        if finding.code in PAIRS and finding.rules and finding.rules[0] in self.counts:
            return self.claims_of_pair(finding)
        others = np.logical_or.reduce(met[1:]) if len(met) > 1 else np.False_
        meaning: dict[str, Callable[[], Any]] = {
            "never-fires": lambda: not met[0].any(),
            "always-fires": lambda: met[0][self.known(finding.rules[0])].all(),
            "never-counts": lambda: (met[0] <= others).all() and here[0] and any(here[1:]),
            "overruled": lambda: (met[0] <= np.logical_or.reduce(facts)).all() and here[0],
            "subsumed": lambda: all((met[0] <= one).all() for one in met) and all(here),  # of hard facts
            "conflict": lambda: not finding.rules,
            "facts-clash": lambda: (met[0] & met[1]).any() and all(here),
            "constant-comparison": lambda: True,
            "gap": lambda: (
                shown is not None
                and not any(holds(self.conditions[rule.id], shown) for rule in self.knowledge.all_rules)
            ),
            "table-gap": lambda: (
                shown is not None
                and not any(
                    holds(self.conditions[rule.id], shown)
                    for rule in self.knowledge.all_rules[len(self.knowledge.rules) :]
                )
            ),
            "unused-column": lambda: True,
        }
        return bool(meaning[finding.code]())

    def claims_of_pair(self, finding: RuleFinding) -> bool:
        """Tell whether rules lie as a finding says where they count, and all count on its row."""
        counts, met = ([of[name] for name in finding.rules] for of in (self.counts, self.met))
        shown = self.rows.index(self.witness(finding))
        if not all(one[shown] for one in counts):
            return False
        if finding.code in ("duplicate", "contradiction"):
            return all(
                (counts[0] == one).all() and (" counts on " in finding.sentence or (met[0] == two).all())
                for one, two in zip(counts, met, strict=True)
            )
        if finding.code in ("subsumed", "exception"):
            counts_only = "counts only" in finding.sentence or "it counts" in finding.sentence
            return all((counts[0] <= one).all() for one in counts) and (
                counts_only or bool((met[0] == counts[0]).all())
            )
        return True

    def opposed(self) -> set[frozenset[str]]:
        """Return the pairs of rules about the same columns that can count with opposite outcomes."""
        rules, telling = self.knowledge.all_rules, set()
        for rule in rules:
            everywhere = self.met[rule.id][self.known(rule.id)].all()
            telling |= set() if everywhere else {rule.id}
        return {
            frozenset((one.id, other.id))
            for one, other in itertools.combinations(rules, 2)
            if one.then != other.then
            and {one.id, other.id} <= telling
            and {*columns(self.conditions[one.id])} & {*columns(self.conditions[other.id])}
            and (self.counts[one.id] & self.counts[other.id]).any()
        }


@unhurried
@given(
    st.lists(ENTRIES, min_size=1, max_size=6),
    st.lists(CONDITIONS, max_size=2),
    st.lists(CONDITIONS, max_size=2),
    st.lists(ROWS, max_size=3),
)
def test_every_finding_is_so_and_nothing_grave_goes_untold(
    rules: list[tuple[str, str, float, str | None]],
    never: list[str],
    always: list[str],
    table: list[tuple[str, str, str]],
) -> None:
    knowledge = base_of(rules, never, always, table)
    truth = Truth(knowledge)
    findings = check_knowledge(knowledge)
    assert [finding for finding in findings if not truth.claims(finding)] == []

    def told(code: str) -> set[str]:
        return {finding.rules[0] for finding in findings if finding.code == code and finding.rules}

    names = [*truth.conditions]
    assert told("never-fires") == {name for name in names if not truth.met[name].any()}
    assert told("always-fires") == {
        name for name in names if truth.met[name].any() and truth.met[name][truth.known(name)].all()
    }
    fires = [rule.id for rule in knowledge.all_rules if truth.met[rule.id].any()]
    outdone = set()
    for members in knowledge.groups:
        before = np.zeros(len(truth.rows), np.bool_)
        for member in members:
            name = knowledge.all_rules[member].id
            if name in fires and (truth.met[name] <= before).all():
                outdone.add(name)
            before |= truth.met[name]
    assert told("never-counts") == outdone
    assert told("overruled") == {name for name in fires if (truth.met[name] <= truth.settled).all()}
    pairs = {
        frozenset((finding.rules[0], other))
        for finding in findings
        if finding.code in PAIRS
        for other in finding.rules[1:]
    }
    if not any("more pair" in finding.sentence for finding in findings):
        # What is said of a rule and its twin is not said again of its other pairs.
        twins = told("duplicate")
        assert {pair for pair in truth.opposed() if pair.isdisjoint(twins)} <= pairs
    nothing = [
        all(value is not None for name, value in row.items() if name in used(truth, knowledge))
        and not any(truth.met[rule.id][index] for rule in knowledge.all_rules)
        for index, row in enumerate(truth.rows)
    ]
    assert any(finding.code == "gap" for finding in findings) == any(nothing)


def used(truth: Truth, knowledge: KnowledgeBase) -> set[str]:
    return {name for rule in knowledge.all_rules for name in columns(truth.conditions[rule.id])}
