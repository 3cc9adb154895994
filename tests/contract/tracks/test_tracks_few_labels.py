"""Every track with few labels, one class, one cluster or nothing at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit.errors import OneClassError, TooFewLabelsError, TrackError
from toolkit.scores import check_probabilities


def test_too_few_labels_are_a_named_error(name, data, build, small):
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


def test_the_fewest_labels_are_enough(name, data, build):
    track = build(name)
    rows = np.concatenate([np.flatnonzero(data.train.labels == label)[:40] for label in (0, 1)])
    train = data.train.take(np.sort(rows)[: max(track.min_labels, 4)])
    if len(np.unique(train.labels)) < 2:
        pytest.fail("the fixture has one class")
    track.fit(train, seed=0)
    check_probabilities(track.predict_proba(data.test.features), len(data.test))


def test_the_fewest_labels_are_enough_where_every_row_is_a_cluster_of_its_own(name, data, build):
    """What is held out to compare parameters leaves fewer than the track asks for."""
    track = build(name)
    rows = np.concatenate([np.flatnonzero(data.train.labels == label)[:40] for label in (0, 1)])
    train = data.train.take(rows[:: max(1, 80 // max(track.min_labels, 4))][: max(track.min_labels, 4)])
    assert len(np.unique(train.labels)) == 2
    track.fit(replace(train, clusters=np.arange(len(train), dtype=np.int32)), seed=0)
    check_probabilities(track.predict_proba(data.test.features), len(data.test))


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_is_a_named_error_or_an_answer(name, data, build, small, label):
    track = build(name)
    train = small(data.train.take(data.train.labels == label))
    if track.min_labels > 0:
        with pytest.raises(OneClassError, match=f"every label is {label}"):
            track.fit(train, seed=0)
    else:
        track.fit(train, seed=0)
        check_probabilities(track.predict_proba(data.test.features), len(data.test))


def test_no_rows_at_all_are_an_answer_or_a_named_error(name, data, build):
    none = replace(data.train.take(np.arange(0)), unlabelled=data.train.unlabelled.iloc[:0])
    track = build(name)
    try:
        track.fit(none, seed=0)
    except TrackError:
        return
    check_probabilities(track.predict_proba(data.test.features), len(data.test))


def test_a_step_without_labels_needs_none(name, data, build):
    none = replace(data.train.take(np.arange(0)), unlabelled=data.train.unlabelled.iloc[:0])
    track = build(name)
    for step in track.steps(3):
        if step.data_rung is None:
            one = track.at(step).fit(none, seed=0)
            check_probabilities(one.predict_proba(data.test.features), len(data.test))


def test_labels_of_one_cluster_are_enough_to_fit(name, data, build):
    train = data.train.take(np.arange(200))
    one = replace(train, clusters=np.zeros(200, np.int32))
    check_probabilities(build(name).fit(one, seed=0).predict_proba(data.test.features), len(data.test))
