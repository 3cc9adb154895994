"""A bank of learned filters on a raw signal, in numpy: exponential decays and a logarithm.

Filter k of a channel is ``log(sum over steps of w_k(age) [something happened])``, with ``w_k`` a
normalised decay whose half-life is learned: one matrix product for all steps, rows and filters. It is
a diagonal linear state-space layer (Gu, Gupta, Goel and Ré, "On the parameterization and initialization
of diagonal state space models", 2022) that is read out at its last step only. The logarithm makes rates,
their ratios and, through the fast filters, the time since the last event linear for what comes after.

Tried in its place on the retail task's validation block, and worse or no better at a higher price: a
convolution over weeks, a recurrent net over weeks, single days, counts instead of presence, days of the
week, and filters that count the household's trips instead of days.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DataError

__all__ = ["FURTHEST", "LARGEST", "SMALLEST", "FilterBank", "ages"]

SMALLEST = 1e-6
"""Added to a filter's share before its logarithm: what "nothing happened" counts as."""

LARGEST = 60.0
"""Decay, in powers of e, beyond which it stays: exp of more is too small a number to compute with."""

FURTHEST = 6.0
"""Standard deviations at which a filter's output is cut off."""


def ages(n_steps: int) -> NDArray[np.float32]:
    """Return the age of every step of a signal, the last half a step old, shape (n_steps,)."""
    return np.arange(n_steps - 1, -1, -1, dtype=np.float32) + np.float32(0.5)


@dataclass(frozen=True)
class FilterBank:
    """A trained bank of decays.

    Parameters
    ----------
    n_steps : int
        Length of the signal.
    rates : ndarray of shape (n_channels, n_filters), float32
        Natural logarithm of the decay a step.
    centre, spread : ndarray of shape (n_channels * n_filters,), float32
        Mean and standard deviation of the outputs over training rows.
    """

    n_steps: int
    rates: NDArray[np.float32]
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]

    @property
    def n_outputs(self) -> int:
        """Number of columns of `transform`."""
        return self.rates.size

    @property
    def half_lives(self) -> NDArray[np.float64]:
        """Half-life of every filter in steps, shape (n_channels, n_filters)."""
        lives: NDArray[np.float64] = np.log(2) / np.exp(self.rates.astype(np.float64))
        return lives

    @cached_property
    def _kernels(self) -> NDArray[np.float32]:
        decays = ages(self.n_steps)[:, None] * np.exp(self.rates)[:, None, :]
        kernels = np.exp(-np.minimum(decays, np.float32(LARGEST)))
        normalised: NDArray[np.float32] = kernels / kernels.sum(axis=1, keepdims=True)
        return normalised

    def transform(self, sequence: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the standardised filters of every row.

        Parameters
        ----------
        sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8

        Returns
        -------
        ndarray of shape (n_rows, n_channels * n_filters), float32

        Raises
        ------
        DataError
            The signal has another shape than the one learned from.
        """
        n_channels, n_filters = self.rates.shape
        if sequence.shape[1:] != (n_channels, self.n_steps):
            raise DataError(
                f"the raw signal must have the shape (rows, {n_channels}, {self.n_steps}) that the net was "
                f"trained on, got {sequence.shape}"
            )
        happened = (sequence != 0).astype(np.float32)
        outputs = np.empty((len(sequence), self.n_outputs), np.float32)
        for channel, kernel in enumerate(self._kernels):
            outputs[:, channel * n_filters : (channel + 1) * n_filters] = happened[:, channel] @ kernel
        outputs += np.float32(SMALLEST)
        np.log(outputs, out=outputs)
        outputs -= self.centre
        outputs /= self.spread
        return np.clip(outputs, -FURTHEST, FURTHEST, out=outputs)
