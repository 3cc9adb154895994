"""The search that the learned tracks share: candidates in order, within a budget of CPU-seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData

__all__ = ["Budget", "choose", "row_losses", "sample_clusters"]

Candidate = TypeVar("Candidate")


class Budget:
    """CPU-seconds of this process that a search may use, counted from now."""

    def __init__(self, cpu_seconds: float) -> None:
        self._end = time.process_time() + cpu_seconds

    def left_seconds(self) -> float:
        """Return what is left; negative when overdrawn."""
        return self._end - time.process_time()


def sample_clusters(train: TrainingData, max_rows: int, seed: int) -> TrainingData:
    """Return whole clusters in random order until `max_rows` is reached; all when they are fewer."""
    if len(train) <= max_rows:
        return train
    names, codes, counts = np.unique(train.clusters, return_inverse=True, return_counts=True)
    order = np.random.default_rng(derive_seed("sample_clusters", seed)).permutation(len(names))
    taken = order[: max(1, int(np.searchsorted(np.cumsum(counts[order]), max_rows, side="right")))]
    return train.take(np.isin(codes, taken))


def row_losses(labels: NDArray[np.int8], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row's log loss; probabilities are kept 1e-7 away from 0 and 1."""
    clipped = np.clip(probabilities, 1e-7, 1 - 1e-7)
    losses: NDArray[np.float64] = -np.where(labels == 1, np.log(clipped), np.log1p(-clipped))
    return losses


def choose(
    candidates: Iterable[Candidate],
    losses: Callable[[Candidate], NDArray[np.float64]],
    *,
    clusters: NDArray[np.int32],
    budget: Budget,
    first_cost_seconds: float,
) -> Candidate | None:
    """Return the candidate with the least loss on held-out rows, or None when nothing was tried.

    The first candidate is the default. Another one takes the lead only by more than one standard
    error of its paired advantage over clusters: with few clusters the smallest mean is mostly luck.

    Parameters
    ----------
    candidates : iterable
        In order of promise; those the budget does not reach are not tried.
    losses : callable
        Fits one candidate and returns its loss on every held-out row.
    clusters : ndarray of shape (n_rows,)
        Clusters of the held-out rows.
    budget : Budget
        A trial starts only if the dearest so far would fit into what is left.
    first_cost_seconds : float
        Expected cost of the first trial.
    """
    _, codes = np.unique(clusters, return_inverse=True)
    leader: Candidate | None = None
    least = np.zeros(len(clusters))
    cost_seconds = first_cost_seconds
    for candidate in candidates:
        before = budget.left_seconds()
        if before < cost_seconds:
            break
        tried = losses(candidate)
        cost_seconds = max(cost_seconds if leader is not None else 0.0, before - budget.left_seconds())
        if leader is None or _clearly_less(tried - least, codes):
            leader, least = candidate, tried
    return leader


def _clearly_less(differences: NDArray[np.float64], codes: NDArray[np.intp]) -> bool:
    """Tell whether the sum over clusters lies below zero by more than its standard error."""
    sums = np.bincount(codes, weights=differences)
    if len(sums) < 2:
        return False
    error = float(np.std(sums, ddof=1)) * np.sqrt(len(sums))
    return bool(sums.sum() < -error)
