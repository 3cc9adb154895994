"""The parts of the store that need no MLflow: what is shown, the database file, the files of a cell."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.errors import StoreError
from toolkit.records import CellRecord
from toolkit.store.database import Lock, check, create, link_above, make_portable, told
from toolkit.store.files import read_evidence, read_record, write_cell


def cell(track: str = "neural", rung: int = 0, seed: int = 0, **changes: object) -> CellRecord:
    values: dict[str, object] = {
        "experiment": "toy",
        "task": "toy",
        "track": track,
        "rung": rung,
        "seed": seed,
        "n_train": 100 * 2**rung,
        "fingerprint": f"{track}-{rung}-{seed}",
        "status": "finished",
        "scores": {"error_log_loss": 0.5 - 0.1 * rung + 0.02 * seed, "score_average_precision": 0.3},
        "costs": {"cost_fit_cpu_seconds": 2.0**rung, "cost_fit_peak_memory_bytes": 5e6},
        "ended_at": 10.0,
    }
    return CellRecord.model_validate(values | changes)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(28, "No space left on device"), "free some space"),
        (sqlite3.OperationalError("database or disk is full"), "free some space"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "write permission"),
        (sqlite3.OperationalError("database is locked"), "close it and run again"),
        (
            RuntimeError("Detected out-of-date database schema (found version 1)"),
            "mlflow db upgrade sqlite:///p",
        ),
    ],
)
def test_obstacles_are_told_with_a_remedy(error: Exception, advice: str) -> None:
    with pytest.raises(StoreError, match=advice) as caught, told("logging a cell", Path("p")):
        raise error
    assert str(caught.value).startswith("p: logging a cell: ")


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), told("logging", Path("p")):
        raise ZeroDivisionError("division by zero")


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="damaged"), told("opening", database):
        check(database)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    sqlite3.connect(database).execute("CREATE TABLE a (b)").connection.close()
    with pytest.raises(StoreError, match="no MLflow database"), told("opening", database):
        check(database)


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE alembic_version (version_num)")
    connection.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="newer MLflow"):
        check(database)


def test_an_old_file_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "meta.yaml").touch()
    with pytest.raises(StoreError, match="mlflow migrate-filestore"):
        create(tmp_path / "mlflow.db", lambda path: path.touch())
    assert not (tmp_path / "mlflow.db").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlruns").touch()
    with pytest.raises(StoreError, match="there is a file"), told("opening", tmp_path):
        create(tmp_path / "mlruns" / "mlflow.db", lambda path: path.touch())


def test_a_crash_leaves_no_half_made_database(tmp_path: Path) -> None:
    def crash(path: Path) -> None:
        path.touch()
        raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        create(tmp_path / "mlflow.db", crash)
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_new_databases_stays(tmp_path: Path) -> None:
    def be_second(path: Path) -> None:
        path.write_text("second")
        (tmp_path / "mlflow.db").write_text("first")

    create(tmp_path / "mlflow.db", be_second)
    assert (tmp_path / "mlflow.db").read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 1


def _locations(root: Path, *locations: str) -> list[str]:
    connection = sqlite3.connect(root / "mlflow.db")
    connection.execute("CREATE TABLE IF NOT EXISTS experiments (artifact_location)")
    connection.execute("CREATE TABLE IF NOT EXISTS runs (artifact_uri)")
    connection.executemany("INSERT INTO runs VALUES (?)", [(one,) for one in locations])
    connection.commit()
    make_portable(root)
    rows = connection.execute("SELECT artifact_uri FROM runs").fetchall()
    connection.close()
    return [row[0] for row in rows]


def test_paths_become_relative_unless_they_point_elsewhere(tmp_path: Path) -> None:
    root = tmp_path / "mlruns"
    (root / "artifacts" / "moved" / "r").mkdir(parents=True)
    assert _locations(
        root,
        f"{root}/artifacts/toy/r/artifacts",
        "/where/it/was/mlruns/artifacts/moved/r",
        "/elsewhere/mlruns/artifacts/other/r",
        "mlruns/artifacts/toy/r",
        "s3://bucket/r",
    ) == [
        "mlruns/artifacts/toy/r/artifacts",
        "mlruns/artifacts/moved/r",
        "/elsewhere/mlruns/artifacts/other/r",
        "mlruns/artifacts/toy/r",
        "s3://bucket/r",
    ]


def test_the_lock_names_its_holder_and_is_let_go(tmp_path: Path) -> None:
    first = Lock(tmp_path, "toy")
    Lock(tmp_path, "other").release()
    with pytest.raises(StoreError, match=f"process {os.getpid()} on"):
        Lock(tmp_path, "toy")
    first.release()
    Lock(tmp_path, "toy").release()


def test_the_link_never_replaces_a_file(tmp_path: Path) -> None:
    root = tmp_path / "mlruns"
    root.mkdir()
    link_above(root)
    assert (tmp_path / "mlflow.db").readlink() == Path("mlruns/mlflow.db")
    (tmp_path / "mlflow.db").unlink()
    (tmp_path / "mlflow.db").write_text("mine")
    link_above(root)
    assert (tmp_path / "mlflow.db").read_text() == "mine"


def test_a_broken_record_counts_as_not_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_cell(tmp_path, cell(), b"not a zip file")
    assert read_record(tmp_path) == cell()
    assert read_evidence(tmp_path) is None
    (tmp_path / "record.json").write_text('{"half": ')
    assert read_record(tmp_path) is None
    assert [entry.levelname for entry in caplog.records] == ["WARNING", "WARNING"]


def test_a_newer_record_is_refused(tmp_path: Path) -> None:
    write_cell(tmp_path, cell(record_version=99), None)
    with pytest.raises(StoreError, match="format 99"):
        read_record(tmp_path)


def test_importing_the_store_does_not_import_mlflow() -> None:
    code = "import sys, toolkit.store, toolkit.serving; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
