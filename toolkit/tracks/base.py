"""The one contract of every track: parameters in the constructor, learning in `fit`."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict

from toolkit.errors import (
    MissingColumnError,
    NotExplainableError,
    NotFittedError,
    OneClassError,
    ParameterError,
    TooFewLabelsError,
    did_you_mean,
)
from toolkit.operations.counts import NOTHING, Operations
from toolkit.records import SearchTrial
from toolkit.tasks.base import Schema, TrainingData

if TYPE_CHECKING:
    from toolkit.knowledge.explain.explainer import Explanations

__all__ = ["Step", "Track", "load_track"]


@dataclass(frozen=True)
class Step:
    """One rung as a track climbs it.

    Parameters
    ----------
    rung : int
        From 0; the largest is the track's full effort.
    data_rung : int or None
        Index into the experiment's ladder; None for no labelled rows.
    n_rules : int or None
        Number of rules in the order written, for a track that climbs rules.
    """

    rung: int
    data_rung: int | None
    n_rules: int | None = None


class Track(ABC):
    """A family of methods. Subclasses are dataclasses whose fields are the YAML's parameters.

    The constructor stores; `fit` learns and returns self; learned names end with ``_``.
    A track neither times nor scores itself, draws randomness only from the seed it is given,
    and never changes its inputs.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    title: ClassVar[str]
    """For people, e.g. ``"classical (scikit-learn)"``."""

    min_labels: ClassVar[int] = 0
    """Fewer labelled rows than this is a TooFewLabelsError."""

    seeded: ClassVar[bool] = True
    """False when nothing is drawn at random: one seed is enough."""

    imports: ClassVar[tuple[str, ...]] = ("numpy", "pandas")
    """Packages that fitting and predicting need; the cost of importing them is metered once."""

    schema_: Schema
    """The columns that it was fitted on; set by `fit`."""

    def steps(self, n_rungs: int) -> tuple[Step, ...]:
        """Return the rungs this track climbs; by default one for each rung of the ladder.

        Parameters
        ----------
        n_rungs : int
            Number of rungs of the experiment's ladder.
        """
        return tuple(Step(rung=rung, data_rung=rung) for rung in range(n_rungs))

    def at(self, step: Step) -> Self:
        """Return the track as it is at one rung; by default itself."""
        return self

    def check(self, schema: Schema, folder: Path) -> Self:
        """Check the parameters against the task before anything runs.

        Parameters
        ----------
        schema : Schema
            The task's columns.
        folder : Path
            Folder of the experiment file, which relative paths in parameters start from.

        Returns
        -------
        Track
            Itself, or a copy with its paths made absolute.

        Raises
        ------
        UserError
            A parameter does not fit the task.
        """
        return self

    trials_: tuple[SearchTrial, ...] = ()
    """What the search tried; on the track that `search` returned."""

    def search(self, train: TrainingData, *, budget_cpu_seconds: float, seed: int) -> Self:
        """Return a track with parameters chosen inside the rung, within the budget.

        By default nothing is searched. The choice uses rows of `train` only. The budget is nominal:
        counted in work, not timed, so that the same seed makes the same choice on every machine and on a
        busy one; what it really cost is metered.

        Parameters
        ----------
        train : TrainingData
            The rung's rows.
        budget_cpu_seconds : float
            Nominal CPU-seconds, the same for every track at a rung.
        seed : int

        Returns
        -------
        Track
            Not fitted, with its `trials_`.
        """
        return self

    def warm_up(self, few: TrainingData) -> None:
        """Do what only a process's first fit costs, so that no track is charged for it.

        Called on a copy, before anything is metered; by default a fit.

        Parameters
        ----------
        few : TrainingData
            A few hundred rows of the rung.
        """
        self.fit(few, seed=0)

    @abstractmethod
    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows, keep their schema as ``schema_``, and return self.

        Raises
        ------
        TooFewLabelsError, OneClassError
        """

    @abstractmethod
    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of label 1.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
            Columns of the schema, in any order; categories as codes of their levels (a table with names
            becomes that by `toolkit.models.frames.coded`).
        sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8, optional
            The raw signal of the rows where the task gives one; most tracks do not look at it.

        Returns
        -------
        ndarray of shape (n_rows,)
            In [0, 1], finite.

        Raises
        ------
        NotFittedError, MissingColumnError
        """

    @property
    def explains(self) -> bool:
        """Whether `explain` is there for this track."""
        return type(self).explain is not Track.explain

    def explain(self, features: pd.DataFrame) -> Explanations:
        """Explain every row: parts that add up to the log-odds of `predict_proba`; not every track can.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)

        Returns
        -------
        Explanations
            One a row; their probabilities are those of `predict_proba`, within 1e-6.

        Raises
        ------
        NotExplainableError
            The track has no knowledge base to explain with.
        NotFittedError, MissingColumnError
        """
        raise NotExplainableError(
            f"{type(self).__name__} gives no explanation of single rows: it has no knowledge base"
        )

    def reads(self) -> Schema:
        """Return the columns, and the channels of the raw signal, that the fitted track predicts from."""
        return Schema(self.schema_.columns)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return what search and fit chose, for the record (e.g. family, epochs, n_parameters)."""
        return {}

    def operations(self) -> Operations:
        """Return what fit and predicting a row took, counted, where a closed form exists; nothing otherwise.

        The same for a track that was saved and loaded. Nothing before `fit`.
        """
        return NOTHING

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, as scikit-learn's `clone` asks for them.

        Parameters
        ----------
        deep : bool
            Without meaning here: no parameter is an estimator.
        """
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # every track is a dataclass
        return {field.name: getattr(self, field.name) for field in fields if field.init}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and return self. What was learned stays until the next `fit`.

        Raises
        ------
        ParameterError
            There is no such parameter.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ParameterError(
                    f"{type(self).__name__} has no parameter '{name}'{did_you_mean(name, known)}",
                    path=(name,),
                )
            setattr(self, name, value)
        return self

    def save(self, folder: Path, *, example: Mapping[str, Any] | None = None) -> None:
        """Save the fitted track as a folder, without pickle; `load_track` gives it back.

        Parameters
        ----------
        folder : Path
            New or empty.
        example : mapping, optional
            A row to show what may be predicted: column -> number, name of a level, or None for missing;
            channel of the raw signal -> list of counts.

        Raises
        ------
        NotFittedError
        ModelError
            It learned something that cannot be saved, or the folder cannot be written.
        """
        # saving shapes no result, so it is no part of a cell's fingerprint
        from toolkit.models.saving import save

        save(self, folder, example=example)

    def _state(self) -> Mapping[str, Any]:
        """Return what was learned: names that end with ``_``, and values that can be saved.

        Those are None, numbers, texts, lists, tuples, dicts, NumPy arrays, dataclasses and named tuples of
        this package, knowledge bases and expert systems, scikit-learn estimators, and boosters of LightGBM
        and XGBoost.
        A track that keeps anything else overrides this and `_restore`.
        """
        return {name: value for name, value in vars(self).items() if name.endswith("_")}

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `_state` returned."""
        for name, value in state.items():
            setattr(self, name, value)

    # What subclasses share: the named errors of the contract.

    def _require_labels(self, train: TrainingData) -> None:
        """Raise when there are too few labels or only one class."""
        if len(train) < self.min_labels:
            raise TooFewLabelsError(
                f"{type(self).__name__} needs at least {self.min_labels} labelled rows, got {len(train)}"
            )
        if self.min_labels > 0 and len(np.unique(train.labels)) < 2:
            raise OneClassError(
                f"{type(self).__name__} needs both classes, but every label is {int(train.labels[0])}"
            )

    def _require_columns(self, features: pd.DataFrame, names: tuple[str, ...]) -> None:
        """Raise when a column is missing from `features`."""
        missing = [name for name in names if name not in features.columns]
        if missing:
            raise MissingColumnError(
                f"{type(self).__name__} was fitted on columns that are missing now: {', '.join(missing)}"
            )

    def _require_fitted(self, attribute: str) -> None:
        """Raise when `fit` has not set `attribute`."""
        if not hasattr(self, attribute):
            raise NotFittedError(f"{type(self).__name__} has not been fitted: call fit before predict_proba")


def load_track(folder: Path) -> Track:
    """Load a track that `Track.save` wrote; its predictions are the same to the last bit.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    ModelError
        A file is missing, damaged, changed, of a newer version, or no part of a track; the message names it.
        Nothing that a file says is imported or run.
    """
    from toolkit.models.loading import load

    track: Track = load(folder)
    return track
