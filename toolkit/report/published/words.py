"""Figures of a table as people read them: errors, compute, powers, money and carbon."""

from __future__ import annotations

import math

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Forecast, Published, Study
from toolkit.report import formats, spans

__all__ = [
    "REACHES",
    "WITH_AMOUNT",
    "carbon",
    "compute",
    "error",
    "error_interval",
    "floor",
    "interval",
    "level",
    "lower",
    "models",
    "money",
    "power",
    "priced",
    "refusals",
    "tick",
    "times",
]

REACHES = {
    "at_most": "reached by the cheapest already",
    "at_most_fitted": "below the cheapest, by the fit",
    "measured": "within the results",
    "forecast": "forecast",
    "drawn_on": "drawn on; no forecast",
    "not_told": "not told: it may not fall",
    "not_shown": "not shown to be reached",
    "cannot": "not reached",
}
"""What may be said of a target, in words."""
WITH_AMOUNT = ("measured", "forecast", "drawn_on")
"""Where an amount of compute stands for the target."""

_SPACE = "\u00a0"
_LONG = 1e7
"""From here on compute is written with a power of ten: nobody counts that many zeros."""
_TONNES = ((1e9, "Mt"), (1e6, "kt"), (1e3, "t"), (1.0, "kg"), (1e-3, "g"))


def error(published: Published, value: float, digits: int = 3) -> str:
    """Return an error: a share in per cent, a loss as it is."""
    if published.error_scale == "loss":
        return formats.plain(value, digits)
    return f"{formats.plain(100 * value, digits)}{_SPACE}%"


def error_interval(published: Published, value: Interval | None) -> str:
    """Return an error with its interval."""
    if value is None:
        return formats.MISSING
    return (
        f"{error(published, value.estimate)} [{error(published, value.low)}, {error(published, value.high)}]"
    )


def floor(published: Published, study: Study) -> str:
    """Return the floor with its interval, or that it is not known and how high it may be."""
    found = study.curve.floor
    if found is None or not study.may_fall:
        return "not known"
    if study.shows_floor:
        return error_interval(published, found)
    return f"not known [none, {error(published, found.high)}]"


def compute(value: float, unit: str = "", digits: int = 3) -> str:
    """Return compute; large numbers are written with a power of ten."""
    tail = f"{_SPACE}{unit}" if unit else ""
    if not _LONG <= value < math.inf:
        return f"{formats.plain(value, digits)}{tail}"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    shown = formats.plain(float(mantissa), digits)
    return f"{shown}{_SPACE}×{_SPACE}10{formats.superscript(int(power))}{tail}"


def tick(value: float) -> str:
    """Return compute for the tick of an axis: ``10²⁰``, or a short number where it is small."""
    power = math.log10(value)
    if value >= 1e9 and abs(power - round(power)) < 1e-9:
        return f"10{formats.superscript(round(power))}"
    return formats.tick(value) if value < 1e9 else formats.plain(value)


def interval(value: Interval | None, unit: str = "", digits: int = 2) -> str:
    """Return an amount that spans powers of ten, with its interval."""
    if value is None:
        return formats.MISSING
    ends = f"[{compute(value.low, '', digits)}, {compute(value.high, '', digits)}]"
    return f"{compute(value.estimate, unit, digits)} {ends}"


def times(value: Interval, digits: int = 2) -> str:
    """Return a factor with its interval: ``990 times [330, 4,900]``; without an upper end what it is over."""
    if math.isinf(value.low):
        return "never"
    if math.isinf(value.high):
        return f"over {compute(value.low, '', digits)} times"
    low, high = (compute(end, "", digits) for end in (value.low, value.high))
    return f"{compute(value.estimate, '', digits)} times [{low}, {high}]"


def power(value: Interval) -> str:
    """Return a power of k with its interval; without an upper end what it is over."""
    if math.isinf(value.low):
        return "none"
    return f"over {formats.plain(value.low, 3)}" if math.isinf(value.high) else formats.interval(value)


def priced(published: Published, study: Study, amount: float) -> list[str]:
    """Return the money and carbon of an amount of compute; empty where no rate holds for the measure."""
    if study.measure.key != published.priced:
        return []
    rates = {price.quantity: price.per_unit for price in published.prices}
    shown = []
    if "usd" in rates:
        shown.append(formats.money(amount * rates["usd"], "USD", 2))
    if "kg_co2" in rates:
        shown.append(f"{_kilograms(amount * rates['kg_co2'])} CO₂")
    return shown


def refusals(published: Published, study: Study, one: Forecast) -> list[str]:
    """Return why a target is not forecast, with errors as the rest of the report writes them."""
    told = []
    for code, sentence in one.refusals:
        known = study.curve.floor
        if code == "unreachable" and known is not None:
            sentence = (
                f"{error(published, one.target)} is unreachable with this recipe: it lies under the floor, "
                f"which is at least {error(published, known.low)}"
            )
        told.append(sentence.replace(f"an error of {one.target:.4g}", error(published, one.target)))
    return told


def money(value: Interval | None) -> str:
    """Return US dollars with their interval."""
    if value is None:
        return formats.MISSING
    estimate, low, high = (formats.money(end, "USD", 2) for end in (value.estimate, value.low, value.high))
    return f"{estimate} [{low}, {high}]"


def carbon(value: Interval | None) -> str:
    """Return kilograms of CO2 with their interval, in the unit that suits each."""
    if value is None:
        return formats.MISSING
    estimate, low, high = (_kilograms(end) for end in (value.estimate, value.low, value.high))
    return f"{estimate} CO₂ [{low}, {high}]"


def _kilograms(value: float) -> str:
    return "∞" if math.isinf(value) else spans.one(value, _TONNES, 2)


def level(published: Published) -> str:
    """Return the level of intervals: ``95 %``."""
    return f"{formats.plain(100 * published.level, 3)}{_SPACE}%"


def lower(title: str) -> str:
    """Return a title for the middle of a sentence."""
    return title if title[1:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def models(study: Study) -> str:
    """Return what the fit counts: ``26 models``, or ``8 rungs of 3 seeds``."""
    if study.is_ladder:
        seeds = f" of {study.n_seeds} seeds" if study.n_seeds > 1 else f" of {len(study.points)} rows"
        return f"{study.n_rungs} rungs{seeds}"
    return f"{len(study.points)} results"
