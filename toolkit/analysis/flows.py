"""What a piece of work costs each time that it is done, as a quantity by its money and its energy.

One form for processors and accelerators, so that a year's money, the search for what would change the verdict
and the sliders of the report all do the same arithmetic:

    quantity = lognormal noise / speed (of a processor) x a band between powers of ten (of accelerators)
    money    = quantity x seconds x price of a second, and the same of the idle seconds beside them
    joules   = quantity x the band of the work's energy + idle seconds x the band of an idle second's
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from toolkit.analysis.draws import draw_band
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.spending import Spread
from toolkit.analysis.stacks import Floats
from toolkit.analysis.work import OCCASION_OF, Occasion, Piece, always_on_seconds, idle_beside, pieces_of
from toolkit.prices import Hardware, accelerator_joules, energy_joules, host_joules, idle_joules

__all__ = ["Flow", "flows_of"]


@dataclass(frozen=True)
class Flow:
    """Work of one kind on one machine, done once on each `occasion`.

    Parameters
    ----------
    occasion : {"training", "search", "decision"}
    track, phase : str
        Whose noise it has.
    spread : float
        Of that noise, on the log scale.
    on_processor : bool
        Its time is measured, so it is noisy and hangs on the declared speed; else it is an accelerator's.
    band : Spread or None
        Factor that is known to powers of ten only.
    seconds : float
        For which the machine is paid at a quantity of 1.
    price : float
        Of a second, in the experiment's currency, whether it works or idles.
    idle_share : float
        Idle seconds that are paid beside each second of work.
    always_on_seconds : float
        Of a year, that are paid in all, however few decisions there are; 0 where the idle share counts.
    joules : Spread
        At a quantity of 1.
    idle_joules : Spread
        Of an idle second.
    energy_in_price : bool
    """

    occasion: Occasion
    track: str
    phase: str
    spread: float
    on_processor: bool
    band: Spread | None
    seconds: float
    price: float
    idle_share: float
    always_on_seconds: float
    joules: Spread
    idle_joules: Spread
    energy_in_price: bool

    def quantity(self, inputs: Inputs) -> Floats:
        """Return the quantity of one time, shape (1 + n_draws,), entry 0 the mean."""
        quantity = np.ones(inputs.n)
        if self.on_processor:
            quantity = np.exp(self.spread * inputs.cost_noise(self.track, self.phase))
            quantity[0] = np.exp(self.spread**2 / 2)
            quantity = quantity / inputs.speed
        if self.band is not None:
            quantity = quantity * draw_band(self.band, inputs.accelerator_place, log=True)
        return np.asarray(quantity)

    def idle(self, seconds: Floats) -> Floats:
        """Return the idle seconds of a year beside those of its work."""
        return idle_beside(seconds, self.idle_share, self.always_on_seconds)


def flows_of(readings: RungReadings, inputs: Inputs) -> tuple[Flow, ...]:
    """Return the work of a rung; what was not measured takes no time (a finding tells)."""
    return tuple(flow for piece in pieces_of(readings, inputs) for flow in _flows(piece, readings, inputs))


def _flows(piece: Piece, readings: RungReadings, inputs: Inputs) -> Iterator[Flow]:
    if piece.machine_seconds is None:
        yield _on_processor(piece, readings.track, inputs)
        return
    machine, pue = inputs.hardware, inputs.economics.pue
    work = Spread(*accelerator_joules(1.0, machine, pue=pue))
    yield _held(piece, readings.track, inputs, band=piece.machine_seconds, joules=work)
    if piece.host_share is not None:
        joules = Spread(*host_joules(piece.cpu_seconds, machine, pue=pue))
        yield _held(piece, readings.track, inputs, band=piece.host_share, joules=joules, on_processor=True)


def _on_processor(piece: Piece, track: str, inputs: Inputs) -> Flow:
    host, economics = inputs.host, inputs.economics
    joules = energy_joules(
        piece.cpu_seconds, piece.wall_seconds, host, memory_bytes=piece.memory_bytes, pue=economics.pue
    )
    return Flow(
        occasion=OCCASION_OF[piece.kind],
        track=track,
        phase=piece.phase,
        spread=piece.spread,
        on_processor=True,
        band=None,
        seconds=piece.cpu_seconds,
        price=host.usd_per_cpu_second * economics.currency_per_usd,
        idle_share=_idle_share(host),
        always_on_seconds=always_on_seconds(piece, inputs),
        joules=Spread(*joules),
        idle_joules=Spread(*idle_joules(1.0, host, pue=economics.pue)),
        energy_in_price=host.energy_in_price,
    )


def _held(
    piece: Piece, track: str, inputs: Inputs, *, band: Spread, joules: Spread, on_processor: bool = False
) -> Flow:
    """Return work for which a whole machine with accelerators is held."""
    machine, economics = inputs.hardware, inputs.economics
    return Flow(
        occasion=OCCASION_OF[piece.kind],
        track=track,
        phase=piece.phase,
        spread=piece.spread,
        on_processor=on_processor,
        band=band,
        seconds=piece.cpu_seconds if on_processor else 1.0,
        price=machine.usd_per_second * economics.currency_per_usd,
        idle_share=_idle_share(machine),
        always_on_seconds=0.0,
        joules=joules,
        idle_joules=Spread(*idle_joules(float(machine.vcpus), machine, pue=economics.pue)),
        energy_in_price=machine.energy_in_price,
    )


def _idle_share(machine: Hardware) -> float:
    return 1 / machine.utilisation - 1
