"""What columns say that no rule reads, as far as they agree with the experts; no label is needed for it.

If such a column were independent of what the experts look at once the outcome is known, then
``E[experts' probability | column]`` would be ``P(outcome | column)``, and its log-odds could be added
to the experts' (two views of one thing: A. Blum and T. Mitchell, "Combining labeled and unlabeled data with
co-training", 1998). Columns are never quite independent, so every column counts by itself, as in naive
Bayes, and `Teacher.before_labels` brings the sum of both views back to the experts' size.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.tracks._encode import Encoder

__all__ = ["Witnesses"]

SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True)
class Witnesses:
    """A sum over encoded columns, in the size of log-odds and 0 on average.

    Parameters
    ----------
    encoder : Encoder
        Learned on the unlabelled rows.
    positions : ndarray of shape (n_columns,), int64
        Which of the encoder's numbers are read.
    centre, weights : ndarray of shape (n_columns,)
    """

    encoder: Encoder
    positions: NDArray[np.int64]
    centre: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def learn(
        cls, encoder: Encoder, features: pd.DataFrame, logits: NDArray[np.float64], known: Collection[str]
    ) -> Witnesses | None:
        """Learn from unlabelled rows how far each column agrees with the experts.

        Parameters
        ----------
        encoder : Encoder
        features : DataFrame of shape (n_rows, n_columns)
        logits : ndarray of shape (n_rows,)
            The experts' log-odds.
        known : collection of str
            Columns that the experts read.

        Returns
        -------
        Witnesses or None
            None where no other column agrees or disagrees with them.
        """
        positions = np.array([i for i, name in enumerate(encoder.numbers) if name not in known], np.int64)
        spread = float(logits.std()) if len(logits) else 0.0
        if not len(positions) or spread < SMALLEST_SPREAD:
            return None
        numbers = encoder.transform(features).numbers[:, positions].astype(np.float64)
        centre, scale = numbers.mean(axis=0), numbers.std(axis=0)
        moves = scale > SMALLEST_SPREAD
        standard = (numbers - centre) / np.where(moves, scale, 1.0)
        agreement = np.where(moves, standard.T @ ((logits - logits.mean()) / spread) / len(logits), 0.0)
        # few rows make columns agree by chance, by about 1 / sqrt(rows)
        chance = np.divide(1 / len(logits), agreement**2, out=np.ones_like(agreement), where=moves)
        agreement *= np.maximum(0.0, 1.0 - chance)
        total = standard @ agreement
        size = float(total @ total)
        if size < SMALLEST_SPREAD:
            return None
        # what the sum says of the experts' log-odds: their regression on it
        slope = float(total @ logits) / size
        return cls(encoder, positions, centre, slope * agreement / np.where(moves, scale, 1.0))

    def evidence(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return what the columns say, shape (n_rows,)."""
        numbers = self.encoder.transform(features).numbers[:, self.positions]
        said: NDArray[np.float64] = (numbers - self.centre) @ self.weights
        return said
