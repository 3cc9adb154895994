"""Sections on the table itself: every row with its sources, what was left out, and how to do it again."""

from __future__ import annotations

import shlex

from markupsafe import Markup

from toolkit.analysis.published.values import Published
from toolkit.published.values import Observation
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable
from toolkit.report.elements import Column
from toolkit.report.published import words

__all__ = ["again", "sources", "table"]


def table(published: Published) -> Markup:
    """Return every row, with the keys of its sources below each figure."""
    studies = published.studies
    rows = [_row(published, one) for one in sorted(published.observations, key=_year)]
    notes = (f"{study.measure.title}: {words.told(note)}" for study in studies for note in study.notes)
    left_out = [formats.sentence(told) for told in (*published.left_out, *notes)]
    return elements.join(
        elements.table(
            "Every row of the table",
            [
                Column("Result"),
                Column("Year", numeric=True),
                Column(published.error_title, numeric=True),
                *(Column(study.measure.title, numeric=True, note=study.measure.unit) for study in studies),
                Column("What is doubtful"),
            ],
            rows,
            hide_caption=True,
            hide_empty=True,
        ),
        elements.items(left_out),
    )


def _year(one: Observation) -> float:
    """Return what rows are sorted by: within a year, and without one, they keep the table's order."""
    return one.year if one.year is not None else 0.0


def _row(published: Published, one: Observation) -> list[str | Markup]:
    def cited(text: str, what: str) -> str | Markup:
        keys = one.sources.get(what, "").split()
        lines = Markup("").join(Markup("<br><small>{}</small>").format(key) for key in keys)
        return Markup("{}{}").format(text, lines)

    keys = [study.measure.key for study in published.studies]
    doubts = [one.note]
    if one.labels.get("includes_search"):
        doubts.append(
            {"yes": "Includes an architecture search."}.get(
                one.labels["includes_search"], "May include a search."
            )
        )
    if one.labels.get("extra_data"):
        doubts.append(f"Further data: {one.labels['extra_data']}.")
    return [
        one.name,
        "" if one.year is None else f"{one.year:.0f}",
        cited(words.error(published, one.error, 4), "error"),
        *(cited(words.compute(one.compute[key]), key) if key in one.compute else "" for key in keys),
        " ".join(doubt for doubt in doubts if doubt),
    ]


def sources(published: Published) -> Markup:
    """Return the sources by key.

    Raises
    ------
    NotApplicable
        None are declared.
    """
    declared = published.declared.get("sources") or {}
    if not declared:
        raise NotApplicable("No sources are declared.")
    return elements.items(
        Markup("<code>{}</code> {}").format(key, formats.sentence(text)) for key, text in declared.items()
    )


def again(published: Published) -> Markup:
    """Return where this was made, and the command that makes it anew."""
    facts = {key: value for key, value in published.environment.items() if key not in ("file", "command")}
    command = published.environment.get("command") or (
        f"python -m toolkit.run {shlex.quote(published.environment.get('file', f'{published.name}.yaml'))}"
    )
    return elements.join(
        elements.facts((formats.words(key), value) for key, value in facts.items()),
        Markup("<pre>{}</pre>").format(command),
    )
