"""Histogram gradient boosting and forests on raw numbers, missing ones included, and categories as bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.operations import boosting, forest
from toolkit.operations.counts import Operations, added, times
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import Encoder, with_values
from toolkit.tracks._logistic import Chosen

__all__ = ["MAX_LEVELS", "MOST_TREES", "BoostingParameters", "ForestParameters", "Trees"]

MAX_LEVELS = 254
"""scikit-learn bins a category into at most 255: the most frequent levels, and one for the rest."""

LEVEL_ROWS = 100
"""Fewer training rows than this, and a level shares the bin of the rest: splits on it would be luck."""

MOST_TREES = 1000
PATIENCE = 15


@dataclass(frozen=True)
class BoostingParameters:
    """Parameters of histogram gradient boosting, as scikit-learn names them."""

    learning_rate: float = 0.08
    max_leaf_nodes: int = 15
    min_samples_leaf: int = 40
    l2_regularization: float = 10.0
    max_features: float = 1.0

    @property
    def usual_trees(self) -> int:
        """Trees where no held-out rows can tell how many."""
        return max(1, round(6 / self.learning_rate))


@dataclass(frozen=True)
class ForestParameters:
    """Parameters of a forest of randomised trees, as scikit-learn names them."""

    n_estimators: int = 50
    min_samples_leaf: int = 30
    max_features: float = 0.25
    extra: bool = False
    """Extremely randomised: cuts are drawn, not searched."""


@dataclass(frozen=True)
class Trees:
    """A fitted model of trees.

    Parameters
    ----------
    encoder : Encoder
        Only for the order of columns.
    bins : tuple of ndarray of shape (n_levels + 1,), float64
        Of each category: code + 1 -> the bin that the trees know.
    model : HistGradientBoostingClassifier, RandomForestClassifier or ExtraTreesClassifier
    """

    encoder: Encoder
    bins: tuple[NDArray[np.float64], ...]
    model: Any

    @classmethod
    def boost(
        cls,
        train: TrainingData,
        parameters: BoostingParameters,
        *,
        n_trees: int | None,
        seed: int,
        held_out: TrainingData | None = None,
        most_trees: int = MOST_TREES,
    ) -> Trees:
        """Fit boosting: `n_trees` of them, or as many as the held-out rows find best.

        Parameters
        ----------
        train : TrainingData
        parameters : BoostingParameters
        n_trees : int or None
            None stops early by `held_out`, or takes the usual number where there are none.
        seed : int
        held_out : TrainingData, optional
        most_trees : int
            Where held-out rows say how many.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier

        encoder, bins = (
            Encoder.plain(with_values(train.features, train.schema)),
            _level_bins(train.features, train.schema),
        )
        stops = n_trees is None and held_out is not None and len(np.unique(held_out.labels)) == 2
        model = HistGradientBoostingClassifier(
            max_iter=most_trees if stops else (n_trees or parameters.usual_trees),
            early_stopping=stops,
            n_iter_no_change=PATIENCE,
            learning_rate=parameters.learning_rate,
            max_leaf_nodes=parameters.max_leaf_nodes,
            min_samples_leaf=parameters.min_samples_leaf,
            l2_regularization=parameters.l2_regularization,
            max_features=parameters.max_features,
            categorical_features=_category_positions(encoder),
            random_state=derive_seed("boosting", seed),
        )
        design = _design(encoder, bins, train.features)
        if not stops or held_out is None:
            return cls(encoder, bins, model.fit(design, train.labels))
        watched = _design(encoder, bins, held_out.features)
        return cls(encoder, bins, model.fit(design, train.labels, X_val=watched, y_val=held_out.labels))

    @classmethod
    def grow(cls, train: TrainingData, parameters: ForestParameters, *, seed: int) -> Trees:
        """Fit a forest."""
        from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

        encoder, bins = (
            Encoder.plain(with_values(train.features, train.schema)),
            _level_bins(train.features, train.schema),
        )
        family = ExtraTreesClassifier if parameters.extra else RandomForestClassifier
        model = family(
            n_estimators=parameters.n_estimators,
            min_samples_leaf=parameters.min_samples_leaf,
            max_features=parameters.max_features,
            n_jobs=1,
            random_state=derive_seed("forest", seed),
        )
        return cls(encoder, bins, model.fit(_design(encoder, bins, train.features), train.labels))

    @property
    def best_trees(self) -> int:
        """Trees after which the held-out rows were best; all of them without early stopping."""
        scores = getattr(self.model, "validation_score_", None)
        if scores is None or not len(scores):
            return int(getattr(self.model, "n_iter_", 0)) or len(self.model.estimators_)
        return max(1, int(np.argmax(scores)))

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1 for one block of rows, shape (n_rows,)."""
        design = _design(self.encoder, self.bins, features)
        probabilities: NDArray[np.float64] = self.model.predict_proba(design)[:, 1]
        return probabilities

    def operations(self, *, n_watched: int = 0) -> Operations:
        """Return what the fit, and what predicting a row took.

        Parameters
        ----------
        n_watched : int
            Held-out rows that early stopping predicted after every tree.
        """
        encoding = {"encoded_values": float(len(self.encoder.numbers) + len(self.encoder.categories))}
        if hasattr(self.model, "estimators_"):
            fit, predict = forest.fit_counts(self.model), forest.predict_counts(self.model)
            n_rows = forest.n_rows(self.model)
        else:
            fit, predict = (
                boosting.fit_counts(self.model, n_watched=n_watched),
                boosting.predict_counts(self.model),
            )
            n_rows = boosting.n_rows(self.model)
        return Operations(added(fit, times(encoding, n_rows + n_watched)), added(encoding, predict))

    def tried(self, n_held_out: int) -> dict[str, float | None]:
        """Return what fitting this took, watched by held-out rows where it was, and then predicting them."""
        stops = bool(getattr(self.model, "do_early_stopping_", False))
        found = self.operations(n_watched=n_held_out if stops else 0)
        return added(found.fit, times(found.predict_per_row, n_held_out))

    def chosen(self) -> Chosen:
        """Return the family, its parameters, and the leaves as number of parameters."""
        if hasattr(self.model, "estimators_"):
            names: tuple[str, ...] = ("n_estimators", "min_samples_leaf", "max_features")
            n_leaves = sum(int(tree.tree_.n_leaves) for tree in self.model.estimators_)
            family = "extra trees" if type(self.model).__name__.startswith("Extra") else "random forest"
        else:
            names = (
                "learning_rate",
                "max_leaf_nodes",
                "min_samples_leaf",
                "l2_regularization",
                "max_features",
            )
            n_leaves = sum(int(tree.get_n_leaf_nodes()) for stage in self.model._predictors for tree in stage)
            family = "boosting"
        found: Chosen = {"family": family, **{name: getattr(self.model, name) for name in names}}
        return {**found, "n_trees": self.best_trees, "n_parameters": n_leaves}


def _category_positions(encoder: Encoder) -> list[int]:
    first = len(encoder.numbers)
    return list(range(first, first + len(encoder.categories)))


def _level_bins(features: pd.DataFrame, schema: Schema) -> tuple[NDArray[np.float64], ...]:
    """Return code + 1 -> bin for every category: frequent levels their own, the rest one, missing NaN."""
    tables = []
    for column in schema.categories:
        codes = features[column.name].to_numpy()
        counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
        # a category of few levels keeps them all, however rare
        needed = LEVEL_ROWS if len(column.levels) > MAX_LEVELS // 8 else 1
        frequent = [level for level in np.argsort(-counts, kind="stable") if counts[level] >= needed]
        table = np.full(len(column.levels) + 1, float(MAX_LEVELS))
        table[0] = np.nan
        kept = np.asarray(frequent[:MAX_LEVELS], np.int64)
        table[kept + 1] = np.arange(len(kept))
        tables.append(table)
    return tuple(tables)


def _design(
    encoder: Encoder, bins: tuple[NDArray[np.float64], ...], features: pd.DataFrame
) -> NDArray[np.float64]:
    """Return numbers as they are, then the categories' bins, shape (n_rows, n_columns)."""
    matrix = encoder.matrix(features).astype(np.float64)
    matrix[~np.isfinite(matrix)] = np.nan
    for position, table in enumerate(bins, start=len(encoder.numbers)):
        codes = matrix[:, position].astype(np.int64) + 1
        codes[(codes < 0) | (codes >= len(table))] = 0
        matrix[:, position] = table[codes]
    return matrix
