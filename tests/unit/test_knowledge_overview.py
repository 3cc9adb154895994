from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.observed import look
from toolkit.knowledge.overview import conflicts, overview
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema((Column("n"), Column("x"), Column("goods", kind="category", levels=("milk", "beer"))))
LEVELS = {"goods": ("milk", "beer")}


def base(*rules: dict[str, Any]) -> KnowledgeBase:
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "20 %",
            "columns": {"n": {"type": "whole number"}, "x": {}, "goods": {"type": "choice"}},
            "rules": [{"id": f"r{place}", "because": "so", **rule} for place, rule in enumerate(rules)],
        }
    )


RULES = (
    {"when": "n >= 6", "then": "buys", "certainty": 0.8, "group": "g"},
    {"when": "n >= 4", "then": "buys", "certainty": 0.2, "group": "g"},
    {"when": 'x > 0.5 and goods == "beer"', "then": "does not buy", "certainty": 0.6},
    {"when": "n == 9", "then": "does not buy", "certainty": 0.1},
    {"when": "n == 0", "then": "does not buy", "certainty": 0.9},
    {"when": "n > 99", "then": "buys", "certainty": 0.5},
)


def rows(n_rows: int = 500) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(2)
    features = pd.DataFrame(
        {
            "n": generator.integers(0, 10, n_rows).astype("float32"),
            "x": generator.normal(size=n_rows).astype("float32"),
            "goods": generator.integers(-1, 2, n_rows).astype("int32"),
        }
    )
    labels = (generator.random(n_rows) < 0.3).astype(np.int8)
    labels[features["n"] == 0] = 0  # a shift without end
    return features, labels, 70_000 + np.arange(n_rows) // 4


def told(*rules: dict[str, Any]) -> dict[str, Any]:
    knowledge = base(*(rules or RULES))
    system = compile_knowledge(knowledge, SCHEMA)
    features, labels, clusters = rows()
    observed = look(system, features, labels, clusters, np.full(len(labels), 17_000))
    finding = RuleFinding("code", "info", "a sentence", ("r0",), {"n": 1}, "k.yaml:1:1")
    return overview(knowledge, system, features, observed, LEVELS, [finding])


def test_is_json_without_infinities_or_keys_of_rows() -> None:
    text = json.dumps(told(), allow_nan=False)
    assert "7000" not in text, "a cluster's number"
    assert json.loads(text)["findings"][0]["witness"] == {"n": 1}


def test_certainties_are_in_the_direction_of_each_rule() -> None:
    rules = {rule["id"]: rule for rule in told()["rules"]}
    never_buys = rules["r4"]
    assert never_buys["certainty"] == pytest.approx(0.9)
    assert (never_buys["data"]["estimate"], never_buys["data"]["high"]) == (1.0, 1.0)
    assert never_buys["data"]["low"] > 0
    assert rules["r5"]["data"] is None
    assert rules["r1"]["n_counts"] < rules["r1"]["n_fires"]
    assert {rule["fires_on_dates"] for rule in rules.values()} == {0}


def test_conflicts_are_pairs_that_count_on_the_same_rows_the_costliest_first() -> None:
    found = told()["conflicts"]
    assert [(pair["rule_for"], pair["rule_against"]) for pair in found] == [
        ("r0", "r2"),
        ("r0", "r3"),
        ("r1", "r2"),
    ]
    features, labels, _ = rows()
    both = (features["n"] >= 6) & (features["x"] > 0.5) & (features["goods"] == 1)
    assert found[0]["n_rows"] == both.sum()
    assert found[0]["observed_rate"] == pytest.approx(labels[both].mean())
    # odds times 5 and times 0.4
    assert found[0]["certainty"] == pytest.approx(1 - 1 / 2)


def test_conflicts_are_as_many_as_asked_for() -> None:
    knowledge = base(*RULES)
    system = compile_knowledge(knowledge, SCHEMA)
    observed = look(system, *rows())
    assert conflicts(system, observed, at_most=1) == conflicts(system, observed)[:1]


def test_examples_differ_and_add_up() -> None:
    found = {example["kind"]: example for example in told()["examples"]}
    assert list(found) == ["raised", "lowered", "conflict", "silent"]
    assert [one["rule"] for one in found["raised"]["contributions"]] == ["r0"]
    assert found["raised"]["silenced"] == ["r1"]
    assert found["raised"]["row"]["n"] >= 6
    assert {one["rule"] for one in found["conflict"]["contributions"]} >= {"r0", "r2"}
    assert found["conflict"]["row"]["goods"] == "beer"
    assert found["silent"]["contributions"] == []
    assert set(found["silent"]["row"]) == {"n", "x", "goods"}
    for example in found.values():
        moved = np.log(0.2 / 0.8) + sum(one["log_odds"] for one in example["contributions"])
        assert example["probability"] == pytest.approx(1 / (1 + np.exp(-moved)), abs=1e-6)


def test_kinds_of_rows_that_do_not_occur_are_left_out() -> None:
    everywhere = told({"when": "n >= 0", "then": "buys", "certainty": 0.2})
    assert [example["kind"] for example in everywhere["examples"]] == ["raised"]
    assert everywhere["silent_share"] == 0
    assert everywhere["conflicts"] == []
