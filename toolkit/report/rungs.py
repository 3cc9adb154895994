"""Which rung of a track is shown where only one can be, and its effort in words."""

from __future__ import annotations

import math

from toolkit.analysis.results import Results, RungSummary
from toolkit.report import formats

__all__ = ["deployed", "effort"]


def deployed(results: Results) -> dict[str, RungSummary]:
    """Return for each track the rung that enters the verdict, else its largest."""
    rungs = {entry.track: entry.rung for entry in results.verdict.tracks}
    chosen: dict[str, RungSummary] = {}
    for summary in sorted(results.summaries, key=lambda entry: entry.rung):
        if summary.rung <= rungs.get(summary.track, math.inf):
            chosen[summary.track] = summary
    return chosen


def effort(summary: RungSummary) -> str:
    """Return rows or rules in words."""
    if summary.n_rules is not None and summary.n_train == 0:
        return f"{formats.count(summary.n_rules)} rules"
    rules = f", {formats.count(summary.n_rules)} rules" if summary.n_rules is not None else ""
    return f"{formats.count(summary.n_train)} rows{rules}"
