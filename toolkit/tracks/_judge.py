"""When one candidate is better than another: never by luck alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["clearly_below_zero"]

CLUSTERS = 20
"""Clusters with which a lead of one standard error counts."""


def clearly_below_zero(differences: NDArray[np.float64]) -> bool:
    """Tell whether a sum over clusters lies below zero by more than luck.

    What came first keeps its place unless it is beaten by ``sqrt(CLUSTERS / n_clusters)`` standard errors:
    two with 5 clusters, one with 20, a fifth of one with 500. That is the rule of somebody who holds
    the first candidate for slightly better before looking: the less the clusters can tell, the more
    must they say.

    Parameters
    ----------
    differences : ndarray of shape (n_clusters,)
        Paired differences of summed losses.
    """
    n_clusters = len(differences)
    if n_clusters < 2:
        return False
    error = float(np.std(differences, ddof=1)) * np.sqrt(n_clusters)
    return bool(differences.sum() < -np.sqrt(CLUSTERS / n_clusters) * error)
