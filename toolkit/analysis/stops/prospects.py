"""How the value of decisions grows along a ladder, forecast from the rungs that were run, on validation rows.

What is fitted against labelled rows is an error in money: what a decision loses against somebody who always
decides right (``regret``). Like any error it is positive and falls with more rows, whatever the signs of the
declared values; its floor is what no more rows remove. Test labels are never looked at: what they say is told
once, when the sweep is over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import special

from toolkit.analysis.climbs import error_table
from toolkit.analysis.curve_record import Refusal
from toolkit.analysis.fits.curves import CurveFit, fit_curve
from toolkit.analysis.fits.profile import region
from toolkit.analysis.fits.refusals import MIN_DECADES
from toolkit.analysis.fits.shapes import EXPONENTIAL, LOGARITHM, POWER
from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.interval import Interval
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.stacks import Floats, StackKey
from toolkit.analysis.stops.prospect_record import FormProspect, Prospect
from toolkit.analysis.validation import Validation, validate
from toolkit.records import Evidence

__all__ = ["FIRST_RUNGS", "ValidationRung", "look_ahead", "prospects"]

FIRST_RUNGS = 7
"""A track is asked from so many measured rungs on."""

MIN_FORM_WEIGHT = 0.05
"""Forms of a lower AICc weight have no say."""

_NO_MATTER = ("few_rungs", "form_unclear")
"""Refusals that do not bear on a decision that every form has to support, a few rungs ahead."""

_SHAPES = {"power_floor": POWER, "exponential_floor": EXPONENTIAL, "log": LOGARITHM}
_LEVELS = (0.3, 0.6, 0.8, 0.9, 0.98)
_N_PLACES = 100
_PLACES = special.ndtri((np.arange(_N_PLACES) + 0.5) / _N_PLACES)


class ValidationRung(NamedTuple):
    """One rung of a track as the validation block sees it, and its labelled rows."""

    rung: int
    rows: float
    seen: Validation


def look_ahead(track: str, measured: Sequence[ValidationRung], left: Sequence[tuple[int, float]]) -> Prospect:
    """Forecast the value of a decision on the rungs that are left.

    Parameters
    ----------
    track : str
    measured : sequence of ValidationRung
        Lowest first; at least one.
    left : sequence of (int, float)
        Rungs and their labelled rows, at least one.
    """
    rungs, rows = tuple(one.rung for one in measured), tuple(one.rows for one in measured)
    bare = Prospect(track, rungs, rows, tuple(one for one, _ in left), tuple(n for _, n in left))
    fits = _fits(measured)
    if isinstance(fits, str):
        return replace(bare, refusal=fits)
    perfect = measured[0].seen.perfect
    forms = [_of_form(fit, weight, perfect, bare) for fit, weight in fits]
    return replace(bare, forms=tuple(forms))


def _of_form(fit: CurveFit, weight: float, perfect: float, bare: Prospect) -> FormProspect:
    ladder, best = fit.ladder, fit.fit
    assert best is not None  # noqa: S101 (`_fits` returns no other)
    shape = _SHAPES[fit.form]
    regions = [region(ladder, best, level, shape) for level in _LEVELS]

    def ratios(rows: float) -> Floats:
        """Return the error there over the one at the largest rung: its level, which both share, drops out."""
        log_x = math.log(rows / fit.largest_cost)

        def ratio(b: Floats, h: Floats) -> Floats:
            return np.maximum(1 + h * shape.z(b, log_x), 0.0)

        middle = float(ratio(np.array([best.best.b]), np.array([best.best.h]))[0])
        found = [ratio(one.points[0], one.points[1]) for one in regions]
        return _at_places([Interval(middle, float(one.min()), float(one.max())) for one in found])

    def new_rung(rows: float) -> Floats:
        told = [fit.predict(rows, level=level, new_rung=True) for level in _LEVELS]
        return _at_places([one for one in told if one is not None])

    reached = math.exp(best.best.a)
    return FormProspect(
        form=fit.form,
        weight=weight,
        fitted=tuple(perfect - _middle(fit, n) for n in bare.rows),
        expected=tuple(tuple((perfect - reached * ratios(n)).tolist()) for n in bare.left_rows),
        new_rung=tuple(tuple((perfect - new_rung(n)).tolist()) for n in bare.left_rows),
    )


def _fits(measured: Sequence[ValidationRung]) -> list[tuple[CurveFit, float]] | str:
    """Return the forms that fit the regret, with their weights; in words, why none may be used."""
    if len(measured) < FIRST_RUNGS:
        return f"{len(measured)} rungs were measured; the first to be asked after is the {FIRST_RUNGS}th"
    seen = [one.seen for one in measured]
    regret = error_table([{seed: one.perfect - value for seed, value in one.values.items()} for one in seen])
    if (regret <= 0).any():
        return "every decision is right already"
    rows = [one.rows for one in measured]
    fit = fit_curve(rows, regret)
    vetoes = [_of_rows(one, fit) for one in fit.refusals if one.code not in _NO_MATTER]
    if fit.fit is None or vetoes:
        return "; ".join(vetoes) or "too few rungs of different rows were measured"
    weights = {one.form: one.weight for one in fit.forms}
    # A power law without floor is the case of one with a floor of none.
    weights["power_floor"] = weights.get("power_floor", 0.0) + weights.pop("power", 0.0)
    return [
        (fit if fit.form == form else fit_curve(rows, regret, form=form), weight)
        for form, weight in sorted(weights.items())
        if weight >= MIN_FORM_WEIGHT
    ]


def _of_rows(refusal: Refusal, fit: CurveFit) -> str:
    """Return a refusal's sentence for a curve against labelled rows, where it speaks of costs else."""
    decades = math.floor(100 * fit.ladder.decades) / 100
    own = {
        "short_span": f"the rows of its rungs span {decades:.2f} powers of ten; a forecast needs at least "
        f"{MIN_DECADES}",
        "not_monotone": "more rows make decisions worse somewhere, by more than the seeds explain",
        "no_fall": "decisions do not clearly get better with rows",
    }
    return own.get(refusal.code, refusal.sentence)


def _middle(fit: CurveFit, rows: float) -> float:
    told = fit.predict(rows, level=_LEVELS[0])
    return np.nan if told is None else told.estimate


def _at_places(told: Sequence[Interval]) -> Floats:
    """Return a figure at places of its distribution, the largest first, from its intervals at all levels.

    Between their ends the logarithm is taken as linear in the normal score.
    """
    lows, highs = [one.low for one in reversed(told)], [one.high for one in told]
    ends = np.maximum([*lows, told[0].estimate, *highs], 1e-9 * told[0].estimate)
    scores = special.ndtri((1 + np.array(_LEVELS)) / 2)
    places = np.concatenate([-scores[::-1], [0.0], scores])
    logs = np.interp(_PLACES, places, np.maximum.accumulate(np.log(ends)))
    return np.asarray(np.exp(logs)[::-1])


def prospects(
    readings: Mapping[StackKey, RungReadings],
    evidence: Iterable[tuple[StackKey, Mapping[int, Evidence]]],
    values: Floats,
    stops: Sequence[EarlyStop] = (),
) -> Iterator[Prospect]:
    """Yield, for every finished ladder, what each of its rungs from the seventh on said of those above it.

    Of a track that stopped climbing, also what its complete rungs say of those that were skipped. A skipped
    rung is complete when no cell of it is missing any more; the cells of others have no say here.

    Parameters
    ----------
    readings : mapping of (track, rung) to RungReadings
    evidence : iterable of ((track, rung), mapping of int to Evidence)
        By seed.
    values : ndarray of shape (4,)
        As in `validate`.
    stops : sequence of EarlyStop
    """
    tracks: dict[str, list[ValidationRung]] = {}
    for (track, rung), own in evidence:
        rows = readings[track, rung].n_train
        seen = validate(own, values) if rows > 0 else None
        if seen is not None:
            tracks.setdefault(track, []).append(ValidationRung(rung, rows, seen))
    for track, found_rungs in tracks.items():
        ladder = sorted(found_rungs, key=lambda one: one.rung)
        for n in range(FIRST_RUNGS, len(ladder)):
            yield look_ahead(track, ladder[:n], [(one.rung, one.rows) for one in ladder[n:]])
        for stop in stops:
            if stop.track != track or not stop.left:
                continue
            below = [one for one in ladder if one.rung < stop.left[0][0]]
            if any(one.rung == stop.rung for one in below):
                yield look_ahead(track, below, stop.left)
