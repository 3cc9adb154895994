"""What rows say about each rule: where it fires, where it counts, and how the outcome moves there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.knowledge.shift import Shift, World, certainty_of, solve, word_range
from toolkit.knowledge.symbolic import ExpertSystem

__all__ = ["Firings", "Observed", "RuleEvidence", "look", "n_set", "observe"]

BLOCK_ROWS = 65_536
"""Rows at a time; a multiple of 8, since firings are kept as bits."""

_Bits = NDArray[np.uint8]
_Floats = NDArray[np.float64]
_Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Firings:
    """Which rules fire and count on which rows, a bit each.

    Parameters
    ----------
    n_rows : int
    fired, counted : ndarray of shape (n_rules, ceil(n_rows / 8)), uint8
        Packed along rows. In a group only the strongest of those that fire counts.
    evidence : ndarray of shape (n_rows,)
        Sum of the weights of the rules that count.
    """

    n_rows: int
    fired: _Bits
    counted: _Bits
    evidence: _Floats

    @classmethod
    def of(cls, system: ExpertSystem, features: pd.DataFrame) -> Self:
        """Run all rules on all rows, a block at a time."""
        n_rows = len(features)
        fired = np.zeros((system.n_rules, -(-n_rows // 8)), np.uint8)
        counted = np.zeros_like(fired)
        evidence = np.zeros(n_rows)
        for start in range(0, n_rows, BLOCK_ROWS):
            stop = min(start + BLOCK_ROWS, n_rows)
            block = system.firings(features.iloc[start:stop])
            counts = system.effective(block)
            place = slice(start // 8, -(-stop // 8))
            fired[:, place] = np.packbits(block, axis=0).T
            counted[:, place] = np.packbits(counts, axis=0).T
            for rule, weight in enumerate(system.weights):
                evidence[start:stop] += counts[:, rule] * weight
        return cls(n_rows, fired, counted, evidence)

    def rows(self, bits: _Bits) -> _Rows:
        """Return the rows whose bit is set, for instance in ``fired[rule]``."""
        return np.flatnonzero(np.unpackbits(bits, count=self.n_rows))

    def silent(self) -> _Rows:
        """Return the rows on which no rule fires."""
        return self.rows(~np.bitwise_or.reduce(self.fired, axis=0))


def n_set(bits: _Bits) -> NDArray[np.int64]:
    """Return the number of bits set along the last axis."""
    found: NDArray[np.int64] = np.bitwise_count(bits).sum(axis=-1, dtype=np.int64)
    return found


@dataclass(frozen=True)
class RuleEvidence:
    """What rows say about one rule.

    Parameters
    ----------
    rule : str
        Its id.
    certainty : float
        The expert's, signed: below 0 speaks for the negative outcome.
    n_rows : int
        Rows looked at.
    n_fires, n_counts : int
        Rows where it fires; rows where it also counts, no stronger rule of its group firing.
    n_clusters : int
        Clusters in which it counts.
    observed_rate : float, optional
        Share of positives where it counts; None without labels or rows.
    expected_rate : float, optional
        What the prior expects there, set right in general when there are labels.
    shift : Shift, optional
        Of the log-odds from that expectation; None without rows, or without labels of both kinds.
    given_others : Shift, optional
        The same where the prior has first been moved by all other rules, at their experts' word. Where
        it is much weaker than `shift`, other rules say the same: they count double.
    fires_on_dates : int
        Number of dates, where it fires on all of their rows and on no row of any other date: intervals
        are over dates then, since a rule about the calendar sees a date once, however many rows it has.
        0 for every other rule.
    """

    rule: str
    certainty: float
    n_rows: int
    n_fires: int
    n_counts: int
    n_clusters: int
    observed_rate: float | None = None
    expected_rate: float | None = None
    shift: Shift | None = None
    given_others: Shift | None = None
    fires_on_dates: int = 0


@dataclass(frozen=True)
class Observed:
    """A knowledge base held against rows.

    Parameters
    ----------
    firings : Firings
    rules : tuple of RuleEvidence
        In the system's order.
    n_clusters : int
    observed_rate : float, optional
        Share of positives of all rows; None without labels.
    expected_rate : float, optional
        What the prior expects, as it is; None without rows.
    alone : World, optional
        The rows with what the prior expects of them; None without labels of both kinds.
    n_dates : int
        Distinct times of the rows; 0 where there is no time.
    """

    firings: Firings
    rules: tuple[RuleEvidence, ...]
    n_clusters: int
    observed_rate: float | None
    expected_rate: float | None
    alone: World | None
    n_dates: int = 0


def observe(
    system: ExpertSystem,
    features: pd.DataFrame,
    labels: NDArray[np.integer] | None,
    clusters: NDArray[np.integer],
) -> tuple[RuleEvidence, ...]:
    """Hold every rule against rows.

    Parameters
    ----------
    system : ExpertSystem
    features : DataFrame of shape (n_rows, n_columns)
    labels : ndarray of shape (n_rows,), optional
        0 or 1; without them only firings are counted.
    clusters : ndarray of shape (n_rows,)
        Rows of one cluster are not independent.

    Returns
    -------
    tuple of RuleEvidence
        One a rule, in the system's order.

    Raises
    ------
    KnowledgeError
        The prior's column is no probability.
    """
    return look(system, features, labels, clusters).rules


def look(
    system: ExpertSystem,
    features: pd.DataFrame,
    labels: NDArray[np.integer] | None,
    clusters: NDArray[np.integer],
    times: NDArray[np.integer] | None = None,
) -> Observed:
    """Return what `observe` does, and what holds of all rows together.

    Parameters
    ----------
    system, features, labels, clusters
        As `observe` takes them.
    times : ndarray of shape (n_rows,), optional
        Date of each row; all 0 where the task has no time.
    """
    firings = Firings.of(system, features)
    names, codes = np.unique(clusters, return_inverse=True)
    days = np.unique(times, return_inverse=True)[1] if times is not None and times.any() else None
    prior = system.prior_logit(features)
    rate = None if labels is None or not len(labels) else float(labels.mean())
    alone, all_rules, general = None, prior + firings.evidence, 0.0
    if labels is not None and rate is not None and 0 < rate < 1:
        alone = World.of(prior, labels.astype(np.float64), codes)
        general = solve(all_rules, float(labels.sum()))
    rules = []
    for index in range(system.n_rules):
        rows = firings.rows(firings.counted[index])
        evidence = _counted(system, index, firings, rows, codes, prior)
        if days is not None:
            on_dates = _whole_dates(firings.rows(firings.fired[index]), days)
            evidence = replace(evidence, fires_on_dates=on_dates)
        if alone is not None and len(rows):
            weight = float(system.weights[index])
            others = all_rules.copy()
            others[rows] -= weight
            # What the rule itself adds somewhere, the general level has lost everywhere, at most.
            within = general + min(weight, 0.0), general + max(weight, 0.0)
            worlds = alone, World.of(others, alone.labels, codes, within)
            if days is not None and evidence.fires_on_dates:
                worlds = worlds[0].over(days), worlds[1].over(days)
            evidence = _judged(evidence, rows, *worlds)
        rules.append(evidence)
    return Observed(
        firings=firings,
        rules=tuple(rules),
        n_clusters=len(names),
        observed_rate=rate,
        expected_rate=_mean(expit(prior)),
        alone=alone,
        n_dates=0 if days is None else int(days.max()) + 1,
    )


def _whole_dates(rows: _Rows, days: _Rows) -> int:
    """Return on how many dates a rule fires that fires on all rows of a date or on none; else 0."""
    sizes = np.bincount(days)
    fired = np.bincount(days[rows], minlength=len(sizes))
    whole = fired == sizes
    return int(whole.sum()) if ((fired == 0) | whole).all() and not whole.all() else 0


def _counted(
    system: ExpertSystem, index: int, firings: Firings, rows: _Rows, codes: _Rows, prior: _Floats
) -> RuleEvidence:
    return RuleEvidence(
        rule=system.rule_ids[index],
        certainty=certainty_of(float(system.weights[index])),
        n_rows=firings.n_rows,
        n_fires=int(n_set(firings.fired[index])),
        n_counts=len(rows),
        n_clusters=len(np.unique(codes[rows])),
        expected_rate=_mean(expit(prior[rows])),
    )


def _judged(evidence: RuleEvidence, rows: _Rows, alone: World, with_others: World) -> RuleEvidence:
    covered = word_range(evidence.certainty)
    return replace(
        evidence,
        observed_rate=_mean(alone.labels[rows]),
        expected_rate=_mean(expit(alone.offset[rows])),
        shift=alone.shift(rows, covered),
        given_others=with_others.shift(rows, covered),
    )


def _mean(values: _Floats) -> float | None:
    return float(values.mean()) if len(values) else None
