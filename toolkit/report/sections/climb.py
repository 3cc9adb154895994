"""How far to climb: what each rung adds in value and in cost, and what the next point of error would cost."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, figures
from toolkit.report.base import NotApplicable, Section
from toolkit.report.climb_figures import step_drawings
from toolkit.report.climb_tables import next_table, steps_table, stop_table

__all__ = ["ClimbSection"]


class ClimbSection(Section):
    """The rung where the next one's further value falls under its further cost."""

    order: ClassVar[int] = 34
    title: ClassVar[str] = "How far to climb"

    def render(self, results: Results) -> Markup:
        """Return the section; not applicable where no track has a second rung."""
        if not results.steps:
            raise NotApplicable("No track has two rungs that can be valued, so there is no step to judge.")
        return elements.join(
            elements.paragraph(
                "Climb until the next rung adds less to the value of decisions than it costs more. "
                "A step pays where the whole interval of what is left is above zero, and does not pay where "
                "it is below; the two rungs share all assumptions, so only what differs is in it."
            ),
            stop_table(results),
            _steps(results),
            next_table(results),
        )


def _steps(results: Results) -> Markup:
    return figures.embed_choice(
        step_drawings(results),
        name="rung-steps",
        title="What each further rung adds a year",
        question="Track",
        description="Points are further value less further cost, expected, with 95 % intervals: filled where "
        "the step pays, a cross where it does not, open where that cannot be told.",
        table=steps_table(results, results.steps),
    )
