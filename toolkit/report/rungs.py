"""Which rung of a track is shown where only one can be, its effort in words, and how the track stands."""

from __future__ import annotations

import math

from markupsafe import Markup

from toolkit.analysis.results import Results, RungSummary, TrackVerdict, Verdict
from toolkit.analysis.verdict_words import compares
from toolkit.report import formats
from toolkit.report.elements import badge

__all__ = ["chance_best", "deployed", "effort", "none_pays", "standing"]


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
        return formats.counted(summary.n_rules, "rule")
    if summary.n_train == 0:
        return "no training rows"
    rules = f", {formats.counted(summary.n_rules, 'rule')}" if summary.n_rules is not None else ""
    return f"{formats.counted(summary.n_train, 'row')}{rules}"


def none_pays(verdict: Verdict) -> bool:
    """Tell whether even the leader is expected to lose, where doing nothing earns 0."""
    return verdict.best is not None and verdict.use is None


def chance_best(verdict: Verdict, entry: TrackVerdict) -> str:
    """Return the probability of being best; a dash for a track alone, nothing for an excluded one."""
    if entry.excluded:
        return ""
    return formats.probability(entry.probability_best) if compares(verdict) else "–"


def standing(verdict: Verdict, entry: TrackVerdict) -> Markup:
    """Return what became of a track, as a badge; nothing for one that simply does not lead."""
    if entry.excluded:
        return badge("excluded", "bad")
    if entry.track != verdict.best:
        return Markup("")
    if none_pays(verdict):
        return badge("loses least", "open")
    if verdict.too_close_to_call:
        return badge("leads, not clearly", "open")
    return badge("best", "good")
