"""The classical track: regularised logistic regression or histogram gradient boosting (scikit-learn)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import Encoder, row_blocks
from toolkit.tracks._search import Budget, choose, row_losses, sample_clusters
from toolkit.tracks.base import Track

__all__ = ["Classical"]

MAX_LEVELS = 254
"""scikit-learn bins a category into at most 255: the most frequent levels, and one for the rest."""


@dataclass
class Classical(Track):
    """Logistic regression or boosting; which of both is chosen on the inner split.

    Parameters
    ----------
    family : {"auto", "logistic", "boosting"}
        ``auto`` compares both in `search`, and is logistic regression where nothing was searched.
    inverse_penalty : float, optional
        C of the logistic regression: smaller is a stronger penalty.
    learning_rate : float, optional
        Shrinkage of the boosting.
    max_leaf_nodes : int, optional
        Size of its trees.
    search_rows : int
        Most labelled rows that a trial of the search uses.
    """

    family: Literal["auto", "logistic", "boosting"] = "auto"
    inverse_penalty: Annotated[float, Field(gt=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    max_leaf_nodes: Annotated[int, Field(ge=2)] | None = None
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

    def search(self, train: TrainingData, *, budget_cpu_seconds: float, seed: int) -> Self:
        """Choose the family and its main parameters on the inner split, within the budget."""
        self._require_labels(train)
        budget = Budget(budget_cpu_seconds)
        fitting, held_out = sample_clusters(train, self.search_rows, seed).inner_split(seed)

        def losses(track: Self) -> NDArray[np.float64]:
            return row_losses(held_out.labels, track.fit(fitting, seed=seed).predict_proba(held_out.features))

        if len(np.unique(fitting.labels)) < 2 or not len(held_out):
            return replace(self)
        found = choose(
            self._candidates(),
            losses,
            clusters=held_out.clusters,
            budget=budget,
            first_cost_seconds=budget_cpu_seconds * len(fitting) / len(train),
        )
        return replace(found or self)

    def _candidates(self) -> Iterator[Self]:
        """Yield the default of every family that is allowed, then variations of what was not given."""
        families: tuple[Literal["logistic", "boosting"], ...] = (
            ("logistic", "boosting") if self.family == "auto" else (self.family,)
        )
        for family in families:
            yield replace(self, family=family)
        if "logistic" in families and self.inverse_penalty is None:
            for value in (0.01, 1.0):
                yield replace(self, family="logistic", inverse_penalty=value)
        if "boosting" in families and self.max_leaf_nodes is None:
            yield replace(self, family="boosting", max_leaf_nodes=8)

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows and return self.

        Raises
        ------
        TooFewLabelsError, OneClassError, MissingColumnError
        """
        self._require_labels(train)
        self.model_: _Logistic | _Boosting
        if self.family == "boosting":
            self.model_ = _Boosting.fit(train, self, seed)
        else:
            self.model_ = _Logistic.fit(train, self)
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
            probabilities[rows] = self.model_.block(block)
        return probabilities

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the family and its parameters."""
        return self.model_.chosen() if hasattr(self, "model_") else {}


@dataclass(frozen=True)
class _Logistic:
    """A fitted logistic regression as arrays: predicting is a product and a look-up a category."""

    encoder: Encoder
    inverse_penalty: float
    bias: float
    slopes: NDArray[np.float32]
    levels: tuple[NDArray[np.float32], ...]
    iterations: int

    @classmethod
    def fit(cls, train: TrainingData, params: Classical) -> _Logistic:
        from sklearn.linear_model import LogisticRegression

        encoder = Encoder.learn(train.features, train.schema)
        rows = encoder.transform(train.features)
        n_rows = len(rows)
        parts = [csr_matrix(rows.numbers)]
        for position, levels in enumerate(encoder.n_levels):
            ones = (
                np.ones(n_rows, np.float32),
                rows.codes[:, position].astype(np.int32),
                np.arange(n_rows + 1, dtype=np.int32),
            )
            parts.append(csr_matrix(ones, shape=(n_rows, levels + 1)))
        penalty = params.inverse_penalty or 0.1
        model = LogisticRegression(C=penalty, solver="lbfgs", max_iter=1000, tol=1e-3)
        model.fit(hstack(parts, format="csr"), train.labels)
        weights = model.coef_[0].astype(np.float32)
        edges = encoder.n_inputs + np.cumsum([0, *(levels + 1 for levels in encoder.n_levels)])
        return cls(
            encoder=encoder,
            inverse_penalty=penalty,
            bias=float(model.intercept_[0]),
            slopes=weights[: encoder.n_inputs],
            levels=tuple(weights[a:b] for a, b in pairwise(edges)),
            iterations=int(model.n_iter_[0]),
        )

    def block(self, features: pd.DataFrame) -> NDArray[np.float64]:
        rows = self.encoder.transform(features)
        logits = rows.numbers @ self.slopes + np.float32(self.bias)
        for position, weights in enumerate(self.levels):
            logits += weights[rows.codes[:, position]]
        probabilities: NDArray[np.float64] = expit(logits.astype(np.float64))
        return probabilities

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        n_parameters = 1 + len(self.slopes) + sum(map(len, self.levels))
        return {
            "family": "logistic",
            "inverse_penalty": self.inverse_penalty,
            "iterations": self.iterations,
            "n_parameters": n_parameters,
        }


@dataclass(frozen=True)
class _Boosting:
    """A fitted boosting on raw numbers (missing values are its own business) and native categories."""

    encoder: Encoder
    folds: tuple[NDArray[np.float32], ...]
    model: Any

    @classmethod
    def fit(cls, train: TrainingData, params: Classical, seed: int) -> _Boosting:
        from sklearn.ensemble import HistGradientBoostingClassifier

        encoder = Encoder.plain(train.schema)
        fitting, held_out = train.inner_split(seed)
        folds = tuple(
            _fold(train.features[column.name].to_numpy(), len(column.levels))
            for column in train.schema.categories
        )
        n_numbers = len(encoder.numbers)
        model = HistGradientBoostingClassifier(
            learning_rate=params.learning_rate or 0.1,
            max_leaf_nodes=params.max_leaf_nodes or 31,
            max_iter=300,
            early_stopping=True,
            n_iter_no_change=10,
            categorical_features=[n_numbers + position for position in range(len(folds))],
            random_state=derive_seed("boosting", seed),
        )
        valid = (_design(encoder, folds, held_out.features), held_out.labels)
        model.fit(_design(encoder, folds, fitting.features), fitting.labels, X_val=valid[0], y_val=valid[1])
        return cls(encoder, folds, model)

    def block(self, features: pd.DataFrame) -> NDArray[np.float64]:
        probabilities: NDArray[np.float64] = self.model.predict_proba(
            _design(self.encoder, self.folds, features)
        )[:, 1]
        return probabilities

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        return {
            "family": "boosting",
            "learning_rate": self.model.learning_rate,
            "max_leaf_nodes": self.model.max_leaf_nodes,
            "iterations": int(self.model.n_iter_),
        }


def _fold(codes: NDArray[np.int32], n_levels: int) -> NDArray[np.float32]:
    """Return code + 1 -> bin: the most frequent levels each their own, the rest one, missing NaN."""
    bins = np.full(n_levels + 1, MAX_LEVELS, np.float32)
    bins[0] = np.nan
    counts = np.bincount(codes[codes >= 0], minlength=n_levels)
    frequent = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    bins[frequent + 1] = np.arange(len(frequent))
    return bins


def _design(
    encoder: Encoder, folds: tuple[NDArray[np.float32], ...], features: pd.DataFrame
) -> NDArray[np.float64]:
    matrix = encoder.matrix(features).astype(np.float64)
    n_numbers = len(encoder.numbers)
    for position, bins in enumerate(folds):
        codes = matrix[:, n_numbers + position].astype(np.int64) + 1
        codes[(codes < 0) | (codes >= len(bins))] = 0
        matrix[:, n_numbers + position] = bins[codes]
    return matrix
