"""What must hold before a knowledge base means anything: names, prior, terms, and its own tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from toolkit.errors import KnowledgeError, did_you_mean, shorten
from toolkit.knowledge.condition import Condition, holds
from toolkit.knowledge.entries import Constraint
from toolkit.knowledge.language import ColumnType, Vocabulary, is_name, names_in, parse

if TYPE_CHECKING:
    from toolkit.knowledge.base import KnowledgeBase

__all__ = ["check_names", "check_prior", "run_tests", "vocabulary"]

_PERCENTAGE = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)\s*%", re.ASCII)

_SHOWN = 10
"""Names of a circle that a message lists."""


def check_names(knowledge: KnowledgeBase) -> None:
    """Check that every name can be written and means one thing, and that ids stand once.

    Raises
    ------
    KnowledgeError
    """
    taken: dict[str, str] = {}
    parts: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("columns", knowledge.columns),
        ("sets", knowledge.sets),
        ("terms", knowledge.terms),
    )
    for part, names in parts:
        for name in names:
            where = knowledge.where(part, name)
            if part == "columns" and (not name.strip() or "`" in name or not name.isprintable()):
                raise KnowledgeError(f"{name!r} cannot be the name of a column", where=where)
            if part != "columns" and not is_name(name):
                raise KnowledgeError(
                    f"'{name}' cannot be a name in conditions; use letters, digits and _", where=where
                )
            if name in taken:
                raise KnowledgeError(f"'{name}' is already the name of one of the {taken[name]}", where=where)
            taken[name] = part
    _check_ids(knowledge)


def _check_ids(knowledge: KnowledgeBase) -> None:
    words = (knowledge.outcome.positive, knowledge.outcome.negative)
    seen: set[str] = set()
    for index, rule in enumerate(knowledge.all_rules):
        if rule.id in seen:
            raise KnowledgeError(f"the id '{rule.id}' is used twice", where=knowledge.rule_where(index, "id"))
        seen.add(rule.id)
        if rule.then not in words:
            raise KnowledgeError(
                f"rule '{rule.id}' cannot say '{rule.then}'{did_you_mean(rule.then, words)}",
                where=knowledge.rule_where(index, "then"),
            )
    for part, facts in (("never", knowledge.never), ("always", knowledge.always)):
        for index, fact in enumerate(facts):
            if fact.id in seen:
                raise KnowledgeError(
                    f"the id '{fact.id}' is used twice", where=knowledge.where(part, index, "id")
                )
            seen.add(fact.id)


def check_prior(knowledge: KnowledgeBase) -> None:
    """Check that the prior is a percentage or a column of numbers.

    Raises
    ------
    KnowledgeError
    """
    where = knowledge.where("prior")
    if knowledge.prior.strip().endswith("%"):
        value = knowledge.prior_probability if _PERCENTAGE.fullmatch(knowledge.prior.strip()) else None
        if value is None or not 0 < value < 1:
            point = knowledge.prior.strip().replace(",", ".")
            hint = f"; write {point}" if "," in knowledge.prior and _PERCENTAGE.fullmatch(point) else ""
            raise KnowledgeError(
                f"a prior is a percentage between 0 % and 100 %, got '{shorten(knowledge.prior)}'{hint}",
                where=where,
            )
        return
    spec = knowledge.columns.get(knowledge.prior)
    if spec is None:
        raise KnowledgeError(
            f"the prior '{shorten(knowledge.prior)}' is neither a percentage such as 9.5 % nor a column"
            f"{did_you_mean(knowledge.prior, knowledge.columns)}",
            where=where,
        )
    if spec.type != "number":
        raise KnowledgeError(
            f"the prior '{knowledge.prior}' must be a number between 0 and 1, but is a {spec.type}",
            where=where,
        )
    for key, limit in (("min", spec.min), ("max", spec.max)):
        if limit is not None and not 0 <= limit <= 1:
            raise KnowledgeError(
                f"the prior '{knowledge.prior}' must be a number between 0 and 1, but its {key} is {limit:g}",
                where=knowledge.where("columns", knowledge.prior, key),
            )


def vocabulary(knowledge: KnowledgeBase) -> Vocabulary:
    """Read the terms, stratum by stratum: each after those that it uses.

    Raises
    ------
    KnowledgeError
        A term cannot be read, or terms refer to one another in a circle.
    """
    types: dict[str, ColumnType] = {name: spec.type for name, spec in knowledge.columns.items()}
    choices = {name: spec.values for name, spec in knowledge.columns.items() if spec.values is not None}
    uses = {name: sorted(names_in(text) & knowledge.terms.keys()) for name, text in knowledge.terms.items()}
    try:
        order = list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        inside = set(error.args[1])
        circle = [name for name in knowledge.terms if name in inside]
        raise KnowledgeError(
            f"terms that refer to one another in a circle: {', '.join(circle[:_SHOWN])}"
            f"{', …' if len(circle) > _SHOWN else ''}",
            where=knowledge.where("terms", circle[0]),
        ) from None
    read: dict[str, Condition] = {}
    words = Vocabulary(types, choices, knowledge.sets, read)
    for name in order:
        read[name] = parse(knowledge.terms[name], words, where=knowledge.inside("terms", name))
    return words


def run_tests(knowledge: KnowledgeBase) -> int:
    """Run every rule's and constraint's own tests and return their number.

    Raises
    ------
    KnowledgeError
        A test fails, or names an unknown column or value.
    """
    conditions = knowledge.conditions()
    parts: tuple[tuple[str, tuple[Constraint, ...], tuple[Condition, ...]], ...] = (
        ("rules", knowledge.rules, conditions.rules[: len(knowledge.rules)]),
        ("never", knowledge.never, conditions.never),
        ("always", knowledge.always, conditions.always),
    )
    count = 0
    for part, entries, read in parts:
        for index, (entry, condition) in enumerate(zip(entries, read, strict=True)):
            for number, example in enumerate(entry.tests):
                place = (part, index, "tests", number)
                if holds(condition, _row(knowledge, example.given, place)) != example.fires:
                    expected, got = ("fire", "does not") if example.fires else ("stay silent", "fires")
                    raise KnowledgeError(
                        f"rule '{entry.id}' should {expected} on its own test, but it {got}",
                        where=knowledge.where(*place),
                    )
                count += 1
    return count


def _row(
    knowledge: KnowledgeBase, given: Mapping[str, object], place: tuple[str | int, ...]
) -> dict[str, Fraction | str | None]:
    row = {name: spec.read(spec.missing) for name, spec in knowledge.columns.items()}
    for name, value in given.items():
        where = knowledge.where(*place, "given", name)
        if name not in knowledge.columns:
            raise KnowledgeError(
                f"unknown column '{name}'{did_you_mean(name, knowledge.columns)}", where=where
            )
        try:
            read = knowledge.columns[name].read(value)
        except ValueError as error:
            raise KnowledgeError(f"'{name}': {error}", where=where) from error
        if read is not None:
            row[name] = read
    return row
