"""Logistic regression on bent lines, fitted by scikit-learn and kept small for predicting."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, vstack
from scipy.special import expit

from toolkit.operations.counts import NOTHING, Operations, added, times
from toolkit.operations.logistic import counting_evaluations, fit_counts
from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import KNOTS, Encoder, hinged, row_blocks

__all__ = ["Chosen", "Logistic"]

Chosen = dict[str, str | float | int | bool | None]


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
    n_rows, stored_values : int
        Of the matrix that it was fitted to; 0 where that was not kept.
    evaluations : int or None
        Of loss and gradient; None where they could not be counted.
    """

    encoder: Encoder
    penalty: float
    bias: float
    slopes: NDArray[np.float32]
    levels: tuple[NDArray[np.float32], ...]
    iterations: int
    n_rows: int = 0
    stored_values: int = 0
    evaluations: int | None = None

    @classmethod
    def fit(cls, train: TrainingData, *, penalty: float) -> Logistic:
        """Fit by L-BFGS on a sparse matrix."""
        from sklearn.linear_model import LogisticRegression

        encoder = Encoder.learn(train.features, train.schema)
        model = LogisticRegression(C=1 / penalty, solver="lbfgs", max_iter=1000, tol=1e-3)
        # block by block: half of the hinges are zero, and the dense matrix of all rows is never held
        blocks = [_sparse(encoder, block) for _, block in row_blocks(train.features)]
        matrix = vstack(blocks, format="csr")
        with counting_evaluations() as evaluations:
            model.fit(matrix, train.labels)
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
            n_rows=matrix.shape[0],
            stored_values=int(matrix.nnz),
            evaluations=evaluations.told(int(model.n_iter_[0])),
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

    def operations(self) -> Operations:
        """Return what the fit, and what predicting a row took."""
        if not self.n_rows:
            return NOTHING
        n_columns = len(self.encoder.numbers) + len(self.encoder.categories)
        # a hinge is a difference and a maximum
        bent = 2.0 * len(KNOTS) * self.encoder.n_inputs
        encoding = {"encoded_values": float(n_columns), "element_operations": bent}
        fit = added(
            times(encoding, self.n_rows), fit_counts(self.n_rows, self.stored_values, self.evaluations)
        )
        # besides: the bias, a weight looked up and added for every category, and the logistic function
        added_up = {"flop": 2.0 * len(self.slopes), "element_operations": 2.0 + 2.0 * len(self.levels)}
        uncounted = () if self.evaluations is not None else ("evaluations of loss and gradient",)
        return Operations(fit, added(encoding, added_up), uncounted)


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
