"""The net on a raw signal, on made-up signals whose answer only the order of days tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from toolkit.errors import DataError, ParameterError
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _torch
from toolkit.tracks._encode import Encoder
from toolkit.tracks._filters import FURTHEST, SMALLEST, FilterBank
from toolkit.tracks._module import tensors
from toolkit.tracks._net import Net, Recipe
from toolkit.tracks._net_operations import count_forward, count_step
from toolkit.tracks._torch import Target
from toolkit.tracks.neural import Neural

SCHEMA = Schema((Column("x"), Column("kind", "category", ("a", "b", "c"))))
WITHOUT_NUMBERS = Schema(SCHEMA.categories)
SMALL = Recipe(width=16, dropout=0.0, penalty=0.1, learning_rate=0.01, epochs=12, batch_rows=128, filters=5)
N_STEPS = 40

Rows = tuple[pd.DataFrame, np.ndarray]


def draw(n_rows: int = 2500, seed: int = 0) -> Rows:
    """Both channels have three events on every row, at random steps."""
    generator = np.random.default_rng(seed)
    sequence = np.zeros((n_rows, 2, N_STEPS), np.uint8)
    for channel in range(2):
        steps = generator.random((n_rows, N_STEPS)).argsort(axis=1)[:, :3]
        np.put_along_axis(
            sequence[:, channel], steps, generator.integers(1, 9, (n_rows, 3)).astype(np.uint8), 1
        )
    features = pd.DataFrame(
        {
            "x": generator.normal(size=n_rows).astype(np.float32),
            "kind": generator.integers(0, 3, n_rows).astype(np.int32),
        }
    )
    return features, sequence


def last(sequence: np.ndarray) -> np.ndarray:
    """Return the step of the last event of both channels, shape (n_rows, 2)."""
    return N_STEPS - 1 - (sequence[:, :, ::-1] > 0).argmax(axis=2)


def which_came_last(rows: Rows) -> np.ndarray:
    bought, visited = last(rows[1]).T
    return (bought > visited).astype(np.int8)


def recent(rows: Rows) -> np.ndarray:
    return (last(rows[1])[:, 0] > 31).astype(np.int8)


def recent_or_not_by_category(rows: Rows) -> np.ndarray:
    kind = rows[0]["kind"].to_numpy()
    return np.where(kind == 2, 1 - recent(rows), recent(rows)).astype(np.int8)


def target(encoder: Encoder, rows: Rows, labels: np.ndarray) -> Target:
    return Target(replace(encoder.transform(rows[0]), sequence=rows[1]), labels)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return draw()


@pytest.fixture(scope="module")
def encoder(rows) -> Encoder:
    return Encoder.learn(rows[0], WITHOUT_NUMBERS)


@pytest.fixture(scope="module")
def trained(rows, encoder) -> Net:
    labels = recent_or_not_by_category(rows)
    return _torch.train(encoder, SMALL, [target(encoder, rows, labels)], seed=1).net


@pytest.mark.parametrize("truth", [which_came_last, recent, recent_or_not_by_category])
def test_it_learns_what_only_the_order_of_days_reveals(rows, encoder, truth):
    net = _torch.train(encoder, SMALL, [target(encoder, rows, truth(rows))], seed=0).net
    later = draw(seed=5)
    assert roc_auc_score(truth(later), net.predict_proba(*later)) > 0.95
    # the same events in another order: what the net knows must be gone
    shuffled = np.random.default_rng(0).permuted(later[1], axis=2)
    assert roc_auc_score(truth(later), net.predict_proba(later[0], shuffled)) == pytest.approx(0.5, abs=0.05)


def test_signal_and_numbers_are_joined(rows):
    encoder = Encoder.learn(rows[0], SCHEMA)

    def truth(given: Rows) -> np.ndarray:
        return (recent(given) + (given[0]["x"].to_numpy() > 0) == 2).astype(np.int8)

    net = _torch.train(encoder, SMALL, [target(encoder, rows, truth(rows))], seed=0).net
    later = draw(seed=5)
    assert roc_auc_score(truth(later), net.predict_proba(*later)) > 0.97


def test_seed_decides_to_the_last_bit_and_the_global_generator_is_left_alone(rows, encoder):
    before = torch.random.get_rng_state()
    recipe = replace(SMALL, epochs=2, dropout=0.2)
    one = target(encoder, rows, recent(rows))
    first, again, other = (
        _torch.train(encoder, recipe, [one], seed=seed).net.predict_proba(*rows) for seed in (3, 3, 4)
    )
    assert first.tobytes() == again.tobytes()
    assert (first != other).any()
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("schema", [SCHEMA, WITHOUT_NUMBERS])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_numpy_predicts_what_torch_trained(rows, schema, dropout, monkeypatch):
    modules = []
    monkeypatch.setattr(_torch, "TrainingModule", remembered(modules))
    encoder = Encoder.learn(rows[0], schema)
    one = target(encoder, rows, recent(rows))
    net = _torch.train(encoder, replace(SMALL, dropout=dropout), [one], seed=1).net
    (module,) = modules
    with torch.no_grad():
        wanted = module.eval()(*tensors(one.rows, "cpu")).numpy()
    assert np.ptp(wanted) > 1
    np.testing.assert_allclose(net.logit(*rows), wanted, atol=1e-4)
    assert net.n_parameters == sum(tensor.numel() for tensor in module.parameters())


def remembered(modules: list) -> type:
    class Remembered(_torch.TrainingModule):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            modules.append(self)

    return Remembered


def test_rows_without_their_signal_are_refused(trained, rows):
    features, sequence = rows
    with pytest.raises(DataError, match=r"got none; .* sequence: true"):
        trained.predict_proba(features, None)
    with pytest.raises(DataError, match="got 7 for 2500 rows"):
        trained.predict_proba(features, sequence[:7])
    with pytest.raises(DataError, match=r"\(rows, 2, 40\) .* got \(5, 2, 39\)"):
        trained.predict_proba(features[:5], sequence[:5, :, 1:])


def test_rows_are_predicted_one_by_one_as_together(trained, rows):
    features, sequence = rows
    many = pd.concat([features] * 5, ignore_index=True)
    whole = trained.logit(many, np.tile(sequence, (5, 1, 1)))
    np.testing.assert_allclose(whole, np.tile(trained.logit(features, sequence), 5), atol=1e-4)
    single = [trained.logit(features[at : at + 1], sequence[at : at + 1])[0] for at in range(5)]
    np.testing.assert_allclose(single, whole[:5], atol=1e-4)
    assert trained.logit(features[:0], sequence[:0]).shape == (0,)


def test_how_often_something_happened_on_a_day_does_not_count(trained, rows):
    features, sequence = rows
    once = np.minimum(sequence, 1)
    assert trained.logit(features, once).tobytes() == trained.logit(features, sequence).tobytes()


def test_a_second_target_teaches_as_much_as_its_weight_says(rows, encoder):
    labelled = target(encoder, rows, recent(rows))
    flat = Target(labelled.rows, np.full(len(rows[0]), 0.9), weight=1000.0)
    net = _torch.train(encoder, SMALL, [labelled, flat], seed=0).net
    assert net.predict_proba(*rows).mean() > 0.85


def test_the_penalty_leaves_the_base_rate(rows, encoder):
    recipe = replace(SMALL, penalty=1e5, epochs=40)
    taught = target(encoder, rows, np.full(len(rows[0]), 0.2))
    net = _torch.train(encoder, recipe, [taught], seed=0).net
    np.testing.assert_allclose(net.predict_proba(*rows), 0.2, atol=0.02)


def test_flops_are_all_those_of_the_matrix_products(rows):
    encoder = Encoder.learn(rows[0], SCHEMA)
    n_rows, filters, numbers = 10, 2 * SMALL.filters, 2 * SMALL.filters + 1
    step_flop = count_step(encoder, SMALL, n_rows, (2, N_STEPS)).flop
    row_flop = count_forward(encoder, SMALL, 1, (2, N_STEPS)).flop
    bank = 2 * N_STEPS * filters
    wide, joined = 2 * numbers * 5, 2 * (5 * numbers + 2) * SMALL.width
    hidden, output = 2 * SMALL.width**2, 2 * SMALL.width
    assert row_flop == bank + wide + joined + hidden + output
    # backward: towards weights and inputs alike, but for the signal itself
    assert step_flop == n_rows * (3 * row_flop - bank)


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 30), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_a_filter_is_the_logarithm_of_a_decayed_share(seed, n_channels, n_steps, n_filters):
    generator = np.random.default_rng(seed)
    rates = generator.normal(-2, 2, (n_channels, n_filters)).astype(np.float32)
    size = n_channels * n_filters
    bank = FilterBank(n_steps, rates, np.zeros(size, np.float32), np.full(size, 3, np.float32))
    sequence = generator.integers(0, 3, (4, n_channels, n_steps)).astype(np.uint8)
    found = bank.transform(sequence)
    for row, signal in enumerate(sequence):
        for channel in range(n_channels):
            for place in range(n_filters):
                decay = np.exp(rates[channel, place].astype(float))
                weight = [np.exp(-min((n_steps - step - 0.5) * decay, 60)) for step in range(n_steps)]
                share = sum(w for w, value in zip(weight, signal[channel], strict=True) if value) / sum(
                    weight
                )
                wanted = np.clip(np.log(share + SMALLEST) / 3, -FURTHEST, FURTHEST)
                assert found[row, channel * n_filters + place] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("inputs", ["sequence", "both"])
def test_the_track_reads_the_signal_where_the_task_has_one(rows, inputs):
    features, sequence = rows
    schema = Schema(SCHEMA.columns, channels=("bought", "visited"))
    train = TrainingData(
        features=features,
        labels=recent(rows),
        clusters=np.arange(len(features), dtype=np.int32) // 5,
        time=np.zeros(len(features), np.int32),
        unlabelled=features.iloc[:0],
        schema=schema,
        sequence=sequence,
    )
    track = Neural(inputs=inputs, strength="weak").check(schema, Path())
    found = track.search(train, budget_cpu_seconds=2.0, seed=0).fit(train, seed=0)
    later = draw(seed=5)
    assert roc_auc_score(recent(later), found.predict_proba(*later)) > 0.95
    assert (found.net_.encoder.n_inputs == 0) == (inputs == "sequence")
    assert (
        found.operations().fit["flop"] > Neural(strength="weak").fit(train, seed=0).operations().fit["flop"]
    )
    with pytest.raises(ParameterError, match="the task gives none"):
        track.check(SCHEMA, Path())
