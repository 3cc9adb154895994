"""Durable hand-over of finished cells: two files a cell and a folder, written whole or not at all.

``<fingerprint>.model/`` (the fitted track, of the first seed) and ``<fingerprint>.npz`` (evidence) are
renamed into place first and ``<fingerprint>.json`` (the record) last: the JSON file is the commit mark. What
is found after a crash is either a complete cell or ignored.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from toolkit.records import CellRecord, Evidence

__all__ = [
    "CellOutcome",
    "Recovered",
    "discard",
    "log_path",
    "model_path",
    "read_cell",
    "spooled",
    "write_cell",
]

DAMAGED = "damaged"
"""Folder below the spool for files that cannot be read."""


@dataclass(frozen=True)
class CellOutcome:
    """What became of one cell; evidence only when it finished.

    Parameters
    ----------
    record : CellRecord
    evidence : Evidence, optional
    model : Path, optional
        The folder of the fitted track, where it was kept.
    """

    record: CellRecord
    evidence: Evidence | None = None
    model: Path | None = None


@dataclass(frozen=True)
class Recovered:
    """Complete cells found in the spool, and a sentence for each file that was moved aside."""

    outcomes: tuple[CellOutcome, ...]
    notes: tuple[str, ...]


def log_path(spool: Path, fingerprint: str) -> Path:
    """Return where a cell's own output goes while it runs."""
    return spool / f"{fingerprint}.log"


def model_path(spool: Path, fingerprint: str) -> Path:
    """Return where a cell's fitted track goes."""
    return spool / f"{fingerprint}.model"


def _record_path(spool: Path, fingerprint: str) -> Path:
    return spool / f"{fingerprint}.json"


def _evidence_path(spool: Path, fingerprint: str) -> Path:
    return spool / f"{fingerprint}.npz"


def _write_atomically(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def write_cell(spool: Path, outcome: CellOutcome) -> None:
    """Write a cell so that it is there whole or not at all.

    Raises
    ------
    OSError
        The disk is full, or the folder is gone or not writable.
    """
    fingerprint = outcome.record.fingerprint
    if outcome.evidence is not None:
        _write_atomically(_evidence_path(spool, fingerprint), outcome.evidence.to_bytes())
    _write_atomically(_record_path(spool, fingerprint), outcome.record.model_dump_json().encode())


def read_cell(spool: Path, fingerprint: str) -> CellOutcome | None:
    """Read a cell; None when its record is not there.

    Raises
    ------
    ValueError
        Its files are damaged or are another cell's.
    """
    try:
        text = _record_path(spool, fingerprint).read_bytes()
    except FileNotFoundError:
        return None
    try:
        record = CellRecord.model_validate_json(text)
    except ValidationError as error:
        raise ValueError("its record is not a cell record") from error
    if record.fingerprint != fingerprint:
        raise ValueError("its record is another cell's")
    if record.status != "finished" or record.repeat:
        return CellOutcome(record)
    try:
        evidence = Evidence.read(_evidence_path(spool, fingerprint))
    except Exception as error:
        # NumPy raises anything from BadZipFile to KeyError on a damaged archive.
        raise ValueError(f"its evidence cannot be read ({type(error).__name__})") from error
    model = model_path(spool, fingerprint)
    return CellOutcome(record, evidence, model if model.is_dir() else None)


def discard(spool: Path, fingerprint: str) -> None:
    """Remove a cell's files, once they are logged; the record first, so that no half remains."""
    for path in (
        _record_path(spool, fingerprint),
        _evidence_path(spool, fingerprint),
        log_path(spool, fingerprint),
    ):
        path.unlink(missing_ok=True)
    model = model_path(spool, fingerprint)
    for folder in (model, *spool.glob(f".{model.name}.*")):
        shutil.rmtree(folder, ignore_errors=True)


def spooled(spool: Path, fingerprints: Iterable[str]) -> Recovered:
    """Return the cells that an earlier run completed but did not log.

    Files that cannot be read are moved to ``damaged/`` and told of; their cells run again.

    Parameters
    ----------
    spool : Path
        The folder; it need not exist.
    fingerprints : iterable of str
        The cells that are asked for. Others are left alone.

    Returns
    -------
    Recovered
    """
    outcomes: list[CellOutcome] = []
    notes: list[str] = []
    for fingerprint in fingerprints:
        try:
            outcome = read_cell(spool, fingerprint)
        except ValueError as error:
            place = _move_aside(spool, fingerprint)
            notes.append(
                f"{_record_path(spool, fingerprint)} was not used because {error}; "
                f"moved to {place}, and the cell runs again"
            )
            continue
        if outcome is not None:
            outcomes.append(outcome)
    return Recovered(tuple(outcomes), tuple(notes))


def _move_aside(spool: Path, fingerprint: str) -> Path:
    place = spool / DAMAGED
    place.mkdir(exist_ok=True)
    shutil.rmtree(model_path(spool, fingerprint), ignore_errors=True)
    for path in (_record_path(spool, fingerprint), _evidence_path(spool, fingerprint)):
        if path.exists():
            path.replace(place / path.name)
    return place
