"""Prices put on what the same error takes: money, joules and carbon for CPU-seconds, hours for rules.

The price of a track's CPU-second is what a search and a fit cost at each of its rungs
(`toolkit.analysis.training_prices`), by the CPU-seconds that they took; between rungs it runs along a line,
beyond them it stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

import numpy as np

from toolkit.amounts import Range
from toolkit.analysis.comparison.comparison_record import EqualError
from toolkit.analysis.draws import mean_of
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.results import Interval
from toolkit.analysis.spending import Spread, TrainingPrice
from toolkit.analysis.stacks import Floats
from toolkit.business import Hours

__all__ = ["price_equal_errors"]


def price_equal_errors(
    found: Sequence[EqualError], paid: Sequence[TrainingPrice], inputs: Inputs
) -> tuple[EqualError, ...]:
    """Return the same with money, energy, carbon and people's hours.

    Parameters
    ----------
    found : sequence of EqualError
        With CPU-seconds.
    paid : sequence of TrainingPrice
        What search and fit of every rung cost.
    inputs : Inputs
    """
    units = {
        track: _Units([price for price in paid if price.track == track])
        for track in dict.fromkeys(one.track for one in found)
    }
    return tuple(_priced(one, units[one.track], inputs) for one in found)


class _Units:
    """What one CPU-second of a track's training costs, by how many there are.

    Parameters
    ----------
    rungs : sequence of TrainingPrice
        Of one track.
    """

    def __init__(self, rungs: Sequence[TrainingPrice]) -> None:
        known = sorted((one for one in rungs if one.cpu_seconds > 0), key=lambda one: one.cpu_seconds)
        seconds = np.array([one.cpu_seconds for one in known])
        self._log_seconds = np.log(seconds)
        self._money = np.array([one.money for one in known]) / seconds
        self._joules = np.array([one.joules for one in known]) / seconds[:, None]

    def money(self, seconds: float) -> float:
        """Return the money for so many CPU-seconds, at mean prices."""
        return self._of(seconds, self._money)

    def joules(self, seconds: float) -> Spread:
        """Return the energy of so many CPU-seconds, at the lowest, mean and highest coefficients."""
        return Spread(*(self._of(seconds, self._joules[:, end]) for end in range(3)))

    def _of(self, seconds: float, unit: Floats) -> float:
        if seconds <= 0 or math.isinf(seconds):
            return max(seconds, 0.0)
        return seconds * float(np.interp(math.log(seconds), self._log_seconds, unit))


def _priced(one: EqualError, units: _Units, inputs: Inputs) -> EqualError:
    one = replace(one, hours=_hours(one, inputs))
    cost = one.cpu_seconds
    if cost is None:
        return one
    joules = Spread(units.joules(cost.low).low, units.joules(cost.estimate).mid, units.joules(cost.high).high)
    return replace(
        one,
        money=Interval(*(units.money(end) for end in (cost.estimate, cost.low, cost.high))),
        joules=joules,
        kg_co2e=Spread(*(inputs.grid.kg_co2e(each) if math.isfinite(each) else each for each in joules)),
    )


def _hours(one: EqualError, inputs: Inputs) -> Interval | None:
    """Return the hours to build that a track declares, the mean between the ends of the declared ranges.

    Of the first k of n rules they are k/n, but for the parts that no rule takes.
    """
    if not inputs.hours_build.get(one.track) or one.reach in ("does_not", "cannot"):
        return None
    declared = inputs.economics.hours.get(one.track, Hours())
    parts = declared.parts or {"build": declared.to_build}
    full = inputs.n_rules.get(one.track, 0)
    rules = one.n_rules if one.n_rules is not None and full else None
    written = Interval(1.0, 1.0, 1.0) if rules is None else Interval(*(end / full for end in _three(rules)))

    def hours(share: float, of: Callable[[Range], float]) -> float:
        if math.isinf(share):
            return math.inf
        return sum(
            of(amount) * (share if part in ("build", "rules") else 1.0) for part, amount in parts.items()
        )

    return Interval(
        hours(written.estimate, mean_of),
        hours(written.low, attrgetter("low")),
        hours(written.high, attrgetter("high")),
    )


def _three(value: Interval) -> tuple[float, float, float]:
    return value.estimate, value.low, value.high
