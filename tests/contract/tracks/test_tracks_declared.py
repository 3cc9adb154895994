"""What every track says of itself, and refuses, before it has learned anything."""

from __future__ import annotations

import pickle

import pytest

from toolkit import registry
from toolkit.errors import NotExplainableError, NotFittedError, ParameterError


def test_it_says_what_it_is_and_what_it_imports(name, build):
    track = build(name)
    assert track.title
    assert track.min_labels >= 0
    assert track.imports


def test_an_unknown_parameter_is_refused(name, smoke):
    with pytest.raises(ParameterError, match="has no parameter 'colour'"):
        registry.build("tracks", name, {**smoke.tracks.get(name, {}), "colour": "red"})


def test_parameters_are_told_and_set_by_name(name, build, parameters):
    track = build(name)
    assert track.get_params() == track.get_params(deep=False) == parameters(track)
    assert track.set_params(**parameters(track)) is track
    with pytest.raises(ParameterError, match="has no parameter 'colour'"):
        track.set_params(colour="red")


def test_steps_count_from_zero_and_stay_on_the_ladder(name, build):
    track = build(name)
    steps = track.steps(4)
    assert [step.rung for step in steps] == list(range(len(steps)))
    assert all(step.data_rung is None or 0 <= step.data_rung < 4 for step in steps)
    assert isinstance(track.at(steps[-1]), type(track))


def test_prediction_before_fit_is_a_named_error(name, data, build):
    with pytest.raises(NotFittedError, match="fit"):
        build(name).predict_proba(data.test.features)


def test_explanations_before_fit_are_a_named_error(name, data, build):
    with pytest.raises((NotFittedError, NotExplainableError)):
        build(name).explain(data.test.features)


def test_saving_before_fit_is_a_named_error(name, tmp_path, build):
    with pytest.raises(NotFittedError, match="fit before save"):
        build(name).save(tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


def test_an_unfitted_track_crosses_a_process_boundary(name, build):
    track = build(name)
    assert pickle.loads(pickle.dumps(track)) == track  # noqa: S301 (our own bytes)
