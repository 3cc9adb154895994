from __future__ import annotations

import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.machines import machine_name, on_one_machine
from toolkit.analysis.spending import Spread

OLD = {"processor": "old", "cores": "2"}
NEW = {"processor": "new", "cores": "8"}
COSTS = {
    "cost_fit_cpu_seconds": 2.0,
    "cost_fit_peak_bytes": 5e6,
    "cost_fit_flop": 7.0,
    "cost_fit_package_joules": 30.0,
    "cost_search_nominal_cpu_seconds": 3.0,
    "cost_search_budget_cpu_seconds": 3.0,
    "cost_predict_batch_cpu_seconds_per_row": 1e-6,
    "cost_predict_single_p50_seconds": None,
}


@pytest.fixture
def on(cell):
    def make(machine, seed, calibration=None, repeat=0):
        return cell(
            "neural",
            0,
            seed,
            machine=machine,
            costs=COSTS,
            calibration=calibration or {},
            repeat=repeat,
        )

    return make


def test_one_machine_stays_as_it_is_with_and_without_calibration(on) -> None:
    for calibration in (None, {"sort": 0.1}):
        records = [on(OLD, seed, calibration) for seed in range(3)]
        found = on_one_machine(records)
        assert found.records == tuple(records)
        assert found.findings == ()
        (machine,) = found.machines
        assert (machine.name, machine.cells, machine.is_reference) == ("old, 2 cores", 3, True)
        assert machine.factor == Spread(1, 1, 1)


def test_seconds_of_a_faster_machine_are_told_for_the_one_with_most_cells(on) -> None:
    slow, fast = {"sort": 0.4, "multiply": 0.9}, {"sort": 0.1, "multiply": 0.1}
    records = [on(NEW, 0, fast), on(OLD, 1, slow), on(OLD, 2, slow)]
    found = on_one_machine(records)
    converted = found.records[0].costs
    assert converted["cost_fit_cpu_seconds"] == pytest.approx(12)  # the geometric mean of 4 and 9
    assert converted["cost_predict_batch_cpu_seconds_per_row"] == pytest.approx(6e-6)
    for name in ("cost_fit_peak_bytes", "cost_fit_flop"):
        assert converted[name] == COSTS[name]
    for name in ("cost_search_nominal_cpu_seconds", "cost_search_budget_cpu_seconds"):
        assert converted[name] == 3.0
    assert converted["cost_fit_package_joules"] is None
    assert converted["cost_predict_single_p50_seconds"] is None
    assert [record.costs for record in found.records[1:]] == [COSTS, COSTS]
    reference, other = found.machines
    assert reference.name == "old, 2 cores"
    assert other.factor == pytest.approx((4, 6, 9))
    assert other.kernels == fast
    (told,) = found.findings
    assert (told.code, told.severity) == ("machines_converted", "info")
    assert "1 cells of new, 8 cores: their seconds times 6.00 (4.00 to 9.00 by kernel)" in told.sentence


def test_the_kernels_median_counts_and_only_kernels_that_both_have(on) -> None:
    records = [
        *(on(OLD, seed, {"sort": value, "old only": 1.0}) for seed, value in enumerate((0.2, 0.2, 9.0))),
        on(NEW, 3, {"sort": 0.1, "new only": 5.0}),
    ]
    assert on_one_machine(records).machines[1].factor == pytest.approx((2, 2, 2))


@pytest.mark.parametrize("calibrated", ["none", "reference", "other"])
def test_without_calibration_of_both_costs_in_seconds_are_left_out(on, calibrated) -> None:
    records = [
        *(on(OLD, seed, {"sort": 0.1} if calibrated == "reference" else None) for seed in range(2)),
        on(NEW, 2, {"sort": 0.1} if calibrated == "other" else None),
    ]
    found = on_one_machine(records)
    unlike = found.records[2].costs
    assert unlike["cost_fit_cpu_seconds"] is None
    assert unlike["cost_predict_batch_cpu_seconds_per_row"] is None
    assert unlike["cost_fit_peak_bytes"] == COSTS["cost_fit_peak_bytes"]
    assert found.machines[1].factor is None
    (told,) = found.findings
    assert (told.code, told.severity) == ("machines_unlike", "warning")
    assert "1 cells (neural)" in told.sentence
    assert "--fresh" in told.sentence


def test_further_readings_do_not_decide_which_machine_is_the_reference(on) -> None:
    records = [on(NEW, 0), on(NEW, 1), *(on(OLD, 0, repeat=number) for number in (1, 2, 3))]
    found = on_one_machine(records)
    assert [(machine.name, machine.cells) for machine in found.machines] == [
        ("new, 8 cores", 2),
        ("old, 2 cores", 0),
    ]


def test_a_record_that_does_not_tell_its_machine_has_a_name_all_the_same(cell) -> None:
    assert machine_name(cell("rules", 0, 0)) == "a processor that is not told"
    assert machine_name(cell("rules", 0, 0, machine={"processor": "x", "cores": "1"})) == "x, 1 core"


def test_no_record_at_all() -> None:
    assert on_one_machine([]).machines == ()


def test_unlike_cells_keep_their_scores_and_price_nothing(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world(
        {"rules": truth(0.5), "classical": truth(0.9, gain=0.3, cpu_seconds=50.0)}, rungs=2
    )
    mixed = [
        one.model_copy(update={"machine": NEW if one.track == "classical" and one.rung == 1 else OLD})
        for one in cells
    ]
    results = analyse(declare_experiment(["rules", "classical"]), task={}, cells=mixed, evidence=evidence)
    top = next(one for one in results.summaries if (one.track, one.rung) == ("classical", 1))
    assert top.n_seeds == 3
    assert "error_log_loss" in top.scores
    assert top.costs["cost_fit_cpu_seconds"] is None
    assert top.costs["cost_fit_peak_bytes"] == 1e8
    assert not top.on_front
    assert "machines_unlike" in [finding.code for finding in results.findings]
    assert [machine.cells for machine in results.spending.machines] == [4, 3]
    # as recorded, the cells show what they took where they ran
    assert results.cells["cost_fit_cpu_seconds"].notna().all()
