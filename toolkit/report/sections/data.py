"""The task and its data: facts, licences, and what the probabilities do not mean."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section

__all__ = ["DataSection"]


class DataSection(Section):
    """Facts of the task, notices in their own words."""

    order: ClassVar[int] = 90
    title: ClassVar[str] = "Task and data"

    def render(self, results: Results) -> Markup:
        """Return facts and notices; not applicable when the task tells nothing."""
        task = results.task
        facts = dict(task.get("facts") or {})
        notices = list(task.get("notices") or ())
        if not task.get("title") and not facts and not notices:
            raise NotApplicable("The task tells nothing about its data.")
        params = {
            key: value
            for key, value in dict(results.experiment.get("task") or {}).items()
            if isinstance(value, str | int | float) and key != "name"
        }
        pairs: list[tuple[str, str | Markup]] = [("Task", str(task.get("title") or task.get("name", "")))]
        if task.get("cluster"):
            pairs.append(("Unit of resampling", str(task["cluster"])))
        pairs += [(formats.title(str(key)), _fact(value)) for key, value in {**params, **facts}.items()]
        parts = [elements.facts(pairs)]
        if notices:
            parts.append(Markup("<h3>{}</h3>").format("Source and licence, in the words of the source"))
            parts += [Markup("<blockquote>{}</blockquote>").format(notice) for notice in notices]
        parts.append(
            elements.paragraph(
                "A probability is not an effect. The tracks say how likely the outcome is, P(buy) for "
                "example; they do not say what an action would change (uplift). Who would have bought anyway "
                "is not won by an offer: measure that with an experiment before spending on it."
            )
        )
        return elements.join(*parts)


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return formats.count(float(value))
    if isinstance(value, float):
        return formats.plain(value)
    return str(value)
