"""The floor that every chart shows: one column that is already a probability, or the class prior."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import ParameterError, TooFewLabelsError, did_you_mean
from toolkit.operations.counts import NOTHING, Operations
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks.base import Step, Track

__all__ = ["Baseline"]


@dataclass
class Baseline(Track):
    """A one-line prediction.

    Parameters
    ----------
    column : str, optional
        A column that holds a probability; None predicts the class prior for every row. Where the
        column is missing, the class prior stands in.
    """

    column: str | None = None

    class_prior_: float | None = field(init=False, repr=False, compare=False)
    n_rows_: int = field(init=False, repr=False, compare=False)

    title: ClassVar[str] = "baseline"
    seeded: ClassVar[bool] = False

    def steps(self, n_rungs: int) -> tuple[Step, ...]:
        """Return one rung, with all the labels of the ladder's last."""
        return (Step(rung=0, data_rung=n_rungs - 1),)

    def check(self, schema: Schema, folder: Path) -> Self:
        """Check that the column is one of the task's numbers.

        Raises
        ------
        ParameterError
        """
        if self.column is not None and self.column not in schema.numbers:
            kind = "is a category, not a probability" if self.column in schema.names else "is not a column"
            raise ParameterError(
                f"'{self.column}' {kind} of the task{did_you_mean(self.column, schema.numbers)}",
                path=("column",),
            )
        return self

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Count the labels.

        Raises
        ------
        TooFewLabelsError
            There is neither a column nor a label.
        """
        n_rows = len(train)
        if n_rows == 0 and self.column is None:
            raise TooFewLabelsError("Baseline needs at least 1 labelled row when no column is given, got 0")
        self.schema_ = train.schema
        self.n_rows_ = n_rows
        # Half a row of each class (Jeffreys) keeps the log loss finite when all labels are the same.
        self.class_prior_ = (float(train.labels.sum()) + 0.5) / (n_rows + 1) if n_rows else None
        return self

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the column, or the class prior, shape (n_rows,)."""
        self._require_fitted("class_prior_")
        stand_in = 0.5 if self.class_prior_ is None else self.class_prior_
        if self.column is None:
            return np.full(len(features), stand_in)
        self._require_columns(features, (self.column,))
        probability = features[self.column].to_numpy(np.float64)
        return np.clip(np.where(np.isnan(probability), stand_in, probability), 0.0, 1.0)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the class prior and the column."""
        self._require_fitted("class_prior_")
        return {"class_prior": self.class_prior_, "column": self.column}

    def operations(self) -> Operations:
        """Return the labels that were summed, and the values that a prediction writes."""
        if not hasattr(self, "n_rows_"):
            return NOTHING
        # of a column: its type, where it is missing, what stands in, and the range of a probability
        written = 1.0 if self.column is None else 4.0
        return Operations({"element_operations": float(self.n_rows_)}, {"element_operations": written})
