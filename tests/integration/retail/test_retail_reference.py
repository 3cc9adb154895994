"""The fast features against a plain pandas version, written from the list of columns alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

from toolkit.tasks._retail_columns import NUMBERS
from toolkit.tasks._retail_events import NOT_MERCHANDISE, load_events, package_folder
from toolkit.tasks._retail_features import FeatureBuilder


class Shop(Protocol):
    data: Path


PAIR = ["household_id", "product_category"]


def merchandise(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    products = tables["products"]
    category = products["product_category"]
    kept = (
        ~products["department"].isin(NOT_MERCHANDISE)
        & category.notna()
        & (category != "NaN")
        & ~category.fillna("").str.contains("COUPON")
    )
    return products.loc[kept, ["product_id", "product_category"]]


def receipt_lines(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    lines = tables["transactions"].merge(merchandise(tables), on="product_id")
    lines = lines[(lines["quantity"] != 0) | (lines["sales_value"] != 0)].copy()
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    lines["date"] = local.dt.tz_localize(None).dt.normalize().astype("datetime64[us]")
    return lines


def pair_columns(window: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    daily = window.groupby([*PAIR, "date"], as_index=False)[
        ["sales_value", "quantity", "retail_disc", "coupon_disc", "coupon_match_disc"]
    ].sum()
    daily["age"] = (cutoff - daily["date"]).dt.days
    daily["gap"] = daily.groupby(PAIR)["date"].diff().dt.days
    groups = daily.groupby(PAIR)
    rows = pd.DataFrame({"recency": groups["age"].min(), "tenure": groups["age"].max()})
    for days in (7, 14, 28, 56, 91, 182):
        counts = daily[daily["age"] <= days].groupby(PAIR).size()
        rows[f"n{days}"] = counts.reindex(rows.index).fillna(0)
    rows["gap_mean"], rows["gap_sd"] = groups["gap"].mean(), groups["gap"].std(ddof=1)
    rows["gap_last"] = groups["gap"].last()
    rows["gap_cv"] = rows["gap_sd"] / rows["gap_mean"]
    rows["due"] = rows["recency"] / rows["gap_mean"]
    for half_life in (28, 91):
        daily["weight"] = 0.5 ** (daily["age"] / half_life)
        rows[f"ewma{half_life}"] = daily.groupby(PAIR)["weight"].sum()
    rows["spend_per_day"] = groups["sales_value"].mean()
    rows["quantity_per_day"] = groups["quantity"].mean()
    store_discount = groups["retail_disc"].sum() + groups["coupon_match_disc"].sum()
    regular = groups["sales_value"].sum() + store_discount
    share = (store_discount + groups["coupon_disc"].sum()) / regular.where(regular > 1e-9)
    rows["discount_share"] = share.clip(upper=1)
    return rows


def household_columns(window: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    trips = window[["household_id", "date"]].drop_duplicates()
    age = (cutoff - trips["date"]).dt.days
    rows = pd.DataFrame({"trip_recency": age.groupby(trips["household_id"]).min()})
    for days in (7, 28, 182):
        rows[f"trips{days}"] = (age <= days).groupby(trips["household_id"]).sum()
    recent = window[(cutoff - window["date"]).dt.days <= 28].groupby("household_id")
    rows["household_spend28"] = recent["sales_value"].sum().reindex(rows.index).fillna(0)
    rows["household_lines28"] = recent.size().reindex(rows.index).fillna(0)
    visits = window[["household_id", "store_id", "date"]].drop_duplicates()
    visits = visits.groupby(["household_id", "store_id"]).size().rename("days").reset_index()
    visits = visits.sort_values(["household_id", "days", "store_id"], ascending=[True, False, True])
    rows["store_id"] = visits.groupby("household_id")["store_id"].first()
    return rows


def category_columns(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby("product_category")
    gaps = (rows["n182"] - 1).groupby(rows["product_category"]).sum()
    days = (rows["tenure"] - rows["recency"]).groupby(rows["product_category"]).sum()
    return pd.DataFrame(
        {
            "category_buyers": groups.size(),
            "category_purchases_per_buyer": groups["n182"].mean(),
            "category_volume7": groups["n7"].sum(),
            "category_volume28": groups["n28"].sum(),
            "category_trend": (groups["n28"].sum() / 28) / (groups["n182"].sum() / 182),
            "category_cycle": days / gaps.where(gaps > 0),
        }
    )


def promotion_columns(
    tables: dict[str, pd.DataFrame], rows: pd.DataFrame, cutoff: pd.Timestamp, n_weeks: int
) -> pd.DataFrame:
    target = (cutoff - pd.Timestamp("2017-01-02")).days // 7 + 2
    promoted = tables["promotions"]
    promoted = promoted[promoted["week"].between(target - 13, target + n_weeks - 1)]
    counts = pd.DataFrame(
        {
            "mailer": promoted["mailer_location"] != "0",
            "mailer_front": promoted["mailer_location"].isin(["D", "H"]),
            "display": promoted["display_location"] != "0",
        }
    )
    keys = ["store_id", "week", "product_id"]
    once = counts.groupby([promoted[key] for key in keys]).any().reset_index()
    once = once.merge(merchandise(tables), on="product_id")
    kinds = list(counts)
    weekly = once.groupby(["store_id", "product_category", "week"])[kinds].sum()
    planned = weekly.index.get_level_values("week") >= target
    now = weekly[planned].groupby(["store_id", "product_category"]).sum() / n_weeks
    usual = weekly[~planned].groupby(["store_id", "product_category"]).sum() / 13
    index = pd.MultiIndex.from_frame(rows[["store_id", "product_category"]])
    now, usual = now.reindex(index).fillna(0), usual.reindex(index).fillna(0)
    columns = pd.concat([now, (now - usual).add_suffix("_vs_usual")], axis=1).set_axis(rows.index)
    columns[~rows["store_id"].isin(promoted["store_id"])] = np.nan
    return columns


def campaign_columns(
    tables: dict[str, pd.DataFrame], rows: pd.DataFrame, cutoff: pd.Timestamp
) -> pd.DataFrame:
    campaigns = tables["campaign_descriptions"]
    live = campaigns[(campaigns["start_date"] <= cutoff) & (campaigns["end_date"] >= cutoff)]
    coupons = tables["coupons"].merge(merchandise(tables), on="product_id")
    coupons = coupons[["campaign_id", "product_category"]].drop_duplicates()
    offers = live.merge(tables["campaigns"], on="campaign_id").merge(coupons, on="campaign_id")
    index = pd.MultiIndex.from_frame(rows[PAIR])
    columns = {}
    for kind in "BC":
        held = offers.loc[offers["campaign_type"] == f"Type {kind}", PAIR]
        columns[f"campaign_{kind.lower()}"] = index.isin(pd.MultiIndex.from_frame(held)).astype(float)
    return pd.DataFrame(columns, index=rows.index)


def reference(tables: dict[str, pd.DataFrame], date: dt.date, horizon_days: int) -> pd.DataFrame:
    """All columns and the label of one cut-off, one row a pair."""
    cutoff = pd.Timestamp(date)
    lines = receipt_lines(tables)
    age = (cutoff - lines["date"]).dt.days
    window, after = lines[age.between(1, 182)], lines[age.between(1 - horizon_days, 0)]
    rows = pair_columns(window, cutoff).reset_index()
    rows = rows.merge(household_columns(window, cutoff), left_on="household_id", right_index=True)
    rows = rows.merge(category_columns(rows), left_on="product_category", right_index=True)
    promoted = promotion_columns(tables, rows, cutoff, horizon_days // 7)
    rows = pd.concat([rows, promoted, campaign_columns(tables, rows, cutoff)], axis=1)
    rows["rate_per_trip"] = rows["n182"] / rows["trips182"]
    trips = (rows["trips28"] / 4 + rows["trips182"] / 26) / 2 * horizon_days / 7
    rows["habit_probability"] = 1 - np.exp(-rows["rate_per_trip"] * trips)
    rows["has_demographics"] = rows["household_id"].isin(tables["demographics"]["household_id"])
    rows["week_of_month"], rows["month"] = (date.day + 6) // 7, date.month
    holidays = pd.to_datetime(["2017-07-04", "2017-09-04", "2017-11-23", "2017-12-24", "2017-12-25"])
    rows["holiday_week"] = (
        (holidays >= cutoff) & (holidays < cutoff + pd.Timedelta(days=horizon_days))
    ).any()
    bought = pd.MultiIndex.from_frame(after[PAIR].drop_duplicates())
    rows["label"] = pd.MultiIndex.from_frame(rows[PAIR]).isin(bought)
    rows["n_bought"] = len(bought)
    return rows


def assert_same(data: Path, tables: dict[str, pd.DataFrame], cutoff: dt.date, horizon_days: int) -> None:
    events = load_events(data)
    built = FeatureBuilder(events, horizon_days).build(cutoff)
    names = np.array(events.categories)
    index = pd.MultiIndex.from_arrays([events.household_ids[built.household], names[built.category]])
    expected = reference(tables, cutoff, horizon_days)
    assert len(index) == len(expected)
    expected = expected.set_index(PAIR).loc[index]
    for row, name in enumerate(NUMBERS):
        wanted = expected[name].to_numpy(np.float64)
        np.testing.assert_allclose(built.numbers[row], wanted, rtol=1e-5, atol=2e-5, err_msg=name)
    np.testing.assert_array_equal(built.labels, expected["label"])
    assert built.bought == expected["n_bought"].iloc[0]


@pytest.mark.parametrize(
    ("cutoff", "horizon_days"),
    [
        (dt.date(2017, 7, 3), 7),
        (dt.date(2017, 10, 9), 28),
        (dt.date(2017, 11, 6), 14),
        (dt.date(2017, 11, 20), 7),
        (dt.date(2017, 12, 18), 14),
    ],
)
def test_every_column_equals_the_plain_version(
    installed: Callable[[], Shop], tables: dict[str, pd.DataFrame], cutoff: dt.date, horizon_days: int
) -> None:
    assert_same(installed().data, tables, cutoff, horizon_days)


@pytest.mark.retail
@pytest.mark.slow
@pytest.mark.parametrize("cutoff", [dt.date(2017, 7, 3), dt.date(2017, 12, 4)])
def test_every_column_equals_the_plain_version_on_the_real_data(cutoff: dt.date) -> None:
    folder = package_folder()
    names = [path.stem for path in folder.glob("*.parquet")]
    assert_same(folder, {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}, cutoff, 7)
