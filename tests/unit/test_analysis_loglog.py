from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from toolkit.analysis.fits.loglog import fit_loglog


def points(n: int = 20, slope: float = -0.2, noise: float = 0.1, draw_seed: int = 0):
    generator = np.random.default_rng(draw_seed)
    cost = np.exp(generator.uniform(0, 12, n))
    return cost, 0.5 * cost**slope * np.exp(noise * generator.normal(size=n))


def test_it_is_the_least_squares_line() -> None:
    cost, error = points()
    line = fit_loglog(cost, error)
    known = stats.linregress(np.log(cost), np.log(error))
    assert line.slope == pytest.approx(known.slope)
    assert line.r_squared == pytest.approx(known.rvalue**2)
    half = stats.t.ppf(0.975, 18) * known.stderr
    assert line.exponent.high - line.exponent.estimate == pytest.approx(half)
    assert line.predict(100.0).estimate == pytest.approx(
        math.exp(known.intercept + known.slope * math.log(100.0))
    )
    assert line.predict(100.0, new_point=True).high > line.predict(100.0).high


def test_figures_of_the_exponent() -> None:
    cost = np.geomspace(1, 1e6, 9)
    line = fit_loglog(cost, 0.5 * cost**-0.25)
    assert line.power.estimate == pytest.approx(4)
    assert line.k_half.estimate == pytest.approx(16)
    assert line.cost_to(0.05).estimate == pytest.approx(10**4)


def test_the_cost_to_an_error_goes_back_and_forth() -> None:
    cost, error = points()
    line = fit_loglog(cost, error)
    reach = line.cost_to(0.02)
    assert reach.low < reach.estimate < reach.high
    assert line.predict(reach.estimate).estimate == pytest.approx(0.02)
    # Fieller: at its ends the band of the line just touches the target.
    assert line.predict(reach.low).low == pytest.approx(0.02)
    assert line.predict(reach.high).high == pytest.approx(0.02)


def test_a_line_that_may_be_flat_never_surely_arrives() -> None:
    cost, error = points(n=8, slope=-0.01, noise=0.3, draw_seed=1)
    line = fit_loglog(cost, error)
    assert line.exponent.low < 0
    assert math.isinf(line.k_half.high)
    assert math.isinf(line.power.high)
    assert math.isinf(line.cost_to(0.01).high)
    rising = fit_loglog(cost, cost**0.1)
    assert math.isinf(rising.cost_to(0.01).estimate)
    assert math.isinf(rising.k_half.low)


def test_intervals_of_the_cost_cover_the_truth() -> None:
    hits = 0
    for draw_seed in range(400):
        reach = fit_loglog(*points(n=10, draw_seed=draw_seed)).cost_to(0.03)
        hits += reach.low <= (0.03 / 0.5) ** (1 / -0.2) <= reach.high
    assert 0.92 <= hits / 400 <= 0.98


@pytest.mark.parametrize("slope", [-0.1, -0.2, -0.25, -0.5])
@pytest.mark.parametrize("n", [4, 6, 12])
def test_points_on_the_line_have_intervals_that_hold_the_estimate(slope: float, n: int) -> None:
    cost = np.geomspace(1, 1e4, n)
    line = fit_loglog(cost, 0.5 * cost**slope)
    for target in (0.4, 0.3, 0.1, 0.01):
        reach = line.cost_to(target)
        assert reach.low <= reach.estimate <= reach.high


def test_no_line_through_one_cost() -> None:
    with pytest.raises(ValueError, match="three points"):
        fit_loglog(np.ones(5), np.ones(5))
