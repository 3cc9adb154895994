"""The language of conditions: a whitelist over Python's own grammar, and nothing is ever run.

``regular and 0.8 <= due <= 1.5`` is read by ``ast.parse(mode="eval")``, every node is checked
against the few that are allowed, and the result is a small frozen form (`Condition`) with exact
numbers. Text never reaches ``eval``, nor sympy's parser, which is one.

Negations are pushed down to the comparisons while reading. A comparison with a missing value is
never met, negated or not, unless the knowledge base says what missing stands for: so
``not (x > 5)`` holds for small x, not for unknown x.

A column whose name is not a plain word stands in backquotes: ```Monthly Charges` > 70``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from toolkit.errors import KnowledgeError, did_you_mean, shorten
from toolkit.knowledge.advice import advice
from toolkit.knowledge.condition import (
    MIRRORED,
    TRUE,
    Condition,
    Member,
    Op,
    Pair,
    Threshold,
    join,
    negate,
    size,
)
from toolkit.knowledge.syntax import MAX_LENGTH, Syntax, Where, is_name, outside, problem_at, read_syntax

__all__ = ["MAX_LENGTH", "ColumnType", "Vocabulary", "Where", "is_name", "names_in", "parse"]

MAX_DEPTH = 40
"""Nesting of one condition."""

MAX_SIZE = 2_000
"""Comparisons of one condition once its terms are written out."""

MAX_NUMBER = Fraction(10**15)

ColumnType = Literal["number", "whole number", "yes/no", "choice"]

_OPS: dict[type[ast.cmpop], Op] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

_IS: dict[type[ast.cmpop], str] = {ast.Is: "==", ast.IsNot: "!="}

_ANSWERS = ("yes", "no", "true", "false")

_REFUSED: dict[type[ast.AST], str] = {
    ast.Call: "calling a function",
    ast.Attribute: "a dot after a name",
    ast.Subscript: "square brackets after a name",
    ast.Lambda: "lambda",
    ast.IfExp: "if … else",
    ast.NamedExpr: "':='",
    ast.JoinedStr: "a text with placeholders",
    ast.Dict: "a dictionary",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Starred: "'*' before a name",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
}

_ALLOWED = 'allowed: and, or, not, comparisons, in [..], column names, numbers, "texts", number * column'


@dataclass(frozen=True)
class Vocabulary:
    """What a condition may name.

    Parameters
    ----------
    columns : mapping of str to str
        Column name -> its type.
    choices : mapping of str to tuple of str
        Choice column -> its values, where they are declared.
    sets : mapping of str to tuple of str or float
        Named sets.
    terms : mapping of str to Condition
        Named conditions, already read.
    """

    columns: Mapping[str, ColumnType]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sets: Mapping[str, tuple[str | float, ...]] = field(default_factory=dict)
    terms: Mapping[str, Condition] = field(default_factory=dict)


@dataclass(frozen=True)
class _Scaled:
    column: str
    factor: Fraction = Fraction(1)


_Operand = Fraction | str | _Scaled


def parse(text: str, vocabulary: Vocabulary, *, where: Where = None) -> Condition:
    """Read one condition.

    Parameters
    ----------
    text : str
        For instance ``n182 >= 4 and not holiday_week and category in storable``.
    vocabulary : Vocabulary
        The names it may use.
    where : str or function of int to str, optional
        For messages.

    Returns
    -------
    Condition
        In negation normal form; terms are written out.

    Raises
    ------
    KnowledgeError
        With the position, what was got, and the nearest known name.
    """
    syntax = read_syntax(text, where, vocabulary.columns)
    return _Reader(syntax, vocabulary, where).condition(syntax.tree, 0)


def names_in(text: str) -> set[str]:
    """Return all names that a condition mentions; none when it cannot be read."""
    try:
        syntax = read_syntax(text, None)
    except KnowledgeError:
        return set()
    return {
        syntax.quoted.get(node.id, node.id) for node in ast.walk(syntax.tree) if isinstance(node, ast.Name)
    }


class _Reader:
    """Turns checked syntax into a condition."""

    def __init__(self, syntax: Syntax, vocabulary: Vocabulary, where: Where) -> None:
        self.syntax = syntax
        self.plain = syntax.plain.strip()
        self.raw = self.plain.encode()
        self.words = vocabulary
        self.where = where
        self.left = MAX_SIZE

    def error(self, node: ast.AST, problem: str, hint: str = "") -> KnowledgeError:
        """Return an error that points at `node`."""
        offset = len(self.raw[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        lead = len(self.syntax.plain) - len(self.syntax.plain.lstrip())
        return problem_at(problem, self.syntax.text, lead + offset, self.where, hint)

    def id(self, node: ast.Name) -> str:
        """Return the name that is meant, in backquotes or not."""
        return self.syntax.quoted.get(node.id, node.id)

    def refused(self, node: ast.AST) -> KnowledgeError:
        source = ast.get_source_segment(self.plain, node) if isinstance(node, ast.expr) else None
        what = _REFUSED.get(type(node), f"'{shorten(source or '')}'")
        hint = advice(outside(source or "")) if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Tuple) else ""
        return self.error(node, f"{what} is not allowed", hint or f" ({_ALLOWED})")

    def condition(self, node: ast.expr, depth: int) -> Condition:
        """Read what is true or false."""
        if depth > MAX_DEPTH:
            raise self.error(node, f"the condition is nested more than {MAX_DEPTH} deep")
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(value, depth + 1) for value in node.values]
            result = join("and" if isinstance(node.op, ast.And) else "or", parts)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            result = negate(self.condition(node.operand, depth + 1))
        elif isinstance(node, ast.Compare):
            result = self.comparison(node)
        elif isinstance(node, ast.Name):
            result = self.name(node)
        else:
            raise self.refused(node)
        return result

    def spend(self, node: ast.AST, comparisons: int) -> None:
        """Count comparisons before they are made, so that a short text cannot make millions."""
        self.left -= comparisons
        if self.left < 0:
            raise self.error(
                node, f"the condition has more than {MAX_SIZE:,} comparisons with its terms written out"
            )

    def name(self, node: ast.Name) -> Condition:
        """Read a bare name: a term or a yes/no column."""
        name = self.id(node)
        if name in self.words.terms:
            self.spend(node, size(self.words.terms[name]))
            return self.words.terms[name]
        kind = self.words.columns.get(name)
        if name == "true" and kind is None:
            return TRUE
        if kind == "yes/no":
            self.spend(node, 1)
            return Threshold(name, ">", Fraction(1, 2))
        if kind is not None:
            example = f'{name} == "…"' if kind == "choice" else f"{name} >= 1"
            raise self.error(node, f"'{name}' is a {kind}; compare it, e.g. {example};")
        if name in self.words.sets:
            raise self.error(node, f"'{name}' is a set; write: column in {name};")
        raise self.unknown(node, name)

    def unknown(self, node: ast.AST, name: str) -> KnowledgeError:
        names = (*self.words.columns, *self.words.terms, *self.words.sets)
        known = [each if is_name(each) else f"`{each}`" for each in names]
        values = {value for choices in self.words.choices.values() for value in choices}
        hint = f'; write texts in quotes: "{name}"' if name in values else did_you_mean(name, known)
        return self.error(node, f"unknown name '{shorten(name)}'", hint)

    def comparison(self, node: ast.Compare) -> Condition:
        """Read a comparison or a chain of them."""
        parts = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            self.check_yes_no(node, left, right)
            if isinstance(op, ast.In | ast.NotIn):
                part = self.membership(left, right)
                parts.append(negate(part) if isinstance(op, ast.NotIn) else part)
            elif type(op) in _OPS:
                self.spend(node, 1)
                parts.append(self.compare(node, self.operand(left), _OPS[type(op)], self.operand(right)))
            else:
                raise self.error(node, "'is' is not allowed", f"; write {_IS[type(op)]}")
            left = right
        return join("and", parts)

    def check_yes_no(self, node: ast.Compare, *sides: ast.expr) -> None:
        """Refuse a yes/no column that is compared with a word."""
        for column, value in (sides, sides[::-1]):
            if not isinstance(column, ast.Name) or self.words.columns.get(self.id(column)) != "yes/no":
                continue
            name = self.id(value) if isinstance(value, ast.Name) else None
            word = name is not None and name.lower() in _ANSWERS and name not in self.words.columns
            values = value.elts if isinstance(value, ast.List | ast.Tuple | ast.Set) else [value]
            if word or any(
                isinstance(each, ast.Constant) and isinstance(each.value, str | bool) for each in values
            ):
                plain = self.id(column) if is_name(self.id(column)) else f"`{self.id(column)}`"
                problem = f"'{self.id(column)}' is yes or no and is not compared"
                raise self.error(node, problem, f"; write {plain}, or not {plain}")

    def operand(self, node: ast.expr) -> _Operand:
        """Read a side of a comparison."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if not node.value.isascii() and any("\ud800" <= each <= "\udfff" for each in node.value):
                raise self.error(node, "half of a character (\\ud800 to \\udfff) is no text;")
            return node.value
        if isinstance(node, ast.Name):
            return self.column(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            sides = (node.left, node.right)
            for factor, column in (sides, sides[::-1]):
                if isinstance(column, ast.Name) and not isinstance(factor, ast.Name):
                    scaled = self.column(column)
                    if self.words.columns[scaled.column] == "choice":
                        raise self.error(column, f"'{scaled.column}' is a choice; it cannot be multiplied")
                    number = self.number(factor)
                    if number == 0:
                        raise self.error(node, f"0 * {scaled.column} is always 0")
                    return _Scaled(scaled.column, number)
            raise self.refused(node)
        return self.number(node)

    def column(self, node: ast.Name) -> _Scaled:
        name = self.id(node)
        if name not in self.words.columns:
            if name in self.words.terms:
                raise self.error(node, f"'{name}' is a term, true or false; it cannot be compared")
            raise self.unknown(node, name)
        return _Scaled(name)

    def number(self, node: ast.expr) -> Fraction:
        """Read a number exactly as written: 0.1 is one tenth."""
        whole, sign = node, 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = -1 if isinstance(node.op, ast.USub) else 1
            node = node.operand
        value = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.refused(whole)
        if abs(value) > MAX_NUMBER:
            raise self.error(node, f"a number is at most {float(MAX_NUMBER):g}")
        if isinstance(value, float):
            written = Decimal(self.raw[node.col_offset : node.end_col_offset].decode())
            if written != Decimal(repr(value)):
                raise self.error(node, f"the number has more digits than can be kept; write {value!r}")
        number = Fraction(repr(value))
        return sign * number

    def compare(self, node: ast.Compare, left: _Operand, op: Op, right: _Operand) -> Condition:
        if not isinstance(left, _Scaled):
            if not isinstance(right, _Scaled):
                raise self.error(node, "one side of a comparison must be a column")
            return self.compare(node, right, MIRRORED[op], left)
        kind = self.words.columns[left.column]
        if isinstance(right, _Scaled):
            if "choice" in (kind, self.words.columns[right.column]):
                raise self.error(node, "a choice can only be compared with its values, in quotes")
            if left.column == right.column:
                raise self.error(node, f"'{left.column}' is compared with itself")
            ratio = left.factor / right.factor
            sign = 1 if right.factor > 0 else -1
            self.check_exact(node, max(abs(ratio.numerator), ratio.denominator))
            return Pair(left.column, sign * ratio.numerator, op, right.column, sign * ratio.denominator)
        if kind == "choice":
            if op not in ("==", "!=") or not isinstance(right, str):
                raise self.error(node, f"'{left.column}' is a choice; use ==, != or in with texts in quotes;")
            self.check_values(node, left.column, (right,))
            return Member(left.column, (right,), negated=op == "!=")
        if isinstance(right, str):
            raise self.error(
                node, f"'{left.column}' holds numbers, but is compared with the text '{shorten(right)}'"
            )
        return self.threshold(node, left.column, op if left.factor > 0 else MIRRORED[op], right / left.factor)

    def threshold(self, node: ast.AST, column: str, op: Op, limit: Fraction) -> Threshold:
        if abs(limit) > MAX_NUMBER or Fraction(repr(float(limit))) != limit:
            self.check_exact(node, max(abs(limit.numerator), limit.denominator))
        return Threshold(column, op, limit)

    def check_exact(self, node: ast.AST, number: int) -> None:
        """Refuse a comparison that could not be written with numbers that are read exactly."""
        if number > MAX_NUMBER:
            raise self.error(node, "the numbers together have more digits than can be kept exactly;")

    def membership(self, left: ast.expr, right: ast.expr) -> Condition:
        """Read ``column in [..]`` or ``column in set``."""
        if not isinstance(left, ast.Name):
            raise self.error(left, "the left side of 'in' must be a column")
        column = self.column(left).column
        values = self.values(right)
        if self.words.columns[column] == "choice":
            self.spend(right, 1)
            texts = tuple(value for value in values if isinstance(value, str))
            if len(texts) < len(values):
                raise self.error(right, f"'{column}' is a choice; its values are texts in quotes")
            self.check_values(right, column, texts)
            return Member(column, tuple(sorted(set(texts))))
        self.spend(right, len(values))
        numbers = [Fraction(repr(value)) for value in values if isinstance(value, float)]
        numbers += [value for value in values if isinstance(value, Fraction)]
        if len(numbers) < len(values):
            raise self.error(right, f"'{column}' holds numbers; the list holds texts")
        return join("or", [self.threshold(right, column, "==", number) for number in numbers])

    def values(self, node: ast.expr) -> Sequence[str | float | Fraction]:
        """Read what stands behind ``in``: a list, or the name of a set."""
        if isinstance(node, ast.Name):
            name = self.id(node)
            if name not in self.words.sets:
                hint = did_you_mean(name, self.words.sets)
                raise self.error(node, f"unknown set '{shorten(name)}'", hint)
            return self.words.sets[name]
        if not isinstance(node, ast.List | ast.Tuple | ast.Set):
            raise self.error(node, "'in' needs a list in square brackets or the name of a set")
        read = [self.operand(element) for element in node.elts]
        values = [value for value in read if not isinstance(value, _Scaled)]
        if len(values) < len(read) or not values:
            raise self.error(node, "a list holds at least one value, and only numbers or texts in quotes")
        return values

    def check_values(self, node: ast.AST, column: str, values: tuple[str, ...]) -> None:
        known = self.words.choices.get(column)
        if known is None:
            return
        for value in values:
            if value not in known:
                problem = f"'{column}' has no value '{shorten(value)}'"
                raise self.error(node, problem, did_you_mean(value, known))
