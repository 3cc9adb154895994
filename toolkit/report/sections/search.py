"""What each track's search tried, what it was allowed, what it took, and what it chose."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.records import CellRecord
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import deployed, effort

__all__ = ["SearchSection"]

CHOSEN = ("family", "strength", "penalty", "depth", "members", "dropout", "n_trees", "lambda", "tau")
"""Of what was chosen, what is shown; the rest is in results.json."""


class SearchSection(Section):
    """Trials, budget and choice of each searched track at its rung."""

    order: ClassVar[int] = 65
    title: ClassVar[str] = "The search"

    def render(self, results: Results) -> Markup:
        """Return one table; not applicable when nothing was searched."""
        known = track_names(results)
        rows = []
        for track, summary in deployed(results).items():
            cells = [
                cell
                for cell in results.cells
                if cell.track == track and cell.rung == summary.rung and cell.trials
            ]
            if cells:
                rows.append(_row(label(track, known), effort(summary), cells))
        if not rows:
            raise NotApplicable("No cell was searched: the experiment says search: 0, or none has finished.")
        return elements.join(
            elements.paragraph(
                "Every learned track may search for the same nominal CPU-seconds at a rung; pruned and "
                "failed trials are charged too. Nominal seconds are counted work, so that the same seed "
                "chooses the same on every machine; what the search took here is measured. Means over "
                "seeds; the choice is that of the first seed. More than one parameter a row is an "
                "over-parameterised model.",
                quiet=True,
            ),
            elements.table(
                "Search of each track at the rung of the tracks' table",
                [
                    Column("Track"),
                    Column("Trained on"),
                    Column("Trials: complete, pruned, failed"),
                    Column("Budget, nominal CPU-s", numeric=True),
                    Column("Charged", numeric=True),
                    Column("Took, CPU-s", numeric=True),
                    Column("Parameters a row", numeric=True),
                    Column("Chosen"),
                ],
                rows,
            ),
        )


def _row(name: Markup, trained_on: str, cells: Sequence[CellRecord]) -> list[str | Markup]:
    ends = [trial.state for cell in cells for trial in cell.trials]
    counts = [ends.count(end) / len(cells) for end in ("complete", "pruned", "failed")]
    return [
        name,
        trained_on,
        ", ".join(map(formats.count, counts)),
        *(
            formats.number(_mean([cell.costs.get(f"cost_search_{cost}") for cell in cells]))
            for cost in ("budget_cpu_seconds", "nominal_cpu_seconds", "cpu_seconds")
        ),
        formats.number(_mean([cell.chosen.get("parameters_per_row") for cell in cells])),
        ", ".join(_chosen(cells[0])),
    ]


def _mean(values: Sequence[object]) -> float | None:
    known = [float(value) for value in values if isinstance(value, int | float)]
    return fmean(known) if known else None


def _chosen(cell: CellRecord) -> list[str]:
    return [
        f"{name.replace('_', ' ')} {formats.number(value) if isinstance(value, float) else value}"
        for name in CHOSEN
        if (value := cell.chosen.get(name)) is not None
    ]
