"""The net of the neural and the hybrid track without torch: its shape, and prediction in numpy.

``z(x) = wide(x) + deep(x)``: a bent line for every column (see `toolkit.tracks._encode.hinged`) and
a bias for every category, plus a net of two hidden layers on numbers and category embeddings.
Predicting needs no torch, so that a served net costs no import of it and a single row no dispatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.tracks._encode import Encoded, Encoder, hinged, row_blocks, usual_penalty

__all__ = ["STRENGTHS", "Net", "Recipe", "Strength"]

Strength = Literal["strong", "medium", "weak"]

STRENGTHS: dict[Strength, tuple[float, float, int]] = {
    "strong": (1.0, 1.0, 1),
    "medium": (0.1, 1.5, 2),
    "weak": (0.01, 2.5, 4),
}
"""Regularisation -> factors on penalty, epochs and width: a freer net takes longer to use its freedom."""


@dataclass(frozen=True)
class Recipe:
    """Shape and training of a net.

    Parameters
    ----------
    width : int
        Units of each of the two hidden layers.
    dropout : float
        Share of hidden units that are left out in a training step.
    penalty : float
        Half of it times the sum of squared weights is added to the summed loss of the rows.
    learning_rate : float
        Highest rate of the schedule: linear warm-up, then half a cosine down to zero.
    epochs : int
        Passes over the labelled rows.
    batch_rows : int
        Labelled rows of a step.
    """

    width: int
    dropout: float
    penalty: float
    learning_rate: float
    epochs: int
    batch_rows: int

    @classmethod
    def for_rows(cls, n_rows: int, strength: Strength, **given: Any) -> Recipe:
        """Return the recipe for `n_rows` training rows; what is given (not None) stays as given.

        The powers go through what did best on the retail task's validation block at 1,600, 8,000,
        47,000 and 244,000 rows; in between the loss is flat.
        """
        rows = max(n_rows, 1)
        penalty, epochs, width = STRENGTHS[strength]
        recipe = cls(
            width=16 * width * int(np.clip(round(rows**0.25 / 5.5), 1, 8)),
            dropout=0.0,
            penalty=penalty * usual_penalty(n_rows),
            learning_rate=float(np.clip(0.003 * (rows / 50_000) ** -0.3, 0.001, 0.01)),
            epochs=round(epochs * np.clip(20 * (rows / 1600) ** -0.28, 4, 60)),
            batch_rows=int(np.clip(2 ** round(np.log2(2.5 * np.sqrt(rows))), 16, 1024)),
        )
        return replace(recipe, **{name: value for name, value in given.items() if value is not None})

    def work(self, n_rows: int) -> float:
        """Return the work of training on `n_rows` rows, in row passes through a net of no width."""
        return self.epochs * n_rows * (1 + self.width / 64)


@dataclass(frozen=True)
class Net:
    """A trained net as plain arrays.

    Parameters
    ----------
    encoder : Encoder
    weights : mapping of str to ndarray
        float32: ``bias`` (), ``linear`` (columns of `hinged`,), ``first`` (n_joined, width),
        ``first_bias`` (width,), ``second`` (width, width), ``second_bias`` (width,), ``last``
        (width,), and for category i ``level_i`` (n_levels + 1, 1) and ``embedding_i``
        (n_levels + 1, n_dimensions).
    """

    encoder: Encoder
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(array.size for array in self.weights.values())

    def logit(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the log-odds of label 1.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        logits = np.empty(len(features))
        for rows, block in row_blocks(features):
            logits[rows] = self._block(self.encoder.transform(block))
        return logits

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,)."""
        probabilities: NDArray[np.float64] = expit(self.logit(features))
        return probabilities

    def _block(self, rows: Encoded) -> NDArray[np.float32]:
        weights = self.weights
        logits = hinged(rows.numbers) @ weights["linear"] + weights["bias"]
        joined = [rows.numbers]
        for position in range(rows.codes.shape[1]):
            codes = rows.codes[:, position]
            logits += weights[f"level_{position}"][codes, 0]
            joined.append(weights[f"embedding_{position}"][codes])
        hidden = np.concatenate(joined, axis=1) @ weights["first"]
        hidden += weights["first_bias"]
        np.maximum(hidden, 0, out=hidden)
        hidden = hidden @ weights["second"]
        hidden += weights["second_bias"]
        np.maximum(hidden, 0, out=hidden)
        logits += hidden @ weights["last"]
        return logits
