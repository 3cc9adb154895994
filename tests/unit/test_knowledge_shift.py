from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from toolkit.knowledge.shift import Shift, World, certainty_of, word_range
from toolkit.knowledge.symbolic import log_odds

ANYTHING = (-math.inf, math.inf)


def solve(offset: NDArray[np.float64], total: float) -> float:
    return float(brentq(lambda value: expit(offset + value).sum() - total, -30, 30))


def shift_of(
    labels: list[int], chosen: list[int], prior: float = 0.0, clusters: list[int] | None = None
) -> Shift:
    truth = np.array(labels, float)
    codes = np.arange(len(truth)) if clusters is None else np.array(clusters)
    world = World.of(np.full(len(truth), prior), truth, codes)
    return world.shift(np.array(chosen), ANYTHING)


@pytest.mark.parametrize("certainty", [-0.95, -0.2, 0.1, 0.6])
def test_a_certainty_and_its_log_odds_are_two_names_of_one_thing(certainty: float) -> None:
    assert certainty_of(log_odds(certainty)) == pytest.approx(certainty, abs=1e-12)


def test_with_a_constant_prior_it_is_the_log_likelihood_ratio() -> None:
    labels = [1, 1, 1, 0, 1, 0, 0, 0, 0, 0]
    chosen = [0, 1, 2, 3, 8]
    ratio = (3 / 4) / (2 / 6)  # P(chosen | 1) / P(chosen | 0)
    for prior in (-3.0, 0.0, 2.0):
        assert shift_of(labels, chosen, prior).estimate == pytest.approx(math.log(ratio), abs=1e-9)


def test_the_interval_of_a_2_by_2_table_is_the_known_one() -> None:
    # Var(ln LR) = 1/a - 1/(a+b) + 1/c - 1/(c+d), D. Katz et al., Biometrics 34 (1978).
    labels = [1] * 400 + [0] * 600
    chosen = [*range(100), *range(400, 450)]
    found = shift_of(labels, chosen)
    error = math.sqrt(1 / 100 - 1 / 400 + 1 / 50 - 1 / 600)
    assert found.estimate == pytest.approx(math.log((100 / 400) / (50 / 600)))
    assert (found.high - found.low) / 2 == pytest.approx(1.976 * error, rel=0.01)


@pytest.mark.parametrize("alike", [0.0, 0.6])
def test_recovers_a_planted_shift_and_covers_it_when_rows_of_a_cluster_are_alike(alike: float) -> None:
    generator = np.random.default_rng(7)
    n_clusters, size, planted, worlds = 60, 25, 0.9, 200
    codes = np.repeat(np.arange(n_clusters), size)
    prior = generator.normal(-1.5, 1.0, n_clusters)[codes]
    # The rule, too, fires on whole clusters more than on others.
    fires = generator.random(len(codes)) < np.where(generator.random(n_clusters) < 0.3, 0.8, 0.05)[codes]
    rows = np.flatnonzero(fires)
    truth = expit(prior + planted * fires)
    general = solve(prior, truth.sum())
    target = solve(prior[rows] + general, truth[rows].sum())
    covered, naive, estimates = 0, 0, []
    for _ in range(worlds):
        common = generator.normal(size=n_clusters)[codes]
        latent = math.sqrt(alike) * common + math.sqrt(1 - alike) * generator.normal(size=len(codes))
        labels = (norm.cdf(latent) < truth).astype(float)
        world = World.of(prior, labels, codes)
        found = world.shift(rows, ANYTHING)
        alone = World.of(prior, labels, np.arange(len(codes))).shift(rows, ANYTHING)
        estimates.append(found.estimate)
        covered += found.low <= target <= found.high
        naive += alone.low <= target <= alone.high
    assert np.mean(estimates) == pytest.approx(target, abs=0.05)
    assert covered / worlds >= 0.91
    if alike:
        assert naive / worlds < 0.85, "rows taken as independent say too much"


def test_is_zero_where_all_rows_are_chosen() -> None:
    found = shift_of([1, 0, 0, 1, 0], [0, 1, 2, 3, 4], clusters=[0, 0, 1, 1, 2])
    assert (found.estimate, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-6)


def test_rows_of_one_cluster_cannot_tell_how_sure_they_are() -> None:
    found = shift_of([1, 0, 0, 1, 0, 0], [0, 1], clusters=[0, 0, 1, 1, 2, 2])
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert found.p_zero == 1.0


@pytest.mark.parametrize("label", [0, 1])
def test_without_both_outcomes_one_end_is_known(label: int) -> None:
    n_chosen = 30
    labels = [label] * n_chosen + [0, 1] * 50
    found = shift_of(labels, list(range(n_chosen)))
    general = logit(np.mean(labels))
    # Clopper and Pearson, Biometrika 26 (1934): no event in n rows.
    rate = 1 - 0.025 ** (1 / n_chosen)
    if label == 0:
        assert found.estimate == found.low == -math.inf
        assert found.high == pytest.approx(logit(rate) - general)
    else:
        assert found.estimate == found.high == math.inf
        assert found.low == pytest.approx(logit(1 - rate) - general)
    assert 0 <= found.p_zero < 0.05
    assert all(-1 <= end <= 1 for end in found.certainty)


def test_without_both_outcomes_a_cluster_counts_as_one_row() -> None:
    labels = [0] * 30 + [0, 1] * 50
    alone = shift_of(labels, list(range(30)))
    clusters = [row // 10 for row in range(30)] + list(range(3, 103))
    assert shift_of(labels, list(range(30)), clusters=clusters).high > alone.high + 1


def test_the_p_value_of_a_word_is_one_inside_what_it_covers_and_that_of_its_end_outside() -> None:
    labels = np.array([1] * 40 + [0] * 60 + [1] * 100 + [0] * 300, float)
    world = World.of(np.zeros(500), labels, np.arange(500))
    rows = np.arange(100)
    found = world.shift(rows, (-1.0, 1.0))
    assert found.p_word == 1.0
    assert world.shift(rows, (2.0, 3.0)).p_word < 1e-6
    at_the_end = world.shift(rows, (found.high, 3.0)).p_word
    assert at_the_end == pytest.approx(0.05, abs=1e-6)


def test_a_word_covers_half_the_way_to_its_neighbours_and_a_number_a_quarter() -> None:
    slightly, somewhat = log_odds(0.2), log_odds(0.4)
    assert word_range(0.2) == pytest.approx((slightly / 2, (slightly + somewhat) / 2))
    assert word_range(-0.2) == pytest.approx((-(slightly + somewhat) / 2, -slightly / 2))
    assert word_range(0.95)[1] == math.inf
    assert word_range(0.1) == pytest.approx((0.75 * log_odds(0.1), 1.25 * log_odds(0.1)))
