"""What rows that no tree has seen say of proposed rules: how often they fire, and how certain they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.knowledge.condition import Condition
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.mining.candidates import Proposal
from toolkit.knowledge.mining.cuts import condition_of
from toolkit.knowledge.program import Program
from toolkit.knowledge.shift import Shift, World, certainty_of
from toolkit.knowledge.symbolic import log_odds

__all__ = ["Suggestion", "Weighing"]

Floats = NDArray[np.float64]

FEWEST_CLUSTERS = 15
"""A rule that fires in fewer held-out clusters is not suggested: its interval cannot be trusted."""

ERROR_RATE = 0.05
"""Chance that rows without any pattern give a suggestion; shared among all candidates (Bonferroni)."""

USUAL_SHIFT = 1.0
"""Standard deviation of the log-odds that rules add, before the data are seen: "likely" adds 0.92."""

STRONGEST, WEAKEST = 0.9, 0.1
STEP = 0.05
"""A mined certainty is at most `STRONGEST`, rounded to `STEP`, and not worth reading below `WEAKEST`."""

JOINS = 0.1
"""A rule joins a group when that saves at least this share of what it saves on its own."""


@dataclass(frozen=True)
class Suggestion:
    """A mined rule and what the held-out rows say of it.

    Parameters
    ----------
    condition : Condition
    positive : bool
        Whether the outcome is more frequent than expected where it fires.
    certainty, certainty_low, certainty_high : float
        A certainty factor, .1 to .9 in steps of .05, and its 95 % interval over clusters.
    n_rows, n_clusters : int
        Held-out rows where it fires, and the clusters they belong to.
    observed, expected : float
        Share of these rows with the outcome, and the share expected.
    saved : float
        Log loss it saves on its own, in nats a thousand held-out rows.
    leader : int
        Place of the better suggestion that it shares a group with; its own place when it stands alone.
    """

    condition: Condition
    positive: bool
    certainty: float
    certainty_low: float
    certainty_high: float
    n_rows: int
    n_clusters: int
    observed: float
    expected: float
    saved: float
    leader: int = -1


@dataclass(frozen=True)
class Weighing:
    """The held-out part, which no tree has seen.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
    world : World
        Its labels, and what is expected without suggestions.
    levels : mapping of str to tuple of str
        Values of the choices.
    specs : mapping of str to ColumnSpec
        What missing values stand for.
    """

    features: pd.DataFrame
    world: World
    levels: Mapping[str, tuple[str, ...]]
    specs: Mapping[str, ColumnSpec]

    def choose(self, proposals: Sequence[Proposal], limit: int) -> list[Suggestion]:
        """Return the proposals that hold, the most useful first, each with its leader."""
        found = {}
        for proposal in proposals:
            condition = condition_of(proposal.box, proposal.columns)
            suggestion = self.weigh(condition, positive=proposal.positive, tests=len(proposals))
            if suggestion is not None:
                found[condition] = suggestion
        ranked = sorted(found.values(), key=lambda each: -each.saved)[:limit]
        return self._grouped(ranked)

    def weigh(self, condition: Condition, *, positive: bool, tests: int) -> Suggestion | None:
        """Return what the held-out rows say of a condition; None when it may be chance, or is little."""
        rows = self.rows(condition)
        clusters = self.world.codes[rows]
        n_clusters = len(np.unique(clusters))
        if n_clusters < FEWEST_CLUSTERS:
            return None
        shift = self.world.shift(rows, (0.0, 0.0))
        certainty = _certainty(shift)
        if shift.p_zero * tests > ERROR_RATE or (shift.estimate > 0) != positive or certainty < WEAKEST:
            return None
        offset, labels = self.world.offset[rows], self.world.labels[rows]
        sign = 1.0 if positive else -1.0
        saved = self._loss(0.0, rows) - self._loss(log_odds(sign * certainty), rows)
        low, high = sorted(certainty_of(sign * end) for end in (shift.low, shift.high))
        return Suggestion(
            condition=condition,
            positive=positive,
            certainty=certainty,
            certainty_low=low,
            certainty_high=high,
            n_rows=len(rows),
            n_clusters=n_clusters,
            observed=float(labels.mean()),
            expected=float(expit(offset).mean()),
            saved=1000 * float(saved.sum()) / len(self.world.labels),
        )

    def rows(self, condition: Condition) -> NDArray[np.intp]:
        """Return the rows where a condition holds, as the expert system decides it."""
        missing: dict[str, Fraction | str] = {}
        for name, spec in self.specs.items():
            value = spec.read(spec.missing)
            if value is not None:
                missing[name] = value
        program = Program.compile([condition], dict(self.levels), missing)
        fires = np.empty(len(self.features), np.bool_)
        for block, decided in program.run(self.features):
            fires[block] = decided[0]
        return np.flatnonzero(fires)

    def losses(self, suggestions: Sequence[Suggestion]) -> tuple[float, float]:
        """Return the log loss without and with all suggestions; of a group only the strongest counts."""
        evidence = np.zeros((max(len(suggestions), 1), len(self.features)))
        for each in suggestions:
            evidence[each.leader] = _stronger(evidence[each.leader], self._evidence(each))
        before, after = (self._loss(total).mean() for total in (0.0, evidence.sum(axis=0)))
        return float(before), float(after)

    def _grouped(self, ranked: Sequence[Suggestion]) -> list[Suggestion]:
        """Give each suggestion, the best first, the group in which it helps most beside those before it.

        Rules that say much the same are right one by one and boast together: in one group they do not
        count twice. They join only where the log loss is clearly the lower for it.
        """
        grouped: list[Suggestion] = []
        groups: dict[int, Floats] = {}
        for place, suggestion in enumerate(ranked):
            own = self._evidence(suggestion)
            rows = np.flatnonzero(own)
            others = sum((evidence[rows] for evidence in groups.values()), np.zeros(len(rows)))
            spare = JOINS * suggestion.saved * len(self.features) / 1000
            best, lowest = place, float(self._loss(others + own[rows], rows).sum()) - spare
            for leader, evidence in groups.items():
                if grouped[leader].positive != suggestion.positive:
                    continue
                joined = others - evidence[rows] + _stronger(evidence[rows], own[rows])
                loss = float(self._loss(joined, rows).sum())
                if loss < lowest:
                    best, lowest = leader, loss
            groups[best] = _stronger(groups[best], own) if best in groups else own
            grouped.append(replace(suggestion, leader=best))
        return grouped

    def _evidence(self, suggestion: Suggestion) -> Floats:
        """Return what a suggestion adds to the log-odds of each row."""
        evidence = np.zeros(len(self.features))
        sign = 1.0 if suggestion.positive else -1.0
        evidence[self.rows(suggestion.condition)] = log_odds(sign * suggestion.certainty)
        return evidence

    def _loss(self, evidence: Floats | float, rows: NDArray[np.intp] | slice = slice(None)) -> Floats:
        """Return the log loss of rows, in nats, with some evidence added."""
        logit = self.world.offset[rows] + evidence
        loss: Floats = np.logaddexp(0.0, np.where(self.world.labels[rows] > 0.5, -logit, logit))
        return loss


def _stronger(one: Floats, other: Floats) -> Floats:
    return np.where(np.abs(other) > np.abs(one), other, one)


def _certainty(shift: Shift) -> float:
    """Return a shift as a certainty: drawn towards 0 as far as it is unsure, cut off and rounded."""
    if not math.isfinite(shift.estimate):
        # All outcomes are the same: the end of the interval that is nearer to 0.
        size = min(abs(shift.low), abs(shift.high))
    else:
        error = (shift.high - shift.low) / (2 * 1.96)
        size = abs(shift.estimate) / (1 + (error / USUAL_SHIFT) ** 2)
    return round(min(STRONGEST, round(certainty_of(size) / STEP) * STEP), 2)
