from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.analysis.curves import fit_curve
from toolkit.analysis.export import _plain
from toolkit.analysis.front import mark_front
from toolkit.analysis.intervals import crossed_bootstrap, crossed_means
from toolkit.analysis.pairwise import holm
from toolkit.analysis.results import Interval, RungSummary

shapes = st.tuples(st.integers(1, 5), st.integers(1, 30), st.integers(0, 2**32 - 1))


@given(shapes)
def test_a_crossed_interval_holds_its_estimate_and_only_sizes_change_with_units(
    shape: tuple[int, int, int],
) -> None:
    n_seeds, n_clusters, draw = shape
    generator = np.random.default_rng(draw)
    rows = generator.integers(1, 50, n_clusters).astype(float)
    sums = generator.normal(size=(n_seeds, n_clusters)) * rows
    one, scaled = crossed_means(sums, rows), crossed_means(-3 * sums, rows)
    interval = one.interval()
    assert interval.low <= interval.estimate <= interval.high
    assert 0 <= one.p_value() <= 1
    assert scaled.estimate == pytest.approx(-3 * one.estimate, abs=1e-9)
    assert scaled.variance == pytest.approx(9 * one.variance)


@given(shapes)
def test_a_crossed_interval_does_not_depend_on_the_order_of_seeds_and_clusters(
    shape: tuple[int, int, int],
) -> None:
    n_seeds, n_clusters, draw = shape
    generator = np.random.default_rng(draw)
    rows = generator.integers(1, 50, n_clusters).astype(float)
    sums = generator.normal(size=(n_seeds, n_clusters)) * rows
    seeds, clusters = generator.permutation(n_seeds), generator.permutation(n_clusters)
    one = crossed_means(sums, rows)
    mixed = crossed_means(sums[seeds][:, clusters], rows[clusters])
    assert mixed.estimate == pytest.approx(one.estimate)
    assert mixed.variance == pytest.approx(one.variance)


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.4))
def test_draws_that_cannot_be_scored_do_not_poison_a_bootstrap(draw: int, share: float) -> None:
    generator = np.random.default_rng(draw)
    draws = generator.normal(size=(200, 3))
    draws[generator.random(200) < share] = np.nan
    assert math.isfinite(crossed_bootstrap(np.zeros(3), draws, 20).variance)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_lowers_a_p_value_nor_changes_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    by_p = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert all(adjusted[a] <= adjusted[b] for a, b in itertools.pairwise(by_p))


ladders = st.tuples(
    st.integers(5, 12),
    st.integers(1, 4),
    st.floats(0.05, 1.0),
    st.floats(0.0, 0.9),
    st.floats(0.0, 0.2),
    st.integers(0, 2**32 - 1),
)


def drawn(ladder: tuple[int, int, float, float, float, int]) -> tuple[np.ndarray, np.ndarray]:
    rungs, seeds, b, f, noise, draw = ladder
    cost = np.geomspace(3, 3_000, rungs)
    error = 0.3 * ((1 - f) * (cost / cost[-1]) ** -b + f)
    generator = np.random.default_rng(draw)
    return cost, error[:, None] * np.exp(noise * generator.normal(size=(rungs, seeds)))


@settings(max_examples=40)
@given(ladders)
def test_any_ladder_gives_intervals_in_order(ladder: tuple[int, int, float, float, float, int]) -> None:
    cost, error = drawn(ladder)
    fit = fit_curve(cost, error)
    figures = [fit.exponent, fit.floor, fit.elasticity, fit.k_half, fit.loglog_exponent]
    figures += [fit.predict(cost[0]), fit.predict(10 * cost[-1]), fit.cost_to(0.9 * error[-1].mean())]
    for one in figures:
        assert one is not None
        assert one.low <= one.estimate <= one.high
    assert fit.floor is not None
    assert fit.floor.low >= 0
    assert fit.elasticity is not None
    assert fit.elasticity.high <= 0
    assert sum(fit.form_weights.values()) == pytest.approx(1)


@settings(max_examples=25)
@given(ladders, st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_units_of_cost_and_error_do_not_matter(
    ladder: tuple[int, int, float, float, float, int], cost_unit: float, error_unit: float
) -> None:
    cost, error = drawn((*ladder[:4], 0.02 + ladder[4], ladder[5]))
    one, scaled = fit_curve(cost, error), fit_curve(cost_unit * cost, error_unit * error)
    assert one.elasticity is not None
    assert scaled.elasticity is not None
    assert scaled.elasticity.estimate == pytest.approx(one.elasticity.estimate, rel=1e-3, abs=1e-5)
    ahead, scaled_ahead = one.predict(2 * cost[-1]), scaled.predict(2 * cost_unit * cost[-1])
    assert ahead is not None
    assert scaled_ahead is not None
    assert scaled_ahead.high == pytest.approx(error_unit * ahead.high, rel=1e-3)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_front_is_exactly_what_is_not_beaten(points: list[tuple[int, int]]) -> None:
    summaries = [
        RungSummary(
            track="a",
            rung=rung,
            n_train=1,
            n_rules=None,
            n_seeds=1,
            scores={"error_log_loss": Interval(error, error, error)},
            costs={"cost_fit_cpu_seconds": float(cost)},
        )
        for rung, (cost, error) in enumerate(points)
    ]
    marked = mark_front(summaries, "error_log_loss")
    for (cost, error), one in zip(points, marked, strict=True):
        beaten = any(c <= cost and e <= error and (c, e) != (cost, error) for c, e in points)
        assert one.on_front is not beaten
    assert not points or any(one.on_front for one in marked)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_like)
def test_whatever_is_exported_is_valid_json_and_only_non_numbers_change(value: object) -> None:
    plain = _plain(value)
    text = json.dumps(plain, allow_nan=False)
    assert json.loads(text) == plain
    assert _plain(plain) == plain
