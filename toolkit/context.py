"""What a report is made from: the cells in the store, and the context that a sweep leaves beside them.

The context is what the report needs besides cells (facts of the task, the rules, which cells belong
to the experiment), so that a report can be rebuilt without the data and without training.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from toolkit import prices
from toolkit.analysis.analyse import analyse_cells
from toolkit.analysis.analysed import Analysed
from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.planned import check_planned, trained_part
from toolkit.analysis.pricing import price
from toolkit.analysis.results import Results
from toolkit.analysis.stops.review import joined, still_missing
from toolkit.config import Experiment
from toolkit.errors import StoreError
from toolkit.finished import (
    basis_digest,
    environment,
    read_context,
    report_folder,
    write_snapshot,
)
from toolkit.knowledge.checks.data import hold_against
from toolkit.knowledge.checks.gate import load_checked, refuse_errors
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.checks.merge import merged
from toolkit.knowledge.overview import overview
from toolkit.store import Store
from toolkit.store.database import DATABASE, told
from toolkit.store.files import read_evidence
from toolkit.sweep.plan import Plan
from toolkit.tasks.base import Task, TrainingData

__all__ = [
    "read_analysed",
    "read_results",
    "read_stops",
    "training_rows",
    "write_context",
    "write_stops",
]

_log = logging.getLogger(__name__)


def write_context(plan: Plan, root: Path) -> None:
    """Write the context of a plan.

    Stops of an earlier sweep are kept with those of their cells that this plan asks for and does not run now.

    Parameters
    ----------
    plan : Plan
    root : Path
        The folder of all results.

    Raises
    ------
    KnowledgeError
        A knowledge base cannot be run on the task's rows: its prior is no probability there.
    StoreError
        The folder cannot be written.
    """
    task = plan.task
    context = {
        "task": {
            "name": plan.experiment.task_name,
            "title": task.title,
            "cluster": task.cluster,
            "notices": list(task.notices),
            "facts": task.data_facts(),
            "primary_error": task.primary_error,
            "data_version": plan.data_version,
        },
        "knowledge": _knowledge(plan),
        "fingerprints": [spec.fingerprint for spec in plan.whole],
        "trained": trained_part(plan.experiment),
        "stops": [asdict(stop) for stop in _kept_stops(plan, root)],
    }
    _write(context, report_folder(root, plan.experiment) / "context.json")


def write_stops(plan: Plan, root: Path, stops: Sequence[EarlyStop]) -> None:
    """Add to the context of a plan the tracks that have just stopped climbing.

    Parameters
    ----------
    plan : Plan
    root : Path
        The folder of all results, with the plan's context.
    stops : sequence of EarlyStop

    Raises
    ------
    StoreError
        The context cannot be read or written.
    """
    context = dict(read_context(plan.experiment, root))
    context["stops"] = [asdict(stop) for stop in joined(read_stops(context), stops)]
    _write(context, report_folder(root, plan.experiment) / "context.json")


def read_stops(context: Mapping[str, Any]) -> list[EarlyStop]:
    """Return the stops of a context; none in those of earlier versions."""
    return TypeAdapter(list[EarlyStop]).validate_python([_as_now(stop) for stop in context.get("stops", [])])


def _as_now(stop: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a stop as this version keeps it; earlier ones kept fingerprints instead of cells."""
    return {"cells": [{"fingerprint": one} for one in stop.get("fingerprints", ())], **stop}


def _kept_stops(plan: Plan, root: Path) -> list[EarlyStop]:
    try:
        before = read_stops(read_context(plan.experiment, root))
    except (StoreError, ValueError):
        return []
    asked, now = {spec.fingerprint for spec in plan.whole}, {spec.fingerprint for spec in plan.specs}
    return still_missing(before, asked=asked, absent=asked - now)


def _write(context: Mapping[str, Any], path: Path) -> None:
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(context, indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise StoreError(
            f"cannot write ({error.strerror}); free space or mend the folder", where=str(path)
        ) from error


def read_results(experiment: Experiment, store: Store, root: Path) -> Results:
    """Analyse every finished cell of an experiment, with the economics of the file as it is now.

    What no price changes is kept beside the report, so that other prices take no time.

    Parameters
    ----------
    experiment : Experiment
    store : Store
    root : Path
        The folder of all results.

    Raises
    ------
    StoreError
        The experiment has never been run, or its context is damaged.
    """
    return _analyse(experiment, store, root)[1]


def read_analysed(experiment: Experiment, store: Store, root: Path) -> Analysed:
    """Analyse every finished cell of an experiment but for its prices; kept as by `read_results`."""
    return _analyse(experiment, store, root)[0]


def _analyse(experiment: Experiment, store: Store, root: Path) -> tuple[Analysed, Results]:
    prices.check(experiment)
    # first of all: what is logged or edited from here on is not in the analysis, and makes it stale
    with told(f"reading '{experiment.experiment}'", root / DATABASE):
        digest = basis_digest(experiment, root)
    context = read_context(experiment, root)
    planned = context["fingerprints"]
    stored = store.folders(experiment.experiment, planned)
    absent = set(planned).difference(cell.fingerprint for cell, _ in stored)
    stops = [stop for stop in read_stops(context) if stop.track in experiment.tracks]
    stops = still_missing(stops, asked=planned, absent=absent)
    findings = check_planned(
        experiment,
        [cell for cell, _ in stored],
        fingerprints=planned,
        trained=context.get("trained"),
        stops=stops,
    )
    cells = [(cell, folder) for cell, folder in stored if cell.track in experiment.tracks]
    folders = {(cell.track, cell.rung, cell.seed): folder for cell, folder in cells if cell.repeat == 0}
    evidence = {key: found for key, folder in folders.items() if (found := read_evidence(folder)) is not None}
    analysed = analyse_cells(
        experiment,
        task=context["task"],
        cells=[cell for cell, _ in cells],
        evidence=evidence,
        findings=findings,
        stops=stops,
    )
    results = price(
        analysed, experiment, knowledge=context["knowledge"], environment=environment(experiment, root)
    )
    entering = tuple((one.track, one.rung) for one in results.verdict.tracks)
    analysed = replace(analysed, pairs={entering: results.pairs})
    try:
        write_snapshot(analysed, experiment, root, folders, digest=digest)
    except StoreError as error:
        _log.warning("other prices will take longer, as the analysis could not be kept: %s", error)
    return analysed, results


def training_rows(task: Task, experiment: Experiment) -> TrainingData:
    """Return the training rows of the largest rung, seed 0: those a knowledge base is held against.

    Rows of validation and test are never looked at.
    """
    return task.load(rung=experiment.ladder.rungs[-1], seed=0).train


def _knowledge(plan: Plan) -> list[dict[str, Any]]:
    """Return the knowledge bases in use, each once, with the tracks that use it and what rows say of it."""
    users: dict[Path, list[str]] = {}
    for name, track in plan.tracks.items():
        file = getattr(track, "knowledge", None)
        if isinstance(file, Path):
            users.setdefault(file, []).append(name)
    if not users:
        return []
    train = training_rows(plan.task, plan.experiment)
    return [_base(file, tracks, train) for file, tracks in users.items()]


def _base(file: Path, tracks: list[str], train: TrainingData) -> dict[str, Any]:
    knowledge, system = load_checked(file, train.schema)
    keys = {"id", "when", "then", "certainty", "because"}
    entry: dict[str, Any] = {
        "tracks": tracks,
        "name": knowledge.knowledge_base,
        "hash": knowledge.content_hash,
        "authoring_hours": knowledge.authoring.hours if knowledge.authoring else None,
        "rules": [rule.model_dump(mode="json", include=keys) for rule in knowledge.all_rules],
    }
    levels = {column.name: column.levels for column in train.schema.categories}
    observed, findings = hold_against(
        knowledge, system, train.features, train.labels, train.clusters, levels=levels, times=train.time
    )
    refuse_errors(findings, file)
    if observed is not None:
        findings = merged(check_knowledge(knowledge, train.schema), findings, observed)
        entry["positive"] = knowledge.outcome.positive
        entry["data"] = overview(knowledge, system, train.features, observed, levels, findings)
    return entry
