"""Every price and constant that entered a number, with its source and date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column

__all__ = ["ConstantsSection"]


class ConstantsSection(Section):
    """One row a constant."""

    order: ClassVar[int] = 130
    title: ClassVar[str] = "Prices and constants"

    def render(self, results: Results) -> Markup:
        """Return the constants; not applicable when none is in use."""
        if not results.prices:
            raise NotApplicable("No price or constant was used.")
        return elements.table(
            "Every price and constant in use",
            [
                Column("Constant"),
                Column("Value", numeric=True),
                Column("Unit"),
                Column("Basis"),
                Column("Source"),
                Column("Date"),
            ],
            map(_row, results.prices),
            hide_caption=True,
        )


def _row(price: Mapping[str, Any]) -> list[str | Markup]:
    return [
        str(price.get("name", "")),
        _amount(price.get("value")),
        str(price.get("unit", "")),
        str(price.get("basis", "")),
        str(price.get("source", "")) or "not given",
        str(price.get("date", "")) or "not given",
    ]


def _amount(value: object) -> str:
    if isinstance(value, list | tuple):
        return " … ".join(map(_amount, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return formats.plain(value)
    return str(value)
