"""How sure the front is, and how much of the plane of cost and error each track adds to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from toolkit.analysis.comparison.comparison_record import Front, FrontPoint, FrontVolume
from toolkit.analysis.comparison.hypervolume import hypervolume
from toolkit.analysis.comparison.rung_errors import SAME, RungErrors
from toolkit.analysis.intervals import LEVEL
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats

__all__ = ["find_front", "front_probabilities"]


def front_probabilities(cost: Floats, error: Floats) -> Floats:
    """Return how often each point is on the front, shape (n,).

    Parameters
    ----------
    cost, error : ndarray of shape (n_draws, n)
        Errors positive.
    """
    n_draws, n = cost.shape
    order = np.lexsort((error, cost))
    errors = np.take_along_axis(error, order, axis=1)
    costs = np.take_along_axis(cost, order, axis=1)
    before = np.minimum.accumulate(errors, axis=1)
    on_front = np.ones((n_draws, n), dtype=bool)
    on_front[:, 1:] = errors[:, 1:] < before[:, :-1] * (1 - SAME)
    # Of rungs alike in both, none beats the other.
    for place in range(1, n):
        twin = (costs[:, place] == costs[:, place - 1]) & (errors[:, place] == errors[:, place - 1])
        on_front[:, place] |= twin & on_front[:, place - 1]
    counts = np.zeros((n_draws, n))
    np.put_along_axis(counts, order, on_front.astype(np.float64), axis=1)
    return np.asarray(counts.mean(axis=0))


def find_front(rungs: RungErrors, baselines: Sequence[str]) -> Front:
    """Return the front of all rungs, with what each track adds to it.

    Parameters
    ----------
    rungs : RungErrors
    baselines : sequence of str
        Tracks whose error may be the reference.
    """
    probabilities = front_probabilities(rungs.cost_draws, rungs.draws)
    reference = _reference(rungs, baselines)
    dearest = 10.0 ** math.ceil(math.log10(rungs.cpu_seconds.max()))
    if dearest <= rungs.cpu_seconds.max():
        dearest *= 10
    return Front(
        error=rungs.error,
        reference_track=rungs.tracks[reference],
        reference_rung=rungs.readings[reference].rung,
        reference_error=float(rungs.estimate[reference]),
        reference_cpu_seconds=dearest,
        points=tuple(
            FrontPoint(one.track, one.rung, float(cost), float(probability))
            for one, cost, probability in zip(rungs.readings, rungs.cpu_seconds, probabilities, strict=True)
        ),
        volumes=_volumes(rungs, reference, math.log10(dearest)),
    )


def _reference(rungs: RungErrors, baselines: Sequence[str]) -> int:
    """Return the position of the rung whose error is the reference: a baseline's, else the worst."""
    own = [place for place, track in enumerate(rungs.tracks) if track in baselines]
    return max(own or range(len(rungs.tracks)), key=lambda place: float(rungs.estimate[place]))


def _volumes(rungs: RungErrors, reference: int, dearest: float) -> tuple[FrontVolume, ...]:
    """Return the volumes of all tracks together and of each.

    The first row of the draws is the estimate. The reference error is that of the same draw: what all tracks
    share does not blur what is between them.
    """
    cost = np.log10(np.vstack([rungs.cpu_seconds, rungs.cost_draws]))
    error = np.vstack([rungs.estimate, rungs.draws])
    limit = error[:, reference]

    def volume(places: Sequence[int]) -> Floats:
        return hypervolume(cost[:, places], error[:, places], dearest, limit)

    every = range(len(rungs.tracks))
    together = volume(every)
    found = [FrontVolume("", _interval(together))]
    for track in dict.fromkeys(rungs.tracks):
        own = [place for place in every if rungs.tracks[place] == track]
        lost = together - volume([place for place in every if rungs.tracks[place] != track])
        known = together > 0
        lost = np.where(lost > SAME * together, lost, 0.0)
        share = np.divide(lost, together, out=np.zeros_like(lost), where=known)
        found.append(
            FrontVolume(
                track, _interval(volume(own)), _interval(lost), _interval(share) if known.all() else None
            )
        )
    return tuple(found)


def _interval(values: Floats) -> Interval:
    """Return the first value with the quantiles of the others."""
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    estimate = float(values[0])
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))
