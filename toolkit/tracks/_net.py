"""The net of the neural and the hybrid track without torch: its shape, and prediction in numpy.

``z(x) = linear(x) + mean over members of member(x)``: a linear part, plus a few two-layer nets
that share the input and the category embeddings and are trained side by side. Predicting needs
no torch, so that a served net costs no import of it and a single row no dispatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.tracks._encode import Encoded, Encoder, row_blocks

__all__ = ["Net", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Shape and training of a net.

    Parameters
    ----------
    width : int
        Units of each of the two hidden layers of a member.
    members : int
        Nets that are averaged.
    dropout : float
        Share of hidden units that are left out in a training step.
    weight_decay : float
        Of AdamW, decoupled from the gradient.
    learning_rate : float
        Highest rate of the schedule: linear warm-up, then a half cosine to zero.
    epochs : int
        Passes over the labelled rows.
    batch_rows : int
        Labelled rows of a step.
    """

    width: int
    members: int
    dropout: float
    weight_decay: float
    learning_rate: float
    epochs: int
    batch_rows: int

    @classmethod
    def for_rows(cls, n_rows: int, **given: Any) -> Recipe:
        """Return the recipe for `n_rows` training rows; what is given (not None) stays as given."""
        small = n_rows < 20_000
        recipe = cls(
            width=int(np.clip(16 * round(0.125 * max(n_rows, 1) ** 0.34), 16, 128)),
            members=4 if small else 1,
            dropout=0.2 if small else 0.0,
            weight_decay=0.1,
            learning_rate=3e-3,
            epochs=int(np.clip(round(600 / max(n_rows, 1) ** 0.4), 5, 40)),
            batch_rows=int(np.clip(2 ** round(np.log2(max(n_rows, 1) / 100)), 32, 1024)),
        )
        return replace(recipe, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class Net:
    """A trained net as plain arrays.

    Parameters
    ----------
    encoder : Encoder
    weights : mapping of str to ndarray
        float32: ``bias`` (), ``linear`` (n_inputs,), ``first`` (n_joined, members * width),
        ``first_bias``, ``second`` (members, width, width), ``second_bias`` (members, 1, width),
        ``last`` (members, width, 1), and for category i ``level_i`` (n_levels + 1, 1) and
        ``embedding_i`` (n_levels + 1, n_dimensions).
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
        n_rows = len(rows)
        logits = rows.numbers @ weights["linear"] + weights["bias"]
        joined = [rows.numbers]
        for position in range(rows.codes.shape[1]):
            codes = rows.codes[:, position]
            logits += weights[f"level_{position}"][codes, 0]
            joined.append(weights[f"embedding_{position}"][codes])
        members, width, _ = weights["second"].shape
        hidden = np.concatenate(joined, axis=1) @ weights["first"] + weights["first_bias"]
        np.maximum(hidden, 0, out=hidden)
        hidden = hidden.reshape(n_rows, members, width).transpose(1, 0, 2) @ weights["second"]
        hidden += weights["second_bias"]
        np.maximum(hidden, 0, out=hidden)
        logits += (hidden @ weights["last"])[:, :, 0].mean(axis=0)
        return logits
