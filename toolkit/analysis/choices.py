"""The thresholds that may come to be chosen, and what each would decide on the test rows.

Which threshold earns most on the validation block hangs on what outcomes are worth. Whatever they are worth,
it is a corner of the convex hull of (false positives, true positives) over all thresholds (Provost and
Fawcett 2001, Robust Classification for Imprecise Environments). So a few dozen corners of 513 thresholds are
all that is needed to value the decisions anew, exactly, under other values: in the search for what would
change the verdict, and in the sliders of the report.

Test rows are counted by at most `N_GROUPS` random groups of whole clusters, the unit that draws resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.analysis.stacks import Floats, Stack
from toolkit.records import N_BINS, Evidence
from toolkit.seeding import derive_seed

__all__ = ["N_GROUPS", "Choices", "RungChoices", "choices_of", "yes_gains"]

Counts = NDArray[np.int64]

N_GROUPS = 64
"""Over so many groups a standard deviation is 9 % off; over the three seeds of a verdict, 50 %."""


@dataclass(frozen=True)
class Choices:
    """The thresholds of one seed that some values of outcomes would choose, from low to high.

    Parameters
    ----------
    thresholds : ndarray of shape (n_choices,)
        Bins of the scores from which to say yes.
    validation : ndarray of shape (n_choices, 2)
        Positives and negatives of the validation block that get a yes.
    test : ndarray of shape (n_choices, n_groups, 2)
        Those of each group of the test block.
    """

    thresholds: Counts
    validation: Counts
    test: Counts

    def best(self, gain: float, loss: float) -> int:
        """Return the place of the threshold that earns most on validation, the lowest of equal ones.

        Parameters
        ----------
        gain, loss : float
            From `yes_gains`.
        """
        return int(np.argmax(gain * self.validation[:, 0] + loss * self.validation[:, 1]))


@dataclass(frozen=True)
class RungChoices:
    """The choices of one track at one rung.

    Parameters
    ----------
    track : str
    rung : int
    seeds : tuple of int
    choices : tuple of Choices
        One a seed.
    validation : tuple of (int, int)
        Positives and negatives of the validation block.
    test : ndarray of shape (n_groups, 2)
        Positives and negatives of each group of the test block.
    """

    track: str
    rung: int
    seeds: tuple[int, ...]
    choices: tuple[Choices, ...]
    validation: tuple[int, int]
    test: Counts

    @property
    def rows(self) -> Floats:
        """Test rows of each group, shape (n_groups,)."""
        return np.asarray(self.test.sum(axis=1), dtype=np.float64)

    def chosen(self, values: Floats) -> list[int]:
        """Return for each seed the place of its threshold, `values` as in `yes_gains`."""
        gain, loss = yes_gains(values)
        return [one.best(gain, loss) for one in self.choices]

    def outcomes(self, places: Sequence[int]) -> Floats:
        """Return the test outcomes of each group at one choice a seed.

        Returns
        -------
        ndarray of shape (n_seeds, n_groups, 4)
            True positives, false positives, true negatives, false negatives.
        """
        yes = np.stack([one.test[place] for one, place in zip(self.choices, places, strict=True)])
        no = self.test - yes
        return np.stack([yes[..., 0], yes[..., 1], no[..., 1], no[..., 0]], axis=-1).astype(np.float64)


def yes_gains(values: Floats) -> tuple[float, float]:
    """Return what a yes earns over a no on a positive, and on a negative.

    Parameters
    ----------
    values : ndarray of shape (4,)
        Money of a true positive, false positive, true negative and false negative.
    """
    true_positive, false_positive, true_negative, false_negative = values.tolist()
    return true_positive - false_negative, false_positive - true_negative


def choices_of(stack: Stack) -> RungChoices:
    """Return the thresholds of a stack that some values of outcomes would choose.

    Without validation rows the only choice is a probability of one half.
    """
    groups = _groups(stack.n_clusters)
    first = stack.evidence[0]
    return RungChoices(
        track=stack.track,
        rung=stack.rung,
        seeds=stack.seeds,
        choices=tuple(_choices(one, groups) for one in stack.evidence),
        validation=(int(first.valid_positives.sum()), int(first.valid_negatives.sum())),
        test=_test_counts(first, groups, np.array([0]))[0],
    )


def _groups(n_clusters: int) -> Counts:
    """Return the group of each cluster; the same for all tracks, and as large as can be made equal."""
    order = np.random.default_rng(derive_seed("groups of clusters", n_clusters)).permutation(n_clusters)
    groups = np.empty(n_clusters, dtype=np.int64)
    groups[order] = np.arange(n_clusters) % min(n_clusters, N_GROUPS)
    return groups


def _choices(one: Evidence, groups: Counts) -> Choices:
    positives, negatives = (_yes(counts.sum(axis=0)) for counts in (one.valid_positives, one.valid_negatives))
    if positives[0] + negatives[0] == 0:
        thresholds = np.array([N_BINS // 2])
    else:
        corners = _corners(negatives.tolist(), positives.tolist())
        # To say no to all that was seen is to say no to all, though a test row may score higher.
        thresholds = np.array([*corners[:-1], N_BINS])
    return Choices(
        thresholds=thresholds,
        validation=np.stack([positives[thresholds], negatives[thresholds]], axis=1),
        test=_test_counts(one, groups, thresholds),
    )


def _yes(counts: NDArray[Any]) -> Counts:
    """Return how many of binned counts get a yes at every threshold, along the last axis, N_BINS + 1 long."""
    above = np.cumsum(counts[..., ::-1], axis=-1, dtype=np.int64)[..., ::-1]
    return np.concatenate([above, np.zeros_like(above[..., :1])], axis=-1)


def _test_counts(one: Evidence, groups: Counts, thresholds: Counts) -> Counts:
    """Return positives and negatives of each group that get a yes, shape (n_thresholds, n_groups, 2)."""
    n_groups = int(groups.max()) + 1
    cell = groups[one.cluster] * N_BINS + one.bin
    found = [
        _yes(np.bincount(cell, counts, n_groups * N_BINS).reshape(n_groups, N_BINS).round())[:, thresholds].T
        for counts in (one.positives, one.negatives)
    ]
    return np.stack(found, axis=-1)


def _corners(x: Sequence[int], y: Sequence[int]) -> list[int]:
    """Return the places of the corners of the convex hull of points that fall in x and in y, rising.

    Of equal points the first counts, and none on a line between two others (Andrew 1979, Another Efficient
    Algorithm for Convex Hulls in Two Dimensions). Whole numbers, so it is exact.
    """
    kept: set[int] = set()
    for side in (1, -1):
        corners: list[int] = []
        for place in range(len(x)):
            if corners and (x[place], y[place]) == (x[corners[-1]], y[corners[-1]]):
                continue
            while len(corners) > 1 and side * _turn(x, y, corners[-2], corners[-1], place) <= 0:
                corners.pop()
            corners.append(place)
        kept.update(corners)
    return sorted(kept)


def _turn(x: Sequence[int], y: Sequence[int], first: int, second: int, third: int) -> int:
    """Return twice the signed area of the triangle of three points."""
    return (x[second] - x[first]) * (y[third] - y[first]) - (y[second] - y[first]) * (x[third] - x[first])
