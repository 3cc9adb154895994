"""The whole analysis: records and evidence in, results out. Pure, and the same every time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolkit.analysis.analysed import Analysed
from toolkit.analysis.backtest import back_test, check_backtest
from toolkit.analysis.checks import check_cells, check_curves, check_stacks
from toolkit.analysis.choices import choices_of
from toolkit.analysis.climbs import climbs
from toolkit.analysis.comparison.equal_error import equal_errors
from toolkit.analysis.comparison.front_odds import find_front
from toolkit.analysis.comparison.rung_errors import rung_errors
from toolkit.analysis.decisions import draw_outcomes, mean_values, value_rung
from toolkit.analysis.few_labels import few_labels, told
from toolkit.analysis.forecast import PRECISION_ERROR, track_curves
from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.intervals import draw_scores, draw_weights, score_intervals
from toolkit.analysis.pricing import price
from toolkit.analysis.readings import RungReadings, check_readings
from toolkit.analysis.results import CellKey, Finding, Interval, Results
from toolkit.analysis.stacks import stack_evidence
from toolkit.analysis.stops.prospects import prospects
from toolkit.analysis.validation import validate
from toolkit.analysis.waiting import check_waiting
from toolkit.config import Experiment
from toolkit.records import CellRecord, Evidence

__all__ = ["analyse", "analyse_cells"]

BASELINE = "baseline"
N_SCORE_DRAWS = 400
"""Resamples of the clusters behind the standard errors of average precision and ROC-AUC."""


def analyse(
    experiment: Experiment,
    *,
    task: Mapping[str, Any],
    cells: Sequence[CellRecord],
    evidence: Mapping[CellKey, Evidence],
    knowledge: Sequence[Mapping[str, Any]] = (),
    environment: Mapping[str, str] | None = None,
) -> Results:
    """Analyse an experiment's cells; any number of them, failed ones included.

    Parameters
    ----------
    experiment : Experiment
    task : mapping
        As in `Results`; ``margins`` (score -> difference that counts as a tie) is optional.
    cells : sequence of CellRecord
        Further readings of their costs (`repeat` from 1) included.
    evidence : mapping of (track, rung, seed) to Evidence
        Of finished cells.
    knowledge : sequence of mapping
        As in `Results`.
    environment : mapping of str to str, optional

    Returns
    -------
    Results

    Raises
    ------
    ConfigError
        The economics name hardware or a country that the price tables do not have.
    """
    analysed = analyse_cells(experiment, task=task, cells=cells, evidence=evidence)
    return price(analysed, experiment, knowledge=knowledge, environment=environment)


def analyse_cells(
    experiment: Experiment,
    *,
    task: Mapping[str, Any],
    cells: Sequence[CellRecord],
    evidence: Mapping[CellKey, Evidence],
    findings: Iterable[Finding] = (),
    stops: Iterable[EarlyStop] = (),
) -> Analysed:
    """Analyse what no price changes. Of the economics, only the value of outcomes is looked at.

    Parameters as in `analyse`; further `findings`, and the `stops` of the sweep, are taken in.
    """
    about = {"primary_error": "error_log_loss", "cluster": "row", **task}
    primary = str(about["primary_error"])
    finished = [record for record in cells if record.status == "finished" and record.repeat == 0]
    done = {(cell.track, cell.rung, cell.seed) for cell in finished}
    usable = {key: one for key, one in evidence.items() if key in done}
    stacks, mismatched = stack_evidence(usable)
    n_clusters = next(iter(stacks.values())).n_clusters if stacks else 1
    weights = draw_weights(n_clusters, N_SCORE_DRAWS, "scores", experiment.experiment)
    drawn = {key: draw_scores(stack, weights) for key, stack in stacks.items()}
    seeds = sorted({seed for stack in stacks.values() for seed in stack.seeds})
    shared = draw_outcomes(experiment.economics.value, seeds, n_clusters)
    choices = {key: choices_of(stack) for key, stack in stacks.items()}
    seen = {
        key: validate(dict(zip(stack.seeds, stack.evidence, strict=True)), shared.values[0])
        for key, stack in stacks.items()
    }
    saved, statements = few_labels(experiment, primary, stacks, drawn, weights)
    known = dict.fromkeys(record.track for record in sorted(finished, key=lambda one: one.track))
    bare = Analysed(
        task=about,
        tracks=tuple(dict.fromkeys([*experiment.tracks, *known, *(record.track for record in cells)])),
        records=tuple(cells),
        stacks=stacks,
        drawn=drawn,
        scores={},
        choices=choices,
        decisions={key: value_rung(one, seen[key], shared) for key, one in choices.items()},
        curves=(),
        labels_saved=saved,
        statements=statements,
        findings=(),
        evidence=usable,
    )
    curves = track_curves(bare.readings, primary)
    backtest = back_test(climbs(bare.readings, primary))
    every: list[Finding] = [
        *findings,
        *mismatched,
        *told(statements),
        *check_cells(_expected(experiment, bare), bare.cells, usable),
        *check_readings(bare.readings),
        *check_waiting(bare.readings.values()),
        *bare.machine.findings,
        *check_stacks(stacks.values(), str(about["cluster"])),
        *check_curves(curves),
        *check_backtest(backtest),
    ]
    told_scores = {key: score_intervals(stack, drawn[key]) for key, stack in stacks.items()}
    scores = {
        key: _with_primary(told_scores.get(key, {}), readings, primary)
        for key, readings in bare.readings.items()
    }
    baselines = [track for track in bare.tracks if experiment.plugin(track) == BASELINE]
    by_error = [
        rungs
        for error in dict.fromkeys((primary, PRECISION_ERROR))
        if (rungs := rung_errors(bare.readings, stacks, drawn, error)) is not None
    ]
    stopped = tuple(stops)
    ahead = prospects(
        bare.readings,
        ((key, dict(zip(stack.seeds, stack.evidence, strict=True))) for key, stack in stacks.items()),
        mean_values(experiment.economics.value),
        stopped,
    )
    return replace(
        bare,
        curves=curves,
        findings=tuple(every),
        scores=scores,
        fronts=tuple(find_front(rungs, baselines) for rungs in by_error),
        equal_errors=tuple(one for rungs in by_error for one in equal_errors(rungs)),
        backtest=backtest,
        stops=stopped,
        prospects=tuple(ahead),
    )


def _expected(experiment: Experiment, analysed: Analysed) -> list[str]:
    """Return the tracks that should have a finished cell: the declared ones, and those that have one."""
    return [
        track
        for track in analysed.tracks
        if track in experiment.tracks or any(track == name for name, _ in analysed.readings)
    ]


def _with_primary(
    scores: Mapping[str, Interval], readings: RungReadings, primary: str
) -> Mapping[str, Interval]:
    """Add the primary error where it is not one that evidence gives; how far it may be off is not known."""
    if primary in scores:
        return scores
    seen = [value for cell in readings.cells if (value := cell.scores.get(primary)) is not None]
    return {**scores, primary: Interval(sum(seen) / len(seen), -math.inf, math.inf)} if seen else scores
