"""A knowledge base as a scikit-learn classifier: no labels, nothing learned, every answer explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from toolkit.errors import KnowledgeError, did_you_mean
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.condition import Condition, Member, leaves
from toolkit.knowledge.explain.explainer import Explainer, Explanations
from toolkit.knowledge.explain.sides import column_spread
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge

__all__ = ["RulesClassifier"]

SETTLED = 1e3
"""Log-odds of an answer that a hard fact settles: finite, and so far out that its probability is 0 or 1."""


@dataclass(frozen=True)
class _Column:
    name: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Schema:
    columns: tuple[_Column, ...]


class RulesClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Expert rules as a scikit-learn classifier.

    `fit` looks at columns, never at labels: it compiles the knowledge base for them. `y` only says
    what the two classes are called. The knowledge base and the parameters are the whole model, so
    keeping the file keeps the model; a fitted classifier can be pickled too.

    Parameters
    ----------
    knowledge : str, Path or KnowledgeBase
        The knowledge base, or the file it is in.
    n_rules : int, optional
        Use only the first so many rules, in the order written; None uses all.
    scale : float
        Factor on the sum of the rules' log-odds; 1 takes the experts at their word.
    columns : sequence of str, optional
        Names of the columns of an `X` without names (an array), by position; columns of `X` beyond
        these are passed over. Without it, an array must have exactly the knowledge base's columns, in
        its order. Not looked at where `X` is a data frame.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels in order, ``[0, 1]`` without `y`. The second is the positive outcome, unless the
        labels are the knowledge base's own words.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only where `X` is a data frame.
    system_ : ExpertSystem
    knowledge_ : KnowledgeBase
        With the rules that are used.

    Examples
    --------
    >>> model = RulesClassifier("experiments/knowledge/retail.yaml").fit(X)  # doctest: +SKIP
    >>> model.predict_proba(X)[:, 1]  # doctest: +SKIP
    >>> print(model.explain(X)[0])  # doctest: +SKIP
    """

    def __init__(
        self,
        knowledge: str | Path | KnowledgeBase,
        n_rules: int | None = None,
        scale: float = 1.0,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.knowledge = knowledge
        self.n_rules = n_rules
        self.scale = scale
        self.columns = columns

    def fit(self, X: Any, y: Any = None) -> Self:
        """Compile the knowledge base for the columns of `X`.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Numbers, booleans, and texts or categories where the knowledge base has a choice. Values
            may be missing. Further columns are passed over.
        y : array of shape (n_samples,), optional
            Two classes; only their names matter.

        Raises
        ------
        KnowledgeError
            The file cannot be read, or `X` has not the columns it needs.
        ValueError
            `y` has not two classes, or `X` is an array of another number of columns.
        """
        knowledge = self.knowledge if isinstance(self.knowledge, KnowledgeBase) else load(self.knowledge)
        knowledge = knowledge if self.n_rules is None else knowledge.head(self.n_rules)
        frame = self._frame(X, knowledge, reset=True)
        self.classes_ = _classes(y, frame)
        self._sign_ = -1.0 if self.classes_[0] == knowledge.outcome.positive else 1.0
        self._schema_ = _schema(frame, knowledge)
        self.system_: ExpertSystem = compile_knowledge(knowledge, self._schema_)
        self.knowledge_ = knowledge
        self._spread_ = column_spread(_coded(frame, self._schema_), list(knowledge.columns))
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the log-odds of the second class, shape (n_samples,); ±1000 where a hard fact settles it."""
        rows = self._rows(X)
        logit = self.system_.logit(rows, scale=self.scale)
        logit = np.where(self.system_.required(rows), SETTLED, logit)
        logit = np.where(self.system_.forbidden(rows), -SETTLED, logit)
        return self._sign_ * logit

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, shape (n_samples, 2)."""
        rows = self._rows(X)
        positive = self.system_.predict_proba(rows, scale=self.scale)
        columns = (1 - positive, positive) if self._sign_ > 0 else (positive, 1 - positive)
        return np.column_stack(columns)

    def predict(self, X: Any) -> NDArray[np.generic]:
        """Return the more probable class, shape (n_samples,)."""
        second = self.decision_function(X) > 0
        labels: NDArray[np.generic] = self.classes_[second.astype(np.intp)]
        return labels

    def explain(self, X: Any) -> Explanations:
        """Return an explanation of every row; ``.texts()`` gives them in words, all at once."""
        rows = self._rows(X)
        levels = {column.name: column.levels for column in self._schema_.columns if column.kind == "category"}
        explainer = Explainer.of(
            self.knowledge_, self.system_, levels, scale=self.scale, spread=self._spread_
        )
        return explainer.explain(rows)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = True  # nothing is learned: the score is the experts'
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _rows(self, X: Any) -> pd.DataFrame:
        """Return what the expert system reads."""
        check_is_fitted(self)
        return _coded(self._frame(X, self.knowledge_, reset=False), self._schema_)

    def _frame(self, X: Any, knowledge: KnowledgeBase, *, reset: bool) -> pd.DataFrame:
        """Return `X` with named columns, checked as scikit-learn does."""
        if isinstance(X, pd.DataFrame) and all(isinstance(name, str) for name in X.columns):
            validate_data(self, X, reset=reset, skip_check_array=True)
            frame = X
        else:
            choices = any(spec.type == "choice" for spec in knowledge.columns.values())
            dtype = None if choices else "numeric"
            array = validate_data(self, X, reset=reset, dtype=dtype, ensure_all_finite="allow-nan")
            frame = self._named(array, knowledge)
        for name in knowledge.columns:
            if name not in frame.columns:
                raise KnowledgeError(
                    f"X has no column '{name}'{did_you_mean(name, frame.columns)}",
                    where=knowledge.where("columns", name),
                )
        return frame

    def _named(self, array: NDArray[Any], knowledge: KnowledgeBase) -> pd.DataFrame:
        """Return an array with the names of its columns, by position."""
        names = list(knowledge.columns if self.columns is None else self.columns)
        if array.shape[1] < len(names) or (self.columns is None and array.shape[1] != len(names)):
            raise ValueError(
                f"X has {array.shape[1]} feature(s) without names, but these are wanted, in this order: "
                f"{', '.join(names)}; pass a data frame, or name X's columns with columns=[...]"
            )
        return pd.DataFrame(array[:, : len(names)], columns=names).infer_objects()


def _classes(y: Any, frame: pd.DataFrame) -> NDArray[np.generic]:
    if y is None:
        return np.array([0, 1])
    labels = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y")
    check_classification_targets(labels)
    check_consistent_length(frame, labels)
    if type_of_target(labels, input_name="y") == "multiclass":
        raise ValueError("Only binary classification is supported. The type of the target is multiclass.")
    classes: NDArray[np.generic] = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only, {classes[0]}, so the other is not known; fit without y, or with both"
        )
    return classes


def _schema(frame: pd.DataFrame, knowledge: KnowledgeBase) -> _Schema:
    """Return the knowledge base's columns as they are in a frame."""
    named: dict[str, set[str]] = {}
    conditions: list[Condition] = [each for part in knowledge.conditions() for each in part]
    for leaf in (leaf for condition in conditions for leaf in leaves(condition)):
        if isinstance(leaf, Member):
            named.setdefault(leaf.column, set()).update(leaf.levels)
    columns = []
    for name, spec in knowledge.columns.items():
        values = frame[name]
        if is_numeric_dtype(values.dtype) or (spec.type != "choice" and _holds_numbers(values)):
            columns.append(_Column(name, "number"))
            continue
        # the levels seen need not hold all that rules name
        known = {*named.get(name, ()), *(spec.values or ())}  # noqa: PD011 (not pandas)
        known |= {spec.missing} if isinstance(spec.missing, str) else set()
        seen = {value for value in values.dropna().unique() if isinstance(value, str)}
        columns.append(_Column(name, "category", tuple(sorted(known | seen))))
    return _Schema(tuple(columns))


def _holds_numbers(values: pd.Series[Any]) -> bool:
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _coded(frame: pd.DataFrame, schema: _Schema) -> pd.DataFrame:
    """Return numbers as floats and choices as codes, -1 where missing or unknown."""
    columns = {}
    for column in schema.columns:
        values = frame[column.name]
        if column.kind == "category":
            codes = pd.Index(column.levels, dtype=object).get_indexer(pd.Index(values.astype(object)))
            columns[column.name] = codes.astype(np.int32)
        elif values.dtype == np.float32:
            columns[column.name] = values.to_numpy()
        else:
            columns[column.name] = values.to_numpy(np.float64, na_value=np.nan)
    return pd.DataFrame(columns, index=frame.index)
