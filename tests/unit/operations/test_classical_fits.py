"""What a fit of the classical track takes, trials within it included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.operations import boosting
from toolkit.operations.counts import NOTHING
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _logistic
from toolkit.tracks._trees import Trees
from toolkit.tracks._trial import Trial
from toolkit.tracks.base import load_track
from toolkit.tracks.classical import Classical

SCHEMA = Schema((Column("x"), Column("y"), Column("kind", "category", ("a", "b", "c"))))
N_ROWS = 600


@pytest.fixture(scope="module")
def train() -> TrainingData:
    generator = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "x": generator.normal(size=N_ROWS).astype(np.float32),
            "y": generator.normal(size=N_ROWS).astype(np.float32),
            "kind": generator.integers(0, 3, N_ROWS).astype(np.int32),
        }
    )
    chances = 1 / (1 + np.exp(-2 * features["x"].to_numpy()))
    return TrainingData(
        features=features,
        labels=(generator.random(N_ROWS) < chances).astype(np.int8),
        clusters=np.arange(N_ROWS, dtype=np.int32) // 3,
        time=np.zeros(N_ROWS, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
    )


@pytest.fixture
def grown(monkeypatch) -> list[Trees]:
    """Collect every model of trees that is fitted."""
    found: list[Trees] = []
    boost, grow = Trees.boost.__func__, Trees.grow.__func__

    def counted_boost(cls, *args, **kwargs):
        found.append(boost(cls, *args, **kwargs))
        return found[-1]

    def counted_grow(cls, *args, **kwargs):
        found.append(grow(cls, *args, **kwargs))
        return found[-1]

    monkeypatch.setattr(Trees, "boost", classmethod(counted_boost))
    monkeypatch.setattr(Trees, "grow", classmethod(counted_grow))
    return found


def test_boosting_counts_the_trial_that_finds_how_many_trees(train, grown):
    track = Classical(family="boosting").fit(train, seed=0)
    tried, final = grown
    told = track.operations()
    held_out = len(Trial.of(train, N_ROWS, 0).held_out)
    for name in ("histogram_updates", "split_evaluations", "element_operations"):
        assert told.fit[name] == sum(boosting.fit_counts(each.model)[name] for each in grown), name
    # after every tree, and once more to judge
    assert told.fit["node_visits"] == pytest.approx(
        2 * held_out * boosting.predict_counts(tried.model)["node_visits"]
    )
    # the trial has all rows between its two parts, and encodes the held-out ones to watch and to judge
    assert told.fit["encoded_values"] == 3 * (N_ROWS + held_out + N_ROWS)
    assert told.predict_per_row == {
        "encoded_values": 3,
        "node_visits": boosting.predict_counts(final.model)["node_visits"],
    }


def test_what_a_search_has_settled_is_not_tried_again(train, grown):
    track = Classical(family="boosting", max_leaf_nodes=4, learning_rate=0.2)
    found = track.search(train, budget_cpu_seconds=0.5, seed=0)
    grown.clear()
    found.fit(train, seed=0)
    assert len(grown) == 1
    assert (
        found.operations().fit["histogram_updates"]
        == boosting.fit_counts(grown[0].model)["histogram_updates"]
    )


def test_a_forest_is_judged_once(train, grown):
    told = Classical(family="forest", n_trees=5).fit(train, seed=0).operations()
    held_out = len(Trial.of(train, N_ROWS, 0).held_out)
    assert len(grown) == 2
    assert told.fit["encoded_values"] == 3 * (N_ROWS + N_ROWS)
    assert told.fit["node_visits"] == held_out * grown[0].operations().predict_per_row["node_visits"]


@pytest.mark.parametrize(
    "given",
    [{"family": "boosting", "n_trees": 5}, {"family": "forest", "n_trees": 3}, {"family": "logistic"}],
)
def test_a_saved_model_tells_the_same(train, tmp_path, given):
    track = Classical(**given).fit(train, seed=0)
    track.save(tmp_path / "saved")
    assert load_track(tmp_path / "saved").operations() == track.operations() != NOTHING


def test_a_logistic_regression_goes_through_its_matrix(train, monkeypatch):
    seen = []
    vstack = _logistic.vstack

    def kept(*args, **kwargs):
        seen.append(vstack(*args, **kwargs))
        return seen[-1]

    monkeypatch.setattr(_logistic, "vstack", kept)
    track = Classical(family="logistic").fit(train, seed=0)
    (matrix,) = seen
    told = track.operations().fit
    assert told["sparse_flop"] == 4 * matrix.nnz * track.model_.evaluations
    assert told["element_operations"] == N_ROWS * (2 * track.model_.evaluations + 2 * 4 * 2)


def test_evaluations_that_nobody_counted_are_withheld(train, monkeypatch):
    monkeypatch.setattr("toolkit.operations.logistic._loss_class", lambda: None)
    told = Classical(family="logistic").fit(train, seed=0).operations()
    assert told.fit["sparse_flop"] is None
    assert told.fit["encoded_values"] == 3 * N_ROWS
    assert "cost_fit_sparse_flop" in told.withheld()
    assert None not in told.predict_per_row.values()


def test_nothing_is_known_of_a_named_estimator(train):
    track = Classical(estimator="sklearn.naive_bayes.GaussianNB").fit(train, seed=0)
    assert track.operations() == NOTHING
    assert Classical().operations() == NOTHING
