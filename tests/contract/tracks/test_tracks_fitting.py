"""What every track promises of fit and search: same in, same out, nothing else moved, something learned."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import sklearn.base

from toolkit import registry
from toolkit.config import Rung
from toolkit.scores import check_probabilities, score_probabilities
from toolkit.tasks.base import TrainingData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Track, load_track

NOT_LEARNED = ("baseline", "rules")
"""Tracks that say what they say whatever the labels are."""

MARGIN = 0.02
"""Log loss (nats) by which a track may be worse than the baseline on this little data."""


def snapshot(train: TrainingData) -> TrainingData:
    return copy.deepcopy(train)


def assert_unchanged(train: TrainingData, before: TrainingData) -> None:
    pd.testing.assert_frame_equal(train.features, before.features)
    pd.testing.assert_frame_equal(train.unlabelled, before.unlabelled)
    for part in ("labels", "clusters", "time"):
        assert np.array_equal(getattr(train, part), getattr(before, part)), part


def gain(build: Callable[[str], Track], name: str, kind: str) -> float:
    """Return the share of what can be learned beyond a customer's habit that the track learns."""
    task = Synthetic(kind=kind)
    data, best = task.load(rung=Rung(share=0.6), seed=0), task.bayes_scores()["error_log_loss"]
    habit = data.test.features["habit_probability"].to_numpy(np.float64)
    track = build(name).search(data.train, budget_cpu_seconds=search_budget(10.0, data.train), seed=0)
    found = track.fit(data.train, seed=0).predict_proba(data.test.features)
    worst, error = (
        score_probabilities(data.test.labels, values)["error_log_loss"] for values in (habit, found)
    )
    return (worst - error) / (worst - best)


def test_fit_returns_itself_and_keeps_the_parameters(fitted, parameters):
    assert fitted.returned is fitted.track
    assert parameters(fitted.track) == parameters(fitted.before)


def test_what_is_learned_ends_with_an_underscore(fitted):
    learned = set(vars(fitted.track)) - set(vars(fitted.before))
    assert learned
    assert all(attribute.endswith("_") for attribute in learned), learned


def test_what_was_chosen_is_plain(fitted):
    chosen = fitted.track.chosen()
    assert all(value is None or isinstance(value, str | float | int | bool) for value in chosen.values())


def test_scikit_learn_clones_it_without_what_was_learned(fitted, parameters):
    copied = sklearn.base.clone(fitted.track)
    assert copied is not fitted.track
    assert parameters(copied) == parameters(fitted.track)
    assert not [attribute for attribute in vars(copied) if attribute.endswith("_")]


def test_inputs_are_left_as_they_were(name, data, build, small):
    train = small(data.train)
    before, features = snapshot(train), data.test.features.copy()
    track = build(name).fit(train, seed=0)
    track.predict_proba(data.test.features)
    assert_unchanged(train, before)
    pd.testing.assert_frame_equal(data.test.features, features)


def test_search_gives_a_track_and_leaves_its_inputs_alone(name, data, tmp_path, build, small, parameters):
    train, track = small(data.train), build(name)
    before, given = snapshot(train), parameters(track)
    found = track.search(train, budget_cpu_seconds=0.5, seed=0)
    assert type(found) is type(track)
    assert parameters(track) == given
    assert_unchanged(train, before)
    found.fit(train, seed=0)
    probabilities = check_probabilities(found.predict_proba(data.test.features), len(data.test))
    found.save(tmp_path / "saved")
    assert np.array_equal(load_track(tmp_path / "saved").predict_proba(data.test.features), probabilities)
    again = build(name).search(train, budget_cpu_seconds=0.5, seed=0)
    assert parameters(again) == parameters(found), "a search must not depend on how fast the machine is"
    assert again.trials_ == found.trials_


def test_the_same_seed_gives_the_same_answer(fitted, name, data, build):
    again = build(name).fit(data.train, seed=3)
    assert np.array_equal(again.predict_proba(data.test.features), fitted.probabilities)


@pytest.mark.parametrize(
    "name", [name for name in registry.names("tracks") if not registry.plugin("tracks", name).seeded]
)
def test_a_track_without_seeds_draws_nothing(name, data, build):
    first, second = (build(name).fit(data.train, seed=seed) for seed in (3, 4))
    features = data.test.features
    assert np.array_equal(first.predict_proba(features), second.predict_proba(features))


def test_global_random_numbers_are_neither_used_nor_moved(name, data, build, small):
    train = small(data.train)
    np.random.seed(1)  # noqa: NPY002 (the global state is what is looked at)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = build(name).fit(train, seed=0).predict_proba(data.test.features)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    second = build(name).fit(train, seed=0).predict_proba(data.test.features)
    assert np.array_equal(first, second)


def test_it_is_not_worse_than_the_baseline_by_more_than_the_margin(fitted, data, build):
    baseline = build("baseline").fit(data.train, seed=0).predict_proba(data.test.features)
    floor = score_probabilities(data.test.labels, baseline)["error_log_loss"]
    assert score_probabilities(data.test.labels, fitted.probabilities)["error_log_loss"] < floor + MARGIN


def test_it_learns_a_weighted_sum(name, build):
    if name not in NOT_LEARNED:
        assert gain(build, name, "linear") > 0.6


def test_it_learns_what_is_no_weighted_sum(name, build):
    if name not in NOT_LEARNED:
        assert gain(build, name, "smooth") > 0.4
