"""All rungs at once: what each cost to train, and one joint posterior of their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from toolkit.analysis.comparison.posterior import joint_posterior
from toolkit.analysis.forecast import PRECISION_ERROR
from toolkit.analysis.intervals import ADDITIVE, RANKED, ScoreDraws
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.stacks import Floats, Scored, StackKey
from toolkit.analysis.work import MIN_COST_SPREAD
from toolkit.seeding import derive_seed

__all__ = ["SAME", "TRAINING_COSTS", "RungErrors", "rung_errors"]

SAME = 1e-9
"""Relative difference of errors that is rounding: a rung without rules is the baseline."""

TRAINING_COSTS = ("cost_fit_cpu_seconds", "cost_search_cpu_seconds")
_SCORE_OF = {PRECISION_ERROR: "score_average_precision"}


@dataclass(frozen=True)
class RungErrors:
    """Rungs with a measured training cost and evidence of one error.

    Parameters
    ----------
    error : str
    readings : tuple of RungReadings
    cpu_seconds : ndarray of shape (n_rungs,)
        Of search and fit, medians of readings.
    estimate : ndarray of shape (n_rungs,)
    draws : ndarray of shape (n_draws, n_rungs)
        Of the true errors.
    by_seed : tuple of mapping of int to float
        The error of each seed, a rung.
    """

    error: str
    readings: tuple[RungReadings, ...]
    cpu_seconds: Floats
    estimate: Floats
    draws: Floats
    by_seed: tuple[Mapping[int, float], ...]

    @cached_property
    def tracks(self) -> tuple[str, ...]:
        """The track of each rung."""
        return tuple(one.track for one in self.readings)

    def places(self, track: str) -> list[int]:
        """Return the positions of a track's rungs, from its first rung to its last."""
        own = [place for place, name in enumerate(self.tracks) if name == track]
        return sorted(own, key=lambda place: self.readings[place].rung)

    @cached_property
    def cost_draws(self) -> Floats:
        """Draws of what each rung costs, shape (n_draws, n_rungs).

        Lognormal around the medians of fit and search. A median over seeds is surer than one reading, whose
        spread is at least 10 %.
        """
        n_draws = len(self.draws)
        drawn = np.zeros_like(self.draws)
        for place, one in enumerate(self.readings):
            seeds = math.sqrt(len({cell.seed for cell in one.cells}))
            for cost in TRAINING_COSTS:
                seed = derive_seed("training cost", one.track, one.rung, cost)
                spread = max(one.log_spread(cost), MIN_COST_SPREAD) / seeds
                normals = np.random.default_rng(seed).standard_normal(n_draws)
                drawn[:, place] += (one.median(cost) or 0.0) * np.exp(spread * normals)
        return drawn


def rung_errors(
    readings: Mapping[StackKey, RungReadings],
    stacks: Mapping[StackKey, Scored],
    drawn: Mapping[StackKey, ScoreDraws],
    error: str,
) -> RungErrors | None:
    """Return all rungs that have a measured fit and evidence of `error`; None where there is none.

    Parameters
    ----------
    readings : mapping of (track, rung) to RungReadings
    stacks : mapping of (track, rung) to Scored
    drawn : mapping of (track, rung) to ScoreDraws
    error : str
        One that evidence gives, or 1 less average precision.
    """
    score = _SCORE_OF.get(error, error)
    keys = [key for key in readings if key in stacks and (_cpu_seconds(readings[key]) or 0) > 0]
    if score not in (*ADDITIVE, *RANKED) or not keys:
        return None
    keys.sort(key=lambda key: (list(dict.fromkeys(track for track, _ in readings)).index(key[0]), key[1]))
    posterior = joint_posterior([(stacks[key], drawn[key]) for key in keys], score, "rungs", pooled=True)
    if not posterior.stacks:
        return None
    used = [keys[place] for place in posterior.stacks]
    falls = score in ADDITIVE
    return RungErrors(
        error=error,
        readings=tuple(readings[key] for key in used),
        cpu_seconds=np.array([_cpu_seconds(readings[key]) or 0.0 for key in used]),
        estimate=posterior.estimate if falls else 1 - posterior.estimate,
        draws=posterior.draws if falls else 1 - posterior.draws,
        by_seed=tuple(_by_seed(stacks[key], drawn[key], score) for key in used),
    )


def _by_seed(stack: Scored, drawn: ScoreDraws, score: str) -> dict[int, float]:
    points = (
        stack.sums(score).sum(axis=1) / stack.rows.sum() if score in ADDITIVE else 1 - drawn.points[score]
    )
    return dict(zip(stack.seeds, points.tolist(), strict=True))


def _cpu_seconds(readings: RungReadings) -> float | None:
    fit, search = (readings.median(cost) for cost in TRAINING_COSTS)
    return None if fit is None else fit + (search or 0.0)
