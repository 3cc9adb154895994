"""A knowledge base against the columns of a task: names, kinds and values must fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from toolkit.errors import KnowledgeError, did_you_mean, nearest
from toolkit.knowledge.base import Conditions, KnowledgeBase
from toolkit.knowledge.condition import Condition, Member, leaves

__all__ = ["Column", "Schema", "check_schema", "stand_ins"]


class Column(Protocol):
    """A column of a task, as `toolkit.tasks.base.Column` describes it."""

    @property
    def name(self) -> str:
        """Its name, the same in the knowledge base."""

    @property
    def kind(self) -> str:
        """``number`` or ``category``."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of a category's codes, in order of code."""


class Schema(Protocol):
    """The columns of a task, as `toolkit.tasks.base.Schema` describes them."""

    @property
    def columns(self) -> Sequence[Column]:
        """All columns."""


def check_schema(
    knowledge: KnowledgeBase, conditions: Conditions, schema: Schema
) -> dict[str, tuple[str, ...]]:
    """Check that the task has all that the knowledge base names; return the levels of its choices.

    Raises
    ------
    KnowledgeError
        A column or a value that the task does not have, with its place and the nearest name.
    """
    task = {column.name: column for column in schema.columns}
    _check_columns(knowledge, task)
    levels = {name: column.levels for name, column in task.items() if column.kind == "category"}
    _check_levels(knowledge, conditions, levels)
    return levels


def stand_ins(knowledge: KnowledgeBase) -> dict[str, Fraction | str]:
    """Return what a missing value stands for, for the columns that say so."""
    values = {name: spec.read(spec.missing) for name, spec in knowledge.columns.items()}
    return {name: value for name, value in values.items() if value is not None}


def _check_columns(knowledge: KnowledgeBase, task: Mapping[str, Column]) -> None:
    for name, spec in knowledge.columns.items():
        column = task.get(name)
        where = knowledge.where("columns", name)
        if column is None:
            raise KnowledgeError(f"the task has no column '{name}'{did_you_mean(name, task)}", where=where)
        if (column.kind == "category") != (spec.type == "choice"):
            is_a = "a choice" if column.kind == "category" else "a number"
            raise KnowledgeError(f"'{name}' is {is_a} in the task, but a {spec.type} here", where=where)
        choices = spec.values or ()
        for value in (*choices, spec.missing):
            if spec.type == "choice" and isinstance(value, str):
                _check_level(name, value, column.levels, where)


def _check_level(column: str, value: str, levels: tuple[str, ...], where: str | None) -> None:
    if value not in levels:
        shown = levels if len(levels) <= 20 else ()
        raise KnowledgeError(
            f"the task's column '{column}' has no value '{value}'"
            f"{did_you_mean(value, levels) if nearest(value, levels) else did_you_mean(value, shown)}",
            where=where,
        )


def _check_levels(
    knowledge: KnowledgeBase, conditions: Conditions, levels: Mapping[str, tuple[str, ...]]
) -> None:
    for place, condition in _places(knowledge, conditions):
        for leaf in leaves(condition):
            if isinstance(leaf, Member):
                for level in leaf.levels:
                    _check_level(leaf.column, level, levels[leaf.column], place)


def _places(knowledge: KnowledgeBase, conditions: Conditions) -> Iterator[tuple[str | None, Condition]]:
    for index, condition in enumerate(conditions.rules):
        yield knowledge.rule_where(index, "when"), condition
    for part, read in (("never", conditions.never), ("always", conditions.always)):
        for index, condition in enumerate(read):
            yield knowledge.where(part, index, "when"), condition
