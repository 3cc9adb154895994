"""The scores of a stack with their intervals over test clusters and seeds.

The analysis of the two is `toolkit.analysis.comparison.crossed`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toolkit import scores
from toolkit.analysis.comparison.crossed import LEVEL, Crossed, crossed_bootstrap, crossed_means, seed_share
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats, Stack
from toolkit.seeding import derive_seed

__all__ = [
    "ADDITIVE",
    "LEVEL",
    "RANKED",
    "Crossed",
    "ScoreDraws",
    "crossed_bootstrap",
    "crossed_means",
    "draw_scores",
    "draw_weights",
    "score_intervals",
    "seed_share",
]

ADDITIVE = ("error_log_loss", "error_brier")
"""Errors that are means over rows."""
RANKED = ("score_average_precision", "score_roc_auc")
"""Scores that depend on the order of all rows."""


def draw_weights(n_clusters: int, n_draws: int, *names: str) -> Floats:
    """Return how often each cluster stands in each resample, shape (n_draws, n_clusters).

    The draw depends on `names` and the sizes only, so all tracks share it and differences are paired.
    """
    generator = np.random.default_rng(derive_seed("clusters", *names, n_clusters, n_draws))
    shares = np.full(n_clusters, 1 / n_clusters)
    return generator.multinomial(n_clusters, shares, size=n_draws).astype(np.float64)


@dataclass(frozen=True)
class ScoreDraws:
    """A stack's scores that are no means of rows, on all clusters and on resampled ones.

    Parameters
    ----------
    points : mapping of str to ndarray of shape (n_seeds,)
    draws : mapping of str to ndarray of shape (n_draws, n_seeds)
    """

    points: Mapping[str, Floats]
    draws: Mapping[str, Floats]


def draw_scores(stack: Stack, weights: Floats) -> ScoreDraws:
    """Score a stack on all clusters and on every resample.

    Parameters
    ----------
    stack : Stack
    weights : ndarray of shape (n_draws, n_clusters)
    """
    points: dict[str, list[float]] = {score: [] for score in RANKED}
    draws: dict[str, list[Floats]] = {score: [] for score in RANKED}
    # The first row of ones is the block itself.
    times = np.vstack([np.ones(stack.n_clusters), weights])
    for one in stack.evidence:
        positives, negatives = scores.resample(one, times)
        for score, values in (
            ("score_average_precision", scores.average_precision(positives, negatives)),
            ("score_roc_auc", scores.roc_auc(positives, negatives)),
        ):
            points[score].append(float(values[0]))
            draws[score].append(values[1:])
    return ScoreDraws(
        points={score: np.array(values) for score, values in points.items()},
        draws={score: np.stack(values, axis=1) for score, values in draws.items()},
    )


def score_intervals(stack: Stack, drawn: ScoreDraws, level: float = LEVEL) -> dict[str, Interval]:
    """Return every score of a stack with its interval over clusters and seeds.

    Scores that the block cannot give (one class only) are left out. Ends are kept within what the
    score can be.
    """
    found = {score: crossed_means(stack.sums(score), stack.rows) for score in ADDITIVE}
    for score in RANKED:
        if np.isfinite(drawn.points[score]).all():
            found[score] = crossed_bootstrap(drawn.points[score], drawn.draws[score], stack.n_clusters)
    intervals = {score: one.interval(level) for score, one in found.items()}
    return {
        score: one
        if math.isinf(one.low)
        else Interval(
            one.estimate, max(one.low, 0.0), one.high if score == "error_log_loss" else min(one.high, 1.0)
        )
        for score, one in intervals.items()
    }
