"""The files of a cell: its record, its evidence, and the log of a failure."""

from __future__ import annotations

import logging
import shutil
import zipfile
from pathlib import Path

from pydantic import ValidationError

from toolkit.errors import StoreError
from toolkit.records import RECORD_VERSION, CellRecord, Evidence

__all__ = ["MODEL", "read_evidence", "read_record", "write_cell"]

MODEL = "model"
"""Folder of a cell's fitted track, as `toolkit.models.saving` writes it."""

_log = logging.getLogger(__name__)


def write_cell(folder: Path, record: CellRecord, evidence: bytes | None, model: Path | None = None) -> None:
    """Write ``record.json``, ``evidence.npz``, ``log.txt`` where there is one, and a copy of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    if model is not None:
        shutil.copytree(model, folder / MODEL)
    if evidence is not None:
        (folder / "evidence.npz").write_bytes(evidence)
    if record.log_tail:
        (folder / "log.txt").write_text(record.log_tail, encoding="utf-8")
    (folder / "record.json").write_text(record.model_dump_json(indent=1), encoding="utf-8")


def read_record(folder: Path) -> CellRecord | None:
    """Return the record, or None with a line in the log: the cell then counts as not run.

    Raises
    ------
    StoreError
        It was written by a newer version.
    """
    path = folder / "record.json"
    try:
        record = CellRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        _log.warning("skipped a cell whose record cannot be read: %s (%s)", path, type(error).__name__)
        return None
    if record.record_version > RECORD_VERSION:
        raise StoreError(
            f"the record has format {record.record_version}, this version reads up to {RECORD_VERSION}; "
            "install the newer version",
            where=str(path),
        )
    return record


def read_evidence(folder: Path) -> Evidence | None:
    """Return the evidence, or None where there is none or, with a line in the log, it is damaged."""
    path = folder / "evidence.npz"
    try:
        return Evidence.read(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("skipped evidence that cannot be read: %s (%s)", path, type(error).__name__)
        return None
