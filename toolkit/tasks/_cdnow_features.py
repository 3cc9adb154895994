"""Features and labels of one cut-off, from sorted arrays of order days.

Nothing here reads an order on or after the cut-off, except the label.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.tasks._cdnow_orders import FIRST_DAY, N_DAYS, Ints, Orders
from toolkit.tasks.base import Column, Schema

__all__ = ["SCHEMA", "CutoffRows", "FeatureBuilder"]

Floats = NDArray[np.float64]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March")
WINDOWS = (30, 90, 180)

PRIOR_ORDERS = 0.5
PRIOR_DAYS = 180
HALF_LIFE_DAYS = 180
"""What a mail-order house would guess before it looks: a newcomer orders again about once a year, and
half of the interest is gone after half a year of silence."""

SCHEMA = Schema(
    (
        Column("recency", unit="days since the last order day, 1 = the day before the cut-off"),
        Column("tenure", unit="days since the first order day"),
        Column("repeats", unit="order days after the first"),
        *(
            Column(f"repeats{days}", unit=f"order days after the first, in the last {days} days")
            for days in WINDOWS
        ),
        Column("gap_mean", unit="mean days between order days; NaN below 2 of them"),
        Column("gap_sd", unit="standard deviation of the gaps, in days; NaN below 3 order days"),
        Column("gap_cv", unit="gap_sd / gap_mean; NaN below 3 order days"),
        Column("gap_last", unit="the last gap, in days; NaN below 2 order days"),
        Column("due", unit="recency / gap_mean, in cycles; NaN below 2 order days"),
        Column("spend", unit="USD spent in all"),
        Column("spend_mean", unit="USD an order day"),
        Column("spend_first", unit="USD spent on the first order day"),
        Column("spend_last", unit="USD spent on the last order day"),
        Column("cds_mean", unit="CDs an order day"),
        Column("cds_last", unit="CDs on the last order day"),
        Column("price", unit="USD a CD"),
        Column("weekend_share", unit="share of the order days that are a Saturday or Sunday, 0 to 1"),
        Column("last_weekday", kind="category", levels=WEEKDAYS, unit="day of the week of the last order"),
        Column("first_month", kind="category", levels=MONTHS, unit="month of 1997 of the first order"),
        Column("habit_probability", unit="chance of an order from the customer's own rate and silence alone"),
    )
)


class CutoffRows(NamedTuple):
    """The rows of one cut-off: every customer whose first order lies before it, in order of number.

    Attributes
    ----------
    customer : ndarray of shape (n_rows,), int64
    features : DataFrame of shape (n_rows, n_columns)
        As `SCHEMA` says.
    labels : ndarray of shape (n_rows,), int8
        1 when the customer pays for an order in the horizon.
    """

    customer: Ints
    features: pd.DataFrame
    labels: NDArray[np.int8]


class FeatureBuilder:
    """Builds the rows of any cut-off.

    Parameters
    ----------
    orders : Orders
    horizon_days : int
        Length of the period that the label looks ahead.
    """

    def __init__(self, orders: Orders, horizon_days: int) -> None:
        self._orders = orders
        self._horizon_days = horizon_days
        self._key = orders.customer * N_DAYS + orders.day
        self._customers = np.arange(orders.n_customers)
        gaps = np.diff(orders.day, prepend=0)
        same = np.diff(orders.customer, prepend=-1) == 0
        self._gaps_squared = _running(np.where(same, gaps, 0) ** 2)
        self._cents, self._cds = _running(orders.cents), _running(orders.cds)
        self._paid = _running((orders.cents > 0).astype(np.int64))
        self._weekend = _running((_weekday(orders.day) >= 5).astype(np.int64))

    def build(self, day: int) -> CutoffRows:
        """Return the rows of one cut-off, the start of a numbered day."""
        first, end = self._before(0), self._before(day)
        known = np.flatnonzero(end > first)
        ahead = self._before(day + self._horizon_days)
        label = self._paid[ahead] > self._paid[end]
        columns = self._columns(day, known, first[known], end[known])
        features = pd.DataFrame(
            {
                column.name: columns[column.name].astype(np.float32 if column.kind == "number" else np.int32)
                for column in SCHEMA.columns
            }
        )
        return CutoffRows(known, features, label[known].astype(np.int8))

    def _before(self, day: int, customers: Ints | None = None) -> Ints:
        """Return, for each customer, the position after the last order day before `day`."""
        chosen = self._customers if customers is None else customers
        # A day outside the list must not reach into the neighbour's.
        return np.searchsorted(self._key, chosen * N_DAYS + min(max(day, 0), N_DAYS))

    def _columns(self, day: int, known: Ints, first: Ints, end: Ints) -> dict[str, Floats | Ints]:
        days = self._orders.day
        n = end - first
        first_day, last_day = days[first], days[end - 1]
        recency, tenure = day - last_day, day - first_day
        # The first order is there for everybody: only what follows it tells customers apart.
        columns: dict[str, Floats | Ints] = {
            f"repeats{window}": end - np.maximum(self._before(day - window, known), first + 1)
            for window in WINDOWS
        }
        spend = (self._cents[end] - self._cents[first]) / 100
        cds = self._cds[end] - self._cds[first]
        return (
            columns
            | self._gaps(first, end, recency)
            | {
                "recency": recency,
                "tenure": tenure,
                "repeats": n - 1,
                "spend": spend,
                "spend_mean": spend / n,
                "spend_first": self._orders.cents[first] / 100,
                "spend_last": self._orders.cents[end - 1] / 100,
                "cds_mean": cds / n,
                "cds_last": self._orders.cds[end - 1],
                "price": _ratio(spend, cds),
                "weekend_share": (self._weekend[end] - self._weekend[first]) / n,
                "last_weekday": _weekday(last_day),
                "first_month": np.where(_month(first_day) <= len(MONTHS), _month(first_day) - 1, -1),
                "habit_probability": self._habit(n - 1, tenure, recency),
            }
        )

    def _gaps(self, first: Ints, end: Ints, recency: Ints) -> dict[str, Floats | Ints]:
        days = self._orders.day
        n_gaps = end - first - 1
        span = days[end - 1] - days[first]
        squares = self._gaps_squared[end] - self._gaps_squared[first + 1]
        gap_mean = _ratio(span, n_gaps)
        # In whole numbers, so that equal gaps give exactly 0.
        gap_sd = np.sqrt(_ratio(n_gaps * squares - span**2, n_gaps * (n_gaps - 1)))
        gap_last = np.where(n_gaps > 0, days[end - 1] - days[np.maximum(end - 2, 0)], np.nan)
        return {
            "gap_mean": gap_mean,
            "gap_sd": gap_sd,
            "gap_cv": gap_sd / gap_mean,
            "gap_last": gap_last,
            "due": recency / gap_mean,
        }

    def _habit(self, repeats: Ints, tenure: Ints, recency: Ints) -> Floats:
        rate = (repeats + PRIOR_ORDERS) / (tenure + PRIOR_DAYS)
        interest = np.exp2(-recency / HALF_LIFE_DAYS)
        habit: Floats = -np.expm1(-rate * self._horizon_days * interest)
        return habit


def _weekday(day: Ints) -> Ints:
    """Return 0 for a Monday to 6 for a Sunday."""
    return (day + FIRST_DAY.weekday()) % 7


def _month(day: Ints) -> Ints:
    """Return the month of days, 1 to 12."""
    months = np.array([(FIRST_DAY + dt.timedelta(days=one)).month for one in range(N_DAYS)])
    return months[day]


def _running(values: Ints) -> Ints:
    """Return sums of the first 0, 1, ... values; whole numbers, hence exact differences."""
    return np.concatenate([[0], np.cumsum(values)])


def _ratio(numerator: Floats | Ints, denominator: Floats | Ints) -> Floats:
    """Divide; NaN where the denominator is 0."""
    quotient = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient
