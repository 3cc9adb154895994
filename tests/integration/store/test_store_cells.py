"""Cells in the store: what is written comes back, also what failed or does not apply."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from toolkit.store import Store


def test_a_cell_comes_back_as_it_was(cell, evidence, client, runs, store: Store, root: Path) -> None:
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
    cell, runs, store: Store, root: Path, status: str, shown: str
) -> None:
    failed = cell(status=status, reason="one class only", log_tail="Traceback …", scores={}, costs={})
    store.log_cell(failed, None)
    assert store.finished("toy") == {}
    assert store.read("toy") == [(failed, None)]
    (run,) = runs(root, "cell")
    assert run.info.status == shown
    assert run.data.tags["reason"] == "one class only"
    assert (store.root.parent / run.info.artifact_uri / "log.txt").read_text() == "Traceback …"


def test_what_does_not_apply_is_settled_and_kept_with_its_reason(
    cell, runs, store: Store, root: Path
) -> None:
    apart = cell(status="not_applicable", reason="needs at least 20 labels", scores={}, costs={})
    store.log_cell(apart, None)
    assert store.finished("toy") == {apart.fingerprint: apart}
    (run,) = runs(root, "cell")
    assert run.info.status == "FINISHED"
    assert run.data.tags["reason"] == "needs at least 20 labels"


def test_figures_beyond_the_limits_of_mlflow_are_logged(cell, runs, store: Store, root: Path) -> None:
    scores = {f"score_{index}": float(index) for index in range(1100)} | {"error_nan": float("nan")}
    chosen = {f"c{index}": "long " * 3000 for index in range(120)}
    store.log_cell(cell(scores=scores, chosen=chosen, reason="r" * 9000), None)
    (run,) = runs(root, "cell")
    assert len([name for name in run.data.metrics if name.startswith("score_")]) == 1100
    assert "error_nan" not in run.data.metrics
    assert len([name for name in run.data.params if name.startswith("chosen_")]) == 120


def test_the_latest_finished_record_counts(cell, store: Store) -> None:
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


def test_lost_files_make_a_cell_unfinished(cell, store: Store) -> None:
    store.log_cell(cell(), None)
    shutil.rmtree(store.root / "artifacts")
    assert store.finished("toy") == {}
