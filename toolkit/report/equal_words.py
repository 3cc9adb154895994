"""What a track needs for an error of another, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from toolkit.analysis.results import EqualError, Interval
from toolkit.analysis.spending import Spread
from toolkit.report import elements, formats
from toolkit.report.formats import Show

__all__ = [
    "RANGES",
    "cpu_seconds",
    "declared_hours",
    "needed",
    "needed_energy",
    "needed_sentence",
    "needed_text",
    "target_digits",
]

RANGES = {
    "own": "its own error",
    "measured": "measured range",
    "at_most": "below the cheapest rung",
    "forecast": "forecast",
    "at_least": "no rung reached it",
    "not_shown": "the floor may lie above",
    "cannot": "the floor lies above",
    "does_not": "no rung reaches it",
}
_REFUSED = {"cannot": ("cannot", "cannot"), "does_not": ("does not", "do not")}


def target_digits(asked: Iterable[EqualError]) -> int:
    """Return the digits with which the targets of one error can be told apart, four to six."""
    targets = {one.target for one in asked}
    told_apart = (n for n in (4, 5) if len({formats.number(one, n) for one in targets}) == len(targets))
    return next(told_apart, 6)


def cpu_seconds(value: float, digits: int = 3) -> str:
    """Return CPU-seconds as a plain number: side by side, ms and s are harder to compare."""
    return formats.number(value, digits)


def needed(one: EqualError, value: Interval | None, show: Show, digits: int = 2) -> Markup:
    """Return an amount that is needed as a table shows it, or why there is none.

    Parameters
    ----------
    one : EqualError
    value : Interval or None
        Of CPU-seconds or money.
    show : callable
        As in `formats.interval`.
    digits : int
        Of a bound.
    """
    if one.reach in _REFUSED:
        return elements.whole(f"{_REFUSED[one.reach][0]} reach it")
    if value is None:
        return elements.whole(formats.MISSING)
    if one.reach == "at_most":
        return elements.whole(f"at most {show(formats.bound(value.high, digits, up=True), digits)}")
    if one.reach in ("at_least", "not_shown"):
        return elements.whole(f"at least {show(formats.bound(value.low, digits, up=False), digits)}")
    return elements.estimate(value, show)


def needed_text(one: EqualError) -> str:
    """Return what one track needs, as a part of a sentence."""
    if one.reach in _REFUSED:
        return f"{one.track} {_REFUSED[one.reach][0]} reach it"
    text = str(needed(one, one.cpu_seconds, cpu_seconds).striptags())
    if one.reach == "not_shown":
        return f"{one.track} is not shown to reach it and takes {text}"
    rules = one.n_rules
    if rules is not None and math.isfinite(rules.estimate):
        return f"{one.track} {text} with {formats.counted(rules.estimate, 'rule')}"
    return f"{one.track} {text}{' (forecast)' if one.reach == 'forecast' else ''}"


def needed_sentence(name: str, asked: Sequence[EqualError], digits: int = 4) -> str:
    """Return what all tracks need for one target.

    Parameters
    ----------
    name : str
        Of the error.
    asked : sequence of EqualError
        Of one target.
    digits : int
        Of the target.
    """
    first = asked[0]
    parts = [needed_text(one) for one in asked if one.track != first.of and one.reach not in _REFUSED]
    for reach, (single, several) in _REFUSED.items():
        tracks = [one.track for one in asked if one.reach == reach]
        if tracks:
            who = f"{', '.join(tracks[:-1])} and {tracks[-1]}" if len(tracks) > 1 else tracks[0]
            parts.append(f"{who} {several if len(tracks) > 1 else single} reach it")
    spent = "" if first.of_cpu_seconds is None else f" with {cpu_seconds(first.of_cpu_seconds)} CPU-seconds"
    target = f"a {name} of {formats.number(first.target, digits)}, which {first.of} reached{spent}"
    return f"To reach {target}: {'; '.join(parts)}."


def needed_energy(one: EqualError, value: Spread | None, show: Callable[[Spread], str]) -> str:
    """Return joules or carbon as a range; `show` is `spans.joules` or `spans.carbon`."""
    if one.reach in _REFUSED:
        return ""
    if value is None:
        return formats.MISSING
    if one.reach == "at_most":
        return f"at most {show(Spread(*[formats.bound(value.high, up=True)] * 3))}"
    if math.isinf(value.high):
        return f"at least {show(Spread(*[formats.bound(value.low, up=False)] * 3))}"
    return show(value)


def declared_hours(value: Interval | None) -> str | Markup:
    """Return people's hours: their mean and range, or the one number that was declared."""
    if value is None:
        return ""
    if value.low == value.high:
        return elements.whole(f"{formats.plain(value.estimate, 3)} declared")
    return elements.estimate(value)
