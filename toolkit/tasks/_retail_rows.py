"""Rows of the cached cut-offs as data frames, chosen by household."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.config import Rung
from toolkit.seeding import derive_seed
from toolkit.tasks._retail_cache import ROWS, Manifest
from toolkit.tasks._retail_calendar import EPOCH, LOOK_BACK_DAYS, day_of
from toolkit.tasks._retail_columns import CHANNELS, NUMBERS
from toolkit.tasks._retail_sequence import PurchaseDays
from toolkit.tasks.base import labels_of, share_of, unlabelled_of

__all__ = ["Chosen", "RetailRows", "Taken"]

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
    sequence : ndarray of shape (n_rows, 2, 182), uint8, optional
        As in `toolkit.tasks._retail_sequence.PurchaseDays.signal`, where it was asked for.
    """

    features: pd.DataFrame
    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]
    time: NDArray[np.int32]
    sequence: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def without(self, household: int, n_rows: int, seed: int) -> Taken:
        """Return the same rows but for `n_rows` of one household, in an order that nests.

        Parameters
        ----------
        household : int
            Its number.
        n_rows : int
            Number of its rows that go.
        seed : int
        """
        own = np.flatnonzero(self.clusters == household)
        generator = np.random.default_rng(derive_seed("retail", "last household", seed, household))
        kept = np.ones(len(self), np.bool_)
        kept[generator.permutation(own)[len(own) - n_rows :]] = False
        return Taken(
            self.features[kept].reset_index(drop=True),
            self.labels[kept],
            self.clusters[kept],
            self.time[kept],
            None if self.sequence is None else self.sequence[kept],
        )


class RetailRows:
    """Reads rows of a whole cache.

    Parameters
    ----------
    folder : Path
        Of the cache.
    manifest : Manifest
        Its manifest.
    numbers : tuple of str
        Numeric columns wanted, of `NUMBERS`; ``category`` is added to them.
    sequence : bool
        Whether rows come with their raw signal.
    """

    def __init__(
        self, folder: Path, manifest: Manifest, numbers: tuple[str, ...], *, sequence: bool = False
    ) -> None:
        self._folder = folder
        self._numbers = numbers
        self._days = PurchaseDays.read(folder) if sequence else None
        self.n_households = manifest.n_households
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

    def ladder(self, cutoffs: tuple[dt.date, ...], rung: Rung, seed: int) -> tuple[Taken, Taken]:
        """Read the labelled and the unlabelled rows of a rung.

        Parameters
        ----------
        cutoffs : tuple of date
            All training cut-offs, most recent first.
        rung : Rung
        seed : int

        Returns
        -------
        labelled : Taken
            Nested within a seed: a smaller rung's rows are among those of a larger.
        unlabelled : Taken
            Rows of household-weeks without a label, in an order that depends on the seed alone, up to
            the cap of rows.

        Raises
        ------
        ParameterError
            The rung asks for more labels than there are training rows.
        """
        order = np.random.default_rng(derive_seed("retail", "subset", seed)).permutation(self.n_households)
        days = cutoffs[: rung.cutoffs]
        member = np.zeros(self.n_households, np.bool_)
        member[order[: self._n_labelled(days, rung, order)]] = True
        chosen = dict.fromkeys(days, member)

        is_labelled = np.stack([chosen.get(day, np.zeros_like(member)) for day in cutoffs])
        sizes = np.stack([self.sizes(day) for day in cutoffs])
        n_rows = int(sizes[is_labelled].sum())
        n_labels = n_rows if rung.labels is None else rung.labels
        weeks = np.random.default_rng(derive_seed("retail", "unlabelled", seed)).permutation(sizes.size)
        weeks = weeks[~is_labelled.ravel()[weeks]]
        weeks = weeks[np.cumsum(sizes.ravel()[weeks]) <= unlabelled_of(rung, n_labels)]
        is_unlabelled = np.zeros(sizes.size, np.bool_)
        is_unlabelled[weeks] = True
        masks = is_unlabelled.reshape(sizes.shape)
        unlabelled = {day: mask for day, mask in zip(cutoffs, masks, strict=True) if mask.any()}

        labelled = self.take(chosen)
        if n_rows > n_labels:
            labelled = labelled.without(order[member[order]][-1], n_rows - n_labels, seed)
        return labelled, self.take(unlabelled)

    def _n_labelled(self, days: tuple[dt.date, ...], rung: Rung, order: NDArray[np.int64]) -> int:
        """Return how many households, in order, have the rows of a rung; the last one perhaps too many."""
        if rung.labels is None:
            return share_of(rung.share or 0.0, self.n_households)
        sizes = np.stack([self.sizes(day) for day in days]).sum(axis=0)
        labels = labels_of(rung, int(sizes.sum()))
        return int(np.searchsorted(np.cumsum(sizes[order]), labels)) + 1 if labels else 0

    def take(self, chosen: Chosen) -> Taken:
        """Read all rows of the chosen households.

        Parameters
        ----------
        chosen : mapping of date to ndarray of shape (n_households,), bool
        """
        households = {cutoff: np.flatnonzero(mask) for cutoff, mask in chosen.items()}
        counts = {cutoff: self.sizes(cutoff)[which] for cutoff, which in households.items()}
        n_rows = sum(int(count.sum()) for count in counts.values())
        values = np.empty((len(self._numbers), n_rows), np.float32)
        categories, labels = np.empty(n_rows, np.int32), np.empty(n_rows, np.int8)
        begin = 0
        for cutoff, mask in chosen.items():
            rows = np.flatnonzero(np.repeat(mask, self.sizes(cutoff)))
            here = slice(begin, begin + len(rows))
            matrix = np.load(self._folder / f"{cutoff}.npy", mmap_mode="r")
            for row, name in enumerate(self._numbers):
                values[row, here] = matrix[NUMBERS.index(name)][rows]
            of_all = rows + self._first_row[self._position[cutoff]]
            categories[here], labels[here] = self._categories[of_all], self._labels[of_all]
            begin = here.stop
        features = pd.DataFrame(values.T, columns=pd.Index(self._numbers), copy=False)
        features["category"] = categories
        return Taken(
            features,
            labels,
            clusters=_joined([np.repeat(households[one], counts[one]) for one in chosen]),
            time=_joined([np.full(counts[one].sum(), (one - EPOCH).days) for one in chosen]),
            sequence=None
            if self._days is None
            else self._signals(self._days, households, counts, categories),
        )

    def _signals(
        self,
        days: PurchaseDays,
        households: Mapping[dt.date, NDArray[np.int64]],
        counts: Mapping[dt.date, NDArray[np.int32]],
        categories: NDArray[np.int32],
    ) -> NDArray[np.uint8]:
        signals = np.empty((len(categories), len(CHANNELS), LOOK_BACK_DAYS), np.uint8)
        begin = 0
        for cutoff, which in households.items():
            household = np.repeat(which, counts[cutoff])
            here = slice(begin, begin + len(household))
            signals[here] = days.signal(household, categories[here].astype(np.int64), day_of(cutoff))
            begin = here.stop
        return signals


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int32]:
    return np.concatenate([np.empty(0, np.int32), *parts]).astype(np.int32)
