"""Whether labels speak against the teacher: tracks that trust it less are tried on held-out clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DivergedError
from toolkit.records import SearchTrial
from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._judge import surely_below_zero
from toolkit.tracks._search import FIRST_ROWS, SearchedTrack, Value
from toolkit.tracks._teacher import FEWEST_CLUSTERS
from toolkit.tracks._trial import Trial, sample_clusters
from toolkit.tracks._work import Budget

__all__ = ["TrustTrials", "folds_of"]

FOLDS = 5

PLANS = ((1.0, 3), (1.0, 2), (1.0, 1), (0.5, 1), (0.25, 1))
"""Share of the rows, and folds that are held out in turn; the first that can be afforded is taken."""

FEW_ROWS = 4_000
"""With more rows, one fold holds clusters enough."""


def folds_of(clusters: NDArray[np.int32], seed: int) -> NDArray[np.intp]:
    """Return a fold for every row; rows of one cluster share theirs."""
    names, codes = np.unique(clusters, return_inverse=True)
    generator = np.random.default_rng(derive_seed("folds", seed))
    folds: NDArray[np.intp] = (generator.permutation(len(names)) % FOLDS)[codes]
    return folds


def _splits(train: TrainingData, max_rows: int, rounds: int, seed: int) -> list[Trial]:
    """Return so many folds of at most so many rows, each held out from the others."""
    sample = sample_clusters(train, max_rows, seed)
    folds = folds_of(sample.clusters, seed)
    wanted = range(rounds if len(sample) <= FEW_ROWS else 1)
    splits = [Trial(sample.take(folds != fold), sample.take(folds == fold), seed) for fold in wanted]
    return [split for split in splits if split.possible]


class TrustTrials:
    """Trials of trust, on held-out clusters from inside the rung.

    Parameters
    ----------
    train : TrainingData
    seed : int
    first : sequence of SearchedTrack
        Those that are compared first.
    seconds : float
        What that may cost.
    """

    def __init__(
        self, train: TrainingData, seed: int, first: Sequence[SearchedTrack], seconds: float
    ) -> None:
        self.train = train
        self._splits: list[Trial] = []
        self._losses: dict[float | None, NDArray[np.float64]] = {}
        self._records: list[SearchTrial] = []
        # with few clusters the word of experts is not given up for what a handful happen to show
        if len(first) < 2 or len(np.unique(train.clusters)) < FEWEST_CLUSTERS:
            return
        for share, rounds in PLANS:
            splits = _splits(train, round(share * min(len(train), FIRST_ROWS)), rounds, seed)
            if splits and sum(self._seconds(track, splits) for track in first) <= seconds:
                self._splits = splits
                return

    def surely_better(self, challenger: Any, leader: Any, budget: Budget) -> bool:
        """Tell whether one track is better than another by a one-sided t test over clusters, at 95 %.

        False where nothing can be tried, the budget does not reach, or one of them diverges.
        """
        if not self._splits:
            return False
        new = [each for each in (leader, challenger) if each.teacher_labels not in self._losses]
        costs = {each.teacher_labels: self._seconds(each, self._splits) for each in new}
        if not budget.take(sum(costs.values())):
            return False
        for track in new:
            seconds = costs[track.teacher_labels]
            try:
                attempts = [(split, track.attempt(split)) for split in self._splits]
            except DivergedError as error:
                self._add(track, seconds, None, reason=f"{type(error).__name__}: {error}")
                return False
            used = sum(self._seconds(track, [split]) * attempt.used for split, attempt in attempts)
            budget.settle(used - seconds)
            losses = np.concatenate([split.losses(attempt.probabilities) for split, attempt in attempts])
            self._losses[track.teacher_labels] = losses
            self._add(track, used, float(losses.sum() / sum(len(each.held_out) for each in self._splits)))
        advantage = self._losses[challenger.teacher_labels] - self._losses[leader.teacher_labels]
        return surely_below_zero(advantage, sum(split.telling for split in self._splits))

    def numbered(self, trusted: float | None, further: Iterable[SearchTrial]) -> tuple[SearchTrial, ...]:
        """Return these trials, then further ones, numbered through.

        Parameters
        ----------
        trusted : float or None
            What the teacher's word was found to be worth, in labels.
        further : iterable of SearchTrial
        """
        own = [
            trial.model_copy(update={"chosen": trial.params.get("teacher_labels", trusted) == trusted})
            for trial in self._records
        ]
        every = [*own, *further]
        return tuple(trial.model_copy(update={"number": number}) for number, trial in enumerate(every))

    def _seconds(self, track: SearchedTrack, splits: Sequence[Trial]) -> float:
        schema = self.train.schema
        n_unlabelled = len(self.train.unlabelled)
        return float(
            sum(track.fit_seconds(len(split.fitting), schema, n_unlabelled) or 0.0 for split in splits)
        )

    def _add(self, track: Any, seconds: float, loss: float | None, reason: str = "") -> None:
        params: dict[str, Value] = {"teacher_labels": track.teacher_labels}
        if track.strength is not None:
            params["strength"] = track.strength
        self.add(params, len(self._splits[0].fitting), seconds, loss, reason)

    def add(
        self,
        params: dict[str, Value],
        n_rows: int,
        seconds: float,
        loss: float | None = None,
        reason: str = "",
    ) -> None:
        """Record what was tried, on how many labelled rows, at what charge, and why it failed if so."""
        self._records.append(
            SearchTrial(
                number=0,
                state="failed" if reason else "complete",
                drawn=False,
                params=params,
                rows=n_rows,
                loss=loss,
                first_loss=None,
                nominal_cpu_seconds=seconds,
                reason=reason,
            )
        )
