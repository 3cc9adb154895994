"""CDNOW as the runner uses it: the purged split, the rungs, the scores and the facts, on the real orders."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.config import Rung
from toolkit.errors import ParameterError
from toolkit.registry import build
from toolkit.tasks._cdnow_orders import ALL_ARRIVED, FIRST_DAY, N_DAYS
from toolkit.tasks.base import Block, TrainingData
from toolkit.tasks.cdnow import Cdnow

EPOCH = dt.date(1970, 1, 1)


def keys(rows: Block | TrainingData) -> set[tuple[int, int]]:
    return set(zip(rows.clusters.tolist(), rows.time.tolist(), strict=True))


def as_set(features: pd.DataFrame) -> set[bytes]:
    return {row.tobytes() for row in features.to_numpy(np.float64)}


@given(horizon=st.sampled_from([30, 60, 90]), gap=st.integers(0, 60))
def test_label_windows_and_gaps_end_before_the_next_block(horizon: int, gap: int) -> None:
    split = Cdnow(horizon_days=horizon, gap_days=gap)._split
    assert max(split.train) + horizon + gap <= split.valid
    assert split.valid + horizon + gap <= split.test
    assert split.test + horizon <= N_DAYS
    assert min(split.train) >= ALL_ARRIVED
    assert list(split.train) == sorted(split.train, reverse=True)
    for day in (*split.train, split.valid, split.test):
        assert (FIRST_DAY + dt.timedelta(days=day)).weekday() == 0


def test_a_gap_that_leaves_no_training_cutoff_is_refused() -> None:
    with pytest.raises(ParameterError, match="no cut-off is left for training with gap_days 200") as told:
        build("tasks", "cdnow", {"gap_days": 200})
    assert told.value.path == ("gap_days",)
    assert "choose fewer" in str(told.value)


def test_blocks_lie_where_the_documentation_says() -> None:
    data = Cdnow().load(rung=Rung(share=1.0), seed=0)
    days = [sorted({str(EPOCH + dt.timedelta(days=int(day))) for day in np.unique(block.time)})
            for block in (data.train, data.valid, data.test)]  # fmt: skip
    assert days[0][0] == "1997-03-31"
    assert days[0][-1] == "1997-09-15"
    assert days[1:] == [["1997-12-22"], ["1998-03-30"]]
    assert len(data.train) == 7 * 23_570
    assert len(data.valid) == len(data.test) == 23_570
    assert len(data.train.unlabelled) == 0


def test_a_rung_takes_the_most_recent_cutoffs_of_the_same_customers() -> None:
    task = Cdnow()
    one, two = (task.load(rung=Rung(share=0.01, cutoffs=count), seed=0).train for count in (1, 2))
    assert keys(one) < keys(two)
    assert set(one.clusters.tolist()) == set(two.clusters.tolist())
    assert one.time.min() > two.time.min()
    assert task.n_train(Rung(share=0.01, cutoffs=2)) == len(two)


def test_unlabelled_rows_are_other_rows_of_the_training_period(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Cdnow()
    train = task.load(rung=Rung(share=0.02, cutoffs=1), seed=0).train
    period = as_set(task.load(rung=Rung(share=1.0), seed=0).train.features)
    assert len(train.unlabelled) == 4 * len(train)
    assert as_set(train.unlabelled) <= period
    again = task.load(rung=Rung(share=0.02, cutoffs=1), seed=0).train.unlabelled
    pd.testing.assert_frame_equal(again, train.unlabelled)
    monkeypatch.setattr("toolkit.tasks.base.MAX_UNLABELLED", 50)
    assert len(task.load(rung=Rung(share=0.02, cutoffs=1), seed=0).train.unlabelled) == 50


def test_strata_part_the_customers_by_whether_they_have_come_back() -> None:
    test = Cdnow().load(rung=None, seed=0).test
    again = test.strata["ordered_again"]
    np.testing.assert_array_equal(~again, test.strata["ordered_once"])
    np.testing.assert_array_equal(again, test.features["repeats"] > 0)
    assert test.labels[again].mean() > 3 * test.labels[~again].mean()


def test_a_longer_horizon_finds_more_buyers() -> None:
    rates = [Cdnow(horizon_days=days).load(rung=None, seed=0).test.labels.mean() for days in (30, 60, 90)]
    assert rates == sorted(rates)
    assert 0.1 < rates[2] < 0.2


def test_the_planners_error_is_the_share_by_which_the_count_is_off() -> None:
    task = Cdnow()
    test = task.load(rung=None, seed=0).test
    perfect = task.extra_scores(test, test.labels.astype(np.float64))
    half = task.extra_scores(test, test.labels / 2)
    assert perfect == {"error_buyer_count": 0}
    assert half == pytest.approx({"error_buyer_count": 0.5})
    nobody = Block(test.features, np.zeros_like(test.labels), test.clusters, test.time)
    assert task.extra_scores(nobody, test.labels.astype(np.float64)) == {}


def test_the_version_follows_the_parameters() -> None:
    versions = {Cdnow(horizon_days=days, gap_days=gap).data_version() for days in (30, 90) for gap in (0, 7)}
    assert len(versions) == 4


def test_facts_and_notices_say_what_is_not_known() -> None:
    facts = Cdnow().data_facts()
    assert facts["customers"] == 23_570
    rates = [value for name, value in facts.items() if name.startswith("base rate at the training")]
    assert len(rates) == 7
    assert any("uplift" in str(value) for value in facts.values())
    text = " ".join(Cdnow.notices)
    assert "License: MIT" in text
    assert "whether it may be used commercially is not known" in text
