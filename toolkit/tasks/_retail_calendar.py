"""The year of the data, its cut-offs, holidays and the purged split."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

__all__ = [
    "DAYS_A_WEEK",
    "EPOCH",
    "FIRST_DAY",
    "LOOK_BACK_DAYS",
    "N_DAYS",
    "N_WEEKS",
    "Split",
    "cutoffs",
    "day_of",
    "is_holiday_period",
    "split",
    "week_of",
]

EPOCH = dt.date(1970, 1, 1)
FIRST_DAY = dt.date(2017, 1, 1)
"""Day 0. A Sunday, and all of week 1; from then on weeks run Monday to Sunday."""

DAYS_A_WEEK = 7
N_DAYS = 365
N_WEEKS = 53
LOOK_BACK_DAYS = 182
"""The same for every cut-off: with all history, pairs seem to repeat more as the year goes on."""

FIRST_TEST = dt.date(2017, 11, 20)
# The stores are closed on 25 December, so the week that begins there is not like others.
LAST_TEST = dt.date(2017, 12, 18)
N_VALID = 3

HOLIDAYS = (
    dt.date(2017, 7, 4),
    dt.date(2017, 9, 4),
    dt.date(2017, 11, 23),
    dt.date(2017, 12, 24),
    dt.date(2017, 12, 25),
)


def day_of(date: dt.date) -> int:
    """Return the number of a day, 0 for `FIRST_DAY`."""
    return (date - FIRST_DAY).days


def week_of(day: int) -> int:
    """Return the promotion week, 1 to `N_WEEKS`, of a numbered day."""
    return (day - 1) // DAYS_A_WEEK + 2


def cutoffs(horizon_days: int) -> tuple[dt.date, ...]:
    """Return all Mondays with a whole look-back before and a whole horizon after them, within the year."""
    days = range(LOOK_BACK_DAYS, N_DAYS - horizon_days + 1)
    dates = (FIRST_DAY + dt.timedelta(days=day) for day in days)
    return tuple(date for date in dates if date.weekday() == 0)


def is_holiday_period(cutoff: dt.date, horizon_days: int) -> bool:
    """Return whether a US holiday that changes grocery shopping lies in [cutoff, cutoff + horizon)."""
    return any(0 <= (holiday - cutoff).days < horizon_days for holiday in HOLIDAYS)


@dataclass(frozen=True)
class Split:
    """Cut-offs of the three blocks, each most recent first."""

    train: tuple[dt.date, ...]
    valid: tuple[dt.date, ...]
    test: tuple[dt.date, ...]


def split(horizon_days: int, gap_days: int) -> Split:
    """Return the purged rolling-origin split.

    The label window of every training cut-off, and a gap, end before the first validation
    cut-off; those of the validation cut-offs before the first test cut-off.

    Parameters
    ----------
    horizon_days, gap_days : int

    Returns
    -------
    Split
        `train` is empty when the gap leaves nothing.
    """
    needed = dt.timedelta(days=horizon_days + gap_days)
    days = cutoffs(horizon_days)[::-1]
    valid = tuple(day for day in days if day + needed <= FIRST_TEST)[:N_VALID]
    return Split(
        train=tuple(day for day in days if valid and day + needed <= valid[-1]),
        valid=valid,
        test=tuple(day for day in days if FIRST_TEST <= day <= LAST_TEST),
    )
