"""The folder of a saved track: a document, ``track.json``, and the files that it lists with their hashes.

What the document does not list is not read, and neither is anything outside of the folder. Hashes tell damage
and later changes; they do not tell who wrote the files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from toolkit.errors import ModelError

__all__ = ["DOCUMENT", "SavedFolder", "seal", "write_folder"]

DOCUMENT = "track.json"
HASH = "sha256"

DAMAGED = "it is damaged, or was changed after it was saved; save the track anew"

MAX_DOCUMENT_BYTES = 64_000_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")


def seal(document: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return the document as text, with the sizes and hashes of its files and of itself.

    Parameters
    ----------
    document : mapping
        Finite plain data.
    files : mapping of str to bytes
    """
    listed = {name: {"bytes": len(data), HASH: _hash(data)} for name, data in files.items()}
    whole = {**document, "files": listed}
    text = json.dumps(
        {**whole, HASH: _hash(_canonical(whole))}, indent=1, ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8", "surrogatepass")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder so that it is there whole or not at all.

    Raises
    ------
    ModelError
        There is something in the folder already, or it cannot be written.
    """
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ModelError(
                "there is something here already; give a folder that is new or empty", where=str(folder)
            )
        draft.mkdir(parents=True)
        for name, data in files.items():
            (draft / name).write_bytes(data)
        draft.rename(folder)
    except OSError as error:
        raise ModelError(
            f"cannot be written ({error.strerror}); free space, or give another folder", where=str(folder)
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@dataclass(frozen=True)
class SavedFolder:
    """A folder that was opened for reading.

    Parameters
    ----------
    path : Path
    document : mapping
        What ``track.json`` says, its own hash and its list of files left out.
    files : mapping
        Name -> size and hash.
    """

    path: Path
    document: Mapping[str, Any]
    files: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> SavedFolder:
        """Read the document.

        Raises
        ------
        ModelError
            There is none, or it is damaged or was changed; the message names the file.
        """
        file = path / DOCUMENT
        if not path.is_dir():
            raise ModelError("there is no such folder; give the folder of a saved track", where=str(path))
        document = _parse(_read(file, None), file)
        said = document.pop(HASH, None)
        if said is None and "files" not in document:
            raise ModelError("this is no saved track", where=str(file))
        if said != _hash(_canonical(document)):
            raise ModelError(DAMAGED, where=str(file))
        files = document.pop("files", None)
        if not isinstance(files, dict):
            raise ModelError("it lists no files", where=str(file))
        return cls(path, document, files)

    def read(self, name: str) -> bytes:
        """Return the content of a listed file.

        Raises
        ------
        ModelError
            It is not listed, leads out of the folder, or is damaged; the message names the file.
        """
        listed = self.files.get(name)
        if not isinstance(listed, dict):
            self.refuse(f"the file '{name}' is not listed")
        if not _NAME.fullmatch(name):
            self.refuse(f"'{name}' is no name of a file of this folder")
        file = self.path / name
        size = listed.get("bytes")
        data = _read(file, size if type(size) is int else 0)
        if len(data) != size or _hash(data) != listed.get(HASH):
            raise ModelError(DAMAGED, where=str(file))
        return data

    def refuse(self, problem: str) -> NoReturn:
        """Raise a ModelError about the document."""
        raise ModelError(problem, where=str(self.path / DOCUMENT))


def _read(file: Path, size: int | None) -> bytes:
    """Return the content of a regular file, one byte more than `size` at most; links are not followed."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 (a path would be opened again)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ModelError("it is not a regular file", where=str(file))
            return stream.read(1 + (MAX_DOCUMENT_BYTES if size is None else size))
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror})", where=str(file)) from error


def _parse(data: bytes, file: Path) -> dict[str, Any]:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise ModelError(f"it has more than {MAX_DOCUMENT_BYTES:,} bytes", where=str(file))
    try:
        document = json.loads(data.decode("utf-8", "surrogatepass"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelError("it is damaged: not the JSON that was written", where=str(file)) from error
    if not isinstance(document, dict):
        raise ModelError("this is no saved track", where=str(file))
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
