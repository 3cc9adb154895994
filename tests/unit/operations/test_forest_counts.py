"""Counts of forests from their nodes, against trees grown in plain Python that count what they do."""

from __future__ import annotations

import functools
import itertools
from collections import Counter

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from toolkit.operations import forest

N_ROWS, N_COLUMNS = 400, 5


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Rows of distinct values, with some weighted sum to find."""
    generator = np.random.default_rng(0)
    design = generator.permuted(np.tile(np.arange(N_ROWS, dtype=np.float64), (N_COLUMNS, 1)), axis=1).T
    chances = 1 / (1 + np.exp(-(design[:, 0] - design[:, 1]) / 60))
    return design, (generator.random(N_ROWS) < chances).astype(int)


def sort_counted(values: np.ndarray, seen: Counter[str]) -> list[float]:
    def compared(left: float, right: float) -> int:
        seen["comparisons"] += 1
        return (left > right) - (left < right)

    return sorted(values.tolist(), key=functools.cmp_to_key(compared))


def three_way(values: list[float]) -> int:
    """Return the comparisons of a three-way quicksort, which ends in insertion sorts of 15 values."""
    if len(values) <= 15:
        # every value is compared with larger ones before it, and with one more unless there is none
        larger = [sum(earlier > value for earlier in values[:place]) for place, value in enumerate(values)]
        return sum(each + (each < place) for place, each in enumerate(larger))
    pivot = sorted((values[0], values[len(values) // 2], values[-1]))[1]
    below = [value for value in values if value < pivot]
    above = [value for value in values if value > pivot]
    # whether a value is smaller, and of the others whether it is larger
    return 3 + 2 * len(values) - len(below) + three_way(below) + three_way(above)


@pytest.mark.parametrize(("n_values", "low", "high"), [(0, 1.0, 1.6), (10, 0.3, 0.9)])
def test_n_log_n_is_of_the_size_of_a_sort(n_values, low, high):
    generator = np.random.default_rng(0)
    for n_rows in (60, 500, 5000, 50_000):
        values = generator.random(n_rows)
        found = three_way((np.floor(values * n_values) if n_values else values).tolist())
        assert low < found / (n_rows * np.log2(n_rows)) < high


def gini(labels: np.ndarray) -> float:
    share = labels.mean()
    return float(2 * share * (1 - share))


def grow(design: np.ndarray, labels: np.ndarray, leaf: int, seen: Counter[str]) -> None:
    """Grow a tree of exhaustive splits over all columns, and count what that takes."""
    seen["nodes"] += 1
    if len(labels) < 2 * leaf or gini(labels) == 0:
        return
    best: tuple[float, int, float] | None = None
    for column in range(design.shape[1]):
        ordered = sort_counted(design[:, column], seen)
        for before, after in itertools.pairwise(ordered):
            cut = (before + after) / 2
            left = design[:, column] <= cut
            if min(left.sum(), (~left).sum()) < leaf:
                continue
            seen["cuts"] += 1
            loss = left.sum() * gini(labels[left]) + (~left).sum() * gini(labels[~left])
            if best is None or loss < best[0] - 1e-12:
                best = loss, column, cut
    if best is None:
        return
    goes_left = design[:, best[1]] <= best[2]
    grow(design[goes_left], labels[goes_left], leaf, seen)
    grow(design[~goes_left], labels[~goes_left], leaf, seen)


@pytest.mark.parametrize("leaf", [5, 30])
def test_a_forest_takes_what_trees_grown_by_hand_take(rows, leaf):
    model = RandomForestClassifier(
        n_estimators=1, bootstrap=False, max_features=None, min_samples_leaf=leaf, random_state=0
    ).fit(*rows)
    seen: Counter[str] = Counter()
    grow(*rows, leaf, seen)
    assert seen["nodes"] == model.estimators_[0].tree_.node_count, "it is the same tree"
    counts = forest.fit_counts(model)
    assert counts["split_evaluations"] == seen["cuts"]
    # Python's merge sort takes n log2 n - 1.25 n or so
    assert 0.75 < seen["comparisons"] / counts["sort_comparisons"] < 1.0


def test_a_bootstrap_counts_the_rows_that_were_drawn(rows):
    model = RandomForestClassifier(n_estimators=3, max_features=0.4, min_samples_leaf=20, random_state=0).fit(
        *rows
    )
    drawn = [len(set(sample.tolist())) for sample in model.estimators_samples_]
    assert [int(each.tree_.n_node_samples[0]) for each in model.estimators_] == drawn
    assert forest.n_rows(model) == N_ROWS
    whole = RandomForestClassifier(
        n_estimators=3, max_features=0.8, min_samples_leaf=20, random_state=0, max_leaf_nodes=2
    ).fit(*rows)
    # two of five columns, then four
    cuts = [forest.fit_counts(each)["split_evaluations"] for each in (model, whole)]
    assert cuts[1] >= 4 * sum(each + 1 - 2 * 20 for each in drawn)
    assert cuts[0] >= 2 * sum(each + 1 - 2 * 20 for each in drawn)


def test_extra_trees_draw_one_cut_a_column(rows):
    model = ExtraTreesClassifier(n_estimators=4, max_features=0.6, min_samples_leaf=25, random_state=0)
    model.fit(*rows)
    counts = forest.fit_counts(model)
    searched = [
        rows_of_node
        for each in model.estimators_
        for rows_of_node, impurity in zip(each.tree_.n_node_samples, each.tree_.impurity, strict=True)
        if rows_of_node >= 50 and impurity > 0
    ]
    assert counts == {"split_evaluations": 3 * len(searched), "element_operations": 2 * 3 * sum(searched)}


def test_rows_visit_the_nodes_of_their_paths(rows):
    model = ExtraTreesClassifier(n_estimators=4, min_samples_leaf=10, random_state=0).fit(*rows)
    paths, _ = model.decision_path(rows[0])
    assert forest.predict_counts(model)["node_visits"] == pytest.approx(paths.nnz / N_ROWS)


def test_the_same_fit_has_the_same_counts(rows):
    first, again = (RandomForestClassifier(n_estimators=5, random_state=3).fit(*rows) for _ in range(2))
    assert forest.fit_counts(first) == forest.fit_counts(again)
