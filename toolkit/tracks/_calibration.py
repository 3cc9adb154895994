"""Calibration where it helps: two parameters on the log-odds (Platt, 1999), learned from held-out rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from toolkit.seeding import derive_seed
from toolkit.tracks._judge import surely_below_zero, telling_clusters

__all__ = ["Platt", "calibrate"]

TINY = 1e-6
PRECISION = 1.0
"""Pulls slope to 1 and shift to 0, as one more row would."""


@dataclass(frozen=True)
class Platt:
    """``p -> sigmoid(slope logit(p) + shift)``."""

    slope: float
    shift: float

    @classmethod
    def fit(cls, probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> Platt:
        """Minimise the summed log loss with a weak pull towards changing nothing."""
        scores = logit(np.clip(probabilities, TINY, 1 - TINY))

        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            moved = theta[0] * scores + theta[1]
            residuals = expit(moved) - labels
            away = theta - (1.0, 0.0)
            value = float(np.sum(np.logaddexp(0.0, moved) - labels * moved) + 0.5 * PRECISION * away @ away)
            return value, np.array([residuals @ scores, residuals.sum()]) + PRECISION * away

        # a slope below zero would turn the ranking round
        found = minimize(loss, (1.0, 0.0), jac=True, method="L-BFGS-B", bounds=((0.05, 20.0), (-20.0, 20.0)))
        return cls(slope=float(found.x[0]), shift=float(found.x[1]))

    def __call__(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, shape (n_rows,)."""
        moved: NDArray[np.float64] = expit(
            self.slope * logit(np.clip(probabilities, TINY, 1 - TINY)) + self.shift
        )
        return moved


def calibrate(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int8],
    clusters: NDArray[np.int32],
    seed: int,
) -> Platt | None:
    """Return a calibration if it surely helps.

    Two halves of the clusters calibrate each other, so that what is judged was not calibrated on itself.
    Held-out clusters that happen to buy more than the others ask for a shift that is wrong elsewhere, so it
    takes a one-sided t test at 95 %.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows,)
        Of held-out rows.
    labels : ndarray of shape (n_rows,)
    clusters : ndarray of shape (n_rows,)
    seed : int

    Returns
    -------
    Platt or None
    """
    names, codes = np.unique(clusters, return_inverse=True)
    if len(names) < 4 or len(np.unique(labels)) < 2:
        return None
    order = np.random.default_rng(derive_seed("calibration", seed)).permutation(len(names))
    first = (order < len(names) // 2)[codes]
    crossed = np.empty(len(labels))
    for half in (first, ~first):
        crossed[~half] = Platt.fit(probabilities[half], labels[half])(probabilities[~half])
    gained = np.bincount(codes, weights=_losses(crossed, labels) - _losses(probabilities, labels)).astype(
        np.float64
    )
    helps = surely_below_zero(gained, telling_clusters(labels, clusters))
    return Platt.fit(probabilities, labels) if helps else None


def _losses(probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> NDArray[np.float64]:
    chances = np.clip(probabilities, TINY, 1 - TINY)
    losses: NDArray[np.float64] = -np.where(labels == 1, np.log(chances), np.log1p(-chances))
    return losses
