"""Sweeps in the store: begun, stopped, gone on with after a crash, and finished with tracks and report."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.errors import StoreError
from toolkit.store import Store


def test_a_sweep_goes_on_after_a_crash(cell, client, runs, store: Store, root: Path) -> None:
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


def test_a_stopped_sweep_leaves_nothing_running(runs, root: Path) -> None:
    def stopped() -> None:
        with Store.open(root) as opened:
            opened.begin("toy", tracks=["neural"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert [run.info.status for run in runs(root, "track")] == ["KILLED"]
    with Store.open(root) as again:
        again.begin("toy")


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


def test_a_deleted_experiment_is_told(cell, client, store: Store, root: Path) -> None:
    store.log_cell(cell(), None)
    client(root).delete_experiment("1")
    with pytest.raises(StoreError, match="mlflow experiments restore --experiment-id 1"):
        store.begin("toy")


def test_finish_makes_tracks_and_report_from_the_cells(
    cell, results_of, client, runs, store: Store, root: Path, files: dict[str, Path]
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
    history = client(root).get_metric_history(neural.info.run_id, "curves/error by rows")
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
    assert experiment_note.startswith("Too close to call · [report](#/experiments/1/runs/")
    assert {run.info.end_time - run.info.start_time for run in top} == {0}, "nothing was run in that time"
    links = ["report", "charts", "tracks", "runs", "track rules", "track neural"]
    assert list(store.links("toy")) == links
    assert "/runs?workflowType=machine_learning&searchFilter=&" in store.links("toy")["runs"]
    assert store.experiments() == ["toy"]


def test_finishing_again_renews_files_and_replaces_changed_runs_only(
    cell, results_of, client, runs, store: Store, root: Path, files: dict[str, Path]
) -> None:
    store.begin("toy", tracks=["neural"])
    store.log_cell(cell(), None)
    store.finish(results_of(store), **files)
    before = store.links("toy")
    files["report_html"].write_text("<p>new words</p>")
    files["report_md"] = files["report_html"].with_suffix(".md")
    files["report_md"].write_text("new words")
    store.begin("toy", tracks=["neural", "never run"])
    store.finish(replace(results_of(store), environment={"written": "later"}), **files)
    assert store.links("toy") == before
    (report,) = runs(root, "report")
    assert (root.parent / report.info.artifact_uri / "report.html").read_text() == "<p>new words</p>"
    assert (root.parent / report.info.artifact_uri / "report.md").read_text() == "new words"
    store.log_cell(cell(rung=1), None)
    store.finish(results_of(store, "Use neural."), **files)
    assert store.links("toy")["track neural"] != before["track neural"]
    (track,) = runs(root, "track")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs(root, "cell")} == {track.info.run_id}
    steps = [
        point.step for point in client(root).get_metric_history(track.info.run_id, "curves/error by rows")
    ]
    assert steps == [100, 200]
    assert len(runs(root, "report")) == 1


def test_figures_are_files_of_the_report_run_and_old_ones_go(
    cell, results_of, runs, store: Store, root: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    store.begin("toy", tracks=["neural"])
    store.log_cell(cell(), None)
    drawn = [tmp_path / f"curve-{name}.svg" for name in ("a", "b")]
    for path in drawn:
        path.write_text(path.name)
    store.finish(results_of(store), **files, figures=drawn)
    (report,) = runs(root, "report")
    folder = root.parent / report.info.artifact_uri / "figures"
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        path.name: path.name for path in drawn
    }
    store.finish(results_of(store), **files, figures=drawn[1:])
    assert [path.name for path in folder.iterdir()] == ["curve-b.svg"]
    store.finish(results_of(store), **files)
    assert not folder.exists()


def test_finish_needs_nothing_but_the_experiment(results_of, store: Store, files: dict[str, Path]) -> None:
    bare = replace(results_of(store), experiment={"experiment": "toy"}, task={}, knowledge=(), environment={})
    store.finish(bare, **files)
    assert list(store.links("toy")) == ["report", "charts", "tracks", "runs"]
