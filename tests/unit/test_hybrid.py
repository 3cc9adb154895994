from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import load
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks._teacher import SCALE, Teacher, choose_tau
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


class TestTeacher:
    def test_without_labels_it_is_the_experts_scaled_down(self, expert):
        features = make(200).features
        teacher = Teacher(shifts=np.zeros(3))
        np.testing.assert_allclose(teacher.logit(expert, features), expert.logit(features, scale=SCALE))

    def test_infinite_tau_shifts_nothing(self, expert):
        train = make(500)
        assert (Teacher.fit(expert, train.features, train.labels, float("inf")).shifts == 0).all()

    def test_it_is_the_minimum_of_the_penalised_loss(self, expert):
        train, tau = make(800), 4.0
        teacher = Teacher.fit(expert, train.features, train.labels, tau)
        fired = expert.effective(expert.firings(train.features)).astype(float)
        residuals = expit(teacher.logit(expert, train.features)) - train.labels
        assert fired.T @ residuals + tau * teacher.shifts == pytest.approx(0, abs=0.05)
        by_scale = residuals @ (fired @ expert.weights) + 4 * (teacher.scale - 0.6)
        assert by_scale == pytest.approx(0, abs=0.05)
        assert residuals.sum() + 0.1 * teacher.bias == pytest.approx(0, abs=0.05)

    def test_it_finds_the_scale_and_only_the_strongest_of_a_group_counts(self, expert):
        train = make(40_000)
        teacher = Teacher.fit(expert, train.features, train.labels, float("inf"))
        assert teacher.scale == pytest.approx(0.6, abs=0.05)
        assert teacher.bias == pytest.approx(0, abs=0.05)

    @pytest.mark.parametrize("label", [0, 1])
    def test_one_class_keeps_it_finite(self, expert, label):
        train = make(50)
        teacher = Teacher.fit(expert, train.features, np.full(50, label, np.int8), 1.0)
        assert np.isfinite(teacher.logit(expert, train.features)).all()

    def test_cross_validation_frees_the_rules_where_an_expert_is_wrong(self, tmp_path):
        file = tmp_path / "wrong.yaml"
        file.write_text(KNOWLEDGE.replace("then: does not buy", "then: buys"))
        wrong = compile_knowledge(load(file), SCHEMA)
        train = make(8000)
        folds = train.clusters % 5
        assert choose_tau(wrong, train.features, train.labels, folds) < float("inf")


class TestHybrid:
    def test_lambda_zero_is_the_neural_track(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 5}
        hybrid = Hybrid(path, teacher_labels=0, **same).fit(train, seed=4)
        neural = Neural(**same).fit(train, seed=4)
        assert (hybrid.predict_proba(train.features) == neural.predict_proba(train.features)).all()

    def test_without_labels_it_says_what_the_teacher_says(self, path, expert):
        train = make(0, unlabelled=3000)
        hybrid = Hybrid(path).fit(train, seed=0)
        rows = make(2000, seed=5).features
        taught = expit(expert.logit(rows, scale=SCALE))
        assert np.abs(hybrid.predict_proba(rows) - taught).mean() < 0.03
        assert hybrid.chosen()["lambda"] is None

    def test_with_few_labels_it_beats_the_neural_track(self, path):
        held_out = make(5000, seed=77)
        ahead = []
        for seed in range(3):
            train = make(60, seed=seed, unlabelled=1000)
            tracks = [track.fit(train, seed=seed) for track in (Hybrid(path), Neural())]
            hybrid, neural = (
                log_loss(held_out.labels, track.predict_proba(held_out.features)) for track in tracks
            )
            ahead.append(neural - hybrid)
        assert np.mean(ahead) > 0.005

    def test_never_overrules_the_net(self, path):
        hybrid = Hybrid(path, strength="strong", epochs=2).fit(make(200, unlabelled=100), seed=0)
        rows = make(10).features.assign(age=np.float32(17))
        assert (hybrid.predict_proba(rows) == 0).all()
        assert (hybrid.predict_proba(rows.assign(age=np.float32(18))) > 0).all()

    def test_full_share_has_no_unlabelled_rows_and_teaches_on_the_labelled(self, path):
        hybrid = Hybrid(path, strength="strong", teacher_labels=1e6).fit(make(300), seed=0)
        assert hybrid.lambda_ == pytest.approx(1e6 / 300)

    def test_the_teacher_falls_silent_as_labels_grow(self, path):
        track = Hybrid(path)
        lambdas = [track._lambda(n_labels) for n_labels in (100, 1000, 10_000, 1_000_000)]
        assert lambdas == sorted(lambdas, reverse=True)
        assert lambdas[-1] == 0

    def test_search_sets_tau_and_the_teachers_weight(self, path):
        track = Hybrid(path, strength="strong", epochs=2)
        found = track.search(make(300, unlabelled=300), budget_fits=10.0, seed=0)
        assert found.tau is not None
        assert track.tau is None
        assert not hasattr(found, "net_")

    def test_search_without_labels_has_nothing_to_choose_by(self, path):
        train = make(0, unlabelled=50)
        assert Hybrid(path).search(train, budget_fits=1.0, seed=0) == Hybrid(path)

    def test_check_makes_the_path_absolute_and_names_what_is_wrong(self, path):
        assert Hybrid(Path(path.name)).check(SCHEMA, path.parent).knowledge == path.resolve()
        with pytest.raises(KnowledgeError, match="visits"):
            Hybrid(path).check(Schema((Column("habit"), Column("age"))), path.parent)

    def test_flops_count_the_teachers_rows_too(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 2}
        alone, taught = (
            Hybrid(path, teacher_labels=labels, **same).fit(train, seed=0).flop_counts()["fit_flop"]
            for labels in (0, 400)
        )
        assert taught == pytest.approx(2 * alone)
