"""What a report is made from: the cells in the store, and the context that a sweep leaves beside them.

The context is what the report needs besides cells (facts of the task, the rules, which cells belong
to the experiment), so that a report can be rebuilt without the data and without training.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit import machine, prices
from toolkit.analysis.analyse import analyse
from toolkit.analysis.results import Results
from toolkit.config import Experiment
from toolkit.errors import StoreError
from toolkit.knowledge.checks.data import hold_against
from toolkit.knowledge.checks.gate import load_checked, refuse_errors
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.checks.merge import merged
from toolkit.knowledge.overview import overview
from toolkit.store import Store
from toolkit.sweep.plan import Plan
from toolkit.tasks.base import Task, TrainingData

__all__ = ["code_version", "read_results", "report_folder", "training_rows", "write_context"]


def report_folder(root: Path, experiment: Experiment) -> Path:
    """Return the folder of report.html and results.json below the folder of all results."""
    return root / "reports" / experiment.experiment


def code_version() -> dict[str, str]:
    """Return the commit of the code as ``git_commit``, where git can tell it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"git_commit": found.stdout.strip()}


def write_context(plan: Plan, root: Path) -> None:
    """Write the context of a plan.

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
    }
    path = report_folder(root, plan.experiment) / "context.json"
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
    prices.check(experiment)
    context = _read_context(experiment, root)
    cells = store.read(experiment.experiment, context["fingerprints"])
    evidence = {(cell.track, cell.rung, cell.seed): found for cell, found in cells if found is not None}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return analyse(
        experiment,
        task=context["task"],
        cells=[cell for cell, _ in cells],
        evidence=evidence,
        knowledge=context["knowledge"],
        environment={
            "file": str(experiment.path),
            **machine.describe(),
            **code_version(),
            "report_written": now,
        },
    )


def _read_context(experiment: Experiment, root: Path) -> Mapping[str, Any]:
    path = report_folder(root, experiment) / "context.json"
    command = f"python -m toolkit.run {shlex.quote(str(experiment.path))} --store {shlex.quote(str(root))}"
    try:
        context: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(context, dict) or not {"task", "knowledge", "fingerprints"} <= set(context):
            raise ValueError("not what a sweep writes")
    except FileNotFoundError as error:
        raise StoreError(
            f"no results of '{experiment.experiment}' here, or the context of the last run was deleted; "
            f"run (finished cells are found again): {command}",
            where=str(path.parent),
        ) from error
    except (OSError, ValueError) as error:
        raise StoreError(
            f"cannot be read ({error}); this writes it anew: {command}", where=str(path)
        ) from error
    return context


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
