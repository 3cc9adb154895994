"""The part of the plane that points dominate, up to a reference point: 2-d hypervolume, both to be small."""

from __future__ import annotations

import numpy as np

from toolkit.analysis.stacks import Floats

__all__ = ["hypervolume"]


def hypervolume(x: Floats, y: Floats, reference_x: float, reference_y: Floats) -> Floats:
    """Return the area between the points and the reference, shape (n_draws,).

    A point dominates all that lies right of it and above it. Points beyond the reference add nothing.

    Parameters
    ----------
    x, y : ndarray of shape (n_draws, n)
        Lower is better in both.
    reference_x : float
    reference_y : ndarray of shape (n_draws,)

    References
    ----------
    Zitzler and Thiele (1998), Multiobjective optimization using evolutionary algorithms, PPSN V.
    """
    if x.shape[1] == 0:
        return np.zeros(len(x))
    order = np.argsort(x, axis=1, kind="stable")
    xs = np.minimum(np.take_along_axis(x, order, axis=1), reference_x)
    lowest = np.minimum.accumulate(np.take_along_axis(y, order, axis=1), axis=1)
    ends = np.concatenate([xs[:, 1:], np.full((len(xs), 1), reference_x)], axis=1)
    return np.asarray(((ends - xs) * np.maximum(reference_y[:, None] - lowest, 0.0)).sum(axis=1))
