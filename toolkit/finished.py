"""What a finished sweep has left beside its report: its context, and what no price changes of its analysis.

Both are files below ``reports/<experiment>/``. The context (`read_context`) is written by a sweep. The
snapshot (``analysed.json`` and ``analysed.npz``) is a cache: it is made anew when anything has changed that
it rests on, and deleting it costs a few seconds. Nothing here imports the store or a track.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from toolkit import basis, machine
from toolkit.analysis.analysed import Analysed
from toolkit.analysis.results import CellKey
from toolkit.analysis.snapshot import decode, encode
from toolkit.config import Experiment
from toolkit.errors import StoreError
from toolkit.places import DEFAULT_STORE, store_option
from toolkit.published.file import PublishedExperiment
from toolkit.records import Evidence

__all__ = [
    "StoredEvidence",
    "basis_digest",
    "code_version",
    "environment",
    "read_context",
    "read_snapshot",
    "report_folder",
    "write_snapshot",
]

_EVIDENCE = "evidence.npz"


def report_folder(root: Path, experiment: Experiment | PublishedExperiment) -> Path:
    """Return the folder of report.html and results.json below the folder of all results."""
    return root / "reports" / experiment.experiment


def _context(experiment: Experiment, root: Path) -> Path:
    return report_folder(root, experiment) / "context.json"


def code_version() -> dict[str, str]:
    """Return the commit of the code as ``git_commit``, where git can tell it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"git_commit": found.stdout.strip()}


def environment(
    experiment: Experiment | PublishedExperiment, root: Path = DEFAULT_STORE, *, command: str = ""
) -> dict[str, str]:
    """Return where a report was made (machine, versions, commit, time) and how to do it again.

    Parameters
    ----------
    experiment : Experiment or PublishedExperiment
    root : Path
        The folder of all results.
    command : str
        What made the report, without that folder, where it was no sweep.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "file": str(experiment.path),
        "command": (command or _sweep(experiment)) + store_option(root),
        **machine.describe(),
        **code_version(),
        "report_written": now,
    }


def _sweep(experiment: Experiment | PublishedExperiment) -> str:
    return f"python -m toolkit.run {shlex.quote(str(experiment.path))}"


def read_context(experiment: Experiment, root: Path) -> Mapping[str, Any]:
    """Return what a sweep has noted besides its cells: facts of the task, knowledge bases, fingerprints.

    Parameters
    ----------
    experiment : Experiment
    root : Path
        The folder of all results.

    Raises
    ------
    StoreError
        The experiment has never been run, or its context is damaged.
    """
    path = _context(experiment, root)
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


def basis_digest(experiment: Experiment, root: Path) -> str:
    """Return `toolkit.basis.digest` of an experiment whose results are below `root`."""
    return basis.digest(experiment, root, _context(experiment, root))


class StoredEvidence(Mapping[CellKey, Evidence]):
    """Evidence of cells, each read when it is asked for.

    Parameters
    ----------
    files : mapping of (track, rung, seed) to Path
    """

    def __init__(self, files: Mapping[CellKey, Path]) -> None:
        self._files = files

    def __getitem__(self, key: CellKey) -> Evidence:
        """Return the evidence of one cell."""
        path = self._files[key]
        try:
            return Evidence.read(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise StoreError(
                f"the evidence of a cell cannot be read ({error}); toolkit report does without it once "
                "analysed.json beside the report is deleted",
                where=str(path),
            ) from error

    def __iter__(self) -> Iterator[CellKey]:
        """Return the keys, in order."""
        return iter(self._files)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self._files)


def write_snapshot(
    analysed: Analysed,
    experiment: Experiment,
    root: Path,
    folders: Mapping[CellKey, Path],
    *,
    digest: str,
) -> None:
    """Keep an analysed experiment for the next time that it is priced.

    Parameters
    ----------
    analysed : Analysed
    experiment : Experiment
    root : Path
        The folder of all results.
    folders : mapping of (track, rung, seed) to Path
        Of the cells' files.
    digest : str
        What `basis_digest` returned before the cells were read.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    document, arrays = encode(analysed)
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    # the store tells real paths, and the folder of results may be a link
    files = {key: os.path.relpath(folder / _EVIDENCE, root.resolve()) for key, folder in folders.items()}
    document |= {
        "digest": digest,
        "arrays": hashlib.sha256(packed.getbuffer()).hexdigest(),
        "evidence": [[*key, files[key]] for key in analysed.evidence if key in files],
    }
    folder = report_folder(root, experiment)
    try:
        # the document goes last: with arrays of another one it is not read
        _write(folder / "analysed.npz", packed.getvalue())
        _write(folder / "analysed.json", json.dumps(document).encode())
    except OSError as error:
        raise StoreError(
            f"cannot write ({error.strerror}); free space or mend the folder", where=str(folder)
        ) from error


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def read_snapshot(experiment: Experiment, root: Path) -> Analysed | str:
    """Return the analysed experiment, or why there is none to use, in words.

    Parameters
    ----------
    experiment : Experiment
    root : Path
        The folder of all results.
    """
    folder = report_folder(root, experiment)
    try:
        document = json.loads((folder / "analysed.json").read_bytes())
        if document["digest"] != basis_digest(experiment, root):
            return "cells, the experiment file or the code have changed since the last analysis"
        content = (folder / "analysed.npz").read_bytes()
        if hashlib.sha256(content).hexdigest() != document["arrays"]:
            return "the kept analysis is damaged"
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        files = {(track, rung, seed): root / file for track, rung, seed, file in document["evidence"]}
        return decode(document, arrays, StoredEvidence(files))
    except FileNotFoundError:
        return "no analysis was kept"
    except sqlite3.Error as error:
        return f"the database of the cells cannot be read ({error})"
    except (OSError, ValueError, KeyError, TypeError, ValidationError, zipfile.BadZipFile):
        return "the kept analysis is damaged"
