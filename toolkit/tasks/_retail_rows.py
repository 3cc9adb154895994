"""Rows of the cached cut-offs as data frames, chosen by household."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.tasks._retail_cache import ROWS, Manifest
from toolkit.tasks._retail_columns import NUMBERS

__all__ = ["EPOCH", "Chosen", "RetailRows", "Taken"]

EPOCH = dt.date(1970, 1, 1)

Chosen = Mapping[dt.date, NDArray[np.bool_]]
"""By cut-off, which households' rows; arrays of shape (n_households,)."""


@dataclass(frozen=True)
class Taken:
    """Rows in the order of the cut-offs asked for, then household, then category.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
    labels : ndarray of shape (n_rows,), int8
    clusters : ndarray of shape (n_rows,), int32
        Number of the household.
    time : ndarray of shape (n_rows,), int32
        Days since 1970-01-01.
    """

    features: pd.DataFrame
    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]
    time: NDArray[np.int32]


class RetailRows:
    """Reads rows of a whole cache.

    Parameters
    ----------
    folder : Path
        Of the cache.
    manifest : Manifest
        Its manifest.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._position = {dt.date.fromisoformat(day): number for number, day in enumerate(manifest.cutoffs)}
        self._first_row = np.concatenate([[0], np.cumsum(manifest.n_rows)])
        with np.load(folder / ROWS) as arrays:
            self._starts: NDArray[np.int32] = arrays["starts"]
            self._categories: NDArray[np.int32] = arrays["categories"]
            self._labels: NDArray[np.int8] = arrays["labels"]

    def sizes(self, cutoff: dt.date) -> NDArray[np.int32]:
        """Return the number of rows of every household at a cut-off."""
        starts: NDArray[np.int32] = self._starts[self._position[cutoff]]
        return starts[1:] - starts[:-1]

    def take(self, chosen: Chosen, numbers: tuple[str, ...]) -> Taken:
        """Read all rows of the chosen households.

        Parameters
        ----------
        chosen : mapping of date to ndarray of shape (n_households,), bool
        numbers : tuple of str
            Numeric columns wanted, of `NUMBERS`; ``category`` is added to them.
        """
        households = {cutoff: np.flatnonzero(mask) for cutoff, mask in chosen.items()}
        counts = {cutoff: self.sizes(cutoff)[which] for cutoff, which in households.items()}
        n_rows = sum(int(count.sum()) for count in counts.values())
        values = np.empty((len(numbers), n_rows), np.float32)
        categories, labels = np.empty(n_rows, np.int32), np.empty(n_rows, np.int8)
        begin = 0
        for cutoff, mask in chosen.items():
            rows = np.flatnonzero(np.repeat(mask, self.sizes(cutoff)))
            here = slice(begin, begin + len(rows))
            matrix = np.load(self._folder / f"{cutoff}.npy", mmap_mode="r")
            for row, name in enumerate(numbers):
                values[row, here] = matrix[NUMBERS.index(name)][rows]
            of_all = rows + self._first_row[self._position[cutoff]]
            categories[here], labels[here] = self._categories[of_all], self._labels[of_all]
            begin = here.stop
        features = pd.DataFrame(values.T, columns=pd.Index(numbers), copy=False)
        features["category"] = categories
        return Taken(
            features,
            labels,
            clusters=_joined([np.repeat(households[one], counts[one]) for one in chosen]),
            time=_joined([np.full(counts[one].sum(), (one - EPOCH).days) for one in chosen]),
        )


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int32]:
    return np.concatenate([np.empty(0, np.int32), *parts]).astype(np.int32)
