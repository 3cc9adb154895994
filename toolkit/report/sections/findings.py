"""What a reader should know before trusting the numbers."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section

__all__ = ["FindingsSection"]

_ORDER = ("error", "warning", "info")
_KINDS = {"error": "bad", "warning": "open", "info": "plain"}


class FindingsSection(Section):
    """All findings, the gravest first."""

    order: ClassVar[int] = 100
    title: ClassVar[str] = "Findings"

    def render(self, results: Results) -> Markup:
        """Return the findings; not applicable when there is none."""
        if not results.findings:
            raise NotApplicable("The checks found nothing to report.")
        ranked = sorted(results.findings, key=lambda finding: _ORDER.index(finding.severity))
        return elements.items(
            Markup("{} {} <small>{}</small>").format(
                elements.badge(finding.severity, _KINDS[finding.severity]),
                formats.sentence(finding.sentence),
                formats.words(finding.code),
            )
            for finding in ranked
        )
