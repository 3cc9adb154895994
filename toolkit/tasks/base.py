"""What a task gives: the same rows, features and splits to every track."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict

from toolkit.config import Rung
from toolkit.errors import ParameterError
from toolkit.seeding import derive_seed

__all__ = [
    "Block",
    "Column",
    "Progress",
    "Schema",
    "Task",
    "TaskData",
    "TrainingData",
    "labels_of",
    "share_of",
    "unlabelled_of",
]

MAX_UNLABELLED = 200_000
UNLABELLED_PER_LABEL = 4

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0 to 1."""


@dataclass(frozen=True)
class Column:
    """One feature.

    Parameters
    ----------
    name : str
        The column's name, the same in features, knowledge bases and reports.
    kind : {"number", "category"}
        A number is float32, NaN where undefined; a category is an int32 code into `levels`,
        -1 where missing or unknown.
    levels : tuple of str
        Names of a category's codes, in order of code; empty for numbers.
    unit : str
        Unit or meaning, in words, e.g. ``"days since the last purchase"``.
    """

    name: str
    kind: Literal["number", "category"] = "number"
    levels: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Schema:
    """The columns that every track is given, in order.

    Parameters
    ----------
    columns : tuple of Column
    channels : tuple of str
        Names of the channels of the raw signal (`Block.sequence`); empty where rows have none.
    """

    columns: tuple[Column, ...]
    channels: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All column names."""
        return tuple(column.name for column in self.columns)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the numeric columns."""
        return tuple(column.name for column in self.columns if column.kind == "number")

    @property
    def categories(self) -> tuple[Column, ...]:
        """The categorical columns."""
        return tuple(column for column in self.columns if column.kind == "category")

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Block:
    """Labelled rows, as loaded.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        Columns as the schema names them, unscaled.
    labels : ndarray of shape (n_rows,), int8
        0 or 1.
    clusters : ndarray of shape (n_rows,), int32
        The unit of resampling, numbered, e.g. households.
    time : ndarray of shape (n_rows,), int32
        Days since 1970-01-01 of the row's cut-off; 0 where the task has no time.
    strata : mapping of str to ndarray of shape (n_rows,), bool
        Parts of the block that the report shows apart, e.g. ``holiday_week``.
    sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8, optional
        The raw signal before the row's cut-off, oldest first; None unless the task is asked for it.
    """

    features: pd.DataFrame
    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]
    time: NDArray[np.int32]
    strata: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    sequence: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class TrainingData:
    """All that a track may see.

    Parameters
    ----------
    features, labels, clusters, time
        As in `Block`; the labels of the rung, and no others.
    unlabelled : DataFrame of shape (n_unlabelled, n_columns)
        Features of further rows of the training period, never of evaluation rows; at most
        4 x n_train, or as many as the rung says, and at most 200,000.
    schema : Schema
        Names, kinds and levels of the columns.
    sequence, unlabelled_sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8, optional
        As in `Block`, of the labelled and of the unlabelled rows; both or neither.
    """

    features: pd.DataFrame
    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]
    time: NDArray[np.int32]
    unlabelled: pd.DataFrame
    schema: Schema
    sequence: NDArray[np.uint8] | None = None
    unlabelled_sequence: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def cluster_rows(self) -> float:
        """Labelled rows a cluster, on average; 1 where there are none."""
        return len(self) / len(np.unique(self.clusters)) if len(self) else 1.0

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> TrainingData:
        """Return the same data with only `rows` labelled; `unlabelled` is kept."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return replace(
            self,
            features=self.features.iloc[index].reset_index(drop=True),
            labels=self.labels[index],
            clusters=self.clusters[index],
            time=self.time[index],
            sequence=None if self.sequence is None else self.sequence[index],
        )

    def inner_split(self, seed: int, share: float = 0.2) -> tuple[TrainingData, TrainingData]:
        """Split by cluster into a fitting and a validation part, both from inside the rung.

        Early stopping, calibration and the choice of parameters use only this, so that
        `n_train` counts every label a track has seen.

        Parameters
        ----------
        seed : int
            Which clusters go where; the same seed gives the same split to every track.
        share : float
            Share of the clusters in the validation part, at least one cluster.

        Returns
        -------
        fit, valid : TrainingData
            No cluster stands in both.
        """
        clusters = np.unique(self.clusters)
        generator = np.random.default_rng(derive_seed("inner_split", seed))
        count = min(max(1, round(share * len(clusters))), max(len(clusters) - 1, 0))
        held_out = generator.permutation(clusters)[:count]
        is_valid = np.isin(self.clusters, held_out)
        return self.take(~is_valid), self.take(is_valid)


@dataclass(frozen=True)
class TaskData:
    """What one cell works on. The runner hands `train` to the track and keeps the rest.

    Parameters
    ----------
    train : TrainingData
        The rung's rows.
    valid : Block
        The common validation block: threshold and deployed rung are chosen on it, for all tracks.
    test : Block
        Touched once, by the runner, for scoring.
    """

    train: TrainingData
    valid: Block
    test: Block


def share_of(share: float, n_clusters: int) -> int:
    """Return how many clusters a share is; at least one."""
    return max(1, round(share * n_clusters))


def unlabelled_of(rung: Rung, n_labels: int) -> int:
    """Return how many unlabelled rows may stand beside so many labelled ones."""
    cap = UNLABELLED_PER_LABEL * n_labels if rung.unlabelled is None else rung.unlabelled
    return min(cap, MAX_UNLABELLED)


def labels_of(rung: Rung, n_rows: int) -> int:
    """Return the number of labels that a rung asks for, of so many rows that could be labelled.

    Parameters
    ----------
    rung : Rung
        With `labels`.
    n_rows : int
        Training rows at the rung's cut-offs.

    Raises
    ------
    ParameterError
        It asks for more than there are.
    """
    labels = rung.labels or 0
    if labels > n_rows:
        at = "" if rung.cutoffs is None else f" at the {rung.cutoffs} most recent cut-offs"
        raise ParameterError(
            f"the rung asks for {labels:,} labels, but there are {n_rows:,} training rows{at}; ask for fewer"
            + ("" if rung.cutoffs is None else ", or for more cutoffs"),
            path=("labels",),
        )
    return labels


class Task(ABC):
    """A supervised binary task. Subclasses are dataclasses whose fields are the YAML's parameters.

    The life of a task: built from its parameters (nothing is read) -> `prepare` once, in the
    parent process (slow work is cached on disk) -> `load` in every cell's own process.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    primary_error: ClassVar[str] = "error_log_loss"
    """The error of curves and comparisons; `1 - average precision` is always shown beside it."""

    title: ClassVar[str]
    """One line for people, e.g. ``"who buys what next week"``."""

    cluster: ClassVar[str] = "row"
    """What a cluster is, in one word, e.g. ``"household"``."""

    notices: ClassVar[tuple[str, ...]] = ()
    """Source and licence of the data, shown wherever results are shown."""

    @abstractmethod
    def prepare(self, progress: Progress) -> None:
        """Make what `load` needs and cache it on disk; quick when the cache is there.

        Raises
        ------
        DataError
            Data is missing or broken; the message says how to get it.
        """

    @abstractmethod
    def schema(self) -> Schema:
        """Return the columns; may be called after `prepare` only."""

    @abstractmethod
    def data_version(self) -> str:
        """Return a hash of data and of the code and parameters that shape it (after `prepare`)."""

    @abstractmethod
    def n_train(self, rung: Rung) -> int:
        """Return the approximate number of labelled rows of `rung` (after `prepare`).

        Raises
        ------
        ParameterError
            The rung asks for more labels than there are training rows.
        """

    @abstractmethod
    def load(self, *, rung: Rung | None, seed: int) -> TaskData:
        """Load the data of one cell.

        Parameters
        ----------
        rung : Rung or None
            How much training data; None gives no labelled and no unlabelled rows.
        seed : int
            Salts the choice of clusters; subsets are nested within a seed.

        Returns
        -------
        TaskData
            `valid` and `test` are the same at every rung and seed.
        """

    def extra_scores(self, block: Block, probabilities: NDArray[np.float64]) -> dict[str, float]:
        """Return further scores and errors of the test block that evidence cannot give.

        Parameters
        ----------
        block : Block
            The test block.
        probabilities : ndarray of shape (n_rows,)

        Returns
        -------
        dict of str to float
            Names start with ``score_`` (higher is better) or ``error_`` (lower is better).
        """
        return {}

    def data_facts(self) -> dict[str, str | float]:
        """Return facts for the report about the data (after `prepare`), e.g. the ceiling of recall."""
        return {}
