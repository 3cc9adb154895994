"""Compiler A: a knowledge base becomes a vectorised expert system.

MYCIN's certainty factors, combined pair by pair in any order, are log-odds that add up: with
``w(c) = -ln(1 - c)`` for ``c >= 0`` and ``ln(1 + c)`` below, the combined factor of the fired rules
is ``1 - exp(-S)`` for ``S = sum(w) >= 0`` and ``exp(S) - 1`` below (certainty factors as monotone
transforms of likelihood ratios: D. Heckerman, "Probabilistic interpretations for MYCIN's certainty
factors", 1986). So an expert system is ``p = sigmoid(logit prior(x) + scale * S(x))``.

Adding up assumes that rules are independent given the outcome. Where they are not, a `group` counts
only the strongest of its rules that fire.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.packing import byte_sums, keep_strongest, pack
from toolkit.knowledge.program import Program
from toolkit.knowledge.schema import Schema, check_schema, stand_ins

__all__ = ["ExpertSystem", "Scored", "compile_knowledge", "log_odds"]

SMALLEST_PRIOR = 1e-6
"""A prior column is kept this far from 0 and 1, which are beyond all evidence."""


def log_odds(certainty: float) -> float:
    """Return the evidence that a certainty factor in (-1, 1) stands for."""
    return float(-np.log1p(-certainty) if certainty >= 0 else np.log1p(certainty))


class Scored(NamedTuple):
    """Log-odds of every row, shape (n_rows,), and which rules fire, shape (n_rows, n_rules)."""

    logit: NDArray[np.float64]
    firings: NDArray[np.bool_]


@dataclass(frozen=True)
class ExpertSystem:
    """A compiled knowledge base.

    Parameters
    ----------
    rule_ids : tuple of str
        In the order written.
    weights : ndarray of shape (n_rules,)
        Signed log-odds of each rule.
    groups : tuple of tuple of int
        Rules of each group of two or more, the strongest first; ties in the order written.
    columns : tuple of str
        Columns that predicting reads.
    content_hash : str
        Of the knowledge base.
    """

    rule_ids: tuple[str, ...]
    weights: NDArray[np.float64]
    groups: tuple[tuple[int, ...], ...]
    columns: tuple[str, ...]
    content_hash: str
    _prior: str | float
    _prior_missing: float | None
    _rules: Program
    _never: Program
    _always: Program

    @property
    def n_rules(self) -> int:
        """Number of rules."""
        return len(self.rule_ids)

    @property
    def programs(self) -> tuple[Program, ...]:
        """What predicting runs: the rules' conditions, and where there are hard facts, theirs."""
        return (self._rules, self._never, self._always) if self.n_facts else (self._rules,)

    def prior_logit(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the log-odds before any rule, shape (n_rows,).

        Raises
        ------
        KnowledgeError
            The prior's column has missing values, or values that are no probabilities.
        """
        if isinstance(self._prior, float):
            return np.full(len(features), math.log(self._prior) - math.log1p(-self._prior))
        probability = features[self._prior].to_numpy(np.float64)
        if self._prior_missing is not None:
            probability = np.where(np.isnan(probability), self._prior_missing, probability)
        wrong = ~((probability >= 0) & (probability <= 1))
        if wrong.any():
            raise KnowledgeError(
                f"the prior '{self._prior}' must be a probability, but {int(wrong.sum()):,} of "
                f"{len(wrong):,} rows are not, e.g. {probability[wrong][0]:g}; if it is missing there, "
                f"say what missing stands for under columns: {self._prior}"
            )
        probability = np.clip(probability, SMALLEST_PRIOR, 1 - SMALLEST_PRIOR)
        logit: NDArray[np.float64] = np.log(probability) - np.log1p(-probability)
        return logit

    def firings(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rules fire, shape (n_rows, n_rules)."""
        return _matrix(self._rules, features)

    def firings_packed(self, features: pd.DataFrame) -> NDArray[np.uint8]:
        """Return which rules fire, eight a byte, shape (n_rows, ceil(n_rules / 8)).

        The bytes are those of ``numpy.packbits(firings, axis=1)``: rule r is bit ``7 - r % 8`` of byte
        ``r // 8``, and ``numpy.unpackbits(packed, axis=1, count=n_rules)`` gives the firings back. They
        are made block by block: the firings themselves, eight times the memory, are never held.
        """
        by_byte = np.empty((-(-self.n_rules // 8), len(features)), np.uint8)
        for rows, fired in self._rules.run(features):
            pack(fired, by_byte[:, rows])
        return by_byte.T

    def firing_counts(
        self, features: pd.DataFrame, among: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """Return on how many rows each rule fires, shape (n_rules,), block by block.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
        among : ndarray of shape (n_rows,), optional
            Count these rows only, e.g. those with a positive label.
        """
        counts = np.zeros(self.n_rules, np.int64)
        for rows, decided in self._rules.run(features):
            counted = decided if among is None else [fired & among[rows] for fired in decided]
            counts += np.array([np.count_nonzero(fired) for fired in counted], np.int64)
        return counts

    def effective(self, firings: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which firings count: in each group only the strongest, shape (n_rows, n_rules)."""
        counted = firings.copy(order="K")
        for members in self.groups:
            keep_strongest([counted[:, member] for member in members])
        return counted

    def contributions(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the log-odds each rule adds, shape (n_rows, n_rules); they add up to the evidence."""
        return self.effective(self.firings(features)) * self.weights

    def evidence(self, features: pd.DataFrame, n_rules: int | None = None) -> NDArray[np.float64]:
        """Return S(x), the sum of the weights of the firings that count, shape (n_rows,).

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
        n_rules : int, optional
            Use only the first so many rules, in the order written.
        """
        return self._evidence(features, n_rules, None)

    def score(self, features: pd.DataFrame, scale: float = 1.0) -> Scored:
        """Return log-odds and firings from one pass: what `logit` and `firings` return one by one."""
        firings = np.empty((self.n_rules, len(features)), np.bool_)
        evidence = self._evidence(features, None, firings)
        return Scored(self.prior_logit(features) + scale * evidence, firings.T)

    def _evidence(
        self, features: pd.DataFrame, n_rules: int | None, firings: NDArray[np.bool_] | None
    ) -> NDArray[np.float64]:
        """Return the evidence, and write the firings into `firings`, shape (n_rules, n_rows), if given."""
        count = self.n_rules if n_rules is None else n_rules
        sums = self._byte_sums if count == self.n_rules else byte_sums(self.weights[:count])
        groups = [[member for member in members if member < count] for members in self.groups]
        total = np.zeros(len(features))
        for rows, fired in self._rules.run(features, count):
            if firings is not None:
                for out, decided in zip(firings, fired, strict=True):
                    out[rows] = decided
            for members in groups:
                for member in members:
                    fired[member] = fired[member].copy()
                keep_strongest([fired[member] for member in members])
            _add_up(fired, sums, total[rows])
        return total

    @cached_property
    def _byte_sums(self) -> NDArray[np.float64]:
        return byte_sums(self.weights)

    def logit(
        self, features: pd.DataFrame, n_rules: int | None = None, scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Return log-odds: the prior's plus `scale` times the evidence, shape (n_rows,)."""
        return self.prior_logit(features) + scale * self.evidence(features, n_rules)

    @property
    def n_facts(self) -> int:
        """Number of hard facts, ``never`` and ``always`` together."""
        return len(self._never.outputs) + len(self._always.outputs)

    def facts(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which hard facts hold, first every ``never``, then every ``always``: (n_rows, n_facts)."""
        return np.hstack([_matrix(self._never, features), _matrix(self._always, features)])

    def forbidden(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return the rows that some ``never`` rules out, shape (n_rows,)."""
        return _any(self._never, features)

    def required(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return the rows that some ``always`` settles, shape (n_rows,); ``never`` overrules it."""
        return _any(self._always, features) & ~self.forbidden(features)

    def shield(self, features: pd.DataFrame, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities with the hard facts put over them, shape (n_rows,)."""
        if not self.n_facts:
            return probabilities
        shielded = np.where(_any(self._always, features), 1.0, probabilities)
        return np.where(self.forbidden(features), 0.0, shielded)

    def predict_proba(
        self, features: pd.DataFrame, n_rules: int | None = None, scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the probability of the positive outcome, shape (n_rows,)."""
        logit = self.logit(features, n_rules, scale)
        return self.shield(features, np.exp(-np.logaddexp(0.0, -logit)))


def compile_knowledge(knowledge: KnowledgeBase, schema: Schema) -> ExpertSystem:
    """Compile a knowledge base against a task's columns.

    Parameters
    ----------
    knowledge : KnowledgeBase
    schema : Schema
        Names, kinds and levels.

    Raises
    ------
    KnowledgeError
        A column or a value that the task does not have, with ``file:line`` and the nearest name.
    """
    rules, conditions = knowledge.all_rules, knowledge.conditions()
    levels = check_schema(knowledge, conditions, schema)
    missing = stand_ins(knowledge)
    programs = [Program.compile(part, levels, missing) for part in conditions]
    used = dict.fromkeys(name for program in programs for name in program.columns)
    probability = knowledge.prior_probability
    if probability is None:
        used[knowledge.prior] = None
    stands_for = missing.get(knowledge.prior)
    return ExpertSystem(
        rule_ids=tuple(rule.id for rule in rules),
        weights=np.array([log_odds(knowledge.certainty(rule)) for rule in rules], np.float64),
        groups=knowledge.groups,
        columns=tuple(used),
        content_hash=knowledge.content_hash,
        _prior=knowledge.prior if probability is None else probability,
        _prior_missing=float(stands_for) if isinstance(stands_for, Fraction) else None,
        _rules=programs[0],
        _never=programs[1],
        _always=programs[2],
    )


def _add_up(
    fired: Sequence[NDArray[np.bool_]], sums: NDArray[np.float64], total: NDArray[np.float64]
) -> None:
    """Add the weights of what fired to `total`, eight rules a look-up; see `byte_sums`."""
    by_byte = np.empty((len(sums), len(total)), np.uint8)
    pack(fired, by_byte)
    step = np.empty(len(total))
    for byte, table in zip(by_byte, sums, strict=True):
        # a byte is always inside its table; "clip" only spares the check
        np.take(table, byte, out=step, mode="clip")
        total += step


def _matrix(program: Program, features: pd.DataFrame) -> NDArray[np.bool_]:
    by_rule = np.empty((len(program.outputs), len(features)), np.bool_)
    for rows, decided in program.run(features):
        for out, fired in zip(by_rule, decided, strict=True):
            out[rows] = fired
    return by_rule.T


def _any(program: Program, features: pd.DataFrame) -> NDArray[np.bool_]:
    met = np.zeros(len(features), np.bool_)
    for rows, decided in program.run(features):
        for fired in decided:
            met[rows] |= fired
    return met
