"""The small frozen form that conditions are kept in, with exact numbers.

A condition is a tree of ``and`` and ``or`` over three comparisons: `Threshold`, `Pair` and
`Member`. There is no ``not``: it is pushed into the comparisons, so that a missing value can
satisfy none of them.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

__all__ = [
    "MIRRORED",
    "TRUE",
    "Condition",
    "Junction",
    "Member",
    "Op",
    "Pair",
    "Threshold",
    "columns",
    "holds",
    "join",
    "leaves",
    "negate",
    "quote",
    "size",
    "to_text",
]

Op = Literal["<", "<=", ">", ">=", "==", "!="]

MIRRORED: dict[Op, Op] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
"""``a op b`` is ``b MIRRORED[op] a``."""

_OPPOSITE: dict[Op, Op] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Threshold:
    """``column op value``, a number column against a number."""

    column: str
    op: Op
    value: Fraction


@dataclass(frozen=True, slots=True)
class Pair:
    """``left_factor * left op right_factor * right``; whole factors keep whole columns exact."""

    left: str
    left_factor: int
    op: Op
    right: str
    right_factor: int


@dataclass(frozen=True, slots=True)
class Member:
    """``column in levels``, a choice column; `levels` are sorted and distinct."""

    column: str
    levels: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Junction:
    """``and`` or ``or`` of at least two distinct parts, none of the same kind.

    Without parts an ``and`` is always true (`TRUE`) and an ``or`` never.
    """

    kind: Literal["and", "or"]
    parts: tuple[Condition, ...]
    size: int


Condition = Threshold | Pair | Member | Junction

TRUE = Junction("and", (), 0)
"""Always met; written ``true``, for the last row of a decision table."""


def size(condition: Condition) -> int:
    """Return the number of comparisons."""
    return condition.size if isinstance(condition, Junction) else 1


def join(kind: Literal["and", "or"], parts: Iterable[Condition]) -> Condition:
    """Return the ``and`` or ``or`` of parts, flattened and without repetition."""
    flat: dict[Condition, None] = {}
    for part in parts:
        same = isinstance(part, Junction) and part.kind == kind
        flat.update(dict.fromkeys(part.parts if isinstance(part, Junction) and same else (part,)))
    distinct = tuple(flat)
    if len(distinct) == 1:
        return distinct[0]
    return Junction(kind, distinct, sum(size(part) for part in distinct))


def negate(condition: Condition) -> Condition:
    """Return the negation, pushed into the comparisons."""
    if isinstance(condition, Junction):
        return join("or" if condition.kind == "and" else "and", [negate(part) for part in condition.parts])
    if isinstance(condition, Member):
        return replace(condition, negated=not condition.negated)
    return replace(condition, op=_OPPOSITE[condition.op])


def leaves(condition: Condition) -> list[Threshold | Pair | Member]:
    """Return the comparisons, from left to right."""
    if isinstance(condition, Junction):
        return [leaf for part in condition.parts for leaf in leaves(part)]
    return [condition]


def columns(condition: Condition) -> list[str]:
    """Return the distinct columns in order of appearance."""
    names: dict[str, None] = {}
    for leaf in leaves(condition):
        names.update(dict.fromkeys((leaf.left, leaf.right) if isinstance(leaf, Pair) else (leaf.column,)))
    return list(names)


def _compare(left: Fraction, op: Op, right: Fraction) -> bool:
    less, equal = left < right, left == right
    return {
        "<": less,
        "<=": less or equal,
        ">": not less and not equal,
        ">=": not less,
        "==": equal,
        "!=": not equal,
    }[op]


def holds(condition: Condition, row: Mapping[str, Fraction | str | None]) -> bool:
    """Decide one row, exactly: the plain meaning that every compiler must agree with.

    Parameters
    ----------
    condition : Condition
    row : mapping of str to Fraction, str or None
        Number columns as fractions, choices as texts; None or absent is missing.
    """
    if isinstance(condition, Junction):
        results = (holds(part, row) for part in condition.parts)
        return all(results) if condition.kind == "and" else any(results)
    if isinstance(condition, Member):
        level = row.get(condition.column)
        return level is not None and (level in condition.levels) != condition.negated
    if isinstance(condition, Pair):
        left, right = row.get(condition.left), row.get(condition.right)
        if not isinstance(left, Fraction) or not isinstance(right, Fraction):
            return False
        return _compare(condition.left_factor * left, condition.op, condition.right_factor * right)
    value = row.get(condition.column)
    return isinstance(value, Fraction) and _compare(value, condition.op, condition.value)


def _number(value: Fraction) -> str | None:
    """Return decimal digits that read back as exactly `value`, or None."""
    text = str(value.numerator) if value.denominator == 1 else repr(float(value))
    return text if Fraction(text) == value else None


def _name(column: str) -> str:
    """Return a column's name as a condition writes it."""
    plain = column.isidentifier() and not keyword.iskeyword(column)
    return column if plain else f"`{column}`"


def quote(text: str) -> str:
    """Return a text in quotes as a condition writes it; what cannot be seen becomes an escape."""
    written = json.dumps(text, ensure_ascii=False)
    if written.isprintable():
        return written
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in written)


def to_text(condition: Condition, flags: Collection[str] = ()) -> str:
    """Write a condition so that reading it gives the same condition; `flags` are columns of yes and no."""
    if isinstance(condition, Junction):
        if not condition.parts:
            return "true" if condition.kind == "and" else "not true"
        parts = [
            f"({to_text(part, flags)})" if isinstance(part, Junction) else to_text(part, flags)
            for part in condition.parts
        ]
        return f" {condition.kind} ".join(parts)
    if isinstance(condition, Member):
        levels = ", ".join(quote(level) for level in condition.levels)
        return f"{_name(condition.column)} {'not in' if condition.negated else 'in'} [{levels}]"
    if isinstance(condition, Pair):
        left, right = (
            _name(name) if factor == 1 else f"{factor} * {_name(name)}"
            for factor, name in (
                (condition.left_factor, condition.left),
                (condition.right_factor, condition.right),
            )
        )
        return f"{left} {condition.op} {right}"
    digits, name = _number(condition.value), _name(condition.column)
    if condition.column in flags and condition.value == Fraction(1, 2) and condition.op in (">", "<="):
        return name if condition.op == ">" else f"not {name}"
    if digits is not None:
        return f"{name} {condition.op} {digits}"
    value = condition.value
    return f"{value.denominator} * {name} {condition.op} {value.numerator}"
