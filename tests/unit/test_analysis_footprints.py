from __future__ import annotations

import numpy as np
import pytest

from toolkit import prices
from toolkit.analysis.accelerators import accelerate
from toolkit.analysis.accounts import check_serving, second_opinion, spending
from toolkit.analysis.decisions import Decision
from toolkit.analysis.economics import price_rung
from toolkit.analysis.footprints import footprints
from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.readings import RungReadings

MEAN = np.exp(0.1**2 / 2)
"""Of a lognormal time over its median, at the least spread."""

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
    low, mid, high = (MEAN * (a + b) for a, b in zip(fit, load, strict=True))
    assert (one.joules.low, one.joules.high) == pytest.approx((low, high))
    # places in the band are triangular: the mean of (low + 4 mid + high) / 6
    assert one.joules.mid == pytest.approx((low + 4 * mid + high) / 6, rel=0.01)
    assert one.joules.mid != pytest.approx(mid, rel=0.01)
    assert one.kg_co2e.mid == pytest.approx(declared.grid.kg_co2e(one.joules.mid))
    assert 0 < one.joules.low < one.joules.mid < one.joules.high
    assert (one.basis, one.cpu_seconds) == ("modelled", pytest.approx(11 * MEAN))
    assert "times PUE 1.5" in one.source


def test_work_that_is_not_done_has_no_energy_and_no_zero(readings, inputs) -> None:
    found = by_work(readings(), inputs())
    assert set(found) == {"training", "million_predictions", "year"}
    assert set(by_work(readings(dict.fromkeys(COSTS)), inputs())) == set()


def test_a_year_is_all_its_work_and_the_idle_capacity(readings, inputs) -> None:
    declared = inputs(retrains_per_year=12, volume_per_year=5e6)
    found = by_work(readings(), declared)
    work = 12 * found["training"].joules.mid + 5 * found["million_predictions"].joules.mid
    seconds = (12 * 11 + 5) * MEAN
    assert found["year"].cpu_seconds == pytest.approx(seconds)
    low, mid, high = prices.idle_joules(seconds, prices.hardware("cloud-vcpu"), pue=1.2)
    assert found["year"].joules.mid == pytest.approx(work + (low + 4 * mid + high) / 6, rel=0.001)


def test_a_processor_of_twice_the_speed_takes_half_the_seconds_and_joules(readings, inputs) -> None:
    slow, fast = by_work(readings(), inputs()), by_work(readings(), inputs(speed=2))
    for work, one in slow.items():
        assert fast[work].cpu_seconds == pytest.approx(one.cpu_seconds / 2)
    # memory that was measured is held for half as long; all else scales too
    assert fast["training"].joules.mid == pytest.approx(slow["training"].joules.mid / 2)


@pytest.fixture
def counted(cell):
    def make(machine):
        return _counted(cell, machine)

    return make


def _counted(cell, machine):
    counted = {"cost_fit_package_joules": 100.0, "cost_load_package_joules": 7.0}
    cells = [
        cell("neural", 0, 0, costs={**COSTS, **counted}, machine=machine),
        cell("neural", 0, 0, repeat=1, costs={**COSTS, "cost_fit_package_joules": 110.0}, machine=machine),
    ]
    return RungReadings(cells)


def test_counters_count_on_ones_own_machine_at_the_measured_speed_only(counted, inputs) -> None:
    readings = counted({"processor": "x", "cores": "4"})
    own = by_work(readings, inputs(own_hardware=OWN, pue=1.0))
    assert own["training"].basis == "measured"
    assert own["training"].joules == pytest.approx((107, 112, 117))
    assert "counters (package_joules) of the whole socket" in own["training"].source
    assert "whoever used it" in own["training"].source
    assert own["million_predictions"].basis == "modelled"
    assert by_work(readings, inputs(own_hardware=OWN, speed=2))["training"].basis == "modelled"
    assert by_work(readings, inputs())["training"].basis == "modelled"


@pytest.mark.parametrize("machine", [{}, {"processor": "x"}, {"processor": "x", "cores": "2"}])
def test_counters_of_another_machine_than_the_one_declared_do_not_count(counted, inputs, machine) -> None:
    found = by_work(counted(machine), inputs(own_hardware=OWN))
    assert {one.basis for one in found.values()} == {"modelled"}


def test_the_year_is_modelled_with_and_without_counters(counted, readings, inputs) -> None:
    declared = inputs(own_hardware=OWN)
    year = by_work(counted({"processor": "x", "cores": "4"}), declared)["year"]
    assert year == by_work(readings(), declared)["year"]
    assert year.basis == "modelled"


@pytest.mark.parametrize(
    ("hardware", "economics"),
    [
        ("own-server", {"speed": [0.5, 1, 4]}),
        ("own-server", {"serving": "single", "always_on_vcpus": 0.5}),
        ("own-workstation", {"retrains_per_year": 12}),
    ],
)
def test_the_electricity_of_a_year_is_that_of_its_footprint(readings, inputs, hardware, economics) -> None:
    net = readings({"cost_fit_flop": 1e12, "cost_import_cpu_seconds": 2.0}, chosen={"steps": 100})
    declared = inputs(hardware=hardware, price_per_kwh=0.3, **economics)
    paid = price_rung(Decision("neural", 0, 0.5, None, np.zeros(declared.n)), net, declared).costs
    year = by_work(net, declared)["year"]
    assert paid["electricity"][0] == pytest.approx(0.3 * year.joules.mid / prices.JOULES_PER_KWH)
    assert paid["electricity"][0] == pytest.approx(paid["electricity"][1:].mean(), rel=0.02)


def test_accelerators_draw_their_own_power(readings, inputs) -> None:
    costs = {"cost_fit_flop": 1e12, "cost_predict_batch_flop_per_row": 1e5}
    net = readings(costs, chosen={"steps": 100})
    one = by_work(net, inputs(hardware="aws-g4dn.xlarge"))["training"]
    machine = prices.hardware("aws-g4dn.xlarge")
    found = accelerate(net, machine)
    assert found is not None
    assert one.cpu_seconds == pytest.approx(MEAN)
    assert "one NVIDIA T4" in one.source
    assert "8 W at rest and 71 W at full load" in one.source
    devices = prices.accelerator_joules(1.0, machine, pue=1.2)
    rest = prices.host_joules(1.0, machine, pue=1.2)
    load = prices.energy_joules(1.0, 1.5, prices.hardware(machine.host or ""), pue=1.2)
    for place in (0, 2):
        host = 10 * MEAN * found.host_share[place]
        watts = found.fit[place] * devices[place] + host * rest[place]
        assert one.joules[place] == pytest.approx(watts + MEAN * load[place])
    assert found.fit.low + 10 * found.host_share.low < one.accelerator_seconds
    assert one.accelerator_seconds < found.fit.high + 10 * MEAN * found.host_share.high


def test_idle_accelerators_idle_for_as_long_as_their_work_is_uncertain(readings, inputs) -> None:
    net = readings({"cost_fit_flop": 1e12, "cost_load_cpu_seconds": 0.0}, chosen={"steps": 100})
    declared = inputs(hardware="aws-g4dn.xlarge", volume_per_year=0, retrains_per_year=1)
    found = by_work(net, declared)
    machine = declared.hardware
    seconds = accelerate(net, machine)
    assert seconds is not None
    work = found["training"].joules
    for place in (0, 2):
        held = seconds.fit[place] + 10 * MEAN * seconds.host_share[place]
        idle = prices.idle_joules(held * machine.vcpus, machine, pue=1.2)[place]
        assert found["year"].joules[place] == pytest.approx(work[place] + idle)


def test_starting_a_process_is_part_of_a_training(readings, inputs) -> None:
    bare, starting = (by_work(readings(costs), inputs()) for costs in ({}, {"cost_import_cpu_seconds": 3.0}))
    for work in ("training", "year"):
        assert starting[work].cpu_seconds - bare[work].cpu_seconds == pytest.approx(3 * MEAN)
        assert starting[work].joules.mid > bare[work].joules.mid
    assert starting["million_predictions"] == bare["million_predictions"]


def test_the_second_opinion_is_over_the_same_cells(cell) -> None:
    both = {"cost_cell_cpu_seconds": 4.0, "cost_cell_wall_seconds": 5.0, "cost_cell_codecarbon_joules": 60.0}
    cells = [
        cell("neural", 0, 0, costs=both),
        cell("neural", 0, 1, costs=both),
        cell("neural", 0, 2, costs={**both, "cost_cell_codecarbon_joules": None}),
    ]
    told = second_opinion(cells)
    assert told is not None
    assert (told.tool, told.cells, told.theirs) == ("codecarbon", 2, 120.0)
    assert told.ours == pytest.approx(prices.energy_joules(8, 10, prices.hardware("cloud-vcpu")))
    assert second_opinion(cells[2:]) is None


def test_the_second_opinion_does_not_hang_on_the_machine_that_is_priced(cell, inputs) -> None:
    both = {"cost_cell_cpu_seconds": 4.0, "cost_cell_wall_seconds": 5.0, "cost_cell_codecarbon_joules": 60.0}
    cells = [cell("neural", 0, 0, costs=both)]
    told = [spending({}, cells, (), inputs(hardware=name)) for name in ("cloud-vcpu", "edge-board")]
    assert told[0].second_opinion == told[1].second_opinion
    assert told[0].second_opinion is not None


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
    shared, told = check_serving({"neural": unknown}, single)
    assert (shared.code, shared.severity) == ("capacity_shared", "info")
    assert "would cost 420 USD a year" in shared.sentence
    assert (told.code, told.severity) == ("single_not_measured", "warning")
    assert "neural" in told.sentence
    assert list(check_serving({"neural": unknown}, inputs())) == []
    assert by_work(unknown, single)["million_predictions"].cpu_seconds == pytest.approx(MEAN)
    median = readings({"cost_predict_single_p50_seconds": 3e-4})
    assert [one.code for one in check_serving({"neural": median}, single)] == ["capacity_shared"]
    waiting = inputs(serving="single", always_on_vcpus=2.0)
    assert list(check_serving({"neural": median}, waiting)) == []
    assert by_work(median, single)["million_predictions"].cpu_seconds == pytest.approx(300 * MEAN)
    exact = readings({"cost_predict_single_p50_seconds": 3e-4, "cost_predict_single_cpu_seconds": 2e-4})
    assert by_work(exact, single)["million_predictions"].cpu_seconds == pytest.approx(200 * MEAN)
    assert by_work(exact, inputs())["million_predictions"].cpu_seconds == pytest.approx(MEAN)
