"""Scores that need to know which household, week and category a row is.

A household-week counts when it has a positive row. With T its positive rows and k = 10::

    recall@k = positives among the k most probable rows / min(k, |T|)
    nDCG@k   = sum over positives of 1 / log2(1 + rank), rank <= k / the same sum for a perfect order

Rows of equal probability share their ranks: each counts the mean of its group, so that a tie
is worth its expectation under a random order, and the order of rows does not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["stock_error", "top_scores"]


def top_scores(
    labels: NDArray[np.int8],
    probabilities: NDArray[np.float64],
    lists: NDArray[np.int64],
    k: int = 10,
) -> tuple[float, float] | None:
    """Return recall@k and nDCG@k, each a mean over the lists that have a positive.

    Parameters
    ----------
    labels, probabilities : ndarray of shape (n_rows,)
    lists : ndarray of shape (n_rows,)
        Which list (household-week) a row belongs to.
    k : int
        Length of the list that is shown.

    Returns
    -------
    (float, float) or None
        None when there is no positive.
    """
    order = np.lexsort((-probabilities, lists))
    lists, probabilities, gains = lists[order], probabilities[order], labels[order].astype(np.float64)
    if not gains.any():
        return None
    first_of_list = np.flatnonzero(np.diff(lists, prepend=lists[0] - 1))
    list_sizes = np.diff(first_of_list, append=len(lists))
    ranks = np.arange(len(lists)) - np.repeat(first_of_list, list_sizes)

    is_new = np.diff(probabilities, prepend=np.nan) != 0
    is_new[first_of_list] = True
    first_of_tie = np.flatnonzero(is_new)
    tie_sizes = np.diff(first_of_tie, append=len(lists))
    gains = np.repeat(np.add.reduceat(gains, first_of_tie) / tie_sizes, tie_sizes)

    discounts = 1 / np.log2(np.arange(k) + 2)
    shown = ranks < k
    weights = np.where(shown, discounts[np.minimum(ranks, k - 1)], 0.0)
    positives = np.rint(np.add.reduceat(gains, first_of_list)).astype(np.int64)
    counted = positives > 0
    reachable = np.minimum(positives[counted], k)
    hits = np.add.reduceat(gains * shown, first_of_list)[counted]
    found = np.add.reduceat(gains * weights, first_of_list)[counted]
    return float(np.mean(hits / reachable)), float(np.mean(found / np.cumsum(discounts)[reachable - 1]))


def stock_error(
    labels: NDArray[np.int8], probabilities: NDArray[np.float64], cells: NDArray[np.int64]
) -> float | None:
    """Return the weighted absolute percentage error of expected against actual buyers a cell.

    Parameters
    ----------
    labels, probabilities : ndarray of shape (n_rows,)
    cells : ndarray of shape (n_rows,)
        Which category-week a row belongs to.

    Returns
    -------
    float or None
        Sum over cells of |expected - actual| / sum of actual; None when there is no positive.
    """
    _, cell = np.unique(cells, return_inverse=True)
    actual = np.bincount(cell, labels)
    expected = np.bincount(cell, probabilities)
    if not actual.any():
        return None
    return float(np.abs(expected - actual).sum() / actual.sum())
