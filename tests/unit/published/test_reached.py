"""What a result has reached, costs without an upper end, repeats, and what MLflow is told."""

from __future__ import annotations

import html
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolkit.analysis.published.assemble import Question, analyse
from toolkit.analysis.published.boards import report_board
from toolkit.analysis.published.selection import main_points
from toolkit.analysis.published.study import study
from toolkit.publish import analysed
from toolkit.published.file import load
from toolkit.published.table import read_table
from toolkit.published.values import Measure, Observation
from toolkit.report.published import report, words

ROOT = Path(__file__).parents[3]
COMPUTE = np.geomspace(1e15, 1e22, 12)


def off(sigma, n=12, seed=3):
    return np.exp(np.random.default_rng(seed).normal(0, sigma, n))


def floored(sigma=0.12):
    """Return 24 results about a floor of 10 %, of which some lie below it."""
    error = (0.1 + 0.4 * np.geomspace(1, 1e5, 24) ** -0.5) * off(sigma, 24)
    error[20] *= 0.75 if sigma else 1
    return error


def told(rows, targets, **options):
    question = Question("own", "", (Measure("flop", "Training compute", "FLOP"),), targets=targets, **options)
    return report.with_sentences(analyse(rows, question))


def flat(text):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ").split())


@pytest.mark.parametrize("seed", range(10))
def test_the_least_error_of_the_table_is_never_called_out_of_reach(scatter, flop, seed):
    error = (0.1 + 0.4 * np.geomspace(1, 1e5, 24) ** -0.5) * off(0.12, 24, seed)
    rows = scatter(np.geomspace(1e2, 1e7, 24), error)
    found = study(rows, flop, targets=error.tolist())
    for one, target in zip(found.forecasts, error, strict=True):
        assert one.refusals == (), target
        assert one.reached is not None
        assert one.reached.error <= target
    (under,) = study(rows, flop, targets=[float(error.min()) * 0.98]).forecasts
    assert under.reached is None


def test_what_a_result_has_reached_is_told_first_everywhere(scatter):
    error = floored()
    compute = np.geomspace(1e2, 1e7, 24)
    best = float(error.min())
    first = int(np.argmax(error <= best))
    found = told(scatter(compute, error), (best,))
    assert found.studies[0].shows_floor
    (sentence,) = [flat(one) for one in found.sentences if "has reached" in one]
    assert sentence.startswith(f"The result model {first} has reached ")
    at = words.compute(compute[first], "FLOP").replace("\u00a0", " ")
    assert f"at {at}. The curve with its floor, which is of the mean, never reaches" in sentence
    page = flat(report.render(found))
    card = words.compute(compute[first], "", 2).replace("\u00a0", " ")
    assert f"reached at {card} FLOP by the result model {first}; by the curve: not reached" in page
    assert f"the result model {first} {at}" in page
    assert "unreachable" not in page


def test_a_shown_floor_is_that_of_the_mean_where_results_lie_below_it(scatter):
    found = told(scatter(np.geomspace(1e2, 1e7, 24), floored()), ())
    assert "That is the floor of the curve's mean; single results lie below" in found.sentences[0]
    assert "of the curve's mean; single results lie below" in flat(report.render(found))
    above = told(scatter(np.geomspace(1e2, 1e7, 24), 0.2 + floored(0.0)), ())
    assert "single results" not in above.sentences[0]


def test_of_a_ladder_the_mean_of_a_rung_counts_before_a_single_row(scatter, flop):
    error = np.repeat(0.5 * (COMPUTE / 1e15) ** -0.1, 3) * np.tile([0.9, 1.0, 1 / 0.9], 12)
    rows = scatter(np.repeat(COMPUTE, 3), error)
    mean, single = study(rows, flop, targets=[0.2, float(error.min())]).forecasts
    assert (mean.reached.name, mean.reached.rows) == ("", 3)
    assert single.reached.name == rows[int(error.argmin())].name
    found = told(rows, (0.2, float(error.min())))
    assert any(
        "The rung at" in one and "with the (geometric) mean of its rows" in one for one in found.sentences
    )
    assert any("A single row, model 33, has reached" in one for one in found.sentences)


@pytest.mark.parametrize("seed", range(8))
def test_a_cost_without_an_upper_end_is_not_shown_whatever_its_estimate(scatter, flop, seed):
    error = (0.05 + 0.45 * np.geomspace(1, 1e4, 12) ** -0.4) * off(0.02, 12, seed)
    targets = np.linspace(0.03, 0.09, 25).tolist()
    seen = set()
    for one in study(scatter(COMPUTE, error), flop, targets=targets).forecasts:
        if math.isinf(one.curve.high) and math.isfinite(one.curve.low):
            assert one.curve_reach in ("not_shown", "at_most", "at_most_fitted")
            seen.add(math.isfinite(one.curve.estimate))
        elif math.isfinite(one.curve.high):
            assert one.curve_reach != "not_shown"
    assert seen == {True, False}


def test_repeats_within_a_family_count_with_their_mean_and_not_with_the_luckiest(scatter, flop):
    error = 0.5 * (COMPUTE / 1e15) ** -0.1
    rows = [
        Observation(f"{i} {seed}", float(e * spread), {"flop": float(c)}, family=f"size {i}")
        for i, (c, e) in enumerate(zip(COMPUTE, error, strict=True))
        for seed, spread in enumerate((0.8, 1.0, 1 / 0.8))
    ]
    found = study(rows, flop)
    assert [one.error for one in found.points] == pytest.approx(error.tolist())
    without = study([replace(one, family="") for one in rows], flop)
    assert found.line.power.estimate == pytest.approx(without.line.power.estimate)
    assert found.notes[0].startswith("rows of one family and of equal compute are repeats of one size")
    assert "36 rows of 12 families" in found.notes[0]
    page = flat(report.render(told(rows, ())))
    assert page.count("in the mean of its repeats") == 36
    assert "not the best of" not in page
    target = float(error[5])
    (reached,) = study(rows, flop, targets=[target]).forecasts
    assert (reached.reached.name, reached.reached.compute) == ("size 5 (mean of 3 rows)", COMPUTE[5])
    assert reached.reached.rows == 3
    lucky = [rows[0], replace(rows[1], family="size 0"), replace(rows[3], error=0.45, family="size 0")]
    (kept,) = main_points(lucky, "flop")
    assert kept.error == pytest.approx(float(np.sqrt(rows[0].error * rows[1].error)))
    assert kept.name == "size 0 (mean of 2 rows)"


def test_exact_repeats_of_a_scatter_count_once_and_are_told(write, flop):
    error = 0.5 * (COMPUTE / 1e15) ** -0.1 * off(0.05)
    lines = [f"{c!r},{e!r}" for c, e in zip(COMPUTE.tolist(), error.tolist(), strict=True)]
    once = write("flop,error\n" + "\n".join(lines))
    single = study(read_table(once, {"flop": "flop"}).observations, flop)
    twice = write("flop,error\n" + "\n".join([*lines, *lines[:6]]))
    double = study(read_table(twice, {"flop": "flop"}).observations, flop)
    assert double.line == single.line
    assert double.notes == (
        "6 rows repeat another to the last digit and count once with it: line 14, line 15, line 16, line 17, "
        "line 18, …",
    )
    named = [f"n{i},{line}" for i, line in enumerate([*lines, *lines[:6]])]
    apart = write("name,flop,error\n" + "\n".join(named))
    assert study(read_table(apart, {"flop": "flop"}).observations, flop).line.n == 18


def test_rows_of_different_compute_with_one_name_are_doubted(write):
    path = write("name,flop,error\n" + "\n".join(f"m,{10**i},{0.5 - i / 10}" for i in range(4)))
    (doubt,) = read_table(path, {"flop": "flop"}).doubts
    assert "one name ('m' 4 rows)" in doubt
    seeds = write("name,flop,error\na,10,.3\na,10,.31\nb,100,.2\nb,100,.21\n")
    assert read_table(seeds, {"flop": "flop"}).doubts == ()


def test_mlflow_is_told_what_the_report_tells():
    experiment = load(ROOT / "experiments" / "imagenet.yaml")
    found = report.with_sentences(analysed(experiment, experiment.read_table()))
    names = {one.name for one in report_board(found).points}
    assert "hardware_burden/floor high" in names
    assert not {"hardware_burden/floor", "hardware_burden/floor low"} & names
    assert not {"hardware_burden/compute at error 0.05", "hardware_burden/usd at error 0.05"} & names
    assert "hardware_burden/usd at error 0.05 on the line - no forecast" in names
    assert "hardware_burden/power" in names


def test_a_shown_floor_and_what_may_be_out_of_reach_in_mlflow(scatter):
    error = (0.05 + 0.45 * np.geomspace(1, 1e4, 12) ** -0.4) * off(0.01)
    found = told(scatter(COMPUTE, error), (0.2, 0.05))
    names = {one.name: one.value for one in report_board(found).points}
    assert {"flop/floor", "flop/floor low", "flop/floor high"} <= names.keys()
    one, low = found.studies[0].forecasts
    assert names["flop/compute at error 0.2"] == one.curve.estimate
    assert names["flop/compute reached at error 0.2"] == one.reached.compute
    assert low.reach == "not_shown"
    assert names["flop/compute at error 0.05 low"] == low.curve.low
    assert not {"flop/compute at error 0.05", "flop/compute at error 0.05 high"} & names.keys()


def test_coca_has_reached_nine_per_cent():
    experiment = load(ROOT / "experiments" / "imagenet.yaml").model_copy(
        update={"targets": [0.09, 0.0965, 0.0905]}
    )
    found = report.with_sentences(analysed(experiment, experiment.read_table()))
    sentences = [flat(one) for one in found.sentences]
    assert any(
        one.startswith("The result CoCa has reached 9 %, at 2.43 × 10²³ FLOP, which is") for one in sentences
    )
    assert not any("can be reached by compute at all is not known" in one for one in sentences)
    assert all(one.refusals == () for one in found.studies[0].forecasts)
    assert "forecast" not in {one.line_reach for one in found.studies[0].forecasts}


def test_claims_on_powers_name_the_fit_they_are_held_against():
    experiment = load(ROOT / "experiments" / "imagenet.yaml")
    found = report.with_sentences(analysed(experiment, experiment.read_table()))
    assert (
        "Its power is that of the line without floor and without year; above a floor it is 5.5 [2.9, 11.8] "
        "and with year beside compute it is 14.8 [11.1, 21.9]."
    ) in flat(report.render(found))


def test_bullet_and_refusal_round_a_multiple_alike():
    assert words.times_the_largest(626.3) == words.times_the_largest(630.1) == "630"
    assert words.times_the_largest(10.2) == "10.2"


def test_a_size_of_a_family_is_told_where_it_is_cheaper_than_all_of_the_fit() -> None:
    error = 0.6 * (COMPUTE / COMPUTE[0]) ** -0.1
    rows = [
        Observation(f"m{place}", float(value), {"flop": float(compute)})
        for place, (compute, value) in enumerate(zip(COMPUTE, error, strict=True))
    ]
    sizes = [
        Observation("small", 0.3, {"flop": 1e14}, family="E"),
        Observation("large", 0.1, {"flop": 1e21}, family="E"),
    ]
    found = told([*rows, *sizes], (0.65,))
    (one,) = found.studies[0].forecasts
    assert one.reach == "at_most"
    assert one.reached is not None
    assert one.reached.name == "small"
    page = flat(report.render(found))
    assert "The result small has reached 65 %, at 1 × 10¹⁴" in page
    assert "65 % takes at most" not in page
