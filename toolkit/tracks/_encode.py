"""From a frame of features to arrays that linear models and nets can use.

Counts, money and days have long tails, so each number goes through ``sign(x) log(1 + |x| / s)``
with s the median size of its non-zero values, is standardised, and is held inside the range of the
training rows: a month or a holiday that no training row had must not be extrapolated to. Numbers that
lie close together far from zero (years, seconds since 1970) are counted from their median first. A
missing number becomes the mean with an indicator beside it. Nothing here looks at a label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import MissingColumnError
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema

__all__ = [
    "CLUSTER_ROWS",
    "KNOTS",
    "Encoded",
    "Encoder",
    "cluster_share",
    "hinged",
    "row_blocks",
    "some_rows",
    "usual_penalty",
    "with_values",
]

WIDEST = 4.0
"""Standard deviations beyond which a transformed number is cut off, also within the range."""

KNOTS = (-1.5, -0.25, 0.75, 2.0)
"""Standard deviations at which an additive part may bend."""

CLUSTER_ROWS = 70.0
"""Rows a cluster (a household's week) where the usual penalty was found."""

SCALE_ROWS = 50_000
"""Rows at most that scales are learned from: quantiles of more rows cost time and change nothing."""

NARROW = 0.1
"""A range of less than this share of the median is counted from there: no logarithm could tell it apart."""

BLOCK_ROWS = 8192
"""Rows predicted at a time: bounds memory and keeps a block's arrays in the cache."""


def row_blocks(features: pd.DataFrame) -> Iterator[tuple[slice, pd.DataFrame]]:
    """Yield consecutive blocks of rows and where they stand."""
    for start in range(0, len(features), BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, len(features)))
        yield rows, features.iloc[rows] if len(features) > BLOCK_ROWS else features


def some_rows(n_rows: int, at_most: int) -> slice | NDArray[np.int64]:
    """Return which rows to learn scales from: all, or so many drawn at random, always the same.

    Not the first ones, which are few clusters, and not every k-th: of a panel sorted by customer and week,
    that may be one and the same week.
    """
    if n_rows <= at_most:
        return slice(None)
    generator = np.random.default_rng(derive_seed("some_rows", n_rows, at_most))
    return np.sort(generator.choice(n_rows, at_most, replace=False))


def hinged(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inputs, then ``max(x - knot, 0)`` of each: a linear part of these is a bent line a column.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_inputs)

    Returns
    -------
    ndarray of shape (n_rows, n_inputs * (1 + len(KNOTS)))
    """
    n_rows, n_inputs = numbers.shape
    wide = np.empty((n_rows, n_inputs * (1 + len(KNOTS))), np.float32)
    wide[:, :n_inputs] = numbers
    for position, knot in enumerate(KNOTS, start=1):
        part = wide[:, position * n_inputs : (position + 1) * n_inputs]
        np.maximum(np.subtract(numbers, np.float32(knot), out=part), 0, out=part)
    return wide


def cluster_share(cluster_rows: float) -> float:
    """Return what rows a cluster are in units of those that defaults were chosen with, at most 1.

    Rows of one cluster repeat one another: what counts in rows, such as a penalty of the summed loss, is
    worth as much less as there are fewer rows a cluster.
    """
    return float(np.clip(cluster_rows / CLUSTER_ROWS, 1 / CLUSTER_ROWS, 1))


def with_values(features: pd.DataFrame, schema: Schema) -> Schema:
    """Return the columns without the numbers of which no training row has a value: trees cannot bin them."""
    empty = {name for name in schema.numbers if features[name].isna().all()}
    return Schema(tuple(column for column in schema.columns if column.name not in empty), schema.channels)


def usual_penalty(n_rows: int, cluster_rows: float = CLUSTER_ROWS) -> float:
    """Return the strong penalty of weights for so many rows; less than in proportion, as data says more.

    Half of it times the sum of squared weights is added to the summed log loss. The line goes
    through what did best on the retail task's validation block from 1,600 to 244,000 rows; with fewer
    rows a cluster the penalty is weaker in proportion. The tracks also try weaker ones.

    Parameters
    ----------
    n_rows : int
    cluster_rows : float
        Rows a cluster, on average.
    """
    penalty = np.clip(400 * (max(n_rows, 1) / 20_000) ** -0.35, 50, 800)
    return float(penalty * cluster_share(cluster_rows))


@dataclass(frozen=True)
class Encoded:
    """Rows as arrays.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_inputs), float32
        Transformed numbers, then the indicators of missing values.
    codes : ndarray of shape (n_rows, n_categories), int64
        0 where missing or unknown, else the level's code + 1.
    sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8, or None
        The raw signal, for a net that reads it.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int64]
    sequence: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Encoder:
    """What was learned about the columns; plain arrays only, so that it is easily saved.

    Parameters
    ----------
    numbers, categories : tuple of str
        Column names.
    n_levels : tuple of int
        Number of levels of each category.
    origin, size, centre, spread, lowest, highest : ndarray of shape (n_numbers,), float32
        Of the transform described above.
    indicated : ndarray of shape (n_indicators,), int64
        Positions in `numbers` of the columns that had missing values, and others too.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    n_levels: tuple[int, ...]
    origin: NDArray[np.float32]
    size: NDArray[np.float32]
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]
    indicated: NDArray[np.int64]

    @property
    def n_inputs(self) -> int:
        """Number of columns of `Encoded.numbers`."""
        return len(self.numbers) + len(self.indicated)

    @classmethod
    def plain(cls, schema: Schema) -> Encoder:
        """Return an encoder that has learned nothing; its `matrix` is of use."""
        n_numbers = len(schema.numbers)
        return cls(
            numbers=schema.numbers,
            categories=tuple(column.name for column in schema.categories),
            n_levels=tuple(len(column.levels) for column in schema.categories),
            origin=np.zeros(n_numbers, np.float32),
            size=np.ones(n_numbers, np.float32),
            centre=np.zeros(n_numbers, np.float32),
            spread=np.ones(n_numbers, np.float32),
            lowest=np.zeros(n_numbers, np.float32),
            highest=np.zeros(n_numbers, np.float32),
            indicated=np.zeros(0, np.int64),
        )

    @classmethod
    def learn(cls, features: pd.DataFrame, schema: Schema) -> Encoder:
        """Learn the scales from training rows.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
        schema : Schema

        Raises
        ------
        MissingColumnError
        """
        encoder = cls.plain(schema)
        rows = some_rows(len(features), SCALE_ROWS)
        values = encoder.matrix(features.iloc[rows])[:, : len(schema.numbers)]
        missing = ~np.isfinite(values)
        for position in range(len(schema.numbers)):
            known = values[~missing[:, position], position]
            encoder.origin[position] = _origin(known)
            known = known - encoder.origin[position]
            sizes = np.abs(known[known != 0])
            if not len(sizes):
                continue
            encoder.size[position] = np.median(sizes)
            squashed = _squash(known, encoder.size[position])
            encoder.centre[position] = squashed.mean()
            spread = squashed.std()
            if spread < 1e-6:
                continue
            encoder.spread[position] = spread
            standard = (squashed - encoder.centre[position]) / spread
            encoder.lowest[position] = max(standard.min(), -WIDEST)
            encoder.highest[position] = min(standard.max(), WIDEST)
        return replace(encoder, indicated=np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)))

    def transform(self, features: pd.DataFrame) -> Encoded:
        """Return the rows as arrays.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)

        Raises
        ------
        MissingColumnError
        """
        matrix = self.matrix(features)
        n_numbers = len(self.numbers)
        values = matrix[:, :n_numbers]
        inputs = np.empty((len(matrix), self.n_inputs), np.float32)
        numbers = inputs[:, :n_numbers]
        np.subtract(_squash(values - self.origin, self.size), self.centre, out=numbers)
        numbers /= self.spread
        np.clip(numbers, self.lowest, self.highest, out=numbers)
        missing = ~np.isfinite(values)
        numbers[missing] = 0.0
        inputs[:, n_numbers:] = missing[:, self.indicated]
        codes = matrix[:, n_numbers:].astype(np.int64) + 1
        codes[(codes < 0) | (codes > np.asarray(self.n_levels, np.int64))] = 0
        return Encoded(inputs, codes)

    def matrix(self, features: pd.DataFrame) -> NDArray[np.float32]:
        """Return numbers, then category codes, as one float32 matrix (codes stay exact below 2**24).

        One conversion of the whole frame: fetching columns one by one costs a single-row
        prediction most of its time.
        """
        names = [*self.numbers, *self.categories]
        positions = features.columns.get_indexer(pd.Index(names))
        if (positions < 0).any():
            absent = [name for name, position in zip(names, positions, strict=True) if position < 0]
            raise MissingColumnError(
                f"columns that the track was fitted on are missing now: {', '.join(absent)}"
            )
        if len(features.columns) != len(names):
            return features.iloc[:, positions].to_numpy(np.float32)
        matrix = features.to_numpy(np.float32)
        return matrix if (positions == np.arange(len(names))).all() else matrix[:, positions]


def _origin(known: NDArray[np.float32]) -> float:
    """Return what a column is counted from."""
    if not len(known):
        return 0.0
    middle, width = float(np.median(known)), float(known.max() - known.min())
    return middle if 0 < width < NARROW * abs(middle) else 0.0


def _squash(values: NDArray[np.float32], size: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    squashed: NDArray[np.float32] = np.copysign(np.log(np.abs(values) / size + np.float32(1)), values)
    return squashed
