"""The neural track: a small net on encoded numbers and category embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net import Net, Recipe
from toolkit.tracks._search import Budget, choose, row_losses, sample_clusters
from toolkit.tracks.base import Track

__all__ = ["Neural"]


@dataclass
class Neural(Track):
    """Linear part plus two-layer nets with category embeddings, trained by Adam.

    Every parameter that is not given follows from the number of training rows, see
    `toolkit.tracks._net.Recipe.for_rows`.

    Parameters
    ----------
    width, dropout, penalty, learning_rate, epochs, batch_rows : optional
        As in `toolkit.tracks._net.Recipe`.
    search_rows : int
        Most labelled rows that a trial of the search uses.
    """

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

    def recipe(self, n_rows: int) -> Recipe:
        """Return what is trained on `n_rows` labelled rows."""
        names = ("width", "dropout", "penalty", "learning_rate", "epochs", "batch_rows")
        return Recipe.for_rows(n_rows, **{name: getattr(self, name) for name in names})

    def search(self, train: TrainingData, *, budget_cpu_seconds: float, seed: int) -> Self:
        """Choose regularisation and length of training on the inner split, within the budget."""
        self._require_labels(train)
        budget = Budget(budget_cpu_seconds)
        fitting, held_out = sample_clusters(train, self.search_rows, seed).inner_split(seed)

        def losses(track: Self) -> NDArray[np.float64]:
            return row_losses(held_out.labels, track.fit(fitting, seed=seed).predict_proba(held_out.features))

        if len(np.unique(fitting.labels)) < 2 or not len(held_out):
            return replace(self)
        found = choose(
            self._candidates(len(fitting)),
            losses,
            clusters=held_out.clusters,
            budget=budget,
            first_cost_seconds=budget_cpu_seconds * len(fitting) / len(train),
        )
        return replace(found or self)

    def _candidates(self, n_rows: int) -> Iterator[Self]:
        """Yield this track, then variations of what was not given."""
        yield replace(self)
        usual = self.recipe(n_rows)
        for name, factors in (
            ("epochs", (0.5, 2.0)),
            ("penalty", (4.0, 0.25)),
            ("learning_rate", (0.4,)),
        ):
            if getattr(self, name) is None:
                for factor in factors:
                    value = getattr(usual, name) * factor
                    yield replace(self, **{name: value if name == "penalty" else round(value)})

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows and return self.

        Raises
        ------
        TooFewLabelsError, OneClassError, MissingColumnError
        """
        from toolkit.tracks import _torch

        self._require_labels(train)
        encoder = Encoder.learn(train.features, train.schema)
        recipe = self.recipe(len(train))
        target = _torch.Target(encoder.transform(train.features), train.labels)
        self.net_, self.steps_ = _torch.train(encoder, recipe, [target], seed=derive_seed("net", seed))
        self.recipe_ = recipe
        self.batch_rows_ = min(recipe.batch_rows, len(train))
        return self

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
        return {**self.recipe_.__dict__, "n_parameters": self.net_.n_parameters, "steps": self.steps_}

    def flop_counts(self) -> dict[str, float]:
        """Return matrix FLOPs of the fit and of predicting a row, from one probe step."""
        from toolkit.tracks import _torch

        if not hasattr(self, "net_"):
            return {}
        step_flop, row_flop = _torch.count_flops(self.net_.encoder, self.recipe_, self.batch_rows_)
        return {"fit_flop": step_flop * self.steps_, "predict_flop_per_row": row_flop}
