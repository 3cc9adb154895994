"""Figures of a table as people read them: errors, compute, powers, money and carbon."""

from __future__ import annotations

import math

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Published, Study
from toolkit.report import formats, spans

__all__ = [
    "carbon",
    "compute",
    "error",
    "error_interval",
    "interval",
    "level",
    "lower",
    "models",
    "money",
    "tick",
    "times",
]

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
    """Return a factor with its interval: ``990 times [330, 4,900]``."""
    if math.isinf(value.low):
        return "∞"
    if math.isinf(value.estimate):
        return f"over {formats.plain(value.low, digits)} times"
    ends = f"[{formats.plain(value.low, digits)}, {formats.plain(value.high, digits)}]"
    return f"{formats.plain(value.estimate, digits)} times {ends}"


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
        seeds = f" of {study.n_seeds} seeds" if study.n_seeds > 1 else ""
        return f"{study.n_rungs} rungs{seeds}"
    return f"{len(study.points)} results"
