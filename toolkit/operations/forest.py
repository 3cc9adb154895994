"""Forests: counted from the nodes of their trees.

============================  =====================================================================
quantity                      closed form (sums over trees and nodes searched; n rows of the node,
                              k columns looked at)
============================  =====================================================================
``sort_comparisons``          k · n · log2 n
``split_evaluations``         k · (n + 1 - 2 ``min_samples_leaf``), the cuts that leave enough rows
                              on both sides; of extra trees k, as one cut a column is drawn
``element_operations``        of extra trees 2 · k · n: finding the range of a column, and counting
                              the rows on both sides of the cut
``node_visits`` a row         rows of all nodes / rows of the root: the mean path of the rows grown on
============================  =====================================================================

A node is searched unless it has fewer than ``2 min_samples_leaf`` or ``min_samples_split`` rows, or one
class only. Columns that are constant in a node are counted as if they were not, so the counts are upper
bounds there; equal values leave fewer cuts, too. ``n log2 n`` is the size of a sort, not its count:
scikit-learn's three-way quicksort compares 1.0 to 1.6 times that where all values differ, and .3 to .9 times
where many are equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_counts", "n_rows", "predict_counts"]

_PURE = float(np.finfo(np.float64).eps)
"""Impurity up to which scikit-learn takes a node for pure."""


def fit_counts(model: Any) -> Mapping[str, float | None]:
    """Return what growing took.

    Parameters
    ----------
    model : RandomForestClassifier or ExtraTreesClassifier
        Fitted, with whole numbers for `min_samples_leaf` and `min_samples_split`.
    """
    comparisons: list[float] = []
    cuts = read = 0
    for each in model.estimators_:
        rows, k = _searched(each), int(each.max_features_)
        if each.splitter == "random":
            cuts += k * len(rows)
            read += 2 * k * int(rows.sum())
        else:
            cuts += k * int(np.maximum(rows + 1 - 2 * model.min_samples_leaf, 0).sum())
            comparisons.append(k * math.fsum(rows * np.log2(rows)))
    counts: dict[str, float | None] = {"split_evaluations": float(cuts)}
    if comparisons:
        counts["sort_comparisons"] = math.fsum(comparisons)
    if read:
        counts["element_operations"] = float(read)
    return counts


def predict_counts(model: Any) -> Mapping[str, float | None]:
    """Return what predicting a row takes, as the rows grown on go."""
    rows = [each.tree_.n_node_samples for each in model.estimators_]
    return {"node_visits": math.fsum(float(np.sum(each)) / float(each[0]) for each in rows)}


def n_rows(model: Any) -> int:
    """Return the rows that the model was fitted to."""
    # of a bootstrap sample, a row counts as often as it was drawn
    return round(float(model.estimators_[0].tree_.weighted_n_node_samples[0]))


def _searched(tree: Any) -> NDArray[np.int64]:
    """Return the rows of the nodes in which a split was looked for, shape (n_nodes,)."""
    grown, rows = tree.tree_, tree.tree_.n_node_samples
    enough = (rows >= 2 * tree.min_samples_leaf) & (rows >= tree.min_samples_split)
    found: NDArray[np.int64] = rows[enough & (grown.impurity > _PURE)].astype(np.int64)
    return found
