"""One measure: the line against closed forms and scipy, families, ladders, floors, and refusals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from toolkit.analysis.published.decompose import decompose
from toolkit.analysis.published.floors import fixed_floors, round_floors
from toolkit.analysis.published.regression import fit_with_year
from toolkit.analysis.published.study import study
from toolkit.published.values import Observation, Price

COMPUTE = np.geomspace(1e15, 1e22, 12)


def noisy(error, seed=0, sigma=0.05):
    return error * np.exp(np.random.default_rng(seed).normal(0, sigma, len(error)))


def test_the_line_is_that_of_scipy(scatter, flop):
    error = noisy(0.5 * (COMPUTE / 1e15) ** -0.1)
    found = study(scatter(COMPUTE, error), flop).line
    reference = stats.linregress(np.log(COMPUTE), np.log(error))
    half = stats.t.ppf(0.975, 10) * reference.stderr
    assert found.exponent.estimate == pytest.approx(-reference.slope)
    assert found.exponent.low == pytest.approx(-reference.slope - half)
    assert found.exponent.high == pytest.approx(-reference.slope + half)
    assert found.r_squared == pytest.approx(reference.rvalue**2)
    assert found.power.estimate == pytest.approx(-1 / reference.slope)
    assert found.k_half.estimate == pytest.approx(2 ** (-1 / reference.slope))


def test_a_power_law_without_noise_is_found(scatter, flop):
    found = study(scatter(COMPUTE, 0.5 * (COMPUTE / 1e15) ** -0.1), flop, targets=[0.05])
    assert found.line.power.estimate == pytest.approx(10)
    assert found.line.k_half.estimate == pytest.approx(1024)
    assert found.forecasts[0].line.estimate == pytest.approx(1e25)


def test_the_year_takes_its_part_from_compute(scatter):
    year = np.arange(2010.0, 2022.0)
    compute = noisy(COMPUTE, seed=3, sigma=2.0)
    error = 0.5 * (compute / 1e15) ** -0.08 * np.exp(-0.03 * (year - 2010))
    found = fit_with_year(compute, error, year)
    assert found.exponent.estimate == pytest.approx(0.08)
    assert found.share_a_year.estimate == pytest.approx(math.expm1(-0.03))
    assert found.power.estimate == pytest.approx(12.5)
    assert found.r_squared == pytest.approx(1)


def test_intervals_with_year_are_those_of_least_squares():
    year = np.array([2012, 2013, 2013, 2015, 2016, 2018, 2019, 2021.0])
    compute = np.array([1e17, 4e17, 9e16, 2e19, 8e18, 6e19, 9e20, 2e21])
    error = np.array([0.4, 0.38, 0.41, 0.26, 0.24, 0.2, 0.14, 0.11])
    found = fit_with_year(compute, error, year)
    design = np.column_stack([np.ones(8), np.log(compute), year])
    coefficients, squares, *_ = np.linalg.lstsq(design, np.log(error), rcond=None)
    variance = squares[0] / 5 * np.linalg.inv(design.T @ design)[1, 1]
    assert found.exponent.estimate == pytest.approx(-coefficients[1], rel=1e-5)
    width = 2 * stats.t.ppf(0.975, 5) * math.sqrt(variance)
    assert found.exponent.high - found.exponent.low == pytest.approx(width, rel=1e-5)


@pytest.mark.parametrize("year", [np.full(8, 2020.0), 2000 + np.log(np.geomspace(1, 1e7, 8))])
def test_years_that_cannot_be_told_from_compute_give_no_fit(year):
    compute = np.geomspace(1, 1e7, 8)
    assert fit_with_year(compute, compute**-0.1, year) is None


def dated(scatter, years):
    rows = scatter(COMPUTE, noisy(0.5 * (COMPUTE / 1e15) ** -0.1, sigma=0.1))
    return [replace(one, year=year) for one, year in zip(rows, years, strict=True)]


SOME_YEARS = [2014.0, 2012, 2016, 2013, 2019, 2015, 2021, 2012, 2018, 2020, 2015, 2017]


def test_the_regression_on_year_takes_the_rows_that_have_one_and_counts_the_others(scatter, flop):
    rows = dated(scatter, [None, *SOME_YEARS[1:-1], None])
    found = study(rows, flop)
    assert found.with_year.n == 10
    assert found.with_year == study(rows[1:-1], flop).with_year
    assert found.line.n == 12
    assert found.notes == (
        "the regression on year as well uses the 10 results that have one; 2 have none and are left out of "
        "it",
    )
    assert (
        study(dated(scatter, [None, *SOME_YEARS[1:]]), flop)
        .notes[0]
        .endswith("the 11 results that have one; 1 has none and is left out of it")
    )
    assert study(dated(scatter, SOME_YEARS), flop).notes == ()


@pytest.mark.parametrize(
    ("years", "why"),
    [
        ([2020.0] * 12, "all results that have a year are of 2020"),
        ([2010.0 + i for i in range(12)], "compute and year rise in step"),
        (
            [None] * 8 + [2010.0, 2012, 2011, 2015],
            "4 results have a year and 8 have none; it takes at least 6",
        ),
        ([None] * 11 + [2010.0], "1 result has a year and 11 have none; it takes at least 6"),
    ],
)
def test_why_there_is_no_regression_on_year_is_told(scatter, flop, years, why):
    found = study(dated(scatter, years), flop)
    assert found.with_year is None
    (note,) = found.notes
    assert note.startswith(f"there is no regression on year as well: {why}")


def test_a_table_without_years_says_nothing_of_them(scatter, flop):
    assert study(dated(scatter, [None] * 12), flop).notes == ()


def test_a_slope_too_small_for_a_number_halves_the_error_at_an_infinite_multiple_with_year():
    compute = np.array([1e17, 4e17, 9e16, 2e19, 8e18, 6e19, 9e20, 2e21])
    year = np.array([2012, 2013, 2013, 2015, 2016, 2018, 2019, 2021.0])
    found = fit_with_year(compute, 0.3 * compute**-1e-4, year)
    assert found.k_half.estimate == math.inf


@pytest.mark.parametrize("level", [0.5, 0.8, 0.999])
def test_what_is_shown_or_refused_does_not_depend_on_the_level_that_is_asked_for(scatter, flop, level):
    steps = np.geomspace(1, 1e4, 12)
    tables = {
        "floor shown": noisy(0.2 + 0.4 * steps**-0.5, seed=3, sigma=0.1),
        "floor not shown": noisy(0.05 + 0.4 * steps**-0.2, seed=1, sigma=0.1),
        "flat": noisy(0.4 * steps**-0.01, seed=3),
    }
    for name, error in tables.items():
        usual = study(scatter(COMPUTE, error), flop, targets=[0.3, 0.15, 0.05])
        asked = study(scatter(COMPUTE, error), flop, targets=[0.3, 0.15, 0.05], level=level)
        assert usual.shows_floor == (name == "floor shown"), name
        assert usual.clearly_falls == (name != "flat"), name
        for held in ("shows_floor", "may_fall", "clearly_falls", "refusals"):
            assert getattr(asked, held) == getattr(usual, held), (name, held)
        for one, other in zip(asked.forecasts, usual.forecasts, strict=True):
            assert (one.by, one.line_reach, one.curve_reach) == (
                other.by,
                other.line_reach,
                other.curve_reach,
            )
            assert one.refusals == other.refusals
        assert asked.line.exponent.low != usual.line.exponent.low


def test_a_target_too_far_for_a_number_is_not_out_of_reach(scatter, flop):
    error = 0.5 * (COMPUTE / 1e15) ** -0.0005 * np.exp(np.random.default_rng(0).normal(0, 1e-5, 12))
    found = study(scatter(COMPUTE, error), flop, targets=[0.1])
    assert found.forecasts[0].line.low == math.inf
    assert (found.forecasts[0].reach, found.forecasts[0].curve_reach) == ("too_far", "too_far")
    rising = study(scatter(COMPUTE, error[::-1]), flop, targets=[0.1])
    assert rising.forecasts[0].line_reach == "cannot"


def test_repeats_within_a_family_are_no_further_sizes(scatter, flop):
    others = scatter(COMPUTE, noisy(0.5 * (COMPUTE / 1e15) ** -0.1))
    sizes, error = np.array([1e18, 2e18, 4e18, 8e18]), np.array([0.3, 0.26, 0.2, 0.18])
    once = scatter(sizes, error, family="Net")
    thrice = scatter(np.repeat(sizes, 3), np.repeat(error, 3) * np.tile([0.99, 1, 1 / 0.99], 4), family="Net")
    (first,), (second,) = (study([*others, *rows], flop).families for rows in (once, thrice))
    assert first.n == second.n == 4
    assert second.line.exponent.low == pytest.approx(first.line.exponent.low)
    two = scatter([1e18, 1e18, 2e18, 2e18], [0.3, 0.29, 0.2, 0.21], family="Net")
    assert study([*others, *two], flop).families == ()


def test_a_family_of_equal_errors_has_no_power(scatter, flop):
    family = scatter([1e18, 2e18, 5e18], [0.3, 0.3, 0.3], family="Net")
    others = scatter(COMPUTE, noisy(0.5 * (COMPUTE / 1e15) ** -0.1))
    (one,) = study([*others, *family], flop).families
    assert one.line.power.low == math.inf


def test_of_a_family_only_the_best_counts_and_the_family_has_a_line_of_its_own(scatter, flop):
    others = scatter(COMPUTE, noisy(0.5 * (COMPUTE / 1e15) ** -0.1))
    family = scatter([1e18, 2e18, 4e18, 8e18], [0.3, 0.2, 0.15, 0.16], family="Net")
    found = study([*others, *family], flop)
    assert found.line.n == 13
    assert [one.error for one in found.points if one.family] == [0.15]
    assert len(found.members) == 3
    (one,) = found.families
    assert (one.family, one.n) == ("Net", 4)
    expected = stats.linregress(np.log([1e18, 2e18, 4e18, 8e18]), np.log([0.3, 0.2, 0.15, 0.16]))
    assert one.line.exponent.estimate == pytest.approx(-expected.slope)


def test_rows_of_equal_compute_are_seeds_when_every_compute_has_two(scatter, flop):
    compute = np.repeat(COMPUTE, 3)
    found = study(scatter(compute, noisy(0.5 * (compute / 1e15) ** -0.1)), flop)
    assert (found.is_ladder, found.n_rungs, found.n_seeds, found.line.n) == (True, 12, 3, 12)
    assert found.with_year is None
    uneven = study(scatter(compute[1:], noisy(0.5 * (compute[1:] / 1e15) ** -0.1)), flop)
    assert (uneven.is_ladder, uneven.n_rungs, uneven.n_seeds) == (True, 12, 2)
    assert "few_seeds" in {code for code, _ in uneven.refusals}


@pytest.mark.parametrize("dropped", [1, 2])
def test_a_rung_with_fewer_rows_keeps_the_ladder_and_is_told(scatter, flop, dropped):
    compute = np.repeat(np.geomspace(100, 1e6, 9), 3)[:-dropped]
    found = study(scatter(compute, noisy(0.5 * (compute / 1e2) ** -0.1)), flop)
    assert (found.is_ladder, found.n_rungs) == (True, 9)
    assert not any("mean of its rows" in note for note in found.notes)
    run = "1 seed was run" if dropped == 2 else "2 seeds were run"
    assert ("few_seeds", f"{run} at 1 of 9 rungs; a forecast needs at least 3") in found.refusals
    assert found.curve.ladder.n_seeds.tolist() == [3.0] * 8 + [3.0 - dropped]


def test_a_rung_with_more_rows_than_others_is_no_reason_to_refuse(scatter, flop):
    compute = np.append(np.repeat(np.geomspace(100, 1e6, 9), 3), 1e6)
    found = study(scatter(compute, noisy(0.5 * (compute / 1e2) ** -0.1)), flop)
    assert (found.is_ladder, found.n_rungs, found.n_seeds) == (True, 9, 3)
    assert "few_seeds" not in {code for code, _ in found.refusals}


def test_equally_many_repeats_and_no_family_leave_nothing_to_tell(scatter, flop):
    compute = np.repeat(COMPUTE, 3)
    rows = scatter(compute, noisy(0.5 * (compute / 1e15) ** -0.1))
    assert study([replace(one, year=None) for one in rows], flop).notes == ()
    (told,) = study(rows, flop).notes
    assert told.startswith("there is no regression on year as well: rows of equal compute are repeats")


def test_rows_of_families_that_are_not_fitted_are_counted(scatter, flop):
    others = scatter(COMPUTE, noisy(0.5 * (COMPUTE / 1e15) ** -0.1))
    family = scatter([1e18, 2e18, 4e18], [0.3, 0.2, 0.15], family="Net")
    (note,) = study([*others, *family], flop).notes
    assert note == (
        "of a family only its best result counts here, for sizes of one recipe are no further recipes: "
        "2 more rows of 1 family (Net 2) are not in this fit"
    )
    note, *_ = study([*others[:4], *family], flop).notes
    assert note.endswith("for one line over all rows take the column 'family' out")


def test_what_may_be_said_of_targets(scatter, flop):
    error = noisy(0.5 * (COMPUTE / 1e15) ** -0.1, sigma=0.01)
    found = study(scatter(COMPUTE, error), flop, targets=[0.6, 0.3, 0.09, 0.01])
    assert [one.reach for one in found.forecasts] == ["at_most", "measured", "forecast", "drawn_on"]
    few = study(scatter(COMPUTE[:6], error[:6]), flop, targets=[0.2])
    assert few.forecasts[0].reach == "drawn_on"
    floor = 0.2 + 0.4 * np.geomspace(1, 1e4, 12) ** -0.5
    floored = study(scatter(COMPUTE, noisy(floor, sigma=0.002)), flop, targets=[0.3, 0.1])
    assert [(one.by, one.reach) for one in floored.forecasts] == [("curve", "measured"), ("curve", "cannot")]
    above = np.append(0.6, error[1:])
    first = study(scatter(COMPUTE, above), flop, targets=[0.55]).forecasts[0]
    assert first.reach == "at_most_fitted"


def test_errors_that_do_not_clearly_fall_tell_nothing_of_targets(scatter, flop):
    flat = study(scatter(COMPUTE, noisy(np.full(12, 0.2))), flop, targets=[0.5, 0.2, 0.1])
    assert [one.reach for one in flat.forecasts] == ["at_most", "not_told", "not_told"]
    equal = study(scatter(COMPUTE, np.full(12, 0.2)), flop, targets=[0.2, 0.1])
    assert [(one.reach, one.refusals) for one in equal.forecasts] == [("at_most", ()), ("cannot", ())]


def test_what_a_result_has_reached_is_not_refused(scatter, flop):
    error = noisy(0.5 * COMPUTE**-0.01, seed=5, sigma=0.02)
    found = study(scatter(COMPUTE, error), flop, targets=[float(np.sort(error)[1])])
    assert found.forecasts[0].refusals == ()


def test_a_scatter_is_not_refused_for_want_of_seeds(scatter, flop):
    compute = np.append(COMPUTE, COMPUTE[3])
    found = study(scatter(compute, noisy(0.5 * (compute / 1e15) ** -0.1)), flop)
    assert (found.is_ladder, found.n_rungs) == (False, 13)
    assert "few_seeds" not in {code for code, _ in found.refusals}
    few = study(scatter(COMPUTE[:5], noisy(COMPUTE[:5] ** -0.1)), flop)
    assert ("few_rungs", "5 results are there; a forecast needs at least 8") in few.refusals


def test_many_results_of_one_compute_are_one_rung_and_give_no_forecast(scatter, flop):
    compute = np.append(np.full(7, 1.0), np.geomspace(10, 1e6, 6))
    found = study(scatter(compute, noisy(0.5 * compute**-0.1)), flop, targets=[0.06])
    assert found.is_ladder
    assert found.line.n == found.n_rungs == 7
    assert "few_seeds" in [code for code, _ in found.refusals]
    assert found.forecasts[0].reach == "drawn_on"
    assert found.line.power.estimate == pytest.approx(10, rel=0.2)
    assert found.curve.floor.low <= found.curve.floor.estimate <= found.curve.floor.high
    assert found.curve.held_out is not None


def test_fewer_than_three_computes_are_no_line(scatter, flop):
    assert study(scatter([1e18, 1e18, 2e18], [0.3, 0.3, 0.2]), flop) is None


def test_money_and_carbon_are_the_computes_times_the_rates(scatter, flop):
    prices = [Price("usd", 1e-17), Price("kg_co2", 2e-18)]
    (found,) = study(scatter(COMPUTE, noisy(COMPUTE**-0.1)), flop, targets=[0.004], prices=prices).forecasts
    for end in ("estimate", "low", "high"):
        assert getattr(found.usd, end) == pytest.approx(getattr(found.line, end) * 1e-17)
        assert getattr(found.kg_co2, end) == pytest.approx(getattr(found.line, end) * 2e-18)


def test_a_fixed_floor_of_none_is_the_line_and_the_true_one_fits_best(scatter):
    error = 0.08 + 0.4 * (COMPUTE / 1e15) ** -0.25
    floors = fixed_floors(COMPUTE, error, (0.0, 0.04, 0.08))
    line = stats.linregress(np.log(COMPUTE), np.log(error))
    assert floors[0].exponent == pytest.approx(-line.slope)
    left = np.log(error) - line.intercept - line.slope * np.log(COMPUTE)
    assert floors[0].squares == pytest.approx(left @ left)
    assert floors[0].aicc == pytest.approx(12 * math.log(left @ left / 12) + 6 + 24 / 8)
    assert floors[2].exponent == pytest.approx(0.25)
    assert floors[0].squares > floors[1].squares > floors[2].squares
    assert floors[2].squares < 1e-12


def test_floors_to_compare_are_round_and_lie_under_the_least_error():
    assert round_floors(0.09, [0.05]) == (0.0, 0.02, 0.04, 0.05, 0.06, 0.08)
    assert round_floors(1.9, [2.5]) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8)


def model(name, error, peak_gflops, processors, days):
    facts = {"peak_gflops": peak_gflops, "processors": processors, "days": days}
    return Observation(name, error, {}, facts=facts)


def test_a_decomposition_is_a_product_of_three_ratios():
    rows = [model("old", 0.4, 100, 2, 6), model("new", 0.1, 500, 40, 3), Observation("bare", 0.1, {})]
    found = decompose(rows, "old", "new")
    assert (found.hardware, found.processors, found.time) == (5, 20, 0.5)
    assert (found.product, found.error) == (50, 0.25)
    assert decompose(rows, "old", "bare") is None
    assert decompose(rows, "old", "none") is None


def test_repeats_of_two_computes_are_no_further_results(scatter, flop):
    computes = np.geomspace(1.0, 1e4, 10)
    compute = np.concatenate([computes, np.repeat(computes[-2:], 5)])
    holds = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        rung = dict(zip(computes.tolist(), generator.normal(0, 0.06, 10), strict=True))
        off = np.array([rung[one] for one in compute.tolist()]) + generator.normal(0, 0.005, len(compute))
        power = study(scatter(compute, 0.5 * compute**-0.2 * np.exp(off)), flop).line.power
        holds += power.low <= 5 <= power.high
    assert holds >= 88
