"""Cells that did not finish, each with its reason: nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.records import SETTLED, CellRecord
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
        if not cells:
            raise NotApplicable("No cell has been run yet.")
        total = formats.count(len(cells))
        lost = [cell for cell in cells if cell.status not in SETTLED]
        apart = [cell for cell in cells if cell.status == "not_applicable"]
        if not lost and not apart:
            raise NotApplicable(f"None: all {total} cells finished.")
        parts = []
        if lost:
            caption = f"{formats.count(len(lost))} of {total} cells did not finish; "
            parts.append(_table(results, lost, caption, "bad"))
        if apart:
            caption = (
                f"{formats.count(len(apart))} of {total} cells do not apply: too few labels for the track; "
            )
            parts.append(_table(results, apart, caption, "plain"))
        return elements.join(*parts)


def _table(results: Results, cells: Sequence[CellRecord], caption: str, look: str) -> Markup:
    known = track_names(results)
    return elements.table(
        f"{caption}they are in no figure and no interval",
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
                label(cell.track, known),
                str(cell.rung),
                str(cell.seed),
                formats.count(cell.n_train),
                elements.badge(formats.words(cell.status), look),
                formats.sentence(cell.reason) or "No reason was recorded.",
            ]
            for cell in cells
        ],
    )
