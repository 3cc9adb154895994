"""The search that the learned tracks share: candidates in order, within a budget of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks.base import Track

__all__ = ["Budget", "Contest", "Trial", "sample_clusters"]

AnyTrack = TypeVar("AnyTrack", bound=Track)


class Budget:
    """Work that a search may do, in any unit. It is counted, not timed: no clock makes a choice."""

    def __init__(self, work: float) -> None:
        self._left = work

    def take(self, work: float) -> bool:
        """Take `work` from what is left, or nothing when it does not fit; tell which."""
        fits = work <= self._left
        self._left -= work if fits else 0.0
        return fits


def sample_clusters(train: TrainingData, max_rows: int, seed: int) -> TrainingData:
    """Return whole clusters in random order while they fit into `max_rows`, at least one."""
    if len(train) <= max_rows:
        return train
    names, codes, counts = np.unique(train.clusters, return_inverse=True, return_counts=True)
    order = np.random.default_rng(derive_seed("sample_clusters", seed)).permutation(len(names))
    taken = order[: max(1, int(np.searchsorted(np.cumsum(counts[order]), max_rows, side="right")))]
    return train.take(np.isin(codes, taken))


@dataclass(frozen=True)
class Trial:
    """Where candidates are compared: rows to fit, and rows of other clusters to judge by."""

    fitting: TrainingData
    held_out: TrainingData
    seed: int

    @classmethod
    def of(cls, train: TrainingData, max_rows: int, seed: int) -> Trial:
        """Split at most `max_rows` rows by cluster, from inside the rung."""
        return cls(*sample_clusters(train, max_rows, seed).inner_split(seed), seed)

    @property
    def possible(self) -> bool:
        """Whether there is something to learn from and something to judge by."""
        return len(np.unique(self.fitting.labels)) == 2 and len(self.held_out) > 0

    def losses(self, track: Track) -> NDArray[np.float64]:
        """Fit and return the summed log loss of every held-out cluster, shape (n_clusters,)."""
        track.fit(self.fitting, seed=self.seed)
        chances = np.clip(track.predict_proba(self.held_out.features), 1e-7, 1 - 1e-7)
        losses = -np.where(self.held_out.labels == 1, np.log(chances), np.log1p(-chances))
        _, codes = np.unique(self.held_out.clusters, return_inverse=True)
        return np.bincount(codes, weights=losses).astype(np.float64)


class Contest(Generic[AnyTrack]):
    """Candidates tried one after another; the best so far leads.

    The first candidate leads. Another takes the lead only by more than one standard error of its
    paired advantage over clusters: with few clusters the smallest mean is mostly luck.

    Parameters
    ----------
    trial : Trial
    budget : Budget, optional
        Trials end at the first candidate that does not fit into what is left. None tries all.
    work : callable, optional
        Work of a trial of a candidate, in the unit of the budget.
    """

    def __init__(
        self,
        trial: Trial,
        budget: Budget | None = None,
        work: Callable[[AnyTrack], float] = lambda candidate: 1.0,
    ) -> None:
        self._leader: AnyTrack | None = None
        self._least = np.zeros(0)
        self._trial = trial
        self._budget = budget
        self._work = work

    def best(self, otherwise: AnyTrack) -> AnyTrack:
        """Return the leader, or `otherwise` where nothing could be tried."""
        return otherwise if self._leader is None else self._leader

    def enter(self, candidates: Iterable[AnyTrack], *, path: bool = False) -> None:
        """Try unfitted candidates, in order of promise, as far as the budget reaches.

        Parameters
        ----------
        candidates : iterable of Track
        path : bool
            The candidates go step by step in one direction: once a step is clearly worse than the
            leader, no further one is tried.
        """
        if not self._trial.possible:
            return
        for candidate in candidates:
            if len(self._trial.fitting) < candidate.min_labels:
                return  # too little is left to learn from once some is held out
            if self._budget is not None and not self._budget.take(self._work(candidate)):
                return
            losses = self._trial.losses(candidate)
            if self._leader is None or _clearly_below_zero(losses - self._least):
                self._leader, self._least = candidate, losses
            elif path and _clearly_below_zero(self._least - losses):
                return


def _clearly_below_zero(differences: NDArray[np.float64]) -> bool:
    """Tell whether a sum over clusters lies below zero by more than its standard error."""
    if len(differences) < 2:
        return False
    error = float(np.std(differences, ddof=1)) * np.sqrt(len(differences))
    return bool(differences.sum() < -error)
