"""Rules proposed by shallow trees, one after another, on the rows of the fitting part.

Each round fits a tree to what is left to explain: with p the probability expected so far, the
working response ``(y - p) / (p (1 - p))`` with weights ``p (1 - p)`` (a Newton step on the log
loss; J. Friedman, T. Hastie and R. Tibshirani, "Additive logistic regression", 2000). The best of
its leaves and inner nodes is simplified and becomes a candidate; the next tree is grown against
what that candidate already says. Nothing here is evidence yet: `mining` weighs every candidate on
other clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.knowledge.mining.cuts import Box, Choice, Number
from toolkit.knowledge.shift import World
from toolkit.seeding import derive_seed

__all__ = ["Proposal", "Proposer"]

Floats = NDArray[np.float64]

DEPTH = 3
"""A proposal holds at most so many splits."""

REFINED = 6
"""So many of a tree's nodes are simplified."""

NEARLY, APART = 0.6, 0.1
"""A tree's further nodes become candidates too when they save at least this share of what the best does,
and at most this share of their rows is taken already: apart, they do not count one another's evidence."""

GROWN_COLUMNS = 12
"""A tree is grown on the columns that say most by themselves, which are others in every round: on the
retail rows that halves the time and finds as much as all 40."""

MAX_STEP = 3.0
"""Log-odds that one candidate may add before the next tree is grown: the strongest word's."""

EACH_MORE = 0.9
"""A further comparison must raise the saved log loss by more than a ninth."""

ROUNDING = 0.1
"""A rounder threshold may cost this share of the saved log loss, and at most `ROUNDING_NATS`."""

ROUNDING_NATS = 2.0

WORTH_TESTING = 0.01
"""A candidate whose p-value is above this already on the fitting part is not worth testing."""


class Proposal(NamedTuple):
    """A candidate: a box, the columns as they were cut for it, and its direction."""

    box: Box
    columns: Mapping[str, Number | Choice]
    positive: bool


@dataclass
class Proposer:
    """Finds candidates on the fitting part.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        Missing values filled where it is declared what they stand for.
    labels : ndarray of shape (n_rows,)
    clusters : ndarray of shape (n_rows,)
        Numbered from 0.
    columns : mapping of str to Number or tuple of str
        Columns that rules may use: a cut number column, or the levels of a choice.
    offset : ndarray of shape (n_rows,)
        Log-odds expected so far; grows with every candidate.
    least_rows : int
        Fewer rows make no rule.
    """

    features: pd.DataFrame
    labels: NDArray[np.int8]
    clusters: NDArray[np.intp]
    columns: Mapping[str, Number | tuple[str, ...]]
    offset: Floats
    least_rows: int
    _codes: dict[str, NDArray[np.float32]] = field(init=False, default_factory=dict)
    _residual: Floats = field(init=False)
    _weight: Floats = field(init=False)

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if isinstance(column, Number):
                self._codes[name] = column.codes(self.features[name].to_numpy())

    def rounds(self, limit: int, seed: int) -> Iterator[Proposal]:
        """Yield at most `limit` candidates, each found beside those before it."""
        count = 0
        for number in range(limit):
            world = World.of(self.offset, self.labels.astype(np.float64), self.clusters)
            self.offset = world.offset
            expected = expit(world.offset)
            self._residual = self.labels - expected
            self._weight = expected * (1 - expected)
            columns = {name: self._ordered(name, column) for name, column in self.columns.items()}
            before = count
            for box in self._best(self._grow(columns, derive_seed("tree", seed, number)), columns):
                rows = np.flatnonzero(self.fires(box))
                shift = world.shift(rows, (0.0, 0.0))
                if shift.p_zero > WORTH_TESTING or count == limit:
                    continue
                self.offset[rows] += np.clip(shift.estimate, -MAX_STEP, MAX_STEP)
                count += 1
                yield Proposal(box, columns, positive=shift.estimate > 0)
            if count == before:
                return

    def _best(self, boxes: list[Box], columns: Mapping[str, Number | Choice]) -> list[Box]:
        """Return the best of a tree's nodes, simplified, and others that are nearly as good and apart."""
        boxes = sorted(boxes, key=lambda box: self._robust_value(box, columns), reverse=True)[:REFINED]
        refined = [box for box in (self._refine(box, columns) for box in boxes) if box]
        values = [self._robust_value(box, columns) for box in refined]
        chosen: list[Box] = []
        taken = np.zeros(len(self.labels), np.bool_)
        for place in sorted(range(len(refined)), key=lambda place: -values[place]):
            fires = self.fires(refined[place])
            apart = np.count_nonzero(fires & taken) <= APART * np.count_nonzero(fires)
            if apart and values[place] >= NEARLY * max(values):
                chosen.append(self._rounded(refined[place], columns))
                taken |= fires
        return chosen

    def fires(self, box: Box, apart_from: str = "") -> NDArray[np.bool_]:
        """Return which rows a box holds, shape (n_rows,); one column may be left out of account."""
        fires = np.ones(len(self.labels), np.bool_)
        for name, (first, end) in box.items():
            if name != apart_from:
                fires &= (self._codes[name] >= first) & (self._codes[name] < end)
        return fires

    def _ordered(self, name: str, column: Number | tuple[str, ...]) -> Number | Choice:
        """Return a column cut; levels are put in the order of what is left to explain."""
        if isinstance(column, Number):
            return column
        values = self.features[name].to_numpy()
        known = values >= 0
        n_levels = len(column)
        gain = np.bincount(values[known], self._residual[known], minlength=n_levels)
        weight = np.bincount(values[known], self._weight[known], minlength=n_levels)
        pairs, place = np.unique(
            self.clusters[known].astype(np.int64) * n_levels + values[known], return_inverse=True
        )
        by_cluster = np.square(np.bincount(place, self._residual[known]))
        robust = np.bincount(pairs % n_levels, by_cluster, minlength=n_levels)
        error = np.sqrt(np.maximum(robust, weight))
        with np.errstate(invalid="ignore", divide="ignore"):
            score = np.where(weight > 0, gain / (weight + 1.0), np.nan)
            # The largest of n chance values is about sqrt(2 ln n) standard errors from 0.
            clear = np.abs(gain) > np.sqrt(2 * np.log(n_levels)) * error
        choice = Choice.learn(name, column, score, clear)
        self._codes[name] = choice.codes(values)
        return choice

    def _grow(self, columns: Mapping[str, Number | Choice], seed: int) -> list[Box]:
        """Return the boxes of all nodes of a tree on the best columns, the root left out."""
        from sklearn.tree import DecisionTreeRegressor

        alone = {
            name: float(self._by_interval({}, name, column).max())
            for name, column in columns.items()
            if column.n_codes > 1
        }
        names = sorted(alone, key=lambda name: -alone[name])[:GROWN_COLUMNS]
        if not names:
            return []
        codes = np.column_stack([self._codes[name] for name in names])
        tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=self.least_rows, random_state=seed)
        tree.fit(codes, self._residual / self._weight, sample_weight=self._weight)
        return list(_boxes(tree.tree_, names, columns))

    def _value(self, box: Box, columns: Mapping[str, Number | Choice]) -> float:
        """Return about how many nats of log loss a box saves, less for every comparison."""
        fires = self.fires(box)
        if np.count_nonzero(fires) < self.least_rows:
            return 0.0
        saved = float(self._residual[fires].sum() ** 2 / (2 * self._weight[fires].sum()))
        sides = (columns[name].sides(*np.array([codes]).T) for name, codes in box.items())
        return saved * EACH_MORE ** int(sum(each[0] for each in sides))

    def _robust_value(self, box: Box, columns: Mapping[str, Number | Choice]) -> float:
        """Return the value of a box, less where few clusters make it up: in units of their variance."""
        fires = self.fires(box)
        by_cluster = np.bincount(self.clusters[fires], self._residual[fires])
        inflation = float(np.square(by_cluster).sum() / max(self._weight[fires].sum(), 1e-12))
        return self._value(box, columns) / max(1.0, inflation)

    def _refine(self, box: Box, columns: Mapping[str, Number | Choice]) -> dict[str, tuple[int, int]]:
        """Move and drop the ends of a box, a column at a time, while that helps."""
        best = dict(box)
        value = self._value(best, columns)
        for _ in range(DEPTH):
            before = value
            for name in list(best):
                for trial in (
                    {other: codes for other, codes in best.items() if other != name},
                    {**best, name: self._best_interval(best, name, columns)},
                ):
                    found = self._value(trial, columns) if trial else 0.0
                    if found > value or (found == value and len(trial) < len(best)):
                        best, value = trial, found
                        if name not in best:
                            break
            if value <= before:
                break
        return best

    def _best_interval(self, box: Box, name: str, columns: Mapping[str, Number | Choice]) -> tuple[int, int]:
        saved = self._by_interval(box, name, columns[name])
        first, end = np.unravel_index(int(np.argmax(saved)), saved.shape)
        return int(first), int(end)

    def _by_interval(self, box: Box, name: str, column: Number | Choice) -> Floats:
        """Return the value of every interval of one column, comparisons with other columns not counted.

        Shape (n_codes + 1, n_codes + 1), by first and end; 0 where too few rows are left.
        """
        fires = self.fires(box, apart_from=name) & np.isfinite(self._codes[name])
        codes = self._codes[name][fires].astype(np.intp)
        sums = [
            np.concatenate([[0.0], np.cumsum(np.bincount(codes, values, minlength=column.n_codes))])
            for values in (self._residual[fires], self._weight[fires], np.ones(len(codes)))
        ]
        residual, weight, rows = (total[None, :] - total[:, None] for total in sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            saved = np.where(rows >= self.least_rows, np.square(residual) / (2 * weight), 0.0)
        saved[0, column.n_codes] = 0.0  # all that is known: no comparison says that
        ends = np.indices(saved.shape)
        value: Floats = saved * np.power(EACH_MORE, column.sides(ends[0], ends[1]))
        return value

    def _rounded(self, box: Box, columns: Mapping[str, Number | Choice]) -> dict[str, tuple[int, int]]:
        """Move thresholds to rounder numbers where the data hardly tell the difference."""
        best = dict(box)
        for name in box:
            column = columns[name]
            if not isinstance(column, Number):
                continue
            values = self._by_interval(best, name, column)
            first, end = best[name]
            enough = values[first, end] - min(ROUNDING * values[first, end], ROUNDING_NATS) / len(box)
            same = [
                (lower, upper)
                for lower in (range(1, column.n_codes) if first else (0,))
                for upper in (range(lower + 1, column.n_codes) if end < column.n_codes else (end,))
                if values[lower, upper] >= enough
            ]
            best[name] = min(same, key=lambda codes: (column.roundness(*codes), -values[codes]))
        return best


def _boxes(
    tree: object, names: list[str], columns: Mapping[str, Number | Choice]
) -> Iterator[dict[str, tuple[int, int]]]:
    """Yield the box of every node of a fitted tree that a rule can say.

    A rule cannot say "missing", and a comparison with a missing value is never met: rows that the
    tree sent along with a side because they are missing there are no part of the box.
    """
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    waiting: list[tuple[int, dict[str, tuple[int, int]]]] = [(0, {})]
    while waiting:
        node, box = waiting.pop()
        if box:
            yield box
        if left[node] < 0:
            continue
        name = names[tree.feature[node]]  # type: ignore[attr-defined]
        threshold = tree.threshold[node]  # type: ignore[attr-defined]
        first, end = box.get(name, (0, columns[name].n_codes))
        if not np.isfinite(threshold) or threshold >= end - 1:
            waiting.append((int(left[node]), box))  # all that are known, against the missing
            continue
        middle = int(np.floor(threshold)) + 1
        if first < middle:
            waiting.append((int(left[node]), {**box, name: (first, middle)}))
        if middle < end:
            waiting.append((int(right[node]), {**box, name: (middle, end)}))
