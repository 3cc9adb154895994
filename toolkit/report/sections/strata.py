"""Parts of the test block that the task names, apart."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import deployed
from toolkit.scores import average_precision

__all__ = ["StrataSection"]

Counts = NDArray[np.int64]


class StrataSection(Section):
    """Rows, share of positives and PR-AUC of each part."""

    order: ClassVar[int] = 80
    title: ClassVar[str] = "Parts of the test block"

    def render(self, results: Results) -> Markup:
        """Return one table a part; not applicable when the task names none."""
        found = _by_stratum(results)
        if not found:
            raise NotApplicable(
                "The task names no parts of the test block, or no cell kept evidence of them."
            )
        return elements.join(
            elements.paragraph(
                "PR-AUC of each track at the rung of the tracks' table: mean over seeds, and the range over "
                "seeds. These counts are pooled over clusters, so there is no interval: small differences "
                "say nothing.",
                quiet=True,
            ),
            *(_table(results, name, tracks) for name, tracks in found.items()),
        )


def _by_stratum(results: Results) -> dict[str, dict[str, list[Counts]]]:
    """Return for each stratum and track the counts of every seed, each of shape (2, n_bins)."""
    found: dict[str, dict[str, list[Counts]]] = {}
    for track, summary in deployed(results).items():
        for key in sorted(results.evidence):
            if key[:2] != (track, summary.rung):
                continue
            for name, counts in results.evidence[key].strata.items():
                found.setdefault(name, {}).setdefault(track, []).append(counts)
    return found


def _table(results: Results, name: str, tracks: dict[str, list[Counts]]) -> Markup:
    known = track_names(results)
    positives, negatives = next(iter(tracks.values()))[0].sum(axis=1)
    rows = int(positives + negatives)
    share = formats.ratio(positives / rows) if rows else "unknown"
    body: list[list[str | Markup]] = []
    for track in known:
        scores = [float(average_precision(counts[0], counts[1])) for counts in tracks.get(track, ())]
        if not scores:
            continue
        spread = f"{formats.number(min(scores))} to {formats.number(max(scores))}" if len(scores) > 1 else ""
        body.append(
            [
                label(track, known),
                formats.number(float(np.mean(scores))),
                spread or "one seed",
            ]
        )
    return elements.table(
        f"{formats.title(name)}: {formats.count(rows)} test rows, {share} positive",
        [Column("Track"), Column("PR-AUC", numeric=True), Column("Range over seeds", numeric=True)],
        body,
    )
