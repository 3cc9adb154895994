"""The neural track: a small residual net on encoded numbers and category embeddings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net_track import NetTrack
from toolkit.tracks._search import Attempt, Trial

if TYPE_CHECKING:
    from toolkit.tracks._torch import Trained

__all__ = ["Neural"]


@dataclass
class Neural(NetTrack):
    """Linear part plus residual layers with category embeddings, trained by Adam."""

    title: ClassVar[str] = "neural (residual net with embeddings)"
    min_labels: ClassVar[int] = 20
    imports: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "scipy.special", "torch")

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows and return self.

        Raises
        ------
        TooFewLabelsError, OneClassError, MissingColumnError
        """
        self._require_labels(train)
        self._train(train, seed)
        return self

    def attempt(self, trial: Trial) -> Attempt[Self]:
        """Train on the trial's rows, stopping early by its held-out ones."""
        track = replace(self)
        trained = track._train(trial.fitting, trial.seed, held_out=trial.held_out)
        return Attempt(
            track.predict_proba(trial.held_out.features),
            settled=track._settled(trained),
            used=trained.epochs / track.recipe_.epochs,
        )

    def _train(self, train: TrainingData, seed: int, held_out: TrainingData | None = None) -> Trained:
        from toolkit.tracks import _torch

        self.recipe_ = self.recipe(len(train), train.cluster_rows)
        encoder = Encoder.learn(train.features, train.schema)
        target = _torch.Target(encoder.transform(train.features), train.labels)
        watched = None
        if held_out is not None:
            rows = encoder.transform(held_out.features)
            watched = _torch.HeldOut(rows, held_out.labels, held_out.clusters)
        trained = _torch.train(
            encoder, self.recipe_, [target], seed=derive_seed("net", seed), held_out=watched
        )
        self.net_, self.steps_ = trained.net, trained.steps
        self.step_rows_ = min(self.recipe_.batch_rows, len(train))
        return trained

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,).

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        self._require_fitted("net_")
        return self.net_.predict_proba(features)
