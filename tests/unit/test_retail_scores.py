"""Recall, nDCG and WAPE against the formulas written out, and against ties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.tasks._retail_scores import stock_error, top_scores

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.1, 0.2, 0.3, 0.7]), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


def arrays(rows: list[tuple[int, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, probabilities, lists = zip(*rows, strict=True)
    return np.array(labels, np.int8), np.array(probabilities), np.array(lists, np.int64)


def of_one_order(labels: tuple[int, ...], k: int) -> tuple[float, float]:
    """Recall@k and nDCG@k of labels that stand in the order shown."""
    reachable = min(k, sum(labels))
    gain = sum(label / math.log2(rank + 2) for rank, label in enumerate(labels[:k]))
    best = sum(1 / math.log2(rank + 2) for rank in range(reachable))
    return sum(labels[:k]) / reachable, gain / best


def test_of_distinct_probabilities_equal_the_formulas() -> None:
    generator = np.random.default_rng(1)
    lists = np.repeat([4, 8, 9], [30, 5, 12])
    labels = (generator.random(len(lists)) < 0.4).astype(np.int8)
    labels[lists == 8] = 0
    probabilities = generator.permutation(np.linspace(0.01, 0.99, len(lists)))
    expected = []
    for one in (4, 9):
        order = np.argsort(-probabilities[lists == one])
        expected.append(of_one_order(tuple(labels[lists == one][order]), 10))
    got = top_scores(labels, probabilities, lists)
    assert got == pytest.approx(np.mean(expected, axis=0))


def test_a_tie_is_worth_its_expectation_over_all_orders() -> None:
    labels = np.array([1, 0, 1, 0, 0], np.int8)
    probabilities = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    orders = [(1, *middle, 0) for middle in itertools.permutations((0, 1, 0))]
    expected = np.mean([of_one_order(order, 2) for order in orders], axis=0)
    assert top_scores(labels, probabilities, np.zeros(5, np.int64), k=2) == pytest.approx(expected)


def test_a_perfect_order_scores_one_however_many_positives() -> None:
    for n_positive in (1, 10, 15):
        labels = np.r_[np.ones(n_positive, np.int8), np.zeros(20, np.int8)]
        got = top_scores(labels, np.linspace(1, 0, len(labels)), np.zeros(len(labels), np.int64))
        assert got == pytest.approx((1.0, 1.0))


def test_without_a_positive_there_is_nothing_to_score() -> None:
    none = np.zeros(3, np.int8)
    assert top_scores(none, np.full(3, 0.5), np.arange(3)) is None
    assert stock_error(none, np.full(3, 0.5), np.arange(3)) is None


@given(rows=ROWS, seed=st.integers(0, 9))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[int, float, int]], seed: int) -> None:
    columns = arrays(rows)
    shuffled = tuple(column[np.random.default_rng(seed).permutation(len(rows))] for column in columns)
    for score in (top_scores, stock_error):
        one, other = score(*columns), score(*shuffled)
        assert (one is None) == (other is None)
        if one is not None:
            assert one == pytest.approx(other)


@given(rows=ROWS)
def test_scores_lie_between_nothing_and_perfection(rows: list[tuple[int, float, int]]) -> None:
    scores = top_scores(*arrays(rows), k=3)
    if scores is not None:
        assert all(0 <= score <= 1 + 1e-12 for score in scores)


def test_stock_error_adds_up_within_a_cell_before_it_compares() -> None:
    labels = np.array([1, 0, 1, 1], np.int8)
    cells = np.array([7, 7, 9, 9])
    # 7: 1.0 expected, 1 bought; 9: 1.4 expected, 2 bought.
    got = stock_error(labels, np.array([0.5, 0.5, 0.7, 0.7]), cells)
    assert got == pytest.approx(0.6 / 3)
