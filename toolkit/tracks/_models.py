"""The two families of the classical track, fitted by scikit-learn and kept small for predicting."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, vstack
from scipy.special import expit

from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import Encoder, hinged, row_blocks

__all__ = ["Boosting", "Logistic"]

Chosen = dict[str, str | float | int | bool | None]

MAX_LEVELS = 254
"""scikit-learn bins a category into at most 255: the most frequent levels, and one for the rest."""

LEVEL_ROWS = 100
"""Fewer training rows than this, and a level shares the bin of the rest: splits on it would be luck."""


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on bent lines and categories: predicting is a product and look-ups.

    Parameters
    ----------
    encoder : Encoder
    penalty : float
        Half of it times the sum of squared weights was added to the summed loss.
    bias : float
    slopes : ndarray of shape (n_hinged,), float32
        One weight a column of `hinged`.
    levels : tuple of ndarray of shape (n_levels + 1,), float32
        One weight a level of each category; entry 0 is for missing.
    iterations : int
    """

    encoder: Encoder
    penalty: float
    bias: float
    slopes: NDArray[np.float32]
    levels: tuple[NDArray[np.float32], ...]
    iterations: int

    @classmethod
    def fit(cls, train: TrainingData, *, penalty: float) -> Logistic:
        """Fit by L-BFGS on a sparse matrix."""
        from sklearn.linear_model import LogisticRegression

        encoder = Encoder.learn(train.features, train.schema)
        model = LogisticRegression(C=1 / penalty, solver="lbfgs", max_iter=1000, tol=1e-3)
        # block by block: half of the hinges are zero, and the dense matrix of all rows is never held
        blocks = [_sparse(encoder, block) for _, block in row_blocks(train.features)]
        model.fit(vstack(blocks, format="csr"), train.labels)
        weights = model.coef_[0].astype(np.float32)
        n_slopes = len(weights) - sum(levels + 1 for levels in encoder.n_levels)
        edges = n_slopes + np.cumsum([0, *(levels + 1 for levels in encoder.n_levels)])
        return cls(
            encoder=encoder,
            penalty=penalty,
            bias=float(model.intercept_[0]),
            slopes=weights[:n_slopes],
            levels=tuple(weights[start:end] for start, end in pairwise(edges)),
            iterations=int(model.n_iter_[0]),
        )

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1 for one block of rows, shape (n_rows,)."""
        rows = self.encoder.transform(features)
        logits = hinged(rows.numbers) @ self.slopes + np.float32(self.bias)
        for position, weights in enumerate(self.levels):
            logits += weights[rows.codes[:, position]]
        probabilities: NDArray[np.float64] = expit(logits.astype(np.float64))
        return probabilities

    def chosen(self) -> Chosen:
        """Return the family and its parameters."""
        n_parameters = 1 + len(self.slopes) + sum(map(len, self.levels))
        return {
            "family": "logistic",
            "penalty": self.penalty,
            "iterations": self.iterations,
            "n_parameters": n_parameters,
        }


def _sparse(encoder: Encoder, features: pd.DataFrame) -> csr_matrix:
    """Return hinged numbers, then one column a level of each category, shape (n_rows, n_weights)."""
    rows = encoder.transform(features)
    ones = np.ones(len(rows), np.float32)
    ends = np.arange(len(rows) + 1, dtype=np.int32)
    levels = [
        csr_matrix((ones, codes.astype(np.int32), ends), shape=(len(rows), n_levels + 1))
        for codes, n_levels in zip(rows.codes.T, encoder.n_levels, strict=True)
    ]
    return hstack([csr_matrix(hinged(rows.numbers)), *levels], format="csr")


@dataclass(frozen=True)
class Boosting:
    """Histogram gradient boosting on raw numbers, missing ones included, and native categories.

    Parameters
    ----------
    encoder : Encoder
        Only for the order of columns.
    bins : tuple of ndarray of shape (n_levels + 1,), float64
        Of each category: code + 1 -> the bin that the trees know.
    model : HistGradientBoostingClassifier
    """

    encoder: Encoder
    bins: tuple[NDArray[np.float64], ...]
    model: Any

    @classmethod
    def fit(cls, train: TrainingData, *, learning_rate: float, max_leaf_nodes: int, seed: int) -> Boosting:
        """Find the number of trees on the inner split, then fit as many on all rows."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        encoder = Encoder.plain(train.schema)
        bins = _level_bins(train.features, train.schema)
        n_numbers = len(encoder.numbers)
        parameters: dict[str, Any] = {
            "learning_rate": learning_rate,
            "max_leaf_nodes": max_leaf_nodes,
            "min_samples_leaf": 40,
            "l2_regularization": 10.0,
            "categorical_features": list(range(n_numbers, n_numbers + len(bins))),
            "random_state": derive_seed("boosting", seed),
        }
        iterations = 50
        fitting, held_out = train.inner_split(seed)
        if len(np.unique(fitting.labels)) == len(np.unique(held_out.labels)) == 2:
            stopped = HistGradientBoostingClassifier(
                max_iter=500, early_stopping=True, n_iter_no_change=10, **parameters
            )
            stopped.fit(
                _design(encoder, bins, fitting.features),
                fitting.labels,
                X_val=_design(encoder, bins, held_out.features),
                y_val=held_out.labels,
            )
            iterations = max(1, int(np.argmax(stopped.validation_score_)))
        model = HistGradientBoostingClassifier(max_iter=iterations, early_stopping=False, **parameters)
        return cls(encoder, bins, model.fit(_design(encoder, bins, train.features), train.labels))

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1 for one block of rows, shape (n_rows,)."""
        design = _design(self.encoder, self.bins, features)
        probabilities: NDArray[np.float64] = self.model.predict_proba(design)[:, 1]
        return probabilities

    def chosen(self) -> Chosen:
        """Return the family and its parameters."""
        return {
            "family": "boosting",
            "learning_rate": self.model.learning_rate,
            "max_leaf_nodes": self.model.max_leaf_nodes,
            "iterations": int(self.model.n_iter_),
        }


def _level_bins(features: pd.DataFrame, schema: Schema) -> tuple[NDArray[np.float64], ...]:
    """Return code + 1 -> bin for every category: frequent levels their own, the rest one, missing NaN."""
    tables = []
    for column in schema.categories:
        codes = features[column.name].to_numpy()
        counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
        # a category of few levels keeps them all, however rare
        needed = LEVEL_ROWS if len(column.levels) > MAX_LEVELS // 8 else 1
        frequent = [level for level in np.argsort(-counts, kind="stable") if counts[level] >= needed]
        table = np.full(len(column.levels) + 1, float(MAX_LEVELS))
        table[0] = np.nan
        kept = np.asarray(frequent[:MAX_LEVELS], np.int64)
        table[kept + 1] = np.arange(len(kept))
        tables.append(table)
    return tuple(tables)


def _design(
    encoder: Encoder, bins: tuple[NDArray[np.float64], ...], features: pd.DataFrame
) -> NDArray[np.float64]:
    """Return numbers as they are, then the categories' bins, shape (n_rows, n_columns)."""
    matrix = encoder.matrix(features).astype(np.float64)
    for position, table in enumerate(bins, start=len(encoder.numbers)):
        codes = matrix[:, position].astype(np.int64) + 1
        codes[(codes < 0) | (codes >= len(table))] = 0
        matrix[:, position] = table[codes]
    return matrix
