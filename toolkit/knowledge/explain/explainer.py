"""Explanations of every row: how its probability came about, and which rule was nearest to firing.

Rows on which the same rules fire share most of their explanation, so rows are grouped by what fires
and each group is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.explain.explanation import Contribution, Explanation, Fact, Silenced, Template
from toolkit.knowledge.explain.nearest import Nearest, NearestRule
from toolkit.knowledge.explain.why_not import WhyNots, first_rows
from toolkit.knowledge.program import BLOCK_ROWS
from toolkit.knowledge.symbolic import ExpertSystem

__all__ = ["Explainer", "Explanations"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _How:
    """What all rows share on which the same rules fire and the same hard facts hold."""

    contributions: tuple[Contribution, ...]
    silenced: tuple[Silenced, ...]
    facts: tuple[Fact, ...]
    total: float
    template: Template

    @property
    def settled(self) -> float:
        """The probability that hard facts settle, NaN without any."""
        kinds = {fact.kind for fact in self.facts}
        return 0.0 if "never" in kinds else 1.0 if "always" in kinds else np.nan


@dataclass(frozen=True)
class Explainer:
    """Explains what an expert system says, alone or with a learned model on top.

    Parameters
    ----------
    knowledge : KnowledgeBase
    system : ExpertSystem
        Compiled from it.
    weights : ndarray of shape (n_rules,)
        What each rule adds in log-odds; the experts' word, or what labels made of it.
    nearest : NearestRule
        Finds the rule that was nearest to firing.
    scale : float
        Factor on the experts' log-odds, for the record; `weights` hold it already.
    bias : float
        Added to every row.
    prior_scale : float
        Factor on the log-odds of the prior.
    """

    knowledge: KnowledgeBase
    system: ExpertSystem
    weights: _Floats
    nearest: NearestRule
    scale: float = 1.0
    bias: float = 0.0
    prior_scale: float = 1.0

    @classmethod
    def of(
        cls,
        knowledge: KnowledgeBase,
        system: ExpertSystem,
        levels: Mapping[str, tuple[str, ...]],
        *,
        scale: float = 1.0,
        shifts: _Floats | None = None,
        bias: float = 0.0,
        prior_scale: float = 1.0,
        spread: Mapping[str, float] | None = None,
    ) -> Explainer:
        """Make an explainer.

        Parameters
        ----------
        knowledge : KnowledgeBase
        system : ExpertSystem
            Compiled from it.
        levels : mapping of str to tuple of str
            Levels of each choice column, in order of code.
        scale : float
            Factor on the experts' log-odds.
        shifts : ndarray of shape (n_rules,), optional
            What labels add to single rules.
        bias : float
            What labels add to every row.
        prior_scale : float
            Factor on the log-odds of the prior.
        spread : mapping of str to float, optional
            See `column_spread`: the size of a usual difference, for columns without a declared range.
        """
        weights = scale * system.weights + (0.0 if shifts is None else shifts)
        nearest = NearestRule.of(knowledge, system, levels, spread or {})
        return cls(knowledge, system, weights, nearest, scale, bias, prior_scale)

    def explain(self, features: pd.DataFrame, logit: _Floats | None = None) -> Explanations:
        """Explain every row.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
            As the expert system takes them.
        logit : ndarray of shape (n_rows,), optional
            Log-odds of a model learned on top; what it adds to the experts' is its correction.

        Raises
        ------
        KnowledgeError
            The prior's column holds values that are no probabilities.
        """
        prior = self.prior_scale * self.system.prior_logit(features)
        packed, nearest = [], []
        for start in range(0, len(features), BLOCK_ROWS):
            block = features.iloc[start : start + BLOCK_ROWS]
            fired = self.system.firings(block)
            facts = self.system.facts(block)
            packed.append(np.packbits(np.hstack([fired, facts]), axis=1))
            nearest.append(self.nearest.find(block, fired, np.any(facts, axis=1)))
        codes, patterns = _group(packed, self.system.n_rules + self.system.n_facts)
        counts = self.system.effective(patterns[:, : self.system.n_rules])
        hows = tuple(self._how(bits, counted) for bits, counted in zip(patterns, counts, strict=True))
        experts = self.bias + prior + np.array([how.total for how in hows], np.float64)[codes]
        whole = experts if logit is None else logit.astype(np.float64)
        settled = np.array([how.settled for how in hows], np.float64)[codes]
        return Explanations(
            explainer=self,
            features=features,
            probability=np.where(np.isnan(settled), np.exp(-np.logaddexp(0.0, -whole)), settled),
            logit=whole,
            prior_log_odds=prior,
            correction=None if logit is None else whole - experts,
            patterns=codes,
            nearest=Nearest.joined(nearest),
            _hows=hows,
        )

    def _how(self, bits: NDArray[np.bool_], counts: NDArray[np.bool_]) -> _How:
        """Work out what rows with these firings and facts share."""
        contributions = tuple(self._contributions[rule] for rule in np.flatnonzero(counts))
        silenced = tuple(
            self._silenced(rule, counts) for rule in np.flatnonzero(bits[: len(counts)] & ~counts).tolist()
        )
        facts = tuple(self._facts[fact] for fact in np.flatnonzero(bits[len(counts) :]))
        said = self.knowledge
        return _How(
            contributions,
            silenced,
            facts,
            sum(each.log_odds for each in contributions),
            Template(said.predicts, said.prior, contributions, silenced, facts, bias=self.bias),
        )

    @cached_property
    def _contributions(self) -> tuple[Contribution, ...]:
        return tuple(
            Contribution(
                rule=rule.id,
                when=rule.when,
                then=rule.then,
                certainty=rule.certainty,
                because=rule.because,
                log_odds=float(here),
                experts_log_odds=float(experts),
            )
            for rule, here, experts in zip(self.nearest.rules, self.weights, self.system.weights, strict=True)
        )

    @cached_property
    def _facts(self) -> tuple[Fact, ...]:
        return (
            *(Fact(fact.id, "never", fact.because) for fact in self.knowledge.never),
            *(Fact(fact.id, "always", fact.because) for fact in self.knowledge.always),
        )

    def _silenced(self, index: int, counts: NDArray[np.bool_]) -> Silenced:
        rules = self.nearest.rules
        group = next(members for members in self.system.groups if index in members)
        stronger = next(member for member in group if counts[member])
        return Silenced(rules[index].id, rules[stronger].id, rules[index].because)


@dataclass(frozen=True, eq=False)
class Explanations(Sequence[Explanation]):
    """Explanations of many rows: arrays, an `Explanation` a row when asked for one, and texts.

    Parameters
    ----------
    explainer : Explainer
    features : DataFrame of shape (n_rows, n_columns)
    probability, logit, prior_log_odds : ndarray of shape (n_rows,)
    correction : ndarray of shape (n_rows,) or None
    patterns : ndarray of shape (n_rows,)
        Rows with the same number have the same rules firing and the same hard facts holding.
    nearest : Nearest
        The rule that was nearest to firing.
    """

    explainer: Explainer
    features: pd.DataFrame
    probability: _Floats
    logit: _Floats
    prior_log_odds: _Floats
    correction: _Floats | None
    patterns: NDArray[np.intp]
    nearest: Nearest
    _hows: tuple[_How, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.logit)

    @overload
    def __getitem__(self, row: int) -> Explanation: ...
    @overload
    def __getitem__(self, row: slice) -> list[Explanation]: ...
    def __getitem__(self, row: int | slice) -> Explanation | list[Explanation]:
        if isinstance(row, slice):
            return [self[index] for index in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(f"there are {len(self)} explanations, asked for number {row}")
        row %= len(self)
        how, explainer = self._hows[self.patterns[row]], self.explainer
        prior = float(self.prior_log_odds[row])
        return Explanation(
            predicts=explainer.knowledge.predicts,
            probability=float(self.probability[row]),
            logit=float(self.logit[row]),
            prior=explainer.knowledge.prior,
            prior_probability=_probability(prior / explainer.prior_scale),
            prior_log_odds=prior,
            contributions=how.contributions,
            silenced=how.silenced,
            facts=how.facts,
            why_not=self._why_nots.record(row),
            scale=explainer.scale,
            bias=explainer.bias,
            correction=None if self.correction is None else float(self.correction[row]),
        )

    @property
    def _why_nots(self) -> WhyNots:
        return WhyNots(self.explainer.nearest, self.features, self.nearest)

    def __iter__(self) -> Iterator[Explanation]:
        return (self[row] for row in range(len(self)))

    def texts(self) -> list[str]:
        """Return each row's `Explanation.to_text`, all at once and so much faster."""
        fills = [how.template.fill for how in self._hows]
        none: list[None] = [None] * len(self)
        numbers = zip(
            self.patterns.tolist(),
            self.probability.tolist(),
            (1 / (1 + np.exp(-self.prior_log_odds / self.explainer.prior_scale))).tolist(),
            self.prior_log_odds.tolist(),
            none if self.correction is None else self.correction.tolist(),
            self.logit.tolist(),
            self._why_nots.sentences(),
            strict=True,
        )
        return [fills[pattern](*rest) for pattern, *rest in numbers]


def _probability(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))


def _group(packed: list[NDArray[np.uint8]], n_bits: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the group of every row and the bits of every group."""
    rows = np.vstack(packed) if packed else np.zeros((0, -(-n_bits // 8)), np.uint8)
    words = np.zeros((len(rows), -(-rows.shape[1] // 8) * 8), np.uint8)
    words[:, : rows.shape[1]] = rows
    codes = np.zeros(len(rows), np.intp)
    for word in words.view(np.uint64).T:
        part, found = pd.factorize(word)
        codes, _ = pd.factorize(codes * len(found) + part)
    return codes, np.unpackbits(rows[first_rows(codes)], axis=1, count=n_bits).astype(np.bool_)
