"""What makes two cells the same: a hash of all that shapes their result, and of nothing else.

In: the task and its data, the track and its parameters, the rung, the seed, the search budget, the
meaning of the program text of task, track, knowledge, scores and cell runner, the formats of
evidence and meters, and the versions of the libraries and of Python. Out: economics,
prices, analysis, report and engine, which may change without a cell running again.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib.metadata
import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import toolkit
from toolkit.config import Rung
from toolkit.knowledge.base import load
from toolkit.meters.base import METER_VERSION
from toolkit.records import EVIDENCE_VERSION, N_BINS, CellSpec
from toolkit.tasks.base import Task
from toolkit.tracks.base import Track

__all__ = ["Fingerprinter", "source_hash"]

_PACKAGES = ("numpy", "optuna", "pandas", "scikit-learn", "scipy", "torch")
_ALWAYS = (
    "scores.py",
    "seeding.py",
    "tasks/base.py",
    "tracks/base.py",
    "sweep/cell.py",
    "sweep/inference.py",
)
"""Files below ``toolkit`` that shape every cell."""


_BESIDE_RESULTS = ("checks", "explain", "mining")
"""Parts of the knowledge package that change no result."""


class Fingerprinter:
    """Hashes the cells of one experiment.

    Parameters
    ----------
    task : Task
    data_version : str
        The task's own, after `prepare`.
    search : float
        Budget of the search as a multiple of one fit.
    """

    def __init__(self, task: Task, *, data_version: str, search: float) -> None:
        self._common = {
            "task": _parameters(task),
            "task_source": source_hash(_plugin_files(task, shared=False)),
            "shared_source": source_hash(_toolkit_folder() / name for name in _ALWAYS),
            "data_version": data_version,
            "search": search,
            "evidence": [EVIDENCE_VERSION, N_BINS],
            "meters": METER_VERSION,
            "versions": _versions(),
        }
        self._knowledge: dict[Path, str] = {}

    def cell(self, spec: CellSpec, track: Track, rung: Rung | None) -> str:
        """Return the fingerprint of one cell: 32 hexadecimal digits.

        Parameters
        ----------
        spec : CellSpec
            Its own `fingerprint` and its expected `n_train` do not count.
        track : Track
            Checked, with its parameters.
        rung : Rung or None
            What the ladder says for this cell.
        """
        parts = {
            **self._common,
            "cell": [spec.task, spec.track, spec.rung, spec.n_rules, spec.seed],
            "rung": None if rung is None else rung.model_dump(),
            "track": self._track(track),
        }
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _track(self, track: Track) -> dict[str, Any]:
        files = _plugin_files(track, shared=True)
        parameters = _parameters(track)
        knowledge = getattr(track, "knowledge", None)
        if knowledge is not None:
            # what the file and its decision tables say; comments and layout do not count
            if knowledge not in self._knowledge:
                self._knowledge[knowledge] = load(knowledge).content_hash
            parameters["knowledge"] = self._knowledge[knowledge]
            files += _knowledge_files(files)
        return {"parameters": parameters, "source": source_hash(files)}


def _knowledge_files(files: Iterable[Path]) -> list[Path]:
    """Return the modules of the knowledge package that files import, at any remove and wherever they do.

    Explaining, checking and mining rules are left out: they change no result.
    """
    found: dict[Path, None] = {}
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        new = [one for one in _knowledge_imports(file, file.stat().st_mtime_ns) if one not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return list(found)


@cache
def _knowledge_imports(file: Path, modified: int) -> tuple[Path, ...]:
    """Return the modules of the knowledge package that a file imports; `modified` renews the cache."""
    folder = _toolkit_folder() / "knowledge"
    found: dict[Path, None] = {}
    for node in ast.walk(ast.parse(file.read_bytes())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("toolkit.knowledge"):
            continue
        stem = (node.module or "").removeprefix("toolkit.knowledge").lstrip(".")
        for name in [stem] if stem else [alias.name for alias in node.names]:
            module = folder / f"{name.replace('.', '/')}.py"
            if module.is_file() and name.partition(".")[0] not in _BESIDE_RESULTS:
                found[module] = None
    return tuple(found)


def source_hash(files: Iterable[Path]) -> str:
    """Return a hash of Python files that layout, comments and docstrings do not change.

    Parameters
    ----------
    files : iterable of Path
        Named by their place below ``toolkit`` (else by their name), so that moving the package
        changes nothing.
    """
    digest = hashlib.sha256()
    for file in sorted(set(files)):
        digest.update(file.name.encode())
        digest.update(_meaning(file, file.stat().st_mtime_ns).encode())
    return digest.hexdigest()


@cache
def _meaning(file: Path, modified: int) -> str:
    """Return the hash of a file's syntax tree without docstrings; `modified` renews the cache."""
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [
                part
                for part in node.body
                if not (
                    isinstance(part, ast.Expr)
                    and isinstance(part.value, ast.Constant)
                    and isinstance(part.value.value, str)
                )
            ]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _toolkit_folder() -> Path:
    return Path(toolkit.__file__).parent


def _plugin_files(plugin: Task | Track, *, shared: bool) -> list[Path]:
    """Return the plug-in's file, those of plug-ins it is a kind of, and the private files beside them.

    Parameters
    ----------
    plugin : Task or Track
    shared : bool
        True for all ``_*.py`` beside it, False for ``_<name>*.py`` only.
    """
    found: dict[Path, None] = {}
    for kind in type(plugin).__mro__:
        if not issubclass(kind, Task | Track) or kind in (Task, Track):
            continue
        file = Path(inspect.getfile(kind))
        pattern = "_*.py" if shared else f"_{file.stem}*.py"
        found |= dict.fromkeys(
            [file, *(one for one in file.parent.glob(pattern) if one.name != "__init__.py")]
        )
    return list(found)


def _parameters(plugin: Task | Track) -> dict[str, Any]:
    """Return the fields of a plug-in as plain data, a file by the hash of its content."""
    found: Any = plugin
    fields = [item.name for item in dataclasses.fields(found) if item.init]
    return {name: _plain(getattr(plugin, name)) for name in sorted(fields)}


def _plain(value: Any) -> Any:
    if isinstance(value, str | Path) and len(str(value)) < 4096 and Path(value).is_file():
        return {"file": hashlib.sha256(Path(value).read_bytes()).hexdigest()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_plain(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump())
    return repr(value)


def _versions() -> dict[str, str]:
    versions = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = ""
    return versions
