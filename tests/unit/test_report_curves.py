"""The curve figures: what is solid, dashed and dotted, on which axes, and what is left out and told."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from toolkit.analysis.curve_record import FormWeight, HeldOut, Refusal
from toolkit.analysis.results import Interval, Results
from toolkit.report import curve_figures, curve_tables
from toolkit.report.curve_axes import CostAxis, ErrorAxis, cost_axes, error_axes, on_front_of
from toolkit.report.curve_drawings import curve_drawings
from toolkit.report.curve_figures import error_against_cost, picture_of
from toolkit.report.curve_lines import fitted_line
from toolkit.report.sections.curves import CurvesSection

Trace = Mapping[str, Any]


@pytest.fixture
def steep(made_up_results: ModuleType) -> Results:
    return made_up_results.steep()


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def axis(results: Results, name: str) -> CostAxis:
    return next(one for one in cost_axes(results) if one.name == name)


def drawn(results: Results, cost: str, error: int = 0) -> dict[str, Any]:
    shown = axis(results, cost)
    errors = error_axes(results)[error]
    found = picture_of(results, errors, shown)
    assert found is not None
    return json.loads(error_against_cost(results, errors, shown, found).to_json())


def lines(figure: Mapping[str, Any], colour: str, dash: str) -> list[Trace]:
    return [
        trace
        for trace in figure["data"]
        if trace["mode"].startswith("lines")
        and trace["line"].get("color") == colour
        and trace["line"].get("dash", "solid") == dash
        and not trace.get("fill")
        and trace["x"] != [None]
        and len(trace["x"]) > 2
    ]


def names(figure: Mapping[str, Any]) -> set[str]:
    return {trace["name"] for trace in figure["data"] if trace.get("name")}


CLASSICAL, NEURAL = "#0072B2", "#009E73"


@pytest.mark.parametrize("cost", ["cpu", "rows", "money", "energy", "carbon"])
def test_a_fit_is_solid_where_it_was_measured_and_dashed_where_it_forecasts(
    steep: Results, cost: str
) -> None:
    figure = drawn(steep, cost)
    for track, colour in (("classical", CLASSICAL), ("neural", NEURAL)):
        points = next(trace for trace in figure["data"] if trace.get("name") == track)
        (solid,), (dashed,) = lines(figure, colour, "solid"), lines(figure, colour, "dash")
        assert points["mode"] == "markers"
        assert max(solid["x"]) == pytest.approx(max(points["x"]))
        assert min(dashed["x"]) == pytest.approx(max(points["x"]))
        assert max(dashed["x"]) == pytest.approx(10 * max(points["x"]))
    assert {curve_figures.FITS, curve_figures.FORECASTS} <= names(figure)
    assert curve_figures.GUIDES not in names(figure)


def test_bands_have_edges_and_patterns_of_their_own(steep: Results) -> None:
    bands = [trace for trace in drawn(steep, "cpu")["data"] if trace.get("fill")]
    assert len(bands) == 4
    assert all(band["line"]["width"] > 0 for band in bands)
    assert {band["fillpattern"]["shape"] for band in bands} == {".", "\\"}
    assert {band["line"]["dash"] for band in bands} == {"solid", "dash"}


def test_a_refused_fit_is_a_dotted_guide_and_no_forecast(made_up_results: ModuleType) -> None:
    results = made_up_results.steep(refused=True)
    figure = drawn(results, "cpu")
    assert not [trace for trace in figure["data"] if trace.get("fill")]
    assert not lines(figure, NEURAL, "dash")
    assert not lines(figure, NEURAL, "solid")
    (guide,) = lines(figure, NEURAL, "dot")
    points = made_up_results.steep().curves[2].points
    assert len(guide["x"]) == len(points)
    assert curve_figures.FORECASTS not in names(figure)
    assert curve_figures.GUIDES in names(figure)


def test_money_energy_and_carbon_change_the_unit_and_nothing_else(steep: Results) -> None:
    cpu = drawn(steep, "cpu")
    for cost in ("money", "energy", "carbon"):
        other = drawn(steep, cost)
        for mine, theirs in zip(cpu["data"], other["data"], strict=True):
            if mine["x"] != [None]:
                assert mine["y"] == pytest.approx(theirs["y"])
                ratios = [two / one for one, two in zip(mine["x"], theirs["x"], strict=True) if one and two]
                assert ratios == pytest.approx([ratios[0]] * len(ratios))
        assert "modelled" in other["layout"]["xaxis"]["title"]["text"]


def test_what_trains_on_an_accelerator_has_points_and_no_fit_of_money(made_up_results: ModuleType) -> None:
    results = made_up_results.steep(on_accelerator=("neural",))
    figure = drawn(results, "money")
    assert lines(figure, CLASSICAL, "dash")
    assert not lines(figure, NEURAL, "dash")
    assert lines(figure, NEURAL, "dot")
    assert curve_figures.FRONT not in names(figure)
    assert "accelerator" in axis(results, "money").note
    assert lines(drawn(results, "cpu"), NEURAL, "dash")


def test_only_nets_stand_on_the_axis_of_operations(steep: Results) -> None:
    figure = drawn(steep, "flop")
    assert names(figure) & {"classical", "neural", "rules (12)"} == {"neural"}
    assert not lines(figure, NEURAL, "solid")
    assert "nets alone" in axis(steep, "flop").note


def test_theory_has_k2_on_rows_and_k4_and_k9_on_computation(steep: Results) -> None:
    for cost, powers in (("rows", {"k²"}), ("cpu", {"k⁴", "k⁹"}), ("flop", {"k⁴", "k⁹"})):
        figure = drawn(steep, cost)
        assert {name.partition(":")[0] for name in names(figure) if name.startswith("k")} == powers
        written = {note["text"].partition(":")[0] for note in figure["layout"]["annotations"]}
        assert powers <= written


def test_slopes_that_would_leave_a_flat_picture_are_told_instead(golden: Results) -> None:
    figure = drawn(golden, "cpu")
    assert not [name for name in names(figure) if name.startswith("k")]
    (cpu, *_) = curve_drawings(golden, error_axes(golden)[0], [axis(golden, "cpu")])
    assert "Half the error for 16 × the computation (k⁴) would have taken it to" in cpu.note


def test_the_front_is_a_step_line_where_it_was_computed(steep: Results, golden: Results) -> None:
    (front,) = [one for one in drawn(steep, "cpu")["data"] if one.get("name") == curve_figures.FRONT]
    assert front["line"]["shape"] == "hv"
    assert front["y"] == sorted(front["y"], reverse=True)
    assert front["x"] == sorted(front["x"])
    assert curve_figures.FRONT not in names(drawn(steep, "rows"))
    assert curve_figures.FRONT in names(drawn(golden, "cpu", error=1))


def test_every_error_has_a_front_of_its_own(golden: Results) -> None:
    first, second = golden.summaries[-2:]
    costs = {"cost_fit_cpu_seconds": 1.0, "cost_search_cpu_seconds": 1.0}
    scores = [(0.2, 0.3), (0.3, 0.6)]
    both = tuple(
        replace(
            one,
            costs=costs,
            scores={
                "error_log_loss": Interval(loss, loss, loss),
                "score_average_precision": Interval(precision, precision, precision),
            },
        )
        for one, (loss, precision) in zip((first, second), scores, strict=True)
    )
    results = replace(golden, summaries=both)
    fronts = [
        [one.on_front for one in on_front_of(results, error).summaries] for error in error_axes(results)
    ]
    assert fronts == [[True, False], [False, True]]


def test_how_sure_the_front_is_stands_in_the_hover_where_it_is_known(steep: Results) -> None:
    def texts(results: Results) -> str:
        return json.dumps([one.get("hovertext") for one in drawn(results, "cpu")["data"]], ensure_ascii=False)

    assert "on the front" in texts(steep)
    told = tuple(_with_probability(one) for one in steep.summaries)
    assert "probability 73" in texts(replace(steep, summaries=told))


def _with_probability(summary: Any) -> Any:
    copy = replace(summary)
    object.__setattr__(copy, "front_probability", 0.73)
    return copy


def test_rings_mark_the_rungs_of_the_verdict_and_two_the_leaders(golden: Results) -> None:
    rings = [one for one in drawn(golden, "cpu")["data"] if one.get("name") == curve_figures.DEPLOYED]
    assert [len(one["x"]) for one in rings] == [3, 1]
    leader = next(one for one in drawn(golden, "cpu")["data"] if one.get("name") == "classical")
    assert rings[1]["x"] == leader["x"][-1:]
    assert rings[1]["marker"]["size"] > rings[0]["marker"]["size"]


def test_rings_are_told_as_they_are_drawn(golden: Results) -> None:
    def told(best: str | None) -> str:
        results = replace(golden, verdict=replace(golden.verdict, best=best))
        error = error_axes(results)[0]
        return curve_drawings(results, error, [axis(results, "cpu")])[0].note

    assert "Rings mark the rungs of the verdict, two the leader's." in told("classical")
    assert "Rings mark the rungs of the verdict." in told("rules")  # far to the left of the picture
    assert "Rings mark the rungs of the verdict." in told(None)
    bare = replace(golden, verdict=replace(golden.verdict, tracks=()), summaries=golden.summaries[-1:])
    assert "two" not in curve_drawings(bare, error_axes(bare)[0], [axis(bare, "rows")])[0].note


@pytest.mark.parametrize(
    ("floor", "factor", "words"),
    [
        (Interval(0.2, 0.15, 0.25), Interval(math.inf, math.inf, math.inf), "not reachable"),
        (Interval(0.2, 0.10, 0.25), Interval(math.inf, math.inf, math.inf), "not shown to be reachable"),
        (
            Interval(0.2, 0.10, 0.25),
            Interval(math.inf, 38.79, math.inf),
            "not shown to be reachable; at least 38.7",
        ),
        (None, Interval(math.inf, math.inf, math.inf), "not shown to be reachable"),
        (Interval(0.1, 0, 0.2), Interval(31, 12, math.inf), "31.0 [12.0,\u00a0∞]"),
    ],
)
def test_half_the_error_is_out_of_reach_only_where_the_whole_floor_lies_above_it(
    golden: Results, floor: Interval | None, factor: Interval, words: str
) -> None:
    held = next(one for one in golden.curves if not one.refusals)
    assert max(held.points)[1] / 2 == pytest.approx(0.134, abs=0.002)
    text = curve_tables.fit_tables(replace(golden, curves=(replace(held, floor=floor, k_half=factor),)))
    assert f">{words}<" in str(text).replace('</span> <span class="ends">', " ")


def test_bars_span_the_seeds_and_the_axis_is_not_widened_by_what_all_share(steep: Results) -> None:
    figure = drawn(steep, "cpu")
    neural = next(one for one in figure["data"] if one.get("name") == "neural")
    ratio = neural["error_y"]["array"][0] / neural["y"][0]
    assert ratio == pytest.approx(1.04 / 1.00333333 - 1, rel=1e-3)
    wide = tuple(
        replace(one, scores={name: Interval(v.estimate, 1e-4, 9.0) for name, v in one.scores.items()})
        for one in steep.summaries
    )
    assert drawn(replace(steep, summaries=wide), "cpu")["layout"]["yaxis"] == figure["layout"]["yaxis"]


def test_a_flat_curve_fills_its_picture(golden: Results) -> None:
    figure = drawn(golden, "cpu", error=1)
    heights = [one["y"] for one in figure["data"] if one.get("meta") == curve_figures.TRACK]
    shown = [value for own in heights for value in own]
    low, high = (10**end for end in figure["layout"]["yaxis"]["range"])
    assert (max(shown) - min(shown)) / (high - low) > 0.8
    assert len(figure["layout"]["yaxis"]["tickvals"]) >= 4


def test_an_unmeasured_cost_is_left_out_and_told(golden: Results) -> None:
    figure = drawn(golden, "cpu")
    counts = {one["name"]: len(one["x"]) for one in figure["data"] if one.get("meta") == curve_figures.TRACK}
    assert counts["classical"] == 6
    assert counts["neural"] == 5
    text = CurvesSection().render(golden)
    assert "Rungs whose cost was not measured are missing: neural." in text


def test_every_axis_is_a_choice_and_the_first_is_cpu_seconds(steep: Results) -> None:
    drawings = curve_drawings(steep, error_axes(steep)[0], cost_axes(steep))
    choices = [one.choice for one in drawings]
    assert choices == ["CPU-seconds", "Rows", "USD", "Joules", "kg CO₂e", "FLOP"]
    assert len({one.name for one in drawings}) == len(drawings)
    assert all("neural" in one.description for one in drawings)
    in_euro = replace(steep, verdict=replace(steep.verdict, currency="EUR"))
    assert axis(in_euro, "money").choice == "EUR"


def test_old_results_have_no_axis_of_what_was_not_priced(made_up_results: ModuleType) -> None:
    names = [one.name for one in cost_axes(made_up_results.old())]
    assert names == ["cpu", "rows", "flop"]


def test_precision_is_turned_into_an_error(golden: Results) -> None:
    precision = error_axes(golden)[1]
    summary = next(one for one in golden.summaries if one.track == "rules")
    value = summary.scores["score_average_precision"]
    assert precision.read(summary) == Interval(1 - value.estimate, 1 - value.high, 1 - value.low)
    seeds = precision.seeds(golden)["rules", 0]
    assert seeds == (1 - value.estimate,)


def test_nothing_measured_gives_no_picture(golden: Results) -> None:
    bare = replace(golden, summaries=tuple(replace(one, costs={}) for one in golden.summaries))
    assert picture_of(bare, ErrorAxis("error_log_loss", "Log loss", False), axis(golden, "cpu")) is not None
    assert "cpu" not in [one.name for one in cost_axes(bare)]


def test_a_fit_without_points_has_no_forecast(steep: Results) -> None:
    line = fitted_line(replace(steep.curves[0], points=()))
    assert line is not None
    assert line.forecast == ()


def test_the_checks_stand_beside_every_forecast(steep: Results) -> None:
    checked = replace(
        steep.curves[0],
        held_out=HeldOut(2e5, 0.33912, Interval(0.3389, 0.3375, 0.3402), True),
        forms=(FormWeight("power_floor", 0.91), FormWeight("log", 0.088), FormWeight("power", 0.002)),
    )
    assert curve_tables.held_out(checked) == "0.3389 [0.3375,\u00a00.3402], measured 0.3391: inside"
    assert curve_tables.weights(checked) == "power law with a floor .91, logarithm .09"
    missed = replace(checked, held_out=checked.held_out._replace(inside=False))
    assert curve_tables.held_out(missed).endswith("outside")
    text = curve_tables.fit_tables(replace(steep, curves=(checked,)))
    assert "at 200,000 rows" in text
    assert "at 2,000,000 rows" in text


def test_a_refusal_is_told_with_its_reason(golden: Results) -> None:
    text = CurvesSection().render(golden)
    assert "6 rungs; a fit with a floor needs 8." in text
    refused = replace(golden.curves[0], refusals=(Refusal("short_span", "too short"),))
    assert "Too short." in curve_tables.fit_tables(replace(golden, curves=(refused,)))
