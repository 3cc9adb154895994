"""The hybrid's teacher: the experts' rules, what other columns agree to, and what labels make of both.

``T(x) = b + s logit prior(x) + sum over rules of (a w_r + delta_r) t_r(x) + g n(x)``. The scales s, a and
g say how much prior, certainties and witnesses (`toolkit.tracks._teacher_witnesses`) count; `delta` lets
labels correct single rules, held back by the precision `tau`. Without labels the experts are taken at
their word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from toolkit.knowledge.symbolic import ExpertSystem
from toolkit.tracks._teacher_witnesses import Witnesses

__all__ = ["TAUS", "Evidence", "Labels", "Teacher", "choose_tau", "design_effect"]

BIAS_PRECISION = 64.0
"""The experts' overall level is right within an eighth in odds: few clusters tell of themselves only."""

PRIOR_PRECISION = 100.0
SCALE_PRECISION = 8.0
WITNESS_PRECISION = 32.0
"""How firmly s, a and g stand where they are without labels: deviations of .1, .35 and .18.

All chosen on the retail task's validation block, 10 seeds, so that no number of labels is worse than none.
"""

TAUS = (1.0, 4.0, 16.0, 64.0, float("inf"))

FEWEST_CLUSTERS = 10
"""With fewer, cross-validation tells chance from nothing."""

LIKENESS = 0.1
"""Correlation of what the teacher misses within a cluster, until clusters say: shoppers who stay at home."""


class Evidence(NamedTuple):
    """What the parts of the teacher say of rows.

    Parameters
    ----------
    prior, certainties, witnesses : ndarray of shape (n_rows,)
        Log-odds, not yet scaled.
    fired : ndarray of shape (n_rows, n_rules)
        Which rules count, 0 or 1.
    """

    prior: NDArray[np.float64]
    certainties: NDArray[np.float64]
    witnesses: NDArray[np.float64]
    fired: NDArray[np.float64]

    @classmethod
    def of(cls, expert: ExpertSystem, witnesses: Witnesses | None, features: pd.DataFrame) -> Evidence:
        """Ask the parts."""
        # in a group the strongest is the expert's whatever delta, so what counts never changes
        fired = expert.effective(expert.firings(features)).astype(np.float64)
        said = np.zeros(len(features)) if witnesses is None else witnesses.evidence(features)
        return cls(expert.prior_logit(features), fired @ expert.weights, said, fired)

    def take(self, rows: NDArray[np.bool_]) -> Evidence:
        """Return some of the rows."""
        return Evidence(*(part[rows] for part in self))

    def sums(self) -> NDArray[np.float64]:
        """Return the parts that have a common scale, shape (n_rows, 3)."""
        return np.column_stack([self.prior, self.certainties, self.witnesses])


class Labels(NamedTuple):
    """Labels and the clusters that they come from, (n_rows,) each."""

    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]


@dataclass(frozen=True)
class Teacher:
    """A fitted teacher; the defaults take the experts at their word.

    Parameters
    ----------
    shifts : ndarray of shape (n_rules,)
        delta, in the experts' order.
    centre : ndarray of shape (3,)
        Means of the parts that have a scale, over unlabelled rows: labels turn the teacher about them.
    bias, prior_scale, scale, witness_scale : float
        b, s, a and g.
    witnesses : Witnesses or None
    fitted_rows, products : int
        Labelled rows of the fit, and rows times columns times evaluations of its loss and gradient.
    """

    shifts: NDArray[np.float64]
    centre: NDArray[np.float64]
    bias: float = 0.0
    prior_scale: float = 1.0
    scale: float = 1.0
    witness_scale: float = 0.0
    witnesses: Witnesses | None = None
    fitted_rows: int = 0
    products: int = 0

    @classmethod
    def before_labels(
        cls, expert: ExpertSystem, witnesses: Witnesses | None, rows: Evidence, word: float
    ) -> Teacher:
        """Return the teacher that has seen no label.

        Parameters
        ----------
        expert : ExpertSystem
        witnesses : Witnesses or None
        rows : Evidence
            Of unlabelled rows.
        word : float
            What the witnesses' word is worth beside the experts': 1 adds both up.

        Returns
        -------
        Teacher
            Where the witnesses say something, everything is scaled down so that the sum is of the
            experts' size and mean: both tell much the same, and adding up counts it twice.
        """
        alone = cls(np.zeros(expert.n_rules), rows.sums().mean(axis=0) if len(rows.prior) else np.zeros(3))
        if witnesses is None or word == 0:
            return alone
        experts = rows.prior + rows.certainties
        both = experts + word * rows.witnesses
        away = both - both.mean()
        size = float(away @ experts) / float(away @ away)
        return replace(
            alone,
            bias=float(experts.mean() - size * both.mean()),
            prior_scale=size,
            scale=size,
            witness_scale=size * word,
            witnesses=witnesses,
        )

    def fit(self, rows: Evidence, said: Labels, tau: float) -> Teacher:
        """Return what labels make of this teacher: summed log loss plus the penalties.

        Rows of a cluster repeat one another, so the loss is divided by the design effect.

        Parameters
        ----------
        rows : Evidence
            Of labelled rows.
        said : Labels
        tau : float
            Precision of the shifts; infinity keeps them at zero.
        """
        start = self.combine(rows)
        # columns: bias, the three scales, then one shift a rule (none where tau is infinite)
        shifted = np.isfinite(tau)
        sums = rows.sums() - self.centre
        parts = [np.ones((len(sums), 1)), sums, *([rows.fired] if shifted else [])]
        design = np.hstack(parts)
        precision = np.full(design.shape[1], tau if shifted else 0.0)
        precision[:4] = BIAS_PRECISION, PRIOR_PRECISION, SCALE_PRECISION, WITNESS_PRECISION
        effect = design_effect(said, expit(start))

        def loss(moved: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            logits = start + design @ moved
            value = np.sum(np.logaddexp(0.0, logits) - said.labels * logits) / effect
            slope = design.T @ (expit(logits) - said.labels) / effect
            return float(value + 0.5 * precision @ moved**2), slope + precision * moved

        found = minimize(
            loss, np.zeros(len(precision)), jac=True, method="L-BFGS-B", options={"maxiter": 200}
        )
        moved = found.x
        return replace(
            self,
            bias=self.bias + float(moved[0] - self.centre @ moved[1:4]),
            prior_scale=self.prior_scale + float(moved[1]),
            scale=self.scale + float(moved[2]),
            witness_scale=self.witness_scale + float(moved[3]),
            shifts=self.shifts + (moved[4:] if shifted else 0.0),
            fitted_rows=len(design),
            products=design.size * int(found.nfev),
        )

    def logit(self, expert: ExpertSystem, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the teacher's log-odds, shape (n_rows,)."""
        return self.combine(Evidence.of(expert, self.witnesses, features))

    def combine(self, rows: Evidence) -> NDArray[np.float64]:
        """Return the teacher's log-odds of rows whose parts are known, shape (n_rows,)."""
        scales = np.array([self.prior_scale, self.scale, self.witness_scale])
        logits: NDArray[np.float64] = self.bias + rows.sums() @ scales + rows.fired @ self.shifts
        return logits


def design_effect(said: Labels, chances: NDArray[np.float64]) -> float:
    """Return how many labels of a cluster are worth as much as one alone.

    ``1 + (m - 1) rho``, m the rows of a row's cluster on average, and rho how alike a cluster's residuals
    are: estimated, with `LIKENESS` counted in as `FEWEST_CLUSTERS` clusters.

    Parameters
    ----------
    said : Labels
    chances : ndarray of shape (n_rows,)
        What was expected.
    """
    _, codes, counts = np.unique(said.clusters, return_inverse=True, return_counts=True)
    size = float(np.sum(counts**2) / np.sum(counts))
    if size <= 1:
        return 1.0
    missed = np.bincount(codes, weights=said.labels - chances)
    ratio = float(np.sum(missed**2) / np.sum(chances * (1 - chances)))
    alike = (ratio - 1) / (size - 1)
    alike = (len(counts) * alike + FEWEST_CLUSTERS * LIKENESS) / (len(counts) + FEWEST_CLUSTERS)
    return float(np.clip(1 + (size - 1) * alike, 1.0, size))


def choose_tau(
    teacher: Teacher, rows: Evidence, said: Labels, folds: NDArray[np.intp], taus: tuple[float, ...] = TAUS
) -> float:
    """Return the largest tau whose held-out log loss is the least, within a standard error over clusters.

    Parameters
    ----------
    teacher : Teacher
        Before labels.
    rows : Evidence
        Of labelled rows.
    said : Labels
    folds : ndarray of shape (n_rows,)
        Fold of every row; rows of one cluster share theirs.
    taus : tuple of float
        Rising.
    """
    _, codes = np.unique(said.clusters, return_inverse=True)
    n_clusters = int(codes.max()) + 1
    if n_clusters < FEWEST_CLUSTERS:
        return taus[-1]
    losses = np.zeros((len(taus), len(codes)))
    for fold in np.unique(folds):
        out = folds == fold
        known = Labels(said.labels[~out], said.clusters[~out])
        for position, tau in enumerate(taus):
            logits = teacher.fit(rows.take(~out), known, tau).combine(rows.take(out))
            losses[position, out] = np.logaddexp(0.0, logits) - said.labels[out] * logits
    by_cluster = np.stack([np.bincount(codes, weights=each) for each in losses])
    best = by_cluster[int(np.argmin(by_cluster.sum(axis=1)))]
    behind = by_cluster - best
    error = behind.std(axis=1, ddof=1) * np.sqrt(n_clusters)
    good = np.flatnonzero(behind.sum(axis=1) <= error)
    return taus[int(good[-1])]
