"""Conditions and names in sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.parts import Budget
from toolkit.knowledge.boxes.regions import Space
from toolkit.knowledge.condition import Condition, Junction, Member, Threshold, join, to_text
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.entries import ColumnSpec

__all__ = ["contradiction", "enumerated", "listed", "ranges", "told"]

_MAX_STEPS = 5_000
"""Steps for the comparisons of two columns in one sentence."""


def told(condition: Condition, columns: Mapping[str, ColumnSpec]) -> str:
    """Return a condition as an expert would write it: yes/no columns by their name alone."""
    if isinstance(condition, Junction) and condition.parts:
        parts = [
            f"({told(part, columns)})" if isinstance(part, Junction) else told(part, columns)
            for part in condition.parts
        ]
        return f" {condition.kind} ".join(parts)
    if isinstance(condition, Threshold) and columns[condition.column].type == "yes/no":
        usual = {(">", Fraction(1, 2)): "", ("<=", Fraction(1, 2)): "not "}
        word = usual.get((condition.op, condition.value))
        return to_text(condition) if word is None else word + condition.column
    if isinstance(condition, Member):
        levels = [json.dumps(level, ensure_ascii=False) for level in condition.levels]
        if len(levels) == 1:
            return f"{condition.column} {'!=' if condition.negated else '=='} {levels[0]}"
        shown = ", ".join(levels[:3]) + (", …" if len(levels) > 3 else "")
        return f"{condition.column} {'not in' if condition.negated else 'in'} [{shown}]"
    return to_text(condition)


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names in quotes: ``'a', 'b' and 'c'``, no more than a few of them."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) > most:
        quoted = [*quoted[: most - 1], f"{len(quoted) - most + 1} more"]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def enumerated(words: Sequence[str], last: str = "and") -> str:
    """Return words as a list in a sentence: ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def contradiction(
    condition: Condition, columns: Mapping[str, ColumnSpec], can_be_met: Callable[[Condition], bool]
) -> str:
    """Return why no row meets a condition: the fewest of its parts that exclude one another.

    Parameters
    ----------
    condition : Condition
    columns : mapping of str to ColumnSpec
    can_be_met : callable
        Whether some row may meet some of the parts together.
    """
    if not isinstance(condition, Junction):
        return f"no row meets {told(condition, columns)}{ranges(condition, columns)}"
    if condition.kind == "or":
        return "no row meets any part of it" if condition.parts else "it is 'not true'"
    needed = list(condition.parts)
    for part in condition.parts:
        rest = [other for other in needed if other is not part]
        if rest and not can_be_met(join("and", rest)):
            needed = rest
    if len(needed) == 1:
        return contradiction(needed[0], columns, can_be_met)
    sentence = f"{enumerated([told(part, columns) for part in needed])} exclude one another"
    whole = join("and", needed)
    return sentence + (ranges(whole, columns) if _needs_ranges(whole, columns) else "")


def _needs_ranges(condition: Condition, columns: Mapping[str, ColumnSpec]) -> bool:
    """Tell whether a condition that no row meets could be met if its columns had no range."""
    boundless = {name: spec.model_copy(update={"min": None, "max": None}) for name, spec in columns.items()}
    try:
        return bool(Space.of([condition], boundless, budget=Budget(_MAX_STEPS)).region(condition))
    except TooComplexError:
        return True


def ranges(condition: Condition, columns: Mapping[str, ColumnSpec]) -> str:
    """Return the declared ranges of a condition's columns, in brackets."""
    found = []
    for name in columns_of(condition):
        spec = columns[name]
        whole = "a whole number" if spec.type == "whole number" else ""
        ends = [
            f"at {word} {end:g}" for word, end in (("least", spec.min), ("most", spec.max)) if end is not None
        ]
        if spec.type == "yes/no":
            found.append(f"{name} is yes or no")
        elif whole or ends:
            found.append(f"{name} is {', '.join(filter(None, (whole, ' and '.join(ends))))}")
    return f" ({'; '.join(found)})" if found else ""
