"""What the terminal shows at the end of a sweep: the table of tracks and the verdict."""

from __future__ import annotations

from collections.abc import Callable

from rich.markup import escape
from rich.table import Table

from toolkit.analysis.front import training_cpu_seconds
from toolkit.analysis.results import Interval, Results, RungSummary, TrackVerdict
from toolkit.report import formats

__all__ = ["tracks_table"]


def tracks_table(results: Results) -> Table:
    """Return one row a track, at the rung it would be deployed with, best first.

    Tracks without a finished cell are shown with the reason of their failure.
    """
    error = str(results.task.get("primary_error", "error_log_loss"))
    name = formats.words(error.removeprefix("error_"))
    table = Table(
        title=f"{results.task.get('title', '')}: each track at the rung it would be deployed with",
        title_justify="left",
        caption="± is half of a 95 % interval over clusters and seeds; times are CPU-seconds on one thread",
        caption_justify="left",
    )
    table.add_column("track", style="bold", no_wrap=True)
    table.add_column("trained on", justify="right", no_wrap=True)
    table.add_column(f"error\n({name})", justify="right", no_wrap=True)
    table.add_column("PR-AUC", justify="right", no_wrap=True)
    if error != "error_log_loss":
        table.add_column("log loss", justify="right", no_wrap=True)
    table.add_column("training\nCPU-s", justify="right", no_wrap=True)
    table.add_column("predicting\n1 M rows", justify="right", no_wrap=True)
    table.add_column(f"net {results.verdict.currency}\na year", justify="right", no_wrap=True)
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
    currency = results.verdict.currency
    return [
        escape(entry.track),
        trained_on,
        *[_estimate(summary, score) for score in scores],
        formats.number(training_cpu_seconds(summary), digits=2),
        formats.number(None if per_row is None else per_row * 1e6, digits=2),
        _plus_minus(entry.net_value_per_year, lambda amount, digits: formats.money(amount, currency, digits)),
        _verdict(results, entry),
    ]


def _estimate(summary: RungSummary, score: str) -> str:
    found = summary.scores.get(score)
    return formats.MISSING if found is None else _plus_minus(found, formats.number)


def _plus_minus(value: Interval, show: Callable[[float, int], str]) -> str:
    """Return ``estimate ±half``, which is shorter than two ends."""
    half = (value.high - value.low) / 2
    estimate = show(value.estimate, formats.digits_for(value))
    return f"{estimate} ±{formats.number(half, digits=2)}" if half < 1 else f"{estimate} ±{show(half, 2)}"


def _verdict(results: Results, entry: TrackVerdict) -> str:
    chance = formats.probability(entry.probability_best)
    if entry.excluded:
        return f"excluded: {escape(entry.excluded)}"
    if entry.track != results.verdict.best:
        return f"best: {chance}"
    if results.verdict.too_close_to_call:
        return f"[yellow]leads: {chance}; too close to call[/]"
    return f"[green]use this: {chance}[/]"


def _why_missing(results: Results, track: str) -> str:
    cells = results.cells
    failed = cells[(cells["track"] == track) & (cells["status"] != "finished")]
    return f"{failed.iloc[0]['status']}: {failed.iloc[0]['reason']}" if len(failed) else "no finished cell"
