"""Back-test: would the forecasts have been right? The cheaper rungs of a finished ladder foretell the others.

For every ladder of at least `MIN_RUNGS` rungs, a curve is fitted to the cheaper `FITTED_SHARE` of them, and
each of the others is predicted with an interval for a new rung, its own noise included. The plain log-log
line and "no further change" predict the same rungs, so that a reader sees which forecaster would have been
better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from toolkit.analysis.climbs import Climb
from toolkit.analysis.fits.curves import fit_curve
from toolkit.analysis.forecast_record import FORECASTERS, BackTest, RungForecast
from toolkit.analysis.proportion import clustered_share
from toolkit.analysis.results import Finding

__all__ = ["FITTED_SHARE", "LEVEL", "MIN_RUNGS", "TARGET", "back_test", "check_backtest"]

MIN_RUNGS = 10
FITTED_SHARE = 0.7
LEVEL = 0.8
TARGET = 0.75
"""The intervals should hold at least this share of the rungs."""

_OF_ANY_PART = ("few_rungs",)
"""Refusals that a part of a ladder earns by being a part."""


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
        return BackTest(level=LEVEL, too_short=too_short)
    groups = _by_track(forecasts)
    return BackTest(
        forecasts=forecasts,
        coverage=clustered_share(list(groups.values())),
        coverage_by_track={track: sum(inside) / len(inside) for track, inside in groups.items()},
        log_errors={
            name: sum(one.log_error(name) for one in forecasts) / len(forecasts) for name in FORECASTERS
        },
        level=LEVEL,
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
            refusals=tuple(one.code for one in fit.refusals if one.code not in _OF_ANY_PART),
        )


def check_backtest(found: BackTest) -> Iterator[Finding]:
    """Yield what a reader should know where the intervals held fewer rungs than they should."""
    if found.coverage is None or found.coverage.estimate >= TARGET:
        return
    held = sum(one.inside for one in found.forecasts)
    yield Finding(
        "forecasts_missed",
        "info",
        f"forecasts from the cheaper rungs held {held} of {len(found.forecasts)} measured ones in their "
        f"{100 * found.level:.0f} % intervals: what is forecast beyond the largest rung may be as far off",
    )
