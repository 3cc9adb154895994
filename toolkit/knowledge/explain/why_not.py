"""The nearest rule in records and in words, from what `nearest` found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.knowledge.explain.explanation import Change, WhyNot, would_fire
from toolkit.knowledge.explain.moves import Column
from toolkit.knowledge.explain.nearest import Nearest, NearestRule
from toolkit.knowledge.explain.sides import Moved, shown

__all__ = ["WhyNots"]

UNKNOWN = "unknown"


@dataclass(frozen=True)
class WhyNots:
    """Tells what was found for rows.

    Parameters
    ----------
    rule : NearestRule
    features : DataFrame of shape (n_rows, n_columns)
    found : Nearest
        Of these rows.
    """

    rule: NearestRule
    features: pd.DataFrame
    found: Nearest

    def record(self, row: int) -> WhyNot | None:
        """Return one row's as a record, None where no rule can be made to fire."""
        number = int(self.found.box[row])
        if number < 0:
            return None
        box = self.rule.boxes[number]
        columns = self.rule.columns(self.features.iloc[[row]])
        changes = tuple(
            Change(
                column=name,
                value=self._value(name, float(each.targets[0])),
                was=None if columns[name].missing[0] else self._value(name, float(columns[name].numbers[0])),
                text=self._told(name, columns[name], each, 0),
            )
            for name, each in box.moved(columns)[0].items()
            if each.costs[0] > 0
        )
        rule = self.rule.rules[box.rule]
        return WhyNot(rule.id, rule.then, rule.certainty, changes, float(self.found.distance[row]))

    def sentences(self) -> list[str]:
        """Return every row's in words, empty where no rule can be made to fire."""
        columns = self.rule.columns(self.features)
        sentences = np.full(len(self.features), "", object)
        for number, rows in self.found.by_box():
            box = self.rule.boxes[number]
            rule = self.rule.rules[box.rule]
            head = would_fire(rule.id, rule.then, rule.certainty)
            here = {side.column: columns[side.column].take(rows) for side in box.sides}
            moved, _ = box.moved(here)
            told = [self._all_told(name, here[name], each) for name, each in moved.items()]
            if len(told) == 1:
                sentences[rows] = [head + text for text in told[0]]
            else:
                sentences[rows] = [
                    head + " and ".join(filter(None, each)) for each in zip(*told, strict=True)
                ]
        texts: list[str] = sentences.tolist()
        return texts

    def _all_told(self, name: str, column: Column, moved: Moved) -> list[str]:
        """Return the change of one column in words, a text a row; rows alike are worked out once."""
        key = np.zeros(len(column.numbers), np.intp)
        for part in (
            column.numbers,
            np.where(moved.ends < 0, moved.targets, -np.inf),
            2 * moved.ends + column.missing,
        ):
            code, distinct = pd.factorize(part, use_na_sentinel=False)
            key, _ = pd.factorize(key * len(distinct) + code)
        first = first_rows(key)
        texts = [self._told(name, column, moved, row) if moved.costs[row] > 0 else "" for row in first]
        told: list[str] = np.array(texts, object)[key].tolist()
        return told

    def _told(self, name: str, column: Column, moved: Moved, row: int) -> str:
        """Return e.g. ``due were 0.8 instead of 0.62``."""
        was, end, value = column.numbers[row], moved.ends[row], moved.targets[row]
        before = self._shown(name, was)
        after = moved.texts[end] if end >= 0 else self._shown(name, value)
        if before == after:
            before = self._shown(name, was, digits=9)
            after = after if end >= 0 else self._shown(name, value, digits=9)
        if column.missing[row]:
            before = UNKNOWN if before == UNKNOWN else f"{UNKNOWN}, taken as {before}"
        return f"{name} were {after} instead of {before}"

    def _shown(self, name: str, value: float, digits: int = 6) -> str:
        spec = self.rule.specs[name]
        if spec.type != "choice":
            return UNKNOWN if np.isnan(value) else shown(value, spec, digits)
        return self.rule.levels[name][int(value)] if value >= 0 else UNKNOWN

    def _value(self, name: str, value: float) -> float | bool | str:
        spec = self.rule.specs[name]
        if spec.type == "choice":
            return self.rule.levels[name][int(value)]
        if spec.type == "yes/no" and value in (0, 1):
            return bool(value)
        return int(value) if spec.type == "whole number" and value == int(value) else value


def first_rows(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the first row of each group, for groups numbered from 0 in order of appearance."""
    first = np.zeros(codes.max(initial=-1) + 1, np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first
