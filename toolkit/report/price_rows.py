"""Prices and constants as rows of a table, each with its source and date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from toolkit.report import elements, formats
from toolkit.report.elements import Column
from toolkit.sources import DEFAULT, UNSOURCED

__all__ = ["amount", "origin", "origins_told", "price_table"]

_LONG = "FLOP a second"
"""A unit whose figures are too long without a prefix."""

_BASES = {
    "published": "are published",
    "declared": "are declared with a source",
    "assumed": "are assumptions with their reason",
}

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
        # What is declared, or assumed of the business, holds for the run it stands in; nobody dates it.
        elements.whole(
            str(price.get("date", "")) or ("" if basis == "declared" or "key" in price else "not given")
        ),
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


def origins_told(prices: Iterable[Mapping[str, Any]]) -> str:
    """Return how many of the business's own numbers have a source; empty where no line tells its key."""
    own = [price for price in prices if price.get("key")]
    if not own:
        return ""
    ours = [price for price in own if price.get("source") == DEFAULT.source]
    bare = [price for price in own if price.get("source") == UNSOURCED.source]
    rest = [price for price in own if price not in ours and price not in bare]
    counts = [(sum(price.get("basis") == basis for price in rest), basis) for basis in _BASES]
    told = ", ".join(f"{count} {_BASES[basis]}" for count, basis in counts if count)
    lines = [f"Of {len(own)} numbers and choices of the business, {told or 'none has a source'}"]
    lines += [f"{len(ours)} are our defaults"] if ours else []
    names = ", ".join(str(price.get("name", "")) for price in bare)
    lines += [f"{len(bare)} are declared with no source given ({names})" if bare else "none lacks a source"]
    return f"{'; '.join(lines)}."


def origin(price: Mapping[str, Any]) -> str:
    """Return where a price is from: source and date."""
    found = [str(price.get(key, "")) for key in ("source", "date")]
    return ", ".join(one for one in found if one) or "not given"
