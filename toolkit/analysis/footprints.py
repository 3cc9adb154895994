"""Energy and carbon of the work of a track, as bands: modelled from time, or measured by a counter.

Measured joules count only where the machine that is priced can be the one that ran: one's own
(`own_hardware`) with as many vCPUs as the records tell cores, at the speed that was measured. They are of the
whole socket, whoever used it. The year is always modelled, as is its electricity in money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from toolkit.analysis.draws import around_mean
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.spending import Footprint, Spread, Work
from toolkit.analysis.work import (
    OCCASION_OF,
    Kind,
    Piece,
    always_on_seconds,
    idle_beside,
    mean_factor,
    pieces_of,
)
from toolkit.prices import accelerator_joules, energy_joules, host_joules, idle_joules

__all__ = ["footprints"]

_NOTHING = Spread(0.0, 0.0, 0.0)
COUNTERS = ("package_joules", "gpu_joules")


@dataclass(frozen=True)
class _Amount:
    """Energy of some work, and the time of the machines behind it."""

    cpu_seconds: float = 0.0
    accelerator_seconds: Spread = _NOTHING
    joules: Spread = _NOTHING
    counters: frozenset[str] = frozenset()
    modelled: bool = False

    def times(self, factor: float) -> _Amount:
        """Return the energy of so much more work."""
        return _Amount(
            self.cpu_seconds * factor,
            Spread(*(each * factor for each in self.accelerator_seconds)),
            Spread(*(each * factor for each in self.joules)),
            self.counters,
            self.modelled,
        )

    def plus(self, other: _Amount) -> _Amount:
        """Return both."""
        return _Amount(
            self.cpu_seconds + other.cpu_seconds,
            _both(self.accelerator_seconds, other.accelerator_seconds),
            _both(self.joules, other.joules),
            self.counters | other.counters,
            self.modelled or other.modelled,
        )


def _both(first: Spread, second: Spread) -> Spread:
    return Spread(*(one + two for one, two in zip(first, second, strict=True)))


def _product(first: Spread, second: Spread) -> Spread:
    return Spread(*(one * two for one, two in zip(first, second, strict=True)))


def footprints(readings: RungReadings, inputs: Inputs) -> tuple[Footprint, ...]:
    """Return the energy and carbon of a search, a training, a million predictions and a year of a rung.

    Work whose time was not measured, or that is not done, has none. Times and middles are means over the
    draws, as in the money of a year; low and high are the ends of the bands.

    Parameters
    ----------
    readings : RungReadings
    inputs : Inputs
    """
    pieces = {piece.kind: piece for piece in pieces_of(readings, inputs)}
    modelled = {kind: _modelled(piece, inputs) for kind, piece in pieces.items()}
    told = {kind: _measured(piece, readings, inputs) or modelled[kind] for kind, piece in pieces.items()}
    works: dict[Work, Mapping[Kind, float]] = {
        "search": {"search": 1.0},
        "training": {"import": 1.0, "load": 1.0, "fit": 1.0},
        "million_predictions": {"predict": 1e6},
    }
    amounts = {work: _sum(told, times) for work, times in works.items()}
    yearly = {kind: float(inputs.times[occasion][0]) for kind, occasion in OCCASION_OF.items()}
    year = {kind: amount.times(yearly[kind]) for kind, amount in modelled.items()}
    amounts["year"] = _sum(modelled, yearly).plus(_idle(pieces, year, inputs))
    return tuple(
        _told(work, amount, readings, inputs)
        for work, amount in amounts.items()
        if amount.cpu_seconds > 0 or amount.accelerator_seconds.mid > 0
    )


def _sum(pieces: Mapping[Kind, _Amount], times: Mapping[Kind, float]) -> _Amount:
    amount = _Amount()
    for kind, often in times.items():
        amount = amount.plus(pieces[kind].times(often))
    return amount


def _modelled(piece: Piece, inputs: Inputs) -> _Amount:
    """Return the energy of one piece of work."""
    pue, factor = inputs.economics.pue, mean_factor(piece) / float(inputs.speed[0])
    if piece.machine_seconds is not None:
        return _on_accelerators(piece, factor, inputs)
    if piece.cpu_seconds <= 0:
        return _Amount()
    joules = energy_joules(
        piece.cpu_seconds * factor,
        piece.wall_seconds * factor,
        inputs.host,
        memory_bytes=piece.memory_bytes,
        pue=pue,
    )
    return _Amount(
        cpu_seconds=piece.cpu_seconds * factor,
        joules=around_mean(joules, inputs.energy_place),
        modelled=True,
    )


def _on_accelerators(piece: Piece, factor: float, inputs: Inputs) -> _Amount:
    machine, pue, place = inputs.hardware, inputs.economics.pue, inputs.accelerator_place
    devices = around_mean(piece.machine_seconds or _NOTHING, place, log=True)
    shares = around_mean(piece.host_share, place, log=True) if piece.host_share else _NOTHING
    processor = Spread(*(share * piece.cpu_seconds * factor for share in shares))
    joules = _NOTHING
    for seconds, watts in (
        (devices, accelerator_joules(1.0, machine, pue=pue)),
        (processor, host_joules(1.0, machine, pue=pue)),
    ):
        joules = _both(joules, _product(seconds, around_mean(watts, inputs.energy_place)))
    return _Amount(accelerator_seconds=_both(devices, processor), joules=joules, modelled=True)


def _measured(piece: Piece, readings: RungReadings, inputs: Inputs) -> _Amount | None:
    """Return what counters read; None unless the machine that is priced can be the one that ran."""
    economics = inputs.economics
    same_speed = economics.speed.low == economics.speed.high == 1
    if economics.own_hardware is None or not same_speed:
        return None
    joules, counters = _NOTHING, []
    tail = "_per_row" if piece.cost.endswith("_per_row") else ""
    for counter in COUNTERS:
        cost = f"cost_{piece.phase}_{counter}{tail}"
        cores = {record.machine.get("cores") for record, _ in readings.usable(cost)}
        if cores == {str(economics.own_hardware.vcpus)}:
            values, middle = readings.values(cost), readings.median(cost) or 0.0
            ends = (min(values), middle, max(values))
            joules = Spread(*(one + economics.pue * two for one, two in zip(joules, ends, strict=True)))
            counters.append(counter)
    if joules.low <= 0:
        return None
    seconds = piece.cpu_seconds * mean_factor(piece)
    return _Amount(cpu_seconds=seconds, joules=joules, counters=frozenset(counters))


def _idle(pieces: Mapping[Kind, Piece], year: Mapping[Kind, _Amount], inputs: Inputs) -> _Amount:
    """Return the energy of the capacity that is paid for beside a year's work and does nothing."""
    pue, host, machine = inputs.economics.pue, inputs.host, inputs.hardware
    share = 1 / host.utilisation - 1
    vcpu_seconds = sum(
        float(idle_beside(np.array(year[kind].cpu_seconds), share, always_on_seconds(piece, inputs)))
        for kind, piece in pieces.items()
    )
    joules = around_mean(idle_joules(vcpu_seconds, host, pue=pue), inputs.energy_place)
    watts = around_mean(idle_joules(float(machine.vcpus), machine, pue=pue), inputs.energy_place)
    for amount in year.values():
        seconds = Spread(*(each * (1 / machine.utilisation - 1) for each in amount.accelerator_seconds))
        joules = _both(joules, _product(seconds, watts))
    return _Amount(joules=joules, modelled=joules.high > 0)


def _told(work: Work, amount: _Amount, readings: RungReadings, inputs: Inputs) -> Footprint:
    basis: Literal["measured", "modelled"] = "modelled" if amount.modelled else "measured"
    return Footprint(
        track=readings.track,
        rung=readings.rung,
        work=work,
        cpu_seconds=amount.cpu_seconds,
        joules=amount.joules,
        kg_co2e=Spread(*(inputs.grid.kg_co2e(each) for each in amount.joules)),
        basis=basis,
        source=_source(work, amount, inputs),
        accelerator_seconds=amount.accelerator_seconds.mid,
    )


def _source(work: Work, amount: _Amount, inputs: Inputs) -> str:
    """Return which counters or coefficients a figure rests on."""
    pue = f"times PUE {inputs.economics.pue:g}"
    words = []
    if amount.counters:
        told = ", ".join(sorted(amount.counters))
        words.append(f"counters ({told}) of the whole socket or device, whoever used it, memory left out")
    if amount.modelled:
        powers = [(inputs.host.title, inputs.host.power_source)] if amount.cpu_seconds else []
        device = inputs.hardware.accelerator
        if device is not None and amount.accelerator_seconds.mid > 0:
            powers.append((inputs.hardware.title, device.power_source))
        titles = [f"{title} ({source})" if source else title for title, source in powers]
        idle = " with its idle share" if work == "year" else ""
        words.append(f"time{idle}, by the power of {' and '.join(titles)}")
    return f"{' and '.join(words)}, {pue}"
