"""What a year costs by part, and the machine that is priced."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType

import pytest

from toolkit.analysis.results import Results
from toolkit.report import cost_parts
from toolkit.report.price_rows import price_table
from toolkit.report.priced_machine import priced_machine
from toolkit.report.sections.economics import EconomicsSection


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")


def with_economics(results: Results, **changes: object) -> Results:
    economics = {**results.experiment["economics"], **changes}
    return replace(results, experiment={**results.experiment, "economics": economics})


@pytest.mark.parametrize(
    ("part", "serving", "name", "basis"),
    [
        ("people_build", "", "people: building it", "declared"),
        ("people_features", "", "people: preparing features", "declared"),
        ("people_build_rules", "", "people: writing down rules", "declared"),
        ("labels", "", "labels", "declared"),
        ("prediction", "batch", "prediction in batch", "modelled"),
        ("prediction", "single", "prediction one row at a time", "modelled"),
        ("prediction", "", "prediction", "modelled"),
        ("something_new", "", "something new", "modelled"),
    ],
)
def test_parts_have_names_and_a_basis(part: str, serving: str, name: str, basis: str) -> None:
    assert cost_parts.part_title(part, serving) == name
    assert cost_parts.basis(part) == basis


def test_declared_parts_come_first_in_the_order_of_a_life(golden: Results) -> None:
    parts = cost_parts.ordered(golden.verdict.tracks)
    assert parts[:5] == ["people_build", "people_features", "people_modelling", "people_upkeep", "labels"]
    assert parts[-1] == "carbon"


def test_small_parts_are_drawn_together_and_none_is_lost(golden: Results) -> None:
    tracks = golden.verdict.tracks
    drawn = cost_parts.drawn_parts(tracks, "USD", "batch")
    names = [part.name.replace("\u00a0", " ") for part in drawn]
    assert "parts below 0.5 % each (modelled)" in names
    assert not any("price of carbon" in name for name in names)
    for index, entry in enumerate(tracks):
        total = sum(part.values[index] for part in drawn)
        assert total == pytest.approx(sum(entry.yearly_costs.values()))
    assert len({(part.colour, part.pattern) for part in drawn}) == len(drawn)
    assert "price of carbon" in text_of(EconomicsSection().render(golden))


def test_the_machine_is_named_with_price_source_and_date(golden: Results) -> None:
    told = text_of(priced_machine(golden))
    assert "a general-purpose cloud vCPU 0.048 USD a vCPU-hour published https://example.org/prices" in told
    assert "wage" not in told
    assert "predictions are made in batches" in told
    assert "GPU" not in told


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        ({"low": 1, "likely": 1, "high": 1}, "assumed to be one CPU-second of the priced machine"),
        ({"low": 1, "likely": 1, "high": 1}, "with speed in the experiment file, or with --speed."),
        (
            {"low": 1.5, "likely": 2, "high": 3},
            "divided by the declared speed of the priced machine, 2 [1.5, 3]",
        ),
        ({"low": 2, "likely": 2, "high": 2}, "speed of the priced machine, 2 times as fast"),
    ],
)
def test_it_is_said_where_the_seconds_are_from(golden: Results, speed: dict, words: str) -> None:
    modelled = replace(golden.spending, footprints=golden.spending.footprints[:1])
    told = text_of(priced_machine(with_economics(replace(golden, spending=modelled), speed=speed)))
    assert words in told
    assert "measured on made-up CPU, 2 cores (seconds of other machines were converted to it)" in told


def test_counters_that_were_read_mean_that_this_machine_is_priced(golden: Results) -> None:
    assert "That is taken to be the machine that is priced" in text_of(priced_machine(golden))


def test_old_results_say_where_they_ran(made_up_results: ModuleType) -> None:
    told = text_of(priced_machine(made_up_results.old()))
    assert "measured on made-up CPU, 2 cores." in told
    assert "assumed" in told


def test_what_runs_on_an_accelerator_is_said(made_up_results: ModuleType) -> None:
    told = text_of(priced_machine(made_up_results.accelerated()))
    assert "The nets of neural and hybrid are trained on the accelerator" in told
    assert "run on ordinary vCPUs" in told
    assert "One training of neural is modelled to take 31 s" in told
    assert "peak of one made-up GPU, tf32 65 TFLOP a second" in told


def test_a_machine_of_ones_own_takes_the_place_of_the_profile(golden: Results) -> None:
    own = {"title": "a box under the desk", "usd_per_hour": 0.1, "vcpus": 8}
    told = text_of(EconomicsSection().render(with_economics(golden, own_hardware=own)))
    assert "The machine in use is your own, a box under the desk" in told
    assert "cloud-vcpu" not in told
    assert "own hardware: vcpus" in told


def test_assumptions_that_are_not_made_are_not_shown(golden: Results) -> None:
    told = text_of(EconomicsSection().render(golden))
    assert "own hardware" not in told
    assert "hours: neural: build" not in told
    assert "hours: neural: features" in told
    assert "price per kWh default" in told


def test_long_figures_have_a_prefix_and_declared_ones_no_date() -> None:
    rows = [
        {
            "name": "peak",
            "value": [1.56e14, 3.12e14],
            "unit": "FLOP a second",
            "basis": "published",
            "source": "s",
        },
        {"name": "wage", "value": 60, "unit": "USD an hour", "basis": "declared", "source": "the file"},
        {"name": "word", "value": "yes", "unit": "FLOP a second", "basis": "assumed"},
    ]
    told = text_of(price_table("t", rows))
    assert "156 … 312 TFLOP a second published s not given" in told
    assert "60 USD an hour declared the file" in told
    assert "yes FLOP a second assumed not given not given" in told
    assert told.count("not given") == 3
