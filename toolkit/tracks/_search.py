"""The search that the learned tracks share: Optuna's random search with successive halving.

All learned tracks get the same budget at a rung, in nominal CPU-seconds (see `toolkit.tracks._work`). Every
trial is charged: complete, pruned and failed ones. Trials see rows from inside the rung only, split by
cluster; on large rungs a trial starts on a part of the rows, and goes on to more while it is among the best.

Draws are random rather than guided: with a few to a few dozen trials a model of the loss gains little, and
the expected best of n trials can be told without bias from independent draws only.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DivergedError
from toolkit.records import SearchTrial
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._judge import UNCONFIRMED, clearly_below_zero
from toolkit.tracks._trial import Trial
from toolkit.tracks._work import Budget
from toolkit.tracks.base import Track

if TYPE_CHECKING:
    import optuna

__all__ = ["Attempt", "SearchedTrack", "Value", "search_track"]

Value = str | float | int | bool | None
AnyTrack = TypeVar("AnyTrack", bound="SearchedTrack")

FIRST_ROWS = 20_000
"""Rows of a trial's first step; `HALVING` times as many at every further one."""

HALVING = 4

MOST_TRIALS = 200
"""Only bounds the search of a track whose trials cost next to nothing."""


MOST_REPEATS = 30
"""Draws in a row that bring nothing new before there is taken to be nothing new."""


MOST_MISFITS = 5
"""Draws in a row that are too dear for what is left before the search ends."""


@dataclass(frozen=True)
class Attempt(Generic[AnyTrack]):
    """What one fit of a candidate told.

    Parameters
    ----------
    probabilities : ndarray of shape (n_held_out,)
    settled : Track
        The candidate, unfitted, with what early stopping or calibration found on the held-out rows.
    used : float
        Share of the fit's nominal cost that was used; less than 1 when it stopped early, never more than
        the trial's reach.
    """

    probabilities: NDArray[np.float64]
    settled: AnyTrack
    used: float = 1.0


@dataclass
class SearchedTrack(Track):
    """A track whose parameters are searched."""

    @property
    def keeps_first(self) -> bool:
        """Whether what comes first is the usual thing, which only more than luck may replace."""
        return True

    @abstractmethod
    def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float | None:
        """Return the nominal CPU-seconds of a fit to `n_rows` rows; None where only a clock can tell."""

    @abstractmethod
    def first(self) -> Sequence[Mapping[str, Value]]:
        """Return the parameters of the candidates that are always tried, the default one first."""

    @abstractmethod
    def suggest(self, trial: optuna.Trial) -> Self:
        """Return this track with parameters drawn by Optuna, but for those that the user has given."""

    def attempt(self, trial: Trial) -> Attempt[Self]:
        """Fit to the trial's rows and predict its held-out ones; changes nothing of this track."""
        fitted = replace(self).fit(trial.fitting, seed=trial.seed)
        return Attempt(fitted.predict_proba(trial.held_out.features, trial.held_out.sequence), self)

    def _state(self) -> Mapping[str, Any]:
        """Return what was learned; what the search tried is in the cell's record."""
        return {name: value for name, value in super()._state().items() if name != "trials_"}

    def search(self, train: TrainingData, *, budget_cpu_seconds: float, seed: int) -> Self:
        """Choose parameters by `search_track`; see `Track.search`."""
        self._require_labels(train)
        return search_track(self, train, budget_cpu_seconds=budget_cpu_seconds, seed=seed)


def search_track(
    track: AnyTrack,
    train: TrainingData,
    *,
    budget_cpu_seconds: float,
    seed: int,
    first: Sequence[Mapping[str, Value]] | None = None,
) -> AnyTrack:
    """Return the best candidate found within the budget, unfitted, with its `trials_`.

    Parameters
    ----------
    track : SearchedTrack
    train : TrainingData
        The rung's rows; trials are fitted and judged inside them.
    budget_cpu_seconds : float
        Nominal, see `toolkit.tracks._work`.
    seed : int
        Of the draws and of the splits; the same seed gives the same choice on every machine.
    first : sequence of mapping, optional
        Candidates that are always tried, the one that has to be beaten first; default: those of the track.

    Raises
    ------
    Exception
        What the last trial raised, when every one failed.
    """
    with _quiet_optuna():
        search = _Search(track, train, budget_cpu_seconds, seed)
        return search.run(track.first() if first is None else first)


def row_levels(n_rows: int) -> tuple[int, ...]:
    """Return the rows of a trial's steps; the last is all of them."""
    levels = []
    rows = FIRST_ROWS
    while rows * 2 < n_rows:
        levels.append(rows)
        rows *= HALVING
    return (*levels, n_rows)


class _Search(Generic[AnyTrack]):
    """The state of one search."""

    def __init__(self, track: AnyTrack, train: TrainingData, seconds: float, seed: int) -> None:
        import optuna

        self._track = track
        self._train = train
        self._seed = seed
        self._budget = Budget(seconds)
        self._levels = row_levels(len(train))
        self._last_level = len(self._levels) - 1
        self._splits: dict[int, Trial] = {}
        # level -> who leads there, its losses, and the number of its trial
        self._leaders: dict[int, tuple[AnyTrack, NDArray[np.float64], int]] = {}
        self._records: list[SearchTrial] = []
        self._study = optuna.create_study(
            sampler=optuna.samplers.RandomSampler(seed=derive_seed("search", seed) % 2**32),
            pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=HALVING),
        )
        self._error: Exception | None = None
        # rows and seconds so far of a track that only a clock can tell of
        self._timed = (0, 0.0)
        # summed log loss of the leader on later rows, once it has been asked for
        self._leader_later: float | None = None

    def run(self, first: Sequence[Mapping[str, Value]]) -> AnyTrack:
        obstacle = self._split(0).obstacle(self._track.min_labels)
        if obstacle:
            self._record(first[0], state="pruned", drawn=False, reason=obstacle)
        else:
            for parameters in first:
                self._study.enqueue_trial(dict(parameters))
            self._try_all(len(first))
        if self._error is not None and not self._leaders:
            raise self._error
        # without having met what comes first, a cheaper candidate has beaten nobody
        is_met = bool(self._leaders) and self._records[0].state != "pruned"
        leader = replace(self._track)
        if is_met:
            leader, _, number = self._leaders[max(self._leaders)]
            self._records[number] = self._records[number].model_copy(update={"chosen": True})
        leader.trials_ = tuple(self._records)
        return leader

    def _try_all(self, n_first: int) -> None:
        """Try the enqueued candidates, then drawn ones, until the budget or the draws come to an end."""
        from optuna.trial import TrialState

        seen: set[str] = set()
        repeats = misfits = 0
        while len(self._records) < MOST_TRIALS and repeats < MOST_REPEATS and misfits < MOST_MISFITS:
            trial = self._study.ask()
            is_first = trial.number < n_first
            candidate = self._track.suggest(trial)
            key = repr(sorted(trial.params.items()))
            if key in seen and not is_first:
                repeats += 1
                self._study.tell(trial, state=TrialState.FAIL)
                continue
            repeats = 0
            seen.add(key)
            fits = self._try(trial, candidate, is_first=is_first)
            # a dear candidate may not fit where a cheaper one does
            misfits = 0 if fits or is_first else misfits + 1

    def _try(self, trial: optuna.Trial, candidate: AnyTrack, *, is_first: bool) -> bool:
        """Take one candidate up the levels; tell whether what was left of the budget let it begin.

        The candidates that are always tried skip the levels between the first and the last, and the
        comparison there: what is best on few rows is not what is best on many.
        """
        from optuna.trial import TrialState

        levels = range(len(self._levels)) if not is_first else sorted({0, self._last_level})
        losses: list[tuple[int, float]] = []
        state: Literal["complete", "pruned", "failed"] = "complete"
        reason = ""
        spent_before = self._budget.spent
        for level in levels:
            split = self._split(level)
            try:
                attempted = self._attempt(candidate, split)
                if attempted is None:
                    state, reason = "pruned", "what was left of the budget did not reach further"
                    break
                settled, summed = attempted
                # what stopped early on part of the rows says little of all of them
                reason = self._lead(settled if level == self._last_level else candidate, summed, level)
            except Exception as error:
                self._error = error
                state, reason = "failed", f"{type(error).__name__}: {error}"
                break
            mean = float(summed.sum() / len(split.held_out))
            losses.append((len(split.fitting), mean))
            trial.report(mean, HALVING**level)
            # asked for the first ones too: that is when Optuna notes what the others are compared with
            prune = trial.should_prune()
            if prune and not is_first and level < self._last_level:
                state, reason = "pruned", "others did better on as many rows"
                break
        spent = self._budget.spent - spent_before
        self._record(
            trial.params, state=state, drawn=not is_first, reason=reason, losses=losses, seconds=spent
        )
        ended = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}[
            state
        ]
        if state == "pruned" and not losses:
            ended = TrialState.FAIL
        self._study.tell(trial, losses[-1][1] if ended is TrialState.COMPLETE else None, state=ended)
        return spent > 0

    def _record(
        self,
        params: Mapping[str, Value],
        *,
        state: Literal["complete", "pruned", "failed"],
        drawn: bool,
        reason: str,
        losses: Sequence[tuple[int, float]] = (),
        seconds: float = 0.0,
    ) -> None:
        """Record a trial with the rows and the mean loss of its steps."""
        self._records.append(
            SearchTrial(
                number=len(self._records),
                state=state,
                drawn=drawn,
                params=dict(params),
                rows=losses[-1][0] if losses else 0,
                loss=losses[-1][1] if losses else None,
                first_loss=losses[0][1] if losses else None,
                nominal_cpu_seconds=seconds,
                reason=reason,
            )
        )

    def _attempt(self, candidate: AnyTrack, split: Trial) -> tuple[AnyTrack, NDArray[np.float64]] | None:
        """Fit, judge and book what it took; return what settled and its losses, None if that is too dear."""
        expected = self._expected(candidate, len(split.fitting))
        if not self._budget.take(expected):
            return None
        reach = 1 + self._budget.left / expected if expected else math.inf
        begun, used = time.process_time(), 1.0
        try:
            attempt = candidate.attempt(replace(split, reach=reach))
            used = attempt.used
        finally:
            self._settle(candidate, len(split.fitting), expected, used, begun)
        losses = split.losses(attempt.probabilities)
        if not np.isfinite(losses).all():
            raise DivergedError("what it predicts is not finite")
        return attempt.settled, losses

    def _settle(self, candidate: AnyTrack, n_rows: int, expected: float, used: float, begun: float) -> None:
        """Book what a fit took beyond or below what was taken for it."""
        seconds = expected * used
        if self._nominal(candidate, n_rows) is None:
            seconds = time.process_time() - begun
            self._timed = self._timed[0] + n_rows, self._timed[1] + seconds
        self._budget.settle(seconds - expected)

    def _lead(self, track: AnyTrack, losses: NDArray[np.float64], level: int) -> str:
        """Let a candidate lead if it is better; return why one that looks better does not.

        Later rows are asked on the last level only: who leads there is taken, whatever led on fewer rows.
        """
        if level in self._leaders:
            leader, least, _ = self._leaders[level]
            lead = losses - least
            telling = self._split(level).telling
            if lead.sum() >= 0:
                return ""
            if telling == 0:
                return "held-out rows of one class cannot tell"
            if self._track.keeps_first:
                later = self._later
                if not clearly_below_zero(lead, telling, at_least=0.0 if later else UNCONFIRMED):
                    return "better, but by no more than luck"
                if later and level == self._last_level:
                    objection = self._objection(track, leader, later)
                    if objection:
                        return objection
        self._leaders[level] = track, losses, len(self._records)
        return ""

    @cached_property
    def _later(self) -> Trial | None:
        """Later rows that a new leader has to prove itself on; None where time cannot be split."""
        later = self._split(self._last_level).ahead()
        return later if later and len(later.fitting) >= self._track.min_labels else None

    def _objection(self, challenger: AnyTrack, leader: AnyTrack, later: Trial) -> str:
        """Return why a candidate that is better on other clusters does not lead."""
        asked = [challenger] if self._leader_later is not None else [challenger, leader]
        if sum(self._expected(each, len(later.fitting)) for each in asked) > self._budget.left:
            return "what was left of the budget did not reach to compare it on later rows"
        if self._leader_later is None:
            self._leader_later, _ = self._later_loss(leader, later)
        loss, failure = self._later_loss(challenger, later)
        if failure:
            return f"on earlier rows: {failure}"
        if loss >= self._leader_later:
            return "later rows did not bear out that it was better"
        self._leader_later = loss
        return ""

    def _later_loss(self, track: AnyTrack, later: Trial) -> tuple[float, str]:
        """Return its summed loss on later rows, and why that is infinite if it is."""
        try:
            attempted = self._attempt(track, later)
        except Exception as error:
            return math.inf, f"{type(error).__name__}: {error}"
        if attempted is None:
            return math.inf, "it took more of the budget than was to be expected"
        return float(attempted[1].sum()), ""

    def _expected(self, candidate: AnyTrack, n_rows: int) -> float:
        seconds = self._nominal(candidate, n_rows)
        rows, timed = self._timed
        return timed / max(rows, 1) * n_rows if seconds is None else seconds

    def _nominal(self, candidate: AnyTrack, n_rows: int) -> float | None:
        return candidate.fit_seconds(n_rows, self._train.schema, len(self._train.unlabelled))

    def _split(self, level: int) -> Trial:
        if level not in self._splits:
            self._splits[level] = Trial.of(self._train, self._levels[level], self._seed)
        return self._splits[level]


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Keep Optuna from telling of every study, and leave its logger as it was."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
