"""What every track promises, for each file in ``toolkit/tracks``.

A track is built with the parameters that ``experiments/smoke.yaml`` gives it, else with its defaults.
"""

from __future__ import annotations

import copy
import io
import pickle
import pickletools
import zipfile
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.base

from toolkit import registry
from toolkit.config import Rung, load
from toolkit.errors import (
    MissingColumnError,
    NotExplainableError,
    NotFittedError,
    OneClassError,
    ParameterError,
    TooFewLabelsError,
    TrackError,
)
from toolkit.scores import check_probabilities, score_probabilities
from toolkit.tasks.base import TaskData, TrainingData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Track, load_track

SMOKE = load(Path(__file__).parents[2] / "experiments" / "smoke.yaml")

KNOWN_FAILURES: dict[tuple[str, str], str] = {}
"""(track, test) -> the reason why it cannot keep this promise; listed here, never passed over."""

NOT_LEARNED = ("baseline", "rules")
"""Tracks that say what they say whatever the labels are."""

MARGIN = 0.02
"""Log loss (nats) by which a track may be worse than the baseline on this little data."""


def build(name: str) -> Track:
    track = registry.build("tracks", name, SMOKE.tracks.get(name, {}))
    return track.check(Synthetic().schema(), SMOKE.path.parent)


@dataclass(frozen=True)
class Fitted:
    """A track as it was before `fit`, what fit returned, and its probabilities of the test block."""

    before: Track
    track: Track
    returned: Track
    probabilities: np.ndarray


@pytest.fixture(scope="module")
def data() -> TaskData:
    return Synthetic(n_clusters=300, rows_per_cluster=15).load(rung=Rung(share=0.6), seed=0)


@pytest.fixture(scope="module", params=registry.names("tracks"))
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def fitted(name, data) -> Fitted:
    track = build(name)
    before = copy.deepcopy(track)
    returned = track.fit(data.train, seed=3)
    return Fitted(before, track, returned, track.predict_proba(data.test.features))


def test_it_may_be_given_a_raw_signal(fitted, data):
    signal = np.ones((len(data.test), 2, 5), np.uint8)
    given = fitted.track.predict_proba(data.test.features, signal)
    assert np.array_equal(given, fitted.probabilities), "by default no track reads it"


@pytest.fixture(autouse=True)
def _known_failure(request, name):
    reason = KNOWN_FAILURES.get((name, request.node.originalname))
    if reason:
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def small(train: TrainingData, n_rows: int = 400) -> TrainingData:
    part = train.take(np.arange(min(n_rows, len(train))))
    return replace(part, unlabelled=train.unlabelled.iloc[:n_rows])


def snapshot(train: TrainingData) -> TrainingData:
    return copy.deepcopy(train)


def assert_unchanged(train: TrainingData, before: TrainingData) -> None:
    pd.testing.assert_frame_equal(train.features, before.features)
    pd.testing.assert_frame_equal(train.unlabelled, before.unlabelled)
    for part in ("labels", "clusters", "time"):
        assert np.array_equal(getattr(train, part), getattr(before, part)), part


def parameters(track: Track) -> dict[str, object]:
    assert is_dataclass(track)
    return {each.name: getattr(track, each.name) for each in fields(track) if each.init}


def test_the_known_failures_name_tracks_and_tests_that_exist(name):
    for track, test in KNOWN_FAILURES:
        assert track in registry.names("tracks")
        assert test in globals()


def test_it_says_what_it_is_and_what_it_imports(name):
    track = build(name)
    assert track.title
    assert track.min_labels >= 0
    assert track.imports


def test_an_unknown_parameter_is_refused(name):
    with pytest.raises(ParameterError, match="has no parameter 'colour'"):
        registry.build("tracks", name, {**SMOKE.tracks.get(name, {}), "colour": "red"})


def test_steps_count_from_zero_and_stay_on_the_ladder(name):
    track = build(name)
    steps = track.steps(4)
    assert [step.rung for step in steps] == list(range(len(steps)))
    assert all(step.data_rung is None or 0 <= step.data_rung < 4 for step in steps)
    assert isinstance(track.at(steps[-1]), type(track))


def test_every_row_gets_one_finite_probability(fitted, data):
    values = check_probabilities(fitted.probabilities, len(data.test))
    assert values.dtype == fitted.probabilities.dtype == np.float64
    few = data.test.features.iloc[:3]
    assert np.allclose(fitted.track.predict_proba(few), values[:3], atol=1e-6)
    assert fitted.track.predict_proba(data.test.features.iloc[:0]).shape == (0,)


def test_fit_returns_itself_and_keeps_the_parameters(fitted):
    assert fitted.returned is fitted.track
    assert parameters(fitted.track) == parameters(fitted.before)


def test_what_is_learned_ends_with_an_underscore(fitted):
    learned = set(vars(fitted.track)) - set(vars(fitted.before))
    assert learned
    assert all(attribute.endswith("_") for attribute in learned), learned


def test_inputs_are_left_as_they_were(name, data):
    train = small(data.train)
    before, features = snapshot(train), data.test.features.copy()
    track = build(name).fit(train, seed=0)
    track.predict_proba(data.test.features)
    assert_unchanged(train, before)
    pd.testing.assert_frame_equal(data.test.features, features)


def test_search_gives_a_track_and_leaves_its_inputs_alone(name, data, tmp_path):
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


def test_the_same_seed_gives_the_same_answer(fitted, name, data):
    again = build(name).fit(data.train, seed=3)
    assert np.array_equal(again.predict_proba(data.test.features), fitted.probabilities)


@pytest.mark.parametrize(
    "name", [name for name in registry.names("tracks") if not registry.plugin("tracks", name).seeded]
)
def test_a_track_without_seeds_draws_nothing(name, data):
    first, second = (build(name).fit(data.train, seed=seed) for seed in (3, 4))
    features = data.test.features
    assert np.array_equal(first.predict_proba(features), second.predict_proba(features))


def test_global_random_numbers_are_neither_used_nor_moved(name, data):
    train = small(data.train)
    np.random.seed(1)  # noqa: NPY002 (the global state is what is looked at)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = build(name).fit(train, seed=0).predict_proba(data.test.features)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    second = build(name).fit(train, seed=0).predict_proba(data.test.features)
    assert np.array_equal(first, second)


def test_the_order_of_rows_and_columns_does_not_matter_to_prediction(fitted, data):
    features = data.test.features
    order = np.random.default_rng(0).permutation(len(features))
    shuffled = fitted.track.predict_proba(features.iloc[order])
    assert np.allclose(shuffled, fitted.probabilities[order], atol=1e-6)
    turned = fitted.track.predict_proba(features[features.columns[::-1]])
    assert np.allclose(turned, fitted.probabilities, atol=1e-6)


def test_further_columns_are_passed_over(fitted, data):
    wider = data.test.features.assign(answer=data.test.labels)
    assert np.array_equal(fitted.track.predict_proba(wider), fitted.probabilities)


def test_holes_and_unknown_levels_are_no_obstacle(fitted, data):
    schema = data.train.schema
    holes = data.test.features.copy()
    for column in schema.numbers:
        holes.loc[::2, column] = np.nan
    for category in schema.categories:
        holes[category.name] = np.full(len(holes), -1, np.int32)
    check_probabilities(fitted.track.predict_proba(holes), len(holes))


def test_prediction_before_fit_is_a_named_error(name, data):
    with pytest.raises(NotFittedError, match="fit"):
        build(name).predict_proba(data.test.features)


def test_a_missing_column_is_a_named_error(fitted, data):
    used = [
        column
        for column in data.test.features.columns
        if not np.array_equal(
            fitted.track.predict_proba(_spoilt(data.test.features, column)), fitted.probabilities
        )
    ]
    assert used, "no column matters to this track"
    with pytest.raises(MissingColumnError, match=used[-1]):
        fitted.track.predict_proba(data.test.features.drop(columns=used[-1]))


def _spoilt(features: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the features with one column turned upside down."""
    return features.assign(**{column: features[column].to_numpy()[::-1]})


def test_too_few_labels_are_a_named_error(name, data):
    track = build(name)
    if track.min_labels == 0:
        train = small(data.train).take(np.arange(0))
        try:
            track.fit(train, seed=0)
        except TooFewLabelsError:
            return
        check_probabilities(track.predict_proba(data.test.features), len(data.test))
    else:
        with pytest.raises(TooFewLabelsError, match=str(track.min_labels)):
            track.fit(data.train.take(np.arange(track.min_labels - 1)), seed=0)


def test_the_fewest_labels_are_enough(name, data):
    track = build(name)
    rows = np.concatenate([np.flatnonzero(data.train.labels == label)[:40] for label in (0, 1)])
    train = data.train.take(np.sort(rows)[: max(track.min_labels, 4)])
    if len(np.unique(train.labels)) < 2:
        pytest.fail("the fixture has one class")
    track.fit(train, seed=0)
    check_probabilities(track.predict_proba(data.test.features), len(data.test))


def test_the_fewest_labels_are_enough_where_every_row_is_a_cluster_of_its_own(name, data):
    """What is held out to compare parameters leaves fewer than the track asks for."""
    track = build(name)
    rows = np.concatenate([np.flatnonzero(data.train.labels == label)[:40] for label in (0, 1)])
    train = data.train.take(rows[:: max(1, 80 // max(track.min_labels, 4))][: max(track.min_labels, 4)])
    assert len(np.unique(train.labels)) == 2
    track.fit(replace(train, clusters=np.arange(len(train), dtype=np.int32)), seed=0)
    check_probabilities(track.predict_proba(data.test.features), len(data.test))


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_a_named_error_or_an_answer(name, data, label):
    track = build(name)
    train = small(data.train.take(data.train.labels == label))
    if track.min_labels > 0:
        with pytest.raises(OneClassError, match=f"every label is {label}"):
            track.fit(train, seed=0)
    else:
        track.fit(train, seed=0)
        check_probabilities(track.predict_proba(data.test.features), len(data.test))


def test_no_rows_at_all_are_an_answer_or_a_named_error(name, data):
    none = replace(data.train.take(np.arange(0)), unlabelled=data.train.unlabelled.iloc[:0])
    track = build(name)
    try:
        track.fit(none, seed=0)
    except TrackError:
        return
    check_probabilities(track.predict_proba(data.test.features), len(data.test))


def test_a_step_without_labels_needs_none(name, data):
    none = replace(data.train.take(np.arange(0)), unlabelled=data.train.unlabelled.iloc[:0])
    track = build(name)
    for step in track.steps(3):
        if step.data_rung is None:
            one = track.at(step).fit(none, seed=0)
            check_probabilities(one.predict_proba(data.test.features), len(data.test))


def test_labels_of_one_cluster_are_enough_to_fit(name, data):
    train = data.train.take(np.arange(200))
    one = replace(train, clusters=np.zeros(200, np.int32))
    check_probabilities(build(name).fit(one, seed=0).predict_proba(data.test.features), len(data.test))


def test_it_is_not_worse_than_the_baseline_by_more_than_the_margin(fitted, data):
    baseline = build("baseline").fit(data.train, seed=0).predict_proba(data.test.features)
    floor = score_probabilities(data.test.labels, baseline)["error_log_loss"]
    assert score_probabilities(data.test.labels, fitted.probabilities)["error_log_loss"] < floor + MARGIN


def gain(name: str, kind: str) -> float:
    """Return the share of what can be learned beyond a customer's habit that the track learns."""
    task = Synthetic(kind=kind)
    data, best = task.load(rung=Rung(share=0.6), seed=0), task.bayes_scores()["error_log_loss"]
    habit = data.test.features["habit_probability"].to_numpy(np.float64)
    track = build(name).search(data.train, budget_cpu_seconds=search_budget(4.0, data.train), seed=0)
    found = track.fit(data.train, seed=0).predict_proba(data.test.features)
    worst, error = (
        score_probabilities(data.test.labels, values)["error_log_loss"] for values in (habit, found)
    )
    return (worst - error) / (worst - best)


def test_it_learns_a_weighted_sum(name):
    if name not in NOT_LEARNED:
        assert gain(name, "linear") > 0.6


def test_it_learns_what_is_no_weighted_sum(name):
    if name not in NOT_LEARNED:
        assert gain(name, "smooth") > 0.4


def test_explanations_add_up_to_what_is_predicted_or_are_a_named_error(fitted, data):
    features = data.test.features
    if not fitted.track.explains:
        with pytest.raises(NotExplainableError, match="no knowledge base"):
            fitted.track.explain(features)
        return
    explanations = fitted.track.explain(features)
    assert np.allclose(explanations.probability, fitted.probabilities, atol=1e-6, rtol=0)
    inside = (fitted.probabilities > 0) & (fitted.probabilities < 1)
    logit = np.log(fitted.probabilities[inside]) - np.log1p(-fitted.probabilities[inside])
    assert np.allclose(explanations.logit[inside], logit, atol=1e-6, rtol=0)
    for explanation in explanations[:200]:
        parts = [explanation.bias, explanation.prior_log_odds, explanation.correction or 0.0]
        parts += [each.log_odds for each in explanation.contributions]
        assert sum(parts) == pytest.approx(explanation.logit, abs=1e-6)
    assert len(explanations.texts()) == len(features)


def test_explanations_before_fit_are_a_named_error(name, data):
    with pytest.raises((NotFittedError, NotExplainableError)):
        build(name).explain(data.test.features)


def test_what_was_chosen_is_plain_and_flops_are_positive(fitted):
    chosen = fitted.track.chosen()
    assert all(value is None or isinstance(value, str | float | int | bool) for value in chosen.values())
    for name, value in fitted.track.flop_counts().items():
        assert name in ("fit_flop", "predict_flop_per_row")
        assert value > 0


def test_an_unfitted_track_crosses_a_process_boundary(name):
    track = build(name)
    assert pickle.loads(pickle.dumps(track)) == track  # noqa: S301 (our own bytes)


def test_a_saved_track_comes_back_the_same_to_the_last_bit(fitted, data, tmp_path):
    fitted.track.save(tmp_path / "saved")
    loaded = load_track(tmp_path / "saved")
    assert type(loaded) is type(fitted.track)
    assert np.array_equal(loaded.predict_proba(data.test.features), fitted.probabilities)
    one = data.test.features.iloc[[7]]
    assert np.array_equal(loaded.predict_proba(one), fitted.track.predict_proba(one))
    assert loaded.schema_ == data.train.schema
    assert loaded.chosen() == fitted.track.chosen()
    assert loaded.flop_counts() == fitted.track.flop_counts()
    kept, given = parameters(loaded), parameters(fitted.track)
    if kept.pop("knowledge", None) is not None:
        assert loaded.knowledge.parent == (tmp_path / "saved").resolve()
        given.pop("knowledge")
    assert kept == given
    if loaded.explains:
        few = data.test.features.iloc[:50]
        assert loaded.explain(few).texts() == fitted.track.explain(few).texts()


def test_a_loaded_track_is_a_track_like_any_other(fitted, data, tmp_path):
    fitted.track.save(tmp_path / "first")
    loaded = load_track(tmp_path / "first")
    loaded.save(tmp_path / "second")
    again = load_track(tmp_path / "second")
    assert np.array_equal(again.predict_proba(data.test.features), fitted.probabilities)
    train = small(data.train)
    again.fit(train, seed=1)
    expected = build_like(fitted.track).fit(train, seed=1)
    assert np.array_equal(again.predict_proba(data.test.features), expected.predict_proba(data.test.features))


def build_like(track: Track) -> Track:
    return type(track)(**track.get_params())


def test_no_file_of_a_saved_track_is_or_holds_a_pickle(fitted, tmp_path):
    fitted.track.save(tmp_path / "saved")
    for file in (tmp_path / "saved").iterdir():
        assert file.suffix in (".json", ".safetensors", ".skops", ".txt", ".yaml"), file.name
        contents = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        for content in contents:
            assert not is_pickle(content), file.name
            if content.startswith(b"\x93NUMPY"):
                np.load(io.BytesIO(content), allow_pickle=False)


def is_pickle(content: bytes) -> bool:
    try:
        return [operation.name for operation, *_ in pickletools.genops(content)][-1] == "STOP"
    except Exception:  # whatever it is, pickle cannot read it
        return False


def test_saving_before_fit_is_a_named_error(name, tmp_path):
    with pytest.raises(NotFittedError, match="fit before save"):
        build(name).save(tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


def test_scikit_learn_clones_it_without_what_was_learned(fitted):
    copied = sklearn.base.clone(fitted.track)
    assert copied is not fitted.track
    assert parameters(copied) == parameters(fitted.track)
    assert not [attribute for attribute in vars(copied) if attribute.endswith("_")]


def test_parameters_are_told_and_set_by_name(name):
    track = build(name)
    assert track.get_params() == track.get_params(deep=False) == parameters(track)
    assert track.set_params(**parameters(track)) is track
    with pytest.raises(ParameterError, match="has no parameter 'colour'"):
        track.set_params(colour="red")
