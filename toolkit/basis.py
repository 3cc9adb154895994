"""What a kept analysis rests on, as one hash: it may be used for as long as the hash is the same.

Nothing here imports the store or MLflow, which would take longer than pricing does; what MLflow's SQLite
file looks like is known from version 3.17.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import sqlite3
from importlib import metadata
from pathlib import Path

from toolkit.analysis.snapshot import SNAPSHOT_VERSION
from toolkit.config import Experiment

__all__ = ["digest"]

_BESIDE = ("amounts.py", "records.py", "scores.py", "seeding.py")
"""Modules that the analysis rests on, besides its own."""
_FILES = ("record.json", "evidence.npz")

_CELLS = """
    SELECT runs.run_uuid, runs.artifact_uri, runs.end_time
    FROM experiments
    CROSS JOIN runs ON runs.experiment_id = experiments.experiment_id
    CROSS JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = 'kind'
    WHERE experiments.name = ? AND runs.lifecycle_stage = 'active' AND tags.value = 'cell'
    ORDER BY runs.run_uuid
"""
"""SQLite nests cross joins as written: other orders look through the tags of all experiments."""


def digest(experiment: Experiment, root: Path, context: Path) -> str:
    """Return a hash of everything that the half of an analysis without prices rests on.

    To keep an analysis, take it before anything is read: what changes meanwhile then makes it stale.

    Parameters
    ----------
    experiment : Experiment
    root : Path
        The folder of all results.
    context : Path
        The file of the experiment's context; it may be missing.

    Raises
    ------
    sqlite3.Error
        MLflow's database cannot be read.
    """
    declared = experiment.model_dump(
        mode="json", exclude={"economics", "constraints", "engine", "description"}
    )
    source = hashlib.sha256()
    package = Path(__file__).parent
    for path in [*sorted((package / "analysis").rglob("*.py")), *(package / name for name in _BESIDE)]:
        source.update(path.read_bytes())
    facts = {
        "format": SNAPSHOT_VERSION,
        "versions": [platform.python_version(), *(metadata.version(name) for name in ("numpy", "scipy"))],
        "source": source.hexdigest(),
        "experiment": declared,
        "value": experiment.economics.value.model_dump(mode="json"),
        "context": hashlib.sha256(context.read_bytes()).hexdigest() if context.exists() else None,
        "cells": _cells(experiment.experiment, root.resolve()),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _cells(experiment: str, root: Path) -> list[list[str | int | None]]:
    """Return the cells that the store would read, each with the time and size of its files.

    Runs that were deleted keep their files, so the database is asked; when a cell has ended tells which of
    several with one fingerprint counts.
    """
    uri = f"{(root / 'mlflow.db').as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=20)) as connection:
        runs = connection.execute(_CELLS, (experiment,)).fetchall()
    found: list[list[str | int | None]] = []
    for run, location, ended in runs:
        # As `toolkit.store` finds it: stored relative to the folder above the results. A copy under another
        # name has the name of the original in it, which may stand beside it, until the store is opened.
        folder = Path(str(location).removeprefix("file://"))
        if not folder.is_absolute():
            folder = root.joinpath(*folder.parts[1:])
        files = [_file(folder / name) for name in _FILES]
        if files[0] is not None:  # else it is being written
            found.append([run, ended, *(fact for file in files for fact in file or (None, None))])
    return found


def _file(path: Path) -> tuple[int, int] | None:
    """Return when a file was last written, in nanoseconds, and its size in bytes; None for no file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size
