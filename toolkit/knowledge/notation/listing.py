"""All rules of a knowledge base, one by one, in words or as mathematics."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import to_text
from toolkit.knowledge.notation.words import Wording

__all__ = ["Shown", "Style", "listing"]


class Style(StrEnum):
    """How a rule is shown."""

    words = "words"
    math = "math"
    latex = "latex"


class Shown(NamedTuple):
    """A term, rule or hard fact.

    Parameters
    ----------
    name : str
    text : str
    shorter : str or None
        A condition that means the same with fewer comparisons.
    """

    name: str
    text: str
    shorter: str | None = None


def listing(knowledge: KnowledgeBase, style: Style) -> list[Shown]:
    """Return terms, rules and hard facts in the order written; terms stand alone only in words.

    Raises
    ------
    KnowledgeError
        A condition cannot be read.
    """
    # sympy takes half a second to load, which other verbs need not wait for.
    from toolkit.knowledge.notation.mathematics import in_latex, in_math
    from toolkit.knowledge.notation.simplification import simplify

    wording = Wording(knowledge)
    shown = [Shown(name, f"means {wording.term(name)}.") for name in knowledge.terms if style is Style.words]
    types = {name: spec.type for name, spec in knowledge.columns.items()}
    flags = {name for name, kind in types.items() if kind == "yes/no"}
    conditions = knowledge.conditions()
    parts = (
        (knowledge.all_rules, conditions.rules),
        (knowledge.never, conditions.never),
        (knowledge.always, conditions.always),
    )
    for entries, read in parts:
        for entry, condition in zip(entries, read, strict=True):
            if style is Style.words:
                text = wording.rule(entry)
            else:
                text = (in_math if style is Style.math else in_latex)(knowledge, entry, wording.vocabulary)
            simpler = simplify(condition, types)
            shown.append(Shown(entry.id, text, None if simpler is condition else to_text(simpler, flags)))
    return shown
