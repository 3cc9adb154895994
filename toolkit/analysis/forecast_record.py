"""Forecasts held against what was measured, and tracks that stopped climbing: the values that are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from toolkit.analysis.interval import Interval

__all__ = [
    "FORECASTERS",
    "AskedAgain",
    "BackTest",
    "EarlyStop",
    "LabelsNotBought",
    "Replay",
    "RungForecast",
    "Saved",
    "SkippedCell",
    "StopReason",
    "rungs_of",
]

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
class SkippedCell:
    """A cell that was left out.

    Parameters
    ----------
    fingerprint : str
    rung, n_train : int or None
        None in stops of earlier versions, which did not keep them.
    """

    fingerprint: str
    rung: int | None = None
    n_train: int | None = None


def rungs_of(cells: Iterable[SkippedCell]) -> tuple[tuple[int, float], ...]:
    """Return the rungs of cells with their labelled rows, lowest first; without those not kept."""
    rows = {one.rung: float(one.n_train) for one in cells if one.rung is not None and one.n_train is not None}
    return tuple(sorted(rows.items()))


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
class LabelsNotBought:
    """Labels that the highest skipped rung takes beyond those that were bought for any seed.

    Of this track alone: another one that climbs as high needs the same labels.

    Parameters
    ----------
    labels : int
        Of the rows as planned, which are a few more than a cell trains on.
    money : Interval
        At the declared price of a label, paid once; without width where that is one number.
    """

    labels: int
    money: Interval


@dataclass(frozen=True)
class AskedAgain:
    """What a stop looks like under other economics than those it was decided under.

    Parameters
    ----------
    changed : tuple of str
        Keys of the economics that differ; empty where those of the decision are not on record.
    stops : bool or None
        Whether the track would stop too; None where it cannot be asked.
    reason : {"does_not_pay", "behind_leader"} or None
        Why it would stop.
    leader : str
        As validation rows see it now; empty where it cannot be asked.
    why : str
        Why it would climb on, or cannot be asked; empty where it would stop.
    """

    changed: tuple[str, ...]
    stops: bool | None = None
    reason: StopReason | None = None
    leader: str = ""
    why: str = ""


@dataclass(frozen=True)
class EarlyStop:
    """A track that stopped climbing, why, what that saved, and what it risks.

    In results, every figure is under the economics of the report: where a stop was decided under others,
    `asked_again` says so, and figures that are not known under these are None.

    Parameters
    ----------
    track : str
    rung : int
        The last one that was run.
    n_measured : int
        Rungs that the decision rests on.
    skipped : tuple of int
        Rungs that were not run, or not by all seeds.
    n_cells : int
        Cells of those.
    reason : {"does_not_pay", "behind_leader"}
        Of the decision.
    leader : str
        The track that earned most when it was decided, as the validation block saw it; it may be this one.
    probability : float or None
        What speaks for climbing on, under the form of the curve that says so most. Where a further rung does
        not pay: that, by the curve alone, one gains more than it costs. Where the track is behind: that one,
        as it would be measured, comes within the margin of the leader.
    probability_leader_changes : float or None
        That a skipped rung, as it would be measured, would have earned more than the leader did; None where
        the track itself leads, since `probability` is then all there is to tell.
    forgone_per_year : float or None
        By how much a skipped rung would have earned more, times the probability: than the leader; where the
        track itself leads, than its own rungs, by the curve. In `currency`.
    currency : str
    saved : Saved
    labels_saved : LabelsNotBought or None
        None where a label has no price, some seed has trained the highest skipped rung, or it is not known
        how many labels the skipped rungs take.
    cells : tuple of SkippedCell
        Empty in a replay.
    terms : mapping of str to str, optional
        Key of the economics -> a hash of what it was when the stop was decided; None in stops of earlier
        versions.
    asked_again : AskedAgain or None
        None where it was decided under the economics of the report.
    """

    track: str
    rung: int
    n_measured: int
    skipped: tuple[int, ...]
    n_cells: int
    reason: StopReason
    leader: str
    probability: float | None
    probability_leader_changes: float | None
    forgone_per_year: float | None
    currency: str
    saved: Saved
    labels_saved: LabelsNotBought | None = None
    cells: tuple[SkippedCell, ...] = ()
    terms: Mapping[str, str] | None = None
    asked_again: AskedAgain | None = None

    @property
    def fingerprints(self) -> frozenset[str]:
        """Fingerprints of the skipped cells."""
        return frozenset(one.fingerprint for one in self.cells)

    @property
    def left(self) -> tuple[tuple[int, float], ...]:
        """The skipped rungs with their labelled rows, lowest first; none where these were not kept."""
        return rungs_of(self.cells)

    @property
    def n_trained_since(self) -> int:
        """How many of the skipped cells have been trained since."""
        return self.n_cells - len(self.cells) if self.cells else 0

    @property
    def held_against(self) -> str:
        """The leader that the figures are about; empty where there are none."""
        return self.leader if self.asked_again is None else self.asked_again.leader


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
    def right(self) -> bool | None:
        """Whether the verdict would have named the same track; None where nothing was asked."""
        return self.best == self.best_then if self.asked else None

    @property
    def cpu_seconds_saved(self) -> float:
        """CPU-seconds of the cells that would have been skipped, as measured."""
        known = (stop.saved.cpu_seconds for stop in self.stops)
        return sum(one.estimate for one in known if one is not None)
