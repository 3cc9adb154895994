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


def base_of(
    rules: list[tuple[str, str, float, str | None]], never: list[str], always: list[str]
) -> KnowledgeBase:
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
            (knowledge.rules, read.rules),
            (knowledge.never, read.never),
            (knowledge.always, read.always),
        ):
            self.conditions |= {entry.id: one for entry, one in zip(entries, conditions, strict=True)}
        self.met = {name: self.where(one) for name, one in self.conditions.items()}

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
        others = np.logical_or.reduce(met[1:]) if len(met) > 1 else np.False_
        meaning: dict[str, Callable[[], Any]] = {
            "never-fires": lambda: not met[0].any(),
            "always-fires": lambda: met[0][self.known(finding.rules[0])].all(),
            "never-counts": lambda: (met[0] <= others).all() and here[0] and any(here[1:]),
            "overruled": lambda: (met[0] <= np.logical_or.reduce(facts)).all() and here[0],
            "duplicate": lambda: all((met[0] == one).all() for one in met) and all(here),
            "contradiction": lambda: all((met[0] == one).all() for one in met) and all(here),
            "subsumed": lambda: all((met[0] <= one).all() for one in met) and all(here),
            "exception": lambda: all((met[0] <= one).all() for one in met) and all(here),
            "conflict": lambda: not finding.rules or ((met[0] & met[1]).any() and all(here)),
            "facts-clash": lambda: (met[0] & met[1]).any() and all(here),
            "constant-comparison": lambda: True,
            "gap": lambda: (
                shown is not None
                and not any(holds(self.conditions[rule.id], shown) for rule in self.knowledge.rules)
            ),
            "unused-column": lambda: True,
        }
        return bool(meaning[finding.code]())


@unhurried
@given(
    st.lists(ENTRIES, min_size=1, max_size=6),
    st.lists(CONDITIONS, max_size=2),
    st.lists(CONDITIONS, max_size=2),
)
def test_every_finding_is_so_and_nothing_grave_goes_untold(
    rules: list[tuple[str, str, float, str | None]], never: list[str], always: list[str]
) -> None:
    knowledge = base_of(rules, never, always)
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
    fires = [rule.id for rule in knowledge.rules if truth.met[rule.id].any()]
    outdone = set()
    for members in knowledge.groups:
        before = np.zeros(len(truth.rows), np.bool_)
        for member in members:
            name = knowledge.rules[member].id
            if name in fires and (truth.met[name] <= before).all():
                outdone.add(name)
            before |= truth.met[name]
    assert told("never-counts") == outdone
    settled = np.zeros(len(truth.rows), np.bool_)
    for entry in (*knowledge.never, *knowledge.always):
        settled |= truth.met[entry.id]
    assert told("overruled") == {name for name in fires if (truth.met[name] <= settled).all()}
    nothing = [
        all(value is not None for name, value in row.items() if name in used(truth, knowledge))
        and not any(truth.met[rule.id][index] for rule in knowledge.rules)
        for index, row in enumerate(truth.rows)
    ]
    assert any(finding.code == "gap" for finding in findings) == any(nothing)


def used(truth: Truth, knowledge: KnowledgeBase) -> set[str]:
    return {name for rule in knowledge.rules for name in columns(truth.conditions[rule.id])}
