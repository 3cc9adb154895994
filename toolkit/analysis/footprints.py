"""Energy and carbon of the work of a track, as bands: modelled from time, or measured by a counter.

Measured joules count only for one's own machine (`own_hardware`) at the speed that was measured: then the
machine that is priced is the one that ran. All others are modelled, with the coefficients of the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.spending import Footprint, Spread, Work
from toolkit.analysis.work import Kind, Piece, how_often, pieces_of
from toolkit.prices import accelerator_joules, energy_joules, idle_joules

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


def footprints(readings: RungReadings, inputs: Inputs) -> tuple[Footprint, ...]:
    """Return the energy and carbon of a search, a training, a million predictions and a year of a rung.

    Work whose time was not measured, or that is not done, has none. Times are medians, amounts a year means.

    Parameters
    ----------
    readings : RungReadings
    inputs : Inputs
    """
    pieces = {piece.kind: _energy(piece, readings, inputs) for piece in pieces_of(readings, inputs)}
    yearly = how_often(inputs)
    works: dict[Work, Mapping[Kind, float]] = {
        "search": {"search": 1.0},
        "training": {"load": 1.0, "fit": 1.0},
        "million_predictions": {"predict": 1e6},
        "year": {kind: float(times[0]) for kind, times in yearly.items()},
    }
    found = []
    for work, times in works.items():
        amount = _Amount()
        for kind, often in times.items():
            amount = amount.plus(pieces[kind].times(often))
        if work == "year":
            amount = amount.plus(_idle(amount, inputs))
        if amount.cpu_seconds > 0 or amount.accelerator_seconds.mid > 0:
            found.append(_told(work, amount, readings, inputs))
    return tuple(found)


def _energy(piece: Piece, readings: RungReadings, inputs: Inputs) -> _Amount:
    """Return the energy of one piece of work."""
    pue = inputs.economics.pue
    if piece.machine_seconds is not None:
        ends = [accelerator_joules(seconds, inputs.hardware, pue=pue) for seconds in piece.machine_seconds]
        return _Amount(
            accelerator_seconds=piece.machine_seconds,
            joules=Spread(ends[0].low, ends[1].mid, ends[2].high),
            modelled=True,
        )
    if piece.cpu_seconds <= 0:
        return _Amount()
    speed = float(inputs.speed[0])
    measured = _measured(piece, readings, inputs)
    if measured is not None:
        return measured
    modelled = energy_joules(
        piece.cpu_seconds / speed,
        piece.wall_seconds / speed,
        inputs.host,
        memory_bytes=piece.memory_bytes,
        pue=pue,
    )
    return _Amount(cpu_seconds=piece.cpu_seconds / speed, joules=Spread(*modelled), modelled=True)


def _measured(piece: Piece, readings: RungReadings, inputs: Inputs) -> _Amount | None:
    """Return what counters read; None unless the machine that is priced is the one that ran."""
    economics = inputs.economics
    same_speed = economics.speed.low == economics.speed.high == 1
    if economics.own_hardware is None or not same_speed:
        return None
    joules, counters = _NOTHING, []
    tail = "_per_row" if piece.cost.endswith("_per_row") else ""
    for counter in COUNTERS:
        values = readings.values(f"cost_{piece.phase}_{counter}{tail}")
        if values:
            middle = readings.median(f"cost_{piece.phase}_{counter}{tail}") or 0.0
            ends = (min(values), middle, max(values))
            joules = Spread(*(one + economics.pue * two for one, two in zip(joules, ends, strict=True)))
            counters.append(counter)
    if joules.low <= 0:
        return None
    return _Amount(cpu_seconds=piece.cpu_seconds, joules=joules, counters=frozenset(counters))


def _idle(amount: _Amount, inputs: Inputs) -> _Amount:
    """Return the energy of the capacity that is paid for beside the work and does nothing."""
    pue, host, machine = inputs.economics.pue, inputs.host, inputs.hardware
    joules = Spread(*idle_joules(amount.cpu_seconds * (1 / host.utilisation - 1), host, pue=pue))
    vcpu_seconds = (1 / machine.utilisation - 1) * machine.vcpus
    if amount.accelerator_seconds.mid > 0:
        ends = [idle_joules(each * vcpu_seconds, machine, pue=pue) for each in amount.accelerator_seconds]
        joules = _both(joules, Spread(ends[0].low, ends[1].mid, ends[2].high))
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
        words.append(f"counters ({', '.join(sorted(amount.counters))})")
    if amount.modelled:
        powers = [(inputs.host.title, inputs.host.power_source)] if amount.cpu_seconds else []
        device = inputs.hardware.accelerator
        if device is not None and amount.accelerator_seconds.mid > 0:
            powers.append((inputs.hardware.title, device.power_source))
        titles = [f"{title} ({source})" if source else title for title, source in powers]
        idle = " with its idle share" if work == "year" else ""
        words.append(f"time{idle}, by the power of {' and '.join(titles)}")
    return f"{' and '.join(words)}, {pue}"
