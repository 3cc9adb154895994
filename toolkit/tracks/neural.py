"""The neural track: a small net on encoded numbers and category embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net import STRENGTHS, Net, Recipe, Strength
from toolkit.tracks._search import Budget, Contest, Trial
from toolkit.tracks.base import Track

__all__ = ["Neural"]


@dataclass
class Neural(Track):
    """Linear part plus two-layer nets with category embeddings, trained by Adam.

    Every parameter that is not given follows from the number of training rows, see
    `toolkit.tracks._net.Recipe.for_rows`.

    Parameters
    ----------
    strength : {"auto", "strong", "medium", "weak"}
        Of the regularisation; ``auto`` fits all three on a part of at most `search_rows` rows and
        keeps the best.
    width, dropout, penalty, learning_rate, epochs, batch_rows : optional
        As in `toolkit.tracks._net.Recipe`.
    search_rows : int
        Most labelled rows that a trial uses.
    """

    strength: Literal["auto", "strong", "medium", "weak"] = "auto"
    width: Annotated[int, Field(ge=1, le=4096)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    penalty: Annotated[float, Field(ge=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_rows: Annotated[int, Field(ge=1)] | None = None
    search_rows: Annotated[int, Field(ge=100)] = 20_000

    title: ClassVar[str] = "neural (multi-layer perceptron)"
    min_labels: ClassVar[int] = 20
    imports: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "scipy.special", "torch")

    def recipe(self, n_rows: int, strength: Strength) -> Recipe:
        """Return what is trained on `n_rows` labelled rows."""
        names = ("width", "dropout", "penalty", "learning_rate", "epochs", "batch_rows")
        return Recipe.for_rows(n_rows, strength, **{name: getattr(self, name) for name in names})

    def search(self, train: TrainingData, *, budget_fits: float, seed: int) -> Self:
        """Choose regularisation and shape on the inner split, within the budget."""
        self._require_labels(train)
        budget = Budget(budget_fits * self._work(len(train)))
        trial = Trial.of(train, self.search_rows, seed)
        contest: Contest[Self] = Contest(trial, budget, lambda track: track._work(len(trial.fitting)))
        contest.enter(self._strengths(), path=True)
        contest.enter(contest.best(self)._variations(len(trial.fitting)))
        leader = contest.best(self)
        return replace(leader)

    def _work(self, n_rows: int) -> float:
        """Return the work of a fit to `n_rows` rows, in row passes through a net of no width."""
        if self.strength != "auto":
            recipe = self.recipe(n_rows, self.strength)
            return recipe.work(n_rows)
        trials = sum(candidate._work(min(n_rows, self.search_rows)) for candidate in self._strengths())
        return trials + replace(self, strength="strong")._work(n_rows)

    def _strengths(self) -> Iterator[Self]:
        for strength in STRENGTHS if self.strength == "auto" else [self.strength]:
            yield replace(self, strength=strength)

    def _variations(self, n_rows: int) -> Iterator[Self]:
        """Yield this track with one thing changed that the user has not given."""
        if self.strength == "auto":
            return
        usual = self.recipe(n_rows, self.strength)
        if self.dropout is None:
            yield replace(self, dropout=0.2)
        if self.epochs is None:
            yield replace(self, epochs=2 * usual.epochs)
        if self.learning_rate is None:
            yield replace(self, learning_rate=usual.learning_rate / 3)

    def warm_up(self, few: TrainingData) -> None:
        """Train for one epoch: what a first training initialises does not grow with its length."""
        replace(self, strength="strong", epochs=1).fit(few, seed=0)

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows and return self.

        Raises
        ------
        TooFewLabelsError, OneClassError, MissingColumnError
        """
        from toolkit.tracks import _torch

        self._require_labels(train)
        self.schema_ = train.schema
        self.strength_ = self._choose_strength(train, seed)
        self.recipe_ = self.recipe(len(train), self.strength_)
        encoder = Encoder.learn(train.features, train.schema)
        target = _torch.Target(encoder.transform(train.features), train.labels)
        self.net_, self.steps_ = _torch.train(encoder, self.recipe_, [target], seed=derive_seed("net", seed))
        self.step_rows_ = min(self.recipe_.batch_rows, len(train))
        return self

    def _choose_strength(self, train: TrainingData, seed: int) -> Strength:
        if self.strength != "auto":
            return self.strength
        contest: Contest[Neural] = Contest(Trial.of(train, self.search_rows, seed))
        contest.enter(self._strengths(), path=True)
        found = contest.best(self).strength
        return "strong" if found == "auto" else found

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,).

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        self._require_fitted("net_")
        net: Net = self.net_
        return net.predict_proba(features)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the recipe and the number of parameters."""
        if not hasattr(self, "net_"):
            return {}
        return {
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
