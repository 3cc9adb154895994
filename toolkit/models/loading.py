"""A fitted track from the files that `toolkit.models.saving` describes; ``load_track`` is this.

Files may be damaged, or written by somebody else: whatever they say, nothing is imported or run for it, and
nothing outside of the folder is read.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from toolkit import registry
from toolkit.errors import ModelError, UserError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.base import load as load_knowledge
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.models.classes import trusted_classes
from toolkit.models.estimators import unpack_estimator
from toolkit.models.folder import DOCUMENT, SavedFolder
from toolkit.models.saving import ARRAYS, FORMAT, FORMAT_VERSION
from toolkit.models.unpacker import Sources, Unpacker
from toolkit.tasks.base import Column, Schema

__all__ = ["load", "read_classifier", "read_example"]

_LEARNED = re.compile(r"[a-z][a-z0-9_]*_")
_KEYS = {
    "format",
    "format_version",
    "track",
    "parameters",
    "columns",
    "channels",
    "example",
    "learned",
    "versions",
}
_STUMBLES = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What a file that does not say what it should makes the code stumble over."""


def load(folder: Path) -> Any:
    """Load a saved track; see `toolkit.tracks.base.load_track`.

    Raises
    ------
    ModelError
        A file is missing, damaged or of a newer version, or names what is no part of a track; the message
        names the file. Nothing that the files say is imported or run.
    """
    saved = SavedFolder.open(Path(folder))
    with _told(saved):
        document = _checked(saved)
        name = document["track"]
        cls = registry.plugin("tracks", name)
        schema = _schema(document["columns"], document["channels"])
        unpacker = _unpacker(saved, sys.modules[cls.__module__], schema)
        track = _built(name, unpacker.unpack_all(document["parameters"]), saved)
        learned = document["learned"]
        for attribute in learned:
            if not _LEARNED.fullmatch(attribute) or callable(getattr(cls, attribute, None)):
                raise ModelError(f"it says that '{attribute}' was learned, which no track does")
        track._restore({"schema_": schema, **unpacker.unpack_all(learned)})
    return track


def read_example(folder: Path) -> tuple[Schema, dict[str, Any]]:
    """Return the columns of a saved track, and a row that it may predict; channels of a signal are lists.

    Raises
    ------
    ModelError
    """
    saved = SavedFolder.open(Path(folder))
    with _told(saved):
        document = _checked(saved)
        schema = _schema(document["columns"], document["channels"])
        example = document["example"] or {}
    return schema, {name: example.get(name) for name in (*schema.names, *schema.channels)}


def read_classifier(folder: Path) -> Mapping[str, Any]:
    """Return what a saved `toolkit.estimator.TrackClassifier` knew beside its track.

    Raises
    ------
    ModelError
        The folder is damaged, or holds a track that no such classifier saved.
    """
    saved = SavedFolder.open(Path(folder))
    with _told(saved):
        said = _checked(saved).get("classifier")
        if not isinstance(said, dict):
            raise ModelError(
                "this is a track alone, of a sweep or of track_.save; toolkit.tracks.base.load_track loads it"
            )
        classes = said["classes"]
        if not isinstance(classes, list) or len(classes) != 2 or type(classes[0]) is not type(classes[1]):
            raise ModelError("'classes' are two values of one type")
        np.array(classes, np.dtype(said["dtype"]))
        if type(said["seed"]) is not int or type(said["named"]) is not bool:
            raise ModelError("'seed' is a whole number, and 'named' true or false")
    return said


@contextmanager
def _told(saved: SavedFolder) -> Iterator[None]:
    """Name the file in whatever goes wrong with what it says."""
    try:
        yield
    except UserError as error:
        if error.where is not None:
            raise
        saved.refuse(error.problem)
    except _STUMBLES as error:
        where = str(saved.path / DOCUMENT)
        raise ModelError(
            f"it is not what this version saves ({type(error).__name__}: {error})", where=where
        ) from error


def _checked(saved: SavedFolder) -> Mapping[str, Any]:
    """Return the document, if this version can read it."""
    document = saved.document
    version = document.get("format_version")
    if document.get("format") != FORMAT or type(version) is not int:
        raise ModelError("this is no saved track")
    if version > FORMAT_VERSION:
        raise ModelError(
            f"the saved track has format {version}, this version reads up to {FORMAT_VERSION}; "
            "install the newer version"
        )
    if version < 1:
        raise ModelError(f"there never was a format {version}; save the track anew")
    missing = _KEYS - set(document)
    if missing:
        raise ModelError(f"it lacks {', '.join(sorted(missing))}")
    for key in ("parameters", "learned"):
        if not isinstance(document[key], dict):
            raise ModelError(f"'{key}' holds no entries")
    if not isinstance(document["track"], str) or not isinstance(document["example"], dict | None):
        raise ModelError("'track' is the name of one, and 'example' a row")
    return document


def _unpacker(saved: SavedFolder, module: Any, schema: Schema) -> Unpacker:
    arrays = _arrays(saved)
    bases: dict[str, KnowledgeBase] = {}

    def array(name: str) -> NDArray[Any]:
        if name not in arrays:
            raise ModelError(f"there is no array '{name}' in {ARRAYS}")
        return arrays[name]

    def estimator(file: str) -> Any:
        data = saved.read(file)
        try:
            return unpack_estimator(file, data)
        except ModelError as error:
            raise ModelError(error.problem, where=str(saved.path / file)) from error

    def knowledge(file: str) -> KnowledgeBase:
        if file not in bases:
            saved.read(file)  # as it was saved, or refused
            bases[file] = load_knowledge(saved.path.resolve() / file)
        return bases[file]

    def expert_system(file: str) -> ExpertSystem:
        return compile_knowledge(knowledge(file), schema)

    sources = Sources(array=array, estimator=estimator, knowledge=knowledge, expert_system=expert_system)
    return Unpacker(trusted_classes(module), sources)


def _arrays(saved: SavedFolder) -> dict[str, NDArray[Any]]:
    if ARRAYS not in saved.files:
        return {}
    try:
        found = safetensors.numpy.load(saved.read(ARRAYS))
        # memory of their own, aligned and writable, as the arrays had that were saved
        return {name: np.array(array) for name, array in found.items()}
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ModelError("the arrays cannot be read", where=str(saved.path / ARRAYS)) from error


def _built(name: str, parameters: dict[str, Any], saved: SavedFolder) -> Any:
    """Build the unfitted track; what the YAML could not say is refused, infinity excepted."""
    knowledge = parameters.get("knowledge")
    if isinstance(knowledge, str) and knowledge in saved.files:
        parameters["knowledge"] = saved.path.resolve() / knowledge
    endless = {
        key: value for key, value in parameters.items() if isinstance(value, float) and math.isinf(value)
    }
    finite = {key: math.copysign(sys.float_info.max, value) for key, value in endless.items()}
    track = registry.build("tracks", name, {**parameters, **finite})
    for key, value in endless.items():
        # a search may choose infinity, e.g. for a penalty that allows nothing
        setattr(track, key, value)
    return track


def _schema(columns: Any, channels: Any) -> Schema:
    found = []
    for each in columns:
        column = Column(**{**each, "levels": tuple(each["levels"])})
        texts = (column.name, column.unit, *column.levels)
        if column.kind not in ("number", "category") or not all(isinstance(text, str) for text in texts):
            raise ModelError(f"the column {each!r} is none")
        found.append(column)
    if len({column.name for column in found}) < len(found):
        raise ModelError("two columns have the same name")
    if not all(isinstance(name, str) for name in channels):
        raise ModelError(f"the channels {channels!r} are no names")
    return Schema(tuple(found), tuple(channels))
