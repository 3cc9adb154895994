"""What the report says of readings, machines and energy."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import ModuleType

import pytest

from toolkit.analysis.results import Results
from toolkit.analysis.spending import CostReadings, Footprint, SecondOpinion, Spending, Spread
from toolkit.report import cost_tables
from toolkit.report.base import NotApplicable
from toolkit.report.sections.costs import CostsSection
from toolkit.report.sections.energy import EnergySection


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def with_spending(results: Results, **changes: object) -> Results:
    return replace(results, spending=replace(results.spending, **changes))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")


def reading(**changes: object) -> CostReadings:
    plain = CostReadings("classical", 5, "cost_fit_cpu_seconds", 6, 5, 41.3, 39.0, 44.0, 0.081)
    return replace(plain, **changes)


def footprint(track: str, cpu_seconds: float, mid: float, work: str = "training") -> Footprint:
    energy = Spread(mid / 3, mid, 3 * mid)
    return Footprint(
        track, 5, work, cpu_seconds, energy, Spread(*(1e-7 * e for e in energy)), "modelled", "x"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["5 clean of 6", "39.0 s to 44.0 s", "±8.1 %"]),
        ({"n_clean": 6}, ["6 clean", "±8.1 %"]),
        ({"n_clean": 0}, ["6 none clean"]),
        ({"spread": 0.45}, ["a factor of 1.6"]),
        ({"spread": None, "n": 1, "n_clean": 1, "low": 41.3, "high": 41.3}, ["1 clean", "41.3 s"]),
    ],
)
def test_readings_tell_number_ends_and_spread(golden: Results, changes: dict, words: list[str]) -> None:
    told = text_of(cost_tables.readings(with_spending(golden, readings=(reading(**changes),))))
    for word in words:
        assert word in told
    assert ("±8.1" in told) == (changes.get("spread", 0.081) == 0.081)


def test_the_legend_reads_one_figure_aloud(golden: Results) -> None:
    told = text_of(cost_tables.readings(golden))
    assert "The fit of classical is the median of 6 clean readings; one reading is within ±8.1 %." in told
    once = with_spending(golden, readings=(reading(spread=None),))
    assert "No fit was read twice" in text_of(cost_tables.readings(once))


def test_work_that_was_not_done_needs_no_trust(golden: Results) -> None:
    nothing = reading(cost="cost_search_cpu_seconds", n_clean=0, median=0.0, low=0.0, high=0.0)
    told = text_of(cost_tables.readings(with_spending(golden, readings=(nothing,))))
    assert "0 s" in told
    assert "none clean" not in told


def test_a_cost_of_no_phase_has_its_place(golden: Results) -> None:
    found = with_spending(golden, readings=(reading(cost="cost_model_bytes"), reading()))
    told = text_of(cost_tables.readings(found))
    assert told.index("fit, CPU time") < told.index("size of the saved model")


def test_withheld_costs_are_told_once_for_all_tracks(golden: Results) -> None:
    told = text_of(CostsSection().render(golden))
    assert told.count("1,000 calls did not fit into 1 s.") == 1
    assert "neural, hybrid" in told


def test_machines_are_shown_when_there_are_more_than_one(golden: Results) -> None:
    told = text_of(CostsSection().render(golden))
    assert "older made-up CPU, 8 cores 9 0.740 0.610 to 0.880 python 16.6 ms, matmul 11.1 ms" in told
    assert "costs left out" in told
    alone = with_spending(golden, machines=golden.spending.machines[:1])
    assert "Machines that cells ran on" not in text_of(CostsSection().render(alone))


def test_the_share_inside_meters_is_told_where_it_is_known(golden: Results) -> None:
    assert "Metered phases took 71 %" in text_of(CostsSection().render(golden))
    assert cost_tables.metered_share(with_spending(golden, metered_share=None)) == ""


def test_old_records_have_costs_and_no_energy(made_up_results: ModuleType) -> None:
    told = text_of(CostsSection().render(made_up_results.old()))
    assert "Main readings" in told
    for new in ("How often the figures", "withheld", "Machines that cells", "Metered phases"):
        assert new not in told
    with pytest.raises(NotApplicable):
        EnergySection().render(made_up_results.old())


def test_energy_is_a_range_with_its_basis(golden: Results) -> None:
    told = text_of(EnergySection().render(golden))
    assert "61–360 J, modelled" in told
    assert "222 J, measured" in told
    assert "Carbon intensity: Ember, Yearly Electricity Data (CC BY 4.0), rounded." in told
    assert "(RAPL)" in told
    assert "One training starting, loading and fit A million predictions in batches" in told
    assert not re.search(r"(?<![\d.,–])0 [mkµ]?J\b", told)


def test_energy_stands_in_the_order_of_cpu_time(golden: Results) -> None:
    found = (footprint("neural", 2.0, 10.0), footprint("classical", 3.0, 9.0), footprint("rules", 1.0, 8.0))
    html = EnergySection().render(with_spending(golden, footprints=found))
    data = re.search(r'id="energy-training-data">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    bars = [trace for trace in json.loads(data[1])["data"] if trace["type"] == "bar"]
    assert [bar["y"] for bar in bars] == [["rules"], ["neural"], ["classical"]]
    assert [bar["base"][0] + bar["x"][0] for bar in bars] == pytest.approx([24.0, 30.0, 27.0])
    assert "The middles of neural and classical (one training) stand the other way round" in text_of(html)


def test_energy_that_follows_cpu_time_needs_no_remark(golden: Results) -> None:
    found = (footprint("neural", 2.0, 10.0), footprint("rules", 1.0, 5.0))
    told = text_of(EnergySection().render(with_spending(golden, footprints=found)))
    assert "does not rank the tracks anew" in told
    assert "the other way round" not in told
    assert "No figure here was measured" in told


def test_nets_on_an_accelerator_stand_last_with_their_time_there(made_up_results: ModuleType) -> None:
    html = EnergySection().render(made_up_results.accelerated())
    told = text_of(html)
    assert "the least on top, those on an accelerator last: classical" in told
    assert "Accelerator time" in told
    assert "A million predictions one row at a time" in told
    assert "as open as its bars are wide" in told
    assert "the other way round" not in told
    assert "Accelerator time" not in text_of(EnergySection().render(made_up_results.golden()))


def test_a_track_that_searches_nothing_is_not_one_that_was_not_measured(golden: Results) -> None:
    told = text_of(EnergySection().render(golden))
    assert "baseline no search" in told
    missing = tuple(
        one for one in golden.spending.footprints if (one.track, one.work) != ("neural", "search")
    )
    assert "neural not measured" in text_of(EnergySection().render(with_spending(golden, footprints=missing)))


def test_work_that_is_not_done_has_no_bar(golden: Results) -> None:
    idle = replace(footprint("rules", 0.0, 1.0, "search"), joules=Spread(0, 0, 0), kg_co2e=Spread(0, 0, 0))
    html = EnergySection().render(with_spending(golden, footprints=(idle, footprint("rules", 1.0, 5.0))))
    assert "energy-search" not in html
    assert "no search" in text_of(html)


def test_a_second_opinion_stands_beside_ours(golden: Results) -> None:
    told = text_of(EnergySection().render(golden))
    assert "codecarbon tells 7.2 times our middle." in told
    assert "multiplies elapsed time by a constant power" in told
    near = SecondOpinion("codecarbon", 3, Spread(1, 2, 9), 4.0)
    assert "lies within our range" in text_of(
        EnergySection().render(with_spending(golden, second_opinion=near))
    )
    none = text_of(EnergySection().render(with_spending(golden, second_opinion=None)))
    assert "codecarbon" not in none


def test_nothing_spent_is_nothing_shown(golden: Results) -> None:
    bare = replace(golden, spending=Spending())
    assert cost_tables.readings(bare) == cost_tables.withheld(bare) == cost_tables.machines(bare) == ""
