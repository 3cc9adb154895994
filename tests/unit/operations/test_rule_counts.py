"""Conditions and rules of a knowledge base, against what its program decides."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from toolkit.knowledge import program
from toolkit.knowledge.base import load
from toolkit.knowledge.condition import Junction
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.operations.counts import added
from toolkit.operations.rules import fact_counts, fired_per_row, rule_counts
from toolkit.tasks.base import Column, Schema

N_ROWS = 40_000

KNOWLEDGE = """
knowledge_base: shop
predicts: buys
prior: 10 %
columns:
  visits: {type: whole number, min: 0, max: 30}
  age: {type: whole number, min: 0, max: 120}
  kind: {type: choice, values: [a, b, c]}
rules:
  - id: keen
    when: visits >= 6 and kind in ["a", "b"]
    then: buys
    certainty: .8
    because: looks often
  - id: keener
    when: visits >= 6 and kind in ["a", "b"] and age > 30
    then: buys
    certainty: .5
    because: older
  - {id: either, when: visits == 0 or age > 30, then: does not buy, certainty: .4, because: one of both}
  - {id: more, when: visits > age, then: buys, certainty: .2, because: more visits than years}
"""
FACTS = """
never:
  - {id: law, when: age < 18, because: the law}
always:
  - {id: bound, when: visits >= 6 and kind == "c", because: a contract}
"""
SCHEMA = Schema((Column("visits"), Column("age"), Column("kind", kind="category", levels=("a", "b", "c"))))


def system(tmp_path, text: str) -> ExpertSystem:
    file = tmp_path / "knowledge.yaml"
    file.write_text(text, encoding="utf-8")
    return compile_knowledge(load(file), SCHEMA)


@pytest.fixture
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "visits": generator.integers(0, 12, N_ROWS).astype(np.float32),
            "age": generator.integers(5, 80, N_ROWS).astype(np.float32),
            "kind": generator.integers(0, 3, N_ROWS).astype(np.int32),
        }
    )


@pytest.fixture
def decided(monkeypatch) -> Counter[str]:
    """Count the rows that comparisons and joins are decided for, as the program runs."""
    seen: Counter[str] = Counter()
    compare, join, codes = program._compare, program._join, program._Block.codes

    def counted_compare(left, op, right, out):
        seen["comparisons"] += len(out)
        compare(left, op, right, out)

    def counted_join(step, parts, out):
        seen["joins"] += (len(parts) - 1) * len(out)
        join(step, parts, out)

    def counted_codes(self, name):
        found = codes(self, name)
        seen["choices"] += len(found)
        return found

    monkeypatch.setattr(program, "_compare", counted_compare)
    monkeypatch.setattr(program, "_join", counted_join)
    monkeypatch.setattr(program._Block, "codes", counted_codes)
    return seen


def test_conditions_are_those_that_predicting_decides(tmp_path, rows, decided):
    shop = system(tmp_path, KNOWLEDGE)
    shop.predict_proba(rows)
    counts = rule_counts(shop)
    assert N_ROWS * counts["conditions"] == decided.total()
    # visits >= 6, kind, age > 30, visits == 0, visits > age; joins of two, of three and of two
    assert counts == {"conditions": 5 + 1 + 2 + 1, "rules": 4}
    assert fact_counts(shop) == {"conditions": 0, "rules": 0}


def test_hard_facts_are_decided_beside_the_rules(tmp_path, rows, decided):
    shop = system(tmp_path, KNOWLEDGE + FACTS)
    shop.predict_proba(rows)
    both = added(rule_counts(shop), fact_counts(shop))
    assert N_ROWS * both["conditions"] == decided.total()
    assert both["rules"] == 4 + 2


def test_a_condition_that_always_holds_is_one(tmp_path, rows, decided):
    text = KNOWLEDGE.replace("visits > age, then", '"true", then')
    shop = system(tmp_path, text)
    assert any(isinstance(step, Junction) and not step.parts for step in shop.programs[0].steps)
    assert rule_counts(shop)["conditions"] == 4 + 4 + 1


def test_how_many_rules_fire_is_a_matter_of_the_rows(tmp_path, rows):
    shop = system(tmp_path, KNOWLEDGE)
    one = rows.iloc[:7]
    by_hand = [
        (row.visits >= 6 and row.kind in (0, 1))
        + (row.visits >= 6 and row.kind in (0, 1) and row.age > 30)
        + (row.visits == 0 or row.age > 30)
        + (row.visits > row.age)
        for row in one.itertuples()
    ]
    assert fired_per_row(shop, one) == sum(by_hand) / 7
    assert fired_per_row(shop, rows.iloc[:0]) == 0
