"""How mined rules stand to those that experts have written: new, sharper, or against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolkit.errors import TooComplexError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.boxes.regions import Region, Space
from toolkit.knowledge.condition import Condition, columns
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.mining.declare import Schema
from toolkit.knowledge.mining.weighing import Suggestion
from toolkit.knowledge.symbolic import log_odds

__all__ = ["Relation", "relations"]


@dataclass(frozen=True)
class Relation:
    """How a suggestion stands to the experts' rules.

    Parameters
    ----------
    kind : str
        ``new``, ``strengthens``, ``weakens``, ``contradicts``, ``sharpens``, ``widens``, ``exception``,
        ``overlaps`` or ``undecided``.
    rules : tuple of str
        Ids of the experts' rules it is about.
    sentence : str
        For the terminal and for the file.
    """

    kind: str
    rules: tuple[str, ...]
    sentence: str


def relations(
    suggestions: Sequence[Suggestion],
    knowledge: KnowledgeBase,
    specs: Mapping[str, ColumnSpec],
    schema: Schema,
) -> tuple[Relation, ...]:
    """Tell how each suggestion stands to the rules of a knowledge base, by exact containment.

    Parameters
    ----------
    suggestions : sequence of Suggestion
    knowledge : KnowledgeBase
    specs : mapping of str to ColumnSpec
        All columns that the suggestions or the rules use.
    schema : Schema

    Returns
    -------
    tuple of Relation
        One a suggestion, the closest kind that any rule gives.
    """
    rules = knowledge.all_rules
    conditions = knowledge.conditions().rules
    levels = {column.name: column.levels for column in schema.columns if column.kind == "category"}
    space = Space.of([*conditions, *(each.condition for each in suggestions)], specs, levels)
    regions = [_region(space, condition) for condition in conditions]
    found = []
    for suggestion in suggestions:
        near: dict[str, list[str]] = {}
        own = _region(space, suggestion.condition)
        evidence = log_odds(suggestion.certainty if suggestion.positive else -suggestion.certainty)
        for rule, condition, region in zip(rules, conditions, regions, strict=True):
            if set(columns(condition)) & set(columns(suggestion.condition)):
                kind = _kind(own, region, evidence, log_odds(knowledge.certainty(rule)))
                near.setdefault(kind, []).append(rule.id)
        kind = next((kind for kind in _SENTENCES if kind in near), "new")
        ids = () if kind == "new" else tuple(near[kind])
        found.append(Relation(kind, ids, _SENTENCES[kind].format(_listed(ids))))
    return tuple(found)


_SENTENCES = {
    "contradicts": "contradicts {}: together they say the opposite of it",
    "weakens": "within the rows of {}: there it says too much",
    "strengthens": "same rows as {}: the data say more than it does",
    "sharpens": "sharpens {}: part of its rows, where more is to be said",
    "widens": "widens {}: all of its rows and more",
    "exception": "{} is an exception to it, within its rows",
    "overlaps": "overlaps {}, with the opposite direction",
    "undecided": "not compared with {}: too many cases",
    "new": "new",
}
"""Kinds, the closest first, and what they say."""


def _kind(own: Region | None, other: Region | None, evidence: float, known: float) -> str:
    """Return how rows that data move by `evidence` lie to those that an expert moves by `known`."""
    if own is None or other is None:
        return "undecided"
    try:
        inside, around = not own.outside([other]), not other.outside([own])
        apart = not own & other
    except TooComplexError:
        return "undecided"
    if apart:
        return "new"
    same = (evidence > 0) == (known > 0)
    if inside and not same:
        return "contradicts" if abs(evidence) > abs(known) else "weakens"
    if inside:
        return "strengthens" if around else "sharpens"
    if around:
        return "widens" if same else "exception"
    return "new" if same else "overlaps"


def _region(space: Space, condition: Condition) -> Region | None:
    try:
        return space.region(condition)
    except TooComplexError:
        return None


def _listed(names: Sequence[str], most: int = 2) -> str:
    shown = [f"'{name}'" for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else "".join(shown)
