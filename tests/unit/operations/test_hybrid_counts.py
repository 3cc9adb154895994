"""What the hybrid asks of rules, teacher and witnesses, against calls that are counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.knowledge.symbolic import ExpertSystem
from toolkit.operations.counts import NOTHING
from toolkit.operations.rules import rule_counts
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _teacher
from toolkit.tracks._teacher import Teacher
from toolkit.tracks._teacher_witnesses import Witnesses
from toolkit.tracks.hybrid import Hybrid

SCHEMA = Schema((Column("habit"), Column("visits"), Column("age"), Column("money")))

KNOWLEDGE = """
knowledge_base: shop
predicts: buys
prior: habit
columns:
  habit: {type: number, min: 0, max: 1}
  visits: {type: whole number, min: 0, max: 30}
  age: {type: whole number, min: 0, max: 120}
rules:
  - {id: keen, when: visits >= 6, then: buys, certainty: .8, because: looking often is wanting}
  - {id: away, when: visits == 0, then: does not buy, certainty: .7, because: did not even look}
never:
  - {id: law, when: age < 18, because: the law}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("knowledge") / "shop.yaml"
    file.write_text(KNOWLEDGE)
    return file


def make(n_rows: int = 240, unlabelled: int = 150) -> TrainingData:
    generator = np.random.default_rng(0)
    total = n_rows + unlabelled
    visits = generator.poisson(2.5, total).astype(np.float32)
    features = pd.DataFrame(
        {
            "habit": generator.beta(2, 6, total).astype(np.float32),
            "visits": visits,
            "age": generator.integers(10, 80, total).astype(np.float32),
            "money": (visits + generator.normal(size=total)).astype(np.float32),
        }
    )
    return TrainingData(
        features=features.iloc[:n_rows],
        labels=(generator.random(total) < 0.1 + 0.1 * np.minimum(visits, 8)).astype(np.int8)[:n_rows],
        clusters=np.arange(n_rows, dtype=np.int32) // 3,
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[n_rows:].reset_index(drop=True),
        schema=SCHEMA,
    )


@pytest.fixture
def asked(monkeypatch) -> Counter[str]:
    """Count rows and values that the parts of a teacher are asked about."""
    seen: Counter[str] = Counter()
    firings, combine, evidence = ExpertSystem.firings, Teacher.combine, Witnesses.evidence
    minimize = _teacher.minimize

    def counted_firings(self, features):
        seen["firings"] += len(features)
        return firings(self, features)

    def counted_combine(self, rows):
        seen["combined"] += len(rows.prior)
        return combine(self, rows)

    def counted_evidence(self, features):
        seen["witnessed"] += len(features)
        return evidence(self, features)

    def counted_minimize(loss, start, **options):
        def counted(moved):
            seen["evaluations"] += 1
            return loss(moved)

        return minimize(counted, start, **options)

    monkeypatch.setattr(ExpertSystem, "firings", counted_firings)
    monkeypatch.setattr(Teacher, "combine", counted_combine)
    monkeypatch.setattr(Witnesses, "evidence", counted_evidence)
    monkeypatch.setattr(_teacher, "minimize", counted_minimize)
    return seen


CASES = {
    "usual": {"strength": "weak"},
    "shifts": {"tau": 4.0},
    "watched": {"early_stopping": True},
    "no witnesses": {"witnesses": 0.0},
    "no teacher": {"teacher_labels": 0.0},
    "firings as inputs": {"ablation": "firings_as_features"},
    "firings as inputs, watched": {"ablation": "firings_as_features", "early_stopping": True},
    "labelled rows only": {"ablation": "no_unlabelled"},
}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_asks_as_often_as_it_tells(name, path, asked):
    track = Hybrid(knowledge=path, epochs=1, **CASES[name]).fit(make(), seed=0)
    assert track.asked_.evidence + track.asked_.features == asked["firings"] > 0
    # both are asked once more before labels, for what unlabelled rows agree to
    assert track.asked_.combined == asked["combined"]
    columns = 4 + (2 if track.tau is not None else 0)
    assert track.teacher_.products == track.teacher_.fitted_rows * columns * asked["evaluations"]
    told = track.operations()
    assert told.fit["conditions"] == asked["firings"] * rule_counts(track.expert_)["conditions"]
    assert told.uncounted == ()


@pytest.mark.parametrize("name", CASES)
def test_a_prediction_asks_as_often_as_it_tells(name, path, asked):
    track = Hybrid(knowledge=path, epochs=1, **CASES[name]).fit(make(), seed=0)
    told, rows = track.operations().predict_per_row, make().features
    asked.clear()
    track.predict_proba(rows)
    rules = rule_counts(track.expert_)
    # one hard fact of one condition
    assert told["conditions"] == asked["firings"] / len(rows) * rules["conditions"] + 1
    assert told["rules"] == asked["firings"] / len(rows) * 2 + 1
    inputs = 4 + (2 if track.ablation == "firings_as_features" else 0)
    assert told["encoded_values"] == inputs + 4 * asked["witnessed"] / len(rows)


def test_witnesses_are_encoded_and_multiplied(path, asked):
    same = {"knowledge": path, "epochs": 1}
    with_them, without = (Hybrid(**same, witnesses=each).fit(make(), seed=0) for each in (0.5, 0.0))
    assert with_them.teacher_.witnesses is not None
    more, less = with_them.operations().predict_per_row, without.operations().predict_per_row
    assert more["flop"] - less["flop"] == 2 * len(with_them.teacher_.witnesses.positions)


def test_without_labels_there_are_rules_and_no_net(path, asked):
    track = Hybrid(knowledge=path).fit(make(0), seed=0)
    told = track.operations()
    assert told.fit["conditions"] == asked["firings"] * 2 == 2 * 150 * 2
    assert "element_operations" not in told.fit
    assert told.predict_per_row["flop"] == 2 * 2 + 2 * len(track.teacher_.witnesses.positions) + 2 * (2 + 3)


def test_what_soft_rules_take_is_told_to_be_missing(path):
    track = Hybrid(knowledge=path, epochs=1, ablation="logic_loss").fit(make(), seed=0)
    told = track.operations()
    assert told.uncounted == ("truth of soft rules",)
    assert set(told.fit.values()) == {None}
    assert None not in told.predict_per_row.values()


def test_before_the_fit_there_is_nothing(path):
    assert Hybrid(knowledge=path).operations() == NOTHING
