"""``toolkit explain``: why single rows get the probability they do. Wiring only."""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from toolkit import config
from toolkit.config import Experiment
from toolkit.errors import ConfigError, DataError, ModelError, StoreError, did_you_mean
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.base import load as load_knowledge
from toolkit.knowledge.explain.by_hand import explain_given, own_schema
from toolkit.knowledge.explain.explainer import Explanations
from toolkit.knowledge.explain.given import Given, counts_as, given_frame, read_given, row_values
from toolkit.knowledge.file_kind import is_experiment
from toolkit.machine import pin_one_thread
from toolkit.report.explain_tables import explanation_view
from toolkit.store import Store
from toolkit.store.database import DATABASE
from toolkit.sweep.plan import build_task, build_track, cell_fingerprint, check_track
from toolkit.sweep.progress import duration, preparing
from toolkit.tasks.base import Task, TaskData
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Step, Track, load_track

__all__ = ["explain_rows"]

BLOCK = "validation"
"""The block that a row's number counts in. Rows of the test block are for the runner only."""

BY_HAND = "row given by hand"


@dataclass(frozen=True)
class _Asked:
    """A row that is to be explained, what to call it, and what it holds for the knowledge base."""

    title: str
    number: int | None
    features: pd.DataFrame
    known: dict[str, float | bool | str | None]


@dataclass(frozen=True)
class _Told:
    """Rows with their explanations, and what explained them; without an experiment, its parts are None."""

    experiment: str | None
    track: str | None
    rung: int | None
    model: str
    knowledge: KnowledgeBase
    rows: list[_Asked]
    explanations: Explanations


def explain_rows(
    path: Path,
    rows: Sequence[str],
    *,
    track: str | None = None,
    rung: int | None = None,
    as_json: bool = False,
    store_folder: Path | None = None,
    console: Console,
) -> int:
    """Explain rows with one track of an experiment, or with a knowledge base alone.

    Parameters
    ----------
    path : Path
        The file of either, told apart by its keys.
    rows : sequence of str
        Numbers of rows of the validation block, whose labels are not looked at, or rows given by hand. A
        knowledge base has no rows of its own.
    track : str, optional
        By default ``rules``, else the first that can explain.
    rung : int, optional
        Of the track's ladder; the largest by default.
    as_json : bool
        Print JSON and nothing else.
    store_folder : Path, optional
        Where a sweep may have left the trained track.
    console : Console

    Returns
    -------
    int
        0.

    Raises
    ------
    UserError
    """
    asked = [(text, read_given(text)) for text in rows]
    if is_experiment(path):
        told = _with_track(config.load(path), asked, track, rung, store_folder)
    else:
        told = _with_knowledge(path, asked, track, rung)
    if as_json:
        _print_json(told)
    else:
        _print_text(told, console)
    return 0


def _with_knowledge(
    path: Path, asked: Sequence[tuple[str, int | Given]], track: str | None, rung: int | None
) -> _Told:
    for option, value in (("--track", track), ("--rung", rung)):
        if value is not None:
            raise ConfigError(
                f"{option} goes with an experiment, and this is a knowledge base; leave it out",
                where=str(path),
            )
    knowledge = load_knowledge(path)
    given = []
    for text, row in asked:
        if isinstance(row, int):
            raise DataError(
                "a row's number needs an experiment, whose validation block it counts in; this is a "
                f"knowledge base: write the row's values, e.g. --row {next(iter(knowledge.columns))}=…",
                where=f"--row {text}",
            )
        given.append((text, row))
    explanations = explain_given(knowledge, given)
    columns = own_schema(knowledge, [row for _, row in given]).columns
    found = [
        _Asked(BY_HAND, None, row, row_values(row, columns, knowledge))
        for row in (explanations.features.iloc[[number]] for number in range(len(given)))
    ]
    rules = f"{len(knowledge.all_rules)} rules of {knowledge.knowledge_base}"
    return _Told(None, None, None, rules, knowledge, found, explanations)


def _with_track(
    experiment: Experiment,
    asked: Sequence[tuple[str, int | Given]],
    track: str | None,
    rung: int | None,
    store_folder: Path | None,
) -> _Told:
    name, chosen = _choose(experiment, track)
    task = build_task(experiment)
    quiet = Console(stderr=True)
    with preparing(quiet) as progress:
        task.prepare(progress)
    chosen = check_track(experiment, name, chosen, task.schema())
    step = _step(experiment, name, chosen, rung)
    knowledge = _knowledge(chosen)
    # What needs no training and may be wrong comes first.
    data = _load(task, experiment, step)
    found = [_row(text, given, task, data, knowledge) for text, given in asked]
    fitted = None
    if step.data_rung is not None and store_folder is not None:
        fingerprint = cell_fingerprint(experiment, task, name, chosen, step)
        fitted = _stored(experiment.experiment, fingerprint, store_folder, quiet)
    fitted = fitted or _fit(chosen, step, data, experiment.search, quiet)
    features = pd.concat([row.features for row in found], ignore_index=True)
    explanations = fitted.explain(features)
    trained_on = _trained_on(step, data, knowledge)
    return _Told(experiment.experiment, name, step.rung, trained_on, knowledge, found, explanations)


def _choose(experiment: Experiment, wanted: str | None) -> tuple[str, Track]:
    """Return the track to explain with."""
    if wanted is not None and wanted not in experiment.tracks:
        raise ConfigError(
            f"the experiment has no track '{wanted}'{did_you_mean(wanted, experiment.tracks)}",
            where=experiment.where("tracks"),
        )
    tracks = {name: build_track(experiment, name) for name in experiment.tracks}
    able = [name for name, track in tracks.items() if track.explains]
    if wanted is not None and wanted not in able:
        others = f"; these can: {', '.join(able)}" if able else ", and no other track here has one"
        raise ConfigError(
            f"{wanted} cannot explain single rows: it has no knowledge base{others}",
            where=experiment.where("tracks", wanted),
        )
    if not able:
        raise ConfigError(
            "no track here has a knowledge base to explain with; add one, e.g. "
            "rules: {knowledge: knowledge/retail.yaml}",
            where=experiment.where("tracks"),
        )
    name = wanted or ("rules" if "rules" in able else able[0])
    return name, tracks[name]


def _step(experiment: Experiment, name: str, track: Track, rung: int | None) -> Step:
    steps = track.steps(len(experiment.ladder.rungs))
    if rung is None:
        return steps[-1]
    if not 0 <= rung < len(steps):
        raise ConfigError(f"{name} has the rungs 0 to {len(steps) - 1}, got {rung}")
    return steps[rung]


def _knowledge(track: Track) -> KnowledgeBase:
    file = getattr(track, "knowledge", None)
    if not isinstance(file, Path):
        raise ConfigError(f"{type(track).__name__} explains without a knowledge base; that is not supported")
    return load_knowledge(file)


def _load(task: Task, experiment: Experiment, step: Step) -> TaskData:
    """Load the rows of a rung; a track that needs none gets the smallest, for the spread of its columns."""
    rungs = experiment.ladder.rungs
    return task.load(rung=rungs[0 if step.data_rung is None else step.data_rung], seed=0)


def _row(text: str, given: object, task: Task, data: TaskData, knowledge: KnowledgeBase) -> _Asked:
    columns = task.schema().columns
    if isinstance(given, int):
        features = data.valid.features
        if given >= len(features):
            raise DataError(
                f"the {BLOCK} block has the rows 0 to {len(features) - 1:,}, got {given:,}",
                where=f"--row {text}",
            )
        row = features.iloc[[given]]
        title = f"row {given} of the {BLOCK} block"
        return _Asked(title, given, row, row_values(row, columns, knowledge))
    if not isinstance(given, dict):
        raise TypeError(f"a row is a number or its values, got {given!r}")
    row = given_frame(given, columns, knowledge, text=text)
    return _Asked(BY_HAND, None, row, row_values(row, columns, knowledge))


def _stored(experiment: str, fingerprint: str, root: Path, console: Console) -> Track | None:
    """Return the track as the sweep's cell has left it; None where no cell has, or it cannot be read."""
    if not (root / DATABASE).is_file():
        return None
    try:
        with Store.open(root) as store:
            folder = store.model(experiment, fingerprint)
        return None if folder is None else load_track(folder)
    except (StoreError, ModelError) as error:
        console.print(f"the stored model is not used: {error}", highlight=False, markup=False)
        return None


def _fit(track: Track, step: Step, data: TaskData, search: float, console: Console) -> Track:
    """Return the track as the sweep's cell of this rung and seed 0 has it: searched and fitted alike."""
    pin_one_thread()
    track = copy.deepcopy(track.at(step))
    if step.data_rung is None:
        return track.fit(data.train, seed=0)
    begun = time.monotonic()
    bar = Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console)
    with bar:
        bar.add_task(f"training on {len(data.train):,} rows (rung {step.rung}, seed 0)", total=None)
        if search > 0 and len(data.train):
            track = track.search(data.train, budget_cpu_seconds=search_budget(search, data.train), seed=0)
        fitted = track.fit(data.train, seed=0)
    console.print(
        f"trained in {duration(time.monotonic() - begun)}; a smaller --rung is quicker", highlight=False
    )
    return fitted


def _trained_on(step: Step, data: TaskData, knowledge: KnowledgeBase) -> str:
    name = knowledge.knowledge_base
    if step.data_rung is None:
        total = len(knowledge.all_rules)
        count = total if step.n_rules is None else step.n_rules
        return (
            f"{count} rules of {name}" if count == total else f"the first {count} of {total} rules of {name}"
        )
    return (
        f"trained on {len(data.train):,} rows (rung {step.rung}, seed 0) with the "
        f"{len(knowledge.all_rules)} rules of {name}"
    )


def _print_text(told: _Told, console: Console) -> None:
    model = told.model if told.experiment is None else f"{told.experiment}, {told.track}: {told.model}"
    console.print(model, highlight=False, markup=False)
    stand_ins = counts_as(told.knowledge)
    for row, explanation in zip(told.rows, told.explanations, strict=True):
        console.print()
        console.print(explanation_view(row.title, explanation, row.known, stand_ins), highlight=False)


def _print_json(told: _Told) -> None:
    document: dict[str, Any] = {
        "experiment": told.experiment,
        "track": told.track,
        "rung": told.rung,
        "model": told.model,
        "knowledge_base": told.knowledge.knowledge_base,
        "knowledge_hash": told.knowledge.content_hash,
        "rows": [
            {
                "row": row.number,
                "block": None if row.number is None else BLOCK,
                "values": row.known,
                **explanation.to_dict(),
            }
            for row, explanation in zip(told.rows, told.explanations, strict=True)
        ],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.buffer.write(f"{text}\n".encode())  # UTF-8 whatever the locale
    sys.stdout.buffer.flush()
