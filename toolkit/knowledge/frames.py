"""Data frames of any kind as expert systems read them: numbers as floats, choices as codes.

A value of a choice that nobody has named is known to be *another* value: it meets ``!=`` and ``not in``,
no ``==`` and no ``in``, and nothing stands for it as it does for a missing one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import Condition, Member, leaves
from toolkit.knowledge.entries import ColumnSpec

__all__ = ["OTHER", "FrameColumn", "FrameSchema", "folded", "named_levels"]

OTHER = "another value"
"""The last level of every choice: what none of the other levels is."""

_FLAGS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def folded(text: str) -> str:
    """Return a text without regard to case and blanks."""
    return "".join(text.split()).casefold()


@dataclass(frozen=True)
class FrameColumn:
    """A column of the knowledge base as it is in a frame.

    Parameters
    ----------
    name : str
    kind : {"number", "category"}
    levels : tuple of str
        Of a category: what was seen, what the knowledge base declares and names, and `OTHER`.
    named : frozenset of str
        Those that the knowledge base declares or names.
    flag : bool
        Whether it holds yes and no.
    where : str, optional
        Its place in the knowledge base's file.
    """

    name: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    flag: bool = False
    where: str | None = None

    def coded(self, values: pd.Series[Any]) -> NDArray[Any]:
        """Return codes, -1 where missing, or numbers, NaN where missing."""
        if self.kind == "number":
            return _numbers(values, self)
        codes = pd.Index(self.levels, dtype=object).get_indexer(pd.Index(values.astype(object)))
        codes = np.where(codes < 0, len(self.levels) - 1, codes)
        return np.where(values.isna().to_numpy(), -1, codes).astype(np.int32)

    def unseen(self, values: pd.Series[Any]) -> list[str]:
        """Return the values of a category that are no level, as text."""
        if self.kind == "number":
            return []
        return [str(each) for each in values.dropna().unique() if each not in self.levels]


@dataclass(frozen=True)
class FrameSchema:
    """The knowledge base's columns as they are in a frame.

    Parameters
    ----------
    columns : tuple of FrameColumn
    """

    columns: tuple[FrameColumn, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, knowledge: KnowledgeBase) -> FrameSchema:
        """Look at a frame's columns.

        Raises
        ------
        KnowledgeError
            A column does not hold what the knowledge base says.
        """
        named = named_levels(knowledge)
        columns = (
            _column(frame[name], name, spec, frozenset(named.get(name, ())), knowledge.where("columns", name))
            for name, spec in knowledge.columns.items()
        )
        return cls(tuple(columns))

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Levels of each choice, in order of code."""
        return {column.name: column.levels for column in self.columns if column.kind == "category"}

    def coded(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame as an expert system that was compiled for this schema reads it.

        Raises
        ------
        KnowledgeError
            A column of numbers, or of yes and no, holds something else.
        """
        columns = {column.name: column.coded(frame[column.name]) for column in self.columns}
        return pd.DataFrame(columns, index=frame.index)

    def extended(self, frame: pd.DataFrame) -> FrameSchema:
        """Return a schema with the frame's own values as levels too, so that they can be told."""
        return FrameSchema(
            tuple(
                replace(column, levels=_levels({*column.levels[:-1], *unseen})) if unseen else column
                for column in self.columns
                for unseen in [column.unseen(frame[column.name])]
            )
        )

    def warn_of_spelling(self, frame: pd.DataFrame) -> None:
        """Warn of values that differ only by case or blanks from one that is known.

        Known are those that the knowledge base names and, for a value that `of` did not see, its levels.
        """
        for column in self.columns:
            if column.kind == "number":
                continue
            named = {folded(level): level for level in column.named}
            levels = {folded(level): level for level in column.levels}
            for value in frame[column.name].dropna().unique():
                key = folded(str(value))
                near = named.get(key) or (levels.get(key) if value not in column.levels else None)
                if near is not None and value not in column.named:
                    warnings.warn(
                        f"'{column.name}' holds '{value}', which differs from '{near}' only by case or "
                        "blanks: it counts as another value; rename it if it is the same",
                        UserWarning,
                        stacklevel=1,
                    )


def _levels(values: Iterable[str]) -> tuple[str, ...]:
    known = sorted(values)
    other = OTHER
    while other in known:
        other = f"yet {other}"
    return (*known, other)


def named_levels(knowledge: KnowledgeBase) -> dict[str, set[str]]:
    """Return the values of each choice that the knowledge base declares or that a condition names."""
    named: dict[str, set[str]] = {}
    conditions: list[Condition] = [each for part in knowledge.conditions() for each in part]
    for leaf in (leaf for condition in conditions for leaf in leaves(condition)):
        if isinstance(leaf, Member):
            named.setdefault(leaf.column, set()).update(leaf.levels)
    for name, spec in knowledge.columns.items():
        if spec.type == "choice":
            missing = {spec.missing} if isinstance(spec.missing, str) else set()
            named.setdefault(name, set()).update(spec.values or (), missing)  # noqa: PD011 (not pandas)
    return named


def _column(
    values: pd.Series[Any], name: str, spec: ColumnSpec, named: frozenset[str], where: str | None
) -> FrameColumn:
    if spec.type != "choice":
        column = FrameColumn(name, "number", flag=spec.type == "yes/no", where=where)
        _numbers(values, column)  # refuses what is none
        return column
    if is_numeric_dtype(values.dtype) and values.notna().any():
        raise KnowledgeError(
            f"'{name}' holds numbers in the table, but is a choice here; turn it into texts, e.g. "
            f'X["{name}"].astype(str), or say what type it is',
            where=where,
        )
    seen = {value for value in values.dropna().unique() if isinstance(value, str)}
    return FrameColumn(name, "category", _levels(named | seen), named, where=where)


def _numbers(values: pd.Series[Any], column: FrameColumn) -> NDArray[Any]:
    if values.dtype == np.float32:
        return values.to_numpy()
    if is_numeric_dtype(values.dtype):
        return values.to_numpy(np.float64, na_value=np.nan)
    codes, distinct = pd.factorize(values.astype(object))
    numbers = np.array([*(_number(each, column) for each in distinct), np.nan])
    return numbers[codes]


def _number(value: object, column: FrameColumn) -> float:
    if column.flag and isinstance(value, str) and value.strip().casefold() in _FLAGS:
        return _FLAGS[value.strip().casefold()]
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        pass
    wanted = "yes, no, true, false, 1 or 0" if column.flag else "numbers"
    kind = "a column of yes and no" if column.flag else "a number"
    raise KnowledgeError(
        f"'{column.name}' holds '{value}' in the table, but is {kind} here; write {wanted} there, nothing "
        "where it is not known, or say what type it is",
        where=column.where,
    )
