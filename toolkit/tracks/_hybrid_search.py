"""What the hybrid track leaves open, and how it is chosen: tau, the trust in the teacher, the strength."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import pandas as pd
from pydantic import Field

from toolkit.errors import ParameterError
from toolkit.knowledge import base as knowledge_base
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import CLUSTER_ROWS, Encoder, cluster_share
from toolkit.tracks._hybrid_ablations import Ablation, flipped
from toolkit.tracks._hybrid_trials import TrustTrials, folds_of
from toolkit.tracks._net_track import NetTrack
from toolkit.tracks._search import search_track
from toolkit.tracks._teacher import TAUS, Evidence, Labels, Teacher, choose_tau
from toolkit.tracks._teacher_witnesses import Witnesses
from toolkit.tracks._trial import sample_clusters
from toolkit.tracks._work import Budget, net_seconds

__all__ = ["HybridParameters", "recorded_tau"]

TEACHER_LABELS = 40_000.0
"""What the teacher's word is worth where neither the user nor the search says, with `CLUSTER_ROWS` a cluster:
that of about 600 clusters."""

FEWEST_LABELS = 20
"""Without a teacher there is a net alone, and this is what a net needs."""

TRUST = (1.0, 0.0, 0.1)
"""Shares of the teacher's usual weight: all, none (the neural track), and some if none is better than all."""

TRUST_SHARE = 0.7
"""Of the budget, what the first comparison of trust may cost; it takes fewer rows where it must."""

STILL_TAUGHT = 2.0
"""With a larger lambda the teacher holds the net back, and how strongly it is penalised matters little."""

LEAST_LAMBDA = 0.2
"""A teacher that counts less than this is not asked: it would double the cost and change next to nothing."""

LOGIC_SHARE = 0.005
"""Share of the teacher's usual weight that contradicting rules costs: more ruins the probabilities."""

MANY_CLUSTERS = 100
"""From here on, held-out clusters can tell of the net even where the teacher holds it back."""

TEACHER_ROWS = 20_000
"""Labelled rows that the teacher is fitted on: it has one weight a rule, more rows change nothing."""

TEACHER_ROW = 5e-6
TAU_ROW = 16e-6
"""Nominal CPU-seconds a row of fitting the teacher, and of choosing tau for it."""

TAU_CALL = 30e-3
"""Nominal CPU-seconds of choosing tau before any row is looked at."""

IDLE: dict[str, tuple[str, ...]] = {
    "teacher_labels: 0": ("tau", "flip_signs"),
    "ablation: no_certainties": ("flip_signs",),
    "ablation: firings_as_features": ("tau", "flip_signs", "teacher_labels"),
    "ablation: logic_loss": ("tau",),
}
"""What has no effect without the part of the hybrid that it is about."""

UNLABELLED_CELL = 60e-9
"""Nominal CPU-seconds a value of an unlabelled row."""


@dataclass
class HybridParameters(NetTrack):
    """The parameters of `toolkit.tracks.hybrid.Hybrid`, which describes them, and their choice."""

    knowledge: Path = field(kw_only=True)
    teacher_labels: Annotated[float, Field(ge=0)] | None = None
    witnesses: Annotated[float, Field(ge=0, le=10)] = 0.5
    tau: Annotated[float, Field(gt=0)] | None = None
    ablation: Ablation = "none"
    flip_signs: Annotated[float, Field(ge=0, le=1)] = 0.0
    unlabelled_rows: Annotated[int, Field(ge=1)] = 50_000

    def check(self, schema: Schema, folder: Path) -> Self:
        """Return a copy with the knowledge base's path resolved, after compiling it once.

        Raises
        ------
        KnowledgeError
            The file cannot be read or does not fit the task's columns.
        ParameterError
        """
        # Here and not above: checks shape no result, so they are no part of a cell's fingerprint.
        from toolkit.knowledge.checks.gate import load_checked

        super().check(schema, folder)
        self._check_ablation()
        path = (folder / self.knowledge).resolve()
        load_checked(path, schema)
        return replace(self, knowledge=path)

    def _check_ablation(self) -> None:
        """Refuse what has no effect without the part that it is about."""
        cause = f"ablation: {self.ablation}"
        if self.ablation == "none" and self.teacher_labels == 0:
            cause = "teacher_labels: 0"
        given = {
            "tau": self.tau is not None,
            "flip_signs": self.flip_signs > 0,
            "teacher_labels": self.teacher_labels is not None,
        }
        for name in IDLE.get(cause, ()):
            if given[name]:
                raise ParameterError(f"with {cause}, '{name}' has no effect", path=(name,))

    @property
    def has_teacher(self) -> bool:
        """Whether the rules teach the net; some ablations bring them in otherwise."""
        return self.ablation not in ("firings_as_features", "logic_loss")

    def trust(self, n_labels: int, cluster_rows: float = CLUSTER_ROWS) -> float:
        """Return lambda, the weight of the unlabelled rows against the mean loss of the labelled."""
        usual = TEACHER_LABELS * cluster_share(cluster_rows)
        value = (usual if self.teacher_labels is None else self.teacher_labels) / max(n_labels, 1)
        if not self.has_teacher:
            return value * LOGIC_SHARE if self.ablation == "logic_loss" else 0.0
        return value if value >= LEAST_LAMBDA else 0.0

    def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float:
        """Return the nominal CPU-seconds of a fit; a teacher that is asked doubles the rows of a step.

        Unlabelled rows are read for what agrees with the experts, and for what the teacher says of them.
        """
        net = super().fit_seconds(n_rows, schema)
        if self.trust(n_rows) > 0:
            net += net_seconds(self.recipe(n_rows), n_rows, schema)
        return net + TEACHER_ROW * min(n_rows, TEACHER_ROWS) + self._reading_seconds(schema, n_unlabelled)

    def _tau_seconds(self, train: TrainingData) -> float:
        rows = TAU_ROW * min(len(train), TEACHER_ROWS)
        return TAU_CALL + rows + self._reading_seconds(train.schema, len(train.unlabelled))

    def _reading_seconds(self, schema: Schema, n_unlabelled: int) -> float:
        n_read = 0 if self.ablation == "no_unlabelled" else min(n_unlabelled, self.unlabelled_rows)
        return UNLABELLED_CELL * n_read * len(schema.columns)

    def search(self, train: TrainingData, *, budget_cpu_seconds: float, seed: int) -> Self:
        """Choose the trust in the teacher, then tau, then the net, as far as the one budget reaches.

        While the teacher holds the net back (`STILL_TAUGHT`), how strongly the net is penalised matters
        little, and what few clusters say of it is luck: the net then stays as it usually is.
        """
        if not len(train):
            return replace(self)
        budget = Budget(budget_cpu_seconds)
        levels = [replace(self, teacher_labels=labels) for labels in self._levels_of_trust(train)]
        # a net that is freer as well: held back by its penalty instead, it would be no better without experts
        levels[1:] = [replace(level, strength=self.strength or "medium") for level in levels[1:]]
        trials = TrustTrials(train, seed, levels[:2], TRUST_SHARE * budget_cpu_seconds)
        track = self._trusting(levels, trials, budget)
        seconds = self._tau_seconds(train)
        is_open = self.tau is None and self.has_teacher and track.trust(len(train)) > 0
        if is_open and budget.take(seconds):
            track = track._with_tau(train, seed)
            trials.add({"tau": recorded_tau(track.tau)}, min(len(train), TEACHER_ROWS), seconds)
        n_clusters = len(np.unique(train.clusters))
        if track.trust(len(train)) <= STILL_TAUGHT or n_clusters >= MANY_CLUSTERS:
            open_again = replace(track, strength=self.strength)
            # what doubt has led to comes first, and has to be beaten
            first = sorted(open_again.first(), key=lambda each: each.get("strength") != track.strength)
            found = search_track(open_again, train, budget_cpu_seconds=budget.left, seed=seed, first=first)
            # where the budget did not reach it, nobody has met it
            is_compared = bool(found.trials_) and found.trials_[0].state != "pruned"
            if is_compared:
                track = found
            track.trials_ = trials.numbered(track.teacher_labels, found.trials_)
            return track
        track.trials_ = trials.numbered(track.teacher_labels, ())
        return track

    def _levels_of_trust(self, train: TrainingData) -> list[float]:
        """Return what the teacher's word may be worth, in labels; one value where there is no choice."""
        if self.teacher_labels is not None:
            return [self.teacher_labels]
        usual = TEACHER_LABELS * cluster_share(train.cluster_rows)
        is_asked = self.has_teacher and self.trust(len(train), train.cluster_rows) > 0
        is_choice = is_asked and len(train) >= FEWEST_LABELS
        return [share * usual for share in TRUST] if is_choice else [usual]

    def _trusting(self, levels: list[Self], trials: TrustTrials, budget: Budget) -> Self:
        """Return the track that trusts the teacher as far as held-out clusters do not speak against it."""
        if len(levels) == 1:
            return levels[0]
        usual, none, some = levels
        if not trials.surely_better(none, usual, budget):
            return usual
        # a word of next to nothing is not asked for: some is none then
        if some.trust(len(trials.train), trials.train.cluster_rows) == 0:
            return none
        return none if not trials.surely_better(some, none, budget) else some

    def _with_tau(self, train: TrainingData, seed: int) -> Self:
        """Return this track with the tau that grouped cross-validation finds."""
        sample = sample_clusters(train, TEACHER_ROWS, seed)
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


def recorded_tau(tau: float | None) -> float | str | None:
    """Return tau as a record has it."""
    return "infinite" if tau == float("inf") else tau
