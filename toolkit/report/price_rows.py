"""Prices and constants as rows of a table, each with its source and date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from toolkit.report import elements, formats
from toolkit.report.elements import Column

__all__ = ["amount", "origin", "price_table"]

_LONG = "FLOP a second"
"""A unit whose figures are too long without a prefix."""

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"))


def price_table(caption: str, prices: Iterable[Mapping[str, Any]], *, hide_caption: bool = False) -> Markup:
    """Return one row a price: what it is, value, unit, basis, source and date."""
    return elements.table(
        caption,
        [
            Column("Constant"),
            Column("Value", numeric=True),
            Column("Unit"),
            Column("Basis"),
            Column("Source"),
            Column("Date"),
        ],
        map(_row, prices),
        hide_caption=hide_caption,
    )


def _row(price: Mapping[str, Any]) -> list[str | Markup]:
    value, unit = _scaled(price.get("value"), str(price.get("unit", "")))
    basis = str(price.get("basis", ""))
    return [
        str(price.get("name", "")),
        elements.whole(amount(value)),
        unit,
        basis,
        str(price.get("source", "")) or "not given",
        # What is declared holds for the run it stands in; nobody dates it.
        elements.whole(str(price.get("date", "")) or ("" if basis == "declared" else "not given")),
    ]


def _scaled(value: Any, unit: str) -> tuple[Any, str]:
    """Return value and unit with a prefix where the figure is too long without."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    if unit != _LONG or not all(isinstance(one, int | float) for one in values):
        return value, unit
    step, prefix = next((step for step in _PREFIXES if max(values) >= step[0]), (1.0, ""))
    scaled = [one / step for one in values]
    return (scaled if len(scaled) > 1 else scaled[0]), f"{prefix}{unit}"


def amount(value: object) -> str:
    """Return a figure, or the low, middle and high one, without digits that claim precision."""
    if isinstance(value, list | tuple):
        return " … ".join(map(amount, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return formats.plain(value)
    return str(value)


def origin(price: Mapping[str, Any]) -> str:
    """Return where a price is from: source and date."""
    found = [str(price.get(key, "")) for key in ("source", "date")]
    return ", ".join(one for one in found if one) or "not given"
