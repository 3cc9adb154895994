"""Conditions as sympy formulas, and small simplifications that mean exactly the same.

Formulas are built from objects, never from text: sympy's parser, ``sympify`` of a text and code made
from symbol names all run what they are given. Symbols have names of our own (``c0``, ``a0``, ``v000``);
the names that people wrote stand beside them in a mapping.

A missing value meets no comparison, so ``x > 5 or x <= 5`` is not always true and a comparison is no
negation of its opposite. Hence the skeleton: ``and`` and ``or`` over one symbol for each comparison,
which sympy cannot collapse, and what the comparisons have to do with one another is worked out here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy.logic.boolalg import Boolean

from toolkit.knowledge.condition import Condition, Junction, Member, Op, Pair, Threshold, holds

__all__ = ["Skeleton", "skeleton"]

_Leaf = Threshold | Pair | Member

_RELATIONS: dict[Op, type[Boolean]] = {
    "<": sympy.StrictLessThan,
    "<=": sympy.LessThan,
    ">": sympy.StrictGreaterThan,
    ">=": sympy.GreaterThan,
    "==": sympy.Equality,
    "!=": sympy.Unequality,
}


@dataclass(frozen=True)
class Skeleton:
    """A condition as a sympy formula.

    Parameters
    ----------
    formula : Boolean
        ``And`` and ``Or`` over the symbols of `atoms`.
    atoms : mapping of Symbol to Boolean
        Each distinct comparison, in order of appearance: a relation between column symbols and exact
        rationals, or (perhaps negated) ``Contains`` in a finite set of level symbols.
    columns : mapping of Symbol to str
        Column symbols and the names people wrote.
    levels : mapping of Symbol to str
        Level symbols and the texts they stand for.
    """

    formula: Boolean
    atoms: Mapping[sympy.Symbol, Boolean]
    columns: Mapping[sympy.Symbol, str]
    levels: Mapping[sympy.Symbol, str]

    @property
    def expression(self) -> Boolean:
        """The formula over columns; as sympy has no missing values, it holds where all are known."""
        return self.formula.xreplace(dict(self.atoms))


class _Builder:
    """Gives every column, level and comparison its symbol."""

    def __init__(self, flags: Collection[str]) -> None:
        self.flags = flags
        self.columns: dict[str, sympy.Symbol] = {}
        self.levels: dict[str, sympy.Symbol] = {}
        self.atoms: dict[_Leaf, sympy.Symbol] = {}
        self.relations: dict[sympy.Symbol, Boolean] = {}

    def formula(self, condition: Condition) -> Boolean:
        if isinstance(condition, Junction):
            operator = sympy.And if condition.kind == "and" else sympy.Or
            return operator(*[self.formula(part) for part in condition.parts])
        if condition not in self.atoms:
            # Zeros keep the order of names the order of appearance.
            symbol = sympy.Symbol(f"a{len(self.atoms):04d}")
            self.atoms[condition] = symbol
            self.relations[symbol] = self.relation(condition)
        return self.atoms[condition]

    def relation(self, leaf: _Leaf) -> Boolean:
        if isinstance(leaf, Member):
            for level in leaf.levels:
                self.levels.setdefault(level, sympy.Symbol(f"v{len(self.levels):05d}"))
            levels = sympy.FiniteSet(*[self.levels[level] for level in leaf.levels])
            inside = sympy.Contains(self.column(leaf.column), levels, evaluate=False)
            return sympy.Not(inside) if leaf.negated else inside
        if isinstance(leaf, Threshold) and leaf.column in self.flags:
            answers = [answer for answer in (0, 1) if holds(leaf, {leaf.column: Fraction(answer)})]
            if len(answers) == 1:
                proposition = self.column(leaf.column)
                return proposition if answers == [1] else sympy.Not(proposition)
        if isinstance(leaf, Pair):
            left = sympy.Integer(leaf.left_factor) * self.column(leaf.left)
            right = sympy.Integer(leaf.right_factor) * self.column(leaf.right)
        else:
            left = self.column(leaf.column)
            right = sympy.Rational(leaf.value.numerator, leaf.value.denominator)
        return _RELATIONS[leaf.op](left, right, evaluate=False)

    def column(self, name: str) -> sympy.Symbol:
        assumption = {} if name in self.flags else {"real": True}
        return self.columns.setdefault(name, sympy.Symbol(f"c{len(self.columns)}", **assumption))


def skeleton(condition: Condition, flags: Collection[str] = ()) -> Skeleton:
    """Return a condition as a sympy formula.

    Parameters
    ----------
    condition : Condition
        As `toolkit.knowledge.language.parse` returns it.
    flags : collection of str
        Columns of yes and no, which become propositions instead of numbers.
    """
    builder = _Builder(flags)
    formula = builder.formula(condition)
    return Skeleton(
        formula,
        builder.relations,
        {symbol: name for name, symbol in builder.columns.items()},
        {symbol: level for level, symbol in builder.levels.items()},
    )
