"""Numbers and units as people read them. The only place that turns a number into text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Protocol

from toolkit.amounts import MINUS
from toolkit.analysis.results import Interval
from toolkit.analysis.verdict_words import percent

__all__ = [
    "MISSING",
    "Show",
    "bound",
    "count",
    "counted",
    "digits_for",
    "in_money",
    "interval",
    "money",
    "money_scale",
    "number",
    "plain",
    "probability",
    "quantity",
    "r_squared",
    "ratio",
    "seconds",
    "sentence",
    "superscript",
    "tick",
    "title",
    "words",
]


class Show(Protocol):
    """Turns a number into text with so many significant digits."""

    def __call__(self, value: float, digits: int = 3, /) -> str:
        """Return the text."""


MISSING = "not measured"
"""What a reader sees where there is no number. Zero is a reading and is shown as 0."""

_SPACE = "\u00a0"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PROPER = {
    "auc": "AUC",
    "cpu": "CPU",
    "kwh": "kWh",
    "pue": "PUE",
    "roc": "ROC",
    "usd": "USD",
}
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_MONEY_STEPS = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"))
_SI_STEPS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SI_SMALL_STEPS = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_SECOND_STEPS = (
    (172_800.0, 86_400.0, "d"),
    (7_200.0, 3_600.0, "h"),
    (120.0, 60.0, "min"),
    (1.0, 1.0, "s"),
    (1e-3, 1e-3, "ms"),
    (1e-6, 1e-6, "µs"),
)
_SMALLEST_PLAIN = 1e-4
"""Below this a number is written with a power of ten."""

_LARGEST_PLAIN = 1e15


def _special(value: float | None) -> str | None:
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return None


def _magnitude(value: float, digits: int) -> int:
    """Return the power of ten of the first digit, after rounding to `digits`."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def number(value: float | None, digits: int = 3) -> str:
    """Return `value` with significant digits; a small value never becomes 0.00.

    Parameters
    ----------
    value : float or None
    digits : int
        Significant digits, at least 1.
    """
    special = _special(value)
    if special is not None or value is None:
        return special or MISSING
    if value == 0:
        return "0"
    sign = MINUS if value < 0 else ""
    size = abs(value)
    magnitude = _magnitude(size, digits)
    if size < _SMALLEST_PLAIN or size >= _LARGEST_PLAIN:
        power = str(magnitude).translate(_SUPERSCRIPT)
        return f"{sign}{size / 10.0**magnitude:.{digits - 1}f}{_SPACE}×{_SPACE}10{power}"
    decimals = digits - 1 - magnitude
    return f"{sign}{round(size, decimals):,.{max(decimals, 0)}f}"


def plain(value: float | None, digits: int = 6) -> str:
    """Return a number that was typed, not measured: without the zeros that claim precision."""
    text = number(value, digits)
    head, space, power = text.partition(_SPACE)
    return f"{head.rstrip('0').rstrip('.') if '.' in head else head}{space}{power}"


def superscript(power: float) -> str:
    """Return a power in small raised digits: k⁹; one that is not whole as ``^4.5``."""
    return f"{power:.0f}".translate(_SUPERSCRIPT) if power == round(power) else f"^{plain(power, 3)}"


def tick(value: float) -> str:
    """Return a short number for the tick of an axis: ``0.01``, ``300``, ``10k``, ``3M``."""
    for step, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= step:
            return f"{plain(value / step)}{name}"
    return plain(value)


def count(value: float | None) -> str:
    """Return a whole number with separators of thousands."""
    special = _special(value)
    if special is not None or value is None:
        return special or MISSING
    return f"{round(value):,}".replace("-", MINUS)


def counted(value: float | None, one: str, several: str = "") -> str:
    """Return a whole number of things: ``1 rule``, ``5 rules``; `several` where an s does not make it."""
    return f"{count(value)} {one if value == 1 else several or f'{one}s'}"


def probability(value: float | None) -> str:
    """Return a probability in per cent; never 0 % or 100 %, which sampling cannot show."""
    special = _special(value)
    if special is not None or value is None:
        return special or MISSING
    return percent(value).replace(" ", _SPACE)


def r_squared(value: float) -> str:
    """Return the share of the variance that a line explains: three decimals, and 1 only where it is 1."""
    if 0.9995 <= value < 1:
        return "> 0.999"
    return f"{value:.3f}".replace("-", MINUS)


def ratio(value: float | None, digits: int = 3) -> str:
    """Return a share in per cent."""
    text = number(None if value is None else 100 * value, digits)
    return text if text == MISSING else f"{text}{_SPACE}%"


def money(value: float | None, currency: str = "USD", digits: int = 3) -> str:
    """Return an amount of money, e.g. ``$12,300`` or ``€1.63 bn``.

    Parameters
    ----------
    value : float or None
    currency : str
        Code of the currency; codes without a known sign stand before the number.
    digits : int
        Significant digits.
    """
    special = _special(value)
    if special is not None or value is None:
        return special or MISSING
    symbol = _SYMBOLS.get(currency, f"{currency}{_SPACE}")
    sign = MINUS if value < 0 else ""
    size = abs(value)
    for step, name in _MONEY_STEPS:
        if size >= step:
            return f"{sign}{symbol}{number(size / step, digits)}{_SPACE}{name}"
    return f"{sign}{symbol}{number(size, digits)}"


def in_money(currency: str) -> Show:
    """Return `money` in one currency, with three digits at least, for `interval` and tables."""

    def show(value: float, digits: int = 3, /) -> str:
        return money(value, currency, max(digits, 3))

    return show


def money_scale(values: Iterable[float]) -> tuple[float, str]:
    """Return the divisor for an axis of money and its name, e.g. ``(1e6, "million")``."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    for factor, name in ((1e9, "billion"), (1e6, "million"), (1e4, "thousand")):
        if largest >= factor:
            return (1e3 if name == "thousand" else factor), name
    return 1.0, ""


def seconds(value: float | None, digits: int = 3) -> str:
    """Return a duration in the unit that suits it, from ns to days."""
    special = _special(value)
    if special is not None or value is None:
        return special or MISSING
    for least, unit, name in _SECOND_STEPS:
        if abs(value) >= least:
            return f"{number(value / unit, digits)}{_SPACE}{name}"
    return f"{number(value / 1e-9, digits)}{_SPACE}ns" if value else f"0{_SPACE}s"


def quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """Return a physical quantity with a decimal SI prefix, e.g. ``1.2 MB`` or ``0.52 mJ``."""
    special = _special(value)
    if special == MISSING or value is None:
        return MISSING
    if unit == "s":
        return seconds(value, digits)
    size = abs(value)
    steps = _SI_STEPS if size >= 1e3 or unit in ("B", "FLOP") else _SI_SMALL_STEPS
    for step, prefix in steps:
        if size >= step:
            return f"{number(value / step, digits)}{_SPACE}{prefix}{unit}"
    return f"{number(value, digits)}{_SPACE}{unit}"


def bound(value: float, digits: int = 3, *, up: bool) -> float:
    """Return a bound rounded outwards: up after "at most", down after "at least".

    Rounded to the nearest, half of all bounds would claim more than what is known.

    Parameters
    ----------
    value : float
    digits : int
        Significant digits.
    up : bool
        True for an upper bound.
    """
    if not math.isfinite(value) or value == 0:
        return value
    exact = Decimal(repr(float(value)))
    last = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    return float(exact.quantize(last, ROUND_CEILING if up else ROUND_FLOOR))


def digits_for(value: Interval) -> int:
    """Return the significant digits that the interval's width supports: two of its half width."""
    width = value.high - value.low
    size = abs(value.estimate)
    if not (math.isfinite(width) and width > 0 and math.isfinite(size) and size > 0):
        return 3
    digits = math.floor(math.log10(size)) - math.floor(math.log10(width / 2)) + 2
    return min(max(digits, 2), 6)


def interval(value: Interval | None, show: Callable[[float, int], str] = number) -> str:
    """Return ``estimate [low, high]`` with as many digits as the width supports.

    What is rounded up to one more digit keeps its decimals: 9.96 is 10.0 where 9.94 is 9.9.

    Parameters
    ----------
    value : Interval or None
    show : callable
        Takes a number and its significant digits, e.g. `number`.
    """
    if value is None or math.isnan(value.estimate):
        return MISSING
    digits = digits_for(value)
    return (
        f"{_carried(value.estimate, digits, show)} "
        f"[{_end(value.low, value, digits, show)},{_SPACE}{_end(value.high, value, digits, show)}]"
    )


def _end(end: float, value: Interval, digits: int, show: Callable[[float, int], str]) -> str:
    """Write an end with the decimals of the estimate: 0.0982 beside 0.1012 keeps four places."""
    if math.isfinite(end) and end != 0 and math.isfinite(value.estimate) and value.estimate not in (0, end):
        shift = math.floor(math.log10(abs(end))) - math.floor(math.log10(abs(value.estimate)))
        digits = min(max(digits + shift, 1), 6)
    return _carried(end, digits, show)


def _carried(value: float, digits: int, show: Callable[[float, int], str]) -> str:
    if math.isfinite(value) and value != 0 and digits < 6:
        magnitude = _magnitude(abs(value), digits)
        if magnitude > math.floor(math.log10(abs(value))):
            return show(math.copysign(10.0**magnitude, value), digits + 1)
    return show(value, digits)


def sentence(text: str) -> str:
    """Return `text` with a capital at the beginning and a full stop at the end."""
    text = text.strip()
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.!?…' else '.'}"


def words(name: str) -> str:
    """Return a machine name as words: ``price_per_kwh`` becomes ``price per kWh``."""
    return " ".join(_PROPER.get(word, word) for word in re.split(r"[_\s]+", name.strip()))


def title(name: str) -> str:
    """Return a machine name as words with a capital at the beginning."""
    text = words(name)
    return f"{text[:1].upper()}{text[1:]}"
