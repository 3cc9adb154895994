"""What a results board shows of a track: readable names, scaled units, points at steps.

A board (MLflow's charts, for one) draws a metric against its step, uses the metric's name as the
chart's title and shows two decimals. So names are sentences, units keep values above .01, and
errors stand at two kinds of step: training rows, and CPU milliseconds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import fmean, median

from toolkit.analysis.results import Results, RungSummary, TrackVerdict
from toolkit.analysis.search import drawn_losses, expected_best
from toolkit.records import SETTLED, CellRecord

__all__ = [
    "Board",
    "Point",
    "cell_board",
    "display_cost",
    "log10_columns",
    "note",
    "report_board",
    "track_board",
    "tracks",
]

CPU_COST = "cost_fit_cpu_seconds"
PHASES = ("import", "load", "search", "fit", "predict_first", "predict_batch", "predict_single")
SCALES = {
    "_model_bytes": ("_model_kB", 1e-3),
    "_bytes": ("_MB", 1e-6),
    "_usd": ("_US_cents", 1e2),
    "_flop": ("_GFLOP", 1e-9),
    "_macs": ("_million_MACs", 1e-6),
    "_element_operations": ("_million_element_operations", 1e-6),
    "_encoded_values": ("_million_encoded_values", 1e-6),
    "_histogram_updates": ("_million_histogram_updates", 1e-6),
    "_split_evaluations": ("_million_split_evaluations", 1e-6),
    "_sort_comparisons": ("_million_sort_comparisons", 1e-6),
    "_node_visits": ("_million_node_visits", 1e-6),
    "_conditions": ("_million_conditions", 1e-6),
    "_rules": ("_million_rules", 1e-6),
}
SLOW_PHASES = ("import", "load", "search", "fit", "predict_batch")
PROPER = {"peak_bytes": "peak_memory_bytes", "growth_bytes": "memory_growth_bytes"}
WORDS = {"cpu": "CPU", "gpu": "GPU", "kg co2e": "kg CO2e", "kwh": "kWh"}


@dataclass(frozen=True)
class Point:
    """One value of a metric; `step` is its place on the chart's axis."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Board:
    """All that is shown of one track, or of the report."""

    points: tuple[Point, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rung:
    rung: int
    n_train: int
    n_rules: int | None
    scores: Mapping[str, float]
    costs: Mapping[str, float | None]
    net_value: float | None = None


def log10_columns(values: Mapping[str, float | None]) -> dict[str, float]:
    """Return ``log10_<name>`` of every positive cost and error: charts of MLflow are linear."""
    return {
        f"log10_{name}": math.log10(value)
        for name, value in values.items()
        if name.startswith(("cost_", "error_")) and value is not None and 0 < value < math.inf
    }


def display_cost(name: str, value: float) -> tuple[str, float]:
    """Return a cost's readable name and its value in a unit that keeps it above .01.

    Parameters
    ----------
    name : str
        ``cost_<phase>_<quantity>_<unit>``.
    value : float

    Returns
    -------
    name : str
        The quantity for the phase ``fit``, e.g. ``CPU seconds``; ``<phase>/<quantity>`` for others,
        which MLflow shows as a section of its own.
    value : float
    """
    body = name.removeprefix("cost_")
    phase = next((phase for phase in PHASES if body.startswith(f"{phase}_")), "")
    quantity = body.removeprefix(f"{phase}_") if phase else body
    quantity = PROPER.get(quantity, quantity)
    scales = SCALES if phase in ("", *SLOW_PHASES) else {**SCALES, "_seconds": ("_ms", 1e3)}
    if quantity.endswith("_per_row"):
        quantity, tail, value = quantity.removesuffix("_per_row"), " per million rows", value * 1e6
        scales = SCALES
    else:
        tail = ""
    for unit, (shown, factor) in scales.items():
        if f"_{quantity}".endswith(unit):
            quantity, value = f"_{quantity}".removesuffix(unit) + shown, value * factor
            break
    words = f" {quantity.replace('_', ' ').strip()} "
    for plain, proper in WORDS.items():
        words = words.replace(f" {plain} ", f" {proper} ")
    words = words.strip() + tail
    return (words if phase in ("", "fit") else f"{phase.replace('_', ' ')}/{words}"), value


def cell_board(record: CellRecord) -> Board:
    """Return a cell's scores and costs under their machine names, and what it was as parameters."""
    figures = {**record.scores, **record.costs}
    figures |= log10_columns(figures)
    best = expected_best(drawn_losses(record.trials))
    curve = (Point("search_expected_best_loss", float(loss), step) for step, loss in enumerate(best, start=1))
    plain = {"task", "track", "rung", "seed", "n_train", "n_rules", "n_clusters"}
    params = {**record.model_dump(include=plain), **{f"chosen_{k}": v for k, v in record.chosen.items()}}
    tags = record.model_dump(include={"fingerprint", "status", "track", "n_train", "quality", "reason"})
    tags |= {f"machine.{key}": value for key, value in record.machine.items()}
    return Board(
        points=(*(Point(name, value) for name, value in figures.items() if value is not None), *curve),
        params={key: str(value) for key, value in params.items() if value is not None},
        tags={key: str(value) for key, value in tags.items() if value not in (None, "")},
    )


def tracks(results: Results) -> list[str]:
    """Return the tracks with a cell or a summary, in the order of the experiment file."""
    found = [*(cell.track for cell in results.cells), *(summary.track for summary in results.summaries)]
    order = [*dict(results.experiment.get("tracks") or {}), *found]
    return [name for name in dict.fromkeys(order) if name in set(found)]


def _rungs(results: Results, track: str) -> list[_Rung]:
    """Return the rungs from the analysis; without it, means and medians of the finished cells."""
    summaries = [summary for summary in results.summaries if summary.track == track]
    if summaries:
        return [_from_summary(summary) for summary in sorted(summaries, key=lambda one: one.rung)]
    cells = [cell for cell in results.cells if cell.track == track and cell.status == "finished"]
    return [_from_cells(list(group)) for _, group in groupby(cells, key=lambda cell: cell.rung)]


def _from_summary(summary: RungSummary) -> _Rung:
    return _Rung(
        rung=summary.rung,
        n_train=summary.n_train,
        n_rules=summary.n_rules,
        scores={name: interval.estimate for name, interval in summary.scores.items()},
        costs=summary.costs,
        net_value=summary.net_value.estimate if summary.net_value else None,
    )


def _from_cells(cells: Sequence[CellRecord]) -> _Rung:
    return _Rung(
        rung=cells[0].rung,
        n_train=int(median(cell.n_train for cell in cells)),
        n_rules=next((cell.n_rules for cell in cells if cell.n_rules is not None), None),
        scores=_over_cells(fmean, [cell.scores for cell in cells]),
        costs=_over_cells(median, [cell.costs for cell in cells]),
    )


def _over_cells(
    reduce: Callable[[list[float]], float], figures: Sequence[Mapping[str, float | None]]
) -> dict[str, float]:
    """Reduce the known values of each figure to one."""
    known: dict[str, list[float]] = defaultdict(list)
    for name, value in (pair for of_cell in figures for pair in of_cell.items()):
        if value is not None:
            known[name].append(value)
    return {name: reduce(values) for name, values in known.items()}


def _errors(rung: _Rung, primary: str) -> Iterator[tuple[str, float]]:
    if primary in rung.scores:
        yield "test error", rung.scores[primary]
    if "score_average_precision" in rung.scores:
        yield "1 - average precision", 1 - rung.scores["score_average_precision"]


def _curve_points(rungs: list[_Rung], primary: str) -> Iterator[Point]:
    for rung in rungs:
        # A track that climbs rules stands at 0 training rows on every rung: only its full effort
        # belongs on the axis of rows, the climb gets an axis of its own.
        on_rows = rung.n_train > 0 or rung is rungs[-1]
        for name, value in _errors(rung, primary):
            if on_rows:
                yield Point(name, value, rung.n_train)
                yield Point(f"curves/{name} by training rows", value, rung.n_train)
            if rung.n_rules is not None:
                yield Point(f"curves/{name} by rules", value, rung.n_rules)
            cpu_seconds = rung.costs.get(CPU_COST)
            if cpu_seconds is not None and math.isfinite(cpu_seconds):
                yield Point(f"curves/{name} by CPU ms", value, round(cpu_seconds * 1000))
        if not on_rows:
            continue
        for name, cost in rung.costs.items():
            if cost is not None:
                shown, scaled = display_cost(name, cost)
                yield Point(shown, scaled, rung.n_train)
        if rung.net_value is not None:
            yield Point("net value a year", rung.net_value, rung.n_train)


def track_board(results: Results, track: str) -> Board:
    """Return a track's curves over its rungs and its figures at the largest rung.

    Parameters
    ----------
    results : Results
        Summaries, verdict and knowledge may be missing.
    track : str
    """
    rungs = _rungs(results, track)
    params = {
        f"params.{key}": str(value)
        for key, value in dict(dict(results.experiment.get("tracks") or {}).get(track) or {}).items()
    }
    tags = {"track": track, "cells": str(sum(cell.track == track for cell in results.cells))}
    for base in results.knowledge:
        if track in base.get("tracks", ()):
            tags |= {"knowledge": str(base.get("name", "")), "knowledge_hash": str(base.get("hash", ""))}
    points = list(_curve_points(rungs, str(results.task.get("primary_error", "error_log_loss"))))
    if rungs:
        last = rungs[-1]
        figures = {**last.scores, **last.costs}
        figures |= log10_columns(figures) | {"net_value": last.net_value}
        points += [Point(name, value) for name, value in figures.items() if value is not None]
        params |= {"rungs": str(len(rungs)), "largest_n_train": str(last.n_train)}
    verdict = next((one for one in results.verdict.tracks if one.track == track), None)
    if verdict is not None:
        points += _verdict_points(verdict)
        tags |= {"excluded": verdict.excluded} if verdict.excluded else {}
    return Board(tuple(point for point in points if math.isfinite(point.value)), params, tags)


def _verdict_points(verdict: TrackVerdict) -> list[Point]:
    value = verdict.net_value_per_year
    return [
        Point("verdict_rung", verdict.rung),
        Point("verdict_net_value_per_year", value.estimate),
        Point("verdict_net_value_per_year_low", value.low),
        Point("verdict_net_value_per_year_high", value.high),
        Point("verdict_probability_best", verdict.probability_best),
    ]


def report_board(results: Results) -> Board:
    """Return the verdict as tags and metrics, and the environment as parameters."""
    verdict = results.verdict
    answers = {
        "verdict": verdict.sentence,
        "best": verdict.best,
        "too_close_to_call": verdict.too_close_to_call,
        "deep_learning_worth_it": verdict.deep_learning_worth_it,
        "hybrid_worth_it": verdict.hybrid_worth_it,
    }
    tags = {name: _words(answer) for name, answer in answers.items()}
    figures = {
        "probability_best": verdict.probability_best,
        "probability_deep_learning_worth_it": verdict.probability_deep_learning_worth_it,
        "margin": verdict.margin,
        "cells": float(len(results.cells)),
        "cells_not_finished": float(sum(cell.status not in SETTLED for cell in results.cells)),
    }
    points = tuple(
        Point(name, value) for name, value in figures.items() if value is not None and math.isfinite(value)
    )
    return Board(points, {key: str(value) for key, value in results.environment.items()}, tags)


def _words(answer: str | bool | None) -> str:
    if answer is None:
        return "cannot be told"
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return answer


def note(results: Results, links: Mapping[str, str]) -> str:
    """Return the experiment's page in Markdown: the links and the verdict come first.

    Folded, MLflow shows one line of it: the links stand before a sentence that may be long.

    Parameters
    ----------
    results : Results
    links : mapping of str to str
        Title -> address.
    """
    verdict = results.verdict
    first = [*(f"[{title}]({address})" for title, address in links.items()), f"**{verdict.sentence}**"]
    blocks = [" · ".join(first)]
    if verdict.tracks:
        rows = [
            f"| {one.track} | {one.net_value_per_year.estimate:,.0f} "
            f"({one.net_value_per_year.low:,.0f} to {one.net_value_per_year.high:,.0f}) "
            f"| {one.probability_best:.0%} | {one.excluded or ''} |"
            for one in verdict.tracks
        ]
        head = f"| track | net value a year, {verdict.currency} | chance to be best | excluded |"
        blocks.append("\n".join([head, "|---|---|---|---|", *rows]))
    flagged = [finding for finding in results.findings if finding.severity != "info"]
    blocks += ["\n".join(f"- {finding.severity}: {finding.sentence}" for finding in flagged)]
    description = str(results.experiment.get("description") or "")
    blocks += [description, *(str(notice) for notice in results.task.get("notices") or ())]
    return "\n\n".join(block for block in blocks if block)
