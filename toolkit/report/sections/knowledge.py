"""The expert's rules as written: what they say, how certain, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column

__all__ = ["KnowledgeSection"]


class KnowledgeSection(Section):
    """One table a knowledge base."""

    order: ClassVar[int] = 70
    title: ClassVar[str] = "Expert knowledge"

    def render(self, results: Results) -> Markup:
        """Return the rules; not applicable when no track uses any."""
        if not results.knowledge:
            raise NotApplicable("No track in this experiment uses expert rules.")
        return elements.join(*map(_base, results.knowledge))


def _base(base: Mapping[str, Any]) -> Markup:
    rules = list(base.get("rules", ()))
    users = " and ".join(map(str, base.get("tracks", ())))
    heading = f"{base.get('name', 'Rules')}, used by {users}" if users else str(base.get("name", "Rules"))
    return elements.join(
        Markup("<h3>{}</h3>").format(heading),
        elements.paragraph(
            f"{formats.count(len(rules))} rules in the order written. "
            f"Content hash {base.get('hash', 'not recorded')}.",
            quiet=True,
        ),
        elements.table(
            f"Rules of {base.get('name', 'the knowledge base')}",
            [Column("Rule"), Column("When"), Column("Then"), Column("How certain"), Column("Because")],
            [
                [
                    formats.words(str(rule.get("id", ""))),
                    Markup("<code>{}</code>").format(rule.get("when", "")),
                    str(rule.get("then", "")),
                    _certainty(rule.get("certainty")),
                    str(rule.get("because", "")),
                ]
                for rule in rules
            ],
            hide_caption=True,
        ),
    )


def _certainty(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "not given"
    if isinstance(value, int | float) and 0 <= value <= 1:
        return formats.ratio(value)
    return str(value)
