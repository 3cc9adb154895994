"""The hybrid track: the neural track's net, taught by the experts' rules where labels are few."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit

from toolkit.errors import TooFewLabelsError
from toolkit.knowledge import base as knowledge_base
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net_track import NetTrack
from toolkit.tracks._search import Attempt, Trial, sample_clusters
from toolkit.tracks._teacher import Teacher
from toolkit.tracks._work import net_seconds
from toolkit.tracks.base import few_rows

if TYPE_CHECKING:
    from toolkit.knowledge.explain.explainer import Explanations
    from toolkit.tracks._torch import Trained

__all__ = ["Hybrid"]

TEACHER_CHOICES = (6_000.0, 0.0, 1_500.0, 25_000.0)
"""Values of `teacher_labels` that the search draws from, the usual one first; 0 is the neural track."""

TEACHER_ROWS = 20_000
"""Labelled rows that the teacher is fitted on: it has one weight a rule, more rows change nothing."""

TEACHER_LABELS = 6_000.0
"""What the teacher's word is worth where neither the user nor the search says."""

TAU_CHOICES = (1e6, 64.0, 16.0, 4.0, 1.0)
"""Values of `tau` that the search draws from, the usual one first: it lets no rule be corrected."""

NO_SHIFTS = TAU_CHOICES[0]

TEACHER_ROW = 40e-6
"""Nominal CPU-seconds a row of fitting the teacher, cross-validation of tau included."""

LEAST_LAMBDA = 0.05
"""A teacher that counts less than this is not asked: it would double the cost and change next to nothing."""


@dataclass
class Hybrid(NetTrack):
    """A net that learns from labels and, on unlabelled rows, from a teacher made of expert rules.

    The net's loss is ``BCE(labelled) + lambda BCE(unlabelled, teacher)``. With ``lambda = 0`` it is
    the neural track. Without labels it learns from the teacher alone. What the knowledge base
    says never or always to do overrules the net.

    Parameters
    ----------
    knowledge : Path
        The knowledge base, relative to the experiment file.
    teacher_labels : float, optional
        How many labels the teacher's word is worth: ``lambda = teacher_labels / n_labels``.
    tau : float, optional
        Precision that holds the teacher's corrections of single rules back; infinity allows none.
    unlabelled_rows : int
        Most unlabelled rows that are used.

    The parameters of the net are those of `toolkit.tracks._net_track.NetTrack`.
    """

    knowledge: Path = field(kw_only=True)
    teacher_labels: Annotated[float, Field(ge=0)] | None = None
    tau: Annotated[float, Field(gt=0)] | None = None
    unlabelled_rows: Annotated[int, Field(ge=1)] = 50_000

    title: ClassVar[str] = "hybrid (rules teach a net)"
    min_labels: ClassVar[int] = 0
    imports: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "scipy.optimize", "torch")

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

    def fit_seconds(self, n_rows: int, schema: Schema) -> float:
        """Return the nominal CPU-seconds of a fit: a teacher that is asked doubles the rows."""
        net = net_seconds(self.recipe(n_rows), n_rows, schema)
        return net * (2 if self._lambda(n_rows) > 0 else 1) + TEACHER_ROW * min(n_rows, TEACHER_ROWS)

    def search(self, train: TrainingData, *, budget_cpu_seconds: float, seed: int) -> Self:
        """Choose parameters within the budget; without labels there is nothing to choose by."""
        if not len(train):
            return replace(self)
        return super().search(train, budget_cpu_seconds=budget_cpu_seconds, seed=seed)

    def _choices(self) -> dict[str, list[Any]]:
        """Return what is searched besides the strength, the teacher's weight included."""
        teacher = {"teacher_labels": list(TEACHER_CHOICES)} if self.teacher_labels is None else {}
        tau = {"tau": list(TAU_CHOICES)} if self.tau is None else {}
        return {**teacher, **tau, **super()._choices()}

    def _lambda(self, n_labels: int) -> float:
        labels = TEACHER_LABELS if self.teacher_labels is None else self.teacher_labels
        value = labels / max(n_labels, 1)
        return value if value >= LEAST_LAMBDA else 0.0

    def _expert(self, schema: Schema) -> ExpertSystem:
        return compile_knowledge(knowledge_base.load(self.knowledge), schema)

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Fit the teacher, then the net, and return self.

        Raises
        ------
        TooFewLabelsError
            There are neither labelled nor unlabelled rows.
        MissingColumnError
        """
        if not len(train) and not len(train.unlabelled):
            raise TooFewLabelsError("Hybrid needs labelled or unlabelled rows to learn from, got neither")
        self._train(train, seed)
        return self

    def attempt(self, trial: Trial) -> Attempt[Self]:
        """Train on the trial's rows, stopping early by its held-out ones."""
        track = replace(self)
        trained = track._train(trial.fitting, trial.seed, held_out=trial.held_out)
        return Attempt(
            track.predict_proba(trial.held_out.features),
            settled=track._settled(trained),
            used=trained.epochs / track.recipe_.epochs,
        )

    def _train(self, train: TrainingData, seed: int, held_out: TrainingData | None = None) -> Trained:
        from toolkit.tracks import _torch

        self.knowledge_ = knowledge_base.load(self.knowledge)
        self.expert_ = compile_knowledge(self.knowledge_, train.schema)
        self.levels_ = {column.name: column.levels for column in train.schema.categories}
        self.lambda_ = self._lambda(len(train)) if len(train) else float("inf")
        self.teacher_ = self._teach(train, seed)
        unlabelled = self._unlabelled(train, seed)
        # the teacher's word has no noise that a net could learn by mistake
        free = replace(self, strength="weak") if not len(train) and self.strength is None else self
        self.recipe_ = free.recipe(len(train) or len(unlabelled), train.cluster_rows)
        self.seen_ = few_rows(train.features if len(train) else unlabelled)
        encoder = Encoder.learn(train.features if len(train) else unlabelled, train.schema)
        targets = []
        if len(train):
            targets.append(_torch.Target(encoder.transform(train.features), train.labels))
        if self.lambda_ > 0:
            taught = expit(self.teacher_.logit(self.expert_, unlabelled))
            weight = self.lambda_ if len(train) else 1.0
            targets.append(_torch.Target(encoder.transform(unlabelled), taught, weight))
        watched = None
        if held_out is not None:
            rows = encoder.transform(held_out.features)
            watched = _torch.HeldOut(rows, held_out.labels, held_out.clusters)
        trained = _torch.train(
            encoder, self.recipe_, targets, seed=derive_seed("net", seed), held_out=watched
        )
        self.net_, self.steps_ = trained.net, trained.steps
        self.step_rows_ = sum(min(self.recipe_.batch_rows, len(target.rows)) for target in targets)
        return trained

    def _teach(self, train: TrainingData, seed: int) -> Teacher:
        """Fit the teacher on labelled rows; without any it is the experts' word, scaled down."""
        if not len(train):
            return Teacher(shifts=np.zeros(len(self.expert_.weights)))
        sample = sample_clusters(train, TEACHER_ROWS, seed)
        tau = NO_SHIFTS if self.tau is None else self.tau
        return Teacher.fit(self.expert_, sample.features, sample.labels, tau)

    def _unlabelled(self, train: TrainingData, seed: int) -> pd.DataFrame:
        """Return the rows that the teacher speaks on: unlabelled ones, or the labelled where none are."""
        features = train.unlabelled if len(train.unlabelled) else train.features
        if len(features) <= self.unlabelled_rows:
            return features
        generator = np.random.default_rng(derive_seed("unlabelled", seed))
        return features.iloc[np.sort(generator.choice(len(features), self.unlabelled_rows, replace=False))]

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,), with the experts' hard facts over it.

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        self._require_fitted("net_")
        return self.expert_.shield(features, self.net_.predict_proba(features))

    def explain(self, features: pd.DataFrame) -> Explanations:
        """Explain every row: the rules as the teacher weighs them, and the net's correction of the teacher.

        ``z(x) = b + logit prior(x) + sum of (a w_r + delta_r) t_r(x) + r(x)``, with r the correction; then
        the hard facts.

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        # explaining is no part of a cell: neither its imports nor its program text
        from toolkit.knowledge.explain.explainer import Explainer
        from toolkit.knowledge.explain.sides import column_spread

        self._require_fitted("net_")
        self._require_columns(features, self.expert_.columns)
        explainer = Explainer.of(
            self.knowledge_,
            self.expert_,
            self.levels_,
            scale=self.teacher_.scale,
            shifts=self.teacher_.shifts,
            bias=self.teacher_.bias,
            spread=column_spread(self.seen_, list(self.knowledge_.columns)),
        )
        return explainer.explain(features, self.net_.logit(features))

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return lambda, the teacher and the recipe."""
        if not hasattr(self, "net_"):
            return {}
        return {
            "lambda": self.lambda_ if np.isfinite(self.lambda_) else None,
            "tau": self.tau,
            "teacher_scale": self.teacher_.scale,
            "teacher_bias": self.teacher_.bias,
            **super().chosen(),
        }
