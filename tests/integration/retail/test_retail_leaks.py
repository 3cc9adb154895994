"""Nothing of a row may depend on what happens at or after its cut-off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

from toolkit.tasks._retail_columns import NUMBERS, PROMOTION_NUMBERS
from toolkit.tasks._retail_events import Events, load_events, package_folder
from toolkit.tasks._retail_features import CutoffRows, FeatureBuilder

Tables = dict[str, pd.DataFrame]
CUTOFFS = (dt.date(2017, 7, 3), dt.date(2017, 10, 9), dt.date(2017, 11, 20))
TARGET_WEEK = {dt.date(2017, 7, 3): 28, dt.date(2017, 10, 9): 42, dt.date(2017, 11, 20): 48}


class Shop(Protocol):
    data: Path


Install = Callable[..., Shop]


def is_future(transactions: pd.DataFrame, cutoff: dt.date) -> pd.Series:
    midnight = pd.Timestamp(cutoff, tz="America/New_York").tz_convert("UTC").tz_localize(None)
    return transactions["transaction_timestamp"] >= midnight


def built(data: Path, cutoff: dt.date) -> tuple[Events, CutoffRows]:
    events = load_events(data)
    return events, FeatureBuilder(events, 7).build(cutoff)


def assert_same_features(one: tuple[Events, CutoffRows], other: tuple[Events, CutoffRows]) -> None:
    """Households are told by id: their numbers shift when others leave the data."""
    (events, rows), (others, expected) = one, other
    np.testing.assert_array_equal(
        events.household_ids[rows.household], others.household_ids[expected.household]
    )
    np.testing.assert_array_equal(rows.category, expected.category)
    np.testing.assert_array_equal(rows.numbers, expected.numbers)


@pytest.mark.parametrize("cutoff", CUTOFFS)
def test_deleting_the_future_changes_no_feature(installed: Install, tables: Tables, cutoff: dt.date) -> None:
    complete = built(installed().data, cutoff)
    future = is_future(tables["transactions"], cutoff)
    past = built(installed(transactions=tables["transactions"][~future]).data, cutoff)
    assert complete[1].labels.any()
    assert not past[1].labels.any()
    assert_same_features(complete, past)


@pytest.mark.parametrize("cutoff", CUTOFFS)
def test_a_marker_planted_in_the_future_changes_no_feature(
    installed: Install, tables: Tables, cutoff: dt.date
) -> None:
    complete = built(installed().data, cutoff)
    marked = tables["transactions"].copy()
    future = is_future(marked, cutoff)
    marked.loc[future, "sales_value"] = 1e6
    marked.loc[future, "quantity"] = 77_777
    marked.loc[future, "coupon_disc"] = 1e5
    marked.loc[future, "store_id"] = 333
    marked.loc[future, "product_id"] = 110
    newcomers = marked[future].assign(household_id=5000 + np.arange(future.sum()) % 50)
    promotions = tables["promotions"].copy()
    later = promotions["week"] > TARGET_WEEK[cutoff]
    promotions.loc[later, ["display_location", "mailer_location"]] = ["1", "D"]
    campaigns = tables["campaign_descriptions"].copy()
    campaigns.loc[campaigns["start_date"] > pd.Timestamp(cutoff), "campaign_type"] = "Type B"
    planted = built(
        installed(
            transactions=pd.concat([marked, newcomers], ignore_index=True),
            promotions=promotions,
            campaign_descriptions=campaigns,
        ).data,
        cutoff,
    )
    assert_same_features(complete, planted)


def test_the_plan_of_the_target_week_reaches_the_promotion_columns_only(
    installed: Install, tables: Tables
) -> None:
    cutoff = dt.date(2017, 10, 9)
    _, before = built(installed().data, cutoff)
    promotions = tables["promotions"].copy()
    promotions.loc[promotions["week"] == TARGET_WEEK[cutoff], ["display_location", "mailer_location"]] = [
        "1",
        "D",
    ]
    _, after = built(installed(promotions=promotions).data, cutoff)
    changed = {
        name
        for name, one, other in zip(NUMBERS, before.numbers, after.numbers, strict=True)
        if not np.array_equal(one, other, equal_nan=True)
    }
    assert changed == set(PROMOTION_NUMBERS)


@pytest.mark.retail
@pytest.mark.slow
def test_deleting_the_future_changes_no_feature_of_the_real_data(tmp_path: Path) -> None:
    cutoff = dt.date(2017, 11, 20)
    real = package_folder()
    for file in real.glob("*.parquet"):
        (tmp_path / file.name).symlink_to(file)
    transactions = pd.read_parquet(real / "transactions.parquet")
    (tmp_path / "transactions.parquet").unlink()
    transactions[~is_future(transactions, cutoff)].to_parquet(tmp_path / "transactions.parquet")
    assert_same_features(built(real, cutoff), built(tmp_path, cutoff))
