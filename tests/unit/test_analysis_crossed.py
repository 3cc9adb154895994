"""Errors of clusters and of seeds, each with degrees of freedom of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from toolkit.analysis.comparison.crossed import Crossed, crossed_means


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("degrees", [1199.0, 5.0])
def test_quantiles_and_p_values_are_those_of_the_sum_of_two_t(share: float, degrees: float) -> None:
    generator = np.random.default_rng(0)
    n = 400_000
    drawn = math.sqrt(share) * generator.standard_t(2, n)
    drawn += math.sqrt(1 - share) * generator.standard_t(degrees, n)
    one = Crossed(0.0, 1.0, degrees, share, 2.0)
    for level in (0.8, 0.95):
        high = one.interval(level).high
        assert (np.abs(drawn) <= high).mean() == pytest.approx(level, abs=0.003)
        assert one._replace(estimate=high).p_value() == pytest.approx(1 - level, abs=1e-3)


def test_without_seeds_or_without_the_rest_it_is_a_plain_t() -> None:
    clusters = Crossed(1.0, 4.0, 10.0)
    assert clusters.interval().high == pytest.approx(1 + 2 * 2.2281, abs=1e-3)
    assert clusters.p_value() == pytest.approx(0.6278, abs=1e-3)
    seeds = Crossed(1.0, 4.0, 1199.0, 4.0, 2.0)
    assert seeds.interval().high == pytest.approx(1 + 2 * 4.3027, abs=1e-3)
    assert seeds.p_value() == pytest.approx(0.6667, abs=1e-3)


def test_seeds_that_differ_by_more_than_noise_keep_their_few_degrees() -> None:
    generator = np.random.default_rng(1)
    rows = np.full(200, 10.0)
    noise = 0.1 * generator.normal(size=(3, 200))
    strong = crossed_means((np.array([[-1.0], [0.0], [1.0]]) + noise) * rows, rows)
    assert strong.seed_degrees == 2
    assert 0.99 < strong.seeds / strong.variance <= 1
    alike = crossed_means(np.tile(noise.mean(axis=0), (3, 1)) * rows, rows)
    assert alike.seeds == 0
