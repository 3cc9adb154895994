"""The classical track: penalised logistic regression or histogram gradient boosting (scikit-learn)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import row_blocks, usual_penalty
from toolkit.tracks._models import Boosting, Logistic
from toolkit.tracks._search import Budget, Contest, Trial
from toolkit.tracks.base import Track

__all__ = ["Classical"]


BOOSTING_WORK = 3.0
"""Time of boosting over that of logistic regression on the 20,000 rows of a trial, about."""


@dataclass
class Classical(Track):
    """Logistic regression or boosting; which of both is decided on the inner split.

    Parameters
    ----------
    family : {"auto", "logistic", "boosting"}
        ``auto`` fits both, logistic regression with two penalties, on a part of at most
        `search_rows` rows and keeps the best.
    penalty_factor : float
        Of the logistic regression, on `toolkit.tracks._encode.usual_penalty`.
    learning_rate : float
        Shrinkage of the boosting.
    max_leaf_nodes : int
        Size of its trees.
    search_rows : int
        Most labelled rows that a trial uses.
    """

    family: Literal["auto", "logistic", "boosting"] = "auto"
    penalty_factor: Annotated[float, Field(gt=0)] = 1.0
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.08
    max_leaf_nodes: Annotated[int, Field(ge=2)] = 15
    search_rows: Annotated[int, Field(ge=100)] = 20_000

    title: ClassVar[str] = "classical (scikit-learn)"
    min_labels: ClassVar[int] = 20
    imports: ClassVar[tuple[str, ...]] = (
        "numpy",
        "pandas",
        "scipy.sparse",
        "sklearn.ensemble",
        "sklearn.linear_model",
    )

    def search(self, train: TrainingData, *, budget_fits: float, seed: int) -> Self:
        """Choose the family and its main parameters on the inner split, within the budget."""
        self._require_labels(train)
        budget = Budget(budget_fits * self._work(len(train)))
        trial = Trial.of(train, self.search_rows, seed)
        contest: Contest[Self] = Contest(trial, budget, lambda track: track._work(len(trial.fitting)))
        contest.enter(self._families())
        contest.enter(contest.best(self)._variations())
        leader = contest.best(self)
        return replace(leader)

    def _work(self, n_rows: int) -> float:
        """Return the work of a fit to `n_rows` rows, in rows of a logistic regression."""
        if self.family != "auto":
            return n_rows * (BOOSTING_WORK if self.family == "boosting" else 1.0)
        trials = sum(candidate._work(min(n_rows, self.search_rows)) for candidate in self._families())
        return trials + n_rows

    def _families(self) -> Iterator[Self]:
        if self.family in ("auto", "logistic"):
            yield replace(self, family="logistic")
        if self.family == "auto":
            yield replace(self, family="logistic", penalty_factor=self.penalty_factor / 20)
        if self.family in ("auto", "boosting"):
            yield replace(self, family="boosting")

    def _variations(self) -> Iterator[Self]:
        """Yield this track with its main parameter changed."""
        if self.family == "logistic":
            for factor in (1 / 4, 4.0):
                yield replace(self, penalty_factor=self.penalty_factor * factor)
        elif self.family == "boosting":
            yield replace(self, max_leaf_nodes=2 * self.max_leaf_nodes)
            yield replace(self, max_leaf_nodes=max(2, self.max_leaf_nodes // 2))

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows and return self.

        Raises
        ------
        TooFewLabelsError, OneClassError, MissingColumnError
        """
        self._require_labels(train)
        self.schema_ = train.schema
        found = self
        if self.family == "auto":
            contest: Contest[Self] = Contest(Trial.of(train, self.search_rows, seed))
            contest.enter(self._families())
            found = contest.best(self)
        self.model_: Logistic | Boosting
        if found.family == "boosting":
            self.model_ = Boosting.fit(
                train, learning_rate=self.learning_rate, max_leaf_nodes=self.max_leaf_nodes, seed=seed
            )
        else:
            self.model_ = Logistic.fit(train, penalty=found.penalty_factor * usual_penalty(len(train)))
        return self

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,).

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        self._require_fitted("model_")
        probabilities = np.empty(len(features))
        for rows, block in row_blocks(features):
            probabilities[rows] = self.model_.predict_proba(block)
        return probabilities

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the family and its parameters."""
        return self.model_.chosen() if hasattr(self, "model_") else {}
