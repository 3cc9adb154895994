"""The whole analysis: records and evidence in, results out. Pure, and the same every time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from toolkit.amounts import Range
from toolkit.analysis.checks import check_cells, check_curves, check_stacks
from toolkit.analysis.economics import RungEconomics, draw_interval, price_list, price_rung
from toolkit.analysis.few_labels import few_labels, told
from toolkit.analysis.forecast import track_curves
from toolkit.analysis.front import mark_front
from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.intervals import ScoreDraws, draw_scores, draw_weights, score_intervals
from toolkit.analysis.pairwise import compare
from toolkit.analysis.results import CellKey, Curve, Finding, Interval, Results, RungSummary, Verdict
from toolkit.analysis.stacks import Stack, StackKey, stack_evidence
from toolkit.analysis.verdict import decide, deployed
from toolkit.business import Economics, Hours
from toolkit.config import Experiment
from toolkit.records import CellRecord, Evidence, to_frame

__all__ = ["analyse"]

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
    about = {"primary_error": "error_log_loss", "cluster": "row", **task}
    order = {track: place for place, track in enumerate(experiment.tracks)}
    finished = sorted(
        (cell for cell in cells if cell.status == "finished"),
        key=lambda cell: (order.get(cell.track, len(order)), cell.track, cell.rung, cell.seed),
    )
    done = {(cell.track, cell.rung, cell.seed) for cell in finished}
    usable = {key: one for key, one in evidence.items() if key in done}
    stacks, findings = stack_evidence(usable)
    n_clusters = next(iter(stacks.values())).n_clusters if stacks else 1
    weights = draw_weights(n_clusters, N_SCORE_DRAWS, "scores", experiment.experiment)
    drawn = {key: draw_scores(stack, weights) for key, stack in stacks.items()}
    seeds = sorted({seed for stack in stacks.values() for seed in stack.seeds})
    tracks = list(dict.fromkeys([*experiment.tracks, *(cell.track for cell in finished)]))
    economics = _with_authoring(experiment.economics, knowledge)
    inputs = draw_inputs(economics, tracks, seeds, n_clusters, n_rules=_full_effort(cells))
    by_rung: dict[StackKey, list[CellRecord]] = {}
    for cell in finished:
        by_rung.setdefault((cell.track, cell.rung), []).append(cell)
    priced = {key: price_rung(stack, by_rung[key], inputs) for key, stack in stacks.items()}
    primary = str(about["primary_error"])
    summaries = [
        _summary(here, stacks.get(key), drawn.get(key), priced.get(key), primary)
        for key, here in by_rung.items()
    ]
    chosen = _in_order(deployed(list(priced.values())), tracks)
    entering = [(one.track, one.rung) for one in chosen.values()]
    curves = track_curves(finished, primary)
    saved, statements = few_labels(experiment, primary, stacks, drawn, weights)
    findings = (*findings, *told(statements))
    return Results(
        experiment=experiment.model_dump(mode="json"),
        task=about,
        cells=to_frame(cells),
        evidence=usable,
        summaries=mark_front(summaries, primary),
        curves=curves,
        pairs=compare([(stacks[key], drawn[key]) for key in entering], margins=about.get("margins")),
        verdict=_verdict(chosen, experiment),
        findings=_findings(tracks, cells, usable, stacks, about, findings, curves),
        knowledge=tuple(knowledge),
        environment=dict(environment or {}),
        prices=price_list(inputs),
        labels_saved=saved,
        statements=statements,
    )


def _full_effort(cells: Sequence[CellRecord]) -> dict[str, int]:
    """Return the largest number of rules of each track that climbs rules."""
    full: dict[str, int] = {}
    for cell in cells:
        if cell.n_rules is not None:
            full[cell.track] = max(full.get(cell.track, 0), cell.n_rules)
    return full


def _with_authoring(economics: Economics, knowledge: Sequence[Mapping[str, Any]]) -> Economics:
    """Take the hours that a knowledge base declares where the experiment declares none for its tracks."""
    hours = dict(economics.hours)
    for base in knowledge:
        spent = base.get("authoring_hours")
        if spent is None:
            continue
        for track in base.get("tracks", ()):
            hours.setdefault(track, Hours(build=Range(low=spent, likely=spent, high=spent)))
    return economics.model_copy(update={"hours": hours})


def _in_order(chosen: Mapping[str, RungEconomics], tracks: Sequence[str]) -> dict[str, RungEconomics]:
    return {track: chosen[track] for track in tracks if track in chosen}


def _verdict(chosen: Mapping[str, RungEconomics], experiment: Experiment) -> Verdict:
    economics = experiment.economics
    return decide(
        chosen,
        plugins={name: experiment.plugin(name) for name in chosen},
        margin=economics.margin,
        currency=economics.currency,
        currency_per_usd=economics.currency_per_usd,
    )


def _findings(
    tracks: Sequence[str],
    cells: Sequence[CellRecord],
    evidence: Mapping[CellKey, Evidence],
    stacks: Mapping[StackKey, Stack],
    task: Mapping[str, Any],
    found: Sequence[Finding],
    curves: Sequence[Curve],
) -> tuple[Finding, ...]:
    every = [
        *found,
        *check_cells(tracks, cells, evidence),
        *check_stacks(stacks.values(), str(task["cluster"])),
        *check_curves(curves),
    ]
    severity = ("error", "warning", "info")
    return tuple(sorted(every, key=lambda one: severity.index(one.severity)))


def _median_costs(cells: Sequence[CellRecord]) -> dict[str, float | None]:
    """Return each cost's median over seeds; None when no seed has it."""
    names = dict.fromkeys(name for cell in cells for name in cell.costs)
    values = {
        name: [
            value for cell in cells if (value := cell.costs.get(name)) is not None and math.isfinite(value)
        ]
        for name in names
    }
    return {name: median(found) if found else None for name, found in values.items()}


def _summary(
    cells: Sequence[CellRecord],
    stack: Stack | None,
    drawn: ScoreDraws | None,
    priced: RungEconomics | None,
    primary: str,
) -> RungSummary:
    scores = score_intervals(stack, drawn) if stack is not None and drawn is not None else {}
    if primary not in scores:
        seen = [value for cell in cells if (value := cell.scores.get(primary)) is not None]
        if seen:
            # Not from evidence, so how far it may be off is not known.
            scores = {**scores, primary: Interval(sum(seen) / len(seen), -math.inf, math.inf)}
    first = cells[0]
    return RungSummary(
        track=first.track,
        rung=first.rung,
        n_train=int(median(cell.n_train for cell in cells)),
        n_rules=first.n_rules,
        n_seeds=len({cell.seed for cell in cells}),
        scores=scores,
        costs=_median_costs(cells),
        validation_value=priced.validation_value if priced else None,
        net_value=draw_interval(priced.net) if priced else None,
        threshold=priced.threshold if priced else None,
    )
