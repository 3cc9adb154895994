"""Conditions compiled to numpy: every distinct comparison once, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.knowledge.condition import Condition, Junction, Member, Op, Pair

__all__ = ["BLOCK_ROWS", "Program"]

BLOCK_ROWS = 32_768
"""Rows at a time, so that what is read and written stays in the processor's cache."""

_Array = NDArray[np.generic]


@dataclass(frozen=True)
class Program:
    """Conditions in an order in which each comes after its parts.

    Parameters
    ----------
    steps : tuple of Condition
        Distinct comparisons and junctions.
    inputs : tuple of tuple of int
        For each step, the steps it joins; empty for a comparison.
    outputs : tuple of int
        The step of each condition asked for.
    columns : tuple of str
        Columns that are read.
    missing : dict of str to float
        What a missing number stands for, where that is declared.
    tables : dict of Member to ndarray of shape (n_levels + 1,)
        Answer of a choice's comparison for each code; the last one is for -1, missing.
    """

    steps: tuple[Condition, ...]
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]
    columns: tuple[str, ...]
    missing: dict[str, float] = field(default_factory=dict)
    tables: dict[Member, NDArray[np.bool_]] = field(default_factory=dict)

    @classmethod
    def compile(
        cls,
        conditions: Sequence[Condition],
        levels: dict[str, tuple[str, ...]],
        missing: dict[str, Fraction | str],
    ) -> Program:
        """Compile conditions whose columns and levels are known to exist.

        Parameters
        ----------
        conditions : sequence of Condition
        levels : dict of str to tuple of str
            Levels of each choice column, in order of code.
        missing : dict of str to Fraction or str
            What a missing value stands for, where that is declared.
        """
        order: dict[Condition, int] = {}
        inputs: list[tuple[int, ...]] = []
        columns: dict[str, None] = {}
        tables: dict[Member, NDArray[np.bool_]] = {}

        def add(condition: Condition) -> int:
            known = order.get(condition)
            if known is not None:
                return known
            parts: tuple[int, ...] = ()
            if isinstance(condition, Junction):
                parts = tuple(add(part) for part in condition.parts)
            elif isinstance(condition, Pair):
                columns.update({condition.left: None, condition.right: None})
            else:
                columns[condition.column] = None
                if isinstance(condition, Member):
                    stands_for = missing.get(condition.column)
                    tables[condition] = _table(condition, levels[condition.column], stands_for)
            order[condition] = len(inputs)
            inputs.append(parts)
            return order[condition]

        outputs = tuple(add(condition) for condition in conditions)
        numbers = {name: float(value) for name, value in missing.items() if isinstance(value, Fraction)}
        return cls(tuple(order), tuple(inputs), outputs, tuple(columns), numbers, tables)

    def run(
        self, features: pd.DataFrame, n_outputs: int | None = None
    ) -> Iterator[tuple[slice, list[NDArray[np.bool_]]]]:
        """Decide conditions, one block of rows at a time.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
        n_outputs : int, optional
            Decide only the first so many conditions.

        Yields
        ------
        rows : slice
        decided : list of ndarray of shape (n_block_rows,)
            One for each condition; overwritten by the next block, and never to be changed.
        """
        outputs = self.outputs[:n_outputs]
        n_steps = 1 + max(outputs, default=-1)
        arrays = {name: features[name].to_numpy() for name in self.columns}
        answers = np.empty((n_steps, min(BLOCK_ROWS, len(features))), np.bool_)
        for start in range(0, len(features), BLOCK_ROWS):
            rows = slice(start, min(start + BLOCK_ROWS, len(features)))
            block = _Block(arrays, rows, self.missing)
            decided = list(answers[:, : rows.stop - rows.start])
            for out, step, parts in zip(decided, self.steps, self.inputs, strict=False):
                if isinstance(step, Junction):
                    _join(step, [decided[part] for part in parts], out)
                elif isinstance(step, Member):
                    # the code of a missing value, -1, takes the last answer
                    self.tables[step].take(block.codes(step.column), out=out)
                elif isinstance(step, Pair):
                    left = block.scaled(step.left, step.left_factor)
                    _compare(left, step.op, block.scaled(step.right, step.right_factor), out)
                else:
                    # A rule's 0.3 means the column's own 0.3: numpy rounds a plain float to a column's type.
                    _compare(block.column(step.column), step.op, float(step.value), out)
            yield rows, [decided[output] for output in outputs]


class _Block:
    """Columns of one block of rows, each converted at most once."""

    def __init__(self, arrays: dict[str, _Array], rows: slice, missing: dict[str, float]) -> None:
        self._arrays = arrays
        self._rows = rows
        self._missing = missing
        self._columns: dict[str, _Array] = {}
        self._codes: dict[str, NDArray[np.intp]] = {}
        self._scaled: dict[tuple[str, int], _Array] = {}

    def column(self, name: str) -> _Array:
        """Return the values, with what a missing one stands for."""
        known = self._columns.get(name)
        if known is None:
            known = np.ascontiguousarray(self._arrays[name][self._rows])
            stands_for = self._missing.get(name)
            if stands_for is not None and known.dtype.kind == "f":
                known = np.where(np.isnan(known), known.dtype.type(stands_for), known)
            self._columns[name] = known
        return known

    def codes(self, name: str) -> NDArray[np.intp]:
        """Return a choice's codes as indices."""
        known = self._codes.get(name)
        if known is None:
            known = self._codes[name] = self._arrays[name][self._rows].astype(np.intp)
        return known

    def scaled(self, name: str, factor: int) -> _Array:
        """Return the values times a factor, in 64 bits, where products of 32 bits are exact."""
        known = self._scaled.get((name, factor))
        if known is None:
            known = self._scaled[name, factor] = factor * self.column(name).astype(np.float64)
        return known


def _table(condition: Member, levels: tuple[str, ...], missing: Fraction | str | None) -> NDArray[np.bool_]:
    met = [(level in condition.levels) != condition.negated for level in levels]
    met_missing = missing is not None and (missing in condition.levels) != condition.negated
    return np.array([*met, met_missing], np.bool_)


def _join(step: Junction, parts: list[NDArray[np.bool_]], out: NDArray[np.bool_]) -> None:
    if not parts:
        out[:] = step.kind == "and"
        return
    combine = np.logical_and if step.kind == "and" else np.logical_or
    combine(parts[0], parts[1], out=out)
    for part in parts[2:]:
        combine(out, part, out=out)


def _compare(left: _Array, op: Op, right: _Array | float, out: NDArray[np.bool_]) -> None:
    """Compare into `out`; NaN meets nothing, unequal included."""
    if op == "<":
        np.less(left, right, out=out)
    elif op == "<=":
        np.less_equal(left, right, out=out)
    elif op == ">":
        np.greater(left, right, out=out)
    elif op == ">=":
        np.greater_equal(left, right, out=out)
    elif op == "==":
        np.equal(left, right, out=out)
    else:
        np.less(left, right, out=out)
        np.logical_or(out, np.greater(left, right), out=out)
