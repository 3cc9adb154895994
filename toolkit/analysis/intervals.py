"""Intervals over test clusters and seeds, which are crossed: every seed is scored on every cluster.

Additive errors are taken apart by a two-way analysis of variance; scores that are no mean of rows
(average precision, ROC-AUC) by a bootstrap over clusters with the same weights for every cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from toolkit import scores
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

LEVEL = 0.95
ADDITIVE = ("error_log_loss", "error_brier")
"""Errors that are means over rows."""
RANKED = ("score_average_precision", "score_roc_auc")
"""Scores that depend on the order of all rows."""


class Crossed(NamedTuple):
    """An estimate with its variance over clusters and seeds, and its degrees of freedom."""

    estimate: float
    variance: float
    degrees: float

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the two-sided t interval; infinite when the variance cannot be told."""
        if not math.isfinite(self.variance):
            return Interval(self.estimate, -math.inf, math.inf)
        from scipy.special import stdtrit  # slow to load, and not needed where pairs are known

        half = float(stdtrit(self.degrees, (1 + level) / 2)) * math.sqrt(self.variance)
        return Interval(self.estimate, self.estimate - half, self.estimate + half)

    def p_value(self) -> float:
        """Return the two-sided p-value of no difference."""
        if not math.isfinite(self.variance):
            return 1.0
        if self.variance == 0:
            return 1.0 if self.estimate == 0 else 0.0
        from scipy.special import stdtr

        return float(2 * stdtr(self.degrees, -abs(self.estimate) / math.sqrt(self.variance)))


def _combine(
    estimate: float, seed: float, cluster: float, both: float, n_seeds: int, n_clusters: int
) -> Crossed:
    """Add mean squares (each already divided by n_seeds x n_clusters) after Satterthwaite.

    A component that comes out negative is taken as nothing, so the sum is never below either main one.
    """
    if n_clusters < 2:
        return Crossed(estimate, math.inf, 1.0)
    total = max(seed + cluster - both, seed, cluster)
    if total <= 0:
        return Crossed(estimate, 0.0, float(n_clusters - 1))
    if n_seeds < 2:
        return Crossed(estimate, total, float(n_clusters - 1))
    spread = seed**2 / (n_seeds - 1) + cluster**2 / (n_clusters - 1)
    spread += both**2 / ((n_seeds - 1) * (n_clusters - 1))
    return Crossed(estimate, total, max(1.0, total**2 / spread))


def crossed_means(sums: Floats, rows: Floats) -> Crossed:
    """Analyse a mean over rows by seeds x clusters.

    Variance ``(MS_s + MS_u - MS_e) / (S U)`` with Satterthwaite's degrees of freedom. Clusters differ in
    size, so the mean is a ratio: the analysis is made on its linearised form.

    Parameters
    ----------
    sums : ndarray of shape (n_seeds, n_clusters)
        Sum over each cluster's rows.
    rows : ndarray of shape (n_clusters,)

    Returns
    -------
    Crossed
        With one seed, the variance over clusters alone.
    """
    n_seeds, n_clusters = sums.shape
    estimate = float(sums.mean(axis=0).sum() / rows.sum())
    if n_clusters < 2:
        return Crossed(estimate, math.inf, 1.0)
    return _combine(estimate, *_mean_squares(sums, rows), n_seeds, n_clusters)


def seed_share(sums: Floats, rows: Floats) -> float:
    """Return the share of the seeds' spread that is theirs, and not noise of the clusters, 0 to 1.

    Parameters as in `crossed_means`.
    """
    if min(sums.shape) < 2:
        return 0.0
    seed, _, both = _mean_squares(sums, rows)
    return max(0.0, 1 - both / seed) if seed > 0 else 0.0


def _mean_squares(sums: Floats, rows: Floats) -> tuple[float, float, float]:
    """Return the mean squares of seeds, clusters and both, each over n_seeds x n_clusters."""
    n_seeds, n_clusters = sums.shape
    cells = n_seeds * n_clusters
    table = (sums - sums.mean(axis=0).sum() / rows.sum() * rows) / rows.mean()
    by_seed, by_cluster = table.mean(axis=1), table.mean(axis=0)
    mean = table.mean()
    cluster = n_seeds * float(((by_cluster - mean) ** 2).sum()) / (n_clusters - 1) / cells
    if n_seeds < 2:
        return 0.0, cluster, 0.0
    seed = n_clusters * float(((by_seed - mean) ** 2).sum()) / (n_seeds - 1) / cells
    rest = table - by_seed[:, None] - by_cluster + mean
    both = float((rest**2).sum()) / ((n_seeds - 1) * (n_clusters - 1)) / cells
    return seed, cluster, both


def crossed_bootstrap(points: Floats, draws: Floats, n_clusters: int) -> Crossed:
    """Analyse any score by seeds x clusters, from a bootstrap over clusters.

    The same three mean squares as in `crossed_means`: seeds from the spread of `points`, clusters from
    the spread of the draws' mean over seeds, and both from what is left.

    Parameters
    ----------
    points : ndarray of shape (n_seeds,)
        The score of each seed on all clusters.
    draws : ndarray of shape (n_draws, n_seeds)
        Its scores on resampled clusters, the same resamples for every seed.
    n_clusters : int
    """
    n_seeds = len(points)
    estimate = float(points.mean())
    usable = draws[np.isfinite(draws).all(axis=1)]
    if len(usable) < max(2, len(draws) // 2):
        return Crossed(estimate, math.inf, 1.0)
    mean = usable.mean(axis=1)
    cluster = float(mean.var(ddof=1))
    if n_seeds < 2:
        return _combine(estimate, 0.0, cluster, 0.0, n_seeds, n_clusters)
    seed = float(points.var(ddof=1)) / n_seeds
    both = float((usable - mean[:, None]).var(axis=0, ddof=1).sum()) / ((n_seeds - 1) * n_seeds)
    return _combine(estimate, seed, cluster, both, n_seeds, n_clusters)


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
