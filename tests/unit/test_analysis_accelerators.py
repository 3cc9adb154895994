from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit import prices
from toolkit.analysis.accelerators import accelerate, check_accelerators
from toolkit.analysis.decisions import Decision
from toolkit.analysis.draws import draw_band
from toolkit.analysis.economics import price_rung
from toolkit.analysis.flows import flows_of
from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.spending import Spread
from toolkit.analysis.work import pieces_of

GPU = "aws-g4dn.xlarge"
SMALL = {
    "cost_load_cpu_seconds": 0.5,
    "cost_fit_cpu_seconds": 2.0,
    "cost_fit_wall_seconds": 2.0,
    "cost_search_cpu_seconds": 10.0,
    "cost_fit_flop": 4e9,
    "cost_predict_batch_cpu_seconds_per_row": 1e-6,
    "cost_predict_batch_flop_per_row": 3e4,
    "cost_predict_single_cpu_seconds": 2e-4,
}


@pytest.fixture
def net(cell):
    def make(costs=None, **chosen):
        return RungReadings([cell("neural", 0, 0, costs={**SMALL, **(costs or {})}, chosen=chosen)])

    return make


@pytest.fixture
def device():
    found = prices.hardware(GPU).accelerator
    assert found is not None
    return found


def test_seconds_are_operations_and_steps(net, device) -> None:
    found = accelerate(net(steps=500), prices.hardware(GPU))
    assert found is not None
    for place in range(3):
        share, start = device.achieved[2 - place], device.step_seconds[place]
        assert found.fit[place] == pytest.approx(4e9 / (device.peak_flops * share) + 500 * start)
    assert found.search == pytest.approx(tuple(10 / 2 * each for each in found.fit))
    assert found.host_share == device.host_share


def test_a_large_net_gains_and_a_small_one_does_not(net) -> None:
    machine = prices.hardware(GPU)
    small = accelerate(net({"cost_fit_cpu_seconds": 0.1}, steps=500), machine)
    large = accelerate(net({"cost_fit_cpu_seconds": 5e4, "cost_fit_flop": 1e15}, steps=50_000), machine)
    assert small is not None
    assert large is not None
    assert small.fit.low > 0.1
    assert large.fit.high < 5e4


@pytest.mark.parametrize(
    ("costs", "chosen"),
    [({}, {}), ({"cost_fit_flop": None}, {"steps": 10}), ({"cost_fit_flop": 0.0}, {"steps": 10})],
)
def test_what_is_no_net_with_counted_steps_stays_on_the_processor(net, costs, chosen) -> None:
    assert accelerate(net(costs, **chosen), prices.hardware(GPU)) is None


def test_a_processor_accelerates_nothing(net) -> None:
    assert accelerate(net(steps=500), prices.hardware("cloud-vcpu")) is None


def test_predictions_and_what_is_not_known_stay_on_the_processor(net, declare_experiment) -> None:
    costs = {"cost_search_cpu_seconds": None}
    inputs = draw_inputs(declare_experiment(["neural"], hardware=GPU).economics, ["neural"])
    pieces = {piece.kind: piece for piece in pieces_of(net(costs, steps=500), inputs)}
    assert pieces["fit"].machine_seconds is not None
    assert pieces["search"].machine_seconds is None
    assert pieces["predict"].machine_seconds is None
    assert pieces["load"].machine_seconds is None
    assert pieces["import"].machine_seconds is None


@pytest.mark.parametrize("serving", ["batch", "single"])
def test_a_prediction_costs_on_a_gpu_profile_what_it_costs_on_its_host(
    net, declare_experiment, serving
) -> None:
    def predictions(hardware: str):
        declared = declare_experiment(["neural"], hardware=hardware, serving=serving).economics
        inputs = draw_inputs(declared, ["neural"])
        return price_rung(_decision(inputs.n), net(steps=500), inputs).costs["prediction"]

    host = prices.hardware(GPU).host
    assert host is not None
    assert predictions(GPU) == pytest.approx(predictions(host))
    assert predictions(GPU)[0] > 0


def test_work_of_the_host_remains_however_fast_the_accelerator_is(net, declare_experiment) -> None:
    inputs = draw_inputs(declare_experiment(["neural"], hardware=GPU).economics, ["neural"])
    instant = net({"cost_fit_flop": 1e-9}, steps=1e-9)
    device, host = (one for one in flows_of(instant, inputs) if one.phase == "fit")
    share = draw_band(prices.hardware(GPU).accelerator.host_share, inputs.accelerator_place, log=True)
    noise = np.exp(host.spread * inputs.cost_noise("neural", "fit"))
    seconds = host.quantity(inputs) * host.seconds
    assert (device.quantity(inputs) * device.seconds).max() < 1e-9
    assert seconds[1:] == pytest.approx((2.0 * share * noise)[1:])
    assert 0.05 * 2 < seconds[0] < 0.3 * 2
    assert seconds[0] == pytest.approx(seconds[1:].mean(), rel=0.01)


def test_a_band_is_drawn_on_the_log_scale_around_its_middle() -> None:
    place = np.array([0.5, 0.0, 0.5, 1.0, 0.25])
    drawn = draw_band(Spread(1.0, 10.0, 1000.0), place, log=True)
    assert drawn[1:] == pytest.approx([1, 10, 1000, np.sqrt(10)])
    assert drawn[0] == pytest.approx(drawn[1:].mean())
    assert draw_band(Spread(1.0, 10.0, 1000.0), place)[1:] == pytest.approx([1, 10, 1000, 5.5])


def test_the_whole_machine_is_paid_for_and_its_idle_time(declare_experiment, net) -> None:
    economics = declare_experiment(["neural"], hardware=GPU, volume_per_year=0).economics
    inputs = draw_inputs(economics, ["neural"])
    readings = net({"cost_load_cpu_seconds": 0.0}, steps=500)
    priced = price_rung(_decision(inputs.n), readings, inputs)
    machine = prices.hardware(GPU)
    found = accelerate(readings, machine)
    assert found is not None
    host = {
        flow.phase: flow.quantity(inputs) * flow.seconds
        for flow in flows_of(readings, inputs)
        if flow.phase in ("fit", "search") and flow.on_processor
    }
    seconds = draw_band(found.fit, inputs.accelerator_place, log=True) + host["fit"]
    assert priced.costs["retraining"] == pytest.approx(seconds * machine.usd_per_second)
    assert found.search is not None
    search = draw_band(found.search, inputs.accelerator_place, log=True) + host["search"]
    search /= economics.horizon_years
    assert priced.costs["search"] == pytest.approx(search * machine.usd_per_second)
    assert priced.costs["idle_capacity"] == pytest.approx((seconds + search) * machine.usd_idle_per_second)


def test_speed_is_the_processors_and_no_accelerators(net, declare_experiment) -> None:
    def costs(**economics):
        declared = declare_experiment(["neural"], volume_per_year=0, **economics).economics
        inputs = draw_inputs(declared, ["neural"])
        return price_rung(_decision(inputs.n), net({"cost_load_cpu_seconds": 0.0}, steps=500), inputs).costs

    found = accelerate(net(steps=500), prices.hardware(GPU))
    assert found is not None
    place = draw_inputs(declare_experiment(["neural"]).economics, ["neural"]).accelerator_place
    second = prices.hardware(GPU).usd_per_second
    devices = draw_band(found.fit, place, log=True)[0] * second
    once, twice = (costs(hardware=GPU, speed=speed)["retraining"][0] for speed in (1, 2))
    assert once - twice == pytest.approx((once - devices) / 2)
    assert costs(speed=2)["retraining"][0] == pytest.approx(costs()["retraining"][0] / 2)
    assert costs(speed=2)["idle_capacity"][0] == pytest.approx(costs()["idle_capacity"][0] / 2)


def test_the_findings_say_what_runs_where_and_whether_it_is_faster(net, cell) -> None:
    machine = prices.hardware(GPU)
    host = prices.hardware(machine.host or "")
    rules = RungReadings([cell("rules", 0, 0, costs={"cost_fit_cpu_seconds": 1e-3})])
    told = {
        seconds: list(
            check_accelerators(
                {"neural": net({"cost_fit_cpu_seconds": seconds}, steps=500), "rules": rules},
                machine,
                host,
            )
        )
        for seconds in (1e-3, 0.5, 1e3)
    }
    assert "no faster there" in told[1e-3][0].sentence
    assert "is open" in told[0.5][0].sentence
    assert "it is 3.3 to 20 times as fast there" in told[1e3][0].sentence
    assert [one.code for one in told[0.5]] == ["accelerator", "accelerator_host"]
    assert told[0.5][1].sentence.startswith("rules train no net")
    assert list(check_accelerators({"rules": rules}, replace(machine, accelerator=None), host)) == []


def _decision(n: int):
    return Decision("neural", 0, 0.5, None, np.zeros(n))
