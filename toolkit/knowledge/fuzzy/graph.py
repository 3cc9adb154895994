"""Conditions as a graph of soft comparisons: where each cut stands, and what joins what.

A crisp comparison jumps at a number of its column. A soft one rises around a *cut*, which stands midway
between that number and its neighbour on the other side of the jump: half a unit away on a whole column,
half a gap of 32-bit numbers elsewhere. No value lies on a cut, so a soft comparison that is made sharper
and sharper becomes the crisp one, on every row. What torch does with the graph stands in `fuzzy`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import Condition, Junction, Member, Pair, Threshold, join
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.program import Program
from toolkit.knowledge.schema import stand_ins

__all__ = ["Difference", "Graph", "Reader", "Stage", "Written", "soft_graph"]

WHOLE = ("whole number", "yes/no")
"""Types of columns whose neighbouring values are 1 apart."""

HALF_SMALLEST = 2.0**-150
"""Half the smallest positive 32-bit number, midway between a difference of 0 and any other."""

_Item = TypeVar("_Item")


class Written(NamedTuple):
    """A number that the expert compares a column with, as the column's type rounds it."""

    column: str
    value: float


class Difference(NamedTuple):
    """``left_factor * left - right_factor * right``; a column alone has no right side."""

    left: str
    left_factor: int = 1
    right: str = ""
    right_factor: int = 0


class Stage(NamedTuple):
    """Junctions of one kind, all of whose parts are known by then; each names the nodes it joins."""

    kind: Literal["and", "or"]
    parts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Graph:
    """Nodes in the order sides, members, then the junctions of each stage.

    A side is true above its cut, or below it.

    Parameters
    ----------
    quantities : tuple of Difference
        What the sides compare with their cuts.
    side_quantity : ndarray of shape (n_sides,)
        Place in `quantities`.
    side_cut : ndarray of shape (n_sides,)
    side_sign : ndarray of shape (n_sides,)
        1 for true above, -1 for true below.
    side_written : ndarray of shape (n_sides,)
        Place in `written` of the number that learning may move; -1 for pairs and yes/no columns.
    written : tuple of Written
    members : tuple of Member
    tables : tuple of ndarray of shape (n_levels + 1,)
        Answer of each member for each code; the last one is for a missing value.
    stages : tuple of Stage
    outputs : tuple of int
        Node of each condition, in the order given.
    """

    quantities: tuple[Difference, ...]
    side_quantity: NDArray[np.int64]
    side_cut: NDArray[np.float64]
    side_sign: NDArray[np.float64]
    side_written: NDArray[np.int64]
    written: tuple[Written, ...]
    members: tuple[Member, ...]
    tables: tuple[NDArray[np.bool_], ...]
    stages: tuple[Stage, ...]
    outputs: tuple[int, ...]


def soft_graph(
    conditions: Sequence[Condition],
    columns: Mapping[str, ColumnSpec],
    levels: dict[str, tuple[str, ...]],
    missing: dict[str, Fraction | str],
) -> Graph:
    """Build the graph of conditions whose columns and levels are known to exist.

    Parameters
    ----------
    conditions : sequence of Condition
    columns : mapping of str to ColumnSpec
        Say which columns hold whole numbers.
    levels, missing
        As `Program.compile` takes them.
    """
    program = Program.compile([_one_sided(condition) for condition in conditions], levels, missing)
    sides: dict[int, _Side] = {}
    members: dict[int, Member] = {}
    junctions: dict[tuple[int, Literal["and", "or"]], list[int]] = {}
    depth: list[int] = []
    for index, (step, parts) in enumerate(zip(program.steps, program.inputs, strict=True)):
        depth.append(1 + max((depth[part] for part in parts), default=-1))
        if isinstance(step, Junction):
            junctions.setdefault((depth[index], step.kind), []).append(index)
        elif isinstance(step, Member):
            members[index] = step
        else:
            sides[index] = _side(step, columns)
    stages = sorted(junctions.items())
    order = [*sides, *members, *(index for _, stage in stages for index in stage)]
    node = {index: place for place, index in enumerate(order)}
    quantities = _numbered(side.quantity for side in sides.values())
    written = _numbered(side.written for side in sides.values() if side.written is not None)
    return Graph(
        quantities=tuple(quantities),
        side_quantity=np.array([quantities[side.quantity] for side in sides.values()], np.int64),
        side_cut=np.array([side.cut for side in sides.values()], np.float64),
        side_sign=np.array([side.sign for side in sides.values()], np.float64),
        side_written=np.array(
            [-1 if side.written is None else written[side.written] for side in sides.values()], np.int64
        ),
        written=tuple(written),
        members=tuple(members.values()),
        tables=tuple(program.tables[member] for member in members.values()),
        stages=tuple(
            Stage(kind, tuple(tuple(node[part] for part in program.inputs[index]) for index in stage))
            for (_, kind), stage in stages
        ),
        outputs=tuple(node[output] for output in program.outputs),
    )


class _Side(NamedTuple):
    quantity: Difference
    cut: float
    sign: int
    written: Written | None


def _numbered(items: Iterable[_Item]) -> dict[_Item, int]:
    return {item: place for place, item in enumerate(dict.fromkeys(items))}


def _one_sided(condition: Condition) -> Condition:
    """Write ``==`` as ``>= and <=``, and ``!=`` as ``< or >``; a missing value still meets neither."""
    if isinstance(condition, Junction):
        return join(condition.kind, [_one_sided(part) for part in condition.parts])
    if isinstance(condition, Member):
        return condition
    if condition.op == "==":
        return join("and", [replace(condition, op=">="), replace(condition, op="<=")])
    if condition.op == "!=":
        return join("or", [replace(condition, op="<"), replace(condition, op=">")])
    return condition


def _side(step: Threshold | Pair, columns: Mapping[str, ColumnSpec]) -> _Side:
    sign = 1 if step.op in (">", ">=") else -1
    above = step.op in (">", "<=")  # the cut stands above the number that it splits from its neighbour
    if isinstance(step, Pair):
        whole = all(columns[name].type in WHOLE for name in (step.left, step.right))
        half = 0.5 if whole else HALF_SMALLEST
        quantity = Difference(step.left, step.left_factor, step.right, step.right_factor)
        return _Side(quantity, half if above else -half, sign, None)
    kind = columns[step.column].type
    value = np.float32(float(step.value))
    if kind in WHOLE:
        cut = math.floor(value) + 0.5 if above else math.ceil(value) - 0.5
    else:
        # both are 32-bit numbers, so the middle is exact in 64 bits
        cut = (float(value) + float(np.nextafter(value, np.float32(np.inf if above else -np.inf)))) / 2
    written = None if kind == "yes/no" else Written(step.column, float(value))
    return _Side(Difference(step.column), cut, sign, written)


@dataclass(frozen=True)
class Reader:
    """Reads the columns of a graph from rows.

    Parameters
    ----------
    scales : dict of str to float
        The difference that counts as large, for every column of numbers.
    choices : tuple of str
    whole : frozenset of str
        Columns that must hold whole numbers.
    missing : dict of str to float
        What a missing number stands for, where that is declared.
    """

    scales: dict[str, float]
    choices: tuple[str, ...]
    whole: frozenset[str]
    missing: dict[str, float]

    @classmethod
    def of(cls, knowledge: KnowledgeBase, graph: Graph, spread: Mapping[str, float]) -> Reader:
        """Make a reader; `spread` is the usual range of values of columns that declare none."""
        scales = _scales(graph, knowledge.columns, spread)
        missing = {name: value for name, value in stand_ins(knowledge).items() if name in scales}
        return cls(
            scales=scales,
            choices=tuple(dict.fromkeys(member.column for member in graph.members)),
            whole=frozenset(name for name in scales if knowledge.columns[name].type in WHOLE),
            missing={name: float(value) for name, value in missing.items()},
        )

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns of numbers, in order."""
        return tuple(self.scales)

    def read(self, features: pd.DataFrame) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return numbers, (n_rows, n_numbers), NaN where missing, and codes, (n_rows, n_choices).

        Raises
        ------
        KnowledgeError
            A column that is declared whole holds other numbers.
        """
        numbers = np.empty((len(features), len(self.scales)), np.float32)
        for values, name in zip(numbers.T, self.numbers, strict=True):
            values[:] = features[name].to_numpy(np.float32)
            if name in self.missing:
                values[np.isnan(values)] = self.missing[name]
            if name in self.whole:
                wrong = np.isfinite(values) & (values != np.rint(values))
                if wrong.any():
                    raise KnowledgeError(
                        f"'{name}' is declared to hold whole numbers, but {int(wrong.sum()):,} of "
                        f"{len(wrong):,} rows do not, e.g. {values[wrong][0]:g}; declare it a number"
                    )
        codes = [features[name].to_numpy(np.int64) for name in self.choices]
        return numbers, np.stack(codes, axis=1) if codes else np.empty((len(features), 0), np.int64)


def _scales(graph: Graph, columns: Mapping[str, ColumnSpec], spread: Mapping[str, float]) -> dict[str, float]:
    """Return the declared range, else the spread, else what the experts' numbers and 0 span, else 1."""
    span: dict[str, list[float]] = {}
    for column, value in graph.written:
        span.setdefault(column, [0.0]).append(value)
    scales = {}
    for name in dict.fromkeys(name for each in graph.quantities for name in (each.left, each.right) if name):
        spec = columns[name]
        low, high = (0.0, 1.0) if spec.type == "yes/no" else (spec.min, spec.max)
        declared = high - low if low is not None and high is not None else 0.0
        spanned = max(span.get(name, [0.0])) - min(span.get(name, [0.0]))
        scales[name] = declared or spread.get(name) or spanned or 1.0
    return scales
