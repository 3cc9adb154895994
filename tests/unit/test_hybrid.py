from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import load
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks._hybrid_search import TEACHER_LABELS
from toolkit.tracks._hybrid_trials import most_trusting
from toolkit.tracks.base import Track
from toolkit.tracks.hybrid import Hybrid
from toolkit.tracks.neural import Neural

SCHEMA = Schema((Column("habit"), Column("visits"), Column("age")))

KNOWLEDGE = """
knowledge_base: shop
predicts: buys
prior: habit
columns:
  habit: {type: number, min: 0, max: 1}
  visits: {type: whole number, min: 0}
  age: {type: whole number, min: 0}
rules:
  - {id: keen, when: visits >= 6, then: buys, certainty: .8, because: looking often is wanting, group: visits}
  - {id: curious, when: visits >= 3, then: buys, certainty: .5, because: looks around, group: visits}
  - {id: away, when: visits == 0, then: does not buy, certainty: .7, because: did not even look}
never:
  - {id: law, when: age < 18, because: the law}
"""


def make(n_rows: int, seed: int = 0, unlabelled: int = 0, *, rows_per_cluster: int = 2) -> TrainingData:
    generator = np.random.default_rng(seed)
    total = n_rows + unlabelled
    features = pd.DataFrame(
        {
            "habit": generator.beta(2, 6, total).astype(np.float32),
            "visits": generator.poisson(2.5, total).astype(np.float32),
            "age": generator.integers(18, 80, total).astype(np.float32),
        }
    )
    habit = features["habit"].to_numpy(np.float64)
    visits = features["visits"].to_numpy()
    moved = 1.6 * (visits >= 6) + 0.7 * ((visits >= 3) & (visits < 6)) - 1.2 * (visits == 0)
    chance = expit(np.log(habit / (1 - habit)) + moved)
    return TrainingData(
        features=features.iloc[:n_rows],
        labels=(generator.random(total) < chance).astype(np.int8)[:n_rows],
        clusters=np.arange(n_rows, dtype=np.int32) // rows_per_cluster,
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[n_rows:].reset_index(drop=True),
        schema=SCHEMA,
    )


def log_loss(labels: np.ndarray, chances: np.ndarray) -> float:
    clipped = np.clip(chances, 1e-9, 1 - 1e-9)
    return float(-np.where(labels == 1, np.log(clipped), np.log1p(-clipped)).mean())


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("knowledge") / "shop.yaml"
    file.write_text(KNOWLEDGE)
    return file


@pytest.fixture(scope="module")
def expert(path) -> ExpertSystem:
    return compile_knowledge(load(path), SCHEMA)


def means(path: Path, n_labels: int, tracks: dict[str, object], seeds: int = 2) -> dict[str, float]:
    """Return each track's mean log loss on rows that nobody was trained on."""
    held_out = make(4000, seed=77)
    losses: dict[str, list[float]] = {name: [] for name in tracks}
    for seed in range(seeds):
        train = make(n_labels, seed=seed, unlabelled=1000)
        for name, track in tracks.items():
            fitted = replace(track).fit(train, seed=seed)  # type: ignore[type-var]
            losses[name].append(log_loss(held_out.labels, fitted.predict_proba(held_out.features)))
    return {name: float(np.mean(values)) for name, values in losses.items()}


class TestTrust:
    def test_trust_is_given_up_for_a_sure_advantage_only(self):
        train = make(800)
        says_nothing, says_half, says_more = Says(0.0), Says(0.5), Says(1.0)
        assert most_trusting([says_nothing, says_more], train, 0) is says_more
        assert most_trusting([says_more, says_nothing], train, 0) is says_more
        assert most_trusting([says_more, replace(says_more)], train, 0) is says_more
        assert most_trusting([says_nothing, says_half, says_more], train, 0) is says_more

    def test_a_handful_of_clusters_does_not_overrule_the_experts(self):
        few = make(800, rows_per_cluster=100)
        says_nothing, says_more = Says(0.0), Says(1.0)
        assert most_trusting([says_nothing, says_more], few, 0) is says_nothing


@dataclass
class Says(Track):
    """Knows a share of what moves the habit."""

    share: float

    def fit(self, train, *, seed):
        return self

    def predict_proba(self, features):
        habit, visits = features["habit"].to_numpy(np.float64), features["visits"].to_numpy()
        moved = 1.6 * (visits >= 6) + 0.7 * ((visits >= 3) & (visits < 6)) - 1.2 * (visits == 0)
        return expit(np.log(habit / (1 - habit)) + self.share * moved)


class TestLambda:
    def test_lambda_zero_is_the_neural_track(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 5}
        hybrid = Hybrid(path, teacher_labels=0, **same).fit(train, seed=4)
        neural = Neural(**same).fit(train, seed=4)
        assert np.allclose(
            hybrid.predict_proba(train.features), neural.predict_proba(train.features), atol=1e-12
        )


class TestSearch:
    def test_it_leaves_nothing_open(self, path):
        track = Hybrid(path, epochs=2)
        found = track.search(make(300, unlabelled=300), budget_fits=10.0, seed=0)
        assert found.tau is not None
        assert found.teacher_labels is not None
        assert found.strength != "auto"
        assert track.tau is None

    def test_without_labels_there_is_nothing_to_choose_by(self, path):
        train = make(0, unlabelled=50)
        assert Hybrid(path).search(train, budget_fits=1.0, seed=0) == Hybrid(path)

    def test_without_budget_the_usual_values_stay(self, path):
        found = Hybrid(path, epochs=2).search(make(300), budget_fits=1e-9, seed=0)
        assert (found.tau, found.teacher_labels, found.strength) == (None, TEACHER_LABELS, "strong")

    def test_check_makes_the_path_absolute_and_names_what_is_wrong(self, path):
        assert Hybrid(Path(path.name)).check(SCHEMA, path.parent).knowledge == path.resolve()
        with pytest.raises(KnowledgeError, match="visits"):
            Hybrid(path).check(Schema((Column("habit"), Column("age"))), path.parent)
