"""Every price and constant that entered a number, with its source and date."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements
from toolkit.report.base import NotApplicable, Section
from toolkit.report.price_rows import origins_told, price_table

__all__ = ["ConstantsSection"]


class ConstantsSection(Section):
    """One row a constant."""

    order: ClassVar[int] = 130
    title: ClassVar[str] = "Prices and constants"

    def render(self, results: Results) -> Markup:
        """Return the constants; not applicable when none is in use."""
        if not results.prices:
            raise NotApplicable("No price or constant was used.")
        return elements.join(
            elements.paragraph(told) if (told := origins_told(results.prices)) else Markup(""),
            price_table("Every price and constant in use", results.prices, hide_caption=True),
        )
