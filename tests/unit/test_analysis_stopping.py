from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from toolkit.analysis.stops.growth import fit_growth
from toolkit.analysis.stops.prospect_record import FormProspect, Prospect
from toolkit.analysis.stops.prospects import FIRST_RUNGS, ValidationRung, look_ahead
from toolkit.analysis.stops.stopping import (
    N_PLACES,
    Noise,
    Standing,
    leader_of,
    margin_of,
    odds,
    reason_to_stop,
)
from toolkit.analysis.validation import Validation

ROWS = np.geomspace(100, 100 * 10**2.5, 10)


def seen(rung: int, rows: float, values: dict[int, float], perfect: float) -> ValidationRung:
    return ValidationRung(rung, rows, Validation({}, values, perfect, (), ()))


def ladder(
    gain: float, *, level: float = 1.0, noise: float = 0.001, rungs: int = 7, perfect: float = 2.0
) -> list[ValidationRung]:
    """Rungs whose regret falls from `gain` + .5 at the first to about .5."""
    generator = np.random.default_rng(3)
    found = []
    for rung, rows in enumerate(ROWS[:rungs]):
        regret = (level + gain * (rows / ROWS[0]) ** -0.5) * np.exp(noise * generator.normal(size=3))
        found.append(seen(rung, float(rows), dict(enumerate((perfect - regret).tolist())), perfect))
    return found


LEFT = [(rung, float(ROWS[rung])) for rung in (7, 8, 9)]


def prospect(fitted: list[float], ahead: list[float], *, spread: float = 0.0) -> Prospect:
    places = np.linspace(-1, 1, 100) * spread
    draws = tuple(tuple((value + places).tolist()) for value in ahead)
    form = FormProspect("power_floor", 1.0, tuple(fitted), draws, draws)
    n = len(fitted)
    rows = tuple(float(one) for one in ROWS)
    return Prospect("neural", tuple(range(n)), rows[:n], (n,), rows[n : n + len(ahead)], (form,))


def asked(
    one: Prospect,
    *,
    costs: list[float | None] | None = None,
    leader: float = 0.0,
    margin: float = 1.0,
    error: float = 0.0,
):
    yearly = costs or [0.0] * len(one.rungs)
    noise = Noise(error, 39)
    return odds(one, volume=100.0, yearly_costs=yearly, leader=leader, margin=margin, noise=noise)


def test_a_rung_that_costs_more_than_it_gains_does_not_pay() -> None:
    cheap, dear = ([rows * price for rows in ROWS[:7]] for price in (1e-6, 1.0))
    ahead = prospect([1.0] * 7, [1.01])
    assert reason_to_stop(asked(ahead, costs=cheap), is_leader=True) is None
    assert reason_to_stop(asked(ahead, costs=dear), is_leader=True) == ("does_not_pay", 0.0)


def test_a_later_rung_may_pay_where_the_next_does_not() -> None:
    ahead = prospect([1.0] * 7, [0.99, 1.5])
    assert asked(ahead).pays == 1.0


def test_one_far_behind_the_leader_stops_and_one_within_the_margin_climbs() -> None:
    ahead = prospect([1.0] * 7, [1.01], spread=0.005)
    assert reason_to_stop(asked(ahead, leader=150.0, margin=1.0), is_leader=False) == ("behind_leader", 0.0)
    assert reason_to_stop(asked(ahead, leader=150.0, margin=60.0), is_leader=False) is None
    assert reason_to_stop(asked(ahead, leader=101.0, margin=1.0), is_leader=False) is None


def test_the_leader_itself_is_never_behind() -> None:
    ahead = prospect([1.0] * 7, [1.01], spread=0.005)
    assert reason_to_stop(asked(ahead, leader=150.0), is_leader=True) is None


def test_a_flat_leader_stops_as_soon_as_climbing_costs_anything() -> None:
    costs = [float(rows) for rows in ROWS[:7]]
    flat = prospect([1.0] * 7, [1.0, 1.0])
    assert reason_to_stop(asked(flat, costs=costs, leader=100.0), is_leader=True) == ("does_not_pay", 0.0)


def test_costs_that_were_not_measured_are_taken_not_to_grow() -> None:
    ahead = prospect([1.0] * 7, [1.001])
    assert asked(ahead, costs=[None] * 7).pays == 1.0


def test_negative_values_are_weighed_like_others() -> None:
    ahead = prospect([-3.0] * 7, [-2.9], spread=0.01)
    found = asked(ahead, leader=-50.0, margin=1.0)
    assert (found.pays, found.catches, found.forgone) == (1.0, 0.0, 0.0)
    assert reason_to_stop(found, is_leader=False) == ("behind_leader", 0.0)


def test_every_form_has_to_say_so() -> None:
    one, other = (prospect([1.0] * 7, [value]) for value in (1.0, 2.0))
    both = Prospect(one.track, one.rungs, one.rows, one.left, one.left_rows, (*one.forms, *other.forms))
    assert asked(one, leader=150.0).catches == 0.0
    assert asked(both, leader=150.0).catches == 1.0


def test_the_risk_is_the_chance_and_the_gain_of_overtaking() -> None:
    ahead = prospect([1.0] * 7, [1.5], spread=0.1)
    found = asked(ahead, leader=155.0, margin=0.0)
    assert found.overtakes == pytest.approx(0.25, abs=0.02)
    assert found.forgone == pytest.approx(0.25 * 2.5, abs=0.1)


def test_how_unsure_the_validation_block_is_of_the_leader_counts() -> None:
    ahead = prospect([1.0] * 7, [1.01], spread=0.005)
    assert reason_to_stop(asked(ahead, leader=120.0), is_leader=False) == ("behind_leader", 0.0)
    found = asked(ahead, leader=120.0, margin=0.0, error=0.19)
    # The rung would earn 101, 19 less than the leader: one standard error of t with 39 degrees of freedom.
    assert found.overtakes == pytest.approx(0.1617, abs=0.006)
    assert found.forgone == pytest.approx(19 * 0.0883, abs=0.15)
    assert reason_to_stop(found, is_leader=False) is None
    assert found.pays == asked(ahead, leader=120.0).pays


@pytest.mark.parametrize("degrees", [9, 19, 39])
def test_the_noise_is_of_student_t(degrees: int) -> None:
    draws = Noise(2.0, degrees).draws()
    places = (np.arange(N_PLACES) + 0.5) / N_PLACES
    assert draws == pytest.approx(2.0 * stats.t.ppf(places, degrees), rel=0.02)
    assert draws.mean() == pytest.approx(0.0, abs=1e-9)


def test_the_leader_is_the_highest_net_value() -> None:
    first, second = Standing("rules", 0, 10.0, 9.0), Standing("neural", 0, 12.0, 3.0)
    assert leader_of([first, second]) == first
    assert leader_of([]) is None
    assert margin_of(None, first) == pytest.approx(0.1)
    assert margin_of(0.0, first) == 0.0


def test_growth_is_fixed_and_by_row() -> None:
    found = fit_growth(ROWS.tolist(), (5 + 0.01 * ROWS).tolist())
    assert found is not None
    assert (found.fixed, found.per_row) == pytest.approx((5.0, 0.01))
    total = found.total([20_000.0, 40_000.0])
    assert total.low < total.estimate < total.high == pytest.approx(610.0)
    bent = fit_growth(ROWS.tolist(), (0.1 * ROWS**0.7).tolist())
    assert bent is not None
    total = bent.total([1e5])
    assert total.low <= 0.1 * 1e5**0.7 * 1.001 < total.estimate < total.high
    falling = fit_growth(ROWS.tolist(), (100 - 0.001 * ROWS).tolist())
    assert falling is not None
    assert falling.per_row == 0
    assert fit_growth([1.0, 2.0], [None, 3.0]) is None
    alike = fit_growth([0.0, 0.0], [3.0, 3.0])
    assert alike is not None
    assert alike.at(0.0) == 3.0


@given(st.lists(st.floats(1e-3, 1e6), min_size=2, max_size=10), st.integers(0, 100))
def test_growth_never_shrinks(costs: list[float], seed: int) -> None:
    rows = np.sort(np.random.default_rng(seed).uniform(1, 1e6, len(costs))).tolist()
    found = fit_growth(rows, costs)
    assert found is not None
    assert 0 <= found.at(rows[0]) <= found.at(2 * rows[-1])
    assert math.isfinite(found.log_spread)


def test_under_seven_rungs_nothing_is_asked() -> None:
    found = look_ahead("neural", ladder(0.5, rungs=FIRST_RUNGS - 1), LEFT)
    assert found.forms == ()
    assert "6 rungs were measured" in found.refusal
    assert look_ahead("neural", [], LEFT).refusal


def test_the_value_of_a_decision_is_foretold() -> None:
    found = look_ahead("neural", ladder(0.5), LEFT)
    assert found.refusal == ""
    assert (found.reached, found.left) == (6, (7, 8, 9))
    truth = [2.0 - (1.0 + 0.5 * (rows / ROWS[0]) ** -0.5) for _, rows in LEFT]
    for form in found.forms:
        assert len(form.fitted) == 7
        for draws in (*form.expected, *form.new_rung):
            assert list(draws) == sorted(draws)
    main = max(found.forms, key=lambda one: one.weight)
    assert [np.median(draws) for draws in main.expected] == pytest.approx(truth, abs=0.02)
    widths = [[draws[-1] - draws[0] for draws in rungs] for rungs in (main.expected, main.new_rung)]
    assert all(np.array(widths[0]) < np.array(widths[1]))


def test_values_below_nothing_are_foretold_too() -> None:
    found = look_ahead("neural", ladder(0.5, level=3.0, perfect=0.0), LEFT)
    assert found.refusal == ""
    assert all(value < 0 for form in found.forms for value in form.fitted)


def test_a_short_span_refuses() -> None:
    near = [one._replace(rows=100.0 + one.rung) for one in ladder(0.5, noise=0.01)]
    found = look_ahead("neural", near, [(7, 300.0)])
    assert found.refusal.startswith("the rows of its rungs span 0.02 powers of ten")
    assert "cost" not in found.refusal
    assert found.forms == ()


def test_decisions_that_get_worse_are_told_of_rows() -> None:
    worse = [one._replace(rows=float(rows)) for one, rows in zip(ladder(0.9)[::-1], ROWS, strict=False)]
    found = look_ahead("neural", worse, LEFT)
    assert "more rows make decisions worse" in found.refusal
    assert "cost" not in found.refusal


def test_what_a_track_gains_over_itself_is_of_its_curve_alone() -> None:
    ahead = prospect([1.0] * 7, [1.0], spread=0.1)
    still = replace(ahead.forms[0], expected=((1.0,) * 100,))
    found = asked(replace(ahead, forms=(still,)), leader=100.0, error=0.1)
    assert (found.pays, found.gained) == (0.0, 0.0)
    assert found.overtakes == pytest.approx(0.5, abs=0.02)
    assert found.forgone > 1.0
    assert asked(prospect([1.0] * 7, [1.1])).gained == pytest.approx(10.0)


def test_whoever_decides_right_already_is_not_asked() -> None:
    done = [seen(rung, float(ROWS[rung]), {0: 2.0, 1: 2.0, 2: 2.0}, 2.0) for rung in range(7)]
    assert look_ahead("rules", done, LEFT).refusal == "every decision is right already"


def test_of_rungs_of_one_seed_each_nothing_is_foretold() -> None:
    split = [
        seen(one.rung, one.rows, {one.rung: one.seen.values[0]}, one.seen.perfect) for one in ladder(0.5)
    ]
    assert look_ahead("neural", split, LEFT).refusal.startswith("1 seed was run; a forecast needs")
