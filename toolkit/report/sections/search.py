"""What each track's search tried, what it was allowed, what it took, and what it chose."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pandas as pd
from markupsafe import Markup

from toolkit.analysis.results import Results
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
            cells = _cells(results.cells, track, summary.rung)
            if cells is not None:
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


def _cells(cells: pd.DataFrame, track: str, rung: int) -> pd.DataFrame | None:
    """Return the searched cells of a rung, first seed first."""
    if "trials_complete" not in cells.columns:
        return None
    chosen = (cells["track"] == track) & (cells["rung"] == rung) & cells["trials_complete"].notna()
    return cells[chosen].sort_values("seed") if chosen.any() else None


def _row(name: Markup, trained_on: str, cells: pd.DataFrame) -> list[str | Markup]:
    ends = [formats.count(_mean(cells, f"trials_{end}")) for end in ("complete", "pruned", "failed")]
    return [
        name,
        trained_on,
        ", ".join(ends),
        formats.number(_mean(cells, "cost_search_budget_cpu_seconds")),
        formats.number(_mean(cells, "cost_search_nominal_cpu_seconds")),
        formats.number(_mean(cells, "cost_search_cpu_seconds")),
        formats.number(_mean(cells, "chosen_parameters_per_row")),
        ", ".join(_chosen(cells.iloc[0])),
    ]


def _mean(cells: pd.DataFrame, name: str) -> float | None:
    if name not in cells.columns:
        return None
    mean = float(pd.to_numeric(cells[name]).mean())
    return None if math.isnan(mean) else mean


def _chosen(cell: pd.Series[Any]) -> list[str]:
    found = []
    for name in CHOSEN:
        value = cell.get(f"chosen_{name}")
        if value is None or (isinstance(value, float) and math.isnan(value)):
            continue
        shown = value if isinstance(value, str) else formats.number(float(value))
        found.append(f"{name.replace('_', ' ')} {shown}")
    return found
