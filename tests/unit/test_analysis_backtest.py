from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from toolkit.analysis.backtest import back_test, check_backtest
from toolkit.analysis.climbs import Climb
from toolkit.analysis.proportion import clustered_share


def climb(
    error: np.ndarray, *, track: str = "neural", cost: np.ndarray | None = None, noise: float = 0.0
) -> Climb:
    generator = np.random.default_rng(0)
    costs = np.geomspace(100, 100 * 10**2.5, len(error)) if cost is None else cost
    errors = error[:, None] * np.exp(noise * generator.normal(size=(len(error), 3)))
    return Climb(track, "error_log_loss", "n_train", tuple(range(len(error))), costs, errors)


def falling(rungs: int = 10, floor: float = 0.6) -> np.ndarray:
    x = np.geomspace(10**-2.5, 1, rungs)
    return 0.2 * ((1 - floor) * x**-0.4 + floor)


def test_the_cheaper_seven_foretell_the_other_three() -> None:
    found = back_test([climb(falling(), noise=0.005)])
    assert [one.rung for one in found.forecasts] == [7, 8, 9]
    assert [one.times for one in found.forecasts] == pytest.approx([10 ** (2.5 * k / 9) for k in (1, 2, 3)])
    assert all(one.inside for one in found.forecasts)
    assert all(one.predicted.low <= one.observed <= one.predicted.high for one in found.forecasts)
    assert all("few_rungs" not in one.refusals for one in found.forecasts)


def test_forecasters_are_told_apart() -> None:
    found = back_test([climb(falling(), noise=0.001)])
    assert found.log_errors["curve"] < 0.01 < found.log_errors["loglog"]
    assert found.log_errors["curve"] < found.log_errors["unchanged"]
    last = found.forecasts[-1]
    assert last.unchanged == pytest.approx(falling()[6], rel=0.01)
    assert last.log_error("unchanged") == pytest.approx(math.log(last.unchanged / last.observed))


def test_a_curve_that_turns_up_is_missed_and_a_finding_says_so() -> None:
    error = falling()
    error[7:] = error[6] * np.array([1.2, 1.4, 1.6])
    found = back_test([climb(error, noise=0.002)])
    assert not any(one.inside for one in found.forecasts)
    (finding,) = check_backtest(found)
    assert finding.code == "forecasts_missed"
    assert "0 of 3" in finding.sentence
    assert not list(check_backtest(back_test([climb(falling(), noise=0.005)])))


def test_short_ladders_are_named_with_their_rungs() -> None:
    found = back_test([climb(falling(6), track="hybrid"), climb(falling(9), track="neural")])
    assert found.forecasts == ()
    assert found.coverage is None
    assert found.too_short == {"hybrid": 6, "neural": 9}
    assert not list(check_backtest(found))


def test_one_cost_for_all_cheaper_rungs_cannot_be_fitted() -> None:
    cost = np.array([100.0] * 7 + [200.0, 300.0, 400.0])
    assert back_test([climb(falling(), cost=cost)]).forecasts == ()


def test_longer_ladders_fit_seven_tenths() -> None:
    found = back_test([climb(falling(13), noise=0.005)])
    assert [one.rung for one in found.forecasts] == [9, 10, 11, 12]


def test_tracks_are_the_groups_of_the_coverage() -> None:
    bad = falling()
    bad[7:] *= 1.5
    found = back_test([climb(falling(), track="good", noise=0.005), climb(bad, track="bad", noise=0.005)])
    assert found.coverage_by_track == {"good": 1.0, "bad": 0.0}
    assert found.coverage is not None
    assert found.coverage.estimate == pytest.approx(0.5)
    assert (found.coverage.low, found.coverage.high) == pytest.approx((0.0, 1.0), abs=0.03)


def test_groups_of_one_give_nearly_the_exact_interval() -> None:
    groups = [[place < 60] for place in range(80)]
    exact = stats.binomtest(60, 80).proportion_ci(0.95)
    found = clustered_share(groups)
    assert found.estimate == pytest.approx(0.75)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.003)


def test_alike_observations_count_less() -> None:
    apart = clustered_share([[True, True, False, False]] * 8)
    alike = clustered_share([[True] * 4, [False] * 4] * 4)
    assert apart.estimate == alike.estimate == 0.5
    assert alike.high - alike.low > apart.high - apart.low


def test_a_share_without_observations_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        clustered_share([[], []])


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=1, max_size=8))
def test_a_share_lies_in_its_interval(groups: list[list[bool]]) -> None:
    found = clustered_share(groups)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    if len(groups) == 1:
        assert (found.low, found.high) == (0, 1)


def test_the_interval_holds_the_share_of_clustered_draws() -> None:
    generator, hits, n = np.random.default_rng(0), 0, 300
    for _ in range(n):
        chances = generator.beta(6, 2, size=12)
        found = clustered_share([list(generator.random(6) < chance) for chance in chances])
        hits += found.low <= 0.75 <= found.high
    assert hits / n >= 0.93
