"""Any scikit-learn classifier named in the experiment file, by its import path from an allow-list."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import DivergedError, ParameterError, did_you_mean, nearest
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import Encoder, with_values
from toolkit.tracks._logistic import Chosen

__all__ = ["Named", "check_named"]

ALLOWED = ("sklearn.", "lightgbm.", "xgboost.")
"""Import prefixes: an experiment file is data, and must not be able to run any other code."""

EXTRAS = {"lightgbm": "lightgbm", "xgboost": "xgboost"}

ONE_HOT_LEVELS = 64
"""A category of more levels is given as how frequent its level was among the training rows."""


def check_named(path: str, parameters: Mapping[str, Any]) -> type[Any]:
    """Import a classifier and check the names of its parameters.

    Raises
    ------
    ParameterError
        Not allowed, not found, not a classifier with probabilities, no such parameter, or it cannot be built.
    """
    from sklearn.base import is_classifier

    if not path.startswith(ALLOWED) or not all(part.isidentifier() for part in path.split(".")):
        raise ParameterError(
            f"'{path}' cannot be used: an estimator's import path starts with "
            f"{', '.join(ALLOWED[:-1])} or {ALLOWED[-1]}, e.g. sklearn.neighbors.KNeighborsClassifier",
            path=("estimator",),
        )
    module, _, name = path.rpartition(".")
    root = path.split(".", maxsplit=1)[0]
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        hint = f"; install it with: pip install {EXTRAS[root]}" if root in EXTRAS else ""
        raise ParameterError(f"'{module}' cannot be imported ({error}){hint}", path=("estimator",)) from error
    if not inspect.isclass(found) or not callable(getattr(found, "fit", None)):
        known = [each for each in dir(importlib.import_module(module)) if each.endswith("Classifier")]
        raise ParameterError(f"'{path}' is not a classifier{did_you_mean(name, known)}", path=("estimator",))
    family: type[Any] = found
    _check_names(family, parameters)
    try:
        model = family(**_with_class_keys(parameters))
        classifies = is_classifier(model)
    except Exception as error:
        raise ParameterError(
            f"{name} cannot be built from the file's parameters: {error}", path=("estimator",)
        ) from error
    if not classifies:
        raise ParameterError(f"'{path}' is not a classifier", path=("estimator",))
    if not hasattr(model, "predict_proba"):
        # support vectors and linear models by gradients have probabilities with other parameters only
        also = {"SGDClassifier": "loss: log_loss", "SVC": "probability: true", "NuSVC": "probability: true"}
        hints = [also[name]] if name in also else []
        raise ParameterError(
            f"'{path}' gives no probabilities (it has no predict_proba); "
            + (f"try parameters: {{{hints[0]}}}, or " if hints else "")
            + "choose one that does",
            path=("estimator",),
        )
    return family


def _with_class_keys(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with the classes of a mapping as numbers again: JSON keeps texts only."""

    def keyed(value: Any) -> Any:
        if isinstance(value, Mapping) and value and all(str(key) in ("0", "1") for key in value):
            return {int(key): each for key, each in value.items()}
        return value

    return {name: keyed(value) for name, value in parameters.items()}


def _check_names(family: type[Any], parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that a class does not take; one that passes further ones on takes what is no slip."""
    taken = inspect.signature(family).parameters.values()
    known = [each.name for each in taken if each.kind is not inspect.Parameter.VAR_KEYWORD]
    if len(known) < len(taken):
        # XGBoost's signature says nothing, its instances do
        with contextlib.suppress(Exception):
            known += [name for name in family().get_params() if name not in known]
    for key in parameters:
        if key not in known and (nearest(key, known) or len(known) == len(taken)):
            raise ParameterError(
                f"{family.__name__} has no parameter '{key}'{did_you_mean(key, known)}",
                path=("parameters", key),
            )


@dataclass(frozen=True)
class Named:
    """A fitted classifier of any kind.

    Parameters
    ----------
    encoder : Encoder
    model : object
        With ``predict_proba``.
    frequencies : tuple of ndarray of shape (n_levels + 1,), float32, or None
        Of each category of many levels: code + 1 -> share of the training rows.
    raw : bool
        Whether the model takes missing values, and so numbers as they are.
    """

    encoder: Encoder
    model: Any
    frequencies: tuple[NDArray[np.float32] | None, ...]
    raw: bool

    @classmethod
    def fit(cls, train: TrainingData, path: str, parameters: Mapping[str, Any], *, seed: int) -> Named:
        """Build and fit the classifier, on one thread and with the seed if it takes one."""
        family = check_named(path, parameters)
        model = family(**_with_class_keys(parameters))
        known = model.get_params()
        usual: dict[str, Any] = {"random_state": derive_seed("estimator", seed), "verbosity": 0}
        if not family.__module__.startswith("sklearn"):
            usual["n_jobs"] = 1  # elsewhere, all cores where nothing is said
        if family.__module__.startswith("sklearn.neighbors"):
            usual["algorithm"] = "brute"  # as exact as trees of neighbours, which cannot be saved
        model.set_params(**{k: v for k, v in usual.items() if k in known and k not in parameters})
        if family.__module__.startswith("lightgbm") and not {"verbose", "verbosity"} & {*parameters}:
            model.set_params(verbose=-1)
        raw = _takes_missing(model)
        encoder = (
            Encoder.plain(with_values(train.features, train.schema))
            if raw
            else Encoder.learn(train.features, train.schema)
        )
        named = cls(encoder, model, _frequencies(train.features, train.schema), raw)
        model.fit(named._design(train.features), train.labels)
        return named

    def predict_proba(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probability of label 1 for one block of rows, shape (n_rows,)."""
        if not len(features):
            return np.empty(0)
        chances = np.asarray(self.model.predict_proba(self._design(features)), np.float64)[:, 1]
        if not np.isfinite(chances).all():
            name, n_wrong = type(self.model).__name__, np.count_nonzero(~np.isfinite(chances))
            raise DivergedError(f"{name} predicts no number for {n_wrong:,} of {len(chances):,} rows")
        return np.clip(chances, 0.0, 1.0)

    def chosen(self) -> Chosen:
        """Return the class and the parameters that are plain values."""
        plain = {
            key: value
            for key, value in self.model.get_params(deep=False).items()
            if value is None or isinstance(value, str | int | float | bool)
        }
        return {"family": type(self.model).__name__, **plain}

    def _design(self, features: pd.DataFrame) -> NDArray[np.float32]:
        """Return numbers, one-hot categories of few levels, and frequencies of the others."""
        if self.raw:
            matrix = self.encoder.matrix(features)
            matrix = np.where(np.isfinite(matrix), matrix, np.float32(np.nan))
            n_numbers = len(self.encoder.numbers)
            numbers, codes = matrix[:, :n_numbers], matrix[:, n_numbers:].astype(np.int64) + 1
            codes[(codes < 0) | (codes > np.asarray(self.encoder.n_levels, np.int64))] = 0
        else:
            rows = self.encoder.transform(features)
            numbers, codes = rows.numbers, rows.codes
        parts = [numbers]
        for position, (n_levels, table) in enumerate(
            zip(self.encoder.n_levels, self.frequencies, strict=True)
        ):
            column = codes[:, position]
            if table is None:
                parts.append((column[:, None] == np.arange(n_levels + 1)).astype(np.float32))
            else:
                parts.append(table[column][:, None])
        return np.concatenate(parts, axis=1)


def _takes_missing(model: Any) -> bool:
    from sklearn.utils import get_tags

    try:
        return bool(get_tags(model).input_tags.allow_nan)
    except Exception:
        # estimators that know no tags are given what every one can take
        return False


def _frequencies(features: pd.DataFrame, schema: Schema) -> tuple[NDArray[np.float32] | None, ...]:
    tables: list[NDArray[np.float32] | None] = []
    for column in schema.categories:
        if len(column.levels) <= ONE_HOT_LEVELS:
            tables.append(None)
            continue
        codes = np.clip(features[column.name].to_numpy(np.int64) + 1, 0, len(column.levels))
        counts = np.bincount(codes, minlength=len(column.levels) + 1)
        tables.append((counts / max(len(codes), 1)).astype(np.float32))
    return tuple(tables)
