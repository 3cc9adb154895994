"""One test for every oddity of the data that would mislead in silence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

from toolkit.tasks._retail_calendar import day_of
from toolkit.tasks._retail_columns import NUMBERS
from toolkit.tasks._retail_events import NOT_MERCHANDISE, Events, load_events, package_folder
from toolkit.tasks._retail_features import CutoffRows, FeatureBuilder

Tables = dict[str, pd.DataFrame]
CUTOFF = dt.date(2017, 10, 9)
NEWCOMER = 9001
MILK = 140


class Shop(Protocol):
    data: Path


Install = Callable[..., Shop]


def line(time_utc: str, product: int = MILK, **changed: float) -> dict[str, object]:
    """A receipt line of a household that bought nothing else."""
    values: dict[str, object] = {
        "household_id": NEWCOMER, "store_id": 300, "product_id": product, "quantity": 1, "sales_value": 2.5,
        "retail_disc": 0.0, "coupon_disc": 0.0, "coupon_match_disc": 0.0,
        "transaction_timestamp": pd.Timestamp(time_utc),
    }  # fmt: skip
    return values | changed


def with_lines(tables: Tables, *lines: dict[str, object]) -> pd.DataFrame:
    return pd.concat([tables["transactions"], pd.DataFrame(lines)], ignore_index=True)


def days_of_newcomer(events: Events) -> list[int]:
    number = np.flatnonzero(events.household_ids == NEWCOMER)
    return events.purchases["day"][np.isin(events.purchases["household"], number)].tolist()


def same(one: CutoffRows, other: CutoffRows) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype == np.float32) for a, b in zip(one[:4], other[:4], strict=True)
    )


@pytest.mark.parametrize(
    ("time_utc", "local"),
    [
        ("2017-10-09 03:30", dt.date(2017, 10, 8)),  # summer time, four hours
        ("2017-10-09 04:30", dt.date(2017, 10, 9)),
        ("2017-11-20 04:30", dt.date(2017, 11, 19)),  # winter time, five hours
        ("2017-11-20 05:30", dt.date(2017, 11, 20)),
        ("2018-01-01 04:30", dt.date(2017, 12, 31)),
    ],
)
def test_the_day_is_the_one_in_new_york(
    installed: Install, tables: Tables, time_utc: str, local: dt.date
) -> None:
    shop = installed(transactions=with_lines(tables, line(time_utc)))
    assert days_of_newcomer(load_events(shop.data)) == [day_of(local)]


def test_an_evening_purchase_counts_before_the_cutoff_and_not_as_label(
    installed: Install, tables: Tables
) -> None:
    shop = installed(transactions=with_lines(tables, line("2017-10-09 03:30")))
    events = load_events(shop.data)
    rows = FeatureBuilder(events, 7).build(CUTOFF)
    mine = events.household_ids[rows.household] == NEWCOMER
    assert rows.numbers[NUMBERS.index("n7"), mine] == [1]
    assert rows.numbers[NUMBERS.index("recency"), mine] == [1]
    assert rows.labels[mine] == [0]


@pytest.mark.parametrize("department", NOT_MERCHANDISE)
def test_departments_that_are_not_merchandise_are_dropped(
    installed: Install, tables: Tables, department: str
) -> None:
    odd = pd.DataFrame(
        {"product_id": [990], "department": [department], "product_category": ["SOMETHING ELSE"]}
    )
    # Fuel: the quantity is in thousandths of a gallon.
    bought = line("2017-10-05 15:00", 990, quantity=18_000, sales_value=40.0)
    shop = installed(
        products=pd.concat([tables["products"], odd], ignore_index=True),
        transactions=with_lines(tables, bought, line("2017-10-06 15:00")),
    )
    events = load_events(shop.data)
    assert "SOMETHING ELSE" not in events.categories
    rows = FeatureBuilder(events, 7).build(CUTOFF)
    mine = events.household_ids[rows.household] == NEWCOMER
    assert rows.numbers[NUMBERS.index("household_spend28"), mine] == [2.5]
    assert rows.numbers[NUMBERS.index("trips28"), mine] == [1]


@pytest.mark.parametrize("category", ["COUPON/MISC ITEMS", "COUPON", "NaN", "", None])
def test_coupons_and_products_without_a_category_are_dropped(
    installed: Install, tables: Tables, category: str | None
) -> None:
    odd = pd.DataFrame({"product_id": [990], "department": ["GROCERY"], "product_category": [category]})
    shop = installed(
        products=pd.concat([tables["products"], odd], ignore_index=True),
        transactions=with_lines(tables, line("2017-10-05 15:00", 990)),
    )
    events = load_events(shop.data)
    assert NEWCOMER not in events.household_ids
    assert category not in events.categories


def test_unknown_products_are_dropped(installed: Install, tables: Tables) -> None:
    shop = installed(transactions=with_lines(tables, line("2017-10-05 15:00", 123456)))
    assert NEWCOMER not in load_events(shop.data).household_ids


@pytest.mark.parametrize(
    ("quantity", "money", "is_purchase"), [(0, 0.0, False), (1, 0.0, True), (0, 3.0, True)]
)
def test_only_a_line_without_quantity_and_money_is_no_purchase(
    installed: Install, tables: Tables, quantity: int, money: float, is_purchase: bool
) -> None:
    odd = line("2017-10-05 15:00", quantity=quantity, sales_value=money)
    shop = installed(transactions=with_lines(tables, odd))
    events = load_events(shop.data)
    assert (NEWCOMER in events.household_ids) == is_purchase
    rows = FeatureBuilder(events, 7).build(CUTOFF)
    mine = events.household_ids[rows.household] == NEWCOMER
    if money == 0:
        assert np.isnan(rows.numbers[NUMBERS.index("discount_share"), mine]).all()


def test_a_product_listed_twice_in_a_week_counts_once(installed: Install, tables: Tables) -> None:
    listed = pd.DataFrame(
        {
            "product_id": [MILK, MILK, MILK, MILK + 1],
            "store_id": 300,
            "week": 42,
            "display_location": ["0", "5", "0", "NaN"],
            "mailer_location": ["A", "0", "D", None],
        }
    )
    rest = tables["promotions"]
    rest = rest[(rest["store_id"] != 300) | (rest["week"] != 42)]
    shop = installed(promotions=pd.concat([rest, listed], ignore_index=True))
    events = load_events(shop.data)
    store = np.flatnonzero(events.promotions.stores == 300)[0]
    milk = events.categories.index("FLUID MILK PRODUCTS")
    assert events.promotions.counts[store, 42, milk].tolist() == [1, 1, 1]
    assert events.promotions.counts[store, 42].sum() == 3


def test_a_household_with_demographics_is_flagged(installed: Install, tables: Tables) -> None:
    events = load_events(installed().data)
    rows = FeatureBuilder(events, 7).build(CUTOFF)
    flags = rows.numbers[NUMBERS.index("has_demographics")]
    described = np.isin(events.household_ids[rows.household], tables["demographics"]["household_id"])
    assert 0 < described.mean() < 1
    np.testing.assert_array_equal(flags, described)


def test_purchases_before_the_look_back_change_nothing(installed: Install, tables: Tables) -> None:
    before = FeatureBuilder(load_events(installed().data), 7).build(CUTOFF)
    age = (pd.Timestamp(CUTOFF) - tables["transactions"]["transaction_timestamp"]).dt.days
    recent = tables["transactions"][age < 182]
    assert len(recent) < len(tables["transactions"])
    after = FeatureBuilder(load_events(installed(transactions=recent).data), 7).build(CUTOFF)
    assert same(before, after)


@pytest.mark.retail
@pytest.mark.slow
def test_what_is_known_of_the_real_data_still_holds() -> None:
    events = load_events(package_folder())
    pairs = events.purchases["household"] * len(events.categories) + events.purchases["category"]
    days = events.purchases["day"]
    assert len(events.household_ids) == 2467
    assert len(np.unique(events.purchases["category"])) == 294
    assert len(np.unique(pairs)) == 222_077
    assert events.has_demographics.sum() == 801
    assert not (days == day_of(dt.date(2017, 12, 25))).any(), "the stores are closed on 25 December"
    assert len(np.unique(days)) == 364
    # Fuel comes in thousandths of a gallon; no basket holds that many things of a category.
    assert events.purchases["quantity"].max() < 1000
