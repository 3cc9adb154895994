"""The order list of CDNOW's customers -> order days as numpy arrays.

All oddities of the file are dealt with here, so that the features need not know of them:

- Several orders of a customer on one day are one order day; their money and CDs are added up.
- An order of 0 dollars (a free CD) is an order day, but not a paid one.
- Money is kept in whole cents, so that sums are exact in any order.
- Fields are set apart by any number of spaces, and lines end as on Windows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import DataError
from toolkit.tasks._packaged import install_command, packaged_file

__all__ = ["ALL_ARRIVED", "FIRST_DAY", "N_DAYS", "Ints", "Orders", "orders_file", "read_orders"]

Ints = NDArray[np.int64]

REQUIREMENT = "lifetimes==0.11.3"
FILE = "lifetimes/datasets/CDNOW_master.txt"
COLUMNS = {"customer_id": "int64", "date": "str", "number_of_cds": "int64", "dollar_value": "float64"}

FIRST_DAY = dt.date(1997, 1, 1)
"""Day 0, a Wednesday."""

N_DAYS = 546
"""The list ends with 30 June 1998."""

ALL_ARRIVED = 84
"""First orders fall on days 0 to 83 (25 March 1997): the customers are those won in that quarter."""


@dataclass(frozen=True)
class Orders:
    """Order days, sorted by customer and day; customers are numbered from 0 in the order of their id.

    Parameters
    ----------
    n_customers : int
        Each has at least one order day.
    customer, day : ndarray of shape (n_order_days,), int64
        Unique together. `day` counts from `FIRST_DAY`.
    cents, cds : ndarray of shape (n_order_days,), int64
        What all orders of the day add up to.
    """

    n_customers: int
    customer: Ints
    day: Ints
    cents: Ints
    cds: Ints


def orders_file() -> Path:
    """Return the order list of the installed package.

    Raises
    ------
    DataError
        The package is not installed, or lacks the file.
    """
    return packaged_file(REQUIREMENT, FILE)


def read_orders(path: Path) -> Orders:
    """Read the order list.

    Raises
    ------
    DataError
        It cannot be read, lacks a column, or holds what cannot be an order.
    """
    try:
        table = pd.read_csv(path, sep=r"\s+", dtype=COLUMNS, encoding="ascii")
        if tuple(table.columns) != tuple(COLUMNS):
            raise ValueError(f"expected the columns {', '.join(COLUMNS)}, got {', '.join(table.columns)}")
        dates = pd.to_datetime(table["date"], format="%Y%m%d", exact=True)
    except (OSError, ValueError) as error:
        raise DataError(
            f"the CDNOW orders cannot be read ({str(error).splitlines()[0]}); "
            f"install them again: {install_command(REQUIREMENT)}",
            where=str(path),
        ) from error
    days = (dates - pd.Timestamp(FIRST_DAY)).dt.days.to_numpy().astype(np.int64)
    cents = np.round(table["dollar_value"].to_numpy(np.float64) * 100)
    cds = table["number_of_cds"].to_numpy(np.int64)
    odd = (days < 0) | (days >= N_DAYS) | ~(cents >= 0) | (cds < 0)
    if odd.any() or not len(table):
        line = int(np.argmax(odd)) + 2 if len(table) else 1
        raise DataError(
            f"this is no order between {FIRST_DAY} and {FIRST_DAY + dt.timedelta(N_DAYS - 1)}; "
            f"install the list again: {install_command(REQUIREMENT)}",
            where=f"{path}:{line}",
        )
    return _order_days(table["customer_id"].to_numpy(np.int64), days, cents.astype(np.int64), cds)


def _order_days(customer_id: Ints, day: Ints, cents: Ints, cds: Ints) -> Orders:
    ids, customer = np.unique(customer_id, return_inverse=True)
    keys, order_day = np.unique(customer * N_DAYS + day, return_inverse=True)
    return Orders(
        n_customers=len(ids),
        customer=keys // N_DAYS,
        day=keys % N_DAYS,
        # Floats add whole numbers exactly up to 2**53.
        cents=np.bincount(order_day, cents).astype(np.int64),
        cds=np.bincount(order_day, cds).astype(np.int64),
    )
