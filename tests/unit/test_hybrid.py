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
from toolkit.tracks._hybrid_trials import folds_of
from toolkit.tracks._teacher import Evidence, Labels, Teacher, choose_tau, design_effect
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


def fresh(expert: ExpertSystem, features: pd.DataFrame) -> tuple[Teacher, Evidence]:
    """Return a teacher that has seen no label, and what its parts say of the rows."""
    rows = Evidence.of(expert, None, features)
    return Teacher.before_labels(expert, None, rows, 0.0), rows


class TestTeacher:
    def test_without_labels_it_takes_the_experts_at_their_word(self, expert):
        features = make(200).features
        teacher, _ = fresh(expert, features)
        np.testing.assert_allclose(teacher.logit(expert, features), expert.logit(features))

    def test_infinite_tau_shifts_nothing(self, expert):
        train = make(500)
        teacher, rows = fresh(expert, train.features)
        said = Labels(train.labels, train.clusters)
        assert (teacher.fit(rows, said, float("inf")).shifts == 0).all()
        assert (teacher.fit(rows, said, 1.0).shifts != 0).any()

    def test_it_finds_how_much_the_certainties_overstate(self, expert):
        train = make(40_000)
        teacher, rows = fresh(expert, train.features)
        fitted = teacher.fit(rows, Labels(train.labels, train.clusters), float("inf"))
        assert fitted.scale == pytest.approx(0.6, abs=0.06)
        assert fitted.prior_scale == pytest.approx(1.0, abs=0.06)

    def test_few_labels_move_it_little_and_many_much(self, expert):
        moved = []
        for n_rows in (20, 200, 20_000):
            train = make(n_rows)
            teacher, rows = fresh(expert, train.features)
            fitted = teacher.fit(rows, Labels(train.labels, train.clusters), float("inf"))
            moved.append(abs(fitted.scale - 1.0))
        assert moved[0] < 0.15 < 0.3 < moved[2]

    def test_labels_that_repeat_one_another_count_less(self, expert):
        train = make(2_000)
        teacher, rows = fresh(expert, train.features)
        chances = expit(teacher.combine(rows))
        alone = Labels(train.labels, np.arange(2_000, dtype=np.int32))
        assert design_effect(alone, chances) == 1.0
        copied = Labels(np.repeat(train.labels[:100], 20), np.repeat(np.arange(100, dtype=np.int32), 20))
        assert design_effect(copied, np.repeat(chances[:100], 20)) > 10

    @pytest.mark.parametrize("label", [0, 1])
    def test_one_class_keeps_it_finite(self, expert, label):
        train = make(50)
        teacher, rows = fresh(expert, train.features)
        fitted = teacher.fit(rows, Labels(np.full(50, label, np.int8), train.clusters), 1.0)
        assert np.isfinite(fitted.logit(expert, train.features)).all()

    def test_cross_validation_frees_the_rules_where_an_expert_is_wrong(self, tmp_path):
        file = tmp_path / "wrong.yaml"
        file.write_text(KNOWLEDGE.replace("then: does not buy", "then: buys"))
        wrong = compile_knowledge(load(file), SCHEMA)
        train = make(8000)
        teacher, rows = fresh(wrong, train.features)
        said = Labels(train.labels, train.clusters)
        assert choose_tau(teacher, rows, said, folds_of(train.clusters, 0)) < float("inf")


class TestHybrid:
    def test_lambda_zero_is_the_neural_track(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 5}
        hybrid = Hybrid(knowledge=path, teacher_labels=0, **same).fit(train, seed=4)
        neural = Neural(**same).fit(train, seed=4)
        np.testing.assert_allclose(
            hybrid.predict_proba(train.features), neural.predict_proba(train.features), atol=1e-12
        )

    def test_without_labels_it_says_what_the_teacher_says(self, path, expert):
        train = make(0, unlabelled=3000)
        hybrid = Hybrid(knowledge=path, witnesses=0.0).fit(train, seed=0)
        rows = make(2000, seed=5).features
        np.testing.assert_allclose(hybrid.predict_proba(rows), expert.predict_proba(rows), atol=1e-12)
        assert hybrid.chosen()["lambda"] is None

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

    def test_never_overrules_the_net(self, path):
        hybrid = Hybrid(knowledge=path, strength="strong", epochs=2).fit(make(200, unlabelled=100), seed=0)
        rows = make(10).features.assign(age=np.float32(17))
        assert (hybrid.predict_proba(rows) == 0).all()
        assert (hybrid.predict_proba(rows.assign(age=np.float32(18))) > 0).all()

    def test_full_share_has_no_unlabelled_rows_and_teaches_on_the_labelled(self, path):
        hybrid = Hybrid(knowledge=path, strength="strong", teacher_labels=1e6).fit(make(300), seed=0)
        assert hybrid.lambda_ == pytest.approx(1e6 / 300)

    def test_the_teacher_falls_silent_as_labels_grow(self, path):
        track = Hybrid(knowledge=path)
        lambdas = [track.trust(n_labels) for n_labels in (100, 1000, 10_000, 1_000_000)]
        assert lambdas == sorted(lambdas, reverse=True)
        assert lambdas[-1] == 0

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
        assert {trial.params.get("teacher_labels") for trial in found.trials_} >= {20_000.0, 0.0}
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

    def test_flops_count_the_teachers_rows_too(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 2}
        alone, taught = (
            Hybrid(knowledge=path, teacher_labels=labels, **same).fit(train, seed=0).flop_counts()["fit_flop"]
            for labels in (0, 400)
        )
        assert taught == pytest.approx(2 * alone)
