"""A knowledge base as a scikit-learn classifier: no labels, nothing learned, every answer explained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from toolkit.errors import KnowledgeError, did_you_mean
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.entries import Outcome
from toolkit.knowledge.explain.explainer import Explainer, Explanations
from toolkit.knowledge.frames import FrameSchema, folded
from toolkit.knowledge.spread import column_spread
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.labels import two_classes

__all__ = ["RulesClassifier"]

SETTLED = 1e3
"""Log-odds of an answer that a hard fact settles: finite, and so far out that its probability is 0 or 1."""


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
        Factor on the sum of the rules' log-odds, at least 0; 1 takes the experts at their word.
    columns : sequence of str, optional
        Names of the columns of an `X` without names (an array), by position; columns of `X` beyond
        these are passed over. Without it, an array must have exactly the knowledge base's columns, in
        its order. Not looked at where `X` is a data frame.
    positive_label : str, int or bool, optional
        The label in `y` that is the positive outcome. Without it, labels that are texts must be the
        knowledge base's own words (case and blanks aside), and of numbers it is the greater.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels in order, ``[0, 1]`` without `y`. The second is the positive outcome, unless the
        knowledge base's words or `positive_label` say that it is the first.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only where `X` is a data frame.
    system_ : ExpertSystem
    knowledge_ : KnowledgeBase
        With the rules that are used.

    Notes
    -----
    The levels of a choice are the values seen at `fit`, those that the knowledge base declares or names,
    and one more for any other value. So a value that was never seen is known to be another: it meets
    ``!=`` and ``not in``, and does not count as missing. Values that differ by case or blanks are
    different; a warning names those that differ only so from one that the knowledge base names.

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
        positive_label: object = None,
    ) -> None:
        self.knowledge = knowledge
        self.n_rules = n_rules
        self.scale = scale
        self.columns = columns
        self.positive_label = positive_label

    def fit(self, X: Any, y: Any = None) -> Self:
        """Compile the knowledge base for the columns of `X`.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Numbers, booleans or texts of yes and no, and texts or categories where the knowledge base
            has a choice. Values may be missing. Further columns are passed over.
        y : array of shape (n_samples,), optional
            Two classes; only their names matter.

        Raises
        ------
        KnowledgeError
            The file cannot be read, or `X` has not the columns it needs or not what they hold.
        TypeError, ValueError
            A parameter is none, `y` has not two classes or it is not known which is which, or `X` is an
            array of another number of columns.
        """
        _checked_scale(self.scale)
        knowledge = self.knowledge if isinstance(self.knowledge, KnowledgeBase) else load(self.knowledge)
        knowledge = _first_rules(knowledge, self.n_rules)
        frame = self._frame(X, knowledge, reset=True)
        self.classes_ = _classes(y, frame)
        positive = 1 if y is None else _positive(self.classes_, knowledge.outcome, self.positive_label)
        self._sign_ = 1.0 if positive == 1 else -1.0
        self._schema_ = FrameSchema.of(frame, knowledge)
        self._schema_.warn_of_spelling(frame)
        self.system_: ExpertSystem = compile_knowledge(knowledge, self._schema_)
        self.knowledge_ = knowledge
        self._spread_ = column_spread(self._schema_.coded(frame), list(knowledge.columns))
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
        check_is_fitted(self)
        frame = self._frame(X, self.knowledge_, reset=False)
        # values that were never seen are told by name, so they get codes of their own
        schema = self._schema_.extended(frame)
        system = self.system_ if schema == self._schema_ else compile_knowledge(self.knowledge_, schema)
        explainer = Explainer.of(
            self.knowledge_, system, schema.levels, scale=self.scale, spread=self._spread_
        )
        self._schema_.warn_of_spelling(frame)
        return explainer.explain(schema.coded(frame))

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
        frame = self._frame(X, self.knowledge_, reset=False)
        self._schema_.warn_of_spelling(frame)
        return self._schema_.coded(frame)

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


def _checked_scale(scale: object) -> float:
    """Return the factor on the evidence, if it is one."""
    what = "scale multiplies the rules' log-odds and is a number of at least 0, e.g. 1.0"
    if isinstance(scale, bool) or not isinstance(scale, Real):
        raise TypeError(f"{what}; got {scale!r}")
    if not 0 <= float(scale) < math.inf:
        raise ValueError(f"{what}; got {scale!r}")
    return float(scale)


def _first_rules(knowledge: KnowledgeBase, n_rules: object) -> KnowledgeBase:
    if n_rules is None:
        return knowledge
    what = "n_rules is how many rules are used, a whole number of at least 0, or None for all"
    if isinstance(n_rules, bool) or not isinstance(n_rules, Integral):
        raise TypeError(f"{what}; got {n_rules!r}")
    if n_rules < 0:
        raise ValueError(f"{what}; got {n_rules!r}")
    return knowledge.head(int(n_rules))


def _classes(y: Any, frame: pd.DataFrame) -> NDArray[np.generic]:
    if y is None:
        return np.array([0, 1])
    _, classes = two_classes(y, frame, remedy="so the other is not known; fit without y, or with both")
    return classes


def _positive(classes: NDArray[np.generic], outcome: Outcome, given: object) -> int:
    """Return which of the two classes is the positive outcome."""
    labels: list[object] = classes.tolist()
    if given is not None:
        if given not in labels:
            raise ValueError(f"positive_label must be one of y's labels, {labels}; got {given!r}")
        return labels.index(given)
    if not any(isinstance(label, str) for label in labels):
        return 1
    words = {folded(outcome.positive): True, folded(outcome.negative): False}
    meant = [words.get(folded(str(label))) for label in labels]
    # one label that is known tells the other
    if meant[0] is meant[1]:
        raise ValueError(
            f"y's labels are '{labels[0]}' and '{labels[1]}', but the knowledge base's words are "
            f"'{outcome.positive}' and '{outcome.negative}', so which label is which is not known; rename "
            "the labels, write them as outcome: {positive: …, negative: …} in the knowledge base, or say "
            f"positive_label={labels[1]!r}"
        )
    return 1 if meant[1] is True or meant[0] is False else 0
