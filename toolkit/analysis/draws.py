"""Draws of declared ranges: the mean first, then samples that depend on names only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.amounts import Range
from toolkit.analysis.spending import Spread
from toolkit.analysis.stacks import Floats
from toolkit.seeding import derive_seed

__all__ = ["N_DRAWS", "around_mean", "draw_band", "draw_ratio", "drawn", "mean_of", "place_in_band"]

N_DRAWS = 2000


def mean_of(amount: Range) -> float:
    """Return the mean of a declared range: (low + 4 likely + high) / 6, as PERT has it."""
    return (amount.low + 4 * amount.likely + amount.high) / 6


def _pert(amount: Range, names: tuple[str, ...], n_draws: int) -> Floats:
    """Draw from the PERT distribution of a range; the draw depends on the names only."""
    width = amount.high - amount.low
    if width == 0:
        return np.full(n_draws, amount.likely)
    generator = np.random.default_rng(derive_seed("declared", *names))
    above = 1 + 4 * (amount.likely - amount.low) / width
    below = 1 + 4 * (amount.high - amount.likely) / width
    return np.asarray(amount.low + width * generator.beta(above, below, n_draws))


def drawn(amount: Range, *names: str, n_draws: int = N_DRAWS) -> Floats:
    """Return the mean of a declared range and draws of it, shape (1 + n_draws,)."""
    return np.concatenate([[mean_of(amount)], _pert(amount, names, n_draws)])


def draw_ratio(amount: Range, *names: str, n_draws: int = N_DRAWS) -> Floats:
    """Return draws of a declared range that amounts are divided by: entry 0 is their harmonic mean.

    The mean of ``1 / x`` is not one over the mean of x.
    """
    values = drawn(amount, *names, n_draws=n_draws)
    if amount.low < amount.high:
        values[0] = 1 / (1 / values[1:]).mean()
    return values


def draw_band(band: Sequence[float], place: Floats, *, log: bool = False) -> Floats:
    """Return a band at places from 0 (low) over 0.5 (middle) to 1 (high); entry 0 is the mean of the others.

    Parameters
    ----------
    band : sequence of 3 float
        Low, middle and high.
    place : ndarray of shape (1 + n_draws,)
    log : bool
        Between the three on the log scale, for bands that span powers of ten.
    """
    ends = np.log(band) if log else np.asarray(band, dtype=float)
    values = np.interp(place, [0.0, 0.5, 1.0], ends)
    values = np.exp(values) if log else values
    if len(values) > 1:
        values[0] = values[1:].mean()
    return np.asarray(values)


def around_mean(band: Sequence[float], place: Floats, *, log: bool = False) -> Spread:
    """Return the ends of a band with the mean of its draws between them; parameters as in `draw_band`."""
    return Spread(band[0], float(draw_band(band, place, log=log)[0]), band[2])


def place_in_band(*names: str, n_draws: int = N_DRAWS) -> Floats:
    """Return where in a band from 0 (low) over 0.5 (middle) to 1 (high) a draw lies, triangular."""
    places = np.random.default_rng(derive_seed(*names)).triangular(0, 0.5, 1, n_draws)
    return np.concatenate([[0.5], places])
