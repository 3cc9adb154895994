"""Laws of the front, of hypervolume, of falling errors and of odds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from toolkit.analysis.comparison.front_odds import front_probabilities
from toolkit.analysis.comparison.hypervolume import hypervolume
from toolkit.analysis.comparison.ranking import odds
from toolkit.analysis.monotone import crossing, falling

places = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=1, max_size=8)


@given(places, st.integers(0, 7), st.integers(0, 7))
def test_hypervolume_counts_the_dominated_cells_of_a_grid(
    points: list[tuple[int, int]], right: int, top: int
) -> None:
    x, y = (np.array([side], dtype=float) for side in zip(*points, strict=True))
    cells = sum(
        any(a <= column and b <= row for a, b in points)
        for column, row in itertools.product(range(right), range(top))
    )
    assert hypervolume(x, y, float(right), np.array([float(top)]))[0] == cells


@given(places, st.permutations(range(8)), st.floats(0.1, 10), st.floats(-5, 5))
def test_hypervolume_is_the_same_in_any_order_and_follows_units(
    points: list[tuple[int, int]], order: list[int], unit: float, shift: float
) -> None:
    x, y = (np.array([side], dtype=float) for side in zip(*points, strict=True))
    limit = np.array([7.0])
    plain = hypervolume(x, y, 7.0, limit)[0]
    some = [place for place in order if place < len(points)]
    assert hypervolume(x[:, some], y[:, some], 7.0, limit)[0] == pytest.approx(plain)
    # On a log axis a unit of cost is a shift.
    moved = hypervolume(x + shift, unit * y, 7.0 + shift, unit * limit)[0]
    assert moved == pytest.approx(unit * plain, abs=1e-9)


@given(places)
def test_a_point_more_never_takes_volume_away(points: list[tuple[int, int]]) -> None:
    x, y = (np.array([side], dtype=float) for side in zip(*points, strict=True))
    limit = np.array([7.0])
    volumes = [hypervolume(x[:, :n], y[:, :n], 7.0, limit)[0] for n in range(len(points) + 1)]
    assert all(a <= b for a, b in itertools.pairwise(volumes))


@given(places)
def test_of_one_draw_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    cost, error = (np.array([side], dtype=float) for side in zip(*points, strict=True))
    found = front_probabilities(cost, error)
    for (c, e), one in zip(points, found, strict=True):
        assert one == (not any(a <= c and b <= e and (a, b) != (c, e) for a, b in points))


@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_a_point_that_is_beaten_in_every_draw_is_never_on_the_front(draw: int, n: int) -> None:
    generator = np.random.default_rng(draw)
    cost, error = generator.random((50, n)) + 1, generator.random((50, n)) + 1
    cost[:, -1], error[:, -1] = cost[:, 0] * 1.01, error[:, 0] * 1.01
    found = front_probabilities(cost, error)
    assert found[-1] == 0
    assert ((found >= 0) & (found <= 1)).all()
    assert found.sum() >= 1 - 1e-9
    unit = front_probabilities(7 * cost, error / 3)
    assert unit == pytest.approx(found)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_falling_errors_are_isotonic_regression(draw: int, n: int) -> None:
    errors = np.random.default_rng(draw).normal(size=(5, n))
    for own, expected in zip(falling(errors), errors, strict=True):
        assert own == pytest.approx(isotonic_regression(expected, increasing=False).x)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.floats(1e-3, 1e3))
def test_a_crossing_lies_between_its_rungs_in_any_unit(draw: int, n: int, unit: float) -> None:
    generator = np.random.default_rng(draw)
    errors = np.sort(generator.random((20, n)), axis=1)[:, ::-1]
    costs = np.tile(np.sort(generator.random(n)) + 0.1, (20, 1))
    targets = generator.random(20)
    found = crossing(costs, errors, targets)
    for place, cost in enumerate(found):
        reached = np.flatnonzero(errors[place] <= targets[place])
        if reached.size == 0:
            assert np.isinf(cost)
        elif reached[0] == 0:
            assert cost == pytest.approx(costs[0, 0])
        else:
            low, high = costs[0, reached[0] - 1], costs[0, reached[0]]
            assert low * (1 - 1e-9) <= cost <= high * (1 + 1e-9)
    assert crossing(unit * costs, errors, targets) == pytest.approx(unit * found)
    assert (crossing(costs, errors, targets + 0.1) <= found * (1 + 1e-12)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(0, 2), st.booleans())
def test_odds_add_up_and_do_not_depend_on_units_or_order(
    draw: int, n: int, margin: float, lower: bool
) -> None:
    generator = np.random.default_rng(draw)
    draws = generator.normal(size=(60, n))
    one = odds(draws, margin, lower_is_better=lower)
    assert one.best.sum() == pytest.approx(1)
    assert (one.regret >= 0).all()
    assert (one.regret_low <= one.regret_high).all()
    assert (one.within >= one.best - 1e-12).all()
    order = generator.permutation(n)
    mixed = odds(5 * draws[:, order] + 3, 5 * margin + 1e-9, lower_is_better=lower)
    assert mixed.best == pytest.approx(one.best[order])
    assert mixed.regret == pytest.approx(5 * one.regret[order])
    turned = odds(-draws, margin, lower_is_better=not lower)
    assert turned.best == pytest.approx(one.best)
