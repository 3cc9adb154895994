"""A knowledge base held against rows, as plain data for reports: rules, conflicts, gaps, examples."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.data_columns import Levels, example
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.explain.explainer import Explainer
from toolkit.knowledge.observed import Observed, RuleEvidence, n_set
from toolkit.knowledge.shift import Shift, certainty_of
from toolkit.knowledge.symbolic import ExpertSystem

__all__ = ["conflicts", "examples", "finding_to_dict", "overview", "rule_to_dict"]

N_CONFLICTS = 5
ANYTHING = (-math.inf, math.inf)


def overview(
    knowledge: KnowledgeBase,
    system: ExpertSystem,
    features: pd.DataFrame,
    observed: Observed,
    levels: Levels,
    findings: Iterable[RuleFinding] = (),
) -> dict[str, Any]:
    """Return what a report shows of a knowledge base and the rows it was held against.

    Parameters
    ----------
    knowledge : KnowledgeBase
    system : ExpertSystem
        The same, compiled.
    features : DataFrame of shape (n_rows, n_columns)
        At least one row.
    observed : Observed
        What `toolkit.knowledge.observed.look` found on these rows.
    levels : mapping of str to tuple of str
        Choice column -> names of its codes, in order.
    findings : iterable of RuleFinding
        From the checks.

    Returns
    -------
    dict
        Valid JSON: no NaN, no infinity. Certainties of ``rules`` are in each rule's own direction, those
        of ``conflicts`` speak for the positive outcome. No key of a row or a cluster is in it.
    """
    silent = observed.firings.silent()
    return {
        "n_rows": len(features),
        "n_clusters": observed.n_clusters,
        "n_dates": observed.n_dates,
        "observed_rate": observed.observed_rate,
        "expected_rate": observed.expected_rate,
        "rules": [rule_to_dict(seen) for seen in observed.rules],
        "silent_share": len(silent) / len(features),
        "conflicts": conflicts(system, observed),
        "examples": examples(knowledge, system, features, observed, levels),
        "findings": [finding_to_dict(finding) for finding in findings],
    }


def rule_to_dict(seen: RuleEvidence) -> dict[str, Any]:
    """Return one rule's evidence; certainties are in the direction that the rule speaks for."""
    sign = math.copysign(1.0, seen.certainty)
    return {
        "id": seen.rule,
        "certainty": abs(seen.certainty),
        "n_fires": seen.n_fires,
        "n_counts": seen.n_counts,
        "n_clusters": seen.n_clusters,
        "observed_rate": seen.observed_rate,
        "expected_rate": seen.expected_rate,
        "data": _certainties(seen.shift, sign),
        "given_others": _certainties(seen.given_others, sign),
        "fires_on_dates": seen.fires_on_dates,
    }


def finding_to_dict(finding: RuleFinding) -> dict[str, Any]:
    """Return a finding as JSON takes it."""
    return {**asdict(finding), "rules": list(finding.rules)}


def conflicts(system: ExpertSystem, observed: Observed, at_most: int = N_CONFLICTS) -> list[dict[str, Any]]:
    """Return the pairs of rules that cancel most evidence of each other: rows times the weaker weight."""
    counted, weights = observed.firings.counted, system.weights
    against = np.flatnonzero(weights < 0)
    found: list[tuple[float, int, int]] = []
    for one in np.flatnonzero(weights > 0):
        both = n_set(counted[against] & counted[one])
        cancelled = both * np.minimum(weights[one], -weights[against])
        best = np.argsort(-cancelled, kind="stable")[:at_most]
        found += [(float(cancelled[place]), int(one), int(against[place])) for place in best if both[place]]
    found.sort(key=lambda pair: (-pair[0], pair[1:]))
    return [_conflict(system, observed, one, other) for _, one, other in found[:at_most]]


def _conflict(system: ExpertSystem, observed: Observed, one: int, other: int) -> dict[str, Any]:
    firings, alone = observed.firings, observed.alone
    rows = firings.rows(firings.counted[one] & firings.counted[other])
    return {
        "rule_for": system.rule_ids[one],
        "rule_against": system.rule_ids[other],
        "n_rows": len(rows),
        "certainty": certainty_of(float(system.weights[one] + system.weights[other])),
        "observed_rate": float(alone.labels[rows].mean()) if alone else None,
        "expected_rate": float(expit(alone.offset[rows]).mean()) if alone else None,
        "data": _certainties(alone.shift(rows, ANYTHING), 1.0) if alone else None,
    }


def examples(
    knowledge: KnowledgeBase,
    system: ExpertSystem,
    features: pd.DataFrame,
    observed: Observed,
    levels: Levels,
) -> list[dict[str, Any]]:
    """Return rows that differ, explained: most raised, most lowered, most in conflict, without a rule."""
    firings = observed.firings
    strength = np.zeros(firings.n_rows)
    for counted, weight in zip(firings.counted, system.weights, strict=True):
        strength[firings.rows(counted)] += abs(weight)
    cancelled = (strength - np.abs(firings.evidence)) / 2
    chosen = {
        "raised": _largest(firings.evidence),
        "lowered": _largest(-firings.evidence),
        "conflict": _largest(cancelled),
        "silent": next(iter(_middle(firings.silent())), None),
    }
    kinds = {kind: row for kind, row in chosen.items() if row is not None}
    if not kinds:
        return []
    taken = features.iloc[list(kinds.values())].reset_index(drop=True)
    explained = Explainer.of(knowledge, system, levels).explain(taken)
    conditions = dict(zip(system.rule_ids, knowledge.conditions().rules, strict=True))
    told = []
    for place, kind in enumerate(kinds):
        one = explained[place]
        rules = [each.rule for each in one.contributions]
        read = [name for rule in rules for name in columns_of(conditions[rule])]
        names = dict.fromkeys(read or (name for name in system.columns if name in knowledge.columns))
        told.append(
            {
                "kind": kind,
                "row": example(taken, place, names, knowledge, levels),
                "prior_probability": one.prior_probability,
                "probability": one.probability,
                "contributions": [
                    {
                        "rule": each.rule,
                        "then": each.then,
                        "certainty": each.certainty,
                        "log_odds": each.log_odds,
                        "because": each.because,
                    }
                    for each in one.contributions
                ],
                "silenced": [each.rule for each in one.silenced],
                "facts": [each.id for each in one.facts],
                "why_not": None if one.why_not is None else one.why_not.to_text(),
            }
        )
    return told


def _largest(values: NDArray[np.float64]) -> int | None:
    """Return the row of the largest value, if that is above nothing."""
    row = int(np.argmax(values)) if len(values) else None
    return row if row is not None and values[row] > 1e-9 else None


def _middle(rows: NDArray[np.intp]) -> list[int]:
    return [int(rows[len(rows) // 2])] if len(rows) else []


def _certainties(shift: Shift | None, sign: float) -> dict[str, float] | None:
    """Return a shift as certainties in the direction of `sign`; they are finite where shifts are not."""
    if shift is None:
        return None
    low, high = sorted((sign * shift.low, sign * shift.high))
    ends = {"estimate": sign * shift.estimate, "low": low, "high": high}
    return {name: certainty_of(value) for name, value in ends.items()}
