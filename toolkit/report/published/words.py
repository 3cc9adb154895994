"""Figures of a table as people read them: errors, compute, powers, money and carbon."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from toolkit.analysis.fits.curves import REACH, REFUSAL_LEVEL
from toolkit.analysis.fits.loglog import LogLog
from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Forecast, Published, Reached, Study
from toolkit.report import formats, spans

__all__ = [
    "REACHES",
    "WITH_AMOUNT",
    "at_level",
    "carbon",
    "compute",
    "counted",
    "curve_halving",
    "error",
    "error_interval",
    "error_text",
    "factor",
    "floor",
    "halving",
    "interval",
    "level",
    "lies_below",
    "lower",
    "models",
    "money",
    "power",
    "power_above",
    "priced",
    "reached",
    "refusals",
    "target",
    "tick",
    "times_the_largest",
    "told",
    "too_far",
]

REACHES = {
    "at_most": "reached by the cheapest already",
    "at_most_fitted": "below the cheapest, by the fit",
    "measured": "within the results",
    "forecast": "forecast",
    "drawn_on": "drawn on; no forecast",
    "not_told": "not told: it may not fall",
    "not_shown": "not shown to be reached",
    "too_far": "too far for a number",
    "cannot": "not reached",
}
"""What may be said of a target, in words."""
WITH_AMOUNT = ("measured", "forecast", "drawn_on")
"""Where an amount of compute stands for the target."""
_TOO_FAR = f"over 10{formats.superscript(308)}"
"""What stands for a figure that is there and larger than any number that is kept."""

_SPACE = "\u00a0"
_LONG = 1e7
"""From here on compute is written with a power of ten: nobody counts that many zeros."""
_WRITTEN = re.compile(r"\d+(?:\.\d+)?e[+-]\d+")
"""Numbers in sentences of the analysis that Python has written with an e."""
_MULTIPLE = re.compile(r"takes (\d[\d.e+]*) times")
_TONNES = ((1e9, "Mt"), (1e6, "kt"), (1e3, "t"), (1.0, "kg"), (1e-3, "g"))


def error(published: Published, value: float, digits: int = 3) -> str:
    """Return an error: a share in per cent, a loss as it is."""
    if published.error_scale == "loss":
        return formats.plain(value, digits)
    return f"{formats.plain(100 * value, digits)}{_SPACE}%"


def target(published: Published, value: float) -> str:
    """Return a target for the middle of a sentence: ``5 %``, or ``val loss 12`` where it has no unit."""
    shown = error(published, value, 6)  # it was typed, so nothing is rounded off
    return f"{lower(published.error_title)} {shown}" if published.error_scale == "loss" else shown


def error_text(published: Published, value: Interval | None) -> tuple[str, str, str]:
    """Return estimate, low and high end of an error, with the digits that tell the ends from the estimate."""
    if value is None:
        return (formats.MISSING, "", "")
    main, _, ends = error_interval(published, value).partition(" [")
    low, _, high = ends.removesuffix("]").partition(f",{_SPACE}")
    return main, low, high


def error_interval(published: Published, value: Interval | None) -> str:
    """Return an error with its interval, and the digits that tell the ends from the estimate."""
    return formats.interval(value, formats.number if published.error_scale == "loss" else formats.ratio)


def floor(published: Published, study: Study) -> str:
    """Return the floor with its interval, or that it is not known and how high it may be."""
    held = study.held.curve.floor
    if held is None or not study.may_fall:
        return "not known"
    if study.shows_floor:
        return error_interval(published, study.curve.floor)
    return f"not known [none, {error(published, held.high)}{at_level(published)}]"


def compute(value: float, unit: str = "", digits: int = 3) -> str:
    """Return compute; large numbers are written with a power of ten."""
    tail = f"{_SPACE}{unit}" if unit else ""
    if not _LONG <= value < math.inf:
        return f"{formats.plain(value, digits)}{tail}"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    shown = formats.plain(float(mantissa), digits)
    return f"{shown}{_SPACE}×{_SPACE}10{formats.superscript(int(power))}{tail}"


def too_far(unit: str = "") -> str:
    """Return what stands for an amount that is too large for a number."""
    return f"{_TOO_FAR}{_SPACE}{unit}" if unit else _TOO_FAR


def tick(value: float) -> str:
    """Return compute for the tick of an axis: ``10²⁰``, or a short number where it is small."""
    power = math.log10(value)
    if value >= 1e9 and abs(power - round(power)) < 1e-9:
        return f"10{formats.superscript(round(power))}"
    return formats.tick(value) if value < 1e9 else formats.plain(value)


def interval(value: Interval | None, unit: str = "") -> str:
    """Return an amount that spans powers of ten, with its interval."""
    if value is None:
        return formats.MISSING
    if math.isinf(value.low):
        return too_far(unit)
    if math.isinf(value.estimate):
        return f"at least {compute(value.low, unit, 2)}"
    return _with_ends(value, lambda one, digits: compute(one, "", digits), f"{_SPACE}{unit}" if unit else "")


def _with_ends(value: Interval, show: Callable[[float, int], str], after: str) -> str:
    """Return a wide interval with two digits; with more where an end would else look like the estimate."""
    for digits in (2, 3, 4, 5, 6, 2):  # with six still the same: points that lie on the fit, and two will do
        main, low, high = (show(one, digits) for one in (value.estimate, value.low, value.high))
        if main not in (low, high):
            break
    return f"{main}{after} [{low}, {high}]"


def halving(line: LogLog) -> str:
    """Return by how much a line halves the error, and ``never`` only of one that does not fall."""
    return factor(line.k_half) if line.exponent.high > 0 else "never"


def curve_halving(value: Interval, after: str = "") -> str:
    """Return by how much the curve halves its last error; its floor may lie above the half."""
    return "not reached" if math.isinf(value.low) else factor(value, after)


def factor(value: Interval, after: str = "") -> str:
    """Return a multiple with its interval: ``990 times [330, 4,900]``; without an upper end its least.

    Parameters
    ----------
    value : Interval
        Whose low end is infinite only where it is too large for a number.
    after : str
        What follows the multiple, as `` times``.
    """
    if math.isinf(value.low):
        return f"{too_far()}{after}"
    if math.isinf(value.high):
        return f"at least {compute(value.low, '', 2)}{after}"
    return _with_ends(value, lambda one, digits: compute(one, "", digits), after)


def power(value: Interval) -> str:
    """Return a power of k with its interval; without an upper end its least."""
    if math.isinf(value.low):
        return "none"
    return f"at least {formats.plain(value.low, 2)}" if math.isinf(value.high) else formats.interval(value)


def power_above(study: Study) -> str:
    """Return the power of k above the curve's floor, with its interval; empty where it is not known."""
    exponent = study.curve.exponent
    if exponent is None or not study.may_fall or exponent.low <= 0:
        return ""
    return power(Interval(*(1 / end for end in (exponent.estimate, exponent.high, exponent.low))))


def times_the_largest(share: float) -> str:
    """Return a multiple of the largest compute; more digits where two would hide that it is out of reach."""
    return compute(share, "", 3 if REACH < share < 1.1 * REACH else 2)


def priced(published: Published, study: Study, amount: float) -> list[str]:
    """Return the money and carbon of an amount of compute; empty where no rate holds for the measure."""
    if study.measure.key != published.priced:
        return []
    rates = {price.quantity: price.per_unit for price in published.prices}
    shown = []
    if "usd" in rates:
        shown.append(_dollars(amount * rates["usd"]))
    if "kg_co2" in rates:
        shown.append(f"{_kilograms(amount * rates['kg_co2'])} CO₂")
    return shown


def told_first(study: Study, one: Forecast) -> Reached | None:
    """Return who is told to have reached a target; None where the fit's "at most" says the same."""
    if one.reached is None or (
        one.reach == "at_most" and one.reached.compute >= study.compute(study.points[0])
    ):
        return None
    return one.reached


def reached(study: Study, one: Reached) -> str:
    """Return who has reached a target: ``the result CoCa``, or of a ladder ``the rung``."""
    if not study.is_ladder:
        return f"the result {one.name}"
    return f"a single row, {one.name}," if one.name else "the rung"


def lies_below(published: Published, study: Study) -> str:
    """Return that single results lie below a shown floor, which is of a mean; empty where none does."""
    floor = study.curve.floor
    least = min(one.error for one in study.points)
    if not study.shows_floor or floor is None or least >= floor.estimate:
        return ""
    what = "rows" if study.is_ladder else "results"
    return f"of the curve's mean; single {what} lie below, the least at {error(published, least)}"


def refusals(published: Published, study: Study, one: Forecast) -> list[str]:
    """Return why a target is not forecast, with errors as the rest of the report writes them."""
    found = []
    for code, sentence in one.refusals:
        known, named = study.held.curve.floor, target(published, one.target)
        if code == "unreachable" and known is not None:
            sentence = (
                f"{named} is unreachable with this recipe: it lies under the floor, which is at least "
                f"{error_text(published, known)[1]}"
            )
        if code == "beyond_reach":
            sentence = _MULTIPLE.sub(
                lambda times: f"takes {times_the_largest(float(times[1]))} times", sentence
            )
        found.append(told(sentence.replace(f"an error of {one.target:.4g}", named)))
    return found


def told(sentence: str) -> str:
    """Return a sentence of the analysis with the numbers as a report has them: 1,890,000 for 1.89e+06."""
    return _WRITTEN.sub(lambda found: compute(float(found[0])), sentence)


def money(value: Interval | None) -> str:
    """Return US dollars with their interval."""
    if value is None:
        return formats.MISSING
    return _open_ended(value, _dollars)


def carbon(value: Interval | None) -> str:
    """Return kilograms of CO2 with their interval, in the unit that suits each."""
    if value is None:
        return formats.MISSING
    return _open_ended(value, _kilograms, " CO₂")


def _open_ended(value: Interval, show: Callable[[float, int], str], after: str = "") -> str:
    """Return a priced amount with its interval; where it is infinite, its least."""
    if math.isinf(value.low):
        return "∞"
    if math.isinf(value.estimate):
        return f"at least {show(value.low, 2)}{after}"
    return _with_ends(value, show, after)


def _dollars(value: float, digits: int = 2) -> str:
    return "∞" if math.isinf(value) else formats.money(value, "USD", digits)


def _kilograms(value: float, digits: int = 2) -> str:
    return "∞" if math.isinf(value) else spans.one(value, _TONNES, digits)


def level(published: Published) -> str:
    """Return the level of intervals: ``95 %``."""
    return f"{formats.plain(100 * published.level, 3)}{_SPACE}%"


def at_level(published: Published) -> str:
    """Return at which level something is shown or not, where the intervals have another; else empty."""
    if published.level == REFUSAL_LEVEL:
        return ""
    return f" at {formats.plain(100 * REFUSAL_LEVEL)}{_SPACE}%"


def lower(title: str) -> str:
    """Return a title for the middle of a sentence."""
    return title if title[1:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def counted(published: Published) -> str:
    """Return the heading of a column with how many points each line rests on."""
    ladders = {study.is_ladder for study in published.studies}
    return "Rungs" if ladders == {True} else "Results" if ladders == {False} else "Results or rungs"


def models(study: Study) -> str:
    """Return what the fit counts: ``26 models``, or ``8 rungs of 3 seeds``."""
    if study.is_ladder:
        is_even = study.n_seeds * study.n_rungs == len(study.points)
        seeds = f" of {study.n_seeds} seeds" if is_even else f" of {len(study.points)} rows"
        return f"{study.n_rungs} rungs{seeds}"
    return f"{len(study.points)} results"
