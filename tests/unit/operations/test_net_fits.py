"""Counts of nets, against every operation of a real training on the CPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from toolkit.operations.counts import NOTHING
from toolkit.operations.torch_flops import TorchCount, count
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _torch
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net import Recipe
from toolkit.tracks._net_operations import (
    NetWork,
    count_forward,
    count_step,
    net_operations,
    predict_counts,
    rows_of_steps,
)
from toolkit.tracks.neural import Neural

SCHEMA = Schema((Column("x"), Column("y"), Column("kind", "category", ("a", "b", "c"))))
SIGNALS = Schema(SCHEMA.columns, channels=("bought", "visited"))
SMALL = Recipe(width=8, dropout=0.0, penalty=0.1, learning_rate=0.02, epochs=2, batch_rows=64)
N_STEPS = 12


def make(n_rows: int = 300, *, signal: bool = False) -> TrainingData:
    generator = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "x": generator.normal(size=n_rows).astype(np.float32),
            "y": np.where(generator.random(n_rows) < 0.1, np.nan, 1.0).astype(np.float32),
            "kind": generator.integers(0, 3, n_rows).astype(np.int32),
        }
    )
    return TrainingData(
        features=features,
        labels=(generator.random(n_rows) < 0.4).astype(np.int8),
        clusters=np.arange(n_rows, dtype=np.int32) // 3,
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=SIGNALS if signal else SCHEMA,
        sequence=generator.integers(0, 2, (n_rows, 2, N_STEPS)).astype(np.uint8) if signal else None,
    )


def counted_fit(track: Neural, train: TrainingData, monkeypatch) -> tuple[Neural, TorchCount]:
    """Fit a track, and count every operation that its training does on the CPU."""
    found: list[TorchCount] = []
    real = _torch.train

    def counted(*args, **kwargs):
        results = []
        found.append(count(lambda: results.append(real(*args, **kwargs))))
        return results[0]

    monkeypatch.setattr(_torch, "train", counted)
    return track.fit(train, seed=0), found[0]


CASES = {
    "single": {},
    "deep": {"depth": 3},
    "with dropout": {"dropout": 0.2},
    "ensemble": {"members": 4},
    "watched": {"early_stopping": True, "epochs": 5},
    "ensemble, watched": {"members": 4, "early_stopping": True},
    "raw signal": {"inputs": "both"},
}


@pytest.mark.parametrize("name", CASES)
def test_the_probes_tell_the_flops_of_a_whole_training(name, monkeypatch):
    given = {"strength": "weak", "epochs": 3, "batch_rows": 64, **CASES[name]}
    signal = "inputs" in given
    track, seen = counted_fit(Neural(**given), make(signal=signal), monkeypatch)
    told = track.operations()
    assert seen.uncounted == told.uncounted == ()
    assert told.fit["flop"] == seen.flop
    # left out: the schedule, sums of losses, and on the raw signal the scales
    assert 0.9 < told.fit["element_operations"] / seen.element_operations <= 1.0


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 128, 300])
@pytest.mark.parametrize("steps", [0, 1, 5, 6, 23])
def test_rows_of_steps_are_those_of_batches(n_rows, steps):
    order, seen = 0, 0
    for _ in range(steps):
        batch = min(64, n_rows - order)
        seen, order = seen + batch, (order + batch) % n_rows
    assert rows_of_steps(n_rows, 64, steps) == seen


@pytest.mark.parametrize("members", [1, 4])
def test_a_step_grows_evenly_with_its_rows(members):
    encoder = Encoder.learn(make().features, SCHEMA)
    recipe = replace(SMALL, members=members)
    for counted in (count_step, count_forward):
        found = [counted(encoder, recipe, n_rows, None) for n_rows in (10, 20, 70)]
        for name in ("flop", "element_operations"):
            first, second, third = (getattr(each, name) for each in found)
            assert third - second == 5 * (second - first)


def test_every_step_and_row_counts_once():
    track = Neural(epochs=1).fit(make(), seed=0)
    net, recipe = track.net_, track.recipe_
    one = net_operations(net, recipe, NetWork(1, 1, 64, 64, 0))
    two = net_operations(net, recipe, NetWork(2, 2, 128, 64, 0))
    watched = net_operations(net, recipe, NetWork(1, 1, 64, 128, 64))
    assert two.fit["flop"] == 2 * one.fit["flop"]
    assert two.fit["element_operations"] == 2 * one.fit["element_operations"]
    assert watched.fit["flop"] - one.fit["flop"] == 64 * one.predict_per_row["flop"]
    assert one.fit["encoded_values"] == 64 * 3
    assert one.predict_per_row["encoded_values"] == 3


def test_a_net_of_a_track_saved_before_tells_nothing():
    track = Neural(epochs=1).fit(make(100), seed=0)
    del track.work_
    assert track.operations() == NOTHING


def test_the_module_is_never_computed_with(monkeypatch):
    track = Neural(epochs=1).fit(make(100), seed=0)
    state = torch.random.get_rng_state()
    track.operations()
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("given", [{"members": 4}, {"depth": 3}, {"inputs": "both"}, {"inputs": "sequence"}])
def test_numpy_predicts_by_the_products_of_torch(given):
    track = Neural(strength="strong", epochs=1, **given).fit(make(signal="inputs" in given), seed=0)
    net = track.net_
    signal = None if net.bank is None else (2, N_STEPS)
    forward = count_forward(net.encoder, track.recipe_, 10, signal)
    kernels = count_forward(net.encoder, track.recipe_, 20, signal).flop - 2 * forward.flop
    assert kernels == 0
    assert predict_counts(net)["flop"] == forward.flop / 10
