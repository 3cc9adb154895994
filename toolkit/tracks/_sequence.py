"""A net on the raw signal of a row, without torch: its shape, its state, and prediction in numpy.

The signal goes through a bank of learned filters (`toolkit.tracks._filters`), whose outputs join the
numbers of the net that `toolkit.tracks._net` describes. Without numbers the signal and the categories
are all that the net sees: nobody has to think of features then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.errors import DataError
from toolkit.tracks._encode import Encoded, Encoder, hinged, row_blocks
from toolkit.tracks._filters import FilterBank
from toolkit.tracks._net import Recipe

__all__ = ["SequenceNet", "SequenceRecipe"]

STATE_VERSION = 1


@dataclass(frozen=True)
class SequenceRecipe(Recipe):
    """Shape and training of a net on the raw signal.

    Parameters
    ----------
    width, dropout, penalty, learning_rate, epochs, batch_rows
        As in `Recipe`; rates of the filters are not penalised.
    n_filters : int
        Filters of every channel.
    patience : int
        Epochs without a better held-out loss after which training ends, where rows are held out.
    """

    n_filters: int = 5
    patience: int = 2


@dataclass(frozen=True)
class SequenceNet:
    """A trained net as plain arrays.

    Parameters
    ----------
    encoder : Encoder
        Of the columns beside the signal; one of category columns only where the signal is to
        replace the features.
    bank : FilterBank
    weights : mapping of str to ndarray
        float32, under the names of `toolkit.tracks._net.Net`; filters come before numbers.
    """

    encoder: Encoder
    bank: FilterBank
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def n_parameters(self) -> int:
        """Number of weights, rates of the filters included."""
        return self.bank.rates.size + sum(array.size for array in self.weights.values())

    def logit(self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None) -> NDArray[np.float64]:
        """Return the log-odds of label 1.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
        sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8

        Returns
        -------
        ndarray of shape (n_rows,)

        Raises
        ------
        DataError
            There is no signal, or one of another shape.
        MissingColumnError
        """
        if sequence is None or len(sequence) != len(features):
            got = "none" if sequence is None else f"{len(sequence)} for {len(features)} rows"
            raise DataError(
                f"the net was trained on the raw signal and needs one a row, got {got}; ask the task for "
                "it, e.g. task: {name: retail, sequence: true}"
            )
        logits = np.empty(len(features))
        for rows, block in row_blocks(features):
            logits[rows] = self._block(self.encoder.transform(block), sequence[rows])
        return logits

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None
    ) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,)."""
        probabilities: NDArray[np.float64] = expit(self.logit(features, sequence))
        return probabilities

    def _block(self, rows: Encoded, sequence: NDArray[np.uint8]) -> NDArray[np.float32]:
        weights = self.weights
        numbers = np.concatenate([self.bank.transform(sequence), rows.numbers], axis=1)
        logits = hinged(numbers) @ weights["linear"] + weights["bias"]
        joined = [numbers]
        for position in range(rows.codes.shape[1]):
            codes = rows.codes[:, position]
            logits += weights[f"level_{position}"][codes, 0]
            joined.append(weights[f"embedding_{position}"][codes])
        hidden = np.concatenate(joined, axis=1)
        for layer in ("first", "second"):
            hidden = hidden @ weights[layer]
            hidden += weights[f"{layer}_bias"]
            np.maximum(hidden, 0, out=hidden)
        logits += hidden @ weights["last"]
        return logits

    def config(self) -> dict[str, Any]:
        """Return all that is no array, as plain data that JSON can hold."""
        return {
            "version": STATE_VERSION,
            "n_steps": self.bank.n_steps,
            "numbers": list(self.encoder.numbers),
            "categories": list(self.encoder.categories),
            "n_levels": list(self.encoder.n_levels),
            "indicated": self.encoder.indicated.tolist(),
        }

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return all arrays by name, float32: with `config`, all that `of_state` needs."""
        parts = (("bank", self.bank, BANK_ARRAYS), ("encoder", self.encoder, ENCODER_ARRAYS))
        named = {f"{part}.{name}": getattr(owner, name) for part, owner, names in parts for name in names}
        return {**named, **{f"net.{name}": array for name, array in self.weights.items()}}

    @classmethod
    def of_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float32]]) -> SequenceNet:
        """Return the net that gave `config` and `arrays`.

        Raises
        ------
        DataError
            A newer version of the toolkit wrote them, or an array is missing.
        """
        if config["version"] > STATE_VERSION:
            raise DataError(
                f"the net has format {config['version']}, this version reads up to {STATE_VERSION}; "
                "install the newer version"
            )
        missing = [
            name
            for name in (*(f"bank.{n}" for n in BANK_ARRAYS), *(f"encoder.{n}" for n in ENCODER_ARRAYS))
            if name not in arrays
        ]
        if missing:
            raise DataError(f"arrays of the net are missing: {', '.join(missing)}")
        encoder = Encoder(
            numbers=tuple(config["numbers"]),
            categories=tuple(config["categories"]),
            n_levels=tuple(config["n_levels"]),
            indicated=np.array(config["indicated"], np.int64),
            **{name: arrays[f"encoder.{name}"] for name in ENCODER_ARRAYS},
        )
        bank = FilterBank(config["n_steps"], **{name: arrays[f"bank.{name}"] for name in BANK_ARRAYS})
        weights = {name.removeprefix("net."): arrays[name] for name in arrays if name.startswith("net.")}
        return cls(encoder, bank, weights)


BANK_ARRAYS = ("rates", "centre", "spread")
ENCODER_ARRAYS = ("size", "centre", "spread", "lowest", "highest")
