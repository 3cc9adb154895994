"""The neural track: a small residual net on encoded numbers and category embeddings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import NotFittedError, ParameterError
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import CLUSTER_ROWS, Encoded, Encoder
from toolkit.tracks._net import Net, Recipe
from toolkit.tracks._net_track import NetTrack

if TYPE_CHECKING:
    from toolkit.tracks._torch import Trained

__all__ = ["Neural"]

FILTERS = 5
"""Filters of every channel of the raw signal."""


@dataclass
class Neural(NetTrack):
    """Linear part plus residual layers with category embeddings, trained by Adam.

    Parameters
    ----------
    inputs : {"features", "sequence", "both"}
        What the net reads: the columns; the raw signal of a row and the categories, but no number that a
        person thought of; or everything. The task must give the signal, e.g. ``sequence: true`` of retail.

    The other parameters are those of `toolkit.tracks._net_track.NetTrack`.
    """

    inputs: Literal["features", "sequence", "both"] = "features"

    title: ClassVar[str] = "neural (residual net with embeddings)"
    min_labels: ClassVar[int] = 20
    imports: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "scipy.special", "torch")

    def recipe(self, n_rows: int, cluster_rows: float = CLUSTER_ROWS) -> Recipe:
        """Return what is trained on `n_rows` labelled rows, so many of each cluster."""
        recipe = super().recipe(n_rows, cluster_rows)
        return recipe if self.inputs == "features" else replace(recipe, filters=FILTERS)

    def reads(self) -> Schema:
        """Return the columns and channels that the net predicts from."""
        return super().reads() if self.inputs == "features" else self._read(self.schema_)

    def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float:
        """Return the nominal CPU-seconds of a fit."""
        return super().fit_seconds(n_rows, self._read(schema))

    def _read(self, schema: Schema) -> Schema:
        """Return the columns that the net reads."""
        return schema if self.inputs != "sequence" else Schema(schema.categories, schema.channels)

    def check(self, schema: Schema, folder: Path) -> Self:
        """Check that there is a raw signal if one is to be read, and that nothing is given for nothing.

        Raises
        ------
        ParameterError
        """
        super().check(schema, folder)
        if self.inputs != "features" and not schema.channels:
            raise ParameterError(
                f"inputs: {self.inputs} reads the raw signal of a row, and the task gives none; retail does "
                "with task: {name: retail, sequence: true}",
                path=("inputs",),
            )
        return self

    def _learn(self, train: TrainingData, seed: int, held_out: TrainingData | None = None) -> Trained:
        from toolkit.tracks import _torch

        self.recipe_ = self.recipe(len(train), train.cluster_rows)
        encoder = Encoder.learn(train.features, self._read(train.schema))
        targets = [_torch.Target(self._encode(encoder, train), train.labels)]
        watched = None
        if held_out is not None:
            watched = _torch.HeldOut(self._encode(encoder, held_out), held_out.labels, held_out.clusters)
        trained = _torch.train(
            encoder, self.recipe_, targets, seed=derive_seed("net", seed), held_out=watched
        )
        return self._keep(trained, targets, watched)

    def _encode(self, encoder: Encoder, train: TrainingData) -> Encoded:
        rows = encoder.transform(train.features)
        return rows if self.inputs == "features" else replace(rows, sequence=train.sequence)

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,).

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        net: Net | None = getattr(self, "net_", None)
        if net is None:
            raise NotFittedError("Neural has not been fitted: call fit before predict_proba")
        return net.predict_proba(features, sequence)
