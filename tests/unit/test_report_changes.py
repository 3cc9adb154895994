"""What the report says of changes: fragile assumptions, strips, steps of a ladder, regret and constraints."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace
from types import ModuleType

import pytest
from rich.console import Console

from toolkit.analysis.results import Interval, Results
from toolkit.analysis.whatif.record import Regime, Sensitivity
from toolkit.report.base import NotApplicable
from toolkit.report.change_lines import print_changes
from toolkit.report.climb_figures import step_drawings
from toolkit.report.region_table import region_table
from toolkit.report.sections.climb import ClimbSection
from toolkit.report.sections.sensitivity import SensitivitySection
from toolkit.report.sections.verdict import VerdictSection
from toolkit.report.static_figures import render
from toolkit.report.strips import Strip, strip_figure


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def text_of(html: str) -> str:
    bare = re.sub(r"<script.*?</script>", " ", html, flags=re.DOTALL)
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare).replace("\u00a0", " "))
    return re.sub(r" (?=[.,:])", "", told).replace("&#39;", "'")


def test_the_three_most_fragile_assumptions_come_first(golden: Results) -> None:
    told = text_of(SensitivitySection().render(golden))
    first, second, third = (
        told.index(some)
        for some in (
            "Value of a true positive under 0.953 USD, then neural. Declared: 1.1 [0.9, 1.3].",
            "Decisions under 17.4 million a year, then rules. Declared: 5 billion, so 288 times smaller.",
            "Value of a false negative under −0.999 USD, then none pays. Declared: 0.",
        )
    )
    assert first < second < third < told.index("Which track to use by the number of decisions")
    assert "within the declared range" in told


def test_every_assumption_is_in_the_table_or_said_to_change_nothing(golden: Results) -> None:
    told = text_of(SensitivitySection().render(golden))
    assert "no change within a million times" in told
    assert "no change within 1,000 times over 3,590: rules" in told
    assert (
        "No change, as far as was looked: within 1,000 times of what was declared, a training label "
        "(0.02 [0.01, 0.05] USD), PUE (1.2 times the machines' energy)." in told
    )


def test_no_fragile_assumption_is_an_answer(golden: Results) -> None:
    assert golden.sensitivity is not None
    steady = tuple(
        replace(one, below=None, above=None, hair_below=None, hair_above=None)
        for one in golden.sensitivity.assumptions
    )
    told = text_of(
        SensitivitySection().render(
            replace(golden, sensitivity=replace(golden.sensitivity, assumptions=steady))
        )
    )
    assert (
        "No assumption by itself changes the choice for over a tenth of its amount, as far as was looked."
        in told
    )
    assert "Where each assumption changes" not in told


def test_strips_leave_no_gap_and_can_be_drawn_on_paper(golden: Results) -> None:
    assert golden.sensitivity is not None
    strips = [Strip("track to use", golden.sensitivity.volume, "none pays")]
    figure = strip_figure(strips, (5e9, 5e9, 5e9), "Decisions", ["rules", "classical"])
    low, high = (10**end for end in figure.layout.xaxis.range)
    spans = sorted(
        (min(x), max(x))
        for trace in figure.data
        if trace.fill == "toself"
        for x in [[one for one in trace.x if one is not None]]
    )
    assert spans[0][0] == pytest.approx(low)
    assert spans[-1][1] == pytest.approx(high)
    assert all(before[1] == pytest.approx(after[0]) for before, after in itertools.pairwise(spans))
    assert set(render(figure, ("svg", "png"), title="t")) == {"svg", "png"}


def test_the_mark_never_stands_on_a_name(golden: Results) -> None:
    strips = [Strip("track to use", (Regime(1.0, 1e6, "classical"),), "none pays")]
    figure = strip_figure(strips, (1e3, 1e3, 1e3), "x", ["classical"])
    (name,) = [one for one in figure.layout.annotations if one.text == "classical"]
    assert name.x == pytest.approx(0.25) or name.x == pytest.approx(0.75)


def test_names_of_tracks_are_escaped_in_strips() -> None:
    strips = [Strip("track to use", (Regime(1.0, 1e6, "<b>x"),), "none pays")]
    figure = strip_figure(strips, (1e3, 1e3, 1e3), "x", ["<b>x"])
    assert "<b>x" not in str(figure.to_plotly_json())


def test_the_map_has_a_table_of_some_of_its_rows(golden: Results) -> None:
    assert golden.sensitivity is not None
    region = golden.sensitivity.region
    assert region is not None
    told = text_of(region_table(region, "USD"))
    assert "500,000 decisions a year" in told
    assert "$0.110 none pays" in told
    wide = replace(
        region,
        volumes=tuple(float(10**power) for power in range(13)),
        hits=region.hits[:1],
        best=(("rules",) * 13,),
        tie=((False,) * 12 + (True,),),
    )
    assert text_of(region_table(wide, "USD")).count("rules") == 3
    assert "rules (tie)" in text_of(region_table(wide, "USD"))


def test_a_step_pays_only_where_its_whole_interval_does(golden: Results) -> None:
    told = text_of(ClimbSection().render(golden))
    assert (
        "rules rung 4, 24 rules $410,000 [$320,000, $500,000] pays" in told
        or "$409,849" in told
        or ("$410,000 [$320,000, $500,000] pays" in told)
    )
    assert "the top of the ladder: larger was not tried" in told
    assert re.search(r"−\$1\.0\d M \[−\$4\.\d+ M, \$2\.\d+ M\] cannot tell", told)
    assert "−$4,000 [−$4,400, −$3,600] does not pay" in told


def test_the_price_of_the_next_point_is_told_or_why_there_is_none(golden: Results) -> None:
    told = text_of(ClimbSection().render(golden))
    assert "The price of the next point: log loss lower by 0.001" in told
    assert "no upper end" in told
    assert "The costs span 1.43 powers of ten" in told


def test_the_leader_is_drawn_first_and_all_as_high(golden: Results) -> None:
    drawings = step_drawings(golden)
    assert [one.choice for one in drawings] == ["classical", "rules", "neural", "hybrid"]
    assert len({one.figure.layout.height for one in drawings}) == 1
    for one in drawings:
        render(one.figure, ("svg",))


def test_sections_are_quiet_where_nothing_is_known(made_up_results: ModuleType) -> None:
    for section in (SensitivitySection(), ClimbSection()):
        with pytest.raises(NotApplicable):
            section.render(made_up_results.old())
    with pytest.raises(NotApplicable):
        SensitivitySection().render(replace(made_up_results.golden(), sensitivity=Sensitivity()))


def test_regret_and_the_worth_of_knowing_stand_in_the_verdict(golden: Results, made_up_results) -> None:
    told = text_of(VerdictSection().render(golden))
    assert "Knowing for certain which track is best would be worth $188,000 a year, the expected" in told
    row = told[told.index("Net value a year of every track, best first") :]
    assert "$188,000" in row[row.index("classical") : row.index("neural")]
    assert "Expected regret a year what choosing it costs" in told
    assert "Hybrid worth its cost over all others?" in told
    assert "than whichever turns out best." in told
    verdict = replace(golden.verdict, probability_none_pays=0.2)
    told = text_of(VerdictSection().render(replace(golden, verdict=verdict)))
    assert "which track is best, or that none pays, would be worth $188,000 a year, the expected" in told
    assert "than whichever turns out best, doing nothing included." in told
    loses = tuple(
        replace(one, net_value_per_year=Interval(-5.0, -9.0, 1.0)) if one.track == verdict.best else one
        for one in verdict.tracks
    )
    told = text_of(VerdictSection().render(replace(golden, verdict=replace(verdict, tracks=loses))))
    assert "for certain whether any track pays, and which, would be worth $188,000 a year: measuring" in told
    old = text_of(VerdictSection().render(made_up_results.old()))
    assert "regret" not in old
    assert "Knowing for certain" not in old


def test_excluded_tracks_come_last_with_their_reason_and_constraints_are_told(golden: Results) -> None:
    why = "a decision takes 50 ms (at most 10 ms)"
    tracks = tuple(
        replace(one, excluded=why, probability_best=0.0, regret_per_year=None)
        if one.track == "classical"
        else one
        for one in golden.verdict.tracks
    )
    bound = replace(
        golden,
        verdict=replace(golden.verdict, best="neural", tracks=tracks),
        experiment={
            **golden.experiment,
            "constraints": {"latency_ms": 10.0, "memory_mb": None, "must_explain": True},
        },
    )
    told = text_of(VerdictSection().render(bound))
    assert "a decision takes at most 10 ms, in 19 of 20 cases; single decisions must be explained" in told
    assert "Excluded: classical." in told
    body = told[told.index("Net value a year of every track, best first") :]
    assert body.index("baseline") < body.rindex("classical")
    assert f"excluded {why}" in body
    assert "Constraints" not in text_of(VerdictSection().render(golden))


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_names_the_most_fragile_assumptions(golden: Results, width: int) -> None:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    print_changes(golden, console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "What would change it:"
    assert lines[2] == "  decisions under 17.4 million a year (declared 5 billion) → rules"
    assert len(lines) == 4
    assert all(len(line) <= width for line in lines)
    print_changes(replace(golden, sensitivity=None), console)
    assert console.file.getvalue().splitlines() == lines


def test_a_line_that_is_too_long_breaks_before_what_was_declared(golden: Results) -> None:
    console = Console(width=70, file=io.StringIO(), color_system=None)
    print_changes(golden, console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[1:3] == [
        "  value of a true positive under 0.953 USD",
        "    (declared 1.1 [0.9, 1.3]) → neural",
    ]
