"""Is a rule's certainty borne out by labelled rows? Sentences for its author.

Many rules are tested at once, so a disagreement is told only where it stands after Holm's step-down
procedure at 5 % (S. Holm, "A simple sequentially rejective multiple test procedure", 1979), and only
where the truth lies outside the range that the expert's word covers, see `toolkit.knowledge.shift`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolkit.knowledge.checks.data_columns import n_rows, share
from toolkit.knowledge.checks.findings import Severity
from toolkit.knowledge.entries import WORDS, Rule
from toolkit.knowledge.observed import RuleEvidence
from toolkit.knowledge.shift import Shift, certainty_of
from toolkit.knowledge.symbolic import log_odds

__all__ = ["Judgement", "judge", "nearest_word", "own_direction"]

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Judgement:
    """What the labels say against one rule: its place, and the parts of a finding."""

    index: int
    code: str
    severity: Severity
    sentence: str


def judge(
    rules: Sequence[Rule], evidence: Sequence[RuleEvidence], told: Sequence[bool]
) -> Iterator[Judgement]:
    """Yield what labels say against rules.

    Parameters
    ----------
    rules : sequence of Rule
    evidence : sequence of RuleEvidence
        One a rule.
    told : sequence of bool
        Rules to judge.
    """
    judged = [
        (index, seen, seen.shift, seen.given_others)
        for index, seen in enumerate(evidence)
        if told[index] and seen.shift and seen.given_others
    ]
    alone = _rejected([shift.p_word for _, _, shift, _ in judged])
    signs = _rejected([shift.p_zero for _, _, shift, _ in judged])
    crowded = _rejected([others.p_word for _, _, _, others in judged])
    for place, (index, seen, shift, others) in enumerate(judged):
        sign = math.copysign(1.0, seen.certainty)
        if place in alone:
            opposite = place in signs and sign * shift.estimate < 0
            yield _disagreement(index, rules[index], seen, shift, opposite=opposite)
        elif place in crowded and _is_borne_out(shift, sign) and _weaker(others, sign, seen.certainty):
            yield Judgement(
                index,
                "counts-double",
                "info",
                f"'{seen.rule}' is borne out alone ({own_direction(shift, sign)}), but other rules say the "
                f"same where it counts: with them counted in, {own_direction(others, sign)} is left of its "
                f"{abs(seen.certainty):.2g}; put it into one group with them, or weaken it",
            )


def _is_borne_out(shift: Shift, sign: float) -> bool:
    return min(sign * shift.low, sign * shift.high) > 0


def _weaker(shift: Shift, sign: float, certainty: float) -> bool:
    return sign * shift.estimate < abs(log_odds(certainty))


def nearest_word(shift: float) -> str:
    """Return the word for a strength nearest to a shift of the log-odds; empty for next to nothing."""
    nearest = min((abs(log_odds(value) - abs(shift)), word) for word, value in WORDS.items())
    return nearest[1] if abs(shift) > log_odds(min(WORDS.values())) / 2 else ""


def own_direction(shift: Shift, sign: float) -> str:
    """Return a shift as a certainty in the direction of the rule (`sign`), with its interval."""
    low, high = sorted((sign * shift.low, sign * shift.high))
    estimate, *ends = (_decimal(certainty_of(value)) for value in (sign * shift.estimate, low, high))
    return f"{estimate} [{ends[0]}, {ends[1]}]"


def _decimal(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def _disagreement(index: int, rule: Rule, seen: RuleEvidence, shift: Shift, *, opposite: bool) -> Judgement:
    sign = math.copysign(1.0, seen.certainty)
    word = nearest_word(shift.estimate)
    written = f"{rule.certainty}, {rule.strength:g}" if isinstance(rule.certainty, str) else rule.certainty
    if opposite:
        verdict, advice = "contradict", "turn it round, or take it out"
    elif shift.low <= 0 <= shift.high or not word or sign * shift.estimate < 0:
        verdict, advice = "show little of", "weaken it, or take it out"
    else:
        stronger = sign * shift.estimate > abs(log_odds(seen.certainty))
        verdict, advice = f"say {'more' if stronger else 'less'} than", f"the nearest word is '{word}'"
    observed, expected = (share(rate) for rate in (seen.observed_rate or 0.0, seen.expected_rate or 0.0))
    return Judgement(
        index,
        "data-contradict" if opposite else "certainty-off",
        "warning" if opposite else "info",
        f"the data {verdict} '{seen.rule}' ({rule.then}, {written}): where it counts, on "
        f"{n_rows(seen.n_counts)}, the rate is {observed} and the prior alone expects {expected}, which is a "
        f"certainty of {own_direction(shift, sign)}; {advice}",
    )


def _rejected(p_values: Sequence[float]) -> set[int]:
    """Return the places whose hypothesis falls by Holm's step-down procedure."""
    found: set[int] = set()
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[place] * (len(p_values) - rank) > SIGNIFICANT:
            break
        found.add(place)
    return found
