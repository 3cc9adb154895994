"""What the terminal shows at the end of a sweep: the table of tracks and the verdict."""

from __future__ import annotations

from collections.abc import Callable

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from toolkit.analysis.front import training_cpu_seconds
from toolkit.analysis.results import Interval, Results, RungSummary, TrackVerdict
from toolkit.report import formats

__all__ = ["tracks_table"]


def tracks_table(results: Results) -> Group:
    """Return what each track reaches and costs, and what it is worth, in two tables of one row a track.

    Two, because a terminal of 80 columns holds no more. Tracks stand at the rung they would be deployed
    with; those without a finished cell are shown with the reason.
    """
    error = str(results.task.get("primary_error", "error_log_loss"))
    scores = list(dict.fromkeys((error, "score_average_precision", "error_log_loss")))
    figures = _table(f"{results.task.get('title', '')}: each track at the rung it would be deployed with")
    figures.add_column("trained on", justify="right", no_wrap=True)
    for score in scores:
        figures.add_column(_heading(score, error), justify="right", no_wrap=True)
    figures.add_column("training\nCPU-s", justify="right", no_wrap=True)
    figures.add_column("predicting\n1 M rows", justify="right", no_wrap=True)
    worth = _table("± is half of a 95 % interval over clusters and seeds; times are CPU-seconds, one thread")
    worth.add_column(f"{results.verdict.currency} a year, net", justify="right", no_wrap=True)
    worth.add_column("probability\nof being best", justify="right", no_wrap=True)
    worth.add_column("verdict")
    summaries = {(summary.track, summary.rung): summary for summary in results.summaries}
    currency = results.verdict.currency
    for entry in results.verdict.tracks:
        summary = summaries.get((entry.track, entry.rung))
        if summary is None:
            continue
        per_row = summary.costs.get("cost_predict_batch_cpu_seconds_per_row")
        figures.add_row(
            escape(entry.track),
            _trained_on(summary),
            *[_estimate(summary, score) for score in scores],
            formats.number(training_cpu_seconds(summary), digits=2),
            formats.number(None if per_row is None else per_row * 1e6, digits=2),
        )
        worth.add_row(
            escape(entry.track),
            _plus_minus(
                entry.net_value_per_year, lambda value, digits: formats.money(value, currency, max(digits, 3))
            ),
            formats.probability(entry.probability_best),
            _verdict(results, entry),
        )
    shown = {entry.track for entry in results.verdict.tracks}
    for track in dict.fromkeys(results.cells["track"]):
        if track not in shown:
            worth.add_row(str(track), "", "", f"[red]{escape(_why_missing(results, str(track)))}[/]")
    return Group(figures, worth)


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("track", style="bold", no_wrap=True)
    return table


def _heading(score: str, error: str) -> str:
    name = {"score_average_precision": "PR-AUC"}.get(
        score, formats.words(score.removeprefix("error_").removeprefix("score_"))
    )
    return f"error\n({name})" if score == error else name


def _trained_on(summary: RungSummary) -> str:
    if summary.n_rules is not None:
        return f"{summary.n_rules} rules"
    return f"{formats.count(summary.n_train)} rows"


def _estimate(summary: RungSummary, score: str) -> str:
    found = summary.scores.get(score)
    return formats.MISSING if found is None else _plus_minus(found, formats.number)


def _plus_minus(value: Interval, show: Callable[[float, int], str]) -> str:
    """Return ``estimate ±half``, which is shorter than two ends."""
    half = (value.high - value.low) / 2
    estimate = show(value.estimate, formats.digits_for(value))
    return f"{estimate} ±{formats.number(half, digits=2)}" if half < 1 else f"{estimate} ±{show(half, 2)}"


def _verdict(results: Results, entry: TrackVerdict) -> str:
    if entry.excluded:
        return f"excluded: {escape(entry.excluded)}"
    if entry.track != results.verdict.best:
        return ""
    return (
        "[yellow]leads, too close to call[/]" if results.verdict.too_close_to_call else "[green]use this[/]"
    )


def _why_missing(results: Results, track: str) -> str:
    cells = results.cells
    failed = cells[(cells["track"] == track) & (cells["status"] != "finished")]
    return f"{failed.iloc[0]['status']}: {failed.iloc[0]['reason']}" if len(failed) else "no finished cell"
