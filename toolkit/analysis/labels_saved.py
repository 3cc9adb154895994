"""How many labels expert knowledge saves: what other tracks need to be as good as the hybrid is with few.

The hybrid's mean over seeds at n labels is the target. Another track's means, made monotone in the number of
labels (isotonic regression) and joined by straight lines over log n, tell how many labels reach it. Intervals
are percentiles of a bootstrap that draws test clusters and seeds anew, the same for all tracks and rungs: the
labels of a seed are nested, so seeds are paired too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from toolkit.analysis.intervals import ADDITIVE, LEVEL, ScoreDraws
from toolkit.analysis.results import Interval, LabelsSaved
from toolkit.analysis.stacks import Floats, Stack, StackKey
from toolkit.seeding import derive_seed

__all__ = ["Ladder", "labels_needed", "labels_saved", "read_ladder"]

SAME_AS_NONE = 1.0
"""Labels that no label at all counts as where numbers of labels are compared in logarithms."""


@dataclass(frozen=True)
class Ladder:
    """One score of one track at its numbers of labels, drawn again and again; errors with their sign turned.

    Parameters
    ----------
    track : str
    labels : ndarray of shape (n_rungs,)
        Rising.
    quality : ndarray of shape (1 + n_draws, n_rungs)
        Means over seeds, higher is better: first those measured, then those of redrawn clusters and
        seeds.
    """

    track: str
    labels: Floats
    quality: Floats

    def reaches(self, labels: float) -> bool:
        """Tell whether a number of labels lies between the ends of the ladder."""
        return bool(self.labels[0] <= labels <= self.labels[-1])

    def at(self, labels: float) -> Floats:
        """Return the quality at a number of labels, between rungs on straight lines over log n."""
        places = _logs(self.labels)
        where = float(_logs(np.array([labels]))[0])
        return np.array([np.interp(where, places, row) for row in self.quality])

    def interval(self, rung: int) -> Interval:
        """Return the quality of one rung."""
        return percentiles(self.quality[:, rung])


def read_ladder(
    track: str,
    labels: Mapping[int, float],
    seeds: Sequence[int],
    stacks: Mapping[StackKey, Stack],
    drawn: Mapping[StackKey, ScoreDraws],
    weights: Floats,
    score: str,
) -> Ladder | None:
    """Return the ladder of a track, or None where no rung has the score.

    Parameters
    ----------
    track : str
    labels : mapping of int to float
        Rung -> number of labels.
    seeds : sequence of int
        All seeds of the experiment: tracks and rungs share their draw.
    stacks, drawn : mapping of (track, rung)
    weights : ndarray of shape (n_draws, n_clusters)
        Those that `drawn` was made with.
    score : str
        A score or an error that evidence gives.
    """
    rungs = sorted((rung for rung in labels if (track, rung) in stacks), key=lambda rung: labels[rung])
    times = _seed_weights(seeds, len(weights))
    columns, kept = [], []
    for rung in rungs:
        stack = stacks[track, rung]
        table = _table(stack, drawn[track, rung], weights, score)
        own = times[:, [seeds.index(seed) for seed in stack.seeds]]
        # a draw may hold none of the seeds that a small rung has
        whole = own.sum(axis=1)
        mean = np.where(whole > 0, (own * table).sum(axis=1) / np.maximum(whole, 1), table.mean(axis=1))
        if np.isfinite(mean[0]):
            columns.append(mean)
            kept.append(float(labels[rung]))
    if not kept:
        return None
    return Ladder(track, np.array(kept), np.stack(columns, axis=1))


def _table(stack: Stack, drawn: ScoreDraws, weights: Floats, score: str) -> Floats:
    """Return a score of every seed on all clusters and on resampled ones, (1 + n_draws, n_seeds)."""
    if score in ADDITIVE:
        times = np.vstack([np.ones(stack.n_clusters), weights])
        return np.asarray(-(times @ stack.sums(score).T) / (times @ stack.rows)[:, None])
    return np.vstack([drawn.points[score], drawn.draws[score]])


def _seed_weights(seeds: Sequence[int], n_draws: int) -> Floats:
    """Return how often each seed stands in each draw, (1 + n_draws, n_seeds); the first row is one each.

    The draw depends on the number of seeds only.
    """
    generator = np.random.default_rng(derive_seed("labels saved", "seeds", len(seeds), n_draws))
    shares = np.full(len(seeds), 1 / len(seeds))
    drawn = generator.multinomial(len(seeds), shares, size=n_draws)
    return np.vstack([np.ones(len(seeds)), drawn]).astype(np.float64)


def labels_needed(labels: Floats, quality: Floats, target: float) -> float:
    """Return how many labels reach a target.

    Parameters
    ----------
    labels : ndarray of shape (n_rungs,)
        Rising.
    quality : ndarray of shape (n_rungs,)
        Higher is better; made monotone first.
    target : float

    Returns
    -------
    float
        The smallest rung where it is reached there already, infinity where the largest does not reach
        it.
    """
    rising = isotonic_regression(quality).x
    if target <= rising[0]:
        return float(labels[0])
    if target > rising[-1]:
        return math.inf
    above = int(np.searchsorted(rising, target))
    places = _logs(labels)
    share = (target - rising[above - 1]) / (rising[above] - rising[above - 1])
    return float(np.exp(places[above - 1] + share * (places[above] - places[above - 1])))


def labels_saved(hybrid: Ladder, others: Sequence[Ladder], score: str) -> tuple[LabelsSaved, ...]:
    """Return what each other track needs to be as good as the hybrid is at each number of labels.

    Parameters
    ----------
    hybrid : Ladder
    others : sequence of Ladder
        Of tracks that learn from labels, with the same draws.
    score : str
    """
    found = []
    for other in others:
        for rung, labels in enumerate(hybrid.labels.tolist()):
            needed = np.array(
                [
                    labels_needed(other.labels, row, target)
                    for row, target in zip(other.quality, hybrid.quality[:, rung], strict=True)
                ]
            )
            found.append(
                LabelsSaved(
                    score=score,
                    track=hybrid.track,
                    against=other.track,
                    labels=round(labels),
                    quality=_signed(hybrid.interval(rung), score),
                    needed=percentiles(needed),
                    fewest=round(other.labels[0]),
                    most=round(other.labels[-1]),
                )
            )
    return tuple(found)


def percentiles(values: Floats, level: float = LEVEL) -> Interval:
    """Return the first value with the percentiles of the others, some of which may be infinite."""
    ends = np.quantile(values[1:], [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return Interval(float(values[0]), float(ends[0]), float(ends[1]))


def _signed(value: Interval, score: str) -> Interval:
    """Return an error as an error again."""
    return Interval(-value.estimate, -value.high, -value.low) if score.startswith("error_") else value


def _logs(labels: Floats) -> Floats:
    return np.log(np.maximum(labels, SAME_AS_NONE))
