"""The raw signal of a row: what its pair bought and when its household shopped, day by day.

Kept as the days themselves (9 MB for the whole year) and spread out only for the rows asked for:
a matrix of all pairs and days would be nine tenths zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit.tasks._retail_arrays import DAY_SPAN, Ints
from toolkit.tasks._retail_calendar import LOOK_BACK_DAYS
from toolkit.tasks._retail_columns import CHANNELS
from toolkit.tasks._retail_events import Events

__all__ = ["DAYS", "PurchaseDays"]

DAYS = "days.npz"
MOST_LINES = 255


@dataclass(frozen=True)
class PurchaseDays:
    """Days with purchases, of pairs and of households.

    Parameters
    ----------
    n_categories : int
    pair : ndarray of shape (n_purchases,), int32
        ``household * n_categories + category``; sorted, then by `day`.
    day : ndarray of shape (n_purchases,), int16
    lines : ndarray of shape (n_purchases,), uint8
        Receipt lines of the pair on that day, at most 255.
    """

    n_categories: int
    pair: NDArray[np.int32]
    day: NDArray[np.int16]
    lines: NDArray[np.uint8]

    @classmethod
    def of(cls, events: Events) -> PurchaseDays:
        """Take the days out of the events."""
        bought, n_categories = events.purchases, len(events.categories)
        return cls(
            n_categories=n_categories,
            pair=(bought["household"] * n_categories + bought["category"]).astype(np.int32),
            day=bought["day"].astype(np.int16),
            lines=np.minimum(bought["lines"], MOST_LINES).astype(np.uint8),
        )

    def save(self, folder: Path) -> None:
        """Write the days beside the features of a cache."""
        np.savez(folder / DAYS, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def read(cls, folder: Path) -> PurchaseDays:
        """Read what `save` wrote."""
        with np.load(folder / DAYS) as arrays:
            columns = {field.name: arrays[field.name] for field in fields(cls)}
        return cls(**{**columns, "n_categories": int(columns["n_categories"])})

    def signal(self, household: Ints, category: Ints, cutoff_day: int) -> NDArray[np.uint8]:
        """Return the last 182 days before a cut-off.

        Parameters
        ----------
        household, category : ndarray of shape (n_rows,)
        cutoff_day : int
            Number of the cut-off's day, as in `toolkit.tasks._retail_calendar.day_of`.

        Returns
        -------
        ndarray of shape (n_rows, 2, 182), uint8
            Channel 0: receipt lines of the pair on each day. Channel 1: 1 where the household
            bought anything. The last position is the day before the cut-off.
        """
        signal = np.zeros((len(household), len(CHANNELS), LOOK_BACK_DAYS), np.uint8)
        begin = cutoff_day - LOOK_BACK_DAYS
        key = self.pair.astype(np.int64) * DAY_SPAN + self.day
        wanted = (household * self.n_categories + category).astype(np.int64) * DAY_SPAN
        first, end = (np.searchsorted(key, wanted + day) for day in (begin, cutoff_day))
        rows, events = _spread(first, end - first)
        signal[rows, 0, self.day[events] - begin] = self.lines[events]

        inside = (self.day >= begin) & (self.day < cutoff_day)
        visitor = self.pair[inside] // self.n_categories
        visits = np.zeros(
            (max(visitor.max(initial=0), household.max(initial=0)) + 1, LOOK_BACK_DAYS), np.uint8
        )
        visits[visitor, self.day[inside] - begin] = 1
        signal[:, 1] = visits[household]
        return signal


def _spread(first: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Return, for ranges of `counts` positions from `first` on, each position's range and itself."""
    rows = np.repeat(np.arange(len(first)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, first[rows] + within
