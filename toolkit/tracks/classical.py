"""The classical track: logistic regression, boosting, a forest, or any scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from toolkit.errors import ParameterError
from toolkit.operations.counts import NOTHING, Operations, added
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._calibration import Platt, calibrate
from toolkit.tracks._encode import row_blocks, usual_penalty
from toolkit.tracks._logistic import Logistic
from toolkit.tracks._named import Named, check_named
from toolkit.tracks._search import Attempt, SearchedTrack, Value
from toolkit.tracks._trees import MOST_TREES, BoostingParameters, ForestParameters, Trees
from toolkit.tracks._trial import Trial
from toolkit.tracks._work import boosting_seconds, forest_seconds, logistic_seconds

if TYPE_CHECKING:
    import optuna

__all__ = ["Classical"]

Family = Literal["logistic", "boosting", "forest"]
FAMILIES: tuple[Family, ...] = ("logistic", "boosting", "forest")

RANGES = {
    "penalty_factor": (0.003, 10.0),
    "learning_rate": (0.02, 0.2),
    "l2_regularization": (0.1, 100.0),
}
"""Where numbers are drawn from, evenly in their logarithm."""

OF_FAMILY: dict[Family, tuple[str, ...]] = {
    "logistic": ("penalty_factor",),
    "boosting": (
        "learning_rate",
        "max_leaf_nodes",
        "min_samples_leaf",
        "l2_regularization",
        "max_features",
        "n_trees",
    ),
    "forest": ("min_samples_leaf", "max_features", "n_trees", "extra"),
}
"""Parameters that a family reads."""

WHOLE_RANGES = {"max_leaf_nodes": (4, 64), "min_samples_leaf": (3, 200)}
"""Where whole numbers are drawn from, evenly in their logarithm."""


@dataclass(frozen=True)
class Found:
    """What early stopping and calibration found on held-out rows.

    Parameters
    ----------
    n_trees : int or None
    calibration : Platt or None
    """

    n_trees: int | None = None
    calibration: Platt | None = None


@dataclass
class Classical(SearchedTrack):
    """Logistic regression on bent lines, histogram boosting, a forest, or a named classifier.

    The search decides which; without one it is logistic regression, which hurts least on little data.

    Parameters
    ----------
    family : {"auto", "logistic", "boosting", "forest"}
        ``auto`` searches all three.
    estimator : str, optional
        Import path of any classifier with `predict_proba`, in place of a family, e.g.
        ``sklearn.neighbors.KNeighborsClassifier``; from scikit-learn, lightgbm or xgboost.
    parameters : mapping
        Of the estimator.
    choices : mapping of str to list
        Values of the estimator's parameters that the search draws from; where nothing is searched, the first
        of each is taken.
    penalty_factor : float, optional
        Of the logistic regression, on `toolkit.tracks._encode.usual_penalty`.
    learning_rate, max_leaf_nodes, min_samples_leaf, l2_regularization, max_features : optional
        Of boosting, and `min_samples_leaf` and `max_features` of the forest, as scikit-learn names them.
    n_trees : int, optional
        Of boosting (early stopping finds it) or of the forest.
    extra : bool, optional
        Whether the forest draws its cuts (extra trees).
    calibrate : bool
        Whether probabilities of trees and estimators are calibrated where that clearly helps.
    """

    family: Literal["auto", "logistic", "boosting", "forest"] = "auto"
    estimator: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, list[str | float | int | bool | None]] = field(default_factory=dict)
    penalty_factor: Annotated[float, Field(gt=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    max_leaf_nodes: Annotated[int, Field(ge=2)] | None = None
    min_samples_leaf: Annotated[int, Field(ge=1)] | None = None
    l2_regularization: Annotated[float, Field(ge=0)] | None = None
    max_features: Annotated[float, Field(gt=0, le=1)] | None = None
    n_trees: Annotated[int, Field(ge=1, le=5000)] | None = None
    extra: bool | None = None
    calibrate: bool = True

    found_: Found = field(init=False, repr=False, compare=False)
    tried_: dict[str, float | None] = field(init=False, repr=False, compare=False)
    """What finding the number of trees and the calibration took within `fit`, counted."""

    title: ClassVar[str] = "classical (scikit-learn)"
    min_labels: ClassVar[int] = 20
    imports: ClassVar[tuple[str, ...]] = (
        "numpy",
        "pandas",
        "scipy.sparse",
        "sklearn.ensemble",
        "sklearn.linear_model",
    )

    def check(self, schema: Schema, folder: Path) -> Self:
        """Check the named estimator and its parameters.

        Raises
        ------
        ParameterError
        """
        if self.estimator is None:
            for name in ("parameters", "choices"):
                if getattr(self, name):
                    raise ParameterError(f"'{name}' are those of an estimator; name it too", path=(name,))
            self._check_family()
            return self
        for name in sorted({*chain(*OF_FAMILY.values())}):
            if getattr(self, name) is not None:
                raise ParameterError(
                    f"'{name}' is of the families; give the estimator's own among its 'parameters'",
                    path=(name,),
                )
        if self.family != "auto":
            raise ParameterError("give either a family or an estimator, not both", path=("family",))
        for name, values in self.choices.items():
            if not values:
                raise ParameterError("a list of choices is empty", path=("choices", name))
            if name in self.parameters:
                raise ParameterError(f"'{name}' is among the parameters too", path=("choices", name))
        check_named(self.estimator, self._first_choices())
        return self

    def _check_family(self) -> None:
        """Refuse parameters that no model which is open would read."""
        families = FAMILIES if self.family == "auto" else (self.family,)
        read = {*chain(*(OF_FAMILY[family] for family in families))}
        for family, names in OF_FAMILY.items():
            for name in names:
                if name not in read and getattr(self, name) is not None:
                    raise ParameterError(f"'{name}' is of {family}, not of {self.family}", path=(name,))

    def _first_choices(self) -> dict[str, Any]:
        """Return the estimator's parameters, with the first of the choices that are open."""
        return {**self.parameters, **{name: values[0] for name, values in self.choices.items()}}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and return self; what a search found of the old ones is forgotten."""
        super().set_params(**params)
        vars(self).pop("found_", None)
        return self

    @property
    def keeps_first(self) -> bool:
        """A user's list of choices has no usual one."""
        return self.estimator is None

    def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float | None:
        """Return the nominal CPU-seconds of a fit; None for a named estimator.

        Boosting whose number of trees is open is charged for twice the usual one, and then for those grown.
        """
        if self.estimator is not None:
            return None
        if self.family == "boosting":
            return self._boosting_seconds(
                n_rows, schema, self._trees_found() or 2 * self._boosting().usual_trees
            )
        if self.family == "forest":
            forest = self._forest()
            return forest_seconds(
                n_rows,
                schema,
                n_trees=forest.n_estimators,
                leaf_rows=forest.min_samples_leaf,
                share=0.4 * forest.max_features if forest.extra else forest.max_features,
            )
        return logistic_seconds(n_rows, schema)

    def _boosting_seconds(self, n_rows: int, schema: Schema, n_trees: int) -> float:
        parameters = self._boosting()
        leaves = min(parameters.max_leaf_nodes, max(2, n_rows // parameters.min_samples_leaf))
        return boosting_seconds(n_rows, schema, n_trees=n_trees, leaves=leaves)

    def first(self) -> Sequence[Mapping[str, Value]]:
        """Return the families with their usual parameters, and a nearly free logistic regression."""
        if self.estimator is not None:
            return [{name: values[0] for name, values in self.choices.items()}]
        families = FAMILIES if self.family == "auto" else (self.family,)
        usual = [{"family": family, **self._usual(family)} for family in families]
        if "logistic" in families and self.penalty_factor is None:
            usual.insert(1, {"family": "logistic", "penalty_factor": 0.05})
        return usual

    def suggest(self, trial: optuna.Trial) -> Self:
        """Return this track with a drawn family and parameters."""
        if self.estimator is not None:
            drawn = {name: trial.suggest_categorical(name, values) for name, values in self.choices.items()}
            return replace(self, parameters={**self.parameters, **drawn}, choices={})
        families = list(FAMILIES) if self.family == "auto" else [self.family]
        changes: dict[str, Any] = {"family": trial.suggest_categorical("family", families)}
        names = self._usual(changes["family"])
        for name, (low, high) in RANGES.items():
            if name in names:
                changes[name] = trial.suggest_float(name, low, high, log=True)
        for name, (low, high) in WHOLE_RANGES.items():
            if name in names:
                changes[name] = trial.suggest_int(name, low, high, log=True)
        if "max_features" in names:
            changes["max_features"] = trial.suggest_float("max_features", 0.1, 1.0)
        if "extra" in names:
            changes["extra"] = trial.suggest_categorical("extra", [False, True])
        return replace(self, **changes)

    def _usual(self, family: Family) -> dict[str, Value]:
        """Return the searched parameters of a family that the user has not given, with their usual values."""
        usual: dict[str, Value] = {"penalty_factor": 1.0} if self.penalty_factor is None else {}
        if family == "boosting":
            boosting = BoostingParameters()
            usual = {name: value for name, value in boosting.__dict__.items() if getattr(self, name) is None}
        elif family == "forest":
            forest = ForestParameters()
            names = ("min_samples_leaf", "max_features", "extra")
            usual = {name: getattr(forest, name) for name in names if getattr(self, name) is None}
        return usual

    def attempt(self, trial: Trial) -> Attempt[Self]:
        """Fit to the trial's rows; stop early and calibrate by its held-out ones.

        Candidates are held against each other as they are: if each were calibrated first, the one whose
        calibration is luckiest would win.
        """
        return self._attempt(trial)[0]

    def _attempt(self, trial: Trial) -> tuple[Attempt[Self], Logistic | Trees | Named]:
        """Return the attempt and its model."""
        model = self._fit_model(trial.fitting, trial.seed, watch=trial)
        held_out = trial.held_out
        probabilities = _predict(model, held_out.features)
        platt: Platt | None = None
        if self.calibrate and not isinstance(model, Logistic):
            platt = calibrate(probabilities, held_out.labels, held_out.clusters, trial.seed)
        settled, used = replace(self), 1.0
        if isinstance(model, Trees) and self.family == "boosting":
            settled.found_ = Found(model.best_trees, platt)
            if self._trees_found() is None:
                rows, schema = len(trial.fitting), trial.fitting.schema
                used = self._boosting_seconds(rows, schema, int(model.model.n_iter_))
                used /= self._boosting_seconds(rows, schema, 2 * self._boosting().usual_trees)
        else:
            settled.found_ = Found(None, platt)
        return Attempt(probabilities, settled, used), model

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows and return self.

        Where the search has not settled the number of trees and the calibration, they are found on the inner
        split first.

        Raises
        ------
        TooFewLabelsError, OneClassError, MissingColumnError
        """
        self._require_labels(train)
        self.schema_ = train.schema
        settled, self.tried_ = self, {}
        if not hasattr(self, "found_") and not self._is_logistic():
            trial = Trial.of(train, len(train), seed)
            if trial.possible:
                attempt, model = self._attempt(trial)
                settled = attempt.settled
                if isinstance(model, Trees):
                    self.tried_ = model.tried(len(trial.held_out))
        self.model_: Logistic | Trees | Named = settled._fit_model(train, seed)
        self.calibration_ = getattr(settled, "found_", Found()).calibration
        return self

    def _fit_model(
        self, train: TrainingData, seed: int, watch: Trial | None = None
    ) -> Logistic | Trees | Named:
        if self.estimator is not None:
            return Named.fit(train, self.estimator, self._first_choices(), seed=seed)
        if self.family == "boosting":
            return Trees.boost(
                train,
                self._boosting(),
                n_trees=self._trees_found(),
                seed=seed,
                held_out=None if watch is None else watch.held_out,
                most_trees=MOST_TREES if watch is None else self._trees_within(watch),
            )
        if self.family == "forest":
            return Trees.grow(train, self._forest(), seed=seed)
        return Logistic.fit(
            train, penalty=(self.penalty_factor or 1.0) * usual_penalty(len(train), train.cluster_rows)
        )

    def _trees_within(self, trial: Trial) -> int:
        """Return how many trees the budget reaches, one at least."""
        usual = 2 * self._boosting().usual_trees
        none, all_of_them = (
            self._boosting_seconds(len(trial.fitting), trial.fitting.schema, n_trees)
            for n_trees in (0, usual)
        )
        reached = (trial.reach * all_of_them - none) / (all_of_them - none) * usual
        return int(max(1, min(MOST_TREES, reached)))

    def _is_logistic(self) -> bool:
        return self.estimator is None and self.family in ("auto", "logistic")

    def _trees_found(self) -> int | None:
        found: Found | None = getattr(self, "found_", None)
        return self.n_trees if self.n_trees is not None or found is None else found.n_trees

    def _boosting(self) -> BoostingParameters:
        return BoostingParameters(**self._given(BoostingParameters))

    def _forest(self) -> ForestParameters:
        given = self._given(ForestParameters)
        if self.n_trees is not None:
            given["n_estimators"] = self.n_trees
        return ForestParameters(**given)

    def _given(self, parameters: type[BoostingParameters | ForestParameters]) -> dict[str, Any]:
        names = [each.name for each in fields(parameters) if hasattr(self, each.name)]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,).

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        self._require_fitted("model_")
        probabilities = _predict(self.model_, features)
        return probabilities if self.calibration_ is None else self.calibration_(probabilities)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the family and its parameters."""
        if not hasattr(self, "model_"):
            return {}
        return {**self.model_.chosen(), "calibrated": self.calibration_ is not None}

    def operations(self) -> Operations:
        """Return what fit and predicting a row took; nothing of a named estimator.

        A calibration, two weights and a logistic function, is left out.
        """
        model = getattr(self, "model_", None)
        if not isinstance(model, Logistic | Trees) or not hasattr(self, "tried_"):
            return NOTHING
        found = model.operations()
        return replace(found, fit=added(self.tried_, found.fit))


def _predict(model: Logistic | Trees | Named, features: pd.DataFrame) -> NDArray[np.float64]:
    probabilities = np.empty(len(features))
    for rows, block in row_blocks(features):
        probabilities[rows] = model.predict_proba(block)
    return probabilities
