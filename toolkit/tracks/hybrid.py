"""The hybrid track: the neural track's net, taught by the experts' rules where labels are few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit

from toolkit.errors import TooFewLabelsError
from toolkit.knowledge import base as knowledge_base
from toolkit.knowledge.spread import column_spread
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net import STRENGTHS, Net, Recipe, Strength
from toolkit.tracks._search import Budget, Contest, Trial, sample_clusters
from toolkit.tracks._teacher import TAUS, Teacher, choose_tau
from toolkit.tracks.base import Track

if TYPE_CHECKING:
    from toolkit.knowledge.explain.explainer import Explanations

__all__ = ["Hybrid"]

LAMBDAS = (0.0, 1.0, 5.0, 25.0, 100.0)
FOLDS = 5
TEACHER_ROWS = 20_000
"""Labelled rows that the teacher is fitted on: it has one weight a rule, more rows change nothing."""

TEACHER_LABELS = 6_000.0
"""What the teacher's word is worth where neither the user nor the search says."""

TAU_WORK = 4.0
"""Row passes that the choice of tau is worth, about."""

LEAST_LAMBDA = 0.05
"""A teacher that counts less than this is not asked: it would double the cost and change next to nothing."""


@dataclass
class Hybrid(Track):
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
    strength : {"auto", "strong", "medium", "weak"}
        Of the regularisation; ``auto`` fits all three on a part of at most `search_rows` rows and
        keeps the best.
    width, dropout, penalty, learning_rate, epochs, batch_rows : optional
        As in `toolkit.tracks._net.Recipe`.
    unlabelled_rows : int
        Most unlabelled rows that are used.
    search_rows : int
        Most labelled rows that a trial uses.
    """

    knowledge: Path
    teacher_labels: Annotated[float, Field(ge=0)] | None = None
    tau: Annotated[float, Field(gt=0)] | None = None
    strength: Literal["auto", "strong", "medium", "weak"] = "auto"
    width: Annotated[int, Field(ge=1, le=4096)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    penalty: Annotated[float, Field(ge=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_rows: Annotated[int, Field(ge=1)] | None = None
    unlabelled_rows: Annotated[int, Field(ge=1)] = 50_000
    search_rows: Annotated[int, Field(ge=100)] = 20_000

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

    def recipe(self, n_rows: int, strength: Strength) -> Recipe:
        """Return what is trained on `n_rows` rows: the neural track's recipe."""
        names = ("width", "dropout", "penalty", "learning_rate", "epochs", "batch_rows")
        return Recipe.for_rows(n_rows, strength, **{name: getattr(self, name) for name in names})

    def search(self, train: TrainingData, *, budget_fits: float, seed: int) -> Self:
        """Choose tau by grouped cross-validation of the teacher, then the rest on the inner split."""
        if not len(train):
            return replace(self)
        budget = Budget(budget_fits * self._work(len(train)))
        trial = Trial.of(train, self.search_rows, seed)
        affordable = budget.take(TAU_WORK * min(len(train), self.search_rows))
        track = self._with_tau(train, seed) if trial.possible and affordable else self
        contest: Contest[Self] = Contest(trial, budget, lambda track: track._work(len(trial.fitting)))
        contest.enter(track._strengths(), path=True)
        if self.teacher_labels is None:
            contest.enter(contest.best(track)._other_lambdas(len(trial.fitting)))
        leader = contest.best(track)
        return replace(leader)

    def _with_tau(self, train: TrainingData, seed: int) -> Self:
        if self.tau is not None:
            return self
        sample = sample_clusters(train, self.search_rows, seed)
        folds = _folds(sample.clusters, seed)
        tau = choose_tau(self._expert(train.schema), sample.features, sample.labels, folds)
        return replace(self, tau=tau)

    def _work(self, n_rows: int) -> float:
        """Return the work of a fit to `n_rows` rows, in row passes through a net of no width."""
        if self.strength != "auto":
            recipe = self.recipe(n_rows, self.strength)
            return recipe.work(n_rows) * (2 if self._lambda(n_rows) > 0 else 1)
        trials = sum(candidate._work(min(n_rows, self.search_rows)) for candidate in self._strengths())
        return trials + replace(self, strength="strong")._work(n_rows)

    def _strengths(self) -> Iterator[Self]:
        for strength in STRENGTHS if self.strength == "auto" else [self.strength]:
            yield replace(self, strength=strength)

    def _other_lambdas(self, n_rows: int) -> Iterator[Self]:
        """Yield this track with other weights of the teacher, the nearest first."""
        usual = self._lambda(n_rows)
        for value in sorted(LAMBDAS, key=lambda value: abs(np.log((value + 0.1) / (usual + 0.1)))):
            yield replace(self, teacher_labels=value * n_rows)

    def _lambda(self, n_labels: int) -> float:
        labels = TEACHER_LABELS if self.teacher_labels is None else self.teacher_labels
        value = labels / max(n_labels, 1)
        return value if value >= LEAST_LAMBDA else 0.0

    def _expert(self, schema: Schema) -> ExpertSystem:
        return compile_knowledge(knowledge_base.load(self.knowledge), schema)

    def warm_up(self, few: TrainingData) -> None:
        """Train for one epoch: what a first training initialises does not grow with its length."""
        replace(self, strength="strong", epochs=1).fit(few, seed=0)

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Fit the teacher, then the net, and return self.

        Raises
        ------
        TooFewLabelsError
            There are neither labelled nor unlabelled rows.
        MissingColumnError
        """
        from toolkit.tracks import _torch

        if not len(train) and not len(train.unlabelled):
            raise TooFewLabelsError("Hybrid needs labelled or unlabelled rows to learn from, got neither")
        self.schema_ = train.schema
        self.knowledge_ = knowledge_base.load(self.knowledge)
        self.expert_ = compile_knowledge(self.knowledge_, train.schema)
        self.levels_ = {column.name: column.levels for column in train.schema.categories}
        self.lambda_ = self._lambda(len(train)) if len(train) else float("inf")
        self.teacher_ = self._teach(train, seed)
        unlabelled = self._unlabelled(train, seed)
        self.strength_ = self._choose_strength(train, seed)
        self.recipe_ = self.recipe(len(train) or len(unlabelled), self.strength_)
        features = train.features if len(train) else unlabelled
        self.spread_ = column_spread(features, list(self.knowledge_.columns))
        encoder = Encoder.learn(features, train.schema)
        targets = []
        if len(train):
            targets.append(_torch.Target(encoder.transform(train.features), train.labels))
        if self.lambda_ > 0:
            taught = expit(self.teacher_.logit(self.expert_, unlabelled))
            weight = self.lambda_ if len(train) else 1.0
            targets.append(_torch.Target(encoder.transform(unlabelled), taught, weight))
        self.net_, self.steps_ = _torch.train(encoder, self.recipe_, targets, seed=derive_seed("net", seed))
        self.step_rows_ = sum(min(self.recipe_.batch_rows, len(target.rows)) for target in targets)
        return self

    def _choose_strength(self, train: TrainingData, seed: int) -> Strength:
        if self.strength != "auto":
            return self.strength
        if not len(train):
            # the teacher's word has no noise that a net could learn by mistake
            return "weak"
        contest: Contest[Hybrid] = Contest(Trial.of(train, self.search_rows, seed))
        contest.enter(self._strengths(), path=True)
        found = contest.best(self).strength
        return "strong" if found == "auto" else found

    def _teach(self, train: TrainingData, seed: int) -> Teacher:
        """Fit the teacher on labelled rows; without any it is the experts' word, scaled down."""
        if not len(train):
            return Teacher(shifts=np.zeros(len(self.expert_.weights)))
        sample = sample_clusters(train, TEACHER_ROWS, seed)
        tau = TAUS[-1] if self.tau is None else self.tau
        return Teacher.fit(self.expert_, sample.features, sample.labels, tau)

    def _unlabelled(self, train: TrainingData, seed: int) -> pd.DataFrame:
        """Return the rows that the teacher speaks on: unlabelled ones, or the labelled where none are."""
        features = train.unlabelled if len(train.unlabelled) else train.features
        if len(features) <= self.unlabelled_rows:
            return features
        generator = np.random.default_rng(derive_seed("unlabelled", seed))
        return features.iloc[np.sort(generator.choice(len(features), self.unlabelled_rows, replace=False))]

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,), with the experts' hard facts over it.

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        self._require_fitted("net_")
        net: Net = self.net_
        return self.expert_.shield(features, net.predict_proba(features))

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

        self._require_fitted("net_")
        self._require_columns(features, self.expert_.columns)
        explainer = Explainer.of(
            self.knowledge_,
            self.expert_,
            self.levels_,
            scale=self.teacher_.scale,
            shifts=self.teacher_.shifts,
            bias=self.teacher_.bias,
            spread=self.spread_,
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
            "strength": self.strength_,
            **self.recipe_.__dict__,
            "n_parameters": self.net_.n_parameters,
            "steps": self.steps_,
        }

    def flop_counts(self) -> dict[str, float]:
        """Return matrix FLOPs of the fit and of predicting a row, from one probe step."""
        from toolkit.tracks import _torch

        if not hasattr(self, "net_"):
            return {}
        step_flop, row_flop = _torch.count_flops(self.net_.encoder, self.recipe_, self.step_rows_)
        return {"fit_flop": step_flop * self.steps_, "predict_flop_per_row": row_flop}


def _folds(clusters: NDArray[np.int32], seed: int) -> NDArray[np.intp]:
    """Return a fold for every row; rows of one cluster share theirs."""
    names, codes = np.unique(clusters, return_inverse=True)
    generator = np.random.default_rng(derive_seed("folds", seed))
    folds: NDArray[np.intp] = (generator.permutation(len(names)) % FOLDS)[codes]
    return folds
