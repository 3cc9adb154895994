from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema
from toolkit.tracks import _teacher
from toolkit.tracks._encode import Encoder
from toolkit.tracks._teacher import TAUS, Evidence, Labels, Teacher, choose_tau, design_effect
from toolkit.tracks._teacher_witnesses import Witnesses

NAMES = ("habit", "visits", "kin", "stranger")
SCHEMA = Schema(tuple(Column(name) for name in NAMES))


def rule(name: str, when: str, then: str, certainty: float) -> dict[str, object]:
    return {"id": name, "when": when, "then": then, "certainty": certainty, "because": "so it is"}


def knowledge(away: str = "does not happen") -> KnowledgeBase:
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "habit",
            "columns": {"habit": {"min": 0, "max": 1}, "visits": {}},
            "outcome": {"positive": "happens", "negative": "does not happen"},
            "rules": [
                rule("keen", "visits >= 6", "happens", 0.8),
                rule("away", "visits == 0", away, 0.7),
            ],
        }
    )


@pytest.fixture(scope="module")
def expert() -> ExpertSystem:
    return compile_knowledge(knowledge(), SCHEMA)


def rows_of(n_rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return features and outcomes; `kin` and what experts read tell of the outcome by themselves."""
    generator = np.random.default_rng(seed)
    outcome = (generator.random(n_rows) < 0.3).astype(np.int8)
    logit = np.log(0.3 / 0.7) + generator.normal(0, 0.8, n_rows) + 1.2 * (outcome - 0.3)
    features = pd.DataFrame(
        {
            "habit": expit(logit),
            "visits": generator.poisson(2 + 2 * outcome),
            "kin": generator.normal(outcome, 1.0),
            "stranger": generator.normal(size=n_rows),
        },
        dtype=np.float32,
    )
    return features, outcome


def witnesses_of(expert: ExpertSystem, features: pd.DataFrame) -> Witnesses | None:
    encoder = Encoder.learn(features, SCHEMA)
    return Witnesses.learn(encoder, features, expert.logit(features), expert.columns)


def auc(outcome: np.ndarray, scores: np.ndarray) -> float:
    rank = np.argsort(np.argsort(scores)) + 1
    n_positive = outcome.sum()
    return float(
        (rank[outcome == 1].sum() - n_positive * (n_positive + 1) / 2)
        / (n_positive * (len(outcome) - n_positive))
    )


class TestWitnesses:
    def test_they_listen_to_columns_that_agree_and_not_to_strangers(self, expert):
        features, _ = rows_of(20_000)
        found = witnesses_of(expert, features)
        assert found is not None
        assert [found.encoder.numbers[place] for place in found.positions] == ["kin", "stranger"]
        kin, stranger = found.weights
        assert kin > 20 * abs(stranger)
        assert found.evidence(features).mean() == pytest.approx(0, abs=1e-3)

    def test_they_make_the_experts_better_where_they_are_independent(self, expert):
        features, outcome = rows_of(20_000)
        found = witnesses_of(expert, features)
        alone = expert.logit(features)
        both = Teacher.before_labels(expert, found, Evidence.of(expert, found, features), 1.0)
        assert auc(outcome, both.logit(expert, features)) > auc(outcome, alone) + 0.02

    def test_a_few_rows_make_few_witnesses(self, expert):
        features, _ = rows_of(20_000)
        whole = witnesses_of(expert, features)
        assert whole is not None
        sizes = [
            np.abs(found.weights[1]) if (found := witnesses_of(expert, rows_of(30, seed)[0])) else 0.0
            for seed in range(20)
        ]
        assert np.mean(np.array(sizes) == 0) > 0.3

    def test_there_are_none_where_the_experts_read_every_column_or_say_nothing(self, expert):
        features, _ = rows_of(500)
        encoder = Encoder.learn(features, SCHEMA)
        assert Witnesses.learn(encoder, features, expert.logit(features), NAMES) is None
        assert Witnesses.learn(encoder, features, np.zeros(500), ["habit"]) is None
        assert Witnesses.learn(encoder, features.iloc[:0], np.zeros(0), ["habit"]) is None


class TestBeforeLabels:
    def test_the_experts_are_taken_at_their_word_without_witnesses(self, expert):
        features, _ = rows_of(300)
        rows = Evidence.of(expert, None, features)
        for word in (0.0, 1.0):
            teacher = Teacher.before_labels(expert, None, rows, word)
            np.testing.assert_allclose(teacher.logit(expert, features), expert.logit(features))

    def test_with_witnesses_the_sum_keeps_the_experts_mean_and_size(self, expert):
        features, _ = rows_of(5_000)
        found = witnesses_of(expert, features)
        rows = Evidence.of(expert, found, features)
        alone, said = expert.logit(features), Teacher.before_labels(expert, found, rows, 1.0).combine(rows)
        assert said.mean() == pytest.approx(alone.mean())
        slope = np.polyfit(said, alone, 1)[0]
        assert slope == pytest.approx(1.0)


class TestFit:
    @staticmethod
    def labelled(expert: ExpertSystem, n_rows: int, seed: int = 0):
        features, _ = rows_of(n_rows, seed)
        rows = Evidence.of(expert, None, features)
        chances = expit(0.4 + 0.8 * rows.prior + 0.5 * rows.certainties)
        labels = (np.random.default_rng(seed + 50).random(n_rows) < chances).astype(np.int8)
        teacher = Teacher.before_labels(expert, None, rows, 0.0)
        return teacher, rows, Labels(labels, np.arange(n_rows, dtype=np.int32))

    def test_it_is_the_minimum_of_the_penalised_loss(self, expert):
        teacher, rows, said = self.labelled(expert, 800)
        fitted = teacher.fit(rows, said, 4.0)
        residuals = expit(fitted.combine(rows)) - said.labels
        assert rows.fired.T @ residuals + 4 * fitted.shifts == pytest.approx(0, abs=0.05)
        certainties = rows.certainties - rows.certainties.mean()
        by_scale = residuals @ certainties + _teacher.SCALE_PRECISION * (fitted.scale - 1)
        assert by_scale == pytest.approx(0, abs=0.05)

    def test_many_labels_find_level_and_scales(self, expert):
        teacher, rows, said = self.labelled(expert, 60_000)
        fitted = teacher.fit(rows, said, float("inf"))
        assert fitted.bias == pytest.approx(0.4, abs=0.06)
        assert fitted.prior_scale == pytest.approx(0.8, abs=0.05)
        assert fitted.scale == pytest.approx(0.5, abs=0.06)
        assert (fitted.shifts == 0).all()

    def test_labels_of_few_clusters_move_it_little(self, expert):
        teacher, rows, said = self.labelled(expert, 400)
        alone = teacher.fit(rows, said, float("inf"))
        together = teacher.fit(rows, Labels(said.labels, said.clusters // 200), float("inf"))
        assert abs(together.bias) < abs(alone.bias) / 2

    @pytest.mark.parametrize("label", [0, 1])
    def test_one_class_keeps_it_finite(self, expert, label):
        teacher, rows, said = self.labelled(expert, 50)
        fitted = teacher.fit(rows, Labels(np.full(50, label, np.int8), said.clusters), 1.0)
        assert np.isfinite(fitted.combine(rows)).all()


class TestDesignEffect:
    def test_rows_that_stand_alone_count_in_full(self):
        said = Labels(np.array([0, 1, 1], np.int8), np.arange(3, dtype=np.int32))
        assert design_effect(said, np.full(3, 0.5)) == 1.0

    def test_clusters_that_agree_count_once(self):
        generator = np.random.default_rng(0)
        clusters = np.repeat(np.arange(2000, dtype=np.int32), 10)
        alike = np.repeat(generator.integers(0, 2, 2000), 10).astype(np.int8)
        apart = generator.integers(0, 2, 20_000).astype(np.int8)
        assert design_effect(Labels(alike, clusters), np.full(20_000, 0.5)) == pytest.approx(10, rel=0.05)
        assert design_effect(Labels(apart, clusters), np.full(20_000, 0.5)) == pytest.approx(1, abs=0.1)

    def test_few_clusters_are_taken_for_alike(self):
        clusters = np.repeat(np.arange(2, dtype=np.int32), 50)
        labels = np.tile([0, 1], 50).astype(np.int8)
        assert design_effect(Labels(labels, clusters), np.full(100, 0.5)) > 3


class TestTau:
    def test_it_frees_the_rules_where_an_expert_is_wrong(self):
        wrong = compile_knowledge(knowledge(away="happens"), SCHEMA)
        right = compile_knowledge(knowledge(), SCHEMA)
        _, rows, said = TestFit.labelled(right, 8000)
        features, _ = rows_of(8000)
        folds = np.arange(8000) % 5
        misled = Evidence.of(wrong, None, features)
        teacher = Teacher.before_labels(wrong, None, misled, 0.0)
        assert choose_tau(teacher, misled, said, folds) < float("inf")
        sound = Teacher.before_labels(right, None, rows, 0.0)
        assert choose_tau(sound, rows, said, folds) == TAUS[-1]

    def test_a_handful_of_clusters_frees_nothing(self, expert):
        teacher, rows, said = TestFit.labelled(expert, 500)
        few = Labels(said.labels, said.clusters // 100)
        assert choose_tau(teacher, rows, few, np.arange(500) // 100) == TAUS[-1]
