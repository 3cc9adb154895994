"""Cells that did not finish, each with its reason: nothing is dropped in silence."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names

__all__ = ["FailuresSection"]


class FailuresSection(Section):
    """Failed, killed, timed-out and lost cells."""

    order: ClassVar[int] = 110
    title: ClassVar[str] = "Cells that did not finish"

    def render(self, results: Results) -> Markup:
        """Return the cells with their reasons; not applicable when all have finished."""
        cells = results.cells
        if cells.empty:
            raise NotApplicable("No cell has been run yet.")
        lost = cells[cells["status"] != "finished"]
        if lost.empty:
            raise NotApplicable(f"None: all {formats.count(len(cells))} cells finished.")
        known = track_names(results)
        return elements.table(
            f"{formats.count(len(lost))} of {formats.count(len(cells))} cells did not finish; "
            "they are in no figure and no interval",
            [
                Column("Track"),
                Column("Rung", numeric=True),
                Column("Seed", numeric=True),
                Column("Training rows", numeric=True),
                Column("Status"),
                Column("Reason"),
            ],
            [
                [
                    label(str(cell.track), known),
                    str(cell.rung),
                    str(cell.seed),
                    formats.count(float(str(cell.n_train))),
                    elements.badge(str(cell.status), "bad"),
                    formats.sentence(str(cell.reason)) or "No reason was recorded.",
                ]
                for cell in lost.itertuples()
            ],
        )
