"""The store on a real MLflow database: what is written comes back, also after crashes and moves."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolkit.analysis.results import Results, Verdict
from toolkit.errors import StoreError
from toolkit.records import N_BINS, CellRecord, Evidence, to_frame
from toolkit.store import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Making a database takes MLflow seconds: one is made and copied."""
    root = tmp_path_factory.mktemp("template") / "mlruns"
    Store.open(root).close()
    return root / "mlflow.db"


@pytest.fixture
def root(tmp_path: Path, empty_database: Path) -> Path:
    folder = tmp_path / "a place with spaces" / "mlruns"
    folder.mkdir(parents=True)
    shutil.copy(empty_database, folder / "mlflow.db")
    return folder


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    with Store.open(root) as opened:
        yield opened


def cell(track: str = "neural", rung: int = 0, seed: int = 0, **changes: Any) -> CellRecord:
    values: dict[str, Any] = {
        "experiment": "toy",
        "task": "toy",
        "track": track,
        "rung": rung,
        "seed": seed,
        "n_train": 100 * 2**rung,
        "n_clusters": 10,
        "fingerprint": f"{track}-{rung}-{seed}",
        "status": "finished",
        "quality": "clean",
        "scores": {"error_log_loss": 0.5 - 0.1 * rung, "score_roc_auc": 0.75},
        "costs": {"cost_fit_cpu_seconds": 2.0**rung, "cost_fit_joules": None},
        "chosen": {"width": 8, "dropout": 0.1, "why": None},
        "machine": {"processor": "abacus"},
        "started_at": 1_700_000_000.0,
        "ended_at": 1_700_000_002.5,
    }
    return CellRecord.model_validate(values | changes)


def evidence(seed: int = 0) -> Evidence:
    generator = np.random.default_rng(seed)
    return Evidence(
        cluster=np.arange(5, dtype=np.int32),
        bin=generator.integers(0, N_BINS, 5).astype(np.int16),
        positives=generator.integers(0, 9, 5).astype(np.int32),
        negatives=generator.integers(0, 9, 5).astype(np.int32),
        cluster_rows=np.full(5, 9),
        cluster_log_loss=generator.random(5),
        cluster_brier=generator.random(5),
        valid_positives=generator.integers(0, 9, N_BINS),
        valid_negatives=generator.integers(0, 9, N_BINS),
        valid_log_loss=0.25,
        strata={"new": generator.integers(0, 9, (2, N_BINS))},
    )


def results_of(store: Store, sentence: str = "Too close to call.") -> Results:
    return Results(
        experiment={"experiment": "toy", "tracks": {"rules": {}, "neural": {"depth": 3}}},
        task={"name": "toy", "title": "A toy", "data_version": "d" * 64, "notices": []},
        cells=to_frame(record for record, _ in store.read("toy", evidence=False)),
        evidence={},
        summaries=(),
        curves=(),
        pairs=(),
        verdict=Verdict(None, None, True, None, None, None, sentence, None, "USD", 1.0),
        knowledge=({"tracks": ["rules"], "name": "toy rules", "hash": "abc", "rules": []},),
        environment={"git commit": "0123456"},
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    html, data = tmp_path / "any.html", tmp_path / "any.json"
    html.write_text("<p>report</p>")
    data.write_text("{}")
    return {"report_html": html, "results_json": data}


def client(root: Path) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


def runs(root: Path, kind: str) -> list[Any]:
    return list(
        client(root).search_runs(["1"], f"tags.kind = '{kind}'", order_by=["attributes.start_time DESC"])
    )


def test_a_cell_comes_back_as_it_was(store: Store, root: Path) -> None:
    store.begin("toy", tracks=["rules", "neural"])
    store.log_cell(cell(), evidence().to_bytes())
    ((record, found),) = store.read("toy")
    assert record == cell()
    assert found is not None
    assert found.to_bytes() == evidence().to_bytes()
    assert store.finished("toy") == {"neural-0-0": cell()}
    (run,) = runs(root, "cell")
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 2500
    assert run.data.metrics["error_log_loss"] == 0.5
    assert run.data.metrics["log10_cost_fit_cpu_seconds"] == 0.0
    assert "cost_fit_joules" not in run.data.metrics
    assert run.data.params["n_train"] == "100"
    assert run.data.tags["machine.processor"] == "abacus"
    parent = client(root).get_run(run.data.tags["mlflow.parentRunId"])
    assert parent.info.run_name == "neural"


@pytest.mark.parametrize(
    ("status", "shown"),
    [("failed", "FAILED"), ("killed", "KILLED"), ("timeout", "KILLED"), ("lost", "KILLED")],
)
def test_a_failure_is_kept_with_its_reason_and_is_not_finished(
    store: Store, root: Path, status: str, shown: str
) -> None:
    failed = cell(status=status, reason="one class only", log_tail="Traceback …", scores={}, costs={})
    store.log_cell(failed, None)
    assert store.finished("toy") == {}
    assert store.read("toy") == [(failed, None)]
    (run,) = runs(root, "cell")
    assert run.info.status == shown
    assert run.data.tags["reason"] == "one class only"
    assert (store.root.parent / run.info.artifact_uri / "log.txt").read_text() == "Traceback …"


def test_what_does_not_apply_is_settled_and_kept_with_its_reason(store: Store, root: Path) -> None:
    apart = cell(status="not_applicable", reason="needs at least 20 labels", scores={}, costs={})
    store.log_cell(apart, None)
    assert store.finished("toy") == {apart.fingerprint: apart}
    (run,) = runs(root, "cell")
    assert run.info.status == "FINISHED"
    assert run.data.tags["reason"] == "needs at least 20 labels"


def test_figures_beyond_the_limits_of_mlflow_are_logged(store: Store, root: Path) -> None:
    scores = {f"score_{index}": float(index) for index in range(1100)} | {"error_nan": float("nan")}
    chosen = {f"c{index}": "long " * 3000 for index in range(120)}
    store.log_cell(cell(scores=scores, chosen=chosen, reason="r" * 9000), None)
    (run,) = runs(root, "cell")
    assert len([name for name in run.data.metrics if name.startswith("score_")]) == 1100
    assert "error_nan" not in run.data.metrics
    assert len([name for name in run.data.params if name.startswith("chosen_")]) == 120


def test_the_latest_finished_record_counts(store: Store) -> None:
    store.log_cell(cell(ended_at=1_700_000_001.0, status="failed"), None)
    store.log_cell(cell(ended_at=1_700_000_002.0, n_clusters=1), None)
    store.log_cell(cell(ended_at=1_700_000_003.0, n_clusters=2), None)
    store.log_cell(cell(ended_at=1_700_000_004.0, status="lost"), None)
    store.log_cell(cell(seed=1, status="lost"), None)
    assert store.finished("toy")["neural-0-0"].n_clusters == 2
    assert [(record.seed, record.n_clusters) for record, _ in store.read("toy")] == [(0, 2), (1, 10)]
    assert [record.seed for record, _ in store.read("toy", ["neural-0-1", "unknown"])] == [1]


def test_an_unknown_experiment_is_empty(store: Store) -> None:
    assert store.finished("nothing") == {}
    assert store.read("nothing") == []
    assert store.links("nothing") == {}
    assert store.experiments() == []


def test_a_sweep_goes_on_after_a_crash(store: Store, root: Path) -> None:
    store.begin("toy", tracks=["neural"])
    store.log_cell(cell(), None)
    store.close()
    (track,) = runs(root, "track")
    crashed = client(root).create_run("1", tags={"kind": "cell", "track": "neural"})
    with Store.open(root) as again:
        again.begin("toy", tracks=["neural", "rules"])
        assert list(again.finished("toy")) == ["neural-0-0"]
        again.log_cell(cell(seed=1), None)
    orphan = client(root).get_run(crashed.info.run_id)
    assert orphan.info.status == "KILLED"
    assert "stopped" in orphan.data.tags["reason"]
    assert sorted(run.info.run_name for run in runs(root, "track")) == ["neural", "rules"]
    parents = {run.data.tags.get("mlflow.parentRunId") for run in runs(root, "cell")}
    assert parents == {track.info.run_id, None}


def test_a_stopped_sweep_leaves_nothing_running(root: Path) -> None:
    def stopped() -> None:
        with Store.open(root) as opened:
            opened.begin("toy", tracks=["neural"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert [run.info.status for run in runs(root, "track")] == ["KILLED"]
    with Store.open(root) as again:
        again.begin("toy")


def test_finish_makes_tracks_and_report_from_the_cells(
    store: Store, root: Path, files: dict[str, Path]
) -> None:
    store.begin("toy", tracks=["rules", "neural"], tags={"commit": "0123456"})
    for rung in range(3):
        store.log_cell(cell(rung=rung), None)
        store.log_cell(cell("rules", rung=rung, n_train=0, n_rules=rung + 1), None)
    store.finish(results_of(store), **files)
    top = [run for kind in ("report", "track") for run in runs(root, kind)]
    top.sort(key=lambda run: -run.info.start_time)
    assert [run.info.run_name for run in top] == ["report", "rules", "neural"]
    assert {run.info.status for run in top} == {"FINISHED"}
    assert {run.data.tags["commit"] for run in top} == {"0123456"}
    report, rules, neural = top
    history = client(root).get_metric_history(neural.info.run_id, "test error")
    assert [(point.step, point.value) for point in history] == [
        (100, 0.5),
        (200, pytest.approx(0.4)),
        (400, pytest.approx(0.3)),
    ]
    assert neural.data.metrics["cost_fit_cpu_seconds"] == 4.0
    assert neural.inputs.dataset_inputs[0].dataset.digest == "d" * 36
    assert rules.data.tags["knowledge_hash"] == "abc"
    assert report.data.tags["verdict"] == "Too close to call."
    assert (root.parent / report.info.artifact_uri / "report.html").read_text() == "<p>report</p>"
    for run in runs(root, "cell"):
        expected = neural if run.data.tags["track"] == "neural" else rules
        assert run.data.tags["mlflow.parentRunId"] == expected.info.run_id
    experiment_note = client(root).get_experiment("1").tags["mlflow.note.content"]
    assert experiment_note.startswith("[report](#/experiments/1/runs/")
    assert "**Too close to call.**" in experiment_note.splitlines()[0]
    assert list(store.links("toy")) == ["report", "runs", "charts", "track rules", "track neural"]
    assert store.links("toy")["runs"].endswith("?workflowType=machine_learning")
    assert store.experiments() == ["toy"]


def test_finishing_again_renews_files_and_replaces_changed_runs_only(
    store: Store, root: Path, files: dict[str, Path]
) -> None:
    store.begin("toy", tracks=["neural"])
    store.log_cell(cell(), None)
    store.finish(results_of(store), **files)
    before = store.links("toy")
    files["report_html"].write_text("<p>new words</p>")
    store.begin("toy", tracks=["neural", "never run"])
    store.finish(replace(results_of(store), environment={"written": "later"}), **files)
    assert store.links("toy") == before
    (report,) = runs(root, "report")
    assert (root.parent / report.info.artifact_uri / "report.html").read_text() == "<p>new words</p>"
    store.log_cell(cell(rung=1), None)
    store.finish(results_of(store, "Use neural."), **files)
    assert store.links("toy")["track neural"] != before["track neural"]
    (track,) = runs(root, "track")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs(root, "cell")} == {track.info.run_id}
    steps = [point.step for point in client(root).get_metric_history(track.info.run_id, "test error")]
    assert steps == [100, 200]
    assert len(runs(root, "report")) == 1


def test_finish_needs_nothing_but_the_experiment(store: Store, files: dict[str, Path]) -> None:
    bare = replace(results_of(store), experiment={"experiment": "toy"}, task={}, knowledge=(), environment={})
    store.finish(bare, **files)
    assert list(store.links("toy")) == ["report", "runs", "charts"]


@pytest.mark.slow
def test_a_moved_folder_still_opens(root: Path, store: Store, tmp_path: Path, files: dict[str, Path]) -> None:
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


def test_absolute_paths_of_another_place_are_mended(root: Path, store: Store) -> None:
    store.log_cell(cell(), evidence().to_bytes())
    with sqlite3.connect(root / "mlflow.db") as connection:
        connection.execute("UPDATE runs SET artifact_uri = '/old/home/' || artifact_uri")
    connection.close()
    with Store.open(root) as opened:
        assert list(opened.finished("toy")) == ["neural-0-0"]


def test_lost_files_make_a_cell_unfinished(store: Store) -> None:
    store.log_cell(cell(), None)
    shutil.rmtree(store.root / "artifacts")
    assert store.finished("toy") == {}


def test_two_sweeps_on_one_experiment_are_refused(root: Path) -> None:
    with Store.open(root) as first, Store.open(root) as second:
        first.begin("toy")
        first.begin("toy")
        with pytest.raises(StoreError, match=f"another sweep on the experiment 'toy'.*process {os.getpid()}"):
            second.begin("toy")
        second.begin("other")
        assert second.finished("toy") == {}
    with Store.open(root) as third:
        third.begin("toy")


def test_a_deleted_experiment_is_told(store: Store, root: Path) -> None:
    store.log_cell(cell(), None)
    client(root).delete_experiment("1")
    with pytest.raises(StoreError, match="mlflow experiments restore --experiment-id 1"):
        store.begin("toy")


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
