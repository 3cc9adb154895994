from __future__ import annotations

import pytest

from toolkit import prices
from toolkit.analysis.accelerators import accelerate
from toolkit.analysis.accounts import check_serving, second_opinion, spending
from toolkit.analysis.footprints import footprints
from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.readings import RungReadings

COSTS = {
    "cost_load_cpu_seconds": 1.0,
    "cost_load_wall_seconds": 1.5,
    "cost_fit_cpu_seconds": 10.0,
    "cost_fit_wall_seconds": 12.0,
    "cost_fit_peak_bytes": 2e9,
    "cost_search_cpu_seconds": 0.0,
    "cost_predict_batch_cpu_seconds_per_row": 1e-6,
}
OWN = {"usd_per_hour": 0.1, "vcpus": 4, "memory_gb": 16.0, "idle_watts": [1, 2, 3], "max_watts": [4, 5, 6]}


@pytest.fixture
def inputs(declare_experiment):
    def make(**economics):
        return draw_inputs(declare_experiment(["neural"], **economics).economics, ["neural"])

    return make


@pytest.fixture
def readings(cell):
    def make(costs=None, **changes):
        return RungReadings([cell("neural", 0, 0, costs={**COSTS, **(costs or {})}, **changes)])

    return make


def by_work(readings, inputs):
    return {one.work: one for one in footprints(readings, inputs)}


def test_a_training_is_modelled_with_its_band_and_carbon(readings, inputs) -> None:
    declared = inputs(country="PL", pue=1.5)
    one = by_work(readings(), declared)["training"]
    machine = prices.hardware("cloud-vcpu")
    fit = prices.energy_joules(10, 12, machine, memory_bytes=2e9, pue=1.5)
    load = prices.energy_joules(1, 1.5, machine, pue=1.5)
    assert one.joules == pytest.approx(tuple(a + b for a, b in zip(fit, load, strict=True)))
    assert one.kg_co2e.mid == pytest.approx(declared.grid.kg_co2e(one.joules.mid))
    assert 0 < one.joules.low < one.joules.mid < one.joules.high
    assert (one.basis, one.cpu_seconds) == ("modelled", 11.0)
    assert "times PUE 1.5" in one.source


def test_work_that_is_not_done_has_no_energy_and_no_zero(readings, inputs) -> None:
    found = by_work(readings(), inputs())
    assert set(found) == {"training", "million_predictions", "year"}
    assert set(by_work(readings(dict.fromkeys(COSTS)), inputs())) == set()


def test_a_year_is_all_its_work_and_the_idle_capacity(readings, inputs) -> None:
    declared = inputs(retrains_per_year=12, volume_per_year=5e6)
    found = by_work(readings(), declared)
    work = 12 * found["training"].joules.mid + 5 * found["million_predictions"].joules.mid
    seconds = 12 * 11 + 5
    assert found["year"].cpu_seconds == pytest.approx(seconds)
    idle = prices.idle_joules(seconds, prices.hardware("cloud-vcpu"), pue=1.2)
    assert found["year"].joules.mid == pytest.approx(work + idle.mid)


def test_a_processor_of_twice_the_speed_takes_half_the_seconds_and_joules(readings, inputs) -> None:
    slow, fast = by_work(readings(), inputs()), by_work(readings(), inputs(speed=2))
    for work, one in slow.items():
        assert fast[work].cpu_seconds == pytest.approx(one.cpu_seconds / 2)
    # memory that was measured is held for half as long; all else scales too
    assert fast["training"].joules.mid == pytest.approx(slow["training"].joules.mid / 2)


def test_counters_count_on_ones_own_machine_at_the_measured_speed_only(cell, inputs) -> None:
    counted = {"cost_fit_package_joules": 100.0, "cost_load_package_joules": 7.0}
    cells = [
        cell("neural", 0, 0, costs={**COSTS, **counted}),
        cell("neural", 0, 0, repeat=1, costs={**COSTS, "cost_fit_package_joules": 110.0}),
    ]
    readings = RungReadings(cells)
    own = by_work(readings, inputs(own_hardware=OWN, pue=1.0))
    assert own["training"].basis == "measured"
    assert own["training"].joules == pytest.approx((107, 112, 117))
    assert "counters (package_joules)" in own["training"].source
    assert own["million_predictions"].basis == "modelled"
    assert own["year"].basis == "modelled"
    assert by_work(readings, inputs(own_hardware=OWN, speed=2))["training"].basis == "modelled"
    assert by_work(readings, inputs())["training"].basis == "modelled"


def test_accelerators_draw_their_own_power(readings, inputs) -> None:
    costs = {"cost_fit_flop": 1e12, "cost_predict_batch_flop_per_row": 1e5}
    net = readings(costs, chosen={"steps": 100})
    one = by_work(net, inputs(hardware="aws-g4dn.xlarge"))["training"]
    assert one.accelerator_seconds > 0
    assert one.cpu_seconds == 1.0
    assert "one NVIDIA T4" in one.source
    assert "8 W at rest and 71 W at full load" in one.source
    assert one.joules.low < one.joules.high


def test_idle_accelerators_idle_for_as_long_as_their_work_is_uncertain(readings, inputs) -> None:
    net = readings({"cost_fit_flop": 1e12, "cost_load_cpu_seconds": 0.0}, chosen={"steps": 100})
    declared = inputs(hardware="aws-g4dn.xlarge", volume_per_year=0, retrains_per_year=1)
    found = by_work(net, declared)
    machine = declared.hardware
    seconds = accelerate(net, machine)
    assert seconds is not None
    work = found["training"].joules
    for place in range(3):
        idle = prices.idle_joules(seconds.fit[place] * machine.vcpus, machine, pue=1.2)[place]
        assert found["year"].joules[place] == pytest.approx(work[place] + idle)


def test_the_second_opinion_is_over_the_same_cells(cell, inputs) -> None:
    both = {"cost_cell_cpu_seconds": 4.0, "cost_cell_wall_seconds": 5.0, "cost_cell_codecarbon_joules": 60.0}
    cells = [
        cell("neural", 0, 0, costs=both),
        cell("neural", 0, 1, costs=both),
        cell("neural", 0, 2, costs={**both, "cost_cell_codecarbon_joules": None}),
    ]
    told = second_opinion(cells, inputs())
    assert told is not None
    assert (told.tool, told.cells, told.theirs) == ("codecarbon", 2, 120.0)
    assert told.ours == pytest.approx(prices.energy_joules(8, 10, prices.hardware("cloud-vcpu")))
    assert second_opinion(cells[2:], inputs()) is None


def test_the_metered_share_and_what_was_withheld(cell, inputs) -> None:
    known = {"cost_cell_metered_wall_seconds": 6.0, "cost_cell_wall_seconds": 8.0}
    reasons = {"cost_predict_single_p95_seconds": "too few calls", "cost_fit_cpu_seconds": "not so"}
    cells = [cell("neural", 0, 0, costs={**COSTS, **known}, withheld=reasons), cell("neural", 0, 1)]
    told = spending({"neural": RungReadings(cells)}, cells, (), inputs())
    assert told.metered_share == pytest.approx(0.75)
    assert told.withheld == {"neural": {"cost_predict_single_p95_seconds": "too few calls"}}
    assert spending({}, cells[1:], (), inputs()).metered_share is None


def test_decisions_one_at_a_time_need_a_single_call_that_was_timed(readings, inputs) -> None:
    single = inputs(serving="single")
    unknown = readings()
    (told,) = check_serving({"neural": unknown}, single)
    assert (told.code, told.severity) == ("single_not_measured", "warning")
    assert "neural" in told.sentence
    assert list(check_serving({"neural": unknown}, inputs())) == []
    assert by_work(unknown, single)["million_predictions"].cpu_seconds == pytest.approx(1)
    median = readings({"cost_predict_single_p50_seconds": 3e-4})
    assert list(check_serving({"neural": median}, single)) == []
    assert by_work(median, single)["million_predictions"].cpu_seconds == pytest.approx(300)
    exact = readings({"cost_predict_single_p50_seconds": 3e-4, "cost_predict_single_cpu_seconds": 2e-4})
    assert by_work(exact, single)["million_predictions"].cpu_seconds == pytest.approx(200)
    assert by_work(exact, inputs())["million_predictions"].cpu_seconds == pytest.approx(1)
