"""Columns of a knowledge base as training rows show them: the start of a file that a person will mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.entries import ColumnSpec, Outcome
from toolkit.knowledge.mining.cuts import roundest
from toolkit.knowledge.schema import Column as TaskColumn

__all__ = ["Column", "Schema", "declare", "one_period_columns", "starter"]

MAX_VALUES = 20
"""A choice with more values is declared without them: the task knows them."""

FEW_PERIODS = 12
"""A column that is the same for all rows of a period says nothing with fewer periods than this."""


class Column(TaskColumn, Protocol):
    """A column of a task that also tells its unit."""

    @property
    def unit(self) -> str:
        """Unit or meaning, in words."""


class Schema(Protocol):
    """The columns of a task, as `toolkit.tasks.base.Schema` describes them."""

    @property
    def columns(self) -> Sequence[Column]:
        """All of them, in order."""


def declare(
    features: pd.DataFrame, schema: Schema, knowledge: KnowledgeBase | None = None
) -> dict[str, ColumnSpec]:
    """Return what each column is: the expert's word where there is one, else what the rows show.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        Training rows. Ranges that they show are rounded outwards.
    schema : Schema
    knowledge : KnowledgeBase, optional
    """
    declared = {column.name: _spec(column, features[column.name].to_numpy()) for column in schema.columns}
    for name, spec in ({} if knowledge is None else knowledge.columns).items():
        # Suggestions may name any value that the task has, those an expert has left out too.
        declared[name] = spec.model_copy(update={"values": declared[name].values})  # noqa: PD011
    return declared


def one_period_columns(features: pd.DataFrame, schema: Schema, time: NDArray[np.int32]) -> tuple[str, ...]:
    """Return the columns that only tell a few periods apart, such as the month over two weeks of rows.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
    schema : Schema
    time : ndarray of shape (n_rows,)
        The period of each row; all equal where the task has no time.
    """
    _, periods = np.unique(time, return_inverse=True)
    n_periods = int(periods.max(initial=-1)) + 1
    if not 1 < n_periods < FEW_PERIODS:
        return ()
    firsts = np.array([np.argmax(periods == period) for period in range(n_periods)])
    found = []
    for column in schema.columns:
        values = features[column.name].to_numpy()
        same = values[firsts][periods]
        if ((values == same) | ((values != values) & (same != same))).all():
            found.append(column.name)
    return tuple(found)


def starter(
    name: str, predicts: str, prior: str | float, columns: dict[str, ColumnSpec], description: str = ""
) -> KnowledgeBase:
    """Return a knowledge base without rules.

    Parameters
    ----------
    name, predicts, description : str
    prior : str or float
        A column that holds a probability, or a probability.
    columns : dict of str to ColumnSpec
        The prior's among them.
    """
    return KnowledgeBase(
        knowledge_base=name,
        description=description,
        predicts=predicts,
        outcome=Outcome(positive="happens", negative="does not happen"),
        prior=prior if isinstance(prior, str) else f"{100 * prior:.3g} %",
        columns=columns,
        rules=(),
    )


def _spec(column: Column, values: NDArray[np.generic]) -> ColumnSpec:
    if column.kind == "category":
        values_told = column.levels if 0 < len(column.levels) <= MAX_VALUES else None
        return ColumnSpec(type="choice", values=values_told, unit=column.unit)
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return ColumnSpec(unit=column.unit)
    low, high = float(known.min()), float(known.max())
    if np.isin(known, (0.0, 1.0)).all():
        return ColumnSpec(type="yes/no", unit=column.unit)
    whole = not (known % 1).any()
    if not whole and low >= 0 and high <= 1:
        return ColumnSpec(min=0, max=1, unit=column.unit)
    lowest = 0.0 if low >= 0 else float(roundest(2 * low, low))
    highest = float(roundest(high, 2 * high)) if high > 0 else 0.0
    return ColumnSpec(type="whole number" if whole else "number", min=lowest, max=highest, unit=column.unit)
