"""What a reader should take away from a table, in a few sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from toolkit.analysis.fits.refusals import REACH
from toolkit.analysis.published.values import Forecast, Published, Study
from toolkit.report import formats
from toolkit.report.published import words

__all__ = ["AS_GOOD", "cannot_tell", "key_sentences", "main_study"]

AS_GOOD = 2.0
"""AICc that two fits must differ by before one is called better."""


def main_study(published: Published) -> Study:
    """Return the measure that is told first: the priced one, else the first."""
    named = [one for one in published.studies if one.measure.key == published.priced]
    return (named or list(published.studies))[0]


def key_sentences(published: Published) -> tuple[str, ...]:
    """Return the sentences, the most important first."""
    main = main_study(published)
    return (
        *_course(published, main),
        *(_forecast(published, main, one) for one in main.forecasts),
        *_year(main),
        *_others(published, main),
    )


def _course(published: Published, study: Study) -> Iterator[str]:
    """Yield how the error falls; where a floor shows it comes first, for the line is wrong beside it."""
    parts = (_halving(published, study), cannot_tell(published, study))
    yield from reversed(parts) if study.shows_floor else parts


def _halving(published: Published, study: Study) -> str:
    title = words.lower(study.measure.title)
    exponent = study.held.line.exponent
    if exponent.low == exponent.high == 0:
        return f"Over {words.models(study)} the error does not fall: it is the same at every {title}."
    if not study.clearly_falls:
        goes = "rises with" if exponent.high < 0 else "does not clearly fall with"
        return (
            f"Over {words.models(study)} the error {goes} {title}: the line's exponent is "
            f"{formats.interval(exponent)}{words.at_level(published)}."
        )
    line = study.line
    told = (
        f"Over {words.models(study)} (R² {formats.r_squared(line.r_squared)}), halving the error took "
        f"{words.factor(line.k_half, ' times')} the {title}: the power of k is {words.power(line.power)}"
    )
    return (
        f"{told}. That is the line without a floor, which is too hopeful here."
        if study.shows_floor
        else f"{told}."
    )


def _forecast(published: Published, study: Study, one: Forecast) -> str:
    """Return what a target takes: first who has reached it, then what the fit says of it."""
    first = words.told_first(study, one)
    if first is None:
        return _of_the_fit(published, study, one)
    # What is at most the least compute of the fit is dearer than a size of a family that is not in it.
    told = "" if one.reach == "at_most" else f" {_of_the_fit(published, study, one)}"
    target = words.target(published, one.target)
    amount = words.compute(first.compute, study.measure.unit)
    shown = _and(words.priced(published, study, first.compute))
    at_rates = f", which is {shown} at the declared rates" if shown else ""
    who = _first(words.reached(study, first))
    if study.is_ladder and not first.name:
        mean = "with the (geometric) mean of its rows"
        return f"The rung at {amount} has reached {target} {mean}{at_rates}.{told}"
    return f"{who} has reached {target}, at {amount}{at_rates}.{told}"


def _of_the_fit(published: Published, study: Study, one: Forecast) -> str:
    target = words.target(published, one.target)
    what = "curve with its floor" if one.by == "curve" else "line"
    unit, least = study.measure.unit, study.compute(study.points[0])
    if one.reach == "cannot":
        mean = ", which is of the mean," if one.reached else ""
        return f"The {what}{mean} never reaches {target}."
    if one.reach == "at_most":
        result = "rung" if study.is_ladder else "result"
        shown = _and(words.priced(published, study, least))
        at_rates = f", which is {shown} at the declared rates" if shown else ""
        return (
            f"{_first(target)} takes at most {words.compute(least, unit, 2)}{at_rates}: the cheapest "
            f"{result} reaches it already."
        )
    if one.reach == "at_most_fitted":
        return (
            f"By the {what} {target} takes less than {words.compute(least, unit, 2)}, the least compute in "
            "the table, whose own result does not reach it."
        )
    if one.reach == "not_told":
        return (
            f"What {target} takes is not told: the error does not clearly fall with "
            f"{words.lower(study.measure.title)}."
        )
    if one.reach == "not_shown":
        if one.reached is not None:
            return (
                f"By the {what} the mean takes at least {words.compute(one.told.low, unit, 2)}, and may "
                "never come down to it."
            )
        return (
            f"{_first(target)} takes at least {words.compute(one.told.low, unit, 2)} by the {what}, and may "
            "be out of reach."
        )
    if one.reach == "too_far":
        ends = "" if math.isinf(one.told.low) else f", at least {words.compute(one.told.low, unit, 2)}"
        return f"By the {what} {target} takes {words.too_far(unit)}{ends}."
    return _drawn(published, study, one, target, what)


def _drawn(published: Published, study: Study, one: Forecast, target: str, what: str) -> str:
    amount = words.interval(one.told, study.measure.unit)
    if one.reach == "measured":
        told = f"On the {what} {target} takes {amount}"
    else:
        share = one.told.estimate / study.compute(study.points[-1])
        times = f"{words.times_the_largest(share)} times the largest compute in the table"
        far = " far beyond the results" if share > REACH else ""
        told = (
            f"By the {what} {target} is forecast to take {amount}, {times}"
            if one.reach == "forecast"
            else f"Drawn on{far}, which is no forecast, the {what} reaches {target} at {amount}, {times}"
        )
    usd, carbon = (one.usd_curve, one.kg_co2_curve) if one.by == "curve" else (one.usd, one.kg_co2)
    shown = _and([*([words.money(usd)] if usd else []), *([words.carbon(carbon)] if carbon else [])])
    return f"{told}, which is {shown} at the declared rates." if shown else f"{told}."


def _first(text: str) -> str:
    """Return what begins a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts)


def cannot_tell(published: Published, study: Study) -> str:
    """Return what the data say of a floor, and with that of the targets."""
    if not study.may_fall:
        return "An error that does not fall tells nothing of a floor."
    floor = study.held.curve.floor
    if floor is None:
        return (
            f"Too few results for a curve with a floor: {words.models(study)} of different compute. So "
            "nothing is known of where the fall ends."
        )
    if study.shows_floor:
        lies = words.error_interval(published, study.curve.floor)
        below = words.lies_below(published, study)
        told = f"The error levels off: more of the same does not take it below {lies}."
        return f"{told} That is the floor {below}." if below else told
    told = (
        "The data cannot tell whether there is a floor: it may lie anywhere from none to "
        f"{words.error(published, floor.high)}{words.at_level(published)}"
    )
    good = _as_good(study)
    if good:
        how = "better than none, though not clearly" if good[0] < -AS_GOOD else "as well as none"
        told += f", and one of {words.error(published, good[1])} fits {how}"
    targets = [one for one in study.forecasts if _is_open(one)]
    if targets:
        shown = " and ".join(words.target(published, one.target) for one in targets)
        told += f". So whether {shown} can be reached by compute at all is not known"
    return f"{told}."


def _is_open(one: Forecast) -> bool:
    return one.reached is None and any(code == "not_shown_reachable" for code, _ in one.refusals)


def _as_good(study: Study) -> tuple[float, float] | None:
    """Return the highest floor that fits as well as none or better, after its AICc less that of none."""
    if len(study.floors) < 2:
        return None
    none = study.floors[0]
    good = [one for one in study.floors[1:] if one.aicc < none.aicc + AS_GOOD]
    return (good[-1].aicc - none.aicc, good[-1].floor) if good else None


def _year(study: Study) -> Iterator[str]:
    if study.with_year is None:
        return
    yearly = study.with_year.share_a_year
    if yearly.high < 0:
        yield (
            "At equal compute, later models are better: the error falls by "
            f"{formats.ratio(-yearly.estimate, 2)} a year [{formats.ratio(-yearly.high, 2)}, "
            f"{formats.ratio(-yearly.low, 2)}]. The line counts that progress of methods as compute; with "
            f"year beside it the power is {words.power(study.with_year.power)}{_of_those(study)}."
        )


def _of_those(study: Study) -> str:
    """Return of how many results the regression with year is, where that is not all."""
    n = len(study.points) if study.with_year is None else study.with_year.n
    return "" if n == len(study.points) else f", over the {n} results that have a year"


def _others(published: Published, main: Study) -> Iterator[str]:
    others = [one for one in published.studies if one is not main]
    if others:
        shown = "; ".join(
            f"{words.lower(one.measure.title)}, {words.models(one)}: {words.power(one.line.power)}"
            for one in others
        )
        yield f"By other measures, each in a fit of its own, the power is: {shown}."
