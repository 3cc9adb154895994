"""How far the log-odds move on some rows, with an interval for rows that come in clusters.

The prior is first set right in general: an offset b0 makes it expect as many positives as there are. On
the chosen rows the shift s then solves ``sum y = sum sigmoid(logit prior + b0 + s)``. With a constant
prior, s is the log likelihood ratio ln P(chosen | 1) / P(chosen | 0), which is what a certainty factor
stands for (D. Heckerman, "Probabilistic interpretations for MYCIN's certainty factors", 1986).

The variance is the sandwich estimator of both equations together (K.-Y. Liang and S. L. Zeger,
"Longitudinal data analysis using generalized linear models", 1986), never below that of independent
rows, with Student's t of as many degrees of freedom as there are clusters with a chosen row, less one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import t as student

from toolkit.knowledge.entries import WORDS
from toolkit.knowledge.symbolic import log_odds

__all__ = ["Shift", "World", "certainty_of", "solve", "word_range"]

LEVEL = 0.95

NUMBER_COVERS = 0.25
"""A certainty given as a number stands for log-odds up to this share away from it."""

_SLACK = 1e-9
"""Keeps a root that lies on a bound between the bounds, rounding included."""

_Floats = NDArray[np.float64]
_Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Shift:
    """A change of log-odds with its 95 % interval; ends are infinite where the rows cannot tell.

    Parameters
    ----------
    estimate, low, high : float
        Log-odds, positive towards the positive outcome. The estimate is infinite where all labels
        are the same.
    p_word : float
        p-value of the expert's word: that the true shift lies in what it covers, see `word_range`.
    p_zero : float
        p-value of no shift at all.
    """

    estimate: float
    low: float
    high: float
    p_word: float
    p_zero: float

    @property
    def certainty(self) -> tuple[float, float, float]:
        """Estimate, low and high end as certainty factors, in [-1, 1]."""
        return certainty_of(self.estimate), certainty_of(self.low), certainty_of(self.high)


def certainty_of(shift: float) -> float:
    """Return the certainty factor that a shift of the log-odds stands for, in [-1, 1]."""
    return -math.expm1(-shift) if shift >= 0 else math.expm1(shift)


def word_range(certainty: float) -> tuple[float, float]:
    """Return the shifts that a signed certainty covers, lowest first.

    A word reaches half-way, in log-odds, to its neighbours (the weakest half-way to nothing, the
    strongest without end); a number reaches a quarter of its log-odds to both sides.
    """
    weight = abs(log_odds(certainty))
    words = [0.0, *sorted(log_odds(value) for value in WORDS.values()), math.inf]
    low, high = weight * (1 - NUMBER_COVERS), weight * (1 + NUMBER_COVERS)
    for below, word, above in zip(words, words[1:], words[2:], strict=False):
        if math.isclose(word, weight):
            low, high = (below + word) / 2, (word + above) / 2
    return (low, high) if certainty > 0 else (-high, -low)


@dataclass(frozen=True)
class World:
    """Labelled rows with what is expected of them, set right in general.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,), float64
        0.0 or 1.0, both present.
    offset : ndarray of shape (n_rows,)
        Expected log-odds, b0 included.
    codes : ndarray of shape (n_rows,)
        Cluster of each row, numbered from 0.
    influence : ndarray of shape (n_clusters,)
        How far each cluster's rows moved b0.
    information : float
        Of b0.
    """

    labels: _Floats
    offset: _Floats
    codes: _Rows
    influence: _Floats
    information: float

    @classmethod
    def of(
        cls,
        expected: _Floats,
        labels: _Floats,
        codes: _Rows,
        within: tuple[float, float] = (-math.inf, math.inf),
    ) -> Self:
        """Set the expected log-odds right in general: as many positives as there are.

        Parameters
        ----------
        expected, labels, codes : ndarray of shape (n_rows,)
        within : tuple of float
            Bounds that b0 is known to lie in; narrow ones save time.
        """
        offset = expected + solve(expected, float(labels.sum()), within)
        probability = expit(offset)
        information = float((probability * (1 - probability)).sum())
        influence = np.bincount(codes, labels - probability) / information
        return cls(labels, offset, codes, influence, information)

    def over(self, codes: _Rows) -> World:
        """Return the same rows with other clusters, shape (n_rows,), numbered from 0."""
        influence = np.bincount(codes, self.labels - expit(self.offset)) / self.information
        return replace(self, codes=codes, influence=influence)

    def shift(self, rows: _Rows, covered: tuple[float, float]) -> Shift:
        """Return how far the log-odds of some rows are from what is expected.

        Parameters
        ----------
        rows : ndarray of shape (n_chosen,)
            At least one.
        covered : tuple of float
            The shifts that the expert's word covers.
        """
        offset, labels, codes = self.offset[rows], self.labels[rows], self.codes[rows]
        positives = float(labels.sum())
        beyond: Callable[[float], float]
        if 0 < positives < len(rows):
            estimate = solve(offset, positives)
            error, degrees = self._error(offset + estimate, labels, codes)
            reach = error * float(student.ppf((1 + LEVEL) / 2, degrees)) if degrees else math.inf
            low, high = estimate - reach, estimate + reach

            beyond = partial(_two_sided, estimate, error, degrees)

        else:
            estimate, low, high, beyond = _one_sided(offset, codes, positives > 0)
        near = min(max(estimate, covered[0]), covered[1])
        p_word = 1.0 if near == estimate else beyond(near)
        return Shift(estimate, low, high, p_word=p_word, p_zero=beyond(0.0))

    def _error(self, fitted: _Floats, labels: _Floats, codes: _Rows) -> tuple[float, int]:
        """Return the standard error of a shift and its degrees of freedom."""
        probability = expit(fitted)
        information = float((probability * (1 - probability)).sum())
        residual = np.bincount(codes, labels - probability, minlength=len(self.influence))
        n_clusters = len(np.unique(codes))
        sandwich = float(((residual / information - self.influence) ** 2).sum())
        sandwich *= n_clusters / max(n_clusters - 1, 1)
        independent = 1 / information - 1 / self.information
        return math.sqrt(max(sandwich, independent)), n_clusters - 1


def solve(offset: _Floats, positives: float, within: tuple[float, float] = (-math.inf, math.inf)) -> float:
    """Return the shift at which ``sum(sigmoid(offset + shift))`` equals `positives`.

    Parameters
    ----------
    offset : ndarray of shape (n_rows,)
    positives : float
        Above 0 and below the number of rows.
    within : tuple of float
        Bounds that the shift is known to lie in.
    """
    target = float(logit(positives / len(offset)))
    # The mean of the sigmoids lies between the least and the greatest of them: so does the root.
    low = max(target - float(offset.max()), within[0]) - _SLACK
    high = min(target - float(offset.min()), within[1]) + _SLACK
    return float(brentq(lambda shift: float(expit(offset + shift).sum()) - positives, low, high, xtol=1e-10))


def _two_sided(estimate: float, error: float, degrees: int, value: float) -> float:
    if not degrees or value == estimate:
        return 1.0
    return 2 * float(student.sf(abs(value - estimate) / error, degrees)) if error else 0.0


def _one_sided(
    offset: _Floats, codes: _Rows, all_positive: bool
) -> tuple[float, float, float, Callable[[float], float]]:
    """Return estimate, interval and p-values where all labels are the same.

    The chance of that is exact for independent rows; here a whole cluster counts as one row, since
    how much its rows have in common cannot be seen.
    """
    sign = -1.0 if all_positive else 1.0
    weights = 1.0 / np.bincount(codes)[codes]

    def surprise(value: float) -> float:
        # -ln of the chance that all labels are what they are, with a shift of `value`
        return float((weights * np.logaddexp(0.0, sign * (offset + value))).sum())

    enough = -math.log((1 - LEVEL) / 2)
    span = float(np.abs(offset).max()) + enough + 1.0
    bound = float(brentq(lambda value: surprise(value) - enough, -sign * 800.0, sign * span))
    low, high = (bound, math.inf) if all_positive else (-math.inf, bound)
    estimate = math.inf if all_positive else -math.inf
    return estimate, low, high, lambda value: min(1.0, 2 * math.exp(-surprise(value)))
