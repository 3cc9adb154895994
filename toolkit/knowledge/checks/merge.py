"""What was found of a knowledge base by itself and against rows, as one list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from toolkit.knowledge.checks.data_columns import n_rows, share
from toolkit.knowledge.checks.findings import RuleFinding, gravest_first
from toolkit.knowledge.observed import Observed, n_set

__all__ = ["merged"]

_SAME_AS = {
    "fires-on-no-row": "never-fires",
    "fires-nearly-always": "always-fires",
    "never-counts": "never-counts",
    "fires-alike": "duplicate",
}
"""What rows show of a rule -> what says the same of all rows there can be."""


def merged(
    logical: Iterable[RuleFinding], of_data: Iterable[RuleFinding], observed: Observed | None = None
) -> tuple[RuleFinding, ...]:
    """Join what was found without and with rows, the gravest first; what is said twice is said once.

    Parameters
    ----------
    logical : iterable of RuleFinding
        From `toolkit.knowledge.checks.logical.check_knowledge`.
    of_data : iterable of RuleFinding
        From `check_data`.
    observed : Observed, optional
        Tells how often rules that can contradict one another do.
    """
    first, second = list(logical), list(of_data)
    # The rule that a finding is about comes first; the others are its reason, in any order.
    known = {(one.code, frozenset(rules)) for one in first for rules in (one.rules, one.rules[:1])}
    second = [one for one in second if (_SAME_AS.get(one.code, ""), frozenset(one.rules)) not in known]
    if any(one.code == "gap-in-data" for one in second):
        first = [one for one in first if one.code != "gap"]
    if observed is not None:
        first = [_how_often(one, observed) if one.code == "conflict" else one for one in first]
    return gravest_first([*second, *first])


def _how_often(conflict: RuleFinding, observed: Observed) -> RuleFinding:
    if len(conflict.rules) != 2:
        return conflict
    places = {seen.rule: index for index, seen in enumerate(observed.rules)}
    one, other = (observed.firings.counted[places[rule]] for rule in conflict.rules)
    both, total = int(n_set(one & other)), observed.firings.n_rows
    often = f"on {n_rows(both)} ({share(both / total)}) both count" if both else "no row here has both"
    return replace(conflict, sentence=f"{conflict.sentence}; {often}")
