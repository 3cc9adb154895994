"""Checks of what a knowledge base declares: names that nothing uses, names and values the task lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from toolkit.errors import did_you_mean, nearest
from toolkit.knowledge.checks.analysed import Analysed
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.wording import listed
from toolkit.knowledge.condition import Member, leaves
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.language import names_in
from toolkit.knowledge.schema import Schema

__all__ = ["against_task", "unused"]


def unused(base: Analysed) -> Iterator[RuleFinding]:
    """Yield columns, terms and sets that no rule and no hard fact uses."""
    knowledge = base.knowledge
    named: set[str] = set()
    waiting = [entry.when for entry in (*base.rules, *knowledge.never, *knowledge.always)]
    while waiting:
        new = names_in(waiting.pop()) - named
        named |= new
        waiting += [knowledge.terms[name] for name in new if name in knowledge.terms]
    used = {name for part in base.conditions for condition in part for name in columns_of(condition)}
    if knowledge.prior_probability is None:
        used.add(knowledge.prior)
    for part, what, names in (
        ("columns", "column", [name for name in knowledge.columns if name not in used]),
        ("terms", "term", [name for name in knowledge.terms if name not in named]),
        ("sets", "set", [name for name in knowledge.sets if name not in named]),
    ):
        if names:
            several = len(names) > 1
            yield RuleFinding(
                f"unused-{what}",
                "info",
                f"no rule uses the {what}{'s' if several else ''} {listed(names)}; leave "
                f"{'them' if several else 'it'} out, or write the rule that is missing",
                where=knowledge.where(part, names[0]),
            )


def against_task(base: Analysed, schema: Schema) -> Iterator[RuleFinding]:
    """Yield columns that the task does not have, or has as something else, and values it does not know."""
    knowledge = base.knowledge
    task = {column.name: column for column in schema.columns}
    for name, spec in knowledge.columns.items():
        column = task.get(name)
        where = knowledge.where("columns", name)
        if column is None:
            hint = did_you_mean(name, task)
            yield RuleFinding(
                "unknown-column", "error", f"the task has no column '{name}'{hint}", where=where
            )
        elif (column.kind == "category") != (spec.type == "choice"):
            kind = "a choice" if column.kind == "category" else "a number"
            sentence = f"'{name}' is {kind} in the task, but a {spec.type} here"
            yield RuleFinding("wrong-type", "error", sentence, where=where)
    yield from _unknown_choices(
        base, {name: one.levels for name, one in task.items() if one.kind == "category"}
    )


def _unknown_choices(base: Analysed, levels: Mapping[str, tuple[str, ...]]) -> Iterator[RuleFinding]:
    """Yield values, declared or compared with, that a choice does not have in the task."""
    knowledge = base.knowledge
    users: dict[tuple[str, str], list[str]] = {}
    places: dict[tuple[str, str], str | None] = {}
    for name, spec in knowledge.columns.items():
        declared = [*(spec.values or ()), *([spec.missing] if isinstance(spec.missing, str) else [])]
        for value in declared if spec.type == "choice" else ():
            users.setdefault((name, value), [])
            places.setdefault((name, value), knowledge.where("columns", name))
    entries = [
        *((rule.id, knowledge.rule_where(index, "when")) for index, rule in enumerate(base.rules)),
        *((fact.entry.id, knowledge.where(fact.kind, fact.index, "when")) for fact in base.facts),
    ]
    conditions = [condition for part in base.conditions for condition in part]
    for (user, place), condition in zip(entries, conditions, strict=True):
        for leaf in leaves(condition):
            if isinstance(leaf, Member):
                for value in leaf.levels:
                    users.setdefault((leaf.column, value), []).append(user)
                    places.setdefault((leaf.column, value), place)
    for (name, value), of in users.items():
        if name in levels and value not in levels[name]:
            match = nearest(value, levels[name])
            hint = f"; did you mean '{match}'?" if match else ""
            yield RuleFinding(
                "unknown-choice",
                "error",
                f"the task's column '{name}' has no value '{value}'{hint}",
                rules=tuple(dict.fromkeys(of)),
                where=places[name, value],
            )
