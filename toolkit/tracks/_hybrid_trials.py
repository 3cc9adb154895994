"""Whether labels speak against the teacher: tracks that trust it less are tried on held-out clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._search import Trial
from toolkit.tracks._teacher import FEWEST_CLUSTERS
from toolkit.tracks.base import Track

__all__ = ["folds_of", "most_trusting", "n_trials"]

AnyTrack = TypeVar("AnyTrack", bound=Track)

FOLDS = 5
ROUNDS = 3
"""Folds of these that are held out on few rows; beyond `FEW_ROWS`, one holds clusters enough."""

FEW_ROWS = 4_000

SURE = 0.95


def folds_of(clusters: NDArray[np.int32], seed: int) -> NDArray[np.intp]:
    """Return a fold for every row; rows of one cluster share theirs."""
    names, codes = np.unique(clusters, return_inverse=True)
    generator = np.random.default_rng(derive_seed("folds", seed))
    folds: NDArray[np.intp] = (generator.permutation(len(names)) % FOLDS)[codes]
    return folds


def n_trials(n_rows: int) -> int:
    """Return how many fits judge one candidate."""
    return ROUNDS if n_rows <= FEW_ROWS else 1


def most_trusting(candidates: Sequence[AnyTrack], train: TrainingData, seed: int) -> AnyTrack:
    """Return the first candidate, unless a later one is surely better.

    Parameters
    ----------
    candidates : sequence of Track
        Unfitted, in falling order of trust.
    train : TrainingData
        Rows from inside the rung. With few clusters the first candidate stays: the word of experts is
        not given up for what a handful of clusters happen to show.
    seed : int

    Returns
    -------
    Track
        Better by a one-sided t test over clusters, at 95 %, than the one that led before.
    """
    leader = candidates[0]
    if len(np.unique(train.clusters)) < FEWEST_CLUSTERS:
        return leader
    folds = folds_of(train.clusters, seed)
    trials = [
        Trial(train.take(folds != fold), train.take(folds == fold), seed)
        for fold in range(n_trials(len(train)))
    ]
    trials = [trial for trial in trials if trial.possible]
    if not trials:
        return leader
    least = _losses(leader, trials)
    for candidate in candidates[1:]:
        losses = _losses(candidate, trials)
        if _surely_less(losses - least):
            leader, least = candidate, losses
    return leader


def _losses(track: Track, trials: Sequence[Trial]) -> NDArray[np.float64]:
    return np.concatenate([trial.losses(track) for trial in trials])


def _surely_less(differences: NDArray[np.float64]) -> bool:
    n_clusters = len(differences)
    if n_clusters < 2:
        return False
    error = float(differences.std(ddof=1)) * np.sqrt(n_clusters)
    return bool(differences.sum() < -float(stats.t.ppf(SURE, n_clusters - 1)) * error)
