"""Money: what the decisions of a track are worth in a year, and what the track costs.

Net value of a year = volume x value of a decision - people - labels - search - retraining - prediction - idle
capacity - electricity - carbon. Everything is sampled at once: the clusters and seeds behind the value of a
decision, the spread of the measured costs, and the declared ranges. Draws of declared amounts and of
clusters are shared by all tracks, so that differences between tracks keep only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toolkit.analysis.decisions import Decision
from toolkit.analysis.draws import draw_band
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.intervals import LEVEL
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats
from toolkit.analysis.validation import Validation
from toolkit.analysis.work import (
    Piece,
    device_seconds,
    how_often,
    idle_seconds,
    machine_host_seconds,
    pieces_of,
    processor_seconds,
)
from toolkit.prices import (
    JOULES_PER_KWH,
    Hardware,
    accelerator_joules,
    energy_joules,
    host_joules,
    idle_joules,
)

__all__ = ["RungEconomics", "draw_interval", "price_rung"]

_PAID_AS = {
    "import": "retraining",
    "load": "retraining",
    "search": "search",
    "fit": "retraining",
    "predict": "prediction",
}


@dataclass(frozen=True)
class RungEconomics:
    """One track at one rung, priced; arrays of shape (1 + n_draws,), entry 0 the mean.

    Parameters
    ----------
    threshold : float
        Probability from which on to say yes, chosen on validation; the median over seeds.
    validation : Validation or None
        What the validation block says of a decision; None without such rows.
    validation_value : float or None
        Net value of a year as that block sees it; it chooses the rung.
    gross, net : ndarray
        Money a year.
    costs : mapping of str to ndarray
        Money a year, by name.
    """

    track: str
    rung: int
    threshold: float
    validation: Validation | None
    validation_value: float | None
    gross: Floats
    net: Floats
    costs: Mapping[str, Floats]


def draw_interval(draws: Floats, level: float = LEVEL) -> Interval:
    """Return the mean (entry 0) with the quantiles of the draws."""
    low, high = np.quantile(draws[1:], [(1 - level) / 2, (1 + level) / 2])
    estimate = float(draws[0])
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))


class _Meter:
    """Adds up the work of a year on the machines that are priced."""

    def __init__(self, track: str, inputs: Inputs) -> None:
        self._track, self._inputs = track, inputs
        nothing = np.zeros(inputs.n)
        names = ("search", "retraining", "prediction", "idle_capacity")
        self.money: dict[str, Floats] = dict.fromkeys(names, nothing)
        self.joules = self.joules_not_in_price = nothing

    def add(self, piece: Piece, times: Floats) -> None:
        """Add a piece of work that is done so many times."""
        if piece.machine_seconds is None:
            self._on_processor(piece, times)
        else:
            self._on_accelerators(piece, times)

    def _on_processor(self, piece: Piece, times: Floats) -> None:
        inputs, host, pue = self._inputs, self._inputs.host, self._inputs.economics.pue
        work = processor_seconds(piece, times, self._track, inputs)
        seconds = work * piece.cpu_seconds
        idle = idle_seconds(piece, seconds, inputs)
        self._pay(piece, seconds * host.usd_per_cpu_second, idle * host.usd_per_cpu_second)
        once = energy_joules(
            piece.cpu_seconds, piece.wall_seconds, host, memory_bytes=piece.memory_bytes, pue=pue
        )
        self._draw_power(work, once, host)
        self._draw_power(idle, idle_joules(1.0, host, pue=pue), host)

    def _on_accelerators(self, piece: Piece, times: Floats) -> None:
        inputs, machine, pue = self._inputs, self._inputs.hardware, self._inputs.economics.pue
        devices = device_seconds(piece, times, inputs)
        processor = machine_host_seconds(piece, times, self._track, inputs)
        seconds = devices + processor
        self._pay(piece, seconds * machine.usd_per_second, seconds * machine.usd_idle_per_second)
        self._draw_power(devices, accelerator_joules(1.0, machine, pue=pue), machine)
        self._draw_power(processor, host_joules(1.0, machine, pue=pue), machine)
        idle = idle_joules(float(machine.vcpus), machine, pue=pue)
        self._draw_power(seconds * (1 / machine.utilisation - 1), idle, machine)

    def _pay(self, piece: Piece, usd: Floats, usd_idle: Floats) -> None:
        rate = self._inputs.economics.currency_per_usd
        name = _PAID_AS[piece.kind]
        self.money[name] = self.money[name] + usd * rate
        self.money["idle_capacity"] = self.money["idle_capacity"] + usd_idle * rate

    def _draw_power(self, work: Floats, joules: tuple[float, float, float], machine: Hardware) -> None:
        drawn = work * draw_band(joules, self._inputs.energy_place)
        self.joules = self.joules + drawn
        if not machine.energy_in_price:
            self.joules_not_in_price = self.joules_not_in_price + drawn


def _yearly_costs(readings: RungReadings, inputs: Inputs) -> dict[str, Floats]:
    """Return the costs of a year by name; what was not measured counts as nothing (a finding tells)."""
    economics = inputs.economics
    meter, times = _Meter(readings.track, inputs), how_often(inputs)
    for piece in pieces_of(readings, inputs):
        meter.add(piece, times[piece.kind])
    yearly = _people(readings, inputs)
    if economics.price_per_label.high > 0:
        yearly["labels"] = readings.n_train * inputs.price_per_label / economics.horizon_years
    yearly |= meter.money
    grams = inputs.grid.g_co2e_per_kwh
    yearly["carbon"] = meter.joules / JOULES_PER_KWH * grams / 1000 * inputs.carbon_price_per_kg
    if not (inputs.hardware.energy_in_price and inputs.host.energy_in_price):
        yearly["electricity"] = meter.joules_not_in_price / JOULES_PER_KWH * inputs.price_per_kwh
    return yearly


def _people(readings: RungReadings, inputs: Inputs) -> dict[str, Floats]:
    """Return the money for people: building, in parts where these are declared, and upkeep.

    A rung with half of the rules takes half of the hours, those for features and models excepted.
    """
    cell, track = readings.cells[0], readings.track
    full = inputs.n_rules.get(track, 0)
    written = 1.0 if cell.n_rules is None or full == 0 else cell.n_rules / full
    yearly = {}
    for part, hours in inputs.hours_build[track].items():
        share = written if part in ("build", "rules") else 1.0
        yearly[f"people_{part}"] = share * hours * inputs.wage / inputs.economics.horizon_years
    yearly["people_upkeep"] = written * inputs.hours_per_year[track] * inputs.wage
    return yearly


def price_rung(decision: Decision, readings: RungReadings, inputs: Inputs) -> RungEconomics:
    """Price one track at one rung.

    Parameters
    ----------
    decision : Decision
        What a decision is worth there.
    readings : RungReadings
        What was spent there.
    inputs : Inputs
    """
    gross = inputs.volume * decision.value
    costs = _yearly_costs(readings, inputs)
    total = sum(costs.values(), np.zeros(inputs.n))
    seen = decision.validation
    return RungEconomics(
        track=decision.track,
        rung=decision.rung,
        threshold=decision.threshold,
        validation=seen,
        validation_value=None if seen is None else float(inputs.volume[0] * seen.value - total[0]),
        gross=gross,
        net=gross - total,
        costs=costs,
    )
