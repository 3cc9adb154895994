"""Shorter conditions that mean exactly the same, within a fixed budget of work.

A missing value meets no comparison, so ``x > 5 or x <= 5`` is not always true, and ``x <= 5`` is not
the negation of ``x > 5``: formulas stay free of negations, and every result is checked on all the
cases there are before it is returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Literal

import sympy
from sympy.logic.boolalg import Boolean

from toolkit.knowledge.condition import (
    MIRRORED,
    TRUE,
    Condition,
    Junction,
    Member,
    Op,
    Pair,
    Threshold,
    holds,
    join,
    leaves,
    size,
)
from toolkit.knowledge.language import ColumnType
from toolkit.knowledge.notation.formulas import skeleton

__all__ = ["MAX_ATOMS", "MAX_LEAVES", "simplify"]

MAX_ATOMS = 6
"""Distinct comparisons up to which a formula is minimised: 64 cases at most, some milliseconds."""

MAX_LEAVES = 64
"""Comparisons, repeated ones counted, up to which a formula is minimised."""

MAX_PASSES = 8

_Leaf = Threshold | Pair | Member
_Case = tuple[int, ...]
"""1 for each comparison that is met, 0 for the others."""

_SIGNS: dict[Op, frozenset[int]] = {
    "<": frozenset({-1}),
    "<=": frozenset({-1, 0}),
    ">": frozenset({1}),
    ">=": frozenset({0, 1}),
    "==": frozenset({0}),
    "!=": frozenset({-1, 1}),
}
"""Signs of ``left - right`` that meet an operator."""

_FOR_SIGNS = {signs: op for op, signs in _SIGNS.items()}

_NEVER = join("or", ())


def simplify(condition: Condition, types: Mapping[str, ColumnType] | None = None) -> Condition:
    """Return a condition of fewer comparisons that holds for the same rows, missing values included.

    Comparisons of one column are put together first (``x > 5 or x == 5`` is ``x >= 5``); then, up to
    `MAX_ATOMS` distinct ones, the formula is minimised as sum and as product (Quine and McCluskey,
    in sympy), where combinations that no row can meet are free.

    Parameters
    ----------
    condition : Condition
    types : mapping of str to str, optional
        Column name -> its type: whole numbers and yes/no allow more. Ranges are not used, as data may
        leave them.

    Returns
    -------
    Condition
        The same object when it is as short as can be, or beyond the budget.
    """
    best = condition
    for _ in range(MAX_PASSES):
        shorter = _put_together(best)
        if size(shorter) <= MAX_LEAVES and 1 < len(set(leaves(shorter))) <= MAX_ATOMS:
            shorter = _minimise(shorter, types or {})
        if size(shorter) >= size(best):
            break
        best = shorter
    return best


def _put_together(condition: Condition) -> Condition:
    """Join comparisons of one column with one limit, level by level."""
    if not isinstance(condition, Junction):
        return condition
    parts = [_put_together(part) for part in condition.parts]
    neutral, final = (TRUE, _NEVER) if condition.kind == "and" else (_NEVER, TRUE)
    if final in parts:
        return final
    flat = join(condition.kind, [part for part in parts if part != neutral])
    if not isinstance(flat, Junction) or flat.kind != condition.kind:
        return flat
    kept: dict[object, Condition] = {}
    for part in flat.parts:
        key = _subject(part)
        while key in kept:
            found = _fuse(condition.kind, kept[key], part)
            if found is None:
                # Both stay: together they say no more than that the value is known.
                key = (key, len(kept))
                continue
            part = found
            break
        if part == _NEVER:
            return _NEVER
        kept[key] = part
    return join(condition.kind, kept.values())


def _subject(condition: Condition) -> object:
    """Return what a comparison is about; equal subjects can be put together."""
    if isinstance(condition, Member):
        return condition.column
    if isinstance(condition, Threshold):
        return condition.column, condition.value
    if isinstance(condition, Pair):
        straight = _straight(condition)
        return straight.left, straight.left_factor, straight.right, straight.right_factor
    return condition


def _straight(pair: Pair) -> Pair:
    """Return the same comparison with its columns in alphabetical order and its first factor positive."""
    if pair.left > pair.right:
        pair = Pair(pair.right, pair.right_factor, MIRRORED[pair.op], pair.left, pair.left_factor)
    if pair.left_factor < 0:
        pair = Pair(pair.left, -pair.left_factor, MIRRORED[pair.op], pair.right, -pair.right_factor)
    return pair


def _fuse(kind: Literal["and", "or"], first: Condition, second: Condition) -> Condition | None:
    """Return one comparison that means both (or either), `_NEVER`, or None where there is none."""
    if isinstance(first, Member) and isinstance(second, Member):
        return _fuse_members(kind, first, second)
    if isinstance(first, Pair) and isinstance(second, Pair):
        first, second = _straight(first), _straight(second)
    if isinstance(first, Threshold | Pair) and isinstance(second, Threshold | Pair):
        signs = _SIGNS[first.op], _SIGNS[second.op]
        met = signs[0] & signs[1] if kind == "and" else signs[0] | signs[1]
        return _NEVER if not met else replace(first, op=_FOR_SIGNS[met]) if met in _FOR_SIGNS else None
    return None


def _fuse_members(kind: Literal["and", "or"], first: Member, second: Member) -> Condition | None:
    if kind == "or":
        opposite = _fuse_members(
            "and", replace(first, negated=not first.negated), replace(second, negated=not second.negated)
        )
        return replace(opposite, negated=not opposite.negated) if isinstance(opposite, Member) else None
    inside, outside = set(first.levels), set(second.levels)
    if first.negated and second.negated:
        return Member(first.column, tuple(sorted(inside | outside)), negated=True)
    if first.negated:
        inside, outside = outside, inside
    left = inside - outside if first.negated != second.negated else inside & outside
    return Member(first.column, tuple(sorted(left))) if left else _NEVER


def _minimise(condition: Condition, types: Mapping[str, ColumnType]) -> Condition:
    """Return the shortest sum or product of the condition's own comparisons, else the condition."""
    atoms = list(dict.fromkeys(leaves(condition)))
    symbols = dict(zip(skeleton(condition).atoms, atoms, strict=True))
    cases: list[_Case] = list(product((0, 1), repeat=len(atoms)))
    met = {case for case in cases if _decide(condition, dict(zip(atoms, case, strict=True)))}
    possible = _possible(atoms, types)
    if size(condition) == len(atoms) and all(_decides(index, met, possible) for index in range(len(atoms))):
        return condition
    # Free cases can bring negations in, which are no conditions; without free cases there are none,
    # because the formula itself has none.
    free = [case for case in cases if case not in possible]
    best = condition
    for wanted, ignored in (([case for case in met if case in possible], free), (list(met), [])):
        for form in (sympy.SOPform, sympy.POSform):
            found = _condition(form(list(symbols), sorted(wanted), ignored), symbols)
            if found is not None and size(found) < size(best) and _agrees(found, atoms, met, possible):
                best = found
    return best


def _decides(index: int, met: set[_Case], possible: set[_Case]) -> bool:
    """Tell whether a comparison alone can turn the answer, so that no equal formula lacks it."""
    for case in possible:
        other = (*case[:index], 1 - case[index], *case[index + 1 :])
        if other in possible and (case in met) != (other in met):
            return True
    return False


def _agrees(condition: Condition, atoms: list[_Leaf], met: set[_Case], possible: set[_Case]) -> bool:
    return all(_decide(condition, dict(zip(atoms, case, strict=True))) == (case in met) for case in possible)


def _decide(condition: Condition, met: Mapping[_Leaf, int]) -> bool:
    if isinstance(condition, Junction):
        decided = (_decide(part, met) for part in condition.parts)
        return all(decided) if condition.kind == "and" else any(decided)
    return bool(met[condition])


def _condition(formula: Boolean, atoms: Mapping[sympy.Symbol, _Leaf]) -> Condition | None:
    """Return a formula as a condition; None when it holds a negation."""
    if formula in (sympy.true, sympy.false):
        return TRUE if formula == sympy.true else _NEVER
    if isinstance(formula, sympy.Symbol):
        return atoms[formula]
    if not isinstance(formula, sympy.And | sympy.Or):
        return None
    parts = [_condition(part, atoms) for part in sorted(formula.args, key=_first)]
    read = [part for part in parts if part is not None]
    return join("and" if isinstance(formula, sympy.And) else "or", read) if len(read) == len(parts) else None


def _first(formula: Boolean) -> str:
    """Return the name of the first comparison in a formula, to write parts in the order they were in."""
    return min((symbol.name for symbol in formula.free_symbols), default="")


def _possible(atoms: list[_Leaf], types: Mapping[str, ColumnType]) -> set[_Case]:
    """Return which comparisons a row can meet together."""
    subjects: dict[object, list[int]] = {}
    for index, atom in enumerate(atoms):
        # Pairs are taken to be free of the single columns: more cases than there are, never fewer.
        key = _subject(atom) if isinstance(atom, Pair) else atom.column
        subjects.setdefault(key, []).append(index)
    cases: set[_Case] = {(0,) * len(atoms)}
    for members in subjects.values():
        rows = list(_samples([atoms[index] for index in members], types))
        patterns = {tuple(int(holds(atoms[index], row)) for index in members) for row in rows}
        cases = {_with(case, members, pattern) for case in cases for pattern in patterns}
    return cases


def _with(case: _Case, members: list[int], pattern: _Case) -> _Case:
    changed = list(case)
    for index, met in zip(members, pattern, strict=True):
        changed[index] = met
    return tuple(changed)


def _samples(
    atoms: list[_Leaf], types: Mapping[str, ColumnType]
) -> Iterable[dict[str, Fraction | str | None]]:
    """Yield rows that meet the comparisons of one subject in every way there is."""
    first = atoms[0]
    yield {}
    if isinstance(first, Pair):
        meeting = Fraction(first.right_factor), Fraction(first.left_factor)
        for step in (-1, 0, 1):
            yield {first.left: meeting[0] + step, first.right: meeting[1]}
    elif isinstance(first, Member):
        levels = {level for atom in atoms if isinstance(atom, Member) for level in atom.levels}
        for level in [*levels, "".join(levels) + "x"]:
            yield {first.column: level}
    else:
        limits = sorted({atom.value for atom in atoms if isinstance(atom, Threshold)})
        kind = types.get(first.column)
        values: Iterable[Fraction]
        if kind == "yes/no":
            values = (Fraction(0), Fraction(1))
        elif kind == "whole number":
            floors = {limit.numerator // limit.denominator for limit in limits}
            values = {Fraction(floor + step) for floor in floors for step in (-1, 0, 1, 2)}
        else:
            between = [(low + high) / 2 for low, high in pairwise(limits)]
            values = [limits[0] - 1, *limits, *between, limits[-1] + 1]
        for value in values:
            yield {first.column: value}
