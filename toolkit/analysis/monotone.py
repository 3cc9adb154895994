"""Errors along a ladder made to fall, and where they cross a target; many draws at once."""

from __future__ import annotations

import numpy as np

from toolkit.analysis.stacks import Floats

__all__ = ["crossing", "falling"]


def falling(errors: Floats) -> Floats:
    """Return the nearest sequences that never rise (isotonic regression), shape (n_draws, n).

    Value i is the least over j <= i of the greatest over k >= i of the mean of errors j … k.

    Parameters
    ----------
    errors : ndarray of shape (n_draws, n)

    References
    ----------
    Robertson, Wright and Dykstra (1988), Order Restricted Statistical Inference, theorem 1.4.4.
    """
    n = errors.shape[1]
    sums = np.concatenate([np.zeros((len(errors), 1)), np.cumsum(errors, axis=1)], axis=1)
    least = np.full_like(errors, np.inf)
    for j in range(n):
        means = (sums[:, j + 1 :] - sums[:, [j]]) / np.arange(1, n - j + 1)
        greatest = np.maximum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        least[:, j:] = np.minimum(least[:, j:], greatest)
    return least


def crossing(costs: Floats, errors: Floats, targets: Floats) -> Floats:
    """Return the cost at which falling errors reach a target, shape (n_draws,).

    Between two rungs by a straight line over log cost; infinite where the last one does not reach it, and the
    cost of the first where that one does already.

    Parameters
    ----------
    costs : ndarray of shape (n_draws, n)
        Positive.
    errors : ndarray of shape (n_draws, n)
        Never rising.
    targets : ndarray of shape (n_draws,)
    """
    reached = errors <= targets[:, None]
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), -1)
    rows = np.arange(len(errors))
    before = np.maximum(first - 1, 0)
    above, below = errors[rows, before], errors[rows, first]
    drop = above - below
    share = np.divide(above - targets, drop, out=np.ones_like(drop), where=(drop > 0) & (first > 0))
    log_cost = np.log(costs)
    between = log_cost[rows, before] + share * (log_cost[rows, first] - log_cost[rows, before])
    return np.asarray(np.where(first < 0, np.inf, np.exp(np.where(first == 0, log_cost[:, 0], between))))
