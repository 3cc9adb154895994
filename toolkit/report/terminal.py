"""What the terminal shows: the table of tracks and the verdict, and what other prices make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from toolkit.analysis.comparison.front import training_cpu_seconds
from toolkit.analysis.results import Interval, Results, RungSummary, TrackVerdict
from toolkit.analysis.spending import Footprint
from toolkit.analysis.verdict_words import more_often
from toolkit.report import formats, spans
from toolkit.report.rungs import chance_best, none_pays

__all__ = ["repriced_table", "tracks_table"]

_WIDE = 100
"""Columns of a terminal that has room for energy and carbon."""


@dataclass(frozen=True)
class _Fitting:
    """Shows one of two tables, by the room there is."""

    wide: Table
    narrow: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.wide if options.max_width >= _WIDE else self.narrow


def tracks_table(results: Results) -> Group:
    """Return what each track reaches and costs, and what it is worth, in two tables of one row a track.

    Two, because a terminal of 80 columns holds no more. Tracks stand at the rung they would be deployed
    with; those without a finished cell are shown with the reason.
    """
    training = {one.track: one for one in results.spending.footprints if one.work == "training"}
    worth = _worth(results, {})
    return Group(_figures(results), _Fitting(_worth(results, training), worth) if training else worth)


def _entering(results: Results) -> list[tuple[TrackVerdict, RungSummary]]:
    summaries = {(summary.track, summary.rung): summary for summary in results.summaries}
    return [
        (entry, summary)
        for entry in results.verdict.tracks
        if (summary := summaries.get((entry.track, entry.rung))) is not None
    ]


def _figures(results: Results) -> Table:
    """Return what each track reaches and takes."""
    error = str(results.task.get("primary_error", "error_log_loss"))
    scores = list(dict.fromkeys((error, "score_average_precision", "error_log_loss")))
    figures = _table(f"{results.task.get('title', '')}: each track at the rung it would be deployed with")
    figures.add_column("trained on", justify="right", no_wrap=True)
    for score in scores:
        figures.add_column(_heading(score, error), justify="right", no_wrap=True)
    figures.add_column("training\nCPU-s", justify="right", no_wrap=True)
    figures.add_column("predicting\n1 M rows", justify="right", no_wrap=True)
    for entry, summary in _entering(results):
        per_row = summary.costs.get("cost_predict_batch_cpu_seconds_per_row")
        figures.add_row(
            escape(entry.track),
            _trained_on(summary),
            *[_estimate(summary, score) for score in scores],
            formats.number(training_cpu_seconds(summary), digits=2),
            formats.number(None if per_row is None else per_row * 1e6, digits=2),
        )
    return figures


def _footprint(one: Footprint | None) -> tuple[str, str]:
    if one is None:
        return formats.MISSING, formats.MISSING
    return spans.joules(one.joules), spans.carbon(one.kg_co2e).removesuffix("CO₂e").rstrip()


def _worth(results: Results, training: Mapping[str, Footprint]) -> Table:
    """Return what each track is worth; energy and carbon of a training too where they are given."""
    kinds = sorted({one.basis for one in training.values()})
    told = kinds[0] if len(kinds) == 1 else "modelled where it is a range"
    note = f"; energy and carbon of a training: start, loading and fit, no search, {told}" if kinds else ""
    worth = _table(
        "± is half of a 95 % interval over clusters and seeds; that of money counts the economics too; times "
        f"are CPU-seconds, one thread; training CPU-s: search and fit{note}"
    )
    worth.add_column(f"{results.verdict.currency} a year, net", justify="right", no_wrap=True)
    worth.add_column("95 %\ninterval", justify="right", no_wrap=True)
    worth.add_column("probability\nof being best", justify="right", no_wrap=True)
    if training:
        worth.add_column("energy of\na training,\nno search", justify="right", no_wrap=True)
        worth.add_column("CO₂e of\na training,\nno search", justify="right", no_wrap=True)
    worth.add_column("verdict")
    currency = results.verdict.currency
    for entry, _ in _entering(results):
        worth.add_row(
            escape(entry.track),
            formats.money(entry.net_value_per_year.estimate, currency),
            f"{formats.money(entry.net_value_per_year.low, currency)} to "
            f"{formats.money(entry.net_value_per_year.high, currency)}",
            chance_best(results.verdict, entry),
            *(_footprint(training.get(entry.track)) if training else ()),
            _verdict(results, entry),
        )
    worth.caption = formats.sentence(more_often(results.verdict)) or None
    shown = {entry.track for entry in results.verdict.tracks}
    for track in dict.fromkeys(cell.track for cell in results.cells):
        if track not in shown:
            blank = [""] * (len(worth.columns) - 2)
            worth.add_row(escape(track), *blank, f"[red]{escape(_why_missing(results, track))}[/]")
    return worth


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.caption_justify, table.caption_style = "left", ""
    table.add_column("track", style="bold", no_wrap=True)
    return table


def _heading(score: str, error: str) -> str:
    name = {"score_average_precision": "PR-AUC"}.get(
        score, formats.words(score.removeprefix("error_").removeprefix("score_"))
    )
    return f"error\n({name})" if score == error else name


def _trained_on(summary: RungSummary) -> str:
    if summary.n_rules is not None:
        return formats.counted(summary.n_rules, "rule")
    return formats.counted(summary.n_train, "row")


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
    if none_pays(results.verdict):
        return "[yellow]loses least[/]"
    return (
        "[yellow]leads, too close to call[/]" if results.verdict.too_close_to_call else "[green]use this[/]"
    )


def _why_missing(results: Results, track: str) -> str:
    for cell in results.cells:
        if cell.track == track and cell.status != "finished":
            return f"{cell.status}: {cell.reason}"
    return "no finished cell"


def repriced_table(before: Results, after: Results) -> Group:
    """Return what other prices change: a row a track, and both verdicts below.

    Parameters
    ----------
    before : Results
        With the prices of the experiment file.
    after : Results
        The same cells with other prices.
    """
    table = _table("Priced anew: with the file's prices → with these")
    table.add_column(f"{after.verdict.currency} a year, net", justify="right", no_wrap=True)
    table.add_column("its costs a year", justify="right", no_wrap=True)
    table.add_column("probability\nof being best", justify="right", no_wrap=True)
    old = {entry.track: entry for entry in before.verdict.tracks}
    new = {entry.track: entry for entry in after.verdict.tracks}
    for track in dict.fromkeys([*new, *old]):
        first, second = old.get(track), new.get(track)
        table.add_row(
            escape(track) + _rung_moved(first, second),
            _change(_net(first, before), _net(second, after)),
            _change(_spent(first, before), _spent(second, after)),
            _change(_chance(first, before), _chance(second, after)),
        )
    return Group(
        table,
        Text.assemble(("with the file's prices: ", "bold"), before.verdict.sentence),
        Text.assemble(("with these: ", "bold"), after.verdict.sentence),
    )


def _change(first: str, second: str) -> str:
    return first if first == second else f"{first} → {second}"


def _net(entry: TrackVerdict | None, results: Results) -> str:
    if entry is None:
        return "–"
    return formats.money(entry.net_value_per_year.estimate, results.verdict.currency)


def _spent(entry: TrackVerdict | None, results: Results) -> str:
    return "–" if entry is None else formats.money(sum(entry.yearly_costs.values()), results.verdict.currency)


def _chance(entry: TrackVerdict | None, results: Results) -> str:
    if entry is None:
        return "–"
    return "excluded" if entry.excluded else chance_best(results.verdict, entry)


def _rung_moved(first: TrackVerdict | None, second: TrackVerdict | None) -> str:
    """Return a remark where other prices make another rung of the track the one to deploy."""
    if first is None or second is None or first.rung == second.rung:
        return ""
    return f" (rung {first.rung} → {second.rung})"
