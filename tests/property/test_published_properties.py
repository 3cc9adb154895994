"""Laws of the analysis of a table: units and the order of rows change nothing but what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.analysis.published.study import study
from toolkit.published.values import Measure, Observation

MEASURE = Measure("c", "Compute", "")

points = st.lists(
    st.tuples(st.floats(0, 8), st.floats(-3, -0.2), st.integers(2005, 2025)), min_size=6, max_size=20
).filter(lambda rows: len({round(x, 1) for x, _, _ in rows}) == len(rows))


def analysed(rows, scale=1.0, error_scale=1.0):
    observations = [
        Observation(str(i), error_scale * float(np.exp(y)), {"c": scale * 10.0**x}, year=float(year))
        for i, (x, y, year) in enumerate(rows)
    ]
    found = study(observations, MEASURE, targets=[0.01])
    assert found is not None
    return found


@settings(max_examples=25)
@given(points, st.floats(-12, 12))
def test_another_unit_of_compute_changes_no_exponent(rows, power):
    before, after = analysed(rows), analysed(rows, scale=10.0**power)
    assert after.line.exponent.estimate == pytest.approx(before.line.exponent.estimate, rel=1e-6, abs=1e-9)
    assert after.line.exponent.high == pytest.approx(before.line.exponent.high, rel=1e-6, abs=1e-9)
    if before.curve.floor is not None and before.curve.exponent is not None:
        assert after.curve.floor.high == pytest.approx(before.curve.floor.high, rel=1e-3, abs=1e-9)
    for first, second in zip(before.floors, after.floors, strict=True):
        assert second.squares == pytest.approx(first.squares, rel=1e-4, abs=1e-9)
    if before.with_year is not None and after.with_year is not None:
        assert after.with_year.exponent.estimate == pytest.approx(
            before.with_year.exponent.estimate, rel=1e-5, abs=1e-8
        )


@settings(max_examples=25)
@given(points, st.floats(0.01, 0.9))
def test_another_unit_of_error_changes_no_exponent(rows, factor):
    before, after = analysed(rows), analysed(rows, error_scale=factor)
    assert after.line.exponent.estimate == pytest.approx(before.line.exponent.estimate, rel=1e-6, abs=1e-9)
    assert after.line.r_squared == pytest.approx(before.line.r_squared, abs=1e-9)


@settings(max_examples=25)
@given(points, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    mixed = list(rows)
    random.shuffle(mixed)
    before, after = analysed(rows), analysed(mixed)
    assert after.line.exponent.low == pytest.approx(before.line.exponent.low, rel=1e-9, abs=1e-12)
    assert [one.floor for one in after.floors] == [one.floor for one in before.floors]


@settings(max_examples=25)
@given(points)
def test_floors_to_compare_lie_under_every_error(rows):
    floors = analysed(rows).floors
    assert all(one.squares >= 0 for one in floors)
    assert all(one.floor < min(np.exp(y) for _, y, _ in rows) for one in floors)
