from __future__ import annotations

import math

import numpy as np
import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.export import to_json
from toolkit.analysis.readings import RungReadings, by_rung, check_readings, of_cells, phase_of
from toolkit.records import without_repeats

FIT = "cost_fit_cpu_seconds"


@pytest.fixture
def read(cell):
    def make(seconds, *, seed=0, repeat=0, quality="clean", qualities=None, **changes):
        costs = {FIT: seconds, "cost_load_cpu_seconds": 1.0, "cost_fit_peak_bytes": seconds * 1e6}
        return cell(
            "neural",
            0,
            seed,
            repeat=repeat,
            quality=quality,
            qualities=qualities or {},
            costs=costs,
            **changes,
        )

    return make


@pytest.mark.parametrize(
    ("cost", "phase"),
    [
        (FIT, "fit"),
        ("cost_predict_batch_cpu_seconds_per_row", "predict_batch"),
        ("cost_predict_single_p50_seconds", "predict_single"),
        ("cost_model_bytes", ""),
        ("cost_cell_wall_seconds", ""),
        ("cost_import_cpu_seconds", ""),
    ],
)
def test_the_phase_of_a_cost(cost: str, phase: str) -> None:
    assert phase_of(cost) == phase


def test_repeats_count_as_readings_and_contended_ones_are_left_out(read) -> None:
    readings = RungReadings(
        [read(1.0), read(9.0, repeat=1, quality="contended"), read(3.0, repeat=2), read(2.0, repeat=3)]
    )
    assert readings.median(FIT) == 2.0
    told = readings.told(FIT)
    assert told is not None
    assert (told.n, told.n_clean, told.median, told.low, told.high) == (4, 3, 2.0, 1.0, 3.0)
    assert told.spread == pytest.approx(np.std(np.log([1.0, 2.0, 3.0]), ddof=1))
    assert readings.log_spread(FIT) == pytest.approx(told.spread)


def test_seeds_weigh_alike_however_often_each_was_read(read) -> None:
    often = [read(9.0, repeat=number) for number in range(5)]
    readings = RungReadings([*often, read(1.0, seed=1), read(2.0, seed=2)])
    assert readings.median(FIT) == 2.0
    told = readings.told(FIT)
    assert told is not None
    assert (told.n, told.median, told.low, told.high) == (7, 2.0, 1.0, 9.0)
    assert readings.log_spread(FIT) == pytest.approx(np.std(np.log([9.0] * 5 + [1.0, 2.0]), ddof=1))


def test_repeats_of_a_cell_that_was_trained_anew_do_not_count(read) -> None:
    records = [
        read(1.0, started_at=100.0),
        read(9.0, repeat=1, started_at=50.0),
        read(3.0, repeat=2, started_at=150.0),
        read(7.0, seed=1, repeat=1, started_at=50.0),
    ]
    assert of_cells(records) == [records[0], records[2], records[3]]
    newer = [*records, read(5.0, started_at=120.0)]
    assert of_cells(newer) == [newer[0], newer[2], newer[3], newer[4]]


def test_old_repeats_are_left_out_of_an_analysis(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.5), "classical": truth(0.9, gain=0.3)}, rungs=2)
    fresh = [one.model_copy(update={"started_at": 100.0}) for one in cells]
    costs = {name: (value or 0) * 3 for name, value in fresh[-1].costs.items()}
    old = [fresh[-1].model_copy(update={"repeat": 1, "started_at": 99.0, "costs": costs})]
    experiment = declare_experiment(["rules", "classical"])
    before = analyse(experiment, task={}, cells=fresh, evidence=evidence)
    after = analyse(experiment, task={}, cells=[*fresh, *old], evidence=evidence)
    assert to_json(after) == to_json(before)


def test_the_quality_is_that_of_the_phase(read) -> None:
    readings = RungReadings(
        [
            read(1.0, qualities={"fit": "contended", "load": "clean"}),
            read(2.0, repeat=1, qualities={"fit": "clean", "load": "contended"}),
        ]
    )
    assert readings.values(FIT) == [2.0]
    assert len(readings.values("cost_load_cpu_seconds")) == 1
    told = readings.told("cost_load_cpu_seconds")
    assert told is not None
    assert (told.n, told.n_clean) == (2, 1)


def test_where_every_reading_is_contended_all_are_used(read) -> None:
    readings = RungReadings([read(1.0, quality="contended"), read(3.0, seed=1, quality="contended")])
    assert readings.median(FIT) == 2.0
    told = readings.told(FIT)
    assert told is not None
    assert told.n_clean == 0


def test_readings_too_short_to_time_well_are_not_thrown_away_for_longer_ones(read) -> None:
    readings = RungReadings([read(0.009, quality="too_short"), read(0.011, seed=1)])
    assert readings.median(FIT) == pytest.approx(0.010)


def test_a_seed_without_a_clean_reading_is_not_left_to_the_model_of_another(read) -> None:
    readings = RungReadings(
        [read(36.0, quality="contended"), read(34.0, repeat=1, quality="contended"), read(18.0, seed=1)]
    )
    assert readings.median(FIT) == pytest.approx((35 + 18) / 2)
    assert readings.disturbed() == (2, 2)
    calm = [read(30.0, repeat=2)]
    assert RungReadings([*readings.records, *calm]).median(FIT) == pytest.approx((30 + 18) / 2)


def test_bytes_and_counts_feel_no_neighbour(read) -> None:
    readings = RungReadings([read(1.0), read(3.0, repeat=1, quality="contended")])
    assert readings.median(FIT) == 1.0
    assert readings.median("cost_fit_peak_bytes") == 2e6


def test_seeds_that_differ_are_no_spread_of_the_same_work(read) -> None:
    apart = RungReadings([read(1.0, seed=0), read(10.0, seed=1)]).told(FIT)
    assert apart is not None
    assert apart.spread is None
    pooled = RungReadings(
        [read(1.0), read(math.e, repeat=1), read(10.0, seed=1), read(10 * math.e, seed=1, repeat=1)]
    ).told(FIT)
    assert pooled is not None
    assert pooled.spread == pytest.approx(math.sqrt(0.5))


def test_what_was_never_read_is_none(read) -> None:
    readings = RungReadings([read(1.0)])
    assert readings.median("cost_search_cpu_seconds") is None
    assert readings.told("cost_search_cpu_seconds") is None
    assert readings.log_spread("cost_search_cpu_seconds") == 0


def test_readings_without_a_cell_make_no_rung(read) -> None:
    assert by_rung([read(1.0, repeat=1)]) == {}


def test_the_finding_says_what_is_left_out_and_what_is_used(read, cell) -> None:
    some = [read(1.0), read(2.0, repeat=1, quality="contended")]
    (told,) = check_readings(by_rung(some))
    assert told.severity == "info"
    assert told.sentence == (
        "1 reading ran beside other work (neural); it is left out, as its rung has undisturbed readings of "
        "the same work"
    )
    only = [*some, cell("rules", 0, 0, quality="contended", costs={FIT: 1.0})]
    (told,) = check_readings(by_rung(only))
    assert told.severity == "warning"
    assert "2 readings ran beside other work (neural, rules); 1 of them is left out, as its" in told.sentence
    assert "1 rung (rules) has no undisturbed reading of some phase: there the" in told.sentence
    assert list(check_readings(by_rung([read(1.0)]))) == []


def test_the_finding_counts_in_the_plural_too(read, cell) -> None:
    several = [
        read(1.0),
        read(2.0, repeat=1, quality="contended"),
        read(2.0, repeat=2, quality="contended"),
        *(cell("rules", rung, 0, quality="contended", costs={FIT: 1.0}) for rung in (0, 1)),
    ]
    (told,) = check_readings(by_rung(several))
    assert told.sentence.startswith(
        "4 readings ran beside other work (neural, rules); 2 of them are left out, as their rungs have "
        "undisturbed readings of the same work; 2 rungs (rules) have no undisturbed reading of some phase: "
        "there the disturbed readings are used, and costs are too high by up to 40 %"
    )


def test_further_readings_are_no_cells(truth, draw_world, declare_experiment, cell) -> None:
    cells, evidence = draw_world({"rules": truth(0.5), "classical": truth(0.9, gain=0.3)}, rungs=2)
    experiment = declare_experiment(["rules", "classical"])
    costs = {name: (value or 0) * 3 for name, value in cells[-1].costs.items()}
    again = [
        cell("classical", 1, seed, repeat=number, scores={}, costs=costs)
        for seed in range(3)
        for number in (1, 2)
    ]
    failed = [cell("classical", 1, 1, repeat=1, status="failed", scores={}, costs={})]
    before = analyse(experiment, task={}, cells=cells, evidence=evidence)
    after = analyse(experiment, task={}, cells=[*again, *cells, *failed], evidence=evidence)
    assert len(without_repeats([*cells, *again])) == len(cells)
    assert to_json(after)["cells"] == to_json(before)["cells"]
    assert [curve.cost for curve in after.curves] == [curve.cost for curve in before.curves]
    assert after.pairs == before.pairs
    assert after.findings == before.findings
    tops = [
        next(one for one in results.summaries if (one.track, one.rung) == ("classical", 1))
        for results in (before, after)
    ]
    assert tops[0].n_seeds == tops[1].n_seeds == 3
    assert tops[0].scores == tops[1].scores
    assert tops[1].costs[FIT] == pytest.approx(3 * (tops[0].costs[FIT] or 0))
    told = {one.cost: one for one in after.spending.readings if one.track == "classical"}
    assert (told[FIT].n, told[FIT].n_clean) == (9, 9)
    assert told[FIT].spread is not None
