"""Predictions of logistic regression and nets in numpy, against arrays that count what is done with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _logistic, _net
from toolkit.tracks._encode import KNOTS, Encoder
from toolkit.tracks.classical import Classical
from toolkit.tracks.neural import Neural

SCHEMA = Schema((Column("x"), Column("y"), Column("kind", "category", ("a", "b", "c"))))
N_ROWS = 64
SEEN: Counter[str] = Counter()


class Counting(np.ndarray):
    """Counts the FLOPs of products, and the elements that other operations write."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        bare = [np.asarray(each) if isinstance(each, Counting) else each for each in inputs]
        results = getattr(ufunc, method)(*bare, **kwargs)
        if ufunc is np.matmul:
            SEEN["flop"] += 2 * bare[0].size * (bare[1].shape[1] if bare[1].ndim == 2 else 1)
        else:
            SEEN["elements"] += np.size(results)
        if out is None:
            return np.asarray(results).view(Counting)
        np.copyto(np.asarray(out[0]), results)
        return out[0]

    def __getitem__(self, key):
        found = super().__getitem__(key)
        # looking weights up by codes, not cutting slices
        if any(isinstance(part, np.ndarray) for part in (key if isinstance(key, tuple) else (key,))):
            SEEN["elements"] += np.size(found)
        return found


def make() -> TrainingData:
    generator = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "x": generator.normal(size=N_ROWS).astype(np.float32),
            "y": generator.normal(size=N_ROWS).astype(np.float32),
            "kind": generator.integers(0, 3, N_ROWS).astype(np.int32),
        }
    )
    return TrainingData(
        features=features,
        labels=(generator.random(N_ROWS) < 0.5).astype(np.int8),
        clusters=np.arange(N_ROWS, dtype=np.int32),
        time=np.zeros(N_ROWS, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
    )


def counted_hinges(numbers):
    """Bend numbers as `hinged` does, in arrays that count."""
    counted = numbers.view(Counting)
    bent = [np.maximum(counted - np.float32(knot), 0) for knot in KNOTS]
    return np.concatenate([numbers, *bent], axis=1).astype(np.float32).view(Counting)


@pytest.fixture(autouse=True)
def counting(monkeypatch):
    SEEN.clear()
    for module in (_logistic, _net):
        monkeypatch.setattr(module, "hinged", counted_hinges)


def test_a_logistic_regression_predicts_with_what_it_tells(monkeypatch):
    train = make()
    track = Classical(family="logistic").fit(train, seed=0)
    model = track.model_
    counting = replace(model, levels=tuple(weights.view(Counting) for weights in model.levels))
    found = np.asarray(counting.predict_proba(train.features))
    np.testing.assert_allclose(found, np.asarray(model.predict_proba(train.features)), rtol=1e-6)
    SEEN.clear()
    counting.predict_proba(train.features)
    told = model.operations().predict_per_row
    assert SEEN["flop"] == N_ROWS * told["flop"]
    assert SEEN["elements"] == N_ROWS * told["element_operations"]


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("members", [1, 4])
def test_a_net_predicts_with_what_it_tells(depth, members):
    train = make()
    track = Neural(strength="strong", epochs=1, depth=depth, members=members).fit(train, seed=0)
    told = track.operations().predict_per_row
    weights = {name: array.view(Counting) for name, array in track.net_.weights.items()}
    net = replace(track.net_, weights=weights)
    SEEN.clear()
    net.predict_proba(train.features)
    # the logistic function, and the mean of members, its range and its log-odds, go over bare arrays
    unseen = 1 if members == 1 else 4
    assert SEEN["flop"] == N_ROWS * told["flop"]
    assert SEEN["elements"] == N_ROWS * (told["element_operations"] - unseen)


def test_values_encoded_are_those_of_the_table():
    train = make()
    encoder = Encoder.learn(train.features, SCHEMA)
    told = Classical(family="logistic").fit(train, seed=0).operations()
    assert told.predict_per_row["encoded_values"] == encoder.matrix(train.features).size / N_ROWS
    assert told.fit["encoded_values"] == encoder.matrix(train.features).size


def test_the_logistic_function_is_one_operation():
    SEEN.clear()
    expit(np.zeros(5).view(Counting))
    assert SEEN["elements"] == 5
