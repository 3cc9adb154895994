from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.errors import DivergedError, ParameterError
from toolkit.operations.counts import NOTHING
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _torch
from toolkit.tracks._encode import Encoded, Encoder
from toolkit.tracks._net import STRENGTHS, Net, Recipe
from toolkit.tracks._net_operations import count_forward, count_step
from toolkit.tracks._trial import Trial
from toolkit.tracks._work import net_seconds
from toolkit.tracks.neural import Neural

SCHEMA = Schema((Column("x"), Column("y"), Column("kind", "category", ("a", "b", "c"))))
SMALL = Recipe(width=8, dropout=0.0, penalty=0.1, learning_rate=0.02, epochs=4, batch_rows=64)


def make(n_rows: int = 600, seed: int = 0) -> TrainingData:
    generator = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "x": generator.normal(size=n_rows).astype(np.float32),
            "y": np.where(generator.random(n_rows) < 0.1, np.nan, generator.normal(size=n_rows)).astype(
                np.float32
            ),
            "kind": generator.integers(0, 3, n_rows).astype(np.int32),
        }
    )
    chance = expit(
        (3 * np.sign(features["x"] * features["y"].fillna(0)) + (features["kind"] == 1) - 0.5).to_numpy()
    )
    return TrainingData(
        features=features,
        labels=(generator.random(n_rows) < chance).astype(np.int8),
        clusters=np.arange(n_rows, dtype=np.int32),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
    )


@pytest.fixture(scope="module")
def train() -> TrainingData:
    return make()


@pytest.fixture(scope="module")
def encoder(train) -> Encoder:
    return Encoder.learn(train.features, SCHEMA)


def target_of(train: TrainingData, encoder: Encoder) -> _torch.Target:
    return _torch.Target(encoder.transform(train.features), train.labels)


@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_numpy_predicts_what_torch_trained(train, encoder, dropout, depth, members):
    import torch

    recipe = replace(SMALL, dropout=dropout, depth=depth, members=members)
    net = _torch.train(encoder, recipe, [target_of(train, encoder)], seed=1).net
    module = _torch.TrainingModule(encoder, recipe, None).eval()
    lists = ("level", "embedding", "hidden", "shift", "gain")
    state = {}
    for name, array in net.weights.items():
        base, _, position = name.rpartition("_")
        state[f"{base}.{position}" if base in lists else name] = torch.from_numpy(np.asarray(array))
    module.load_state_dict(state)
    rows = encoder.transform(train.features)
    with torch.no_grad():
        logits = module(torch.from_numpy(rows.numbers), torch.from_numpy(rows.codes)).numpy()
    wanted = expit(logits) if members == 1 else expit(logits).mean(axis=0)
    assert np.ptp(wanted) > 0.1
    np.testing.assert_allclose(net.predict_proba(train.features), wanted, atol=1e-5)
    if members > 1:
        assert np.ptp(logits, axis=0).max() > 0.01, "the members differ"


def test_training_leaves_the_global_generator_alone(train, encoder):
    import torch

    before = torch.random.get_rng_state()
    recipe = Recipe(**{**SMALL.__dict__, "dropout": 0.3})
    _torch.train(encoder, recipe, [target_of(train, encoder)], seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_seed_decides(train, encoder):
    target = target_of(train, encoder)
    first, again, other = (
        _torch.train(encoder, SMALL, [target], seed=seed).net.logit(train.features) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_the_penalty_has_its_optimum_where_it_says(encoder, train):
    """With rows that say nothing but the base rate, weights vanish and the bias is its log-odds."""
    rows = encoder.transform(train.features)
    nothing = Encoded(rows.numbers, np.zeros_like(rows.codes))
    recipe = Recipe(**{**SMALL.__dict__, "penalty": 1e4, "epochs": 60})
    net = _torch.train(encoder, recipe, [_torch.Target(nothing, np.full(len(rows), 0.2))], seed=0).net
    assert max(np.abs(array).max() for name, array in net.weights.items() if name == "linear") < 1e-3
    np.testing.assert_allclose(net.predict_proba(train.features), 0.2, atol=0.01)


def test_a_second_target_of_no_weight_changes_little_and_of_great_weight_decides(train, encoder):
    rows = encoder.transform(train.features)
    labelled, flat = target_of(train, encoder), np.full(len(rows), 0.9)

    def said(*further: _torch.Target) -> np.ndarray:
        net = _torch.train(encoder, SMALL, [labelled, *further], seed=0).net
        return net.predict_proba(train.features)

    alone = said()
    # rows are shuffled otherwise, nothing more
    assert np.abs(said(_torch.Target(rows, flat, weight=0.0)) - alone).mean() < 0.02
    assert alone.mean() < 0.7
    assert said(_torch.Target(rows, flat, weight=1000.0)).mean() > 0.85


def test_flops_are_those_of_the_matrix_products(encoder):
    n_wide, n_embedded, width = 5 * encoder.n_inputs, 2, SMALL.width
    step_flop, row_flop = (
        count_step(encoder, SMALL, 10, None).flop,
        count_forward(encoder, SMALL, 1, None).flop,
    )
    into_first, further = (n_wide + n_embedded) * width, width * width
    forward = n_wide + into_first + further + width
    assert row_flop == 2 * forward
    # backward: to all weights, to the hidden units and embeddings, not to the numbers
    assert step_flop == 10 * 2 * (2 * forward + further + n_embedded * width)


def test_flops_of_an_ensemble_are_those_of_its_members(encoder):
    single, of_four = (
        count_step(encoder, replace(SMALL, members=members), 10, None).flop for members in (1, 4)
    )
    # the linear part is shared; what autograd computes towards the numbers is counted
    assert 3.5 * single < of_four < 6 * single


def test_flops_of_a_fit_grow_with_its_steps(train):
    short, long = (Neural(strength="strong", epochs=epochs).fit(train, seed=0) for epochs in (2, 6))
    assert long.operations().fit["flop"] == 3 * short.operations().fit["flop"]
    assert Neural().operations() == NOTHING


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("n_rows", [0, 1, 20, 1600, 250_000, 10**7])
def test_recipes_are_sound_at_any_size(n_rows, strength):
    recipe = Recipe.for_rows(n_rows, strength)
    assert recipe.width >= 16
    assert recipe.penalty > 0
    assert recipe.epochs >= 1
    assert 16 <= recipe.batch_rows <= 1024
    assert 0 < recipe.learning_rate <= 0.01


def test_what_is_given_stays(train):
    track = Neural(strength="weak", width=7, epochs=2, penalty=3.0).fit(train, seed=0)
    chosen = track.chosen()
    assert (chosen["width"], chosen["epochs"], chosen["penalty"]) == (7, 2, 3.0)
    assert chosen["n_parameters"] == track.net_.n_parameters
    assert not chosen["early_stopping"]
    stopped = Neural(strength="weak", epochs=2, early_stopping=True).fit(train, seed=0)
    assert stopped.chosen()["early_stopping"]


@pytest.mark.parametrize("name", ["penalty", "learning_rate", "epochs"])
def test_a_factor_on_what_is_given_is_refused(train, name):
    track = Neural(**{name: 2, f"{name}_factor": 0.5})
    with pytest.raises(ParameterError, match=f"'{name}' is given"):
        track.check(train.schema, Path())
    Neural(**{f"{name}_factor": 0.5}).check(train.schema, Path())


def test_a_strength_that_decides_nothing_is_not_searched(train):
    settled = Neural(width=8, penalty=3.0, epochs=2)
    assert [set(each) & {"strength"} for each in settled.first()] == [set()]
    found = search(settled, train)
    assert all("strength" not in trial.params for trial in found.trials_)
    assert len(replace(settled, epochs=None).first()) == len(STRENGTHS)


def search(track: Neural, train: TrainingData, seconds: float = 4.0) -> Neural:
    return track.search(train, budget_cpu_seconds=seconds, seed=0)


def test_learns_an_interaction_because_the_inner_split_asks_for_a_freer_net():
    train = make(3000)
    track = search(Neural(), train).fit(train, seed=0)
    held_out = make(2000, seed=9)
    chances = track.predict_proba(held_out.features)
    assert ((chances > 0.5) == (held_out.labels == 1)).mean() > 0.8


def test_search_varies_only_what_is_not_given(train):
    track = Neural(epochs=3, dropout=0.2, strength="weak")
    found = search(track, train)
    assert (found.epochs, found.dropout, found.strength) == (3, 0.2, "weak")
    assert len(found.trials_) > 3
    assert not hasattr(found, "net_")
    assert track == Neural(epochs=3, dropout=0.2, strength="weak")
    for trial in found.trials_:
        assert not set(trial.params) & {"epochs", "dropout", "strength"}


def test_training_that_clearly_gets_worse_is_ended_and_its_best_epoch_kept(train, encoder):
    """Noise to learn by heart, and held-out rows that tell: a long training without penalty is ended."""
    generator = np.random.default_rng(0)
    few = train.take(np.arange(60))
    noisy = replace(few, labels=generator.integers(0, 2, 60).astype(np.int8))
    other = replace(train, labels=generator.integers(0, 2, len(train)).astype(np.int8))
    recipe = replace(SMALL, width=64, penalty=0.0, epochs=60, learning_rate=0.05)
    watched = _torch.HeldOut(encoder.transform(other.features), other.labels, other.clusters)
    trained = _torch.train(encoder, recipe, [target_of(noisy, encoder)], seed=0, held_out=watched)
    assert trained.epochs < 60
    alone = _torch.train(encoder, recipe, [target_of(noisy, encoder)], seed=0)
    assert (alone.epochs, alone.best) == (60, None)

    def loss(net: Net) -> float:
        chances = np.clip(net.predict_proba(other.features), 1e-6, 1 - 1e-6)
        return float(-np.where(other.labels == 1, np.log(chances), np.log1p(-chances)).mean())

    assert trained.best is not None
    assert loss(trained.best) < loss(trained.net) < loss(alone.net)


def test_early_stopping_holds_clusters_out_of_the_fit(train, monkeypatch):
    seen = []
    learn = Neural._learn
    monkeypatch.setattr(
        Neural,
        "_learn",
        lambda track, rows, *rest, **held: (seen.append((rows, held)), learn(track, rows, *rest, **held))[1],
    )
    plain, stopped = (Neural(early_stopping=stops, epochs=20).fit(train, seed=0) for stops in (False, True))
    (all_rows, no_split), (fitting, split) = seen
    assert (len(all_rows), no_split) == (len(train), {})
    assert len(fitting) + len(split["held_out"]) == len(train)
    assert not set(fitting.clusters) & set(split["held_out"].clusters)
    assert plain.steps_ > stopped.steps_


def test_early_stopping_is_charged_as_it_trains(train):
    """On four fifths of the rows, with their recipe, watched by the rest; less where it ended early."""
    n_rows = 388
    track = Neural(early_stopping=True)
    fitted, usual = track.recipe(310), track.recipe(n_rows)
    assert fitted.batch_rows < usual.batch_rows, "else this shows nothing"
    assert track.fit_seconds(n_rows, SCHEMA) == net_seconds(fitted, 310, SCHEMA, n_watched=78)
    trial = Trial.of(train, len(train), 0)
    attempt = track.attempt(trial)
    alone = Neural(early_stopping=True).fit(trial.fitting, seed=trial.seed)
    assert attempt.used == alone.epochs_ / alone.recipe_.epochs


def test_early_stopping_is_one_of_the_choices_unless_given(train):
    assert {trial.params["early_stopping"] for trial in search(Neural(epochs=2), train).trials_} == {
        False,
        True,
    }
    found = search(Neural(epochs=2, early_stopping=False, penalty_factor=1.0), train)
    assert (found.early_stopping, found.penalty_factor) == (False, 1.0)
    assert all("penalty_factor" not in trial.params for trial in found.trials_)
    assert all("early_stopping" not in trial.params for trial in found.trials_)


def test_being_watched_does_not_change_training(train, encoder):
    watched = _torch.HeldOut(encoder.transform(train.features), train.labels, train.clusters)
    target = target_of(train, encoder)
    recipe = replace(SMALL, dropout=0.2)
    first = _torch.train(encoder, recipe, [target], seed=3, held_out=watched)
    second = _torch.train(encoder, recipe, [target], seed=3)
    assert first.epochs == recipe.epochs
    for name, array in first.net.weights.items():
        np.testing.assert_array_equal(array, second.net.weights[name])


def test_training_that_has_diverged_says_so(train):
    with pytest.raises(DivergedError, match="lower learning_rate"):
        Neural(learning_rate=1e30, epochs=2).fit(train, seed=0)


def test_predicting_in_blocks_is_predicting_at_once(train, encoder):
    net = _torch.train(encoder, SMALL, [target_of(train, encoder)], seed=1).net
    many = pd.concat([train.features] * 20, ignore_index=True)
    np.testing.assert_allclose(net.logit(many), np.tile(net.logit(train.features), 20), atol=1e-5)
    assert isinstance(net, Net)


@pytest.mark.parametrize(("present", "device"), [(True, "cuda"), (False, "cpu")])
def test_a_gpu_is_used_when_there_is_one(monkeypatch, present, device):
    monkeypatch.setattr("torch.cuda.is_available", lambda: present)
    assert _torch.device() == device
