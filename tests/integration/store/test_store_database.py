"""The database itself: moved, harmed, shared between processes, and silent."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.errors import StoreError
from toolkit.store import Store


@pytest.mark.slow
def test_a_moved_folder_still_opens(
    cell, evidence, results_of, root: Path, store: Store, tmp_path: Path, files: dict[str, Path]
) -> None:
    store.begin("toy")
    store.log_cell(cell(), evidence().to_bytes())
    store.finish(results_of(store), **files)
    store.close()
    moved = tmp_path / "elsewhere" / "mlruns"
    shutil.move(root.parent, moved.parent)
    with Store.open(moved) as opened:
        ((_, found),) = opened.read("toy")
        assert found is not None
        opened.begin("toy")
        opened.log_cell(cell(seed=1), None)
        assert len(opened.finished("toy")) == 2
    # MLflow itself finds the files from the folder above, as its UI does.
    code = (
        "from mlflow.tracking import MlflowClient as C; c = C('sqlite:///mlruns/mlflow.db');"
        "r = c.search_runs(['1'], \"tags.kind = 'report'\")[0].info.run_id;"
        "print([f.path for f in c.list_artifacts(r)])"
    )
    listed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=moved.parent,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout.strip() == "['report.html', 'results.json']"


def test_absolute_paths_of_another_place_are_mended(cell, evidence, root: Path, store: Store) -> None:
    store.log_cell(cell(), evidence().to_bytes())
    with sqlite3.connect(root / "mlflow.db") as connection:
        connection.execute("UPDATE runs SET artifact_uri = '/old/home/' || artifact_uri")
    connection.close()
    with Store.open(root) as opened:
        assert list(opened.finished("toy")) == ["neural-0-0"]


def _out_of_date(root: Path) -> None:
    with sqlite3.connect(root / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0a8213491aaa'")
    connection.close()


def _truncated(root: Path) -> None:
    data = (root / "mlflow.db").read_bytes()
    (root / "mlflow.db").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("harm", "advice"), [(_out_of_date, "mlflow db upgrade sqlite:////"), (_truncated, "damaged")]
)
def test_an_unfit_database_is_told(root: Path, harm: Callable[[Path], None], advice: str) -> None:
    harm(root)
    with pytest.raises(StoreError, match=advice):
        Store.open(root)


@pytest.mark.slow
def test_processes_that_start_together_share_one_new_database(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from toolkit.store import Store;"
        "Store.open(Path(sys.argv[1])).begin(sys.argv[2])"
    )
    names = ["a", "b", "c"]
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "mlruns"), name]) for name in names
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    with Store.open(tmp_path / "mlruns") as opened:
        assert sorted(opened.experiments()) == names


@pytest.mark.slow
def test_nothing_is_sent_anywhere_and_nothing_is_said(tmp_path: Path, root: Path) -> None:
    code = """
import sys, socket
seen = []
sys.addaudithook(lambda event, args: seen.append((event, args)) if event in
    ("socket.connect", "socket.getaddrinfo", "socket.sendto") else None)
from pathlib import Path
from toolkit.records import CellRecord
from toolkit.store import Store
with Store.open(Path(sys.argv[1])) as store:
    store.begin("toy", tracks=["neural"])
    store.log_cell(CellRecord(experiment="toy", task="toy", track="neural", rung=0, seed=0, n_train=1,
        fingerprint="f", status="finished"), None)
sys.exit(str(seen) if seen else 0)
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW")}
    # An empty working directory shows that nothing is written outside the results.
    place = tmp_path / "empty"
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(place.iterdir()) == []
