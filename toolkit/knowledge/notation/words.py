"""Rules in plain words, for those who know the business and not the notation.

A column is called by its unit where that says what it is ("purchase days in 28 days"), by its name
otherwise; terms and sets are called by their names wherever a rule does so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

from toolkit.knowledge import validation
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import (
    MIRRORED,
    Condition,
    Junction,
    Member,
    Op,
    Pair,
    Threshold,
    holds,
    negate,
)
from toolkit.knowledge.entries import Constraint, Rule
from toolkit.knowledge.language import names_in, parse

__all__ = ["Wording", "in_words", "number_text"]

_WORDS: dict[Op, str] = {
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
    "==": "exactly",
    "!=": "not",
}


def number_text(value: Fraction) -> str:
    """Return a number in decimal digits where they are exact, else as a fraction."""
    with localcontext() as context:
        context.prec = 20
        context.traps[Inexact] = True
        try:
            return format(Decimal(value.numerator) / Decimal(value.denominator), "f")
        except Inexact:
            return f"{value.numerator}/{value.denominator}"


class Wording:
    """How a knowledge base speaks.

    Parameters
    ----------
    knowledge : KnowledgeBase
    """

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self.knowledge = knowledge
        self.vocabulary = validation.vocabulary(knowledge)
        self._meanings = {name: spec.unit.split(";")[0].strip() for name, spec in knowledge.columns.items()}
        self._uses = Counter(self._meanings.values())

    def rule(self, rule: Constraint) -> str:
        """Return a rule, or a hard fact of the knowledge base, as a sentence."""
        condition = parse(rule.when, self.vocabulary)
        always = isinstance(condition, Junction) and not condition.parts
        start = "In every case" if always else f"If {self.condition(condition, names_in(rule.when))}"
        positive = self.knowledge.outcome.positive
        if isinstance(rule, Rule):
            word = rule.certainty if isinstance(rule.certainty, str) else f"certainty {rule.certainty:g}"
            return f"{start}: {rule.then} ({word})."
        return f"{start}: {'never' if rule in self.knowledge.never else 'always'} {positive}."

    def term(self, name: str) -> str:
        """Return what a term means."""
        text = self.knowledge.terms[name]
        return self.condition(self.vocabulary.terms[name], names_in(text) - {name})

    def condition(self, condition: Condition, names: Iterable[str] = ()) -> str:
        """Return a condition in words.

        Parameters
        ----------
        condition : Condition
        names : iterable of str
            Terms and sets to call by their names.
        """
        return self._words(
            condition, [name for name in self.vocabulary.terms if name in set(names)], set(names)
        )

    def _words(self, condition: Condition, terms: Sequence[str], sets: set[str]) -> str:
        for name in terms:
            for found, words in self._called(name):
                if condition == found:
                    return words
        if not isinstance(condition, Junction):
            return self._comparison(condition, sets)
        if not condition.parts:
            return "always" if condition.kind == "and" else "never"
        said = self._terms_said(condition, terms)
        rest = [index for index in range(len(condition.parts)) if index not in said]
        said |= self._together(condition, rest, sets)
        for index in rest:
            if index not in said:
                part = condition.parts[index]
                words = self._words(part, terms, sets)
                called = any(words == name for term in terms for _, name in self._called(term))
                said[index] = f"({words})" if isinstance(part, Junction) and not called else words
        return f" {condition.kind} ".join(said[index] for index in sorted(said) if said[index])

    def _terms_said(self, junction: Junction, terms: Sequence[str]) -> dict[int, str]:
        """Return the parts that a term stands for: its name at the first, nothing at the others."""
        said: dict[int, str] = {}
        parts = list(junction.parts)
        for name in terms:
            for found, words in self._called(name):
                inner = (
                    found.parts if isinstance(found, Junction) and found.kind == junction.kind else (found,)
                )
                places = [parts.index(part) for part in inner if part in parts]
                if inner and len(places) == len(inner) and not said.keys() & set(places):
                    said |= dict.fromkeys(places, "")
                    said[min(places)] = words
        return said

    def _called(self, term: str) -> tuple[tuple[Condition, str], tuple[Condition, str]]:
        condition, words = self.vocabulary.terms[term], term.replace("_", " ")
        return (condition, words), (negate(condition), f"not {words}")

    def _together(self, junction: Junction, indices: list[int], sets: set[str]) -> dict[int, str]:
        """Return what several comparisons of one column say as one: a range, or one of some numbers."""
        said: dict[int, str] = {}
        columns: dict[str, list[int]] = {}
        for index in indices:
            part = junction.parts[index]
            if isinstance(part, Threshold) and self.knowledge.columns[part.column].type != "yes/no":
                columns.setdefault(part.column, []).append(index)
        for column, places in columns.items():
            parts = [part for index in places if isinstance(part := junction.parts[index], Threshold)]
            words = None
            if junction.kind == "or":
                equal = [index for index, part in zip(places, parts, strict=True) if part.op == "=="]
                values = [part.value for part in parts if part.op == "=="]
                places = equal
                words = self._one_of(column, values, sets) if len(values) > 1 else None
            elif len(parts) == 2:
                words = self._range(column, parts[0], parts[1])
            if words is not None:
                said |= dict.fromkeys(places, "")
                said[places[0]] = words
        return said

    def _range(self, column: str, first: Threshold, second: Threshold) -> str | None:
        low, high = (first, second) if first.op in (">", ">=") else (second, first)
        if low.op not in (">", ">=") or high.op not in ("<", "<=") or low.value > high.value:
            return None
        if low.op == ">=" and high.op == "<=":
            limits = f"between {number_text(low.value)} and {number_text(high.value)}"
            return f"{self._subject(column)} {limits}{self._unit(column)}"
        words = [f"{_WORDS[part.op]} {number_text(part.value)}" for part in (low, high)]
        return f"{self._subject(column)} {' and '.join(words)}{self._unit(column)}"

    def _one_of(self, column: str, values: list[Fraction], sets: set[str]) -> str:
        known = {
            name: {Fraction(repr(value)) for value in members if isinstance(value, float)}
            for name, members in self.vocabulary.sets.items()
            if name in sets
        }
        called = next((name for name, members in known.items() if members == set(values)), None)
        shown = called.replace("_", " ") if called else _listed([number_text(value) for value in values])
        return f"{self._subject(column)} one of {shown}{self._unit(column)}"

    def _comparison(self, leaf: Threshold | Pair | Member, sets: set[str]) -> str:
        if isinstance(leaf, Member):
            return self._member(leaf, sets)
        if isinstance(leaf, Pair):
            # The larger factor's side first reads more naturally with both factors positive.
            left, right, op = (leaf.left_factor, leaf.left), (leaf.right_factor, leaf.right), leaf.op
            if left[0] < 0 < right[0]:
                left, right, op = right, left, MIRRORED[op]
            words = "equal to" if op == "==" else "other than" if op == "!=" else _WORDS[op]
            return f"{self._times(*left)} {words} {self._times(*right)}"
        spec = self.knowledge.columns[leaf.column]
        if spec.type == "yes/no":
            answers = [value for value in (0, 1) if holds(leaf, {leaf.column: Fraction(value)})]
            if len(answers) == 1:
                meaning = self._meanings[leaf.column]
                if " " in meaning:
                    return meaning if answers == [1] else f"not ({meaning})"
                return f"{self._readable(leaf.column)} is {'yes' if answers == [1] else 'no'}"
        limit = number_text(leaf.value)
        return f"{self._subject(leaf.column)} {_WORDS[leaf.op]} {limit}{self._unit(leaf.column)}"

    def _member(self, leaf: Member, sets: set[str]) -> str:
        members = {
            name: tuple(sorted({value for value in self.vocabulary.sets[name] if isinstance(value, str)}))
            for name in self.vocabulary.sets
            if name in sets
        }
        called = next((name for name, levels in members.items() if levels == leaf.levels), None)
        subject = self._readable(leaf.column)
        if called is None and len(leaf.levels) == 1:
            return f"{subject} is {'not ' if leaf.negated else ''}{leaf.levels[0]}"
        shown = called.replace("_", " ") if called else _listed(leaf.levels)
        return f"{subject} is {'none' if leaf.negated else 'one'} of {shown}"

    def _times(self, factor: int, column: str) -> str:
        return self._subject(column) if factor == 1 else f"{factor} times {self._subject(column)}"

    def _says_it(self, column: str) -> bool:
        meaning = self._meanings[column]
        return " " in meaning and self._uses[meaning] == 1

    def _subject(self, column: str) -> str:
        return self._meanings[column] if self._says_it(column) else self._readable(column)

    def _unit(self, column: str) -> str:
        meaning = self._meanings[column]
        return f" {meaning}" if meaning and not self._says_it(column) else ""

    def _readable(self, column: str) -> str:
        return column.replace("_", " ")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else words[0]


def in_words(knowledge: KnowledgeBase, rule: Constraint) -> str:
    """Return a rule as a sentence that a manager reads; for many rules, keep a `Wording`."""
    return Wording(knowledge).rule(rule)
