"""Back-test: would the forecasts have been right? The cheaper rungs of a finished ladder foretell the others.

For every ladder of at least `MIN_RUNGS` rungs, a curve is fitted to the cheaper `FITTED_SHARE` of them, and
each of the others is predicted with an interval for a new rung, its own noise included. The plain log-log
line and "no further change" predict the same rungs, so that a reader sees which forecaster would have been
better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from toolkit.analysis.climbs import Climb
from toolkit.analysis.curves import fit_curve
from toolkit.analysis.interval import Interval
from toolkit.analysis.proportion import clustered_share

__all__ = ["FITTED_SHARE", "FORECASTERS", "MIN_RUNGS", "TARGET", "BackTest", "RungForecast", "back_test"]

MIN_RUNGS = 10
FITTED_SHARE = 0.7
LEVEL = 0.8
TARGET = 0.75
"""The intervals should hold at least this share of the rungs."""

FORECASTERS = ("curve", "loglog", "unchanged")
"""The fitted curve, the plain log-log line, and the last fitted rung over again."""

_OF_ANY_HALF = ("few_rungs",)
"""Refusals that a part of a ladder earns by being a part."""


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
    level: float = LEVEL
    too_short: Mapping[str, int] = field(default_factory=dict)


def back_test(climbs: Iterable[Climb]) -> BackTest:
    """Foretell the dearer rungs of every ladder from the cheaper ones.

    Parameters
    ----------
    climbs : iterable of Climb
        Each track on each axis, for each error.
    """
    every = list(climbs)
    forecasts = tuple(one for climb in every for one in _foretold(climb))
    longest: dict[str, int] = {}
    for climb in every:
        longest[climb.track] = max(longest.get(climb.track, 0), len(climb.rungs))
    too_short = {track: n for track, n in longest.items() if n < MIN_RUNGS}
    if not forecasts:
        return BackTest(too_short=too_short)
    groups = _by_track(forecasts)
    return BackTest(
        forecasts=forecasts,
        coverage=clustered_share(list(groups.values())),
        coverage_by_track={track: sum(inside) / len(inside) for track, inside in groups.items()},
        log_errors={
            name: sum(one.log_error(name) for one in forecasts) / len(forecasts) for name in FORECASTERS
        },
        too_short=too_short,
    )


def _by_track(forecasts: Sequence[RungForecast]) -> dict[str, list[bool]]:
    groups: dict[str, list[bool]] = {}
    for one in forecasts:
        groups.setdefault(one.track, []).append(one.inside)
    return groups


def _foretold(climb: Climb) -> Iterator[RungForecast]:
    """Yield the forecasts of one ladder; none where it is too short, or its cheaper part cannot be fitted."""
    n = len(climb.rungs)
    if n < MIN_RUNGS:
        return
    n_fitted = int(FITTED_SHARE * n + 1e-9)
    costs, errors, observed = climb.costs, climb.errors, climb.means
    fit = fit_curve(costs[:n_fitted], errors[:n_fitted])
    for place in range(n_fitted, n):
        spent = float(costs[place])
        predicted = fit.predict(spent, level=LEVEL, new_rung=True)
        if predicted is None or fit.loglog is None:
            return
        yield RungForecast(
            track=climb.track,
            error=climb.error,
            cost=climb.cost,
            rung=climb.rungs[place],
            spent=spent,
            times=spent / fit.largest_cost,
            predicted=predicted,
            observed=float(observed[place]),
            inside=bool(predicted.low <= observed[place] <= predicted.high),
            loglog=fit.loglog.predict(spent).estimate,
            unchanged=float(observed[n_fitted - 1]),
            refusals=tuple(one.code for one in fit.refusals if one.code not in _OF_ANY_HALF),
        )
