"""What search and fit of every rung cost where they are priced: money, energy and carbon, all modelled.

On a processor each is the measured CPU-seconds times one price a second, the same for all tracks and rungs: a
curve against CPU-seconds is then a curve against money, joules or carbon with another unit. On a machine with
accelerators it is not: seconds there follow counted operations and steps (`toolkit.analysis.accelerators`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolkit.analysis.draws import around_mean
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.spending import Spread, TrainingPrice
from toolkit.analysis.work import Piece, pieces_of
from toolkit.prices import (
    JOULES_PER_KWH,
    Hardware,
    accelerator_joules,
    energy_joules,
    host_joules,
    idle_joules,
)

__all__ = ["training_prices"]


_NOTHING = Spread(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Price:
    """Money in the experiment's currency, and the joules of work without idle capacity."""

    money: float
    joules: Spread

    def times(self, factor: float) -> _Price:
        """Return the price of so much more."""
        return _Price(self.money * factor, Spread(*(each * factor for each in self.joules)))

    def plus(self, other: _Price) -> _Price:
        """Return both."""
        both = zip(self.joules, other.joules, strict=True)
        return _Price(self.money + other.money, Spread(*(one + two for one, two in both)))


def training_prices(rungs: Iterable[RungReadings], inputs: Inputs) -> tuple[TrainingPrice, ...]:
    """Return what search and fit cost at each rung whose fit was timed.

    Parameters
    ----------
    rungs : iterable of RungReadings
    inputs : Inputs
    """
    second = _a_cpu_second(inputs)
    found = (_of_rung(rung, second, inputs) for rung in rungs)
    return tuple(one for one in found if one is not None)


def _of_rung(rung: RungReadings, second: _Price, inputs: Inputs) -> TrainingPrice | None:
    if rung.median("cost_fit_cpu_seconds") is None:
        return None
    pieces = [piece for piece in pieces_of(rung, inputs) if piece.kind in ("search", "fit")]
    price = _Price(0.0, _NOTHING)
    for piece in pieces:
        price = price.plus(_of_piece(piece, second, inputs))
    return TrainingPrice(
        track=rung.track,
        rung=rung.rung,
        cpu_seconds=sum(piece.cpu_seconds for piece in pieces),
        money=price.money,
        joules=price.joules,
        kg_co2e=Spread(*(inputs.grid.kg_co2e(each) for each in price.joules)),
        on_accelerator=any(piece.machine_seconds is not None for piece in pieces),
    )


def _of_piece(piece: Piece, second: _Price, inputs: Inputs) -> _Price:
    if piece.machine_seconds is None:
        return second.times(piece.cpu_seconds)
    price = _Price(0.0, _NOTHING)
    for seconds, watts in _held(piece, piece.machine_seconds, inputs):
        money = _money(seconds.mid, inputs.hardware, watts, inputs)
        price = price.plus(_Price(money, Spread(*(a * b for a, b in zip(seconds, watts, strict=True)))))
    return price


def _held(piece: Piece, devices: Spread, inputs: Inputs) -> Iterator[tuple[Spread, Spread]]:
    """Yield the seconds for which a machine's accelerators and its processor work, with its watts then."""
    machine, pue, speed = inputs.hardware, inputs.economics.pue, float(inputs.speed[0])
    yield (
        around_mean(devices, inputs.accelerator_place, log=True),
        around_mean(accelerator_joules(1.0, machine, pue=pue), inputs.energy_place),
    )
    if piece.host_share is not None:
        share = around_mean(piece.host_share, inputs.accelerator_place, log=True)
        yield (
            Spread(*(each * piece.cpu_seconds / speed for each in share)),
            around_mean(host_joules(1.0, machine, pue=pue), inputs.energy_place),
        )


def _a_cpu_second(inputs: Inputs) -> _Price:
    """Return what a measured CPU-second costs: a vCPU at work for its time there, with its memory."""
    host, seconds = inputs.host, 1 / float(inputs.speed[0])
    watts = around_mean(energy_joules(1.0, 1.0, host, pue=inputs.economics.pue), inputs.energy_place)
    one = 1 / host.vcpus
    money = _money(seconds * one, host, Spread(*(each * host.vcpus for each in watts)), inputs)
    return _Price(money, Spread(*(seconds * each for each in watts)))


def _money(seconds: float, machine: Hardware, watts: Spread, inputs: Inputs) -> float:
    """Return the money for a machine held for some time, idle share and electricity included."""
    economics, idle = inputs.economics, seconds * (1 / machine.utilisation - 1)
    paid = (seconds + idle) * machine.usd_per_second * economics.currency_per_usd
    if machine.energy_in_price:
        return paid
    rest = around_mean(idle_joules(float(machine.vcpus), machine, pue=economics.pue), inputs.energy_place)
    kwh = (seconds * watts.mid + idle * rest.mid) / JOULES_PER_KWH
    return paid + kwh * float(inputs.price_per_kwh[0])
