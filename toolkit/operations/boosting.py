"""Histogram gradient boosting: counted from the nodes of its trees.

scikit-learn grows a tree from its best node on. A tree begins with the histograms of the root. When a node
is split, and a child of it may be split in turn, histograms are built from the rows of the smaller child;
those of the larger one are what is left of the node's (the subtraction trick). The split that reaches
``max_leaf_nodes`` builds none. So the fitted nodes tell all:

============================  =====================================================================
quantity                      closed form (sums over trees)
============================  =====================================================================
``histogram_updates``         columns · (rows of the root + rows of the smaller child of every split
                              that builds histograms)
``split_evaluations``         bins of the columns looked at · nodes searched: the root and children of
                              splits that build histograms, with ``2 min_samples_leaf`` rows or more.
                              With ``max_features`` the bins of an average column are taken
``element_operations``        3 · rows a tree (gradient, hessian, new prediction), and columns · bins
                              of a histogram a subtraction
``node_visits`` a row         rows of all nodes / rows of the root: the mean path of the training rows
============================  =====================================================================

Finding the bins (a sort of at most 200,000 values a column) and binning the rows are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_counts", "n_rows", "predict_counts"]


class _Grown(NamedTuple):
    """What growing one tree took."""

    rows_added: int
    """Rows added to the histograms of a column."""
    searched: int
    """Nodes in which a split was looked for."""
    subtractions: int


def fit_counts(model: Any, *, n_watched: int = 0) -> Mapping[str, float | None]:
    """Return what fitting took.

    Parameters
    ----------
    model : HistGradientBoostingClassifier
        Fitted for two classes.
    n_watched : int
        Held-out rows that early stopping predicted after every tree.
    """
    trees = [tree.nodes for stage in model._predictors for tree in stage]
    grown = [_grown(nodes, model.max_leaf_nodes, model.max_depth, model.min_samples_leaf) for nodes in trees]
    n_columns = int(model._bin_mapper.n_bins_non_missing_.shape[0])
    n_looked_at = n_columns
    if model.max_features < 1.0:
        n_looked_at = max(1, math.ceil(model.max_features * n_columns))
    bins = int(np.sum(model._bin_mapper.n_bins_non_missing_, dtype=np.int64))
    subtracted = sum(each.subtractions for each in grown) * n_columns * int(model._bin_mapper.n_bins)
    counts: dict[str, float | None] = {
        "histogram_updates": float(n_columns * sum(each.rows_added for each in grown)),
        "split_evaluations": sum(each.searched for each in grown) * bins * n_looked_at / n_columns,
        "element_operations": float(3 * n_rows(model) * len(trees) + subtracted),
    }
    if n_watched:
        counts["node_visits"] = n_watched * _visits(trees)
    return counts


def predict_counts(model: Any) -> Mapping[str, float | None]:
    """Return what predicting a row takes, as the training rows go."""
    return {"node_visits": _visits([tree.nodes for stage in model._predictors for tree in stage])}


def n_rows(model: Any) -> int:
    """Return the rows that the model was fitted to."""
    return int(model._predictors[0][0].nodes["count"][0])


def _visits(trees: list[NDArray[Any]]) -> float:
    return math.fsum(float(np.sum(nodes["count"], dtype=np.int64)) / nodes["count"][0] for nodes in trees)


def _grown(
    nodes: NDArray[Any], max_leaf_nodes: int | None, max_depth: int | None, min_samples_leaf: int
) -> _Grown:
    """Return what growing a tree took."""
    count = nodes["count"].astype(np.int64)
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    left, right = nodes["left"][inner].astype(np.int64), nodes["right"][inner].astype(np.int64)
    may_split = [count[side] >= 2 * min_samples_leaf for side in (left, right)]
    builds = may_split[0] | may_split[1]
    if max_depth is not None:
        builds &= nodes["depth"][inner] + 1 < max_depth
    if max_leaf_nodes is not None and len(inner) and len(inner) + 1 == max_leaf_nodes:
        builds &= inner != _last_split(nodes, inner)
    return _Grown(
        rows_added=int(count[0] + np.minimum(count[left], count[right])[builds].sum()),
        searched=int(count[0] >= 2 * min_samples_leaf) + sum(int(side[builds].sum()) for side in may_split),
        subtractions=int(builds.sum()),
    )


def _last_split(nodes: NDArray[Any], inner: NDArray[np.int64]) -> int:
    """Return the node that was split last: what is best is split first, as soon as it is there.

    When the worst of all splits is taken, nothing else waits but what comes of it. Nodes stand in
    depth-first order, so what is below a node follows it, up to the next node that is no deeper.
    """
    below, last = inner, -1
    while len(below):
        last = int(below[int(np.argmin(nodes["gain"][below]))])
        deeper = np.flatnonzero(nodes["depth"][last + 1 :] <= nodes["depth"][last])
        end = last + 1 + int(deeper[0]) if len(deeper) else len(nodes)
        below = inner[(inner > last) & (inner < end)]
    return last
