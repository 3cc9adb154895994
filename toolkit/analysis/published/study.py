"""One measure of compute: the classic line, the curve with a floor, and what both say of a target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toolkit.analysis.fits.curves import CurveFit, fit_curve
from toolkit.analysis.fits.loglog import LogLog, fit_loglog
from toolkit.analysis.interval import Interval
from toolkit.analysis.published.floors import fixed_floors, round_floors
from toolkit.analysis.published.regression import family_fits, fit_with_year
from toolkit.analysis.published.values import Forecast, Study
from toolkit.published.values import Measure, Observation, Price

__all__ = ["FEWEST", "main_points", "study"]

Floats = NDArray[np.float64]

FEWEST = 3
"""Different computes that a line needs."""

FEWEST_FOR_FLOORS = 5

NOT_OF_A_SCATTER = "few_seeds"
"""Seeds tell the noise of a ladder's rungs. In a scatter of models, one value each, the noise is what is left
about the curve, and the fit has that from the models themselves."""


def main_points(observations: Sequence[Observation], measure: str) -> tuple[Observation, ...]:
    """Return what enters the fit over all models, cheapest first.

    Of a family only the model of least error does, as of each paper in the literature: the sizes of one
    recipe are no further recipes, and a family of twelve would count twelvefold.
    """
    having = [one for one in observations if measure in one.compute]
    best: dict[str, Observation] = {}
    for one in having:
        if one.family and (one.family not in best or one.error < best[one.family].error):
            best[one.family] = one
    kept = [one for one in having if not one.family or best[one.family] is one]
    return tuple(sorted(kept, key=lambda one: one.compute[measure]))


def study(
    observations: Sequence[Observation],
    measure: Measure,
    *,
    targets: Sequence[float] = (),
    prices: Sequence[Price] = (),
    level: float = 0.95,
) -> Study | None:
    """Analyse one measure.

    Parameters
    ----------
    observations : sequence of Observation
    measure : Measure
    targets : sequence of float
        Errors whose compute is asked for.
    prices : sequence of Price
        Of the measure's unit.
    level : float

    Returns
    -------
    Study or None
        None with fewer than three different computes.
    """
    points = main_points(observations, measure.key)
    compute = np.array([one.compute[measure.key] for one in points])
    error = np.array([one.error for one in points])
    if len(np.unique(compute)) < FEWEST:
        return None
    rungs, table, is_ladder = _rungs(compute, error)
    means = np.exp(np.log(table).mean(axis=1))
    line = _flat_or_not(fit_loglog(rungs, means, level=level), means)
    curve = fit_curve(rungs, table, level=level, form="power_floor")
    years = [one.year for one in points]
    dated = None if None in years or is_ladder else np.array(years, dtype=np.float64)
    has_floors = len(np.unique(rungs)) >= FEWEST_FOR_FLOORS
    floors = round_floors(float(means.min()), targets) if has_floors else ()
    kept = {id(one) for one in points}
    return Study(
        measure=measure,
        points=points,
        members=tuple(one for one in observations if measure.key in one.compute and id(one) not in kept),
        n_rungs=len(rungs),
        n_seeds=table.shape[1],
        is_ladder=is_ladder,
        line=line,
        curve=curve,
        refusals=_refusals(curve, is_ladder=is_ladder),
        floors=fixed_floors(rungs, means, floors),
        with_year=None if dated is None else fit_with_year(compute, error, dated, level=level),
        families=family_fits(observations, measure.key, level=level),
        forecasts=tuple(_forecast(target, line.cost_to(target), curve, prices) for target in targets),
    )


def _flat_or_not(line: LogLog, means: Floats) -> LogLog:
    """Return a line through equal errors as flat: rounding alone gives it a slope, and that a power."""
    if np.ptp(np.log(means)) > 1e-12:
        return line
    return replace(line, slope=0.0, variance=0.0, r_squared=0.0)


def _rungs(compute: Floats, error: Floats) -> tuple[Floats, Floats, bool]:
    """Return rungs, their errors (n_rungs, n_seeds), and whether the rows are a ladder.

    They are one when every compute stands in at least two rows: those are seeds. Where rungs have not
    equally many, each counts with its mean.
    """
    counts = Counter(compute.tolist())
    if min(counts.values()) < 2:
        return compute, error[:, None], False
    rungs = np.array(sorted(counts))
    seeds = [error[compute == rung] for rung in rungs]
    if len(set(counts.values())) > 1:
        return rungs, np.array([[np.exp(np.log(one).mean())] for one in seeds]), True
    return rungs, np.array(seeds), True


def _refusals(curve: CurveFit, *, is_ladder: bool) -> tuple[tuple[str, str], ...]:
    if is_ladder:
        return tuple((code, sentence) for code, sentence in curve.refusals)
    found = []
    for code, sentence in curve.refusals:
        if code != NOT_OF_A_SCATTER:
            told = sentence.replace("rungs were measured", "results are there")
            found.append((code, told.replace("the largest rung", "the result of largest compute")))
    return tuple(found)


def _forecast(target: float, line: Interval, curve: CurveFit, prices: Sequence[Price]) -> Forecast:
    per_unit = {price.quantity: price.per_unit for price in prices}
    reached = curve.cost_to(target) if curve.fit is not None else None
    refusal = curve.refuse_target(target)
    return Forecast(
        target=target,
        line=line,
        curve=reached,
        refusals=() if refusal is None else ((refusal.code, refusal.sentence),),
        usd=_times(line, per_unit.get("usd")),
        kg_co2=_times(line, per_unit.get("kg_co2")),
        usd_curve=_times(reached, per_unit.get("usd")),
        kg_co2_curve=_times(reached, per_unit.get("kg_co2")),
    )


def _times(compute: Interval | None, factor: float | None) -> Interval | None:
    if compute is None or factor is None:
        return None
    return Interval(compute.estimate * factor, compute.low * factor, compute.high * factor)
