from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge import observed
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.observed import Firings, look, observe
from toolkit.knowledge.shift import Shift
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema((Column("p"), Column("n"), Column("x")))


def system(*rules: dict[str, Any], prior: str = "20 %") -> ExpertSystem:
    written = [
        {"id": f"r{place}", "because": "so", "then": "buys", **rule} for place, rule in enumerate(rules)
    ]
    base = {
        "knowledge_base": "k",
        "predicts": "y",
        "prior": prior,
        "columns": {"p": {}, "n": {"type": "whole number"}, "x": {}},
        "rules": written,
    }
    return compile_knowledge(KnowledgeBase.model_validate(base), SCHEMA)


def frame(n_rows: int, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({name: columns.get(name, np.zeros(n_rows)) for name in SCHEMA.names}, dtype="float32")


def shifts(*looked_at: Any) -> list[tuple[Shift, Shift]]:
    found = observe(*looked_at)
    return [(seen.shift, seen.given_others) for seen in found if seen.shift and seen.given_others]


def drawn(n_rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    features = frame(
        n_rows,
        p=generator.uniform(0.02, 0.6, n_rows),
        n=generator.integers(0, 6, n_rows),
        x=generator.normal(size=n_rows),
    )
    labels = (generator.random(n_rows) < features["p"]).astype(np.int8)
    return features, labels, np.arange(n_rows) // 5


RULES = (
    {"when": "n >= 3", "certainty": 0.5, "group": "g"},
    {"when": "n >= 2", "certainty": 0.2, "group": "g", "then": "does not buy"},
    {"when": "x > 1", "certainty": 0.3},
    {"when": "x > 99", "certainty": 0.3},
)


@pytest.mark.parametrize("n_rows", [1, 8, 1001])
def test_firings_in_bits_are_the_systems_own(n_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observed, "BLOCK_ROWS", 16)
    features, _, _ = drawn(n_rows)
    compiled = system(*RULES)
    found = Firings.of(compiled, features)
    fired = compiled.firings(features)
    for rule in range(compiled.n_rules):
        assert found.rows(found.fired[rule]).tolist() == np.flatnonzero(fired[:, rule]).tolist()
        counted = compiled.effective(fired)[:, rule]
        assert found.rows(found.counted[rule]).tolist() == np.flatnonzero(counted).tolist()
    assert found.evidence == pytest.approx(compiled.evidence(features), abs=1e-12)
    assert found.silent().tolist() == np.flatnonzero(~fired.any(axis=1)).tolist()


def test_counts_where_a_rule_fires_and_where_it_counts() -> None:
    features, labels, clusters = drawn(400)
    strong, weak, single, nowhere = observe(system(*RULES), features, labels, clusters)
    n = features["n"].to_numpy()
    assert strong.n_fires == strong.n_counts == np.count_nonzero(n >= 3)
    assert (weak.n_fires, weak.n_counts) == (np.count_nonzero(n >= 2), np.count_nonzero(n == 2))
    assert weak.n_clusters == len(np.unique(clusters[n == 2]))
    assert (strong.certainty, weak.certainty) == pytest.approx((0.5, -0.2))
    assert single.observed_rate == pytest.approx(labels[features["x"] > 1].mean())
    assert (nowhere.n_fires, nowhere.observed_rate, nowhere.shift) == (0, None, None)


def test_the_expected_rate_is_the_priors_set_right_in_general() -> None:
    features, labels, clusters = drawn(5000)
    features["p"] = features["p"] / 2  # the prior expects half of what happens
    everywhere, *_ = observe(
        system({"when": "n >= 0", "certainty": 0.2}, prior="p"), features, labels, clusters
    )
    assert everywhere.expected_rate == pytest.approx(labels.mean())
    assert everywhere.shift is not None
    assert everywhere.shift.estimate == pytest.approx(0, abs=1e-9)


def test_what_another_rule_says_already_is_taken_off() -> None:
    features, _, clusters = drawn(40_000)
    n = features["n"].to_numpy()
    chance = 1 / (1 + np.exp(1.386 - 1.1 * (n >= 4)))
    labels = (np.random.default_rng(1).random(len(n)) < chance).astype(np.int8)
    strong, narrow = {"when": "n >= 4", "certainty": 0.6}, {"when": "n >= 4 and x > -1", "certainty": 0.6}
    other = {"when": "x > 0", "certainty": 0.6}
    alone, left = shifts(system(strong, narrow), features, labels, clusters)[1]
    assert alone.low > 0.4
    assert left.high < 0.25, "the first rule has said it already"
    alone, left = shifts(system(strong, other), features, labels, clusters)[0]
    assert left.estimate == pytest.approx(alone.estimate, abs=0.1), (
        "a rule about something else takes nothing"
    )


def test_a_rule_that_the_others_leave_as_it_is_keeps_its_weight() -> None:
    features, _, clusters = drawn(60_000)
    compiled = system({"when": "n >= 5 and x > 1", "certainty": 0.5}, *RULES[2:3], prior="p")
    chance = compiled.predict_proba(features)
    labels = (np.random.default_rng(3).random(len(chance)) < chance).astype(np.int8)
    _, left = shifts(compiled, features, labels, clusters)[0]
    share = np.mean((features["n"] >= 5) & (features["x"] > 1))
    assert share < 0.03, "rare enough to leave the general level as it is"
    assert left.low < compiled.weights[0] < left.high


def test_without_labels_only_firings_are_counted() -> None:
    features, labels, clusters = drawn(50)
    for none in (None, np.zeros_like(labels)):
        found = look(system(*RULES, prior="p"), features, none, clusters)
        assert all(seen.shift is None and seen.given_others is None for seen in found.rules)
        assert found.rules[0].n_fires > 0
        assert found.expected_rate == pytest.approx(features["p"].mean())
    assert look(system(*RULES), features, None, clusters).observed_rate is None


def test_no_rows_and_no_rules_are_no_trouble() -> None:
    features, labels, clusters = drawn(20)
    empty = look(system(*RULES), features.iloc[:0], labels[:0], clusters[:0])
    assert [seen.n_rows for seen in empty.rules] == [0] * 4
    assert empty.expected_rate is None
    assert look(system(), features, labels, clusters).firings.silent().tolist() == list(range(20))


def test_changes_nothing_it_was_given() -> None:
    features, labels, clusters = drawn(100)
    before = features.copy()
    observe(system(*RULES, prior="p"), features, labels, clusters)
    pd.testing.assert_frame_equal(features, before)


def test_a_prior_that_is_no_probability_is_refused() -> None:
    features, labels, clusters = drawn(10)
    features["p"] = 3.0
    with pytest.raises(KnowledgeError, match="must be a probability"):
        observe(system(*RULES, prior="p"), features, labels, clusters)
