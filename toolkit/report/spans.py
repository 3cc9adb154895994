"""Figures that are known as a range only, as people read them: ``8–66 J``."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.analysis.spending import Spread
from toolkit.report import formats

__all__ = ["carbon", "joules", "kilowatt_hours", "one", "span"]

Steps = Sequence[tuple[float, str]]

_JOULES: Steps = (
    (1e12, "TJ"),
    (1e9, "GJ"),
    (1e6, "MJ"),
    (1e3, "kJ"),
    (1.0, "J"),
    (1e-3, "mJ"),
    (1e-6, "µJ"),
    (1e-9, "nJ"),
)
_KG: Steps = (
    (1e6, "kt"),
    (1e3, "t"),
    (1.0, "kg"),
    (1e-3, "g"),
    (1e-6, "mg"),
    (1e-9, "µg"),
    (1e-12, "ng"),
)
_JOULES_PER_KWH = 3.6e6
_SMALLEST_SHARED = 0.01
"""An end below this in the unit of the middle is written in a unit of its own."""

_SPACE = "\u00a0"


def _unit(value: float, steps: Steps) -> tuple[float, str]:
    return next((step for step in steps if value >= step[0]), steps[-1])


def _short(value: float) -> str:
    return formats.plain(value, 2)


def one(value: float, steps: Steps = _JOULES, digits: int = 3) -> str:
    """Return one figure in the unit that suits it."""
    step, unit = _unit(value, steps)
    return f"{formats.number(value / step, digits)}{_SPACE}{unit}"


def span(value: Spread, steps: Steps, unit_of: str = "") -> str:
    """Return both ends in the unit of the middle, with two digits; an exact figure with three.

    Parameters
    ----------
    value : Spread
    steps : sequence of (float, str)
        Units, the largest first.
    unit_of : str
        What the unit is one of, e.g. `` CO₂e``.
    """
    if value.high <= 0:
        return "none"
    if value.low == value.high:
        return one(value.mid, steps) + unit_of
    step, unit = _unit(value.mid, steps)
    if value.low <= 0:
        return f"up to {_short(value.high / step)}{_SPACE}{unit}{unit_of}"
    if value.low / step < _SMALLEST_SHARED or value.high / step >= 1 / _SMALLEST_SHARED**2:
        return f"{one(value.low, steps, 2)} – {one(value.high, steps, 2)}{unit_of}"
    low, high = _short(value.low / step), _short(value.high / step)
    return f"{low if low == high else f'{low}–{high}'}{_SPACE}{unit}{unit_of}"


def joules(value: Spread) -> str:
    """Return energy: ``8–66 J``."""
    return span(value, _JOULES)


def carbon(value: Spread) -> str:
    """Return carbon that is given in kg: ``0.8–7 g CO₂e``."""
    return span(value, _KG, f"{_SPACE}CO₂e")


def kilowatt_hours(value: Spread) -> str:
    """Return energy that is given in joules as it stands on a bill; empty below a tenth of a kWh."""
    if value.mid < _JOULES_PER_KWH / 10:
        return ""
    in_kwh = Spread(*(end / _JOULES_PER_KWH for end in value))
    return span(in_kwh, ((1e6, "GWh"), (1e3, "MWh"), (1.0, "kWh")))
