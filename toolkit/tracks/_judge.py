"""When one candidate is better than another: never by luck alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

__all__ = ["UNCONFIRMED", "clearly_below_zero", "surely_below_zero", "telling_clusters"]

CLUSTERS = 20
"""Clusters with which a lead of one standard error counts."""

UNCONFIRMED = 1.0
"""Standard errors that a new leader is better by, at least, where no later rows can bear it out: the rule of
one standard error of Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984."""

SURE = 0.95


def telling_clusters(labels: NDArray[np.int8], clusters: NDArray[np.int32]) -> int:
    """Return how many clusters have a row of the rarer outcome: what a comparison of losses rests on.

    On fifteen customers of whom none has left, whoever says most boldly that nobody leaves is best, and every
    single customer agrees.
    """
    return min(len(np.unique(clusters[labels == outcome])) for outcome in (0, 1))


def clearly_below_zero(differences: NDArray[np.float64], n_telling: int, *, at_least: float = 0.0) -> bool:
    """Tell whether a sum over clusters lies below zero by more than luck.

    What came first keeps its place unless it is beaten by ``sqrt(CLUSTERS / n_telling)`` standard errors
    (of a normal; with few clusters as many more as Student's t asks for): nearly three with 5 clusters, one
    with 20, a fifth of one with 500. That is the rule of somebody who holds the first candidate for slightly
    better before looking: the less the clusters can tell, the more must they say.

    Parameters
    ----------
    differences : ndarray of shape (n_clusters,)
        Paired differences of summed losses.
    n_telling : int
        See `telling_clusters`.
    at_least : float
        Standard errors that are asked for, however many the clusters.
    """
    if n_telling < 2:
        return False
    asked = max(float(np.sqrt(CLUSTERS / n_telling)), at_least)
    return _is_below(differences, float(ndtr(asked)), n_telling)


def surely_below_zero(differences: NDArray[np.float64], n_telling: int) -> bool:
    """Tell whether a sum over clusters lies below zero by a one-sided t test at 95 %."""
    return n_telling > 1 and _is_below(differences, SURE, n_telling)


def _is_below(differences: NDArray[np.float64], confidence: float, n_telling: int) -> bool:
    error = float(np.std(differences, ddof=1)) * np.sqrt(len(differences))
    return bool(differences.sum() < -stdtrit(n_telling - 1, confidence) * error)
