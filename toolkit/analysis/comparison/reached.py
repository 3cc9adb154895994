"""The first rung of a track that has reached an error: what it cost, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.analysis.comparison.rung_errors import SAME, RungErrors
from toolkit.analysis.intervals import LEVEL
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats

__all__ = ["Climbed", "Reached", "ends", "have_reached", "sees_rows"]

Hits = npt.NDArray[np.bool_]

_TAIL = (1 - LEVEL) / 2


def ends(draws: Floats) -> tuple[float, float]:
    """Return the ends of the 95 % interval of draws, of which some may be infinite."""
    ordered = np.sort(draws)
    last = len(ordered) - 1
    return float(ordered[math.floor(_TAIL * last)]), float(ordered[math.ceil((1 - _TAIL) * last)])


def have_reached(errors: Floats, targets: Floats | float) -> Hits:
    """Tell which errors are no higher than the targets, but for rounding."""
    return np.asarray(errors <= np.asarray(targets) * (1 + SAME))


def sees_rows(rungs: RungErrors, place: int) -> bool:
    """Tell whether a rung learns from rows."""
    return any(cell.n_train > 0 for cell in rungs.readings[place].cells)


class Reached(NamedTuple):
    """The first rung that has reached an error.

    Parameters
    ----------
    place : int
        Among all rungs.
    cpu_seconds : Interval
        Infinite at the upper end where the rungs that reached it may have done so by luck.
    n_rules : Interval or None
        For tracks that climb them.
    """

    place: int
    cpu_seconds: Interval
    n_rules: Interval | None


@dataclass(frozen=True)
class Climbed:
    """Rungs of one track: the fewest rules first for one that climbs rules, else the cheapest first.

    Rules cost the hours of people, so their number orders them: how many CPU-seconds a few more take is less
    than readings differ. A rung without rules is no expert system, and counts only where it is the only one.

    Parameters
    ----------
    rungs : RungErrors
    places : tuple of int
        In that order.
    n_rules : ndarray of shape (n_rungs,) or None
    """

    rungs: RungErrors
    places: tuple[int, ...]
    n_rules: Floats | None

    @classmethod
    def of(cls, rungs: RungErrors, places: list[int]) -> Climbed:
        """Return a track's rungs, given from the first to the last, in the order that it climbs them."""
        rules = {place: rungs.readings[place].cells[0].n_rules for place in places}
        by_rules = None not in rules.values() and not any(sees_rows(rungs, place) for place in places)
        order = sorted(places, key=lambda place: float(rungs.cpu_seconds[place]))
        if not by_rules:
            return cls(rungs, tuple(order), None)
        order = [place for place in order if rules[place] != 0 or place == places[-1]]
        order.sort(key=lambda place: rules[place] or 0)
        return cls(rungs, tuple(order), np.array([rules[place] for place in order], dtype=np.float64))

    def probability(self, targets: Floats) -> float:
        """Return how likely a rung that reached the target did so truly; the last one where none did."""
        told = self._told(targets)
        told[-1] |= not told.any()
        return float((self._hits(targets) & told).any(axis=1).mean())

    def first(self, targets: Floats) -> Reached | None:
        """Return the first rung that has reached the target; None where none did.

        Parameters
        ----------
        targets : ndarray of shape (1 + n_draws,)
            The first is the estimate.
        """
        told, hits = self._told(targets), self._hits(targets)
        return self._at(int(told.argmax()), hits, hits & told) if told.any() else None

    def own(self, targets: Floats) -> Reached:
        """Return the first rung that is as good as the largest, whose errors the targets are.

        It was measured: a rung that missed it is not counted among those that may have reached it.
        """
        told = self._told(targets)
        hits = self._hits(targets) & told
        return self._at(int(told.argmax()), hits, hits)

    def _at(self, at: int, early: Hits, late: Hits) -> Reached:
        """Return one rung, between the first hits of two kinds."""
        costs = self.rungs.cost_draws[:, list(self.places)]
        estimate = float(self.rungs.cpu_seconds[self.places[at]])
        n_rules = None
        if self.n_rules is not None:
            many = np.broadcast_to(self.n_rules, early.shape)
            n_rules = _between(float(self.n_rules[at]), _at_first(many, early), _at_first(many, late))
        return Reached(
            self.places[at], _between(estimate, _at_first(costs, early), _at_first(costs, late)), n_rules
        )

    def _told(self, targets: Floats) -> Hits:
        return have_reached(self.rungs.estimate[list(self.places)], float(targets[0]))

    def _hits(self, targets: Floats) -> Hits:
        return have_reached(self.rungs.draws[:, list(self.places)], targets[1:, None])


def _at_first(values: Floats, hits: Hits) -> Floats:
    """Return the value at the first hit of each draw; infinite without one."""
    first = hits.argmax(axis=1)
    return np.where(hits.any(axis=1), values[np.arange(len(values)), first], math.inf)


def _between(estimate: float, early: Floats, late: Floats) -> Interval:
    """Return an estimate between the lower end of some draws and the upper end of others."""
    return Interval(estimate, min(ends(early)[0], estimate), max(ends(late)[1], estimate))
