from __future__ import annotations

import math

import numpy as np
import pytest

from toolkit.analysis.curves import fit_curve
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
    assert fit.loglog_exponent is not None
    assert fit.exponent is not None
    assert fit.loglog_exponent.high < 0.3
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


def test_another_form_is_named_and_refused() -> None:
    cost = np.geomspace(10, 10_000, 12)
    x = cost / cost[-1]
    fit = fit_curve(cost, noisy(0.2 * (0.5 * np.exp(-6 * (x - 1)) / np.exp(6) + 0.5), 0.001))
    assert fit.form == "exponential_floor"
    assert "form_unclear" in codes(fit)


@pytest.mark.parametrize("rungs", [1, 2, 3, 4])
def test_too_few_rungs_give_no_figures(rungs: int) -> None:
    cost, error = ladder(0.4, 0.3, rungs=max(rungs, 2))
    fit = fit_curve(cost[:rungs], np.tile(error[:rungs, None], 3))
    assert fit.form == "none"
    assert fit.exponent is None
    assert fit.predict(1.0) is None
    assert "few_rungs" in codes(fit)


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("b", "f", "noise", "rung_noise", "rungs", "decades"),
    [(0.4, 0.3, 0.03, 0.0, 7, 2.5), (0.4, 0.3, 0.03, 0.02, 7, 2.5), (0.4, 0.3, 0.1, 0.0, 7, 2.5)],
    ids="ACI",
)
def test_intervals_cover_the_truth(
    b: float, f: float, noise: float, rung_noise: float, rungs: int, decades: float
) -> None:
    cost, error = ladder(b, f, rungs=rungs, decades=decades)
    generator = np.random.default_rng(1)
    hits = np.zeros(4)
    worlds = 500
    for _ in range(worlds):
        effects = noise * generator.normal(size=(rungs, 5)) + rung_noise * generator.normal(size=(rungs, 1))
        fit = fit_curve(cost, error[:, None] * np.exp(effects), form="power_floor")
        truths = (
            (fit.exponent, b),
            (fit.floor, 0.2 * f),
            (fit.k_half, ((1 - f) / (0.5 - f)) ** (1 / b)),
            (fit.predict(10 * cost[-1]), 0.2 * ((1 - f) * 10**-b + f)),
        )
        hits += [one is not None and one.low <= value <= one.high for one, value in truths]
    # 500 worlds have a standard error of 1 %.
    assert (hits / worlds > 0.92).all()
    assert (hits / worlds < 0.985).all()


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
