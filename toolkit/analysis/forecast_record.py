"""Forecasts held against what was measured, and tracks that stopped climbing: the values that are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from toolkit.analysis.interval import Interval

__all__ = ["FORECASTERS", "BackTest", "EarlyStop", "Replay", "RungForecast", "Saved", "StopReason"]

FORECASTERS = ("curve", "loglog", "unchanged")
"""The fitted curve, the plain log-log line, and the last fitted rung over again."""


@dataclass(frozen=True)
class RungForecast:
    """A rung as the cheaper ones foretold it.

    Parameters
    ----------
    track, error, cost : str
        As in `Curve`.
    rung : int
    spent : float
        What the rung cost, in the unit of `cost`.
    times : float
        The same as a multiple of the largest cost that was fitted.
    predicted : Interval
        For a new rung, its noise included, at `BackTest.level`.
    observed : float
        Its error: the geometric mean over seeds.
    inside : bool
        Whether the interval holds it.
    loglog, unchanged : float
        What the plain log-log line and the last fitted rung say.
    refusals : tuple of str
        Codes of what speaks against a forecast from these rungs; that they are few is left out, since
        part of a ladder always has fewer.
    """

    track: str
    error: str
    cost: str
    rung: int
    spent: float
    times: float
    predicted: Interval
    observed: float
    inside: bool
    loglog: float
    unchanged: float
    refusals: tuple[str, ...] = ()

    def log_error(self, forecaster: str) -> float:
        """Return by how much one of `FORECASTERS` was off, on the log scale (.01 is one per cent)."""
        said = {"curve": self.predicted.estimate, "loglog": self.loglog, "unchanged": self.unchanged}
        return abs(math.log(said[forecaster] / self.observed))


@dataclass(frozen=True)
class BackTest:
    """All rungs that were foretold, and how well.

    Parameters
    ----------
    forecasts : tuple of RungForecast
    coverage : Interval or None
        Share of the rungs that the intervals hold, with a 95 % interval. Forecasts of one track rest on the
        same cells, and count as one group. None without forecasts.
    coverage_by_track : mapping of str to float
    log_errors : mapping of str to float
        Forecaster -> mean absolute error on the log scale.
    level : float
        Of the forecasts' intervals.
    too_short : mapping of str to int
        Track -> its rungs, of the tracks with too few for this test.
    """

    forecasts: tuple[RungForecast, ...] = ()
    coverage: Interval | None = None
    coverage_by_track: Mapping[str, float] = field(default_factory=dict)
    log_errors: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.8
    too_short: Mapping[str, int] = field(default_factory=dict)


StopReason = Literal["does_not_pay", "behind_leader"]


@dataclass(frozen=True)
class Saved:
    """What skipped cells did not spend; None where the cells before them do not tell.

    Parameters
    ----------
    cpu_seconds, wall_seconds : Interval or None
        Forecast by the growth of the cells that ran; in a replay measured, without width.
    money : Interval or None
        Of the CPU-seconds, on the processor that is priced, in the experiment's currency.
    kg_co2e : Interval or None
        Modelled, with the band of the power tables.
    measured : bool
        Whether CPU-seconds and wall time are those of cells that did run.
    """

    cpu_seconds: Interval | None
    wall_seconds: Interval | None
    money: Interval | None
    kg_co2e: Interval | None
    measured: bool = False


@dataclass(frozen=True)
class EarlyStop:
    """A track that stopped climbing, why, what that saved, and what it risks.

    Parameters
    ----------
    track : str
    rung : int
        The last one that was run.
    n_measured : int
        Rungs that the decision rests on.
    skipped : tuple of int
        Rungs that were not run.
    n_cells : int
        Cells of those.
    reason : {"does_not_pay", "behind_leader"}
    leader : str
        The track that earned most so far, as the validation block saw it; it may be this one.
    probability : float
        What speaks for climbing on: that a skipped rung would have paid for itself, or caught up with the
        leader (to within the margin), under the form of the curve that says so most.
    probability_leader_changes : float
        That a skipped rung would have been worth more than the leader's best so far.
    forgone_per_year : float
        What that would have brought a year, times its probability, in `currency`.
    currency : str
    saved : Saved
    fingerprints : tuple of str
        Of the skipped cells; empty in a replay.
    """

    track: str
    rung: int
    n_measured: int
    skipped: tuple[int, ...]
    n_cells: int
    reason: StopReason
    leader: str
    probability: float
    probability_leader_changes: float
    forgone_per_year: float
    currency: str
    saved: Saved
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Replay:
    """What ``--stop-early`` would have done on cells that all ran, and whether it would have been right.

    Parameters
    ----------
    asked : int
        How often a track was asked.
    stops : tuple of EarlyStop
        With what was saved as measured.
    climbed_on : mapping of str to str
        Track -> why it could not be asked, or climbed on.
    cpu_seconds : float or None
        Of all cells.
    best, best_then : str or None
        The verdict's track with all cells, and without the skipped ones.
    forgone_per_year : Interval or None
        Net value of a year that the verdict without the skipped cells leaves, on test rows.
    """

    asked: int = 0
    stops: tuple[EarlyStop, ...] = ()
    climbed_on: Mapping[str, str] = field(default_factory=dict)
    cpu_seconds: float | None = None
    best: str | None = None
    best_then: str | None = None
    forgone_per_year: Interval | None = None

    @property
    def right(self) -> bool:
        """Whether the verdict would have named the same track."""
        return self.best == self.best_then

    @property
    def cpu_seconds_saved(self) -> float:
        """CPU-seconds of the cells that would have been skipped, as measured."""
        known = (stop.saved.cpu_seconds for stop in self.stops)
        return sum(one.estimate for one in known if one is not None)
