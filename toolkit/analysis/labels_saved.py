"""How many labels expert knowledge saves: what other tracks need to be as good as the hybrid is with few.

The hybrid's mean over seeds at n labels is the target. Another track's means, made monotone in the number of
labels (isotonic regression) and joined by straight lines over log n, tell how many labels reach it. Intervals
are percentiles of a bootstrap that draws test clusters and seeds anew, the same for all tracks and rungs. The
labels of a seed are nested, so seeds are paired too: two rungs are compared over the seeds that both have.
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
    tables : ndarray of shape (n_rungs, 1 + n_draws, n_seeds)
        Higher is better: first what was measured, then on redrawn clusters. NaN where a rung lacks a seed:
        with few labels, some seeds have one class only.
    times : ndarray of shape (1 + n_draws, n_seeds)
        How often each seed stands in each draw, the same for all ladders.
    """

    track: str
    labels: Floats
    tables: Floats
    times: Floats

    def reaches(self, labels: float) -> bool:
        """Tell whether a number of labels lies between the ends of the ladder."""
        return bool(self.labels[0] <= labels <= self.labels[-1])

    def at(self, labels: float) -> Floats:
        """Return the table at a number of labels, between rungs on straight lines over log n."""
        places = _logs(self.labels)
        where = float(np.interp(_logs(np.array([labels]))[0], places, np.arange(len(places))))
        below, share = math.floor(where), where % 1
        if share == 0:
            return np.asarray(self.tables[below])
        return np.asarray((1 - share) * self.tables[below] + share * self.tables[below + 1])

    def mean(self, table: Floats) -> Floats:
        """Return the mean over the seeds that a table has, of every draw; NaN if it has none."""
        known = ~np.isnan(table[0])
        own = self.times * known
        # a draw may hold none of the seeds that a small rung has
        own[own.sum(axis=1) == 0] = known
        whole = own.sum(axis=1)
        return np.asarray(
            np.where(whole > 0, (own * np.nan_to_num(table)).sum(axis=1), np.nan) / whole.clip(1)
        )

    def interval(self, rung: int) -> Interval:
        """Return the mean over seeds of one rung."""
        return percentiles(self.mean(self.tables[rung]))


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
    tables, kept = [], []
    for rung in rungs:
        stack = stacks[track, rung]
        table = np.full(times.shape, np.nan)
        table[:, [seeds.index(seed) for seed in stack.seeds]] = _table(
            stack, drawn[track, rung], weights, score
        )
        if not np.isnan(table[0]).all():
            tables.append(table)
            kept.append(float(labels[rung]))
    return Ladder(track, np.array(kept), np.stack(tables), times) if kept else None


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
            # what the other track is ahead at each of its rungs, over the seeds that both have there
            ahead = np.stack([hybrid.mean(table - hybrid.tables[rung]) for table in other.tables], axis=1)
            shared = ~np.isnan(ahead[0])
            if not shared.any():
                continue
            needed = np.array([labels_needed(other.labels[shared], row, 0.0) for row in ahead[:, shared]])
            found.append(
                LabelsSaved(
                    score=score,
                    track=hybrid.track,
                    against=other.track,
                    labels=round(labels),
                    quality=_signed(hybrid.interval(rung), score),
                    needed=percentiles(needed),
                    fewest=round(other.labels[shared][0]),
                    most=round(other.labels[shared][-1]),
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
