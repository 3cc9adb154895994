"""What every phase of a track cost, by quantity, each with its basis, and how well that is known."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results, RungSummary
from toolkit.report import cost_tables, costs, elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import deployed, effort

__all__ = ["CostsSection"]

_FIRST = ("cpu_seconds", "cpu_seconds_per_row", "p50_seconds", "peak_bytes", "joules", "kg_co2e", "usd")
"""Quantities of the table that is always open; the others stand in the one below."""


class CostsSection(Section):
    """Readings by phase, one column a track."""

    order: ClassVar[int] = 50
    title: ClassVar[str] = "Costs by phase"

    def render(self, results: Results) -> Markup:
        """Return the readings; not applicable when nothing was measured."""
        chosen = deployed(results)
        columns = {
            column
            for summary in chosen.values()
            for column, value in summary.costs.items()
            if value is not None
        }
        if not columns:
            raise NotApplicable("No finished cell has a cost that could be measured.")
        found = sorted(map(costs.parse, columns), key=_place)
        first = [cost for cost in found if cost.column.endswith(_FIRST)]
        rest = [cost for cost in found if cost not in first]
        known = [track for track in track_names(results) if track in chosen]
        parts = [
            elements.paragraph(
                "Readings of one cell at the rung of the tracks' table, medians over seeds: one fresh "
                "process, one thread. Measured, counted, modelled and declared figures stand in lines "
                "of their own and are not added up.",
                quiet=True,
            ),
            _table("Main readings", first, chosen, known),
        ]
        if rest:
            parts.append(
                Markup("<details><summary>{}</summary>{}</details>").format(
                    f"Further readings ({len(rest)})", _table("Further readings", rest, chosen, known)
                )
            )
        parts += [
            cost_tables.readings(results),
            cost_tables.withheld(results),
            cost_tables.machines(results),
            _quality(results),
            cost_tables.metered_share(results),
        ]
        return elements.join(*parts)


def _place(cost: costs.Cost) -> tuple[int, str]:
    phases = list(costs.PHASES)
    return (phases.index(cost.phase) if cost.phase in phases else len(phases), cost.column)


def _table(caption: str, found: list[costs.Cost], chosen: dict[str, RungSummary], known: list[str]) -> Markup:
    return elements.table(
        caption,
        [
            Column("Phase"),
            Column("Quantity"),
            Column("Basis"),
            *(Column(track, numeric=True, note=effort(chosen[track])) for track in known),
        ],
        [
            [
                costs.PHASES.get(cost.phase, "other"),
                cost.quantity,
                cost.basis,
                *(costs.show(cost, chosen[track].costs.get(cost.column)) for track in known),
            ]
            for cost in found
        ],
    )


def _quality(results: Results) -> Markup:
    """Return how many cells of each track gave clean figures."""
    finished = [cell for cell in results.cells if cell.status == "finished"]
    known = track_names(results)
    rows = []
    for track in known:
        qualities = Counter(cell.quality or "not told" for cell in finished if cell.track == track)
        if qualities:
            told = ", ".join(f"{formats.words(name)}: {n}" for name, n in qualities.most_common())
            rows.append([label(track, known), told])
    if not rows:
        return Markup("")
    return elements.table(
        "Trust in the cost figures of the fits: contended cells shared the machine, too short ones are near "
        "the resolution of the clock",
        [Column("Track"), Column("Cells")],
        rows,
    )
