from __future__ import annotations

import math

import numpy as np
import pytest

from toolkit.analysis.fits.curves import fit_curve
from toolkit.analysis.forecast import PRECISION_ERROR, track_curves
from toolkit.analysis.readings import by_rung


def ladder(b: float, f: float, *, a: float = 0.2, rungs: int = 10, decades: float = 2.5):
    cost = np.geomspace(10, 10 * 10**decades, rungs)
    return cost, a * ((1 - f) * (cost / cost[-1]) ** -b + f)


def noisy(error: np.ndarray, noise: float, seeds: int = 5, draw_seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(draw_seed)
    return error[:, None] * np.exp(noise * generator.normal(size=(len(error), seeds)))


def codes(fit) -> set[str]:
    return {code for code, _ in fit.refusals}


@pytest.mark.parametrize(("b", "f"), [(0.4, 0.3), (0.3, 0.0), (0.8, 0.6), (0.15, 0.1)])
def test_a_curve_without_noise_is_found_again(b: float, f: float) -> None:
    cost, error = ladder(b, f)
    fit = fit_curve(cost, np.tile(error[:, None], 3))
    assert fit.exponent is not None
    assert fit.floor is not None
    assert fit.elasticity is not None
    assert fit.exponent.estimate == pytest.approx(b, rel=0.02)
    assert fit.floor.estimate == pytest.approx(0.2 * f, abs=2e-3)
    assert fit.elasticity.estimate == pytest.approx(-b * (1 - f), rel=0.01)


def test_derived_figures_follow_their_formulas() -> None:
    cost, error = ladder(0.4, 0.3)
    fit = fit_curve(cost, np.tile(error[:, None], 3))
    assert fit.k_half is not None
    assert fit.k_half.estimate == pytest.approx((0.7 / 0.2) ** (1 / 0.4), rel=0.02)
    ahead = fit.predict(10 * cost[-1])
    assert ahead is not None
    assert ahead.estimate == pytest.approx(0.2 * (0.7 * 10**-0.4 + 0.3), rel=1e-3)
    reach = fit.cost_to(0.15)
    assert reach is not None
    assert reach.estimate == pytest.approx(cost[-1] * (0.7 / (0.15 / 0.2 - 0.3)) ** (1 / 0.4), rel=0.01)
    back = fit.predict(reach.estimate)
    assert back is not None
    assert back.estimate == pytest.approx(0.15, rel=1e-9)


def test_what_lies_below_the_floor_costs_infinitely_much() -> None:
    cost, error = ladder(0.4, 0.6)
    fit = fit_curve(cost, noisy(error, 0.005))
    assert fit.k_half is not None
    assert math.isinf(fit.k_half.estimate)
    assert math.isinf(fit.k_half.high)
    reach = fit.cost_to(0.05)
    assert reach is not None
    assert math.isinf(reach.estimate)


def test_the_classic_line_is_wrong_where_there_is_a_floor_and_sure_of_it() -> None:
    cost, error = ladder(0.3, 0.4)
    fit = fit_curve(cost, noisy(error, 0.01))
    assert fit.loglog is not None
    assert fit.exponent is not None
    assert fit.loglog.exponent.high < 0.3
    assert fit.exponent.low <= 0.3 <= fit.exponent.high


def test_a_flat_curve_has_no_known_exponent() -> None:
    cost = np.geomspace(10, 10_000, 10)
    fit = fit_curve(cost, noisy(np.full(10, 0.3), 0.02))
    assert fit.exponent is not None
    assert fit.exponent.low == 0
    assert math.isinf(fit.exponent.high)
    assert fit.k_half is not None
    assert math.isinf(fit.k_half.high)


def test_order_of_rungs_does_not_matter() -> None:
    cost, error = ladder(0.4, 0.3)
    table = noisy(error, 0.02)
    mixed = np.random.default_rng(0).permutation(len(cost))
    assert fit_curve(cost, table).exponent == fit_curve(cost[mixed], table[mixed]).exponent


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"rungs": 7}, "few_rungs"), ({"decades": 1.0}, "short_span")],
)
def test_a_thin_ladder_is_refused_but_still_answers(changes: dict[str, float], code: str) -> None:
    cost, error = ladder(0.4, 0.3, **changes)
    fit = fit_curve(cost, noisy(error, 0.01))
    assert code in codes(fit)
    assert fit.predict(2 * cost[-1]) is not None


def test_few_seeds_are_refused() -> None:
    cost, error = ladder(0.4, 0.3)
    assert "few_seeds" in codes(fit_curve(cost, noisy(error, 0.01, seeds=2)))
    assert "few_seeds" not in codes(fit_curve(cost, noisy(error, 0.01, seeds=3)))


def test_a_good_ladder_is_not_refused() -> None:
    cost, error = ladder(0.4, 0.3)
    fit = fit_curve(cost, noisy(error, 0.01))
    assert fit.refusals == ()
    assert fit.form == "power_floor"


def test_an_error_that_rises_is_refused() -> None:
    cost, error = ladder(0.4, 0.3)
    error = error.copy()
    error[6] *= 1.3
    assert "not_monotone" in codes(fit_curve(cost, noisy(error, 0.01)))


def test_a_break_at_the_largest_rung_is_refused() -> None:
    cost, error = ladder(0.4, 0.3)
    error = error.copy()
    error[-1] *= 0.7
    assert "held_out_miss" in codes(fit_curve(cost, noisy(error, 0.01)))


def exponential(cost: np.ndarray) -> np.ndarray:
    return 0.2 * (0.5 * np.exp(-6 * cost / cost[-1]) + 0.5)


def logarithm(cost: np.ndarray) -> np.ndarray:
    return 0.2 * (1 - 0.15 * np.log(cost / cost[-1]))


@pytest.mark.parametrize(("form", "law"), [("exponential_floor", exponential), ("log", logarithm)])
def test_a_clear_form_of_another_kind_gives_the_figures(form: str, law) -> None:
    cost = np.geomspace(10, 10_000, 12)
    fit = fit_curve(cost, noisy(law(cost), 0.002))
    assert fit.form == fit.forms[0].form == form
    assert fit.exponent is None
    assert "form_unclear" not in codes(fit)
    ahead = fit.predict(3 * cost[-1])
    truth = (
        law(np.array([cost[-1], 3 * cost[-1]]))[1]
        if form == "exponential_floor"
        else 0.2 * (1 - 0.15 * math.log(3))
    )
    assert ahead is not None
    if form == "log":
        assert ahead.low <= truth <= ahead.high
        assert ahead.estimate == pytest.approx(truth, rel=0.03)


def test_a_form_that_does_not_fit_is_refused_when_it_is_asked_for() -> None:
    cost = np.geomspace(10, 10_000, 12)
    assert "form_unclear" in codes(fit_curve(cost, noisy(logarithm(cost), 0.002), form="power"))
    assert "form_unclear" not in codes(fit_curve(cost, noisy(logarithm(cost), 0.002), form="log"))


def test_figures_of_the_other_forms_follow_their_formulas() -> None:
    cost = np.geomspace(10, 10_000, 12)
    fit = fit_curve(cost, np.tile(exponential(cost)[:, None], 3), form="exponential_floor")
    assert fit.floor is not None
    assert fit.floor.estimate == pytest.approx(0.1, rel=1e-3)
    assert fit.k_half_excess is not None
    assert fit.k_half_excess.estimate == pytest.approx(1 + math.log(2) / 6, rel=1e-3)
    fit = fit_curve(cost, np.tile(logarithm(cost)[:, None], 3), form="log")
    assert fit.k_half is not None
    assert fit.k_half.estimate == pytest.approx(math.exp(0.5 / 0.15), rel=1e-3)
    assert fit.elasticity is not None
    assert fit.elasticity.estimate == pytest.approx(-0.15, rel=1e-3)
    reach = fit.cost_to(0.19)
    assert reach is not None
    assert reach.estimate == pytest.approx(cost[-1] * math.exp(0.05 / 0.15), rel=1e-3)
    fit = fit_curve(cost, np.tile(0.2 * (cost / cost[-1])[:, None] ** -0.25, 3), form="power")
    assert fit.floor is None
    assert fit.k_half == fit.k_half_excess
    assert fit.k_half is not None
    assert fit.k_half.estimate == pytest.approx(16, rel=1e-6)


def test_a_new_rung_is_less_sure_than_the_curve_and_a_lower_level_is_narrower() -> None:
    cost, error = ladder(0.4, 0.3)
    fit = fit_curve(cost, noisy(error, 0.02))
    expected, rung = fit.predict(3 * cost[-1]), fit.predict(3 * cost[-1], new_rung=True)
    narrow = fit.predict(3 * cost[-1], level=0.8, new_rung=True)
    assert expected is not None
    assert rung is not None
    assert narrow is not None
    assert rung.low < expected.low < expected.high < rung.high
    assert rung.low < narrow.low < narrow.high < rung.high
    assert rung.estimate == expected.estimate == narrow.estimate


@pytest.mark.parametrize("level", [0.5, 0.8, 0.999])
def test_what_is_refused_does_not_depend_on_the_level_of_the_intervals(level: float) -> None:
    cost = np.geomspace(1, 1e3, 10)
    for seed in range(20):
        eps = np.random.default_rng(seed).normal(0, 0.03, (10, 3))
        error = (0.1 + 0.4 * cost**-0.4)[:, None] * np.exp(eps)
        assert codes(fit_curve(cost, error, level=level)) == codes(fit_curve(cost, error))


def test_rungs_of_one_cost_count_once() -> None:
    cost = np.repeat(np.geomspace(1, 1e3, 5), 4)
    error = 0.5 * cost**-0.2 * np.exp(np.random.default_rng(1).normal(0, 0.01, 20))
    fit = fit_curve(cost, error[:, None])
    (told,) = [one.sentence for one in fit.refusals if one.code == "few_rungs"]
    assert told == "5 rungs of different cost were measured; a forecast needs at least 8"


def test_the_held_out_rung_is_told_with_its_prediction() -> None:
    cost, error = ladder(0.4, 0.3)
    fit = fit_curve(cost, noisy(error, 0.01))
    assert fit.held_out is not None
    assert fit.held_out.inside
    assert fit.held_out.predicted.low <= fit.held_out.observed <= fit.held_out.predicted.high
    assert fit.held_out.cost == cost[-1]
    assert fit_curve(cost[:6], noisy(error[:6], 0.01)).held_out is None


def test_targets_are_refused_by_what_is_known_of_the_floor() -> None:
    cost, error = ladder(0.4, 0.3, rungs=12, decades=4)
    fit = fit_curve(cost, noisy(error, 0.003))
    assert fit.refuse_target(0.15) is None
    assert [one.code for one in (fit.refuse_target(0.02), fit.refuse_target(0.075)) if one] == [
        "unreachable",
        "beyond_reach",
    ]
    refusal = fit_curve(*blurred(0.05)).refuse_target(0.055)
    assert refusal is not None
    assert refusal.code == "not_shown_reachable"
    assert "0.055" in refusal.sentence


def blurred(noise: float):
    cost, error = ladder(0.4, 0.3)
    return cost, noisy(error, noise, draw_seed=4)


def test_rungs_of_equal_cost_are_all_used() -> None:
    cost, error = ladder(0.4, 0.3)
    twice = fit_curve(np.repeat(cost, 2), np.repeat(noisy(error, 0.01), 2, axis=0))
    once = fit_curve(cost, noisy(error, 0.01))
    assert twice.exponent is not None
    assert once.exponent is not None
    assert twice.exponent.estimate == pytest.approx(once.exponent.estimate, rel=1e-3)


@pytest.mark.parametrize("rungs", [1, 2, 3, 4])
def test_too_few_rungs_give_no_figures(rungs: int) -> None:
    cost, error = ladder(0.4, 0.3, rungs=max(rungs, 2))
    fit = fit_curve(cost[:rungs], np.tile(error[:rungs, None], 3))
    assert fit.form == "none"
    assert fit.exponent is None
    assert fit.predict(1.0) is None
    assert "few_rungs" in codes(fit)


def test_what_does_not_fall_is_refused() -> None:
    fit = fit_curve(np.geomspace(10, 10_000, 10), noisy(np.full(10, 0.2), 0.01)[:, :3])
    assert "no_fall" in codes(fit)
    assert fit.floor is not None
    assert fit.floor.low <= 0.2 * 1.01


@pytest.mark.parametrize("form", ["auto", "power", "log"])
def test_one_error_for_all_rungs_gives_no_figures_of_rounding(form: str) -> None:
    seeds = np.array([0.2, 0.1 + 0.1, 0.3])
    errors = np.stack([np.roll(seeds, rung) for rung in range(10)])
    fit = fit_curve(np.geomspace(10, 10_000, 10), errors, form=form)
    assert (fit.form, fit.k_half, fit.predict(1.0)) == ("none", None, None)
    assert "no_fall" in codes(fit)
    told = fit.refuse_target(0.1)
    assert told is not None
    assert told.code == "no_fall"


def test_a_seed_that_did_not_climb_every_rung_counts_where_it_did() -> None:
    cost, error = ladder(0.4, 0.3)
    whole = noisy(error, 0.01)[:, :3]
    uneven = np.where(np.arange(len(cost))[:, None] >= [[99, 7, 7]], np.nan, whole)
    fit = fit_curve(cost, uneven)
    assert fit.ladder.n_seeds.tolist() == [3.0] * 7 + [1.0] * 3
    told = next(one.sentence for one in fit.refusals if one.code == "few_seeds")
    assert told == "1 seed was run at 3 of 10 rungs; a forecast needs at least 3"
    assert fit.ladder.weights[-1] < fit.ladder.weights[0]
    with pytest.raises(ValueError, match="every rung"):
        fit_curve(cost, np.where(np.arange(10)[:, None] == 4, np.nan, whole))


@pytest.mark.parametrize("missing", [0, 2])
def test_curves_pass_through_the_means_of_all_seeds(truth, draw_world, missing: int) -> None:
    cells, _ = draw_world({"classical": truth(0.9, gain=0.4)}, rungs=6)
    kept = [one for one in cells if one.seed == 0 or one.rung >= missing]
    curve = track_curves(by_rung(kept), "error_log_loss")[0]
    for rung, (_, told) in enumerate(curve.points):
        errors = [one.scores["error_log_loss"] for one in kept if one.rung == rung]
        assert told == pytest.approx(math.exp(np.log(errors).mean()))


def test_errors_of_one_seed_need_no_second_dimension() -> None:
    cost, error = ladder(0.4, 0.3)
    one = noisy(error, 0.01)[:, 0]
    assert fit_curve(cost, one).k_half == fit_curve(cost, one[:, None]).k_half


def test_wide_spans_of_cost_stay_numbers() -> None:
    generator = np.random.default_rng(0)
    cost = np.sort(10 ** generator.uniform(0, 6, 1000))
    error = (0.5 * cost**-0.05 * np.exp(0.2 * generator.normal(size=1000)))[:, None]
    wide = np.geomspace(1e-300, 1e300, 10)
    flat = np.linspace(0.5, 0.2, 10)[:, None]
    for fit in (fit_curve(cost, error), fit_curve(wide, flat, form="power_floor")):
        assert fit.floor is not None
        assert math.isfinite(fit.floor.high)
        ahead = fit.predict(fit.largest_cost)
        assert ahead is not None
        assert ahead.low <= ahead.estimate <= ahead.high
        assert fit.held_out is not None
        assert math.isfinite(fit.held_out.predicted.high)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_figures_of_nonsense_are_named_errors(value: float) -> None:
    cost, error = ladder(0.4, 0.3)
    fit = fit_curve(cost, noisy(error, 0.01))
    with pytest.raises(ValueError, match="cost must be one positive"):
        fit.predict(value)
    with pytest.raises(ValueError, match="error must be one positive"):
        fit.cost_to(value)


def test_nonsense_is_a_named_error() -> None:
    cost, error = ladder(0.4, 0.3)
    table = error[:, None]
    with pytest.raises(ValueError, match="cost must be"):
        fit_curve(cost[:-1], table)
    with pytest.raises(ValueError, match="every cost"):
        fit_curve(-cost, table)
    with pytest.raises(ValueError, match="every error"):
        fit_curve(cost, 0 * table)
    with pytest.raises(ValueError, match="form must be"):
        fit_curve(cost, table, form="cubic")
    with pytest.raises(ValueError, match="level must"):
        fit_curve(cost, table, level=95)


def test_curves_of_tracks_leave_out_what_climbs_no_data(truth, draw_world) -> None:
    cells, _ = draw_world({"classical": truth(0.9, gain=0.4), "rules": truth(0.5)}, rungs=6)
    curves = track_curves(by_rung(cells), "error_log_loss")
    assert {(curve.track, curve.error, curve.cost) for curve in curves} == {
        ("classical", error, cost)
        for error in ("error_log_loss", PRECISION_ERROR)
        for cost in ("n_train", "cost_train_cpu_seconds")
    }
    by_rows = curves[0]
    assert [cost for cost, _ in by_rows.points] == [1000 * 2**rung for rung in range(6)]
    assert len(by_rows.grid_cost) == len(by_rows.grid_low) > 10
    assert by_rows.grid_cost[-1] == pytest.approx(10 * 32_000)
    assert all(low <= mid <= high for low, mid, high in zip(*_bands(by_rows), strict=True))


def _bands(curve):
    return curve.grid_low, curve.grid_error, curve.grid_high


def test_curves_survive_gaps(truth, draw_world) -> None:
    cells, _ = draw_world({"classical": truth(0.9, gain=0.4)}, rungs=6)
    holed = [cell for cell in cells if (cell.rung, cell.seed) not in {(1, 0), (2, 1), (3, 2)}]
    curves = track_curves(by_rung(holed), "error_log_loss")
    assert all("few_seeds" in {code for code, _ in curve.refusals} for curve in curves)
    unmeasured = [cell.model_copy(update={"costs": {}}) for cell in cells]
    assert {curve.cost for curve in track_curves(by_rung(unmeasured), "error_log_loss")} == {"n_train"}
    assert track_curves({}, "error_log_loss") == ()


def test_curves_stand_over_what_readings_say_and_not_over_contended_cells(truth, draw_world) -> None:
    cells, _ = draw_world({"classical": truth(0.9, gain=0.4)}, rungs=6)
    slow = {"cost_fit_cpu_seconds": 1e3, "cost_search_cpu_seconds": 2e3}
    contended = [
        one.model_copy(update={"costs": {**one.costs, **slow}, "quality": "contended"}) for one in cells
    ]
    again = [one.model_copy(update={"repeat": 1, "scores": {}}) for one in cells]
    clean = track_curves(by_rung(cells), "error_log_loss")
    assert track_curves(by_rung([*contended, *again]), "error_log_loss") == clean
    disturbed = track_curves(by_rung(contended), "error_log_loss")
    by_cost = [curve for curve in disturbed if curve.cost == "cost_train_cpu_seconds"]
    assert not by_cost, "all rungs took 3000 s: one place on the axis"
