from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import MissingColumnError, NotFittedError, ParameterError, TooFewLabelsError
from toolkit.registry import build
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks.base import Step
from toolkit.tracks.baseline import Baseline

SCHEMA = Schema((Column("habit"), Column("kind", kind="category", levels=("a",))))
FEATURES = pd.DataFrame({"habit": np.array([0.2, math.nan, 0.9], np.float32), "kind": np.zeros(3, np.int32)})


def data(labels: list[int]) -> TrainingData:
    n_rows = len(labels)
    features = pd.DataFrame({"habit": np.zeros(n_rows, np.float32), "kind": np.zeros(n_rows, np.int32)})
    return TrainingData(
        features=features,
        labels=np.array(labels, np.int8),
        clusters=np.arange(n_rows, dtype=np.int32),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
    )


def baseline(**params: object) -> Baseline:
    built: Baseline = build("tracks", "baseline", params)
    return built


def test_one_rung_with_all_labels() -> None:
    assert baseline().steps(10) == (Step(rung=0, data_rung=9),)


def test_without_a_column_it_is_the_class_prior() -> None:
    track = baseline().fit(data([0, 0, 0, 1]), seed=0)
    assert track.predict_proba(FEATURES).tolist() == [0.3, 0.3, 0.3]
    assert track.chosen() == {"class_prior": 0.3, "column": None}


def test_all_labels_alike_still_leave_room_for_the_other() -> None:
    assert 0 < baseline().fit(data([0, 0]), seed=0).predict_proba(FEATURES)[0] < 0.5


def test_a_column_is_taken_as_it_is_and_the_prior_fills_its_gaps() -> None:
    track = baseline(column="habit").fit(data([0, 0, 0, 1]), seed=0)
    assert track.predict_proba(FEATURES) == pytest.approx([0.2, 0.3, 0.9])
    assert baseline(column="habit").fit(data([]), seed=0).predict_proba(FEATURES) == pytest.approx(
        [0.2, 0.5, 0.9]
    )


def test_no_column_and_no_label_is_an_error() -> None:
    with pytest.raises(TooFewLabelsError):
        baseline().fit(data([]), seed=0)


@pytest.mark.parametrize(
    ("column", "message"), [("habbit", "did you mean 'habit'"), ("kind", "is a category")]
)
def test_check_wants_a_number_of_the_task(column: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        baseline(column=column).check(SCHEMA, Path())
    assert caught.value.path == ("column",)


def test_named_errors_before_fit_and_without_the_column() -> None:
    with pytest.raises(NotFittedError):
        baseline().predict_proba(FEATURES)
    fitted = baseline(column="habit").fit(data([0, 1]), seed=0)
    with pytest.raises(MissingColumnError, match=r": habit$"):
        fitted.predict_proba(FEATURES[["kind"]])
