"""The net on a raw signal, on made-up signals whose answer only the order of days tells."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from sklearn.metrics import roc_auc_score

from toolkit.errors import DataError
from toolkit.tasks.base import Column, Schema
from toolkit.tracks import _sequence_torch
from toolkit.tracks._encode import Encoder
from toolkit.tracks._filters import FURTHEST, SMALLEST, FilterBank
from toolkit.tracks._sequence import SequenceNet, SequenceRecipe
from toolkit.tracks._sequence_torch import SequenceTarget, count_flops

SCHEMA = Schema((Column("x"), Column("kind", "category", ("a", "b", "c"))))
WITHOUT_NUMBERS = Schema(SCHEMA.categories)
SMALL = SequenceRecipe(width=16, dropout=0.0, penalty=0.1, learning_rate=0.01, epochs=12, batch_rows=128)
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


def target(encoder: Encoder, rows: Rows, labels: np.ndarray) -> SequenceTarget:
    return SequenceTarget(encoder.transform(rows[0]), rows[1], labels)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return draw()


@pytest.fixture(scope="module")
def encoder(rows) -> Encoder:
    return Encoder.learn(rows[0], WITHOUT_NUMBERS)


@pytest.fixture(scope="module")
def trained(rows, encoder) -> SequenceNet:
    labels = recent_or_not_by_category(rows)
    return _sequence_torch.train(encoder, SMALL, [target(encoder, rows, labels)], seed=1)[0]


@pytest.mark.parametrize("truth", [which_came_last, recent, recent_or_not_by_category])
def test_it_learns_what_only_the_order_of_days_reveals(rows, encoder, truth):
    net, _ = _sequence_torch.train(encoder, SMALL, [target(encoder, rows, truth(rows))], seed=0)
    later = draw(seed=5)
    assert roc_auc_score(truth(later), net.predict_proba(*later)) > 0.95
    # the same events in another order: what the net knows must be gone
    shuffled = np.random.default_rng(0).permuted(later[1], axis=2)
    assert roc_auc_score(truth(later), net.predict_proba(later[0], shuffled)) == pytest.approx(0.5, abs=0.05)


def test_signal_and_numbers_are_joined(rows):
    encoder = Encoder.learn(rows[0], SCHEMA)

    def truth(given: Rows) -> np.ndarray:
        return (recent(given) + (given[0]["x"].to_numpy() > 0) == 2).astype(np.int8)

    net, _ = _sequence_torch.train(encoder, SMALL, [target(encoder, rows, truth(rows))], seed=0)
    later = draw(seed=5)
    assert roc_auc_score(truth(later), net.predict_proba(*later)) > 0.97


def test_seed_decides_to_the_last_bit_and_the_global_generator_is_left_alone(rows, encoder):
    before = torch.random.get_rng_state()
    recipe = replace(SMALL, epochs=2, dropout=0.2)
    one = target(encoder, rows, recent(rows))
    first, again, other = (
        _sequence_torch.train(encoder, recipe, [one], seed=seed)[0].predict_proba(*rows) for seed in (3, 3, 4)
    )
    assert first.tobytes() == again.tobytes()
    assert (first != other).any()
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("schema", [SCHEMA, WITHOUT_NUMBERS])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_numpy_predicts_what_torch_trained(rows, schema, dropout, monkeypatch):
    modules = []
    monkeypatch.setattr(_sequence_torch, "_Module", remembered(modules))
    encoder = Encoder.learn(rows[0], schema)
    one = target(encoder, rows, recent(rows))
    net, _ = _sequence_torch.train(encoder, replace(SMALL, dropout=dropout), [one], seed=1)
    (module,) = modules
    *inputs, _ = _sequence_torch._rows(one, slice(None))
    with torch.no_grad():
        wanted = module.eval()(*inputs).numpy()
    assert np.ptp(wanted) > 1
    np.testing.assert_allclose(net.logit(*rows), wanted, atol=1e-4)
    assert net.n_parameters == sum(tensor.numel() for tensor in module.parameters())


def remembered(modules: list) -> type:
    class Remembered(_sequence_torch._Module):
        def __init__(self, *args):
            super().__init__(*args)
            modules.append(self)

    return Remembered


def test_it_is_saved_without_pickle_and_comes_back_as_it_was(trained, rows):
    config = json.loads(json.dumps(trained.config()))
    arrays = load(save(trained.arrays()))
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}
    again = SequenceNet.of_state(config, arrays)
    assert again.predict_proba(*rows).tobytes() == trained.predict_proba(*rows).tobytes()
    assert again.n_parameters == trained.n_parameters


def test_a_state_that_is_newer_or_not_whole_is_refused(trained):
    with pytest.raises(DataError, match="format 2, this version reads up to 1"):
        SequenceNet.of_state({**trained.config(), "version": 2}, trained.arrays())
    arrays = trained.arrays()
    del arrays["bank.rates"], arrays["encoder.size"]
    with pytest.raises(DataError, match=r"missing: bank\.rates, encoder\.size"):
        SequenceNet.of_state(trained.config(), arrays)


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


def test_training_stops_when_held_out_rows_say_so(rows, encoder):
    """Labels are noise: what is learned of the fitted rows makes the others worse."""
    noise = np.random.default_rng(0).integers(0, 2, len(rows[0])).astype(np.int8)
    fitted = target(encoder, (rows[0][:300], rows[1][:300]), noise[:300])
    others = target(encoder, (rows[0][300:], rows[1][300:]), noise[300:])
    recipe = replace(SMALL, width=64, penalty=0.0, epochs=40, batch_rows=32)
    rash, all_steps = _sequence_torch.train(encoder, recipe, [fitted], seed=0)
    wary, steps = _sequence_torch.train(encoder, recipe, [fitted], seed=0, held_out=others)
    assert steps < all_steps / 2

    def loss(net: SequenceNet) -> float:
        z = net.logit(rows[0][300:], rows[1][300:])
        return float(np.mean(np.logaddexp(0, z) - noise[300:] * z))

    assert loss(wary) < loss(rash) - 0.05
    assert loss(wary) == pytest.approx(np.log(2), abs=0.02)


def test_a_second_target_teaches_as_much_as_its_weight_says(rows, encoder):
    labelled = target(encoder, rows, recent(rows))
    flat = SequenceTarget(labelled.rows, rows[1], np.full(len(rows[0]), 0.9), weight=1000.0)
    net, _ = _sequence_torch.train(encoder, SMALL, [labelled, flat], seed=0)
    assert net.predict_proba(*rows).mean() > 0.85


def test_the_penalty_leaves_the_base_rate(rows, encoder):
    recipe = replace(SMALL, penalty=1e5, epochs=40)
    taught = target(encoder, rows, np.full(len(rows[0]), 0.2))
    net, _ = _sequence_torch.train(encoder, recipe, [taught], seed=0)
    np.testing.assert_allclose(net.predict_proba(*rows), 0.2, atol=0.02)


def test_flops_are_all_those_of_the_matrix_products(rows):
    encoder = Encoder.learn(rows[0], SCHEMA)
    n_rows, filters, numbers = 10, 2 * SMALL.n_filters, 2 * SMALL.n_filters + 1
    step_flop, row_flop = count_flops(encoder, SMALL, (2, N_STEPS), n_rows)
    bank = 2 * N_STEPS * filters
    wide, joined = 2 * numbers * 5, 2 * (numbers + 2) * SMALL.width
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


@pytest.mark.parametrize("n_rows", [0, 20, 250_000])
def test_recipes_follow_from_the_number_of_rows(n_rows):
    recipe = SequenceRecipe.for_rows(n_rows, "medium", n_filters=3)
    assert isinstance(recipe, SequenceRecipe)
    assert recipe.n_filters == 3
    assert recipe.epochs >= 1
