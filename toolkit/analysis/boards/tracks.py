"""What a results board shows of a cell and of a track: readable names, scaled units, points at steps.

A board (MLflow's charts, for one) draws a metric against its step, uses the metric's name as the
chart's title and shows two decimals. So names are sentences, units keep most values above .01, and
errors stand at several kinds of step: training rows, CPU milliseconds, and rules.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean, median

from toolkit.analysis.boards import names
from toolkit.analysis.boards.colours import colours
from toolkit.analysis.boards.costs import (
    TRAINING,
    display_cost,
    is_diagnostic,
    log10_columns,
    training_seconds,
)
from toolkit.analysis.boards.notes import standing, track_note
from toolkit.analysis.boards.values import Board, Point, rounded
from toolkit.analysis.results import Results, RungSummary, TrackVerdict, Verdict
from toolkit.analysis.search import drawn_losses, expected_best
from toolkit.analysis.verdict_words import compares
from toolkit.records import CellRecord

__all__ = ["cell_board", "track_board", "tracks"]


@dataclass(frozen=True)
class _Rung:
    rung: int
    n_train: int
    n_rules: int | None
    scores: Mapping[str, float]
    costs: Mapping[str, float | None]
    net_value: float | None = None


def cell_board(record: CellRecord) -> Board:
    """Return a cell's scores and costs under their machine names, and what it was as parameters."""
    figures = {**record.scores, **record.costs, TRAINING: training_seconds(record.costs)}
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


def track_board(results: Results, track: str) -> Board:
    """Return a track's part in the verdict, its curves over its rungs and its figures at the largest rung.

    Parameters
    ----------
    results : Results
        Summaries, verdict and knowledge may be missing.
    track : str
    """
    rungs = _rungs(results, track)
    primary = str(results.task.get("primary_error", "error_log_loss"))
    declared = dict(dict(results.experiment.get("tracks") or {}).get(track) or {})
    params = {f"params.{key}": str(value) for key, value in declared.items()}
    tags = {"track": track, "cells": str(sum(cell.track == track for cell in results.cells))}
    tags["mlflow.runColor"] = colours(tracks(results))[track] if rungs else colours([track])[track]
    for base in results.knowledge:
        if track in base.get("tracks", ()):
            tags |= {"knowledge": str(base.get("name", "")), "knowledge_hash": str(base.get("hash", ""))}
    front = [str(one.rung) for one in results.summaries if one.track == track and one.on_front]
    tags |= {"rungs_on_front": ", ".join(front) or "none"} if results.summaries else {}
    points: list[Point] = []
    unit = names.unit_of(results)
    verdict = next((one for one in results.verdict.tracks if one.track == track), None)
    if verdict is not None:
        entering = next((one for one in rungs if one.rung == verdict.rung), None)
        points += _verdict_points(results.verdict, verdict, entering, primary, unit)
        tags |= {"verdict": standing(results.verdict, verdict)}
        tags |= {"excluded": verdict.excluded} if verdict.excluded else {}
        tags |= {"mlflow.note.content": track_note(results.verdict, verdict)}
    points += [
        Point(point.name, rounded(point.value), point.step) for point in _curve_points(rungs, primary, unit)
    ]
    if rungs:
        last = rungs[-1]
        figures = {name: value for name, value in last.costs.items() if not is_diagnostic(name)}
        fits = {name: value for name, value in figures.items() if name.startswith("cost_fit_")}
        figures |= {**last.scores, **log10_columns({**last.scores, **fits})}
        points += [Point(name, value) for name, value in figures.items() if value is not None]
        params |= {"rungs": str(len(rungs)), "largest_n_train": str(last.n_train)}
    return Board(tuple(point for point in points if math.isfinite(point.value)), params, tags)


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
        yield names.ERROR, rung.scores[primary]
    if "score_average_precision" in rung.scores:
        yield names.AP_ERROR, 1 - rung.scores["score_average_precision"]


def _training_seconds(rung: _Rung) -> float | None:
    """Return the CPU-seconds of search and fit, by which report and front go too."""
    seconds = training_seconds(rung.costs)
    return seconds if seconds is not None and math.isfinite(seconds) else None


def _curve_points(rungs: Sequence[_Rung], primary: str, unit: names.Unit) -> Iterator[Point]:
    for rung in rungs:
        # A track that climbs rules stands at 0 training rows on every rung: only its full effort
        # belongs on the axis of rows, the climb gets an axis of its own.
        on_rows = rung.n_train > 0 or rung is rungs[-1]
        shown = list(_errors(rung, primary))
        if rung.net_value is not None:
            shown.append((names.net_value(unit), rung.net_value * unit.factor))
        seconds = _training_seconds(rung)
        for name, value in shown:
            if seconds is not None:
                # at least 1: a logarithmic axis has no place for 0
                yield Point(names.along(name, names.ALONG_CPU), value, max(1, round(seconds * 1000)))
            if on_rows:
                yield Point(names.along(name, names.ALONG_ROWS), value, rung.n_train)
            if rung.n_rules is not None:
                yield Point(names.along(name, names.ALONG_RULES), value, rung.n_rules)
        yield from _straight_line(rung, primary, seconds)
        for name, cost in rung.costs.items() if on_rows else ():
            if cost is not None and not is_diagnostic(name):
                title, scaled = display_cost(name, cost)
                yield Point(title, scaled, rung.n_train)


def _straight_line(rung: _Rung, primary: str, seconds: float | None) -> Iterator[Point]:
    """Yield logarithms at the rung as the step, so that one can be drawn against another."""
    pairs = (
        (names.LOG_ERROR, rung.scores.get(primary)),
        (names.LOG_CPU, seconds),
        (names.LOG_ROWS, float(rung.n_train)),
    )
    for name, value in pairs:
        if value is not None and 0 < value < math.inf:
            yield Point(name, math.log10(value), rung.rung)


def _verdict_points(
    verdict: Verdict, one: TrackVerdict, entering: _Rung | None, primary: str, unit: names.Unit
) -> Iterator[Point]:
    """Yield the figures with which a track enters the verdict, in units for people."""
    able = [entry.net_value_per_year.estimate for entry in verdict.tracks if not entry.excluded]
    gaps = names.gap_unit(verdict)
    value = one.net_value_per_year
    figures: dict[str, float | None] = {
        names.in_verdict(names.net_value(unit)): value.estimate * unit.factor,
        f"{names.in_verdict(names.net_value(unit))} - low end": value.low * unit.factor,
        f"{names.in_verdict(names.net_value(unit))} - high end": value.high * unit.factor,
        # One that may not be used is behind nobody: it may earn more.
        names.behind(gaps): None if one.excluded else (max(able) - value.estimate) * gaps.factor,
        names.regret(gaps): None if one.regret_per_year is None else one.regret_per_year * gaps.factor,
        names.BEST_CHANCE: one.probability_best * 100 if compares(verdict) else None,
    }
    if entering is not None:
        figures |= {names.in_verdict(name): error for name, error in _errors(entering, primary)}
        seconds = _training_seconds(entering)
        figures |= {names.CPU: None if seconds is None else seconds * 1000}
        figures |= {names.ROWS: float(entering.n_train)}
        figures |= {names.RULES: entering.n_rules}
    figures[names.RUNG] = float(one.rung)
    for name, figure in figures.items():
        if figure is not None and math.isfinite(figure):
            yield Point(name, rounded(figure))
