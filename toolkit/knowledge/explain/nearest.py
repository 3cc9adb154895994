"""Why not: for every row the nearest rule that does not fire, and the smallest change that makes it fire.

Every rule is a union of boxes (`boxes`); the distance to a box is what its columns have to be moved by
(`sides`, `moves`). A proposal is kept only once it has been made and the rule counts on the changed row.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import TooComplexError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.boxes.regions import Space
from toolkit.knowledge.condition import Condition, Threshold, leaves
from toolkit.knowledge.entries import ColumnSpec, Rule
from toolkit.knowledge.explain.moves import Column, RuleBox
from toolkit.knowledge.explain.sides import Side
from toolkit.knowledge.symbolic import ExpertSystem

__all__ = ["Nearest", "NearestRule"]

BLOCK_ROWS = 8_192

_Floats = NDArray[np.float64]
_Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Nearest:
    """For every row the nearest box of a rule that does not fire, and how far it is.

    Parameters
    ----------
    box : ndarray of shape (n_rows,)
        Number of the box in `NearestRule.boxes`; -1 for none.
    distance : ndarray of shape (n_rows,)
    """

    box: _Rows
    distance: _Floats

    @classmethod
    def joined(cls, parts: Sequence[Nearest]) -> Nearest:
        """Return consecutive rows as one."""
        return cls(
            np.concatenate([np.zeros(0, np.intp), *(part.box for part in parts)]),
            np.concatenate([np.zeros(0), *(part.distance for part in parts)]),
        )

    def take(self, row: int) -> Nearest:
        """Return one row."""
        return Nearest(self.box[[row]], self.distance[[row]])

    def by_box(self) -> Iterator[tuple[int, _Rows]]:
        """Yield each box with the rows that it is nearest to."""
        order = np.argsort(self.box, kind="stable")
        numbers, starts = np.unique(self.box[order], return_index=True)
        for number, rows in zip(numbers.tolist(), np.split(order, starts[1:]), strict=False):
            if number >= 0:
                yield number, rows


@dataclass(frozen=True)
class NearestRule:
    """Finds the rule that was nearest to firing.

    Parameters
    ----------
    system : ExpertSystem
    rules : tuple of Rule
    specs : mapping of str to ColumnSpec
    levels : mapping of str to tuple of str
        Of the choice columns, in order of code.
    boxes : tuple of RuleBox
        In the order of the rules. Rules that are too complex for exact analysis have none.
    """

    system: ExpertSystem
    rules: tuple[Rule, ...]
    specs: Mapping[str, ColumnSpec]
    levels: Mapping[str, tuple[str, ...]]
    boxes: tuple[RuleBox, ...]

    @classmethod
    def of(
        cls,
        knowledge: KnowledgeBase,
        system: ExpertSystem,
        levels: Mapping[str, tuple[str, ...]],
        spread: Mapping[str, float],
    ) -> NearestRule:
        """Cut every rule into boxes; parameters as in `toolkit.knowledge.explain.explainer.Explainer.of`."""
        conditions, specs = knowledge.conditions().rules, knowledge.columns
        space = Space.of(conditions, specs, levels)
        scales = _scales(conditions, specs, spread)
        boxes: list[RuleBox] = []
        for rule, condition in enumerate(conditions):
            try:
                found = space.region(condition).boxes
            except TooComplexError:
                continue
            for box in found:
                boxes += RuleBox.split(rule, box, specs, levels, scales)
        return cls(system, knowledge.all_rules, specs, levels, tuple(boxes))

    def find(
        self, features: pd.DataFrame, fired: NDArray[np.bool_], settled: NDArray[np.bool_] | None = None
    ) -> Nearest:
        """Find the nearest rule of every row.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
        fired : ndarray of shape (n_rows, n_rules)
            What fires there. Rules that would not count if they fired, because another of their group
            does and goes before them, are passed over like those that fire.
        settled : ndarray of shape (n_rows,), optional
            Rows that a hard fact settles: no rule would count there.
        """
        parts = []
        for start in range(0, len(features), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            passed = fired[rows].copy(order="F")
            for members in self.system.groups:
                for before, rule in itertools.pairwise(members):
                    passed[:, rule] |= passed[:, before]
            if settled is not None:
                passed[settled[rows]] = True
            parts.append(self._find(features.iloc[rows], passed))
        return Nearest.joined(parts)

    def _find(self, features: pd.DataFrame, passed: NDArray[np.bool_]) -> Nearest:
        """Search, make the proposals, and search on where a rule would not count after all."""
        best = Nearest(np.full(len(passed), -1), np.full(len(passed), np.inf))
        tried: NDArray[np.bool_] | None = None
        rows = np.arange(len(passed))
        while len(rows):
            some = features.iloc[rows]
            columns = self.columns(some)
            found = self._search(columns, passed[rows], tried)
            best.box[rows], best.distance[rows] = found.box, found.distance
            wrong = (found.box >= 0) & ~self._count(some, columns, found)
            n_wrong = int(wrong.sum())
            tried = np.zeros((n_wrong, len(self.boxes)), np.bool_) if tried is None else tried[wrong]
            tried[np.arange(n_wrong), found.box[wrong]] = True
            rows = rows[wrong]
        return best

    def _count(
        self, features: pd.DataFrame, columns: Mapping[str, Column], found: Nearest
    ) -> NDArray[np.bool_]:
        """Tell where the rule that was found counts once its proposal is made, shape (n_rows,).

        It may not fire, where values lie outside the declared range or comparisons of columns pull apart;
        a stronger one of its group may fire with it; and a hard fact may settle the changed row.
        """
        changed = self._changed(features, columns, found)
        rules = np.array([box.rule for box in self.boxes], np.intp)
        counted = self.system.effective(self.system.firings(changed))
        here = np.flatnonzero(found.box >= 0)
        counts = np.zeros(len(features), np.bool_)
        counts[here] = counted[here, rules[found.box[here]]]
        if self.system.n_facts:
            counts &= ~self.system.facts(changed).any(axis=1)
        return counts

    def _search(
        self, columns: Mapping[str, Column], passed: NDArray[np.bool_], tried: NDArray[np.bool_] | None
    ) -> Nearest:
        """Find the nearest box of every row, leaving out rules passed over and boxes tried in vain."""
        costs: dict[Side, _Floats] = {}
        best = Nearest(np.full(len(passed), -1), np.full(len(passed), np.inf))
        for number, box in enumerate(self.boxes):
            if box.pairs:
                _, total = box.moved(columns)
            else:
                total = np.zeros(len(passed))
                for side in box.sides:
                    if side not in costs:
                        column = columns[side.column]
                        costs[side] = side.costs(column.numbers, column.dtype)
                    total += costs[side]
            nearer = (total < best.distance) & ~passed[:, box.rule] & (total > 0)
            if tried is not None:
                nearer &= ~tried[:, number]
            best.box[nearer] = number
            best.distance[nearer] = total[nearer]
        return best

    def columns(self, features: pd.DataFrame) -> dict[str, Column]:
        """Return the columns that boxes limit, with what missing stands for filled in."""
        found = {}
        for name in dict.fromkeys(side.column for box in self.boxes for side in box.sides):
            own = features[name].to_numpy()
            values, spec = own.astype(np.float64), self.specs[name]
            missing = values < 0 if spec.type == "choice" else np.isnan(values)
            stands_for = spec.read(spec.missing)
            if stands_for is not None and not isinstance(stands_for, str) and own.dtype.kind == "f":
                values[missing] = own.dtype.type(float(stands_for))
            found[name] = Column(values, missing, own.dtype)
        return found

    def _changed(self, features: pd.DataFrame, columns: Mapping[str, Column], found: Nearest) -> pd.DataFrame:
        """Return the rows with the proposals made."""
        changed = {name: features[name].to_numpy().copy() for name in columns}
        for number, rows in found.by_box():
            here = {side.column: columns[side.column].take(rows) for side in self.boxes[number].sides}
            for name, each in self.boxes[number].moved(here)[0].items():
                moves = each.costs > 0
                changed[name][rows[moves]] = each.targets[moves]
        return features[list(self.system.columns)].assign(**changed)


def _scales(
    conditions: Sequence[Condition], specs: Mapping[str, ColumnSpec], spread: Mapping[str, float]
) -> dict[str, float]:
    """Return the difference that costs 1: the declared range, else the spread, else what rules span."""
    cuts: dict[str, list[float]] = {}
    for condition in conditions:
        for leaf in leaves(condition):
            if isinstance(leaf, Threshold):
                cuts.setdefault(leaf.column, [0.0]).append(float(leaf.value))
    scales = {}
    for name, spec in specs.items():
        span = max(cuts.get(name, [0.0])) - min(cuts.get(name, [0.0]))
        if spec.type == "yes/no":
            scales[name] = 1.0
        elif spec.min is not None and spec.max is not None and spec.max > spec.min:
            scales[name] = spec.max - spec.min
        else:
            scales[name] = spread.get(name) or span or 1.0
    return scales
