"""Laws of the curve figures: slopes of theory, axes, and names that do not overlap."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from toolkit.analysis.curve_record import Curve
from toolkit.report.axes import Scale
from toolkit.report.curve_lines import FORECAST_REACH, fitted_line
from toolkit.report.line_labels import apart
from toolkit.report.slopes import COMPUTE_SLOPES, ROW_SLOPES, visible

SLOPES = st.sampled_from([*ROW_SLOPES, *COMPUTE_SLOPES])
COSTS = st.floats(1e-6, 1e9)
ERRORS = st.floats(1e-3, 10.0)


@given(SLOPES, COSTS, ERRORS, st.floats(1.001, 1e6))
def test_a_line_of_theory_has_its_slope_on_logarithmic_axes(slope, cost, error, further) -> None:
    there = slope.at(cost * further, (cost, error))
    measured = math.log(there / error) / math.log(further)
    assert measured == pytest.approx(-1 / slope.power, rel=1e-6)


@given(SLOPES, COSTS, ERRORS)
def test_half_the_error_takes_two_to_the_power(slope, cost, error) -> None:
    assert slope.at(cost * 2**slope.power, (cost, error)) == pytest.approx(error / 2)
    assert slope.reaches(error / 2, (cost, error)) == pytest.approx(cost * 2**slope.power)


@given(SLOPES, COSTS, ERRORS, st.floats(3.0, 1e6), st.floats(1.01, 100.0))
def test_a_line_of_theory_stays_in_the_picture_or_is_not_drawn(slope, cost, error, width, depth) -> None:
    x, y = Scale(cost, cost * width, True), Scale(error / depth, error, True)
    ends = visible(slope, (cost, error), cost * width, x, y)
    assume(ends is not None)
    assert ends[0] == (cost, error)
    for at, height in ends:
        assert -1e-9 <= x.share(at) <= 1 + 1e-9
        assert -1e-9 <= y.share(height) <= 1 + 1e-9
    assert x.share(ends[1][0]) > 0.1


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(-0.5, 1.5))
def test_a_straight_axis_finds_its_places(low, length, share) -> None:
    scale = Scale(low, low + length, False)
    assert scale.share(scale.at(share)) == pytest.approx(share, abs=1e-6)


@given(COSTS, st.floats(1.01, 1e6), st.floats(-0.5, 1.5))
def test_a_logarithmic_axis_finds_its_places(low, factor, share) -> None:
    scale = Scale(low, low * factor, True)
    assert scale.share(scale.at(share)) == pytest.approx(share, abs=1e-6)
    told = scale.layout()
    assert all(low * 0.999 <= place <= low * factor * 1.001 for place in told["tickvals"])
    assert len(set(told["ticktext"])) == len(told["ticktext"]) == len(told["tickvals"]) <= 7


@given(st.lists(st.floats(0, 1), max_size=9).map(sorted), st.floats(0.0, 0.3))
def test_names_keep_their_distance_and_their_order(heights, gap) -> None:
    places = apart(heights, gap)
    assert len(places) == len(heights)
    assert all(after - before >= gap - 1e-9 for before, after in itertools.pairwise(places))
    if all(after - before >= gap for before, after in itertools.pairwise(heights)):
        assert places == pytest.approx(heights)


@given(st.integers(2, 60), st.floats(0.5, 3.0), st.floats(1e-4, 1e4), st.floats(-0.8, -0.01))
def test_a_fit_is_split_where_measuring_ended(n, decades, scale, slope) -> None:
    last = 10.0**decades
    grid = [10 ** (i * (decades + 1.5) / n) for i in range(n + 1)]
    errors = [one**slope for one in grid]
    curve = Curve(
        "t", "e", "c", "power", None, None, None, None, (),
        points=((1.0, 1.0), (last, last**slope)),
        grid_cost=tuple(grid), grid_error=tuple(errors), grid_low=tuple(errors), grid_high=tuple(errors),
    )  # fmt: skip
    line = fitted_line(curve, scale)
    assert line.measured[-1].cost == pytest.approx(last * scale)
    assert line.measured[-1].error == pytest.approx(last**slope)
    assert all(point.cost <= last * scale * (1 + 1e-9) for point in line.measured)
    if line.forecast:
        assert line.forecast[0] == line.measured[-1]
        assert line.forecast[-1].cost <= FORECAST_REACH * last * scale * (1 + 1e-6)
    assert [point.cost for point in line.points] == sorted(point.cost for point in line.points)
