"""``toolkit check``: a knowledge base or an experiment, checked before anything runs. Wiring only.

A knowledge base is checked by itself and, with data, against the training rows of an experiment; an
experiment with all its knowledge bases, tracks and cells. Labels of validation and test rows are
never looked at.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from toolkit import config
from toolkit.config import Experiment
from toolkit.context import training_rows
from toolkit.errors import ConfigError, KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.base import load as load_knowledge
from toolkit.knowledge.checks.data import hold_against
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.checks.merge import merged
from toolkit.knowledge.file_kind import is_experiment
from toolkit.knowledge.notation.listing import Style, listing
from toolkit.knowledge.observed import Observed
from toolkit.knowledge.overview import finding_to_dict, rule_to_dict
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.publish import check_published, is_published
from toolkit.report import formats
from toolkit.report.check_tables import closing_line, evidence_table, findings_table
from toolkit.sweep.plan import Plan, build_task, build_track, make_plan
from toolkit.sweep.progress import preparing
from toolkit.tasks.base import Task, TrainingData

__all__ = ["check_file"]


@dataclass(frozen=True)
class _Rows:
    """Training rows, and the words for them."""

    train: TrainingData
    cluster: str
    experiment: Path


@dataclass(frozen=True)
class _Checked:
    """A knowledge base with all that was found."""

    knowledge: KnowledgeBase
    findings: tuple[RuleFinding, ...]
    observed: Observed | None = None
    rows: _Rows | None = None


def check_file(
    path: Path,
    *,
    with_data: bool = False,
    experiment: Path | None = None,
    as_json: bool = False,
    show: Style | None = None,
    console: Console,
) -> int:
    """Check a knowledge base or an experiment and tell what was found.

    Parameters
    ----------
    path : Path
        Told apart by its keys.
    with_data : bool
        Hold a knowledge base against training rows too; an experiment's always are.
    experiment : Path, optional
        The experiment whose rows; by default the first beside the knowledge base, or one folder up,
        with a track that uses it.
    as_json : bool
        Print JSON and nothing else.
    show : Style, optional
        Tell every rule in words or as mathematics too.
    console : Console

    Returns
    -------
    int
        0, or 1 when something of severity error was found.

    Raises
    ------
    UserError
        A file cannot be read.
    """
    if is_published(path):
        options = {"--data": with_data, "--experiment": experiment, "--show": show}
        return check_published(path, options, as_json=as_json, console=console)
    plan = None
    experiment_given = is_experiment(path)
    if experiment_given:
        if experiment is not None:
            raise ConfigError(
                "--experiment goes with a knowledge base, and this is one itself", where=str(path)
            )
        checked, plan = _check_experiment(config.load(path))
    else:
        rows = _rows_for(path, experiment) if with_data or experiment is not None else None
        checked = [_check_knowledge(load_knowledge(path), rows)]
    findings = [finding for one in checked for finding in one.findings]
    if as_json:
        _print_json(path, checked, plan, show)
    else:
        for one in checked:
            _print_knowledge(one, console)
            if show is not None:
                _print_rules(one.knowledge, show, console)
        if plan is not None:
            _print_plan(plan, console)
        elif experiment_given:
            console.print("No cells are planned before the errors are mended.", highlight=False)
        console.print(closing_line(findings), highlight=False)
    return int(any(finding.severity == "error" for finding in findings))


def _rows_for(path: Path, experiment: Path | None) -> _Rows:
    """Load the rows that a knowledge base is held against."""
    chosen = config.load(experiment) if experiment is not None else next(_users(path), None)
    if chosen is None:
        raise KnowledgeError(
            "no experiment in its folder or the one above has a track that uses it, so there are no rows to "
            "hold it against; name one: --experiment experiments/retail.yaml",
            where=str(path),
        )
    task = build_task(chosen)
    with preparing(Console(stderr=True)) as progress:
        task.prepare(progress)
    return _rows(task, chosen)


def _rows(task: Task, experiment: Experiment) -> _Rows:
    return _Rows(training_rows(task, experiment), task.cluster, experiment.path)


def _users(path: Path) -> Iterator[Experiment]:
    """Yield the experiments beside a knowledge base, then one folder up, that use it."""
    wanted = path.resolve()
    for folder in (path.parent, path.parent / ".."):
        for file in sorted(Path(os.path.normpath(folder)).glob("*.yaml")):
            try:
                found = config.load(file)
            except ConfigError:
                continue  # another kind of file, or one that is being written
            files = [params.get("knowledge") for params in found.tracks.values()]
            if any(isinstance(one, str) and (file.parent / one).resolve() == wanted for one in files):
                yield found


def _check_experiment(experiment: Experiment) -> tuple[list[_Checked], Plan | None]:
    """Check knowledge bases first: with an error in one there is no plan."""
    task = build_task(experiment)
    tracks = [build_track(experiment, name) for name in experiment.tracks]
    console = Console(stderr=True)
    with preparing(console) as progress:
        task.prepare(progress)
    folder = Path(experiment.path).parent
    named = [getattr(track, "knowledge", None) for track in tracks]
    files = [file for file in named if isinstance(file, Path)]
    rows = _rows(task, experiment) if files else None
    checked = [_check_knowledge(load_knowledge(folder / file), rows) for file in dict.fromkeys(files)]
    if any(finding.severity == "error" for one in checked for finding in one.findings):
        return checked, None
    with preparing(console) as progress:
        return checked, make_plan(experiment, progress=progress)


def _check_knowledge(knowledge: KnowledgeBase, rows: _Rows | None) -> _Checked:
    schema = None if rows is None else rows.train.schema
    logical = check_knowledge(knowledge, schema)
    if rows is None or any(finding.severity == "error" for finding in logical):
        return _Checked(knowledge, logical, rows=rows)
    train = rows.train
    observed, of_data = hold_against(
        knowledge,
        compile_knowledge(knowledge, train.schema),
        train.features,
        train.labels,
        train.clusters,
        levels={column.name: column.levels for column in train.schema.categories},
        times=train.time,
    )
    return _Checked(knowledge, merged(logical, of_data, observed), observed, rows)


def _print_knowledge(checked: _Checked, console: Console) -> None:
    knowledge, rows = checked.knowledge, checked.rows
    tests = sum(len(fact.tests) for fact in (*knowledge.rules, *knowledge.never, *knowledge.always))
    parts = [
        (len(knowledge.rules), "rule"),
        (len(knowledge.tables), "table"),
        (len(knowledge.terms), "term"),
        (len(knowledge.never) + len(knowledge.always), "hard fact"),
    ]
    told = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts if count]
    told.append(f"{tests} test{'' if tests == 1 else 's'} passed")
    told.append(
        f"{knowledge.authoring.hours:g} authoring hours" if knowledge.authoring else "hours not declared"
    )
    console.print(
        f"[bold]{escape(knowledge.knowledge_base)}[/]  {escape(str(knowledge.path))}", highlight=False
    )
    console.print(f"{', '.join(told)}, hash {knowledge.content_hash}", highlight=False)
    if rows is not None and checked.observed is not None:
        console.print(f"\n{_against(rows, checked.observed, knowledge.outcome.positive)}", highlight=False)
        console.print(evidence_table(checked.observed), highlight=False)
    elif rows is not None:
        console.print("Not held against rows before the errors are mended.", highlight=False)
    if checked.findings:
        console.print(findings_table(checked.findings), highlight=False)


def _print_rules(knowledge: KnowledgeBase, show: Style, console: Console) -> None:
    for name, text, shorter in listing(knowledge, show):
        # whole lines, to be copied
        console.print(f"\n[bold]{escape(name)}[/]", highlight=False)
        console.print(f"  {escape(text)}", highlight=False, soft_wrap=True)
        if shorter is not None:
            console.print(f"  the same, shorter: {escape(shorter)}", highlight=False, soft_wrap=True)
    console.print()


def _against(rows: _Rows, observed: Observed, positive: str) -> str:
    dates = f" at {observed.n_dates} dates" if observed.n_dates else ""
    told = (
        f"Held against {escape(str(rows.experiment))}: {len(rows.train):,} training rows (largest rung, "
        f"seed 0) of {observed.n_clusters:,} clusters (one a {rows.cluster}){dates}."
    )
    if observed.observed_rate is not None and observed.expected_rate is not None:
        told += (
            f" {formats.ratio(observed.observed_rate)} are '{escape(positive)}', the prior expects "
            f"{formats.ratio(observed.expected_rate)} and is set right in general. Certainties stand in the "
            "direction of each rule: below 0 the rows say the opposite."
        )
    return told


def _print_plan(plan: Plan, console: Console) -> None:
    cells = Counter(spec.track for spec in plan.specs)
    rows = [f"{plan.task.n_train(rung):,}" for rung in plan.experiment.ladder.rungs]
    console.print(
        f"[bold]{escape(plan.experiment.experiment)}[/]: {escape(plan.task.title)}; {len(plan.specs)} cells: "
        + ", ".join(f"{escape(track)} {count}" for track, count in cells.items()),
        highlight=False,
    )
    console.print(f"rungs of about {', '.join(rows)} labelled rows", highlight=False)


def _print_json(
    path: Path, checked: Sequence[_Checked], plan: Plan | None, show: Style | None = None
) -> None:
    document: dict[str, Any] = {
        "file": str(path),
        "knowledge": [_knowledge_to_dict(one) for one in checked],
        "findings": [
            {"file": str(one.knowledge.path), **finding_to_dict(finding)}
            for one in checked
            for finding in one.findings
        ],
        "cells": None if plan is None else Counter(spec.track for spec in plan.specs),
    }
    if show is not None:
        document["shown"] = [
            {"file": str(one.knowledge.path), **shown._asdict()}
            for one in checked
            for shown in listing(one.knowledge, show)
        ]
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.buffer.write(f"{text}\n".encode())  # UTF-8 whatever the locale
    sys.stdout.buffer.flush()


def _knowledge_to_dict(checked: _Checked) -> dict[str, Any]:
    knowledge, rows, observed = checked.knowledge, checked.rows, checked.observed
    return {
        "file": str(knowledge.path),
        "name": knowledge.knowledge_base,
        "hash": knowledge.content_hash,
        "n_rules": len(knowledge.all_rules),
        "authoring_hours": None if knowledge.authoring is None else knowledge.authoring.hours,
        "experiment": None if rows is None else str(rows.experiment),
        "n_rows": None if observed is None else observed.firings.n_rows,
        "rules": None if observed is None else [rule_to_dict(seen) for seen in observed.rules],
    }
