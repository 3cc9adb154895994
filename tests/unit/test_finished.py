from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from toolkit.analysis.analyse import analyse_cells
from toolkit.analysis.analysed import Analysed
from toolkit.analysis.export import to_json
from toolkit.analysis.pricing import price
from toolkit.context import read_analysed
from toolkit.errors import StoreError
from toolkit.finished import (
    StoredEvidence,
    basis_digest,
    read_context,
    read_snapshot,
    report_folder,
    write_snapshot,
)
from toolkit.records import CellRecord

TRACKS = ["rules", "classical"]
STALE = "cells, the experiment file or the code have changed since the last analysis"

TABLES = """
    CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE runs (run_uuid TEXT, artifact_uri TEXT, end_time INTEGER, lifecycle_stage TEXT,
                       experiment_id INTEGER);
    CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
    INSERT INTO experiments VALUES (1, 'made_up'), (2, 'another');
"""
"""What is read of MLflow's database."""


def change_database(root: Path, statement: str, *values: tuple[object, ...]) -> None:
    """Run a statement, once for each tuple of values, on the database below a folder of results."""
    with contextlib.closing(sqlite3.connect(root / "mlflow.db")) as connection, connection:
        connection.executemany(statement, values)


def log_cell(root: Path, run: str, record: str, *, experiment: int = 1, kind: str = "cell") -> Path:
    """Make a run as the store does, and return its folder."""
    location = f"mlruns/artifacts/{experiment}/{run}/artifacts"
    change_database(root, "INSERT INTO runs VALUES (?, ?, 1, 'active', ?)", (run, location, experiment))
    change_database(root, "INSERT INTO tags VALUES (?, ?, ?)", ("kind", kind, run), ("track", "cell", run))
    folder = root.parent / location
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(record)
    return folder


@pytest.fixture
def kept(truth, draw_world, declare_experiment, tmp_path):
    """A folder of results with two finished tracks, their evidence and a kept analysis."""
    cells, evidence = draw_world(
        {"rules": truth(0.5), "classical": truth(0.9, gain=0.3)}, rungs=2, n_clusters=20, rows=5
    )
    experiment = declare_experiment(TRACKS)
    root = tmp_path / "mlruns"
    root.mkdir()
    with contextlib.closing(sqlite3.connect(root / "mlflow.db")) as connection:
        connection.executescript(TABLES)
    folders = {}
    for number, cell in enumerate(cells):
        key = cell.track, cell.rung, cell.seed
        folders[key] = log_cell(root, f"run{number}", cell.model_dump_json())
        (folders[key] / "evidence.npz").write_bytes(evidence[key].to_bytes())
    folder = report_folder(root, experiment)
    folder.mkdir(parents=True)
    (folder / "context.json").write_text('{"task": {}, "knowledge": [], "fingerprints": []}')
    analysed = analyse_cells(experiment, task={}, cells=cells, evidence=evidence)
    write_snapshot(analysed, experiment, root, folders, digest=basis_digest(experiment, root))
    return experiment, root, analysed


def test_what_was_kept_is_read_with_its_evidence(kept) -> None:
    experiment, root, analysed = kept
    found = read_snapshot(experiment, root)
    assert isinstance(found, Analysed)
    assert to_json(price(found, experiment)) == to_json(price(analysed, experiment))
    assert set(found.evidence) == set(analysed.evidence)
    assert len(found.evidence) == 7
    for key, one in found.evidence.items():
        assert (one.positives == analysed.evidence[key].positives).all()


def test_evidence_that_is_gone_is_told_when_it_is_asked_for(kept) -> None:
    experiment, root, _ = kept
    found = read_snapshot(experiment, root)
    assert isinstance(found, Analysed)
    key = next(iter(found.evidence))
    for file in root.glob("artifacts/*/*/artifacts/evidence.npz"):
        file.unlink()
    with pytest.raises(StoreError, match="evidence of a cell cannot be read"):
        found.evidence[key]
    with pytest.raises(KeyError):
        StoredEvidence({})["rules", 0, 0]


def test_other_prices_leave_it_valid(kept, declare_experiment) -> None:
    _, root, _ = kept
    other = declare_experiment(TRACKS, hardware="own-server", country="PL", volume_per_year=5)
    assert isinstance(read_snapshot(other, root), Analysed)


def test_what_it_rests_on_makes_it_stale(kept, declare_experiment) -> None:
    experiment, root, _ = kept
    worth = {"true_positive": 11.0, "false_positive": -3.0}
    assert read_snapshot(declare_experiment(TRACKS, value=worth), root) == STALE
    assert read_snapshot(declare_experiment([*TRACKS, "neural"]), root) == STALE
    later = log_cell(root, "later", "{}")
    assert read_snapshot(experiment, root) == STALE
    (later / "record.json").unlink()
    assert isinstance(read_snapshot(experiment, root), Analysed)  # no cell yet


def test_runs_that_are_no_cells_of_this_experiment_leave_it_valid(kept) -> None:
    experiment, root, _ = kept
    log_cell(root, "one", "{}", experiment=2)
    log_cell(root, "two", "{}", kind="track")
    assert isinstance(read_snapshot(experiment, root), Analysed)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?",
        "UPDATE runs SET end_time = 2 WHERE run_uuid = ?",
    ],
    ids=["deleted", "ended later"],
)
def test_a_change_to_a_run_in_mlflow_makes_it_stale(kept, change) -> None:
    experiment, root, _ = kept
    change_database(root, change, ("run1",))
    assert (root / "artifacts" / "1" / "run1" / "artifacts" / "record.json").exists()
    assert read_snapshot(experiment, root) == STALE


@pytest.mark.parametrize("name", ["record.json", "evidence.npz"])
def test_an_edited_file_of_a_cell_makes_it_stale(kept, name) -> None:
    experiment, root, _ = kept
    path = root / "artifacts" / "1" / "run1" / "artifacts" / name
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(content + b" ")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read_snapshot(experiment, root) == STALE
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert isinstance(read_snapshot(experiment, root), Analysed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert read_snapshot(experiment, root) == STALE
    path.unlink()
    assert read_snapshot(experiment, root) == STALE


class BusyStore:
    """A store in which another process does something right after the cells were listed.

    Parameters
    ----------
    cells : list of (CellRecord, Path)
    meanwhile : callable
    """

    def __init__(self, cells: list[tuple[CellRecord, Path]], meanwhile: Callable[[], object]) -> None:
        self._cells, self._meanwhile = cells, meanwhile

    def folders(self, experiment: str, fingerprints: Iterable[str]) -> list[tuple[CellRecord, Path]]:
        """Return the cells."""
        self._meanwhile()
        return self._cells


def test_what_changes_while_cells_are_analysed_makes_the_new_analysis_stale(kept) -> None:
    experiment, root, _ = kept
    files = sorted(root.glob("artifacts/1/*/artifacts/record.json"))
    cells = [(CellRecord.model_validate_json(path.read_bytes()), path.parent) for path in files]
    read_analysed(experiment, BusyStore(cells, list), root)  # type: ignore[arg-type]
    assert isinstance(read_snapshot(experiment, root), Analysed)
    busy = BusyStore(cells, lambda: log_cell(root, "later", "{}"))
    assert len(read_analysed(experiment, busy, root).evidence) == 7  # type: ignore[arg-type]
    assert read_snapshot(experiment, root) == STALE


def test_a_database_that_cannot_be_read_is_told(kept) -> None:
    experiment, root, _ = kept
    (root / "mlflow.db").write_text("no database, but long enough to be looked at as if it were one\n" * 20)
    assert "database of the cells cannot be read (file is not" in str(read_snapshot(experiment, root))
    (root / "mlflow.db").unlink()
    assert "database of the cells cannot be read (unable" in str(read_snapshot(experiment, root))
    assert not (root / "mlflow.db").exists()


def test_a_new_context_makes_it_stale(kept) -> None:
    experiment, root, _ = kept
    context = report_folder(root, experiment) / "context.json"
    context.write_text(context.read_text().replace("[]", '["f"]', 1))
    assert "have changed" in str(read_snapshot(experiment, root))


def damage_arrays(folder: Path) -> None:
    path = folder / "analysed.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def halve_document(folder: Path) -> None:
    path = folder / "analysed.json"
    path.write_text(path.read_text()[: path.stat().st_size // 2])


def drop_a_key(folder: Path) -> None:
    path = folder / "analysed.json"
    document = json.loads(path.read_text())
    del document["decisions"]
    path.write_text(json.dumps(document))


def mend_nothing(folder: Path) -> None:
    (folder / "analysed.json").write_text("[]")


@pytest.mark.parametrize("damage", [damage_arrays, halve_document, drop_a_key, mend_nothing])
def test_damage_is_noticed(kept, damage) -> None:
    experiment, root, _ = kept
    damage(report_folder(root, experiment))
    assert read_snapshot(experiment, root) == "the kept analysis is damaged"


def test_nothing_kept(kept) -> None:
    experiment, root, _ = kept
    (report_folder(root, experiment) / "analysed.json").unlink()
    assert read_snapshot(experiment, root) == "no analysis was kept"


def test_results_below_a_linked_folder_are_found(kept, tmp_path) -> None:
    experiment, root, analysed = kept
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(root)
    files = root.resolve() / "artifacts" / "1"
    folders = {key: files / f"run{number}" / "artifacts" for number, key in enumerate(analysed.evidence)}
    write_snapshot(analysed, experiment, link, folders, digest=basis_digest(experiment, link))
    found = read_snapshot(experiment, link)
    assert isinstance(found, Analysed)
    assert len([one for one in found.evidence.values() if one.n_clusters]) == 7


def test_a_copy_beside_its_original_is_held_against_its_own_files(kept, tmp_path) -> None:
    experiment, root, _ = kept
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)  # with the times of the files
    assert isinstance(read_snapshot(experiment, copy), Analysed)
    for file in copy.glob("artifacts/*/*/artifacts/record.json"):
        file.write_text("damaged")
    assert "cells, the experiment file or the code have changed" in str(read_snapshot(experiment, copy))
    assert isinstance(read_snapshot(experiment, root), Analysed)


def test_a_context_that_is_missing_or_damaged_says_what_to_run(declare_experiment, tmp_path) -> None:
    experiment = declare_experiment(TRACKS)
    with pytest.raises(StoreError, match="no results of 'made_up' here"):
        read_context(experiment, tmp_path)
    folder = report_folder(tmp_path, experiment)
    folder.mkdir(parents=True)
    (folder / "context.json").write_text("[]")
    with pytest.raises(StoreError, match="not what a sweep writes"):
        read_context(experiment, tmp_path)


def test_a_folder_that_cannot_be_written_is_told(kept) -> None:
    experiment, root, analysed = kept
    folder = report_folder(root, experiment)
    (folder / "analysed.json").unlink()
    (folder / "analysed.json.partial").mkdir()
    with pytest.raises(StoreError, match="cannot write"):
        write_snapshot(analysed, experiment, root, {}, digest="")
