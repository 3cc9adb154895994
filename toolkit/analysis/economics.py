"""Money: what the decisions of a track are worth in a year, and what the track costs.

Net value of a year = volume x value of a decision - people - labels - search - retraining - prediction - idle
capacity - electricity - carbon. Everything is sampled at once: the clusters and seeds behind the value of a
decision, the spread of the measured costs, and the declared ranges. Draws of declared amounts and of
clusters are shared by all tracks, so that differences between tracks keep only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from toolkit.analysis.decisions import Decision
from toolkit.analysis.draws import draw_band
from toolkit.analysis.flows import flows_of
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.intervals import LEVEL
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats
from toolkit.analysis.validation import Validation
from toolkit.analysis.work import Occasion
from toolkit.business import Economics
from toolkit.prices import JOULES_PER_KWH

__all__ = ["Hours", "RungEconomics", "draw_interval", "hours_of", "nothing_earns", "price_rung"]

_PAID_AS: dict[Occasion, str] = {
    "training": "retraining",
    "search": "search",
    "decision": "prediction",
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


def _yearly_costs(readings: RungReadings, inputs: Inputs) -> dict[str, Floats]:
    """Return the costs of a year by name; what was not measured counts as nothing (a finding tells)."""
    economics = inputs.economics
    yearly = _people(readings, inputs)
    if economics.price_per_label.high > 0:
        yearly["labels"] = readings.n_train * inputs.price_per_label / economics.horizon_years
    nothing = np.zeros(inputs.n)
    yearly |= dict.fromkeys([*_PAID_AS.values(), "idle_capacity"], nothing)
    joules = joules_not_in_price = nothing
    times = inputs.times
    for flow in flows_of(readings, inputs):
        quantity = times[flow.occasion] * flow.quantity(inputs)
        seconds = quantity * flow.seconds
        idle = flow.idle(seconds)
        paid_as = _PAID_AS[flow.occasion]
        yearly[paid_as] = yearly[paid_as] + seconds * flow.price
        yearly["idle_capacity"] = yearly["idle_capacity"] + idle * flow.price
        drawn = quantity * draw_band(flow.joules, inputs.energy_place)
        drawn = drawn + idle * draw_band(flow.idle_joules, inputs.energy_place)
        joules = joules + drawn
        if not flow.energy_in_price:
            joules_not_in_price = joules_not_in_price + drawn
    yearly["carbon"] = (
        joules / JOULES_PER_KWH * inputs.grid.g_co2e_per_kwh / 1000 * inputs.carbon_price_per_kg
    )
    if not (inputs.hardware.energy_in_price and inputs.host.energy_in_price):
        yearly["electricity"] = joules_not_in_price / JOULES_PER_KWH * inputs.price_per_kwh
    return yearly


class Hours(NamedTuple):
    """Declared hours of people, and the share of them that a rung takes; draws of shape (1 + n_draws,)."""

    share: float
    declared: Floats

    @property
    def taken(self) -> Floats:
        """Those of the rung."""
        return self.share * self.declared


def hours_of(readings: RungReadings, inputs: Inputs) -> tuple[dict[str, Hours], Hours]:
    """Return the hours of people until a rung runs, by part, and those of a year's upkeep.

    A rung with half of the rules takes half of the hours, those for features and models excepted.

    Parameters
    ----------
    readings : RungReadings
    inputs : Inputs
    """
    cell, track = readings.cells[0], readings.track
    full = inputs.n_rules.get(track, 0)
    written = 1.0 if cell.n_rules is None or full == 0 else cell.n_rules / full
    build = {
        part: Hours(written if part in ("build", "rules") else 1.0, hours)
        for part, hours in inputs.hours_build[track].items()
    }
    return build, Hours(written, inputs.hours_per_year[track])


def _people(readings: RungReadings, inputs: Inputs) -> dict[str, Floats]:
    """Return the money for people: building, in parts where these are declared, and upkeep."""
    build, upkeep = hours_of(readings, inputs)
    horizon = inputs.economics.horizon_years
    yearly = {f"people_{part}": hours.taken * inputs.wage / horizon for part, hours in build.items()}
    return {**yearly, "people_upkeep": upkeep.taken * inputs.wage}


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


def nothing_earns(economics: Economics) -> float | None:
    """Return what a business without any track earns; None where saying no has a value of its own."""
    of_no = (economics.value.true_negative, economics.value.false_negative)
    return 0.0 if all(one.low == one.high == 0 for one in of_no) else None
