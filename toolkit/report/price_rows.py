"""Prices and constants as rows of a table, each with its source and date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from toolkit.report import elements, formats
from toolkit.report.elements import Column
from toolkit.sources import DEFAULT, UNSOURCED

__all__ = ["amount", "origin", "origins_told", "price_table", "told_once"]

_LONG = "FLOP a second"
"""A unit whose figures are too long without a prefix."""

_BASES = {
    "published": "published",
    "declared": "declared with a source",
    "assumed": "assumed for a reason that is told",
}

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"))


def price_table(caption: str, prices: Iterable[Mapping[str, Any]], *, hide_caption: bool = False) -> Markup:
    """Return one row a price: what it is, value, unit, basis, source and date."""
    listed = list(prices)
    sources = told_once(str(price.get("source", "")) or "not given" for price in listed)
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
        map(_row, listed, sources),
        hide_caption=hide_caption,
    )


def told_once(sources: Iterable[str]) -> list[str]:
    """Return sources as they are told in rows: a long one that is that of the row before is not repeated."""
    listed = list(sources)
    return [
        "as above" if one == before and len(one) > len(DEFAULT.source) else one
        for one, before in zip(listed, ["", *listed], strict=False)
    ]


def _ends(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _row(price: Mapping[str, Any], source: str) -> list[str | Markup]:
    value, unit = _scaled(price.get("value"), str(price.get("unit", "")))
    basis = str(price.get("basis", ""))
    return [
        str(price.get("name", "")),
        Markup(" … ").join(elements.whole(amount(one)) for one in _ends(value)),
        unit,
        basis,
        source,
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
    counts = {told: sum(price.get("basis") == basis for price in rest) for basis, told in _BASES.items()}
    counts |= {"left at our default": len(ours)}
    names = ", ".join(str(price.get("name", "")) for price in bare)
    told = [
        *(f"{count} {what}" for what, count in counts.items() if count),
        f"{len(bare)} declared with no source given" + (f" ({names})" if bare else ""),
    ]
    return f"Of {len(own)} numbers and choices of the business: {', '.join(told)}."


def origin(price: Mapping[str, Any]) -> str:
    """Return where a price is from: source and date."""
    found = [str(price.get(key, "")) for key in ("source", "date")]
    return ", ".join(one for one in found if one) or "not given"
