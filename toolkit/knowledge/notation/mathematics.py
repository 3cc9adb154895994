"""Rules as mathematics: a line of unicode for the terminal, LaTeX for papers.

sympy prints formulas over its own symbols; the names that people wrote are put in by the printers,
each escaped for where it goes. Parts stand in the order in which they were written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from toolkit.knowledge import validation
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import Condition, quote
from toolkit.knowledge.entries import Constraint, Rule
from toolkit.knowledge.language import Vocabulary, is_name, names_in, parse
from toolkit.knowledge.notation.formulas import Skeleton, skeleton
from toolkit.knowledge.notation.words import number_text

__all__ = ["in_latex", "in_math", "latex_text", "to_latex", "to_math"]

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def latex_text(text: str) -> str:
    """Return any text as LaTeX that shows it and does nothing else."""
    shown = (each if each.isprintable() else f"U+{ord(each):04X}" for each in text)
    return "".join(_LATEX.get(each, each) for each in shown)


class _InOrder(ABC):
    """What both printers share: real names, exact decimals, and the order of writing."""

    conjunction = ""
    disjunction = ""
    negation = ""
    inside = ""
    outside = ""
    equal = " = "
    unequal = ""

    def __init__(self, formula: Skeleton, sets: Mapping[tuple[str, ...], str]) -> None:
        super().__init__()
        self.formula = formula
        self.sets = sets

    def show(self) -> str:
        """Return the whole formula."""
        return str(self._print(self.formula.formula))  # type: ignore[attr-defined]

    @abstractmethod
    def named(self, name: str) -> str:
        """Return a column or set."""

    @abstractmethod
    def level(self, text: str) -> str:
        """Return a value of a choice."""

    @abstractmethod
    def braces(self, items: Sequence[str]) -> str:
        """Return a finite set."""

    def _join(self, formula: Boolean, sign: str) -> str:
        parts = sorted(formula.args, key=lambda part: min(symbol.name for symbol in part.free_symbols))
        shown = [self._print(part) for part in parts]  # type: ignore[attr-defined]
        return sign.join(f"({each})" if part.args else each for part, each in zip(parts, shown, strict=True))

    def _print_And(self, formula: Boolean) -> str:  # noqa: N802 (sympy calls it)
        return self._join(formula, self.conjunction)

    def _print_Or(self, formula: Boolean) -> str:  # noqa: N802
        return self._join(formula, self.disjunction)

    def _print_Symbol(self, symbol: sympy.Symbol, *_: Any, **__: Any) -> str:  # noqa: N802
        if symbol in self.formula.atoms:
            return str(self._print(self.formula.atoms[symbol]))  # type: ignore[attr-defined]
        return self.named(self.formula.columns[symbol])

    def _print_Rational(self, number: sympy.Rational) -> str:  # noqa: N802
        return number_text(Fraction(int(number.p), int(number.q)))

    _print_Integer = _print_Rational  # noqa: N815

    def _print_Contains(self, relation: Boolean) -> str:  # noqa: N802
        return self._membership(relation, self.inside)

    def _print_Not(self, formula: Boolean) -> str:  # noqa: N802
        inner = formula.args[0]
        if isinstance(inner, sympy.Symbol):
            return f"{self.negation}{self._print_Symbol(inner)}"
        return self._membership(inner, self.outside)

    def _membership(self, relation: Boolean, sign: str) -> str:
        column, members = relation.args
        levels = tuple(sorted(self.formula.levels[symbol] for symbol in members.args))
        called = self.sets.get(levels)
        if len(levels) == 1 and not called:
            equal = self.equal if sign == self.inside else self.unequal
            return f"{self._print_Symbol(column)}{equal}{self.level(levels[0])}"
        shown = self.named(called) if called else self.braces([self.level(level) for level in levels])
        return f"{self._print_Symbol(column)}{sign}{shown}"


class _Unicode(_InOrder, StrPrinter):  # type: ignore[misc]
    conjunction, disjunction, negation = " ∧ ", " ∨ ", "¬"
    inside, outside, unequal = " ∈ ", " ∉ ", " ≠ "
    signs: Mapping[str, str] = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}

    def named(self, name: str) -> str:
        return name if is_name(name) else f"`{name}`"

    def level(self, text: str) -> str:
        return quote(text)

    def braces(self, items: Sequence[str]) -> str:
        return f"{{{', '.join(items)}}}"

    def _print_Relational(self, relation: Boolean) -> str:  # noqa: N802
        sign = self.signs.get(relation.rel_op, relation.rel_op)
        return f"{self._print(relation.lhs)} {sign} {self._print(relation.rhs)}"

    def _print_Mul(self, product: sympy.Mul) -> str:  # noqa: N802
        factor, column = product.as_coeff_Mul()
        return f"{'-' if factor == -1 else f'{factor}·'}{self._print(column)}"

    def _print_BooleanTrue(self, _: Boolean) -> str:  # noqa: N802
        return "true"

    def _print_BooleanFalse(self, _: Boolean) -> str:  # noqa: N802
        return "false"


class _Latex(_InOrder, LatexPrinter):  # type: ignore[misc]
    conjunction, disjunction, negation = r" \land ", r" \lor ", r"\lnot "
    inside, outside, unequal = r" \in ", r" \notin ", r" \neq "

    def named(self, name: str) -> str:
        return rf"\text{{{latex_text(name)}}}"

    def level(self, text: str) -> str:
        return rf"\text{{{latex_text(text)}}}"

    def braces(self, items: Sequence[str]) -> str:
        return rf"\left\{{{', '.join(items)}\right\}}"

    def _print_Mul(self, product: sympy.Mul) -> str:  # noqa: N802
        factor, column = product.as_coeff_Mul()
        return f"{'-' if factor == -1 else rf'{factor} ' + chr(92) + 'cdot '}{self._print(column)}"

    def _print_BooleanTrue(self, _: Boolean) -> str:  # noqa: N802
        return r"\top"

    def _print_BooleanFalse(self, _: Boolean) -> str:  # noqa: N802
        return r"\bot"


def to_math(
    condition: Condition, sets: Mapping[tuple[str, ...], str] | None = None, flags: Collection[str] = ()
) -> str:
    """Return a condition as a line of unicode mathematics.

    Parameters
    ----------
    condition : Condition
    sets : mapping of tuple of str to str, optional
        Sorted levels -> the name to put in their place.
    flags : collection of str
        Columns of yes and no.
    """
    return _Unicode(skeleton(condition, flags), sets or {}).show()


def to_latex(
    condition: Condition, sets: Mapping[tuple[str, ...], str] | None = None, flags: Collection[str] = ()
) -> str:
    r"""Return a condition as LaTeX for math mode; it needs ``\text`` of amsmath.

    Parameters
    ----------
    condition : Condition
    sets : mapping of tuple of str to str, optional
        Sorted levels -> the name to put in their place.
    flags : collection of str
        Columns of yes and no.
    """
    return _Latex(skeleton(condition, flags), sets or {}).show()


def in_math(knowledge: KnowledgeBase, rule: Constraint, words: Vocabulary | None = None) -> str:
    """Return a rule or hard fact as a line of unicode mathematics, with its signed certainty factor.

    Parameters
    ----------
    knowledge : KnowledgeBase
    rule : Constraint
    words : Vocabulary, optional
        Of the knowledge base, to read it once for many rules.
    """
    shown = to_math(*_read(knowledge, rule, words))
    if isinstance(rule, Rule):
        return f"{shown} ⇒ {knowledge.outcome.positive} ({knowledge.certainty(rule):+g})"
    return f"{shown} ⇒ {'¬' if rule in knowledge.never else ''}{knowledge.outcome.positive}"


def in_latex(knowledge: KnowledgeBase, rule: Constraint, words: Vocabulary | None = None) -> str:
    """Return a rule or hard fact as LaTeX for math mode, with its signed certainty factor.

    Parameters
    ----------
    knowledge : KnowledgeBase
    rule : Constraint
    words : Vocabulary, optional
        Of the knowledge base, to read it once for many rules.
    """
    outcome = rf"\text{{{latex_text(knowledge.outcome.positive)}}}"
    shown = to_latex(*_read(knowledge, rule, words))
    if isinstance(rule, Rule):
        return rf"{shown} \Rightarrow {outcome}\ ({knowledge.certainty(rule):+g})"
    negation = r"\lnot " if rule in knowledge.never else ""
    return rf"{shown} \Rightarrow {negation}{outcome}"


def _read(
    knowledge: KnowledgeBase, rule: Constraint, words: Vocabulary | None
) -> tuple[Condition, dict[tuple[str, ...], str], set[str]]:
    """Return the condition, the sets it calls by name, and the columns of yes and no; no term is left."""
    vocabulary = words or validation.vocabulary(knowledge)
    names = set(names_in(rule.when))
    for _ in knowledge.terms:
        more = {name for term in names & knowledge.terms.keys() for name in names_in(knowledge.terms[term])}
        if more <= names:
            break
        names |= more
    sets = {
        tuple(sorted({value for value in values if isinstance(value, str)})): name
        for name, values in knowledge.sets.items()
        if name in names
    }
    flags = {name for name, spec in knowledge.columns.items() if spec.type == "yes/no"}
    return parse(rule.when, vocabulary), sets, flags
