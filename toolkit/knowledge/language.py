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
import keyword
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

from toolkit.errors import KnowledgeError, did_you_mean, nearest
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

__all__ = ["ColumnType", "Vocabulary", "Where", "is_name", "names_in", "parse"]

MAX_LENGTH = 2_000
"""Characters of one condition."""

MAX_DEPTH = 40
"""Nesting of one condition."""

MAX_SIZE = 2_000
"""Comparisons of one condition once its terms are written out."""

MAX_NUMBER = Fraction(10**15)

ColumnType = Literal["number", "whole number", "yes/no", "choice"]

Where = str | Callable[[int], str] | None
"""``file:line`` for messages, or a function from a position in the condition to its place in a file."""

_QUOTED = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])*'|`([^`]*)`""")
"""A text in quotes, or a column's name in backquotes."""

_OPS: dict[type[ast.cmpop], Op] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

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


def is_name(text: str) -> bool:
    """Tell whether a condition can name `text`: letters, digits and underscores, no keyword."""
    return text.isidentifier() and not keyword.iskeyword(text)


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
    syntax = _syntax(text, where)
    return _Reader(syntax, vocabulary, where).condition(syntax.tree, 0)


def names_in(text: str) -> set[str]:
    """Return all names that a condition mentions; none when it cannot be read."""
    try:
        syntax = _syntax(text, None)
    except KnowledgeError:
        return set()
    return {
        syntax.quoted.get(node.id, node.id) for node in ast.walk(syntax.tree) if isinstance(node, ast.Name)
    }


class _Syntax(NamedTuple):
    text: str
    plain: str
    """The text with a plain name of the same length for each name in backquotes."""
    quoted: dict[str, str]
    """Plain name -> the name that stands in backquotes."""
    tree: ast.expr


def _problem(problem: str, text: str, offset: int | None, where: Where, hint: str = "") -> KnowledgeError:
    """Return an error that points at a character of `text`; None for the whole text."""
    line = " ".join(text.split())
    if callable(where):
        return KnowledgeError(f"{problem} in: {line}{hint}", where=where(offset or 0))
    if offset is None:
        return KnowledgeError(f"{problem} in: {line}{hint}", where=where)
    lead = len(text) - len(text.lstrip())
    return KnowledgeError(f"{problem} at character {offset - lead + 1} of: {line}{hint}", where=where)


def _syntax(text: str, where: Where) -> _Syntax:
    start = where(0) if callable(where) else where
    if not text.strip():
        raise KnowledgeError("the condition is empty", where=start)
    if len(text) > MAX_LENGTH:
        raise KnowledgeError(
            f"the condition has {len(text):,} characters, at most {MAX_LENGTH:,}; name its parts under terms",
            where=start,
        )
    plain, quoted = _plain(text, where)
    lead = len(plain) - len(plain.lstrip())
    try:
        with warnings.catch_warnings():
            # Python only warns of odd spellings such as `1or x` and "\d"; here they are mistakes.
            warnings.simplefilter("error")
            tree = ast.parse(plain.strip(), mode="eval")
    except SyntaxError as error:
        offset = None if not error.offset else min(lead + error.offset - 1, len(text))
        raise _problem(f"cannot read the condition ({error.msg})", text, offset, where) from None
    except (ValueError, MemoryError, RecursionError):
        raise KnowledgeError("cannot read the condition: too deep, or not text", where=start) from None
    return _Syntax(text, plain, quoted, tree.body)


def _plain(text: str, where: Where) -> tuple[str, dict[str, str]]:
    """Return the text with plain names for those in backquotes, as long as those, and what they stand for."""
    quoted: dict[str, str] = {}
    number = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal number
        name = match[1]
        if name is None:
            return match[0]
        if not name.strip():
            raise _problem("there is no name between the backquotes", text, match.start(), where)
        plain = ""
        while not plain or plain in text:
            plain, number = str(number).rjust(len(match[0]), "_"), number + 1
        if not plain.isidentifier():
            raise _problem("too many names in backquotes", text, match.start(), where)
        quoted[plain] = name
        return plain

    # a line break is a space; every character keeps its position
    return re.sub(r"[\r\n\t]", " ", _QUOTED.sub(replaced, text)), quoted


class _Reader:
    """Turns checked syntax into a condition."""

    def __init__(self, syntax: _Syntax, vocabulary: Vocabulary, where: Where) -> None:
        self.syntax = syntax
        self.plain = syntax.plain.strip()
        self.words = vocabulary
        self.where = where

    def error(self, node: ast.AST, problem: str, hint: str = "") -> KnowledgeError:
        """Return an error that points at `node`."""
        offset = len(self.plain.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        lead = len(self.syntax.plain) - len(self.syntax.plain.lstrip())
        return _problem(problem, self.syntax.text, lead + offset, self.where, hint)

    def id(self, node: ast.Name) -> str:
        """Return the name that is meant, in backquotes or not."""
        return self.syntax.quoted.get(node.id, node.id)

    def refused(self, node: ast.AST) -> KnowledgeError:
        source = ast.get_source_segment(self.plain, node) if isinstance(node, ast.expr) else None
        what = _REFUSED.get(type(node), f"'{source}'")
        return self.error(node, f"{what} is not allowed", f" ({_ALLOWED})")

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
        if size(result) > MAX_SIZE:
            raise self.error(
                node, f"the condition has more than {MAX_SIZE:,} comparisons with its terms written out"
            )
        return result

    def name(self, node: ast.Name) -> Condition:
        """Read a bare name: a term or a yes/no column."""
        name = self.id(node)
        if name in self.words.terms:
            return self.words.terms[name]
        kind = self.words.columns.get(name)
        if name == "true" and kind is None:
            return TRUE
        if kind == "yes/no":
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
        return self.error(node, f"unknown name '{name}'", hint)

    def comparison(self, node: ast.Compare) -> Condition:
        """Read a comparison or a chain of them."""
        parts = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                part = self.membership(left, right)
                parts.append(negate(part) if isinstance(op, ast.NotIn) else part)
            elif type(op) in _OPS:
                parts.append(self.compare(node, self.operand(left), _OPS[type(op)], self.operand(right)))
            else:
                raise self.error(node, "'is' is not allowed", "; write ==")
            left = right
        return join("and", parts)

    def operand(self, node: ast.expr) -> _Operand:
        """Read a side of a comparison."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
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
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self.number(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            if abs(node.value) > MAX_NUMBER:
                raise self.error(node, f"a number is at most {float(MAX_NUMBER):g}")
            return Fraction(repr(node.value))
        raise self.refused(node)

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
            return Pair(left.column, sign * ratio.numerator, op, right.column, sign * ratio.denominator)
        if kind == "choice":
            if op not in ("==", "!=") or not isinstance(right, str):
                raise self.error(node, f"'{left.column}' is a choice; use ==, != or in with texts in quotes;")
            self.check_values(node, left.column, (right,))
            return Member(left.column, (right,), negated=op == "!=")
        if isinstance(right, str):
            raise self.error(node, f"'{left.column}' holds numbers, but is compared with the text '{right}'")
        return Threshold(left.column, op if left.factor > 0 else MIRRORED[op], right / left.factor)

    def membership(self, left: ast.expr, right: ast.expr) -> Condition:
        """Read ``column in [..]`` or ``column in set``."""
        if not isinstance(left, ast.Name):
            raise self.error(left, "the left side of 'in' must be a column")
        column = self.column(left).column
        values: tuple[str | Fraction, ...]
        if isinstance(right, ast.Name):
            name = self.id(right)
            if name not in self.words.sets:
                raise self.error(right, f"unknown set '{name}'", did_you_mean(name, self.words.sets))
            values = tuple(
                value if isinstance(value, str) else Fraction(repr(value)) for value in self.words.sets[name]
            )
        elif isinstance(right, ast.List | ast.Tuple | ast.Set):
            read = [self.operand(element) for element in right.elts]
            values = tuple(value for value in read if not isinstance(value, _Scaled))
            if len(values) < len(read) or not values:
                raise self.error(
                    right, "a list holds at least one value, and only numbers or texts in quotes"
                )
        else:
            raise self.error(right, "'in' needs a list in square brackets or the name of a set")
        if self.words.columns[column] == "choice":
            texts = tuple(value for value in values if isinstance(value, str))
            if len(texts) < len(values):
                raise self.error(right, f"'{column}' is a choice; its values are texts in quotes")
            self.check_values(right, column, texts)
            return Member(column, tuple(sorted(set(texts))))
        numbers = [value for value in values if isinstance(value, Fraction)]
        if len(numbers) < len(values):
            raise self.error(right, f"'{column}' holds numbers; the list holds texts")
        return join("or", [Threshold(column, "==", number) for number in numbers])

    def check_values(self, node: ast.AST, column: str, values: tuple[str, ...]) -> None:
        known = self.words.choices.get(column)
        if known is None:
            return
        for value in values:
            if value not in known:
                match = nearest(value, known)
                hint = f"; did you mean '{match}'?" if match else f"; known: {', '.join(known)}"
                raise self.error(node, f"'{column}' has no value '{value}'", hint)
