"""The hybrid's teacher: the expert system with its certainties re-weighted by the labelled rows.

``T(x) = b + logit prior(x) + sum over rules of (a w_r + delta_r) t_r(x)``. The scale `a` says how
much the experts' certainties overstate, since rules overlap and double count; `delta` lets data
correct single rules, held back by the precision `tau`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from toolkit.knowledge.symbolic import ExpertSystem

__all__ = ["SCALE", "TAUS", "Teacher", "choose_tau"]

SCALE = 0.6
"""The scale that the penalty pulls towards, and the one used where there are no labels."""

SCALE_PRECISION = 4.0
"""The penalty is 2 (a - 0.6)**2."""

BIAS_PRECISION = 0.1
"""Only keeps the bias finite where all labels are the same."""

TAUS = (1.0, 4.0, 16.0, 64.0, float("inf"))


@dataclass(frozen=True)
class Teacher:
    """A fitted teacher; the defaults are the teacher of no labels.

    Parameters
    ----------
    shifts : ndarray of shape (n_rules,)
        delta, in the experts' order.
    bias, scale : float
        b and a.
    """

    shifts: NDArray[np.float64]
    bias: float = 0.0
    scale: float = SCALE

    @classmethod
    def fit(
        cls, expert: ExpertSystem, features: pd.DataFrame, labels: NDArray[np.int8], tau: float
    ) -> Teacher:
        """Fit bias, scale and shifts: summed log loss plus the penalties.

        Parameters
        ----------
        expert : ExpertSystem
        features : DataFrame of shape (n_rows, n_columns)
        labels : ndarray of shape (n_rows,)
        tau : float
            Precision of the shifts; infinity keeps them at zero.
        """
        return _fit(*_evidence(expert, features), expert.weights, labels, tau)

    def logit(self, expert: ExpertSystem, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the teacher's log-odds, shape (n_rows,)."""
        prior, fired = _evidence(expert, features)
        return self._logit(prior, fired, expert.weights)

    def _logit(
        self, prior: NDArray[np.float64], fired: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        logits: NDArray[np.float64] = self.bias + prior + fired @ (self.scale * weights + self.shifts)
        return logits


def _evidence(
    expert: ExpertSystem, features: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the prior's log-odds and which rules count, (n_rows,) and (n_rows, n_rules)."""
    # in a group the strongest is the expert's whatever delta, so what counts never changes
    fired = expert.effective(expert.firings(features)).astype(np.float64)
    return expert.prior_logit(features), fired


def _fit(
    prior: NDArray[np.float64],
    fired: NDArray[np.float64],
    weights: NDArray[np.float64],
    labels: NDArray[np.int8],
    tau: float,
) -> Teacher:
    # columns: bias, scale, then one shift a rule (none where tau is infinite)
    shifted = np.isfinite(tau)
    design = np.column_stack([np.ones(len(prior)), fired @ weights, *([fired] if shifted else [])])
    centre = np.zeros(design.shape[1])
    centre[1] = SCALE
    precision = np.full(design.shape[1], tau if shifted else 0.0)
    precision[:2] = BIAS_PRECISION, SCALE_PRECISION

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = prior + design @ theta
        away = theta - centre
        value = float(np.sum(np.logaddexp(0.0, logits) - labels * logits) + 0.5 * precision @ away**2)
        return value, design.T @ (expit(logits) - labels) + precision * away

    theta = minimize(loss, centre, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    shifts = theta[2:] if shifted else np.zeros(len(weights))
    return Teacher(shifts=shifts, bias=float(theta[0]), scale=float(theta[1]))


def choose_tau(
    expert: ExpertSystem,
    features: pd.DataFrame,
    labels: NDArray[np.int8],
    folds: NDArray[np.intp],
) -> float:
    """Return the tau with the least held-out log loss, by cross-validation.

    Parameters
    ----------
    expert : ExpertSystem
    features : DataFrame of shape (n_rows, n_columns)
    labels : ndarray of shape (n_rows,)
    folds : ndarray of shape (n_rows,)
        Fold of every row; rows of one cluster share theirs.
    """
    prior, fired = _evidence(expert, features)
    weights = expert.weights
    totals = np.zeros(len(TAUS))
    for fold in np.unique(folds):
        held_out = folds == fold
        for position, tau in enumerate(TAUS):
            teacher = _fit(prior[~held_out], fired[~held_out], weights, labels[~held_out], tau)
            logits = teacher._logit(prior[held_out], fired[held_out], weights)
            totals[position] += np.sum(np.logaddexp(0.0, logits) - labels[held_out] * logits)
    return TAUS[int(np.argmin(totals))]
