"""What the hybrid track leaves open, and how it is chosen: tau, the trust in the teacher, the strength."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import numpy as np
import pandas as pd
from pydantic import Field

from toolkit.knowledge import base as knowledge_base
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import Encoder
from toolkit.tracks._hybrid_ablations import Ablation, flipped
from toolkit.tracks._hybrid_trials import folds_of, most_trusting, n_trials
from toolkit.tracks._net import STRENGTHS, Recipe, Strength
from toolkit.tracks._search import Budget, sample_clusters
from toolkit.tracks._teacher import TAUS, Evidence, Labels, Teacher, choose_tau
from toolkit.tracks._teacher_witnesses import Witnesses
from toolkit.tracks.base import Track

__all__ = ["HybridParameters"]

TEACHER_LABELS = 40_000.0
"""What the teacher's word is worth where neither the user nor the search says."""

LESS_TRUST = (0.0, 0.1)
"""Shares of the teacher's usual weight to try: none (the neural track), then, if that is better, some."""

STILL_TAUGHT = 2.0
"""With a larger lambda the teacher holds the net back, and how strongly it is penalised matters little."""

LEAST_LAMBDA = 0.2
"""A teacher that counts less than this is not asked: it would double the cost and change next to nothing."""

LOGIC_SHARE = 0.005
"""Of that, what a penalty for contradicting rules is worth: more of it ruins the probabilities."""

TAU_WORK = 4.0
"""Row passes that the choice of tau is worth, about."""


AnyHybrid = TypeVar("AnyHybrid", bound="HybridParameters")


@dataclass
class HybridParameters(Track):
    """The parameters of `toolkit.tracks.hybrid.Hybrid`, which describes them, and their choice."""

    knowledge: Path
    teacher_labels: Annotated[float, Field(ge=0)] | None = None
    witnesses: Annotated[float, Field(ge=0, le=10)] = 0.5
    tau: Annotated[float, Field(gt=0)] | None = None
    ablation: Ablation = "none"
    flip_signs: Annotated[float, Field(ge=0, le=1)] = 0.0
    strength: Literal["auto", "strong", "medium", "weak"] = "auto"
    width: Annotated[int, Field(ge=1, le=4096)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    penalty: Annotated[float, Field(ge=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_rows: Annotated[int, Field(ge=1)] | None = None
    unlabelled_rows: Annotated[int, Field(ge=1)] = 50_000
    search_rows: Annotated[int, Field(ge=100)] = 20_000

    def check(self, schema: Schema, folder: Path) -> Self:
        """Return a copy with the knowledge base's path resolved, after compiling it once.

        Raises
        ------
        KnowledgeError
            The file cannot be read or does not fit the task's columns.
        """
        # Here and not above: checks shape no result, so they are no part of a cell's fingerprint.
        from toolkit.knowledge.checks.gate import load_checked

        path = (folder / self.knowledge).resolve()
        load_checked(path, schema)
        return replace(self, knowledge=path)

    def recipe(self, n_rows: int) -> Recipe:
        """Return what is trained on `n_rows` rows: the neural track's recipe."""
        strength: Strength = "strong" if self.strength == "auto" else self.strength
        names = ("width", "dropout", "penalty", "learning_rate", "epochs", "batch_rows")
        return Recipe.for_rows(n_rows, strength, **{name: getattr(self, name) for name in names})

    @property
    def has_teacher(self) -> bool:
        """Whether the rules teach the net; some ablations bring them in otherwise."""
        return self.ablation not in ("firings_as_features", "logic_loss")

    def trust(self, n_labels: int) -> float:
        """Return lambda, the weight of the unlabelled rows against the mean loss of the labelled."""
        labels = TEACHER_LABELS if self.teacher_labels is None else self.teacher_labels
        value = labels / max(n_labels, 1)
        if not self.has_teacher:
            return value * LOGIC_SHARE if self.ablation == "logic_loss" else 0.0
        return value if value >= LEAST_LAMBDA else 0.0

    def search(self, train: TrainingData, *, budget_fits: float, seed: int) -> Self:
        """Choose tau by grouped cross-validation of the teacher, then trust and strength on held-out rows."""
        if not len(train):
            return replace(self)
        n_rows = len(train)
        budget = Budget(budget_fits * (self._work(n_rows) + self._trial_work(n_rows)))
        affordable = budget.take(TAU_WORK * min(n_rows, self.search_rows))
        track = self._with_tau(train, seed) if affordable else self
        return track.decided(train, seed, budget)

    def decided(self, train: TrainingData, seed: int, budget: Budget | None = None) -> Self:
        """Return a track whose trust in the teacher and whose strength are chosen.

        Parameters
        ----------
        train : TrainingData
        seed : int
        budget : Budget, optional
            What does not fit into it is left at its usual value.
        """
        usual = TEACHER_LABELS if self.teacher_labels is None else self.teacher_labels
        track = replace(
            self, teacher_labels=usual, strength="strong" if self.strength == "auto" else self.strength
        )
        if not len(train):
            return track
        sample = sample_clusters(train, self.search_rows, seed)
        if self._doubts(len(train)):
            track = track._trusting(sample, seed, budget)
        if self.strength == "auto" and track.trust(len(train)) <= STILL_TAUGHT:
            strengths = [replace(track, strength=each) for each in STRENGTHS]
            track = most_trusting(_afforded(strengths, len(sample), budget), sample, seed)
        return track

    def _trusting(self, sample: TrainingData, seed: int, budget: Budget | None) -> Self:
        """Return the track that trusts the teacher as far as held-out clusters do not speak against it."""
        usual = self.teacher_labels or 0.0
        none, some = (replace(self, teacher_labels=share * usual) for share in LESS_TRUST)
        if most_trusting(_afforded([self, none], len(sample), budget), sample, seed) is self:
            return self
        both = _afforded([some, none], len(sample), budget)
        return most_trusting(both, sample, seed) if len(both) > 1 else none

    def _with_tau(self, train: TrainingData, seed: int) -> Self:
        if self.tau is not None or not self.has_teacher:
            return self
        sample = sample_clusters(train, self.search_rows, seed)
        expert = self._expert(knowledge_base.load(self.knowledge), train.schema, seed)
        teacher = self._before_labels(expert, self._unlabelled(train, seed), train.schema)
        rows = Evidence.of(expert, teacher.witnesses, sample.features)
        said = Labels(sample.labels, sample.clusters)
        folds = folds_of(sample.clusters, seed)
        return replace(self, tau=choose_tau(teacher, rows, said, folds, self._taus))

    @property
    def _taus(self) -> tuple[float, ...]:
        """Values of tau to choose from; rules without certainties must be free to move."""
        return TAUS[:-1] if self.ablation == "no_certainties" else TAUS

    def _doubts(self, n_rows: int) -> bool:
        """Return whether less trust in the teacher is tried."""
        return self.teacher_labels is None and self.has_teacher and self.trust(n_rows) > 0

    def _work(self, n_rows: int) -> float:
        """Return the work of one fit without trials, in row passes through a net of no width."""
        return self.recipe(n_rows).work(n_rows) * (2 if self.trust(n_rows) > 0 else 1)

    def _trial_work(self, n_rows: int) -> float:
        """Return the work of the trials that a fit with something left open does first."""
        rows = min(n_rows, self.search_rows)
        trust = 2 * n_trials(rows) * self._work(rows) if self._doubts(n_rows) else 0.0
        is_open = self.strength == "auto" and self.trust(n_rows) <= STILL_TAUGHT
        strengths: Iterator[Strength] = iter(STRENGTHS if is_open else ())
        return trust + sum(replace(self, strength=each)._work(rows) for each in strengths)

    # What search and fit both need of the teacher.

    def _expert(self, knowledge: KnowledgeBase, schema: Schema, seed: int) -> ExpertSystem:
        expert = compile_knowledge(knowledge, schema)
        if self.ablation == "no_certainties":
            return replace(expert, weights=np.zeros(expert.n_rules))
        return flipped(expert, self.flip_signs, seed) if self.flip_signs else expert

    def _before_labels(self, expert: ExpertSystem, unlabelled: pd.DataFrame, schema: Schema) -> Teacher:
        """Return the teacher that has seen unlabelled rows only."""
        rows = Evidence.of(expert, None, unlabelled)
        witnesses = None
        if self.witnesses > 0 and len(unlabelled):
            encoder = Encoder.learn(unlabelled, schema)
            logits = rows.prior + rows.certainties
            witnesses = Witnesses.learn(encoder, unlabelled, logits, expert.columns)
            rows = Evidence.of(expert, witnesses, unlabelled)
        return Teacher.before_labels(expert, witnesses, rows, self.witnesses)

    def _unlabelled(self, train: TrainingData, seed: int) -> pd.DataFrame:
        """Return the rows that the teacher speaks on: unlabelled ones, or the labelled where none are."""
        alone = self.ablation == "no_unlabelled" or not len(train.unlabelled)
        features = train.features if alone else train.unlabelled
        if len(features) <= self.unlabelled_rows:
            return features
        generator = np.random.default_rng(derive_seed("unlabelled", seed))
        return features.iloc[np.sort(generator.choice(len(features), self.unlabelled_rows, replace=False))]


def _afforded(candidates: Sequence[AnyHybrid], n_rows: int, budget: Budget | None) -> list[AnyHybrid]:
    """Return the candidates from the first on whose trials fit into the budget; one alone needs no trial."""
    found = list(candidates[:1])
    for candidate in candidates[1:]:
        new = [*found, candidate] if len(found) == 1 else [candidate]
        if budget is not None and not budget.take(n_trials(n_rows) * sum(each._work(n_rows) for each in new)):
            break
        found.append(candidate)
    return found
