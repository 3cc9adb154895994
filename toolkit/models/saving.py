"""A fitted track as files; ``Track.save`` is this, and `toolkit.models.loading` is the way back.

::

    track.json           format and its version, track, parameters, columns, learned values, versions, hashes
    arrays.safetensors   all arrays, named by where they stand
    knowledge.yaml       the knowledge base in words, for tracks that have one; compiled anew on loading
    estimator-0.skops    an estimator of scikit-learn, or estimator-0.lightgbm.txt, estimator-0.xgboost.json

History of the format (raise `FORMAT_VERSION`, keep old files readable):

1. First version.
"""

from __future__ import annotations

import importlib.metadata
import math
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.numpy

from toolkit import registry
from toolkit.errors import ModelError, NotFittedError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.writing import write as write_knowledge
from toolkit.models.classes import trusted_classes
from toolkit.models.folder import DOCUMENT, seal, write_folder
from toolkit.models.packer import Packer
from toolkit.tasks.base import Column, Schema
from toolkit.yamlfile import MAX_BYTES

__all__ = ["ARRAYS", "FORMAT", "FORMAT_VERSION", "Example", "pack", "save"]

FORMAT = "costcurves track"
FORMAT_VERSION = 1
ARRAYS = "arrays.safetensors"

_PACKAGES = (
    "costcurves",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "skops",
    "lightgbm",
    "xgboost",
    "safetensors",
)

Example = Mapping[str, float | str | list[int] | None]
"""A row that may be predicted: column -> number, name of a level, or None for missing."""


def save(
    track: Any,
    folder: Path,
    *,
    example: Example | None = None,
    classifier: Mapping[str, Any] | None = None,
) -> None:
    """Save a fitted track as a folder; see `toolkit.tracks.base.Track.save`.

    Parameters
    ----------
    track : Track
    folder : Path
        New or empty.
    example : mapping of str to float, str or None, optional
        A row that may be predicted, to be shown: column -> number, name of a level, or None for missing.
    classifier : mapping, optional
        What `toolkit.estimator.TrackClassifier` knows beside its track; plain data.

    Raises
    ------
    NotFittedError
    ModelError
        It learned something that cannot be saved, or the folder cannot be written.
    """
    write_folder(Path(folder), pack(track, example=example, classifier=classifier))


def pack(
    track: Any, *, example: Example | None = None, classifier: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """Return the files of a fitted track by their names; nothing is written.

    Raises
    ------
    NotFittedError
    ModelError
    """
    cls = type(track)
    name = cls.__module__.rpartition(".")[2]
    if f"toolkit.tracks.{name}" != cls.__module__ or name not in registry.names("tracks"):
        raise ModelError(
            f"cannot save a {cls.__name__}: only a track that is a file in toolkit/tracks is found again"
        )
    learned = dict(track._state())
    schema = learned.pop("schema_", None)
    if not isinstance(schema, Schema):
        raise NotFittedError(
            f"{cls.__name__} has not been fitted: call fit before save"
            + (", which must set self.schema_ = train.schema" if learned else "")
        )
    packer = Packer(trusted_classes(sys.modules[cls.__module__]))
    tree = packer.pack_all(learned)
    parameters = track.get_params(deep=False)
    if packer.knowledge and isinstance(parameters.get("knowledge"), Path):
        # where the file lay on this machine is of no use on another
        parameters["knowledge"] = next(iter(packer.knowledge))
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "track": name,
        "parameters": {key: _parameter(value, packer, key) for key, value in parameters.items()},
        "columns": [_column(column) for column in schema.columns],
        "channels": list(schema.channels),
        "example": None if example is None else {key: _plain(value) for key, value in example.items()},
        "learned": tree,
        "versions": _versions(),
        **({} if classifier is None else {"classifier": dict(classifier)}),
    }
    files = {**{file: _words(each) for file, each in packer.knowledge.items()}, **packer.estimators}
    if packer.arrays:
        files[ARRAYS] = safetensors.numpy.save(packer.arrays)
    return {DOCUMENT: seal(document, files), **files}


def _column(column: Column) -> dict[str, Any]:
    return {"name": column.name, "kind": column.kind, "levels": list(column.levels), "unit": column.unit}


def _parameter(value: Any, packer: Packer, name: str) -> Any:
    if isinstance(value, Path):
        return str(value)
    return packer.pack_all({name: value})[name]


def _plain(value: float | str | list[int] | None) -> float | str | list[int] | None:
    if value is None or isinstance(value, str | list):
        return value
    return float(value) if math.isfinite(value) else None


def _words(knowledge: KnowledgeBase) -> bytes:
    text = write_knowledge(knowledge).encode()
    if len(text) > MAX_BYTES:
        raise ModelError(
            f"the knowledge base takes {len(text):,} bytes with its tables written out, and at most "
            f"{MAX_BYTES:,} can be read again"
        )
    return text


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
