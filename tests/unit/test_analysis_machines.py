from __future__ import annotations

import math

import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.machines import on_one_machine
from toolkit.analysis.readings import by_rung
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
    def make(machine, seed, calibration=None, repeat=0, **changes):
        return cell(
            "neural",
            0,
            seed,
            machine=machine,
            costs=COSTS,
            calibration=calibration or {},
            repeat=repeat,
            **changes,
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


def test_a_record_that_does_not_tell_its_machine_has_a_name_all_the_same(on) -> None:
    (machine,) = on_one_machine([on({}, 0)]).machines
    assert machine.name == "unknown processor"


MILAN, GENOA = ({**OLD, "processor_model": f"AuthenticAMD 25 {model} 1"} for model in (1, 17))


def test_unlike_processors_of_one_name_are_two_machines(on) -> None:
    records = [on(MILAN, 0, {"sort": 0.4}), on(MILAN, 1, {"sort": 0.4}), on(GENOA, 2, {"sort": 0.1})]
    found = on_one_machine(records)
    assert [machine.cells for machine in found.machines] == [2, 1]
    assert found.records[2].costs["cost_fit_cpu_seconds"] == pytest.approx(8)
    assert "AuthenticAMD 25 17 1" in found.findings[0].sentence


def test_old_records_without_the_model_are_of_the_machine_that_else_is_like_them(on) -> None:
    records = [on(OLD, 0), on(MILAN, 1), on(OLD, 2)]
    found = on_one_machine(records)
    assert [machine.cells for machine in found.machines] == [3]
    assert found.records == tuple(records)
    assert found.findings == ()


def test_old_records_are_of_none_of_several_such_machines(on) -> None:
    found = on_one_machine([on(OLD, 0), on(OLD, 1), on(MILAN, 2), on(GENOA, 3)])
    assert sorted(machine.cells for machine in found.machines) == [1, 1, 2]


def test_factors_rest_on_the_kernels_of_calm_cells(on) -> None:
    records = [
        *(on(OLD, seed, {"sort": 0.2}) for seed in range(4)),
        on(NEW, 4, {"sort": 0.1}),
        *(on(NEW, 5, {"sort": 0.9}, number, quality="contended") for number in (1, 2)),
        on(NEW, 5, {"sort": 0.9}, 3, qualities={"search": "contended"}),
    ]
    assert on_one_machine(records).machines[1].factor == pytest.approx((2, 2, 2))
    disturbed = [on(OLD, 0, {"sort": 0.2}), on(NEW, 1, {"sort": 0.1}, quality="contended")]
    assert on_one_machine([*disturbed, on(OLD, 2)]).machines[1].factor == pytest.approx((2, 2, 2))


def test_how_rough_a_conversion_is_widens_the_spread_of_what_it_converted(on) -> None:
    slow, fast = {"sort": 0.4, "multiply": 0.9}, {"sort": 0.1, "multiply": 0.1}
    width = math.log(9 / 4) / 2
    records = [on(OLD, 0, slow), on(OLD, 1, slow), on(NEW, 2, fast)]
    found = on_one_machine(records)
    assert found.log_widths == pytest.approx((0, 0, width))
    (rough,) = by_rung(found.records, found.log_widths).values()
    (sure,) = by_rung(found.records).values()
    cost = "cost_fit_cpu_seconds"
    assert rough.log_spread(cost) == pytest.approx(math.hypot(sure.log_spread(cost), width / math.sqrt(3)))
    assert rough.log_spread("cost_fit_peak_bytes") == 0
    whole = by_rung([one for one in found.records if one.seed == 2], [width])
    assert whole["neural", 0].log_spread(cost) == pytest.approx(width)


def test_what_a_conversion_adds_reaches_the_money(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.5), "neural": truth(0.9, gain=0.3)}, rungs=2)
    widths = []
    for kernels in ({"sort": 0.2, "multiply": 0.2}, {"sort": 0.1, "multiply": 0.4}):
        mixed = [
            one.model_copy(
                update={"machine": NEW, "calibration": {"sort": 0.2, "multiply": 0.2}}
                if one.track == "neural"
                else {"machine": OLD, "calibration": kernels}
            )
            for one in cells
        ]
        mixed += [
            mixed[0].model_copy(update={"track": "classical", "seed": seed, "rung": 0}) for seed in range(9)
        ]
        # decisions worth next to nothing, so that the width is that of the costs
        worthless = {"true_positive": 1e-15, "false_positive": -1e-15}
        experiment = declare_experiment(["rules", "neural"], volume_per_year=1e12, value=worthless)
        results = analyse(experiment, task={}, cells=mixed, evidence=evidence)
        assert results.spending.machines[0].name == "old, 2 cores"
        net = next(one for one in results.summaries if (one.track, one.rung) == ("neural", 0))
        widths.append(net.net_value.high - net.net_value.low)
    assert widths[1] > widths[0]


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
    assert all(cell.costs["cost_fit_cpu_seconds"] is not None for cell in results.cells)
