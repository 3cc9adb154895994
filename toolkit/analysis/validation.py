"""What the common validation block says a decision is worth, and how unsure that block is.

Thresholds, deployed rungs and early stops are chosen on it; test rows decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from toolkit import scores
from toolkit.analysis.stacks import Floats
from toolkit.records import Evidence

__all__ = ["MIN_GROUPS", "OUTCOMES", "Validation", "standard_error", "validate"]

OUTCOMES = ("true_positive", "false_positive", "true_negative", "false_negative")

MIN_GROUPS = 10
"""From fewer groups of clusters no standard error is told."""


@dataclass(frozen=True)
class Validation:
    """One track at one rung as the validation block sees it, thresholds chosen there.

    Parameters
    ----------
    thresholds : mapping of int to int
        Seed -> bin of the scores from which to say yes: the one that earns most.
    values : mapping of int to float
        Seed -> value of a decision, at that threshold.
    perfect : float
        Value of a decision that is always right.
    sums : tuple of float, (n_groups,)
        Value of all decisions on a group of clusters, mean over seeds.
    rows : tuple of float, (n_groups,)
        Of each group; the same for all tracks of an experiment.
    """

    thresholds: Mapping[int, int]
    values: Mapping[int, float]
    perfect: float
    sums: tuple[float, ...]
    rows: tuple[float, ...]

    @property
    def value(self) -> float:
        """Value of a decision, mean over seeds."""
        return float(np.mean(list(self.values.values())))


def _worth(positives: ArrayLike, negatives: ArrayLike, values: Floats) -> Floats:
    """Return the value of all decisions at every threshold, shape (..., N_BINS + 1)."""
    outcomes = scores.confusion(positives, negatives)
    worth = sum(value * getattr(outcomes, name) for name, value in zip(OUTCOMES, values, strict=True))
    return np.asarray(worth)


def validate(evidence: Mapping[int, Evidence], values: Floats) -> Validation | None:
    """Return what the validation block says of one track at one rung; None without such rows.

    Parameters
    ----------
    evidence : mapping of int to Evidence
        By seed, at least one for an answer.
    values : ndarray of shape (4,)
        Money of each outcome, in the order of `OUTCOMES`.
    """
    if not evidence:
        return None
    positives = np.stack([one.valid_positives for one in evidence.values()])  # (n_seeds, n_groups, N_BINS)
    negatives = np.stack([one.valid_negatives for one in evidence.values()])
    rows = positives[0].sum(axis=1) + negatives[0].sum(axis=1)  # all seeds validate on the same
    n_rows = float(rows.sum())
    if n_rows == 0:
        return None
    worth = _worth(positives.sum(axis=1), negatives.sum(axis=1), values)
    best = worth.argmax(axis=1)
    earned = np.take_along_axis(worth, best[:, None], axis=1)[:, 0] / n_rows
    sums = np.take_along_axis(_worth(positives, negatives, values), best[:, None, None], axis=2)[..., 0]
    true_positive, false_positive, true_negative, false_negative = values.tolist()
    right = float(positives[0].sum()) * max(true_positive, false_negative)
    right += float(negatives[0].sum()) * max(true_negative, false_positive)
    return Validation(
        thresholds=dict(zip(evidence, best.tolist(), strict=True)),
        values=dict(zip(evidence, earned.tolist(), strict=True)),
        perfect=right / n_rows,
        sums=tuple(sums.mean(axis=0).tolist()),
        rows=tuple(rows.astype(float).tolist()),
    )


def standard_error(one: Validation, other: Validation) -> tuple[float, int] | None:
    """Return how unsure the block is of the value of a decision of `one` over that of `other`.

    The difference is a ratio of sums over groups of whole clusters, so that it counts that rows of a cluster
    are alike and that both are valued on the same rows (Cochran 1977, Sampling Techniques, section 6.3, over
    random groups as in Wolter 2007, Introduction to Variance Estimation, chapter 2). Seeds are left out.

    Parameters
    ----------
    one, other : Validation
        On the same block.

    Returns
    -------
    tuple of (float, int) or None
        The standard error, and its degrees of freedom. None for fewer than `MIN_GROUPS` groups with rows.
    """
    rows = np.array(one.rows)
    some = rows > 0
    n_groups = int(some.sum())
    if n_groups < MIN_GROUPS or one.rows != other.rows:
        return None
    gained, rows = (np.array(one.sums) - np.array(other.sums))[some], rows[some]
    rest = gained - gained.sum() / rows.sum() * rows
    variance = n_groups / (n_groups - 1) * float(rest @ rest) / float(rows.sum()) ** 2
    return math.sqrt(variance), n_groups - 1
