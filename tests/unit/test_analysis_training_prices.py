"""What search and fit cost where they are priced."""

from __future__ import annotations

import pytest

from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.training_prices import training_prices
from toolkit.prices import JOULES_PER_KWH, hardware

GPU = "aws-g4dn.xlarge"


@pytest.fixture
def rung(cell):
    def make(number=0, *, cpu=2.0, flop=None, chosen=None):
        costs = {"cost_fit_cpu_seconds": cpu, "cost_search_cpu_seconds": 3 * cpu if cpu else None}
        return RungReadings(
            [cell("neural", number, 0, costs={**costs, "cost_fit_flop": flop}, chosen=chosen or {})]
        )

    return make


@pytest.fixture
def inputs(declare_experiment):
    def make(**economics):
        return draw_inputs(declare_experiment(["neural"], **economics).economics, ["neural"])

    return make


def test_on_a_processor_one_price_a_second_holds_for_all(rung, inputs) -> None:
    found = training_prices([rung(0, cpu=2.0), rung(1, cpu=700.0)], inputs(pue=1.3))
    assert [one.cpu_seconds for one in found] == [8.0, 2800.0]
    assert not any(one.on_accelerator for one in found)
    first, second = ([one.money, *one.joules, *one.kg_co2e] for one in found)
    assert second == pytest.approx([350 * each for each in first])
    assert found[0].joules.low < found[0].joules.mid < found[0].joules.high


def test_money_holds_the_idle_share_and_the_rate(rung, inputs) -> None:
    host = hardware("cloud-vcpu")
    (found,) = training_prices([rung()], inputs(currency="EUR", currency_per_usd=0.9))
    assert found.money == pytest.approx(8 * host.usd_per_cpu_second / host.utilisation * 0.9)


def test_a_faster_processor_costs_less(rung, inputs) -> None:
    (slow,) = training_prices([rung()], inputs())
    (fast,) = training_prices([rung()], inputs(speed=2))
    assert fast.money == pytest.approx(slow.money / 2)
    assert fast.joules.mid == pytest.approx(slow.joules.mid / 2)
    assert fast.cpu_seconds == slow.cpu_seconds


def test_electricity_is_paid_where_the_machine_does_not_hold_it(rung, inputs) -> None:
    dear, cheap = (
        training_prices([rung()], inputs(hardware="own-server", price_per_kwh=p))[0] for p in (9, 1)
    )
    idle_too = (dear.money - cheap.money) / 8 * JOULES_PER_KWH
    assert idle_too >= dear.joules.mid * 0.999
    assert dear.joules == cheap.joules


def test_nets_on_an_accelerator_are_marked_and_not_proportional(rung, inputs) -> None:
    nets = [rung(n, cpu=cpu, flop=1e12, chosen={"steps": 500}) for n, cpu in enumerate((2.0, 40.0))]
    found = training_prices([*nets, rung(2)], inputs(hardware=GPU))
    assert [one.on_accelerator for one in found] == [True, True, False]
    assert found[1].money / found[0].money < 10
    assert all(one.money > 0 and one.joules.low > 0 for one in found)


def test_a_fit_without_a_time_has_no_price(rung, inputs) -> None:
    assert training_prices([rung(cpu=None)], inputs()) == ()
