"""What the terminal shows after a run and after other prices."""

from __future__ import annotations

import io
from dataclasses import replace
from types import ModuleType

import pytest
from rich.console import Console, RenderableType

from toolkit.analysis.results import Results
from toolkit.report.terminal import repriced_table, tracks_table


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def shown(what: RenderableType, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().replace("\u00a0", " ")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_nothing_is_cut_off(golden: Results, width: int) -> None:
    text = shown(tracks_table(golden), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_energy_is_shown_where_there_is_room(golden: Results) -> None:
    wide = shown(tracks_table(golden), 100)
    assert "2.7–16 kJ" in wide
    assert "280–1,600 mg" in wide
    assert "kJ" not in shown(tracks_table(golden), 80)


def test_it_is_told_which_work_each_figure_of_training_counts(golden: Results) -> None:
    wide = " ".join(shown(tracks_table(golden), 100).split())
    assert "training CPU-s: search and fit; energy and carbon of a training: start, loading and fit," in wide
    assert "no search, modelled where it is a range" in wide
    assert "a training, a training," in wide
    narrow = " ".join(shown(tracks_table(golden), 80).split())
    assert "training CPU-s: search and fit" in narrow
    assert "energy and carbon" not in narrow


def test_old_results_have_the_table_they_had(made_up_results: ModuleType) -> None:
    text = shown(tracks_table(made_up_results.old()), 120)
    assert "energy" not in text
    assert "leads, too close to call" in text


def test_a_track_without_results_is_told(made_up_results: ModuleType) -> None:
    golden = made_up_results.golden()
    fewer = replace(golden.verdict, tracks=golden.verdict.tracks[:-1])
    text = shown(tracks_table(replace(golden, verdict=fewer)), 200)
    assert "loss became infinite after 3 epochs" in text


def moved(results: Results, **changes: object) -> Results:
    tracks = tuple(
        replace(entry, **changes) if entry.track == "neural" else entry for entry in results.verdict.tracks
    )
    return replace(results, verdict=replace(results.verdict, tracks=tracks, sentence="Use rules."))


def test_other_prices_stand_beside_those_of_the_file(golden: Results) -> None:
    net = replace(golden.verdict.tracks[3].net_value_per_year, estimate=9.5e6)
    after = moved(
        golden, rung=4, net_value_per_year=net, yearly_costs={"prediction": 9.0}, probability_best=0.5
    )
    text = shown(repriced_table(golden, after), 100)
    line = next(line for line in text.splitlines() if "neural" in line)
    assert "neural (rung 5 → 4)" in line
    assert "$162 M → $9.50 M" in line
    assert "$24,700 → $9.00" in line
    assert "17 % → 50 %" in line
    assert "→" not in next(line for line in text.splitlines() if "classical" in line)
    assert "with the file's prices: Use classical" in text
    assert "with these: Use rules." in text
    assert text.index("with the file's prices: Use") < text.index("with these: Use")


def test_a_track_that_drops_out_is_shown(golden: Results) -> None:
    after = replace(golden, verdict=replace(golden.verdict, tracks=golden.verdict.tracks[1:]))
    line = next(line for line in shown(repriced_table(golden, after), 100).splitlines() if "baseline" in line)
    assert "$151 M → –" in line
    excluded = shown(repriced_table(golden, moved(golden, excluded="too slow")), 100)
    assert "17 % → excluded" in excluded


@pytest.mark.parametrize("width", [80, 100])
def test_other_prices_fit(made_up_results: ModuleType, width: int) -> None:
    after = moved(made_up_results.accelerated(), rung=4)
    text = shown(repriced_table(made_up_results.golden(), after), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
