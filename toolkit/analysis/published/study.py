"""One measure of compute: the classic line, the curve with a floor, and what both say of a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolkit.analysis.fits.curves import CurveFit, fit_curve
from toolkit.analysis.fits.loglog import LogLog
from toolkit.analysis.fits.refusals import MIN_RUNGS
from toolkit.analysis.interval import Interval
from toolkit.analysis.published.floors import fixed_floors, round_floors
from toolkit.analysis.published.reach import Held, Reach, hold, reach
from toolkit.analysis.published.regression import family_fits, fit_line, regress_on_year
from toolkit.analysis.published.selection import (
    TO_FIT_ALL,
    Rungs,
    all_results,
    distinct,
    family_note,
    main_points,
    rungs,
)
from toolkit.analysis.published.values import Forecast, Reached, Study
from toolkit.published.values import Measure, Observation, Price

__all__ = ["FEWEST", "study"]

Floats = NDArray[np.float64]

FEWEST = 3
"""Different computes that a line needs."""

FEWEST_FOR_FLOORS = 5

NOT_OF_A_SCATTER = "few_seeds"
"""Seeds tell the noise of a ladder's rungs. In a scatter of models, one value each, the noise is what is left
about the curve, and the fit has that from the models themselves."""

EQUAL = 1 + 1e-9
"""Errors this near are one: means of logarithms are off by rounding."""


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
    if len({one.compute[measure.key] for one in points}) < FEWEST:
        return None
    fitted, repeated = _rungs(points, measure.key), ""
    if not fitted.is_ladder:
        points, repeated = distinct(points, measure.key)
        fitted = _rungs(points, measure.key)
    means = fitted.means
    line = fit_line(fitted.costs, means, level=level)
    curve = fit_curve(fitted.costs, fitted.errors, level=level, form="power_floor")
    held = hold(line, curve)
    refusals = _refusals(held, fitted)
    having = [one for one in observations if measure.key in one.compute]
    results = all_results(observations, measure.key)
    known = _Results(line, curve, held, fitted, means, refusals, results, measure.key)
    with_year, of_year = regress_on_year(points, measure.key, is_ladder=fitted.is_ladder, level=level)
    has_floors = len(np.unique(fitted.costs)) >= FEWEST_FOR_FLOORS
    floors = round_floors(float(means.min()), targets) if has_floors else ()
    return Study(
        measure=measure,
        points=points,
        members=_members(having, points),
        n_rungs=len(fitted.costs),
        n_seeds=fitted.n_seeds,
        is_ladder=fitted.is_ladder,
        line=line,
        curve=curve,
        held=held,
        refusals=refusals,
        floors=fixed_floors(fitted.costs, means, floors),
        with_year=with_year,
        families=family_fits(observations, measure.key, level=level),
        forecasts=tuple(_forecast(target, known, prices) for target in targets),
        notes=_notes(family_note(observations, measure.key), repeated, fitted, of_year),
    )


def _rungs(points: Sequence[Observation], measure: str) -> Rungs:
    return rungs(np.array([one.compute[measure] for one in points]), np.array([one.error for one in points]))


def _members(having: Sequence[Observation], points: Sequence[Observation]) -> tuple[Observation, ...]:
    """Return the rows of families that are not in the fit as they stand."""
    kept = {id(one) for one in points}
    return tuple(one for one in having if one.family and id(one) not in kept)


def _notes(of_families: str, repeated: str, fitted: Rungs, of_year: str) -> tuple[str, ...]:
    if of_families and len(np.unique(fitted.costs)) < MIN_RUNGS:
        of_families += TO_FIT_ALL
    return tuple(note for note in (of_families, repeated, of_year) if note)


def _refusals(held: Held, fitted: Rungs) -> tuple[tuple[str, str], ...]:
    """Return what speaks against forecasts, in the words of a table's rows."""
    found = []
    for code, sentence in held.curve.refusals:
        told = sentence
        if code == NOT_OF_A_SCATTER and not fitted.is_ladder:
            continue
        if code == "no_fall" and held.clearly_falls:
            told = "with a floor in play the error may as well stay as it is"
        if not fitted.is_ladder:
            told = told.replace("rungs were measured", "results are there")
            told = told.replace("rungs of different cost were measured", "different computes are there")
            told = told.replace("the largest rung", "the result of largest compute")
        found.append((code, told))
    return tuple(found)


class _Results(NamedTuple):
    """What targets are held against: the fits, the rungs and their means, what was refused, and the rows."""

    line: LogLog
    curve: CurveFit
    held: Held
    rungs: Rungs
    means: Floats
    refusals: tuple[tuple[str, str], ...]
    rows: Sequence[tuple[Observation, int]]
    measure: str

    def reached(self, target: float) -> Reached | None:
        """Return the cheapest that has reached a target: of a ladder a rung's mean before a single row."""
        if self.rungs.is_ladder:
            for cost, mean in zip(self.rungs.costs.tolist(), self.means.tolist(), strict=True):
                if mean <= target * EQUAL:
                    n = sum(count for one, count in self.rows if one.compute[self.measure] == cost)
                    return Reached("", cost, mean, n)
        there = [(one, count) for one, count in self.rows if one.error <= target * EQUAL]
        if not there:
            return None
        first, n = min(there, key=lambda one: (one[0].compute[self.measure], one[0].error))
        return Reached(first.name, first.compute[self.measure], first.error, n)

    def reach(self, target: float, by: Literal["line", "curve"], *, refused: bool) -> Reach:
        costs = self.rungs.costs
        cheapest = costs == costs.min()
        return reach(
            target,
            by,
            self.held,
            ends=(float(costs.min()), float(costs.max())),
            first=float(self.means[cheapest].min()) / EQUAL,
            highest=float(self.means.max()) / EQUAL,
            refused=refused or bool(self.refusals),
        )


def _forecast(target: float, known: _Results, prices: Sequence[Price]) -> Forecast:
    per_unit = {price.quantity: price.per_unit for price in prices}
    line = known.line.cost_to(target)
    curve = known.curve.cost_to(target) if known.curve.fit is not None else None
    refusal = None
    # Without a fit, or a fall, the study's own refusals say why; what a result has reached is within reach.
    if curve is not None and known.held.may_fall and target * EQUAL < known.means.min():
        refusal = known.held.curve.refuse_target(target)
    by_curve = None if curve is None else known.reach(target, "curve", refused=refusal is not None)
    # The line is no forecast where the curve may never come down to the target, though a result has.
    refused = refusal is not None or by_curve == "not_shown"
    return Forecast(
        target=target,
        by="curve" if curve is not None and known.held.shows_floor else "line",
        line_reach=known.reach(target, "line", refused=refused),
        curve_reach=by_curve,
        line=line,
        curve=curve,
        refusals=() if refusal is None else ((refusal.code, _of_the_curve(refusal.sentence)),),
        usd=_times(line, per_unit.get("usd")),
        kg_co2=_times(line, per_unit.get("kg_co2")),
        usd_curve=_times(curve, per_unit.get("usd")),
        kg_co2_curve=_times(curve, per_unit.get("kg_co2")),
        reached=known.reached(target),
    )


def _of_the_curve(sentence: str) -> str:
    """Say whose figure it is: the line has another."""
    return sentence.replace(
        "the largest cost measured", "the largest compute in the table, by the curve with a floor"
    )


def _times(compute: Interval | None, factor: float | None) -> Interval | None:
    if compute is None or factor is None:
        return None
    return Interval(compute.estimate * factor, compute.low * factor, compute.high * factor)
