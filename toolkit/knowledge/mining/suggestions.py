"""Mined rules as a knowledge base of their own: to be read, mended or deleted by a person."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from fractions import Fraction

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import MIRRORED, Condition, Threshold, columns, leaves, to_text
from toolkit.knowledge.entries import ColumnSpec, Rule
from toolkit.knowledge.mining.mine import Mined
from toolkit.knowledge.mining.relations import Relation
from toolkit.knowledge.mining.weighing import Suggestion

__all__ = ["header", "rule_text", "suggested_base"]

HALF = Fraction(1, 2)


def rule_text(condition: Condition, specs: Mapping[str, ColumnSpec]) -> str:
    """Write a mined condition as a person would: ``14 < recency <= 45``, ``not holiday_week``."""
    by_column: dict[str, list[Condition]] = {}
    for leaf in leaves(condition):
        by_column.setdefault(columns(leaf)[0], []).append(leaf)
    return " and ".join(_column_text(parts, specs[name]) for name, parts in by_column.items())


def _column_text(parts: Sequence[Condition], spec: ColumnSpec) -> str:
    texts = [to_text(part) for part in parts]
    first = parts[0]
    if isinstance(first, Threshold) and spec.type == "yes/no" and first.value == HALF:
        name = texts[0].rsplit(" ", 2)[0]
        return name if first.op == ">" else f"not {name}"
    if len(parts) == 2 and isinstance(first, Threshold):
        name, _, low = texts[0].rsplit(" ", 2)
        upper = texts[1].removeprefix(name)
        return f"{low} {MIRRORED[first.op]} {name}{upper}"
    return " and ".join(texts)


def suggested_base(
    suggestions: Sequence[Suggestion],
    related: Sequence[Relation],
    knowledge: KnowledgeBase,
    specs: Mapping[str, ColumnSpec],
    *,
    cluster: str,
) -> KnowledgeBase:
    """Return a knowledge base of the suggestions alone, with the prior of what they were mined against.

    Parameters
    ----------
    suggestions : sequence of Suggestion
    related : sequence of Relation
        One a suggestion.
    knowledge : KnowledgeBase
        What they were mined against.
    specs : mapping of str to ColumnSpec
        Columns to declare: those that suggestions use, or all of them when nobody has yet.
    cluster : str
        What a cluster is, in one word.
    """
    ids = _ids(suggestions, {rule.id for rule in knowledge.all_rules})
    led = {each.leader for place, each in enumerate(suggestions) if each.leader != place}
    rules = []
    for suggestion, relation, name in zip(suggestions, related, ids, strict=True):
        outcome = knowledge.outcome.positive if suggestion.positive else knowledge.outcome.negative
        rules.append(
            Rule(
                id=name,
                when=rule_text(suggestion.condition, specs),
                then=outcome,
                certainty=suggestion.certainty,
                because=_because(suggestion, relation, knowledge.outcome.positive, cluster),
                group=f"like {ids[suggestion.leader]}" if suggestion.leader in led else None,
                owner="mined",
            )
        )
    used = {name for each in suggestions for name in columns(each.condition)} | {knowledge.prior}
    declared = {name: spec for name, spec in specs.items() if name in used or not knowledge.path}
    return KnowledgeBase(
        knowledge_base=knowledge.knowledge_base + ("-suggestions" if knowledge.path else ""),
        description="Mined from training rows, not judged by a person yet.",
        predicts=knowledge.predicts,
        outcome=knowledge.outcome,
        prior=knowledge.prior,
        columns=declared,
        rules=tuple(rules),
    )


def header(mined: Mined, knowledge: KnowledgeBase, *, experiment: str, cluster: str, dates: str = "") -> str:
    """Return the comment that stands above the suggestions: what they are, and from which rows.

    Parameters
    ----------
    mined : Mined
    knowledge : KnowledgeBase
        What they were mined against.
    experiment : str
        The experiment's file.
    cluster : str
        What a cluster is, in one word.
    dates : str
        The dates of the rows, in words; empty where the task has no time.
    """
    if knowledge.path is None:
        beyond = "the prior says"
        what = (
            "The start of a knowledge base: name the outcome, delete the rules that make no sense, write "
            "what you know, and give this file to the tracks rules and hybrid (knowledge: ...)."
        )
    else:
        name, n_rules = knowledge.path.name, len(knowledge.all_rules)
        beyond = f"the prior and the {n_rules} rules of {name} say"
        what = f"Suggestions for {name}: move what makes sense there, and delete this file."
    text = (
        f"{what} Not knowledge yet: a person must read every rule, and replace its 'because' with a reason. "
        f"Made by 'toolkit suggest {experiment}' from {mined.n_rows:,} training rows of "
        f"{mined.n_clusters:,} {cluster}s{dates}; no validation or test row was looked at. Trees proposed "
        f"{mined.n_candidates} rules on some {cluster}s. Counts, shares and certainties come from the "
        f"{mined.n_held_out:,} rows of the others, beside what {beyond} already. Together the "
        f"suggestions lower their log loss from {mined.loss_before:.5f} to {mined.loss_after:.5f}."
    )
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, 98))


def _because(suggestion: Suggestion, relation: Relation, outcome: str, cluster: str) -> str:
    share = f"{_percent(suggestion.observed)} {outcome}, {_percent(suggestion.expected)} expected"
    low, high = (f"{end:.2f}" for end in (suggestion.certainty_low, suggestion.certainty_high))
    return (
        f"Mined, not judged: {suggestion.n_rows:,} held-out training rows of {suggestion.n_clusters:,} "
        f"{cluster}s; {share}; certainty {low} to {high}. "
        + ("" if relation.kind == "new" else f"{relation.sentence[0].upper()}{relation.sentence[1:]}. ")
        + "Replace this with your reason or delete the rule."
    )


def _ids(suggestions: Sequence[Suggestion], taken: set[str]) -> list[str]:
    """Return an id for each suggestion that tells its columns."""
    found: list[str] = []
    for suggestion in suggestions:
        stem = "-".join(["mined", *columns(suggestion.condition)])
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken = taken | {name}
        found.append(name)
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
