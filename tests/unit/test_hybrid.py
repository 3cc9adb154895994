from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import load
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema, TrainingData
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


def make(n_rows: int, seed: int = 0, unlabelled: int = 0) -> TrainingData:
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
    moved = 0.6 * (1.6 * (visits >= 6) + 0.7 * ((visits >= 3) & (visits < 6)) - 1.2 * (visits == 0))
    chance = expit(np.log(habit / (1 - habit)) + moved)
    return TrainingData(
        features=features.iloc[:n_rows],
        labels=(generator.random(total) < chance).astype(np.int8)[:n_rows],
        clusters=np.arange(n_rows, dtype=np.int32) // 2,
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


class TestHybrid:
    def test_lambda_zero_is_the_neural_track(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 5}
        hybrid = Hybrid(knowledge=path, teacher_labels=0, **same).fit(train, seed=4)
        neural = Neural(**same).fit(train, seed=4)
        np.testing.assert_allclose(
            hybrid.predict_proba(train.features), neural.predict_proba(train.features), atol=1e-12
        )

    def test_with_few_labels_it_beats_the_neural_track(self, path):
        held_out = make(5000, seed=77)
        ahead = []
        for seed in range(3):
            train = make(60, seed=seed, unlabelled=1000)
            tracks = [track.fit(train, seed=seed) for track in (Hybrid(knowledge=path), Neural())]
            hybrid, neural = (
                log_loss(held_out.labels, track.predict_proba(held_out.features)) for track in tracks
            )
            ahead.append(neural - hybrid)
        assert np.mean(ahead) > 0.005

    def test_search_sets_tau_and_the_teachers_weight(self, path):
        track = Hybrid(knowledge=path, strength="strong", epochs=2)
        found = track.search(make(300, unlabelled=300), budget_cpu_seconds=10.0, seed=0)
        assert found.tau is not None
        assert track.tau is None
        assert not hasattr(found, "net_")

    def test_wrong_experts_do_little_harm_once_labels_can_tell(self, path):
        train, held_out = make(6000, unlabelled=2000), make(5000, seed=8)
        wrong = Hybrid(knowledge=path, flip_signs=1.0, strength="weak")
        found = wrong.search(train, budget_cpu_seconds=60.0, seed=0)
        assert {trial.params.get("teacher_labels") for trial in found.trials_} >= {40_000.0, 0.0}
        assert [trial.number for trial in found.trials_] == list(range(len(found.trials_)))
        neural = Neural(strength="weak").search(train, budget_cpu_seconds=60.0, seed=0)
        misled, untaught = (
            log_loss(held_out.labels, track.fit(train, seed=0).predict_proba(held_out.features))
            for track in (found, neural)
        )
        assert misled < untaught + 0.005

    def test_no_more_than_the_budget_is_charged(self, path):
        train = make(3000, unlabelled=500)
        for budget in (0.5, 2.0, 8.0):
            found = Hybrid(knowledge=path).search(train, budget_cpu_seconds=budget, seed=0)
            assert sum(trial.nominal_cpu_seconds for trial in found.trials_) <= budget

    @pytest.mark.parametrize(
        "ablation", ["no_certainties", "no_unlabelled", "firings_as_features", "logic_loss"]
    )
    def test_every_ablation_learns_something(self, path, ablation):
        train, held_out = make(1500, unlabelled=500), make(3000, seed=8)
        track = Hybrid(knowledge=path, ablation=ablation, strength="medium").fit(train, seed=0)
        chances = track.predict_proba(held_out.features)
        assert roc_auc_score(held_out.labels, chances) > roc_auc_score(
            held_out.labels, held_out.features["visits"]
        ), "more than how often somebody looked"

    def test_search_without_labels_has_nothing_to_choose_by(self, path):
        train = make(0, unlabelled=50)
        assert Hybrid(knowledge=path).search(train, budget_cpu_seconds=1.0, seed=0) == Hybrid(knowledge=path)

    def test_check_makes_the_path_absolute_and_names_what_is_wrong(self, path):
        assert Hybrid(knowledge=Path(path.name)).check(SCHEMA, path.parent).knowledge == path.resolve()
        with pytest.raises(KnowledgeError, match="visits"):
            Hybrid(knowledge=path).check(Schema((Column("habit"), Column("age"))), path.parent)
