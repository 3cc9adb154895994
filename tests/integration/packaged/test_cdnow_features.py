"""Every oddity of CDNOW's order list, the features against plain pandas, and no look into the future."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DataError
from toolkit.tasks._cdnow_features import SCHEMA, CutoffRows, FeatureBuilder
from toolkit.tasks._cdnow_orders import FILE, N_DAYS, REQUIREMENT, Orders, orders_file, read_orders

HEADER = " customer_id  date number_of_cds  dollar_value"
FIRST = pd.Timestamp("1997-01-01")
CUTOFFS = (89, 201, 257, 453)
Order = tuple[int, int, int, float]
Write = Callable[[list[Order]], Path]


def as_text(orders: list[Order]) -> str:
    lines = [
        f" {customer:05d} {FIRST + pd.Timedelta(days=day):%Y%m%d} {cds:2d} {usd:7.2f}"
        for customer, day, cds, usd in orders
    ]
    return "\r\n".join([HEADER, *lines]) + "\r\n"


@pytest.fixture
def write(install: Callable[[str, dict[str, str]], Path]) -> Write:
    def put(orders: list[Order]) -> Path:
        return install(REQUIREMENT, {FILE: as_text(orders)}) / FILE

    return put


def built(path: Path, day: int, horizon_days: int = 90) -> CutoffRows:
    return FeatureBuilder(read_orders(path), horizon_days).build(day)


def random_orders(seed: int = 0, n_customers: int = 80) -> list[Order]:
    generator = np.random.default_rng(seed)
    orders: list[Order] = []
    for customer in range(1, n_customers + 1):
        first = int(generator.integers(0, 84))
        later = first + np.cumsum(generator.integers(0, 90, generator.integers(0, 20)))
        for day in (first, *(int(day) for day in later if day < N_DAYS)):
            usd = 0.0 if generator.random() < 0.1 else float(generator.integers(500, 9000)) / 100
            orders += [(customer, day, int(generator.integers(1, 6)), usd)] * int(generator.integers(1, 3))
    order = generator.permutation(len(orders))
    return [orders[place] for place in order]


def test_orders_of_one_day_are_one_order_day(write: Write) -> None:
    path = write([(1, 10, 1, 11.77), (1, 10, 2, 20.00), (1, 10, 1, 11.77), (1, 40, 1, 9.99)])
    orders = read_orders(path)
    assert orders.day.tolist() == [10, 40]
    assert orders.cents.tolist() == [4354, 999]
    assert orders.cds.tolist() == [4, 1]
    row = built(path, 100).features.iloc[0]
    assert (row["repeats"], row["cds_mean"], row["gap_mean"]) == (1, 2.5, 30)
    assert row["spend"] == pytest.approx(53.53)


def test_a_free_order_is_history_but_no_purchase_to_come(write: Write) -> None:
    path = write([(1, 10, 1, 0.0), (1, 60, 1, 0.0), (1, 130, 1, 0.0), (2, 10, 1, 9.0), (2, 130, 1, 9.0)])
    rows = built(path, 100)
    assert rows.features["repeats"].tolist() == [1, 0]
    assert rows.features["recency"].tolist() == [40, 90]
    assert rows.features["spend"].tolist() == [0, 9]
    assert rows.labels.tolist() == [0, 1]


def test_the_first_order_is_no_repeat_in_any_window(write: Write) -> None:
    # Everybody has a first order, and early cut-offs see it in every window.
    row = built(write([(1, 80, 1, 9.0), (2, 80, 1, 9.0), (2, 85, 1, 9.0)]), 89).features
    for name in ("repeats", "repeats30", "repeats90", "repeats180"):
        assert row[name].tolist() == [0, 1], name
    assert row["gap_mean"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("day", "label"), [(99, 0), (100, 1), (189, 1), (190, 0)], ids=["before", "first", "last", "after"]
)
def test_the_label_looks_at_the_horizon_alone(write: Write, day: int, label: int) -> None:
    assert built(write([(1, 10, 1, 9.0), (1, day, 1, 9.0)]), 100).labels.tolist() == [label]


def test_windows_end_the_day_before_the_cutoff(write: Write) -> None:
    path = write([(1, 0, 1, 9.0), (1, 69, 1, 9.0), (1, 70, 1, 9.0), (1, 99, 1, 9.0), (1, 100, 1, 9.0)])
    row = built(path, 100).features.iloc[0]
    assert (row["recency"], row["tenure"], row["repeats"], row["repeats30"]) == (1, 100, 3, 2)


def test_whoever_has_not_ordered_yet_is_no_row(write: Write) -> None:
    path = write([(1, 100, 1, 9.0), (2, 99, 1, 9.0), (3, 500, 1, 9.0)])
    rows = built(path, 100)
    assert rows.customer.tolist() == [1]
    assert len(rows.features) == len(rows.labels) == 1


def test_the_last_day_of_one_customer_does_not_reach_the_next(write: Write) -> None:
    path = write([(1, 0, 1, 9.0), (1, 545, 1, 9.0), (2, 0, 1, 9.0)])
    assert built(path, 456).labels.tolist() == [1, 0]
    assert built(path, 546).features["recency"].tolist() == [1, 546]


def test_habit_falls_with_silence_and_rises_with_orders_and_horizon(write: Write) -> None:
    path = write([(1, 0, 1, 9.0), (2, 0, 1, 9.0), (2, 50, 1, 9.0)])
    once, twice = built(path, 100).features["habit_probability"]
    later = built(path, 300).features["habit_probability"]
    assert 0 < later[0] < once < twice < 1
    assert later[1] < twice
    assert built(path, 100, horizon_days=30).features["habit_probability"][0] < once
    # Half an order in half a year and the customer's own time; half of the interest a half year later.
    rate = 0.5 / (100 + 180) * 90 * 0.5 ** (100 / 180)
    assert once == pytest.approx(1 - np.exp(-rate), rel=1e-6)


def reference(orders: list[Order], day: int) -> pd.DataFrame:
    """The columns in plain pandas, written from their units alone."""
    table = pd.DataFrame(orders, columns=["customer", "day", "cds", "usd"])
    days = table[table["day"] < day].groupby(["customer", "day"], as_index=False).sum()
    days["gap"] = days.groupby("customer")["day"].diff()
    groups = days.groupby("customer")
    first, last = groups.first(), groups.last()
    rows = pd.DataFrame({"recency": day - last["day"], "tenure": day - first["day"]})
    rows["repeats"] = groups.size() - 1
    repeats = days[days["gap"].notna()]
    for window in (30, 90, 180):
        recent = repeats[repeats["day"] >= day - window].groupby("customer").size()
        rows[f"repeats{window}"] = recent.reindex(rows.index).fillna(0)
    rows["gap_mean"], rows["gap_sd"] = groups["gap"].mean(), groups["gap"].std(ddof=1)
    rows["gap_cv"] = rows["gap_sd"] / rows["gap_mean"]
    rows["gap_last"] = days.set_index("customer").groupby("customer")["gap"].nth(-1)
    rows["due"] = rows["recency"] / rows["gap_mean"]
    rows["spend"], rows["spend_mean"] = groups["usd"].sum(), groups["usd"].mean()
    rows["spend_first"], rows["spend_last"] = first["usd"], last["usd"]
    rows["cds_mean"], rows["cds_last"] = groups["cds"].mean(), last["cds"]
    rows["price"] = groups["usd"].sum() / groups["cds"].sum()
    weekday = (FIRST + pd.to_timedelta(days["day"], unit="D")).dt.day_of_week
    rows["weekend_share"] = (weekday >= 5).groupby(days["customer"]).mean()
    rows["last_weekday"] = weekday.groupby(days["customer"]).last()
    rows["first_month"] = (FIRST + pd.to_timedelta(first["day"], unit="D")).dt.month - 1
    return rows


@pytest.mark.parametrize("day", CUTOFFS)
def test_the_features_are_those_of_plain_pandas(write: Write, day: int) -> None:
    orders = random_orders()
    rows = built(write(orders), day)
    expected = reference(orders, day)
    assert {*expected.columns, "habit_probability"} == set(SCHEMA.names)
    for name in expected.columns:
        np.testing.assert_allclose(
            rows.features[name], expected[name], rtol=1e-5, atol=1e-5, err_msg=name, equal_nan=True
        )
    bought = pd.DataFrame(orders, columns=["customer", "day", "cds", "usd"])
    ahead = bought[(bought["usd"] > 0) & bought["day"].between(day, day + 89)]["customer"]
    assert rows.labels.tolist() == expected.index.isin(ahead).astype(int).tolist()
    assert 0 < rows.labels.mean() < 1


@pytest.mark.parametrize("day", CUTOFFS)
def test_deleting_the_future_changes_no_feature(write: Write, day: int) -> None:
    orders = random_orders()
    complete = built(write(orders), day)
    past = built(write([order for order in orders if order[1] < day]), day)
    assert complete.labels.any()
    assert not past.labels.any()
    pd.testing.assert_frame_equal(past.features, complete.features)


@pytest.mark.parametrize("day", CUTOFFS)
def test_a_marker_planted_in_the_future_changes_no_feature(write: Write, day: int) -> None:
    orders = random_orders()
    complete = built(write(orders), day)
    planted = [(one, at, 77, 7777.0) if at >= day else (one, at, cds, usd) for one, at, cds, usd in orders]
    planted += [(one, day, 99, 999.0) for one in range(1, 200)]
    marked = built(write(planted), day)
    assert marked.labels.all()
    pd.testing.assert_frame_equal(marked.features, complete.features)


def before(orders: Orders, day: int) -> Orders:
    kept = orders.day < day
    columns = (orders.customer, orders.day, orders.cents, orders.cds)
    return Orders(orders.n_customers, *(column[kept] for column in columns))


@pytest.mark.parametrize("day", [89, 257, 453])
def test_deleting_the_future_changes_no_feature_of_the_real_data(day: int) -> None:
    orders = read_orders(orders_file())
    complete = FeatureBuilder(orders, 90).build(day)
    past = FeatureBuilder(before(orders, day), 90).build(day)
    assert len(complete.labels) == orders.n_customers == 23_570
    assert complete.labels.any()
    assert not past.labels.any()
    pd.testing.assert_frame_equal(past.features, complete.features)


def test_the_real_list_is_the_one_that_the_task_was_made_for() -> None:
    path = orders_file()
    lines = pd.read_csv(path, sep=r"\s+")
    orders = read_orders(path)
    assert len(lines) == 69_659
    assert len(orders.day) == 69_659 - 2_068
    assert orders.cents.sum() == round(lines["dollar_value"].sum() * 100)
    assert orders.cds.sum() == lines["number_of_cds"].sum()
    first_days = orders.day[np.diff(orders.customer, prepend=-1) > 0]
    assert (first_days.min(), first_days.max()) == (0, 83)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot be read"),
        ("customer_id date number_of_cds\n1 19970101 1\n", "expected the columns customer_id, date"),
        (HEADER + "\n1 19970101 1 9.99\n1 1997-01-02 1 9.99\n", "cannot be read"),
        (HEADER + "\n1 19970101 1 9.99\n1 19970102\n", "cannot be read"),
        (HEADER + "\n1 19970101 1 9.99\n1 19970102 1 many\n", "cannot be read"),
        (HEADER + "\n1 19970101 1 9.99\n1 19980701 1 9.99\n", ":3: this is no order between"),
        (HEADER + "\n1 19961231 1 9.99\n", ":2: this is no order between"),
        (HEADER + "\n1 19970101 1 -9.99\n", ":2: this is no order between"),
        (HEADER + "\n", ":1: this is no order between"),
        ("\N{SNOWMAN}" + HEADER + "\n1 19970101 1 9.99\n", "cannot be read"),
    ],
    ids=["empty", "column", "date", "short", "word", "late", "early", "negative", "bare", "foreign"],
)
def test_a_broken_list_is_told(install: Callable[[str, dict[str, str]], Path], text: str, why: str) -> None:
    path = install(REQUIREMENT, {FILE: text}) / FILE
    with pytest.raises(DataError, match=re.escape(why)) as told:
        read_orders(path)
    assert f"--no-deps --force-reinstall '{REQUIREMENT}'" in str(told.value)
