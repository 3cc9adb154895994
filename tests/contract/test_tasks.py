"""What every task promises, for each file in ``toolkit/tasks``."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from toolkit import registry
from toolkit.config import Rung
from toolkit.tasks.base import Block, Task, TaskData

PARAMS: dict[str, dict[str, object]] = {"synthetic": {"n_clusters": 300, "rows_per_cluster": 8}}
"""Parameters that keep a task small; others run with their defaults."""

MARKS = {"retail": pytest.mark.retail}

LADDER = (Rung(share=0.02, cutoffs=1), Rung(share=0.05, cutoffs=1), Rung(share=0.08, cutoffs=2))


def tasks() -> list[object]:
    return [pytest.param(name, marks=MARKS.get(name, ())) for name in registry.names("tasks")]


@pytest.fixture(scope="module", params=tasks())
def task(request) -> Task:
    built = registry.build("tasks", request.param, PARAMS.get(request.param, {}))
    built.prepare(lambda what, share: None)
    return built


@pytest.fixture(scope="module")
def loaded(task) -> list[TaskData]:
    return [task.load(rung=rung, seed=0) for rung in LADDER]


def assert_equal(first: Block, second: Block) -> None:
    pd.testing.assert_frame_equal(first.features, second.features)
    for name in ("labels", "clusters", "time"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert first.strata.keys() == second.strata.keys()
    for name in first.strata:
        assert np.array_equal(first.strata[name], second.strata[name]), name


def rows(frame: pd.DataFrame) -> pd.Series:
    """Return one hash a row."""
    return pd.util.hash_pandas_object(frame, index=False)


def test_it_says_what_it_is(task):
    assert task.title
    assert task.cluster
    assert all(task.notices)
    assert task.primary_error.startswith("error_")


def test_features_are_as_the_schema_says(task, loaded):
    schema = task.schema()
    assert len(set(schema.names)) == len(schema.names)
    data = loaded[-1]
    assert data.train.schema == schema
    for frame in (data.train.features, data.train.unlabelled, data.valid.features, data.test.features):
        assert tuple(frame.columns) == schema.names
        for name in schema.numbers:
            assert frame[name].dtype == np.float32, name
            assert not np.isinf(frame[name].to_numpy()).any(), name
        for column in schema.categories:
            codes = frame[column.name]
            assert codes.dtype == np.int32, column.name
            assert codes.between(-1, len(column.levels) - 1).all(), column.name
            assert len(set(column.levels)) == len(column.levels), column.name


def test_rows_are_numbered_anew_and_of_one_length(loaded):
    for data in loaded:
        for block in (data.train, data.valid, data.test):
            n_rows = len(block)
            assert n_rows > 0
            assert block.features.index.equals(pd.RangeIndex(n_rows))
            for name, kind in (("labels", np.int8), ("clusters", np.int32), ("time", np.int32)):
                assert getattr(block, name).shape == (n_rows,), name
                assert getattr(block, name).dtype == kind, name
            assert set(np.unique(block.labels)) <= {0, 1}
        for block in (data.valid, data.test):
            assert len(np.unique(block.labels)) == 2
            assert all(stratum.shape == (len(block),) for stratum in block.strata.values())
            assert all(stratum.dtype == np.bool_ for stratum in block.strata.values())


def test_there_is_a_raw_signal_for_all_rows_or_for_none(loaded):
    for data in loaded:
        train = data.train
        channels = train.schema.channels
        parts = [(len(block), block.sequence) for block in (train, data.valid, data.test)]
        for n_rows, sequence in [*parts, (len(train.unlabelled), train.unlabelled_sequence)]:
            assert (sequence is None) == (not channels)
            if sequence is not None:
                assert sequence.dtype == np.uint8
                assert sequence.shape[:2] == (n_rows, len(channels))


def test_evaluation_rows_are_the_same_at_every_rung_and_seed(task, loaded):
    for other in (*loaded[1:], task.load(rung=LADDER[0], seed=1), task.load(rung=None, seed=0)):
        assert_equal(other.test, loaded[0].test)
        assert_equal(other.valid, loaded[0].valid)


def test_loading_twice_gives_the_same_rows(task, loaded):
    again = task.load(rung=LADDER[0], seed=0)
    assert_equal(Block(*_labelled(again)), Block(*_labelled(loaded[0])))
    pd.testing.assert_frame_equal(again.train.unlabelled, loaded[0].train.unlabelled)


def _labelled(data: TaskData) -> tuple[object, ...]:
    train = data.train
    return train.features, train.labels, train.clusters, train.time


def test_subsets_are_nested_within_a_seed_and_differ_between_seeds(task, loaded):
    keys = []
    for data in loaded:
        train = data.train
        frame = pd.DataFrame({"cluster": train.clusters, "time": train.time, "row": rows(train.features)})
        keys.append(set(frame.itertuples(index=False, name=None)))
    for smaller, larger in itertools.pairwise(keys):
        assert smaller < larger
    other = task.load(rung=LADDER[1], seed=1).train
    assert set(other.clusters.tolist()) != set(loaded[1].train.clusters.tolist())


def test_the_number_of_rows_is_foretold(task, loaded):
    for rung, data in zip(LADDER, loaded, strict=True):
        assert task.n_train(rung) == pytest.approx(len(data.train), rel=0.5)
    largest = task.load(rung=Rung(share=1.0, cutoffs=2), seed=0)
    assert task.n_train(Rung(share=1.0, cutoffs=2)) == pytest.approx(len(largest.train), rel=0.05)


def test_no_rung_gives_no_training_rows(task):
    train = task.load(rung=None, seed=0).train
    assert len(train) == len(train.unlabelled) == len(train.features) == 0
    assert tuple(train.features.columns) == tuple(train.unlabelled.columns) == task.schema().names


def test_unlabelled_rows_are_few_enough_and_no_labelled_or_evaluation_rows(loaded):
    for data in loaded:
        unlabelled = rows(data.train.unlabelled)
        assert 0 < len(unlabelled) <= min(4 * len(data.train), 200_000)
        taken = pd.concat([rows(data.train.features), rows(data.valid.features), rows(data.test.features)])
        # Rows of few purchases can look the same by chance; a leak would make most of them the same.
        assert unlabelled.isin(taken).mean() < 0.2


def test_no_row_or_label_stands_in_two_blocks(task, loaded):
    data = loaded[-1]
    if not data.test.time.any():  # a task without time is split by cluster
        parts = [set(block.clusters.tolist()) for block in (data.train, data.valid, data.test)]
        for first, second in itertools.combinations(parts, 2):
            assert first.isdisjoint(second)
    else:
        horizon_days = task.horizon_days
        assert data.train.time.max() + horizon_days + getattr(task, "gap_days", 0) <= data.valid.time.min()
        assert data.valid.time.max() + horizon_days <= data.test.time.min()


def test_the_version_is_stable_and_follows_the_parameters(task):
    assert task.data_version() == task.data_version()
    assert task.data_version()


def test_further_scores_are_named_and_finite(task, loaded):
    test = loaded[0].test
    extra = task.extra_scores(test, np.full(len(test), 0.3))
    for name, value in extra.items():
        assert name.startswith(("score_", "error_")), name
        assert np.isfinite(value), name


def test_facts_are_plain_values(task):
    for name, value in task.data_facts().items():
        assert name
        assert isinstance(value, str | float | int), name


def test_inner_splits_keep_clusters_together(loaded):
    train = loaded[-1].train
    fit, valid = train.inner_split(seed=3)
    assert set(fit.clusters.tolist()).isdisjoint(valid.clusters.tolist())
    assert len(fit) + len(valid) == len(train)
    share = len(np.unique(valid.clusters)) / len(np.unique(train.clusters))
    assert share == pytest.approx(0.2, abs=0.1)
    again, _ = train.inner_split(seed=3)
    assert np.array_equal(again.labels, fit.labels)
