"""How much a search can be expected to find: the best of n trials, without bias."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from toolkit.records import SearchTrial

__all__ = ["drawn_losses", "expected_best"]


def drawn_losses(trials: Iterable[SearchTrial]) -> NDArray[np.float64]:
    """Return the first losses of the trials whose parameters were drawn, shape (n_drawn,).

    All first fits of a search have the same rows. The candidates that are always tried are no draws.
    """
    return np.array([trial.first_loss for trial in trials if trial.drawn and trial.first_loss is not None])


def expected_best(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected smallest loss of n of the trials, for n = 1 to all of them.

    ``sum over i of C(N - i, n - 1) / C(N, n) y_(i)``, y_(i) the i-th smallest of N: unbiased for independent
    draws (Dodge et al., "Show your work", 2019, without their replacement).

    Parameters
    ----------
    losses : ndarray of shape (n_trials,)

    Returns
    -------
    ndarray of shape (n_trials,)
    """
    ordered = np.sort(losses)
    total = len(ordered)
    place = np.arange(1, total + 1)
    best = np.empty(total)
    for n in range(1, total + 1):
        left = total - place
        with np.errstate(invalid="ignore"):
            logs = _log_choose(left, n - 1) - _log_choose(np.array(total), n)
        weights = np.where(left >= n - 1, np.exp(logs), 0.0)
        best[n - 1] = weights @ ordered
    return best


def _log_choose(of: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = gammaln(of + 1.0) - gammaln(n + 1.0) - gammaln(np.maximum(of - n, 0) + 1.0)
    return logs
