from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import KnowledgeError, MissingColumnError, NotFittedError, ParameterError
from toolkit.registry import build
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks.base import Step
from toolkit.tracks.rules import Rules

SCHEMA = Schema((Column("p"), Column("n")))
TEXT = """\
knowledge_base: demo
predicts: y
prior: p
columns: {p: {}, n: {type: whole number}}
rules:
  - {id: one, when: n >= 1, then: buys, certainty: 0.5, because: one}
  - {id: two, when: n >= 2, then: does not buy, certainty: 0.75, because: two}
"""
FEATURES = pd.DataFrame({"p": [0.5, 0.5, 0.2], "n": [0, 1, 2]}, dtype="float32")


def training_data() -> TrainingData:
    return TrainingData(
        features=FEATURES.iloc[:0],
        labels=np.zeros(0, np.int8),
        clusters=np.zeros(0, np.int32),
        time=np.zeros(0, np.int32),
        unlabelled=FEATURES.iloc[:0],
        schema=SCHEMA,
    )


@pytest.fixture
def track(tmp_path: Path) -> Rules:
    (tmp_path / "demo.yaml").write_text(TEXT)
    built: Rules = build("tracks", "rules", {"knowledge": "demo.yaml"}).check(SCHEMA, tmp_path)
    return built


def test_one_rung_for_each_number_of_rules(track: Rules) -> None:
    assert track.steps(9) == tuple(Step(rung, None, rung) for rung in range(3))
    assert [track.at(step).n_rules for step in track.steps(9)] == [0, 1, 2]
    assert (
        build("tracks", "rules", {"knowledge": track.knowledge, "n_rules": 1}).steps(9) == track.steps(9)[:2]
    )


def test_needs_no_label_and_climbs_from_the_prior(track: Rules) -> None:
    fitted = [track.at(step).fit(training_data(), seed=0) for step in track.steps(1)]
    odds = [rung.predict_proba(FEATURES) / (1 - rung.predict_proba(FEATURES)) for rung in fitted]
    assert odds[0] == pytest.approx([1, 1, 0.25])
    assert odds[1] == pytest.approx([1, 2, 0.5])
    assert odds[2] == pytest.approx([1, 2, 0.125])


def test_scale_weakens_the_evidence(track: Rules) -> None:
    half: Rules = build("tracks", "rules", {"knowledge": track.knowledge, "scale": 0.5})
    probability = half.fit(training_data(), seed=0).predict_proba(FEATURES)
    assert probability / (1 - probability) == pytest.approx([1, 2**0.5, 0.25 * 0.5**0.5])


def test_records_what_it_used(track: Rules) -> None:
    whole = track.fit(training_data(), seed=0).chosen()
    assert whole["n_rules"] == 2
    assert whole["scale"] == 1.0
    first = track.at(Step(1, None, 1)).fit(training_data(), seed=0).chosen()
    assert first["n_rules"] == 1
    assert first["knowledge_hash"] != whole["knowledge_hash"]


def test_check_makes_the_path_absolute_and_leaves_the_track_alone(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(TEXT)
    track: Rules = build("tracks", "rules", {"knowledge": "demo.yaml"})
    checked = track.check(SCHEMA, tmp_path)
    assert checked.knowledge == (tmp_path / "demo.yaml").resolve()
    assert track.knowledge == Path("demo.yaml")


def test_check_names_the_line_of_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(TEXT.replace("n >= 2", "m >= 2"))
    track: Rules = build("tracks", "rules", {"knowledge": "demo.yaml"})
    with pytest.raises(KnowledgeError, match="unknown name 'm'") as caught:
        track.check(SCHEMA, tmp_path)
    assert caught.value.where == f"{tmp_path / 'demo.yaml'}:7:21"


def test_check_compares_with_the_tasks_columns(track: Rules) -> None:
    with pytest.raises(KnowledgeError, match="the task has no column 'n'"):
        track.check(Schema((Column("p"),)), Path())


def test_too_many_rules_are_a_parameter_error(track: Rules) -> None:
    many: Rules = build("tracks", "rules", {"knowledge": track.knowledge, "n_rules": 3})
    with pytest.raises(ParameterError, match=r"n_rules is 3, but .* holds 2 rules") as caught:
        many.check(SCHEMA, Path())
    assert caught.value.path == ("n_rules",)


@pytest.mark.parametrize("params", [{}, {"knowledge": "x", "n_rules": -1}, {"knowledge": "x", "scale": -1}])
def test_wrong_parameters_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        build("tracks", "rules", params)


def test_named_errors_before_fit_and_without_a_column(track: Rules) -> None:
    with pytest.raises(NotFittedError):
        track.predict_proba(FEATURES)
    with pytest.raises(NotFittedError):
        track.chosen()
    with pytest.raises(MissingColumnError, match=r": n$"):
        track.fit(training_data(), seed=0).predict_proba(FEATURES[["p"]])
