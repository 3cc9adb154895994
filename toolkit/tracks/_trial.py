"""Where a search compares candidates: rows to fit, and rows of other clusters, or later ones, to judge by."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._judge import telling_clusters

__all__ = ["Trial", "sample_clusters"]

LATER = 0.75
"""Share of the rows, about, that is earlier than those that a new leader has to prove itself on."""

ENOUGH_EARLIER = 0.3
"""With a smaller share of earlier rows to fit, time is not split."""


def sample_clusters(train: TrainingData, max_rows: int, seed: int) -> TrainingData:
    """Return whole clusters in random order while they fit into `max_rows`, at least two."""
    if len(train) <= max_rows:
        return train
    names, codes, counts = np.unique(train.clusters, return_inverse=True, return_counts=True)
    order = np.random.default_rng(derive_seed("sample_clusters", seed)).permutation(len(names))
    taken = order[: max(2, int(np.searchsorted(np.cumsum(counts[order]), max_rows, side="right")))]
    return train.take(np.isin(codes, taken))


@dataclass(frozen=True)
class Trial:
    """Where candidates are compared: rows to fit, and rows of other clusters to judge by.

    Parameters
    ----------
    fitting, held_out : TrainingData
    seed : int
    reach : float
        How many times the nominal cost of a fit may be used, by one that does not know before how long
        it takes.
    """

    fitting: TrainingData
    held_out: TrainingData
    seed: int
    reach: float = math.inf

    @classmethod
    def of(cls, train: TrainingData, max_rows: int, seed: int) -> Trial:
        """Split at most `max_rows` rows by cluster, from inside the rung."""
        return cls(*sample_clusters(train, max_rows, seed).inner_split(seed), seed)

    def ahead(self) -> Trial | None:
        """Return a trial that fits on earlier rows and judges by later ones; None where time cannot be split.

        Rows of one week share what made it special; a model that learns the week looks good on other clusters
        of that week, and is not in those to come. The cut lies between two times, as near to the third
        quartile as it can.
        """
        times, counts = np.unique(np.concatenate([self.fitting.time, self.held_out.time]), return_counts=True)
        shares = np.cumsum(counts)[:-1] / counts.sum()
        if not len(shares):
            return None
        cut = times[1:][np.argmin(np.abs(shares - LATER))]
        earlier, later = self.fitting.time < cut, self.held_out.time >= cut
        if earlier.mean() < ENOUGH_EARLIER:
            return None
        trial = replace(self, fitting=self.fitting.take(earlier), held_out=self.held_out.take(later))
        # with less than two clusters of the rarer outcome, whoever says it most boldly would be right
        return trial if trial.possible and trial.telling > 1 else None

    @property
    def possible(self) -> bool:
        """Whether there is something to learn from and something to judge by."""
        return len(np.unique(self.fitting.labels)) == 2 and len(self.held_out) > 0

    def obstacle(self, min_labels: int) -> str:
        """Return why nothing can be compared here by a track that needs so many labels; nothing if it can."""
        if not self.possible:
            return "no rows can be held out, or those to fit have one class only"
        if len(self.fitting) < min_labels:
            return f"{len(self.fitting)} rows are left when some are held out, and {min_labels} are needed"
        return ""

    @cached_property
    def telling(self) -> int:
        """Held-out clusters that a comparison rests on; see `telling_clusters`."""
        return telling_clusters(self.held_out.labels, self.held_out.clusters)

    def losses(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the summed log loss of every held-out cluster, shape (n_clusters,)."""
        chances = np.clip(probabilities, 1e-7, 1 - 1e-7)
        losses = -np.where(self.held_out.labels == 1, np.log(chances), np.log1p(-chances))
        _, codes = np.unique(self.held_out.clusters, return_inverse=True)
        return np.bincount(codes, weights=losses).astype(np.float64)
