from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.analysis.comparison.front import mark_front
from toolkit.analysis.comparison.pairwise import holm
from toolkit.analysis.draws import draw_band
from toolkit.analysis.export import _plain
from toolkit.analysis.fits.curves import fit_curve
from toolkit.analysis.intervals import crossed_bootstrap, crossed_means
from toolkit.analysis.machines import on_one_machine
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Interval, RungSummary
from toolkit.analysis.spending import Spread
from toolkit.records import CellRecord

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
    fit = fit_curve(cost, error, form="power_floor")
    figures = [fit.exponent, fit.floor, fit.elasticity, fit.k_half, fit.k_half_excess]
    figures += [fit.predict(cost[0]), fit.predict(10 * cost[-1]), fit.cost_to(0.9 * error[-1].mean())]
    for one in figures:
        assert one is not None
        assert one.low <= one.estimate <= one.high
    assert fit.floor is not None
    assert fit.floor.low >= 0
    assert fit.elasticity is not None
    assert fit.elasticity.high <= 0
    assert sum(one.weight for one in fit.forms) == pytest.approx(1)


@settings(max_examples=25)
@given(ladders, st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_units_of_cost_and_error_do_not_matter(
    ladder: tuple[int, int, float, float, float, int], cost_unit: float, error_unit: float
) -> None:
    cost, error = drawn((*ladder[:4], 0.02 + ladder[4], ladder[5]))
    one = fit_curve(cost, error, form="power_floor")
    scaled = fit_curve(cost_unit * cost, error_unit * error, form="power_floor")
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


def reading(seconds: float, seed: int = 0, repeat: int = 0, quality: str = "clean", **changes) -> CellRecord:
    plain = {"experiment": "e", "task": "t", "track": "neural", "rung": 0, "n_train": 1, "fingerprint": "f"}
    costs = {"cost_fit_cpu_seconds": seconds, "cost_fit_peak_bytes": 5.0}
    return CellRecord(
        **plain, status="finished", seed=seed, repeat=repeat, quality=quality, costs=costs, **changes
    )


times = st.floats(1e-6, 1e6)
readings = st.lists(st.tuples(times, st.integers(0, 2), st.booleans()), min_size=1, max_size=12)


@given(readings, st.randoms(use_true_random=False))
def test_what_a_rung_cost_lies_among_its_calm_readings_in_any_order(
    drawn: list[tuple[float, int, bool]], shuffled
) -> None:
    records = [
        reading(seconds, seed, repeat=number, quality="contended" if disturbed else "clean")
        for number, (seconds, seed, disturbed) in enumerate(drawn)
    ]
    has_calm = {seed for _, seed, disturbed in drawn if not disturbed}
    calm = [seconds for seconds, seed, disturbed in drawn if not disturbed or seed not in has_calm]
    one = RungReadings(records)
    told = one.told("cost_fit_cpu_seconds")
    assert told is not None
    assert (told.low, told.high) == (min(calm), max(calm))
    assert told.low <= told.median <= told.high
    assert told.n == len(drawn)
    assert told.spread is None or told.spread >= 0
    again = records[:]
    shuffled.shuffle(again)
    assert RungReadings(again).median("cost_fit_cpu_seconds") == told.median


kernels = st.dictionaries(st.sampled_from("abc"), st.floats(1e-3, 1e3), min_size=1, max_size=3)


@given(times, kernels, kernels)
def test_conversion_keeps_to_the_kernels_and_goes_back(
    seconds: float, ours: dict[str, float], theirs: dict[str, float]
) -> None:
    here, there = {"processor": "here"}, {"processor": "there"}
    first = [reading(1.0, seed, machine=here, calibration=ours) for seed in range(2)]
    found = on_one_machine([*first, reading(seconds, 2, machine=there, calibration=theirs)])
    converted = found.records[2].costs["cost_fit_cpu_seconds"]
    factor = found.machines[1].factor
    if not set(ours) & set(theirs):
        assert converted is factor is None
        return
    assert factor is not None
    assert factor.low <= factor.mid <= factor.high
    assert converted == pytest.approx(seconds * factor.mid)
    second = [reading(1.0, seed, machine=there, calibration=theirs) for seed in range(2)]
    back = on_one_machine([*second, reading(seconds, 2, machine=here, calibration=ours)])
    other = back.machines[1].factor
    assert other is not None
    assert other.mid * factor.mid == pytest.approx(1)


@given(st.lists(st.floats(1e-9, 1e9), min_size=3, max_size=3), st.lists(st.floats(0, 1), min_size=1))
def test_draws_of_a_band_stay_in_it_and_rise_with_their_place(ends: list[float], places: list[float]) -> None:
    band = Spread(*sorted(ends))
    place = np.array([0.5, *sorted(places)])
    drawn = draw_band(band, place, log=True)
    assert (drawn >= band.low * (1 - 1e-9)).all()
    assert (drawn <= band.high * (1 + 1e-9)).all()
    assert (np.diff(drawn[1:]) >= -1e-9 * band.high).all()
