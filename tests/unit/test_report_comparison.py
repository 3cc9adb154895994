"""Words and figures of comparisons: what the same error takes, the front, and a verdict that says none."""

from __future__ import annotations

import math
from dataclasses import replace
from types import ModuleType

import plotly.graph_objects as go
import pytest

from toolkit import registry
from toolkit.analysis.results import EqualError, Interval, Results
from toolkit.analysis.spending import Spread
from toolkit.report import elements, spans
from toolkit.report.equal_figures import equal_figure
from toolkit.report.equal_words import (
    declared_hours,
    needed_energy,
    needed_sentence,
    needed_text,
    target_digits,
)
from toolkit.report.front_figures import front_figure
from toolkit.report.rungs import none_pays, standing


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def asked(reach, seconds: Interval | None = None, track: str = "neural", **more) -> EqualError:
    return EqualError(
        error="error_log_loss",
        target=0.25,
        of="classical",
        of_rung=1,
        of_cpu_seconds=12.0,
        track=track,
        reach=reach,
        cpu_seconds=seconds,
        **more,
    )


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (asked("measured", Interval(31, 22, 50)), "neural 31 [22, 50]"),
        (asked("measured", Interval(31, 22, math.inf)), "neural 31.0 [22.0, ∞]"),
        (asked("forecast", Interval(310, 220, 500)), "neural 310 [220, 500] (forecast)"),
        (asked("at_most", Interval(0.96, 0, 1.41)), "neural at most 1.5"),
        (asked("at_least", Interval(math.inf, 34.9, math.inf)), "neural at least 34"),
        (
            asked("not_shown", Interval(math.inf, 34, math.inf)),
            "neural is not shown to reach it and takes at least 34",
        ),
        (asked("cannot"), "neural cannot reach it"),
        (
            asked("measured", Interval(0.1, 0.1, 0.1), "rules", n_rules=Interval(1, 1, 4)),
            "rules 0.100 [0.100, 0.100] with 1 rule",
        ),
    ],
)
def test_what_is_needed_in_words(one: EqualError, words: str) -> None:
    assert needed_text(one) == words


def test_a_sentence_says_who_does_not_reach_it_at_the_end() -> None:
    every = [
        asked("does_not", track="baseline"),
        asked("does_not", track="rules"),
        asked("own", Interval(12, 11, 13), "classical"),
        asked("measured", Interval(31, 22, 50)),
        asked("cannot", track="hybrid"),
    ]
    assert needed_sentence("log loss", every) == (
        "To reach a log loss of 0.2500, which classical reached with 12.0 CPU-seconds: neural 31 [22, 50]; "
        "hybrid cannot reach it; baseline and rules do not reach it."
    )


def test_energy_without_an_end_is_a_bound() -> None:
    one = asked("measured", Interval(1, 1, math.inf))
    assert needed_energy(one, Spread(2, 4, math.inf), spans.joules) == "at least 2.00\u00a0J"
    assert needed_energy(one, Spread(2, 4, 8), spans.joules) == "2–8\u00a0J"
    most = asked("at_most", Interval(1, 0, 2))
    assert needed_energy(most, Spread(0, 4, 8.001), spans.joules) == "at most 8.01\u00a0J"
    assert needed_energy(one, Spread(2.109, 4, math.inf), spans.joules) == "at least 2.10\u00a0J"
    assert needed_energy(asked("cannot"), None, spans.joules) == ""
    assert needed_energy(one, None, spans.joules) == "not measured"


def test_bounds_and_forecasts_are_not_drawn_as_measured(golden: Results) -> None:
    figure = equal_figure(golden, golden.equal_errors)
    assert figure is not None
    symbols = symbols_of(figure)
    assert symbols["neural"] == ["triangle-up-open", "triangle-up"]
    assert symbols["hybrid"] == ["diamond-open", "diamond"]
    assert "baseline" not in symbols
    low, high = min(figure.layout.xaxis.tickvals), max(figure.layout.xaxis.tickvals)
    assert 0 < low < high
    assert equal_figure(golden, [asked("cannot")]) is None


def symbols_of(figure: go.Figure) -> dict[str, list[str]]:
    return {
        trace.name: list(trace.marker.symbol)
        for trace in figure.data
        if isinstance(trace.marker.symbol, tuple)
    }


@pytest.mark.parametrize(
    ("one", "at", "reaches", "arrows"),
    [
        (asked("at_most", Interval(10, 0, 15)), 15, (False, True), ["triangle-left"]),
        (asked("at_least", Interval(math.inf, 20, math.inf)), 20, (True, False), ["triangle-right"]),
        (asked("measured", Interval(20, 15, math.inf)), 20, (True, True), ["triangle-right"]),
        (asked("forecast", Interval(20, 15, 30)), 20, (True, True), []),
    ],
)
def test_marker_and_whisker_are_what_the_words_say(
    golden: Results, one: EqualError, at: float, reaches: tuple[bool, bool], arrows: list[str]
) -> None:
    figure = equal_figure(golden, [one, asked("own", Interval(12, 11, 13), "classical")])
    assert figure is not None
    (drawn,) = [trace for trace in figure.data if trace.name == "neural" and trace.x[0] is not None]
    assert drawn.x == (at,)
    right, left = (drawn.error_x[side][0] > 0 for side in ("array", "arrayminus"))
    assert (right, left) == reaches
    assert symbols_of(figure).get("neural, no end", []) == arrows
    assert (symbols_of(figure)["neural"] == ["triangle-up"]) == (one.reach == "measured")


def test_declared_hours_are_a_range_or_one_number() -> None:
    assert elements.join(declared_hours(Interval(8, 8, 8))).striptags() == "8 declared"
    assert elements.join(declared_hours(Interval(86.7, 40, 160))).striptags() == "87 [40, 160]"
    assert declared_hours(None) == ""


def test_markers_of_the_front_tell_its_probability(golden: Results) -> None:
    figure = front_figure(golden, golden.fronts[0])
    (classical,) = [trace for trace in figure.data if trace.name == "classical" and trace.x[0] is not None]
    assert set(classical.marker.symbol) == {"circle", "circle-open"}
    assert set(classical.marker.size) == {10, 4}


def test_where_none_pays_nobody_is_called_best(golden: Results) -> None:
    verdict = golden.verdict
    loses = [replace(one, net_value_per_year=Interval(-5, -6, -4)) for one in verdict.tracks]
    none = replace(verdict, tracks=tuple(loses), probability_none_pays=0.97)
    assert not none_pays(verdict)
    assert not none_pays(replace(none, probability_none_pays=None))
    assert none_pays(none)
    leader = next(one for one in none.tracks if one.track == none.best)
    assert standing(none, leader).striptags() == "loses least"
    section = registry.plugin("report.sections", "verdict")()
    text = section.render(replace(golden, verdict=none)).striptags()
    assert "None pays" in text
    assert "classical loses least" in text


@pytest.mark.parametrize(
    ("targets", "digits"), [([0.3915, 0.4], 4), ([0.39152, 0.39146], 5), ([0.39155, 0.39155], 4)]
)
def test_targets_have_the_digits_that_tell_them_apart(targets: list[float], digits: int) -> None:
    asked = [
        EqualError("error_log_loss", target, f"t{place}", 0, 1.0, "neural", "cannot")
        for place, target in enumerate(targets)
    ]
    assert target_digits(asked) == digits
    assert f"of {targets[0]}" in needed_sentence("log loss", asked[:1], 5)
