"""Labels of two classes, as scikit-learn's classifiers take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

__all__ = ["two_classes"]


def two_classes(y: Any, rows: Any, *, remedy: str) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Return labels, and the two classes that are among them, in order.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
    rows : array-like of shape (n_rows, n_columns)
        What `y` is about.
    remedy : str
        What to do where there is one class only.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
    classes : ndarray of shape (2,)

    Raises
    ------
    ValueError
        `y` is of another length, continuous, or has not two classes.
    """
    labels: NDArray[np.generic] = check_array(
        column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y"
    )
    check_classification_targets(labels)
    check_consistent_length(rows, labels)
    if type_of_target(labels, input_name="y") == "multiclass":
        raise ValueError("Only binary classification is supported. The type of the target is multiclass.")
    classes: NDArray[np.generic] = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(f"y holds one class only, {classes[0]}, {remedy}")
    return labels, classes
