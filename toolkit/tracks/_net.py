"""The net of the neural and the hybrid track: its recipe, and predicting with numpy.

A linear part (bent lines and one weight a category level) keeps what additive models are good at. Beside it
stands a stack of hidden layers, residual from the second on, that sees the same bent lines as a piecewise
linear embedding of every number, and an embedding of every category; its last layer starts at zero. With
more than one member, a small ensemble shares the large matrices and differs in cheap vectors only (Wen et
al., BatchEnsemble, 2020; Gorishniy et al., TabM, 2025).

A net that reads the raw signal of a row sends it through a bank of learned filters first
(`toolkit.tracks._filters`), whose outputs stand before the numbers. Without numbers, the signal and the
categories are all that it sees: nobody has to think of features then.

Predicting needs no torch, so that a served net costs no import of it and a single row no dispatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from toolkit.errors import DataError
from toolkit.tracks._encode import CLUSTER_ROWS, Encoded, Encoder, hinged, row_blocks, usual_penalty
from toolkit.tracks._filters import FilterBank

__all__ = ["STRENGTHS", "Net", "Recipe", "Strength"]

Strength = Literal["strong", "medium", "weak"]

STRENGTHS: dict[Strength, tuple[float, float, int]] = {
    "strong": (1.0, 1.0, 1),
    "medium": (0.1, 1.5, 1),
    "weak": (0.01, 2.0, 2),
}
"""Regularisation -> factors on penalty, epochs and width: a freer net takes longer to use its freedom."""


@dataclass(frozen=True)
class Recipe:
    """Shape and training of a net.

    Parameters
    ----------
    width : int
        Units of each hidden layer.
    depth : int
        Hidden layers; from the second on each adds to what it was given.
    members : int
        Members of the ensemble that share the matrices; 1 for none.
    filters : int
        Filters of every channel of the raw signal; 0 where it is not read.
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
    depth: int = 2
    members: int = 1
    filters: int = 0

    @classmethod
    def for_rows(
        cls, n_rows: int, strength: Strength, cluster_rows: float = CLUSTER_ROWS, **given: Any
    ) -> Recipe:
        """Return the recipe for `n_rows` training rows; what is given (not None) stays as given.

        The powers go through what did best on the retail task's validation block at 1,600, 8,000,
        47,000 and 244,000 rows; in between the loss is flat.
        """
        rows = max(n_rows, 1)
        penalty, epochs, width = STRENGTHS[strength]
        recipe = cls(
            width=16 * width * int(np.clip(round(rows**0.25 / 5.5), 1, 4)),
            dropout=0.0,
            penalty=penalty * usual_penalty(n_rows, cluster_rows),
            learning_rate=float(np.clip(0.003 * (rows / 50_000) ** -0.3, 0.001, 0.01)),
            epochs=round(epochs * np.clip(20 * (rows / 1600) ** -0.28, 4, 60)),
            batch_rows=int(np.clip(2 ** round(np.log2(2.5 * np.sqrt(rows))), 16, 1024)),
        )
        return replace(recipe, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class Net:
    """A trained net as plain arrays.

    Parameters
    ----------
    encoder : Encoder
    weights : mapping of str to ndarray
        float32. Linear part: ``bias`` (), ``linear`` (columns of `hinged`,), and ``level_i``
        (n_levels + 1, 1) for category i. Hidden part: ``embedding_i`` (n_levels + 1, n_dimensions),
        ``hidden_j`` (n_joined or width, width), ``shift_j`` (members, width), ``last`` (members, width),
        and with more than one member also ``input_gain`` (members, n_joined) and ``gain_j`` (members, width).
    bank : FilterBank or None
        Of a net that reads the raw signal.
    """

    encoder: Encoder
    weights: Mapping[str, NDArray[np.float32]]
    bank: FilterBank | None = None

    @property
    def n_parameters(self) -> int:
        """Number of weights, rates of the filters included."""
        filters = 0 if self.bank is None else self.bank.rates.size
        return filters + sum(array.size for array in self.weights.values())

    def logit(self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None) -> NDArray[np.float64]:
        """Return the log-odds of label 1; of an ensemble, those of its mean probability.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
        sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8, optional
            The raw signal, for a net that reads it.

        Returns
        -------
        ndarray of shape (n_rows,)

        Raises
        ------
        DataError
            The net reads the raw signal, and there is none or one of another shape.
        MissingColumnError
        """
        if self.bank is not None and (sequence is None or len(sequence) != len(features)):
            got = "none" if sequence is None else f"{len(sequence)} for {len(features)} rows"
            raise DataError(
                f"the net was trained on the raw signal and needs one a row, got {got}; ask the task for "
                "it, e.g. task: {name: retail, sequence: true}"
            )
        logits = np.empty(len(features))
        for rows, block in row_blocks(features):
            encoded = self.encoder.transform(block)
            if self.bank is not None and sequence is not None:
                filtered = self.bank.transform(sequence[rows])
                encoded = replace(encoded, numbers=np.concatenate([filtered, encoded.numbers], axis=1))
            logits[rows] = self._block(encoded)
        return logits

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,)."""
        probabilities: NDArray[np.float64] = expit(self.logit(features, sequence))
        return probabilities

    def _block(self, rows: Encoded) -> NDArray[np.float64]:
        weights = self.weights
        wide = hinged(rows.numbers)
        logits = wide @ weights["linear"] + weights["bias"]
        parts = [wide]
        for position in range(rows.codes.shape[1]):
            codes = rows.codes[:, position]
            logits += weights[f"level_{position}"][codes, 0]
            parts.append(weights[f"embedding_{position}"][codes])
        joined = np.concatenate(parts, axis=1)
        members = len(weights["last"])
        if members == 1:
            logits += self._hidden(joined, 0)
            return logits.astype(np.float64)
        # one member after another: the block's arrays stay in the cache
        means = np.zeros(len(rows))
        for member in range(members):
            means += expit((logits + self._hidden(joined, member)).astype(np.float64))
        # away from 0 and 1, whose log-odds are infinite
        logs: NDArray[np.float64] = logit(np.clip(means / members, 1e-15, 1 - 1e-15))
        return logs

    def _hidden(self, joined: NDArray[np.float32], member: int) -> NDArray[np.float32]:
        """Return what the hidden layers of one member add to the log-odds, shape (n_rows,)."""
        weights = self.weights
        ensemble = "input_gain" in weights
        hidden = joined * weights["input_gain"][member] if ensemble else joined
        layer = 0
        while f"hidden_{layer}" in weights:
            moved = hidden @ weights[f"hidden_{layer}"]
            if ensemble:
                moved *= weights[f"gain_{layer}"][member]
            moved += weights[f"shift_{layer}"][member]
            np.maximum(moved, 0, out=moved)
            hidden = moved if layer == 0 else np.add(moved, hidden, out=moved)
            layer += 1
        added: NDArray[np.float32] = hidden @ weights["last"][member]
        return added
