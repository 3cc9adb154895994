"""What the terminal shows at the end of a sweep: the table of tracks and the verdict."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from toolkit.analysis.front import training_cpu_seconds
from toolkit.analysis.results import Results, RungSummary, TrackVerdict
from toolkit.report import formats

__all__ = ["tracks_table"]


def tracks_table(results: Results) -> Table:
    """Return one row a track, at the rung it would be deployed with, best first.

    Tracks without a finished cell are shown with the reason of their failure.
    """
    error = str(results.task.get("primary_error", "error_log_loss"))
    name = formats.words(error.removeprefix("error_"))
    table = Table(
        title=f"{results.task.get('title', '')} — tracks at the rung they would be deployed with",
        title_justify="left",
    )
    table.add_column("track", style="bold", no_wrap=True)
    table.add_column("trained on", justify="right")
    table.add_column(f"error ({name}) [95 %]", justify="right")
    table.add_column("PR-AUC", justify="right")
    if error != "error_log_loss":
        table.add_column("log loss", justify="right")
    table.add_column("training CPU-s", justify="right")
    table.add_column("prediction CPU-s\na million rows", justify="right")
    table.add_column(f"net value, {results.verdict.currency}\na year [95 %]", justify="right")
    table.add_column("verdict")
    summaries = {(summary.track, summary.rung): summary for summary in results.summaries}
    for entry in results.verdict.tracks:
        summary = summaries.get((entry.track, entry.rung))
        if summary is not None:
            table.add_row(*_row(results, entry, summary, error))
    shown = {entry.track for entry in results.verdict.tracks}
    for track in dict.fromkeys(results.cells["track"]):
        if track not in shown:
            table.add_row(
                str(track),
                *[""] * (len(table.columns) - 2),
                f"[red]{escape(_why_missing(results, str(track)))}[/]",
            )
    return table


def _row(results: Results, entry: TrackVerdict, summary: RungSummary, error: str) -> list[str]:
    trained_on = (
        f"{summary.n_rules} rules"
        if summary.n_rules is not None
        else f"{formats.count(summary.n_train)} rows"
    )
    per_row = summary.costs.get("cost_predict_batch_cpu_seconds_per_row")
    scores = [error, "score_average_precision"] + (["error_log_loss"] if error != "error_log_loss" else [])
    value = formats.interval(
        entry.net_value_per_year,
        lambda amount, digits: formats.money(amount, results.verdict.currency, digits),
    )
    return [
        escape(entry.track),
        trained_on,
        *[
            formats.interval(summary.scores.get(score)) if score == error else _estimate(summary, score)
            for score in scores
        ],
        formats.number(training_cpu_seconds(summary)),
        formats.number(None if per_row is None else per_row * 1e6),
        value,
        _verdict(results, entry),
    ]


def _estimate(summary: RungSummary, score: str) -> str:
    found = summary.scores.get(score)
    return formats.number(found.estimate if found else None)


def _verdict(results: Results, entry: TrackVerdict) -> str:
    chance = f"best with {formats.probability(entry.probability_best)}"
    if entry.excluded:
        return f"excluded: {escape(entry.excluded)}"
    if entry.track != results.verdict.best:
        return chance
    return (
        f"[yellow]leads, too close to call[/] ({chance})"
        if results.verdict.too_close_to_call
        else f"[green]use this[/] ({chance})"
    )


def _why_missing(results: Results, track: str) -> str:
    cells = results.cells
    failed = cells[(cells["track"] == track) & (cells["status"] != "finished")]
    return f"{failed.iloc[0]['status']}: {failed.iloc[0]['reason']}" if len(failed) else "no finished cell"
