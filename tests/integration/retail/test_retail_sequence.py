"""The raw signal: the right days, in the right places, and none from the cut-off on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

from toolkit.config import Rung
from toolkit.tasks._retail_calendar import LOOK_BACK_DAYS, day_of
from toolkit.tasks._retail_events import load_events
from toolkit.tasks._retail_features import FeatureBuilder
from toolkit.tasks._retail_sequence import PurchaseDays
from toolkit.tasks.base import Block, TrainingData
from toolkit.tasks.retail import Retail

CUTOFFS = (dt.date(2017, 7, 3), dt.date(2017, 10, 9), dt.date(2017, 11, 20))


class Shop(Protocol):
    data: Path


Install = Callable[..., Shop]
Tables = dict[str, pd.DataFrame]


def prepared(**params: object) -> Retail:
    task = Retail(**params)  # type: ignore[arg-type]
    task.prepare(lambda what, share: None)
    return task


def days_and_signal(data: Path, cutoff: dt.date) -> tuple[np.ndarray, np.ndarray]:
    """Return the id of the household and the category of every row, and its signal."""
    events = load_events(data)
    rows = FeatureBuilder(events, 7).build(cutoff)
    signal = PurchaseDays.of(events).signal(rows.household, rows.category, day_of(cutoff))
    return np.stack([events.household_ids[rows.household], rows.category]), signal


@pytest.mark.parametrize("cutoff", CUTOFFS)
def test_deleting_the_future_changes_no_signal(installed: Install, tables: Tables, cutoff: dt.date) -> None:
    names, complete = days_and_signal(installed().data, cutoff)
    transactions = tables["transactions"]
    midnight = pd.Timestamp(cutoff, tz="America/New_York").tz_convert("UTC").tz_localize(None)
    past = transactions[transactions["transaction_timestamp"] < midnight]
    assert len(past) < len(transactions)
    names_of_past, of_past = days_and_signal(installed(transactions=past).data, cutoff)
    np.testing.assert_array_equal(names, names_of_past)
    np.testing.assert_array_equal(complete, of_past)


@pytest.mark.parametrize("cutoff", CUTOFFS)
def test_the_last_position_is_the_day_before_the_cutoff(
    installed: Install, tables: Tables, cutoff: dt.date
) -> None:
    """A purchase planted on one day, and on no other, is found on its own place."""
    for age in (1, 2, LOOK_BACK_DAYS):
        noon = pd.Timestamp(cutoff - dt.timedelta(days=age)) + pd.Timedelta(hours=17)
        planted = (
            tables["transactions"]
            .iloc[[0, 0]]
            .assign(
                household_id=9999, product_id=100, quantity=1, sales_value=1.0, transaction_timestamp=noon
            )
        )
        everything = pd.concat([tables["transactions"], planted], ignore_index=True)
        (names, _), signal = days_and_signal(installed(transactions=everything).data, cutoff)
        (mine,) = signal[names == 9999]
        expected = np.zeros((2, LOOK_BACK_DAYS), np.uint8)
        expected[:, LOOK_BACK_DAYS - age] = 2, 1
        np.testing.assert_array_equal(mine, expected)


def test_the_signal_says_what_the_features_say(installed: Install) -> None:
    installed()
    data = prepared(sequence=True).load(rung=Rung(share=0.5, cutoffs=4), seed=0)
    parts: list[tuple[pd.DataFrame, np.ndarray | None]] = [
        (rows.features, rows.sequence) for rows in (data.train, data.valid, data.test)
    ]
    parts.append((data.train.unlabelled, data.train.unlabelled_sequence))
    for features, sequence in parts:
        assert sequence is not None
        assert (sequence.dtype, sequence.shape) == (np.uint8, (len(features), 2, LOOK_BACK_DAYS))
        bought, shopped = sequence[:, 0] > 0, sequence[:, 1]
        for days in (7, 28, 182):
            np.testing.assert_array_equal(bought[:, -days:].sum(1), features[f"n{days}"])
            np.testing.assert_array_equal(shopped[:, -days:].sum(1), features[f"trips{days}"])
        np.testing.assert_array_equal(bought[:, ::-1].argmax(1) + 1, features["recency"])
        assert shopped.max() == 1
        assert (shopped >= bought).all()
    assert max(sequence[:, 0].max() for _, sequence in parts if sequence is not None) > 1


def test_the_signal_comes_on_request_only_and_changes_nothing_else(installed: Install) -> None:
    installed()
    rung = Rung(share=0.5, cutoffs=3)
    plain, with_signal = prepared(), prepared(sequence=True)
    assert plain.schema().channels == ()
    assert len(with_signal.schema().channels) == 2
    assert plain.data_version() != with_signal.data_version()
    one, other = plain.load(rung=rung, seed=0), with_signal.load(rung=rung, seed=0)
    pairs: list[tuple[Block | TrainingData, Block | TrainingData]] = [
        (one.train, other.train), (one.valid, other.valid), (one.test, other.test),
    ]  # fmt: skip
    for rows, expected in pairs:
        assert rows.sequence is None
        assert expected.sequence is not None
        pd.testing.assert_frame_equal(rows.features, expected.features)
        np.testing.assert_array_equal(rows.labels, expected.labels)
    assert one.train.unlabelled_sequence is None
    empty = with_signal.load(rung=None, seed=0).train
    assert empty.sequence is not None
    assert empty.sequence.shape == (0, 2, LOOK_BACK_DAYS)


def test_a_damaged_file_of_days_is_built_again(installed: Install, tmp_path: Path) -> None:
    installed()
    before = prepared(sequence=True).load(rung=None, seed=0).valid.sequence
    (days,) = (tmp_path / "cache").rglob("days.npz")
    days.write_bytes(days.read_bytes()[:-10] + b"\0" * 10)
    after = prepared(sequence=True).load(rung=None, seed=0).valid.sequence
    assert before is not None
    np.testing.assert_array_equal(before, after)


def test_splitting_keeps_rows_and_signals_together(installed: Install) -> None:
    installed()
    train = prepared(sequence=True).load(rung=Rung(share=1.0, cutoffs=2), seed=0).train
    fitting, held_out = train.inner_split(3)
    for part in (fitting, held_out, train.take(np.arange(len(train))[::-7])):
        assert part.sequence is not None
        np.testing.assert_array_equal((part.sequence[:, 0] > 0).sum(1), part.features["n182"])
        assert part.unlabelled_sequence is train.unlabelled_sequence
