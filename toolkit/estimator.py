"""Any track as a scikit-learn classifier, for data that is no task of this toolkit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from toolkit import registry
from toolkit.errors import DataError, ModelError, TrackError, UserError
from toolkit.knowledge.base import load
from toolkit.knowledge.frames import named_levels
from toolkit.labels import two_classes
from toolkit.models.frames import coded, level_name
from toolkit.models.loading import read_classifier
from toolkit.models.saving import save
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks.base import Track, load_track

__all__ = ["TrackClassifier"]


class TrackClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A track as a scikit-learn classifier of two classes.

    It fits with the parameters as they are: search, as a sweep does it, is scikit-learn's business here.

    Parameters
    ----------
    track : str
        Its name, e.g. ``"classical"``, ``"neural"`` or ``"hybrid"``.
    params : mapping, optional
        The track's parameters, as an experiment file has them. Paths are relative to the working directory.
    seed : int
        Of everything that is drawn at random.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels in order; the track predicts the second.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only where `X` is a data frame.
    schema_ : Schema
        The columns as the track sees them.
    track_ : Track
        Fitted. It reads numbers and codes of levels, as `toolkit.models.frames.coded` gives them.

    Notes
    -----
    In a data frame, numbers and truth values are numbers, and texts and categories are categories. Their
    levels are the values seen at `fit`; a value that was never seen counts as missing. In an array all
    columns are numbers. Values may be missing. There are no unlabelled rows here and no times: a hybrid's
    experts speak on the rows of `fit` only.

    Examples
    --------
    >>> from toolkit.estimator import TrackClassifier
    >>> model = TrackClassifier("classical").fit(X, y, groups=households)  # doctest: +SKIP
    >>> model.predict_proba(X)[:, 1]  # doctest: +SKIP
    """

    def __init__(
        self, track: str = "classical", params: Mapping[str, Any] | None = None, seed: int = 0
    ) -> None:
        self.track = track
        self.params = params
        self.seed = seed

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the track.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        groups : array-like of shape (n_samples,), optional
            What rows depend on, e.g. households: rows of one are never on both sides of an inner split. By
            default every row is one of its own.

        Raises
        ------
        TypeError, ValueError
            A parameter is wrong, `X` or `y` is not what a track can learn from, or there are too few rows.
        """
        frame = self._frame(X, reset=True)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        labels, self.classes_ = two_classes(y, frame, remedy="so there is nothing to tell apart")
        if self.params is not None and not isinstance(self.params, Mapping):
            raise TypeError(f"params are a mapping of names to values, got {self.params!r}")
        if not isinstance(self.track, str):
            raise TypeError(f"track is the name of one, got {self.track!r}")
        try:
            track: Track = registry.build("tracks", self.track, self.params or {})
            self.schema_ = _schema(frame, track)
            features = coded(frame, self.schema_).features.reset_index(drop=True)
            train = TrainingData(
                features=features,
                labels=(labels == self.classes_[1]).astype(np.int8),
                clusters=_clusters(groups, frame),
                time=np.zeros(len(frame), np.int32),
                unlabelled=features.iloc[:0],
                schema=self.schema_,
            )
            self.track_ = _fitted(track.check(self.schema_, Path()), train, int(self.seed))
        except (UserError, TrackError) as error:
            raise ValueError(str(error)) from error
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, shape (n_samples, 2)."""
        second = self._second(X)
        return np.column_stack((1 - second, second))

    def predict(self, X: Any) -> NDArray[np.generic]:
        """Return the more probable class, shape (n_samples,)."""
        second = self._second(X) > 0.5
        labels: NDArray[np.generic] = self.classes_[second.astype(np.intp)]
        return labels

    def save(self, folder: Path | str) -> None:
        """Save the fitted classifier as a folder, without pickle; `load` gives it back.

        ``toolkit predict`` and `toolkit.tracks.base.load_track` read it too, as the track that it is.

        Parameters
        ----------
        folder : Path or str
            New or empty.

        Raises
        ------
        sklearn.exceptions.NotFittedError
        ModelError
            The folder cannot be written, or the labels are neither texts, numbers nor truth values.
        """
        check_is_fitted(self)
        classes = self.classes_.tolist()
        if not all(isinstance(each, str | int | float) for each in classes):
            raise ModelError(f"labels such as {classes[0]!r} cannot be saved: give texts or numbers")
        known = {
            "classes": classes,
            "dtype": self.classes_.dtype.str,
            "named": hasattr(self, "feature_names_in_"),
            "seed": int(self.seed),
        }
        save(self.track_, Path(folder), classifier=known)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Load what `save` wrote; its predictions are the same to the last bit.

        Parameters
        ----------
        folder : Path or str

        Raises
        ------
        ModelError
            It is damaged, changed, of a newer version, or a track without a classifier. Nothing that a file
            says is imported or run.
        """
        known = read_classifier(Path(folder))
        track: Track = load_track(Path(folder))
        name = type(track).__module__.rpartition(".")[2]
        model = cls(name, track.get_params(), known["seed"])
        model.track_, model.schema_ = track, track.schema_
        model.classes_ = np.array(known["classes"], np.dtype(known["dtype"]))
        model.n_features_in_ = len(track.schema_.columns)
        if known["named"]:
            model.feature_names_in_ = np.array(track.schema_.names, object)
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def _second(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        try:
            return self.track_.predict_proba(coded(frame, self.schema_).features)
        except DataError as error:
            raise ValueError(str(error)) from error

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Return `X` with named columns, checked as scikit-learn does."""
        if isinstance(X, pd.DataFrame) and all(isinstance(name, str) for name in X.columns):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if not len(X):
                raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
            numbers = X.select_dtypes("number", exclude="complex")
            endless = [
                name for name in numbers if np.isinf(numbers[name].to_numpy(float, na_value=np.nan)).any()
            ]
            if endless:
                raise ValueError(f"Input X contains infinity in '{endless[0]}'.")
            return X
        array = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")
        return pd.DataFrame(array, columns=[f"x{place}" for place in range(array.shape[1])])


def _fitted(track: Track, train: TrainingData, seed: int) -> Track:
    """Return a fitted track, however few the rows: it is a sweep that needs enough for honest figures.

    The copies that a track makes of itself to compare parameters must be as lenient as it is, so it is
    fitted as a class of its own.
    """
    cls = type(track)
    lenient = type(cls.__name__, (cls,), {"__module__": cls.__module__, "min_labels": min(cls.min_labels, 2)})
    found = lenient(**track.get_params()).fit(train, seed=seed)
    track._restore(found._state())
    return track


def _clusters(groups: Any, frame: pd.DataFrame) -> NDArray[np.int32]:
    if groups is None:
        return np.arange(len(frame), dtype=np.int32)
    check_consistent_length(frame, groups)
    codes, _ = pd.factorize(np.asarray(groups), use_na_sentinel=False)
    return codes.astype(np.int32)


def _schema(frame: pd.DataFrame, track: Track) -> Schema:
    """Return a frame's columns; levels that the track's knowledge base names are levels, seen or not."""
    file = getattr(track, "knowledge", None)
    named = named_levels(load(file)) if isinstance(file, Path) else {}
    return Schema(tuple(_column(frame[name], name, named.get(name, set())) for name in frame.columns))


def _column(values: pd.Series[Any], name: str, named: set[str]) -> Column:
    is_real = is_numeric_dtype(values.dtype) and not is_complex_dtype(values.dtype)
    if not named and (is_real or is_bool_dtype(values.dtype)):
        return Column(name)
    if isinstance(values.dtype, pd.CategoricalDtype):
        seen = list(values.cat.categories)
    elif values.dtype == object or isinstance(values.dtype, pd.StringDtype) or named:
        known = values.dropna()
        if not named and len(known) and all(isinstance(each, int | float | np.number) for each in known):
            return Column(name)
        if not all(isinstance(each, Hashable) for each in known):
            raise DataError(
                f"the column '{name}' holds values such as {known.iloc[0]!r}, neither numbers nor categories"
            )
        seen = sorted(known.unique(), key=str)
    else:
        raise DataError(f"the column '{name}' holds {values.dtype}, neither numbers nor categories")
    levels = dict.fromkeys([*map(level_name, seen), *sorted(named)])
    return Column(name, "category", tuple(levels))
