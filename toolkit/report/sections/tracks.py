"""Every track at the rung that would be deployed: errors, costs, money."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.comparison.front import training_cpu_seconds
from toolkit.analysis.results import Interval, Results, RungSummary, TrackVerdict, Verdict
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import chance_best, deployed, effort, standing

__all__ = ["TracksSection"]

_MEMORY_PHASES = ("fit", "search", "predict_batch")
_ROWS_SHOWN = 1e6


class TracksSection(Section):
    """One row a track: what it reaches and what it costs."""

    order: ClassVar[int] = 20
    title: ClassVar[str] = "The tracks side by side"

    def render(self, results: Results) -> Markup:
        """Return the table; not applicable when no track has a finished cell."""
        if not results.summaries:
            raise NotApplicable("No track has a finished cell yet.")
        known = track_names(results)
        judged = {entry.track: entry for entry in results.verdict.tracks}
        chosen = deployed(results)
        table = elements.table(
            "Each track at the rung that the validation block values most, else at its largest",
            [
                Column("Track"),
                Column("Effort", note="training rows or rules"),
                Column("Log loss", numeric=True, note="lower is better"),
                Column("PR-AUC", numeric=True, note="higher is better"),
                Column("Training", numeric=True, note="CPU time, search included"),
                Column("Predicting", numeric=True, note="CPU time a million rows"),
                Column("Peak memory", numeric=True, note="of fit or prediction"),
                Column("Net value", numeric=True, note=f"{results.verdict.currency} a year"),
                Column("Best", numeric=True, note="probability, verdict"),
            ],
            [_row(chosen[track], judged.get(track), results, known) for track in known if track in chosen],
        )
        missing = [track for track in known if track not in chosen]
        notes = [
            "Square brackets hold 95 % intervals, over clusters of test rows and over seeds. "
            "Times are medians over seeds on one thread."
        ]
        if any(summary.n_seeds == 1 for summary in chosen.values()):
            alone = ", ".join(track for track, summary in chosen.items() if summary.n_seeds == 1)
            notes.append(
                f"One seed: {alone}. Their intervals hold no spread over seeds; "
                "a track that draws nothing at random needs only one."
            )
        if missing:
            notes.append(f"No finished cell: {', '.join(missing)}.")
        return elements.join(table, *(elements.paragraph(note, quiet=True) for note in notes))


def _best(verdict: Verdict, entry: TrackVerdict) -> Markup:
    """Return the probability of being best with the standing below it."""
    badge = standing(verdict, entry)
    text = chance_best(verdict, entry)
    return Markup("{}<br>{}").format(text, badge) if text and badge else Markup("{}{}").format(text, badge)


def _row(
    summary: RungSummary, entry: TrackVerdict | None, results: Results, known: list[str]
) -> list[str | Markup]:
    show = formats.in_money(results.verdict.currency)
    per_row = summary.costs.get("cost_predict_batch_cpu_seconds_per_row")
    memory = [
        value
        for phase in _MEMORY_PHASES
        if (value := summary.costs.get(f"cost_{phase}_peak_bytes")) is not None
    ]
    net: Interval | None = entry.net_value_per_year if entry else summary.net_value
    return [
        label(summary.track, known),
        effort(summary),
        elements.estimate(summary.scores.get("error_log_loss")),
        elements.estimate(summary.scores.get("score_average_precision")),
        formats.seconds(training_cpu_seconds(summary)),
        formats.seconds(None if per_row is None else per_row * _ROWS_SHOWN),
        formats.quantity(max(memory) if memory else None, "B"),
        elements.estimate(net, show) if net else "cannot be told",
        _best(results.verdict, entry) if entry else "",
    ]
