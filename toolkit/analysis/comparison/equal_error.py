"""What each track needs for the same error: CPU-seconds of search and fit, before any price.

Targets are the errors that the tracks reached at their largest rungs, the baseline's among them. A track with
a ladder of data is read off its curve, or off its rungs where that does not hold, once one of its rungs has
reached the target, and is forecast or bounded before; one that climbs rules, or stands on one rung, reaches a
target or does not. No track is told to need more than the cheapest of its rungs
that has reached the target; that holds for the one whose error it is as well.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from toolkit.analysis.climbs import error_table
from toolkit.analysis.comparison.comparison_record import EqualError
from toolkit.analysis.comparison.reached import Climbed, ends, have_reached, sees_rows
from toolkit.analysis.comparison.rung_errors import SAME, RungErrors
from toolkit.analysis.fits.curves import CurveFit, fit_curve
from toolkit.analysis.fits.refusals import REACH, refuse_target
from toolkit.analysis.intervals import LEVEL
from toolkit.analysis.monotone import crossing, falling
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats

__all__ = ["equal_errors"]

_MISFIT = ("not_monotone", "held_out_miss")
"""Refusals that speak against reading a curve even between its rungs; the others are of forecasts."""
_TAIL = (1 - LEVEL) / 2


class _Reader(Protocol):
    """Tells what one track needs."""

    def read(self, asked: EqualError, targets: Floats) -> EqualError:
        """Return what was asked, answered; the first target is the estimate, the others are draws."""


def equal_errors(rungs: RungErrors) -> tuple[EqualError, ...]:
    """Return what every track needs for the error that every track reached at its largest rung.

    Parameters
    ----------
    rungs : RungErrors

    Returns
    -------
    tuple of EqualError
        Without money and energy, which hang on prices. Targets fall from the highest error to the lowest.
    """
    tracks = list(dict.fromkeys(rungs.tracks))
    last = {track: rungs.places(track)[-1] for track in tracks}
    readers = {track: _reader(rungs, track) for track in tracks}
    of_track = {
        track: np.concatenate([[rungs.estimate[place]], rungs.draws[:, place]])
        for track, place in last.items()
    }
    own = {track: Climbed.of(rungs, rungs.places(track)).own(of_track[track]) for track in tracks}
    found = []
    for of in sorted(tracks, key=lambda track: -float(rungs.estimate[last[track]])):
        targets = of_track[of]
        for track in tracks:
            asked = EqualError(
                error=rungs.error,
                target=float(targets[0]),
                of=of,
                of_rung=rungs.readings[own[of].place].rung,
                of_cpu_seconds=own[of].cpu_seconds.estimate,
                track=track,
                reach="own",
            )
            # Two tracks may end at one error: a hybrid whose rules are given no trust is its net.
            found.append(
                replace(asked, cpu_seconds=own[track].cpu_seconds, n_rules=own[track].n_rules)
                if math.isclose(of_track[track][0], targets[0], rel_tol=SAME)
                else readers[track].read(asked, targets)
            )
    return tuple(found)


def _reader(rungs: RungErrors, track: str) -> _Reader:
    places = rungs.places(track)
    climbs = any(sees_rows(rungs, place) for place in places)
    return _Ladder(rungs, places) if climbs and len(places) > 1 else _Steps(Climbed.of(rungs, places))


class _Ladder:
    """A track whose error falls as it is trained on more.

    Parameters
    ----------
    rungs : RungErrors
    places : list of int
    """

    def __init__(self, rungs: RungErrors, places: list[int]) -> None:
        order = sorted(places, key=lambda place: float(rungs.cpu_seconds[place]))
        self.costs = rungs.cpu_seconds[order]
        self.cost_draws = np.vstack([self.costs, rungs.cost_draws[:, order]])
        self.measured = rungs.estimate[order]
        self.errors = falling(np.vstack([self.measured, rungs.draws[:, order]]))
        self.fit = _fit(rungs, order)
        self.common = (rungs.draws[:, order] - rungs.estimate[order]).mean(axis=1)
        """How far the whole ladder is off in each draw: what a fit to its rungs cannot tell."""

    def read(self, asked: EqualError, targets: Floats) -> EqualError:
        """Return what the track needs."""
        crossed = crossing(self.cost_draws, self.errors, targets)
        low, high = ends(crossed[1:])
        asked = replace(asked, probability=float(np.isfinite(crossed[1:]).mean()))
        largest = float(self.costs[-1])
        curve = self._by_curve(targets)
        if curve is not None and curve.estimate > largest and math.isfinite(crossed[0]):
            curve = None  # it misses what a rung has reached
        cost = Interval(float(crossed[0]), low, high) if curve is None else curve
        # Where nothing may be forecast, a curve's end beyond the rungs is none: they tell it themselves.
        reach = REACH * largest if self.fit is not None and not self.fit.refusals else largest
        if have_reached(self.measured, asked.target).any():
            is_read = cost.estimate <= largest
            lowest = min(cost.low, cost.estimate) if is_read else min(low, cost.low)
            highest = cost.high if is_read and cost.high <= reach else high
            return self._within(asked, Interval(cost.estimate, lowest, highest))
        if self.fit is None or curve is None or self.fit.refusals:
            short = np.where(np.isfinite(crossed), crossed, self.cost_draws[:, -1])
            return _at_least(asked, ends(short[1:])[0])
        return self._ahead(asked, self.fit, curve)

    def _within(self, asked: EqualError, cost: Interval) -> EqualError:
        """Return what is told of a target that rungs have reached: no more than the cheapest of them took.

        Rungs smoothed until they fall, or their curve, may stay above what a rung has measured.
        """
        cheapest, spent = float(self.costs[0]), np.quantile(self.cost_draws[1:], [_TAIL, 1 - _TAIL], axis=0)
        reached = np.flatnonzero(have_reached(self.measured, asked.target))
        if (cost.estimate <= cheapest or reached[0] == 0) and math.isfinite(cost.high):
            bound = max(cost.high, float(spent[1, 0]), cheapest)
            return replace(asked, reach="at_most", cpu_seconds=Interval(cheapest, 0.0, bound))
        at, low = max(cost.estimate, cheapest), cost.low
        if self.costs[reached[0]] < at:
            at, low = float(self.costs[reached[0]]), min(low, float(spent[0, reached[0]]))
        return replace(asked, reach="measured", cpu_seconds=Interval(at, min(low, at), max(cost.high, at)))

    def _ahead(self, asked: EqualError, fit: CurveFit, curve: Interval) -> EqualError:
        """Return what a curve says of a target that no rung reached: a forecast where one may be made."""
        multiple = Interval(*(end / fit.largest_cost for end in (curve.estimate, curve.low, curve.high)))
        refusal = refuse_target(asked.target, fit.floor.low if fit.floor else 0.0, multiple)
        if refusal is None:
            return replace(asked, reach="forecast", cpu_seconds=curve)
        if refusal.code == "unreachable":
            return replace(asked, reach="cannot")
        bound = _at_least(asked, curve.low)
        return replace(bound, reach="at_least" if refusal.code == "beyond_reach" else "not_shown")

    def _by_curve(self, targets: Floats) -> Interval | None:
        """Return the cost by the curve; None where it is not to be read even between rungs.

        Its own uncertainty and that of the target beside the ladder, which is of the test clusters, add up in
        squares on the log scale.
        """
        if self.fit is None or any(one.code in _MISFIT for one in self.fit.refusals):
            return None
        target = float(targets[0])
        curve = self.fit.cost_to(target)
        hard, easy = np.quantile(targets[1:] - self.common, [_TAIL, 1 - _TAIL])
        least = self.fit.cost_to(max(float(easy), target))
        most = self.fit.cost_to(max(min(float(hard), target), 1e-12 * target))
        if curve is None or least is None or most is None:
            return None
        if curve.estimate == 0:  # easier than anything on the curve
            return Interval(0.0, 0.0, max(curve.high, most.estimate))
        if math.isinf(curve.estimate):
            return Interval(math.inf, min(curve.low, least.estimate), math.inf)
        down = math.hypot(*(_log_ratio(curve.estimate, low) for low in (curve.low, least.estimate)))
        up = math.hypot(*(_log_ratio(high, curve.estimate) for high in (curve.high, most.estimate)))
        return Interval(curve.estimate, curve.estimate * math.exp(-down), curve.estimate * _exp(up))


def _at_least(asked: EqualError, bound: float) -> EqualError:
    return replace(asked, reach="at_least", cpu_seconds=Interval(math.inf, bound, math.inf))


def _log_ratio(more: float, less: float) -> float:
    return math.inf if math.isinf(more) or less <= 0 else math.log(more / less)


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf


def _fit(rungs: RungErrors, order: list[int]) -> CurveFit | None:
    """Fit the curve of a track to the errors of its seeds; None without a fit."""
    table = error_table([rungs.by_seed[place] for place in order])
    if (table <= 0).any():
        return None
    fit = fit_curve(rungs.cpu_seconds[order], table)
    return fit if fit.fit is not None else None


class _Steps:
    """A track that does not learn from rows: a number of rules reaches a target or does not.

    Parameters
    ----------
    climbed : Climbed
    """

    def __init__(self, climbed: Climbed) -> None:
        self.climbed = climbed

    def read(self, asked: EqualError, targets: Floats) -> EqualError:
        """Return the first rung that reached the target, or that the track does not reach it."""
        asked = replace(asked, probability=self.climbed.probability(targets))
        found = self.climbed.first(targets)
        if found is None:
            return replace(asked, reach="does_not")
        return replace(asked, reach="measured", cpu_seconds=found.cpu_seconds, n_rules=found.n_rules)
