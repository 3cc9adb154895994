"""Counts of boosting from its nodes, against what scikit-learn's builder and splitter were asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting import grower

from toolkit.operations import boosting


@dataclass
class Asked:
    rows_added: int = 0
    subtractions: int = 0
    searched: int = 0


@pytest.fixture
def asked(monkeypatch) -> Asked:
    """Count what growing trees asks for."""
    seen = Asked()

    builder, splitter = grower.HistogramBuilder, grower.Splitter

    class Builder:
        def __init__(self, *args):
            self.inner = builder(*args)

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def compute_histograms_brute(self, rows, allowed=None):
            seen.rows_added += len(rows)
            return self.inner.compute_histograms_brute(rows, allowed)

        def compute_histograms_subtraction(self, *args):
            seen.subtractions += 1
            return self.inner.compute_histograms_subtraction(*args)

    class Splitter:
        def __init__(self, **parameters):
            self.inner = splitter(**parameters)

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def find_node_split(self, **node):
            seen.searched += 1
            return self.inner.find_node_split(**node)

    monkeypatch.setattr(grower, "HistogramBuilder", Builder)
    monkeypatch.setattr(grower, "Splitter", Splitter)
    return seen


def rows(seed: int = 0, n_rows: int = 700) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    design = generator.normal(size=(n_rows, 6))
    design[:, 4] = generator.integers(0, 5, n_rows)
    design[generator.random(design.shape) < 0.05] = np.nan
    chances = 1 / (
        1 + np.exp(-2 * np.nan_to_num(design[:, 0] * design[:, 1]) - np.nan_to_num(design[:, 4]) + 2)
    )
    return design, (generator.random(n_rows) < chances).astype(int)


SHAPES = [
    {"max_leaf_nodes": 15, "min_samples_leaf": 20},
    {"max_leaf_nodes": 4, "min_samples_leaf": 3},
    {"max_leaf_nodes": 2, "min_samples_leaf": 20},
    {"max_leaf_nodes": 31, "min_samples_leaf": 60},
    {"max_leaf_nodes": None, "max_depth": 3, "min_samples_leaf": 10},
    {"max_leaf_nodes": 12, "max_depth": 4, "min_samples_leaf": 5},
    {"max_leaf_nodes": None, "min_samples_leaf": 40},
    {"max_leaf_nodes": 15, "min_samples_leaf": 400},
]


def fitted(**parameters) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=20, early_stopping=False, categorical_features=[4], random_state=0, **parameters
    )
    return model.fit(*rows())


@pytest.mark.parametrize("shape", SHAPES)
def test_the_nodes_tell_what_growing_asked_for(shape, asked):
    counts = boosting.fit_counts(fitted(**shape))
    columns, bins = 6, 256
    assert asked.rows_added > 0
    assert counts["histogram_updates"] == columns * asked.rows_added
    assert counts["element_operations"] == 3 * 700 * 20 + asked.subtractions * columns * bins
    per_node = counts["split_evaluations"] / asked.searched if asked.searched else 0.0
    assert per_node in (0.0, 5 * 255 + 5), "five columns of numbers, and one of five levels"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_share_of_the_columns_is_looked_at(share, asked):
    looked_at = {0.1: 1, 0.5: 3, 0.99: 6}[share]
    counts = boosting.fit_counts(fitted(max_features=share))
    assert counts["histogram_updates"] == 6 * asked.rows_added, "histograms are built of all columns"
    assert counts["split_evaluations"] == pytest.approx(asked.searched * (5 * 255 + 5) * looked_at / 6)


def test_rows_visit_the_nodes_of_their_paths():
    design, labels = rows()
    model = HistGradientBoostingClassifier(max_iter=5, early_stopping=False).fit(design, labels)
    walked = [visits(tree.nodes, row) for stage in model._predictors for tree in stage for row in design]
    assert boosting.predict_counts(model)["node_visits"] == pytest.approx(sum(walked) / len(design))
    watched = boosting.fit_counts(model, n_watched=30)["node_visits"]
    assert watched == pytest.approx(30 * sum(walked) / len(design))
    assert boosting.n_rows(model) == len(design)


def visits(nodes: np.ndarray, row: np.ndarray) -> int:
    """Walk down a tree of numbers; return how many nodes are met."""
    place, seen = 0, 1
    while not nodes[place]["is_leaf"]:
        node = nodes[place]
        value = row[node["feature_idx"]]
        goes_left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
        place = int(node["left"] if goes_left else node["right"])
        seen += 1
    return seen


def test_the_same_fit_has_the_same_counts():
    assert boosting.fit_counts(fitted()) == boosting.fit_counts(fitted())
