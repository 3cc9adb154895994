"""The experts' rules: what they say, how certain, why, and whether the training rows bear them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.rule_evidence import against_rows

__all__ = ["KnowledgeSection"]


class KnowledgeSection(Section):
    """What experts wrote, one knowledge base after the other, and what the training rows say of it."""

    order: ClassVar[int] = 70
    title: ClassVar[str] = "Expert knowledge"

    def render(self, results: Results) -> Markup:
        """Return the rules; not applicable when no track uses any."""
        if not results.knowledge:
            raise NotApplicable("No track in this experiment uses expert rules.")
        cluster = str(results.task.get("cluster", "row"))
        return elements.join(*(_base(base, cluster) for base in results.knowledge))


def _base(base: Mapping[str, Any], cluster: str) -> Markup:
    rules = list(base.get("rules", ()))
    users = " and ".join(map(str, base.get("tracks", ())))
    heading = f"{base.get('name', 'Rules')}, used by {users}" if users else str(base.get("name", "Rules"))
    return elements.join(
        Markup("<h3>{}</h3>").format(heading),
        elements.paragraph(
            f"{formats.counted(len(rules), 'rule')} in the order written. "
            f"Content hash {base.get('hash', 'not recorded')}.",
            quiet=True,
        ),
        # Contexts of older runs hold no rows.
        against_rows(base, cluster) if base.get("data") else Markup(""),
        Markup("<h3>The rules as written</h3>"),
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
        return f"{value:g}"
    return str(value)
