"""What the rules and the teacher of a hybrid take, beside its net.

Of R rules, a row's evidence is a product of what fires and the certainties, ``2 R`` FLOP, and ``2 C`` where C
columns are witnesses; the teacher's log-odds are ``2 R + 6`` more. A fit of the teacher is counted by what it
evaluates, 4 FLOP a value of its matrix. A handful of element operations a row are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from toolkit.knowledge.symbolic import ExpertSystem
from toolkit.operations.counts import added, times
from toolkit.operations.rules import fact_counts, rule_counts
from toolkit.tracks._teacher import Teacher

__all__ = ["Asked", "fit_counts", "predict_counts"]

SCALED = 3
"""Parts of the teacher that have a scale."""


class Asked(NamedTuple):
    """Rows that a fit asked the rules and the teacher about; a row counts as often as it was asked about.

    Parameters
    ----------
    evidence : int
        What fires, and what that is worth.
    combined : int
        Of these, rows of which the teacher then told its log-odds.
    features : int
        Which rules fire, as inputs of the net.
    """

    evidence: int
    combined: int
    features: int = 0


def fit_counts(expert: ExpertSystem, teacher: Teacher, asked: Asked) -> Mapping[str, float | None]:
    """Return what a fit took."""
    evidence = times(_evidence(expert, teacher), asked.evidence)
    told = {"flop": float(asked.combined * _combining(expert) + 4 * teacher.products)}
    return added(evidence, told, times(rule_counts(expert), asked.features))


def predict_counts(
    expert: ExpertSystem, teacher: Teacher, *, is_asked: bool, is_input: bool
) -> Mapping[str, float | None]:
    """Return what predicting a row takes.

    Parameters
    ----------
    expert : ExpertSystem
    teacher : Teacher
    is_asked : bool
        Whether the teacher is.
    is_input : bool
        Whether which rules fire is an input of the net.
    """
    told = added(_evidence(expert, teacher), {"flop": float(_combining(expert))})
    return added(times(told, is_asked), times(rule_counts(expert), is_input), fact_counts(expert))


def _evidence(expert: ExpertSystem, teacher: Teacher) -> dict[str, float | None]:
    witnesses = teacher.witnesses
    flop, encoded = 2 * expert.n_rules, 0
    if witnesses is not None:
        flop += 2 * len(witnesses.positions)
        encoded = len(witnesses.encoder.numbers) + len(witnesses.encoder.categories)
    return added(rule_counts(expert), {"flop": float(flop), "encoded_values": float(encoded)})


def _combining(expert: ExpertSystem) -> int:
    return 2 * (expert.n_rules + SCALED)
