"""The phases of one cell, run in this process with a fake of the pinning."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.config import Rung
from toolkit.operations.counts import Operations
from toolkit.records import CellSpec
from toolkit.sweep import cell as cell_module
from toolkit.sweep import inference
from toolkit.sweep.cell import CellJob, run_cell
from toolkit.sweep.fork_server import EXIT_SPOOL
from toolkit.sweep.spool import CellOutcome, read_cell
from toolkit.tasks.base import TaskData, TrainingData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Track

TASK = Synthetic(n_clusters=60, rows_per_cluster=10)
SEEN: list[tuple[str, object]] = []


@dataclass
class Spy(Track):
    """Says what it is given; predicts the habit."""

    wanted: int = 0
    answer: str = "good"

    def search(self, train, *, budget_cpu_seconds, seed):
        SEEN.append(("search", (train, budget_cpu_seconds)))
        return replace(self, wanted=self.wanted + 1) if self.answer != "keeps" else replace(self)

    def fit(self, train, *, seed):
        SEEN.append(("fit", (train, self.wanted)))
        if self.answer == "cannot learn from little" and len(train) < 150:
            raise ValueError("too little")
        return self

    def predict_proba(self, features, sequence=None):
        SEEN.append(("predict", features))
        SEEN.append(("signal", sequence))
        probabilities = features["habit_probability"].to_numpy(np.float64)
        if self.answer == "nan":
            return np.full(len(features), np.nan)
        if self.answer == "short":
            return probabilities[:-1] if len(features) > 1 else probabilities
        if self.answer == "high":
            return probabilities + 1.0
        return probabilities

    def chosen(self):
        return {"wanted": self.wanted}

    def operations(self):
        return Operations({"flop": 10.0, "element_operations": None}, {"flop": 2.0}, ("aten.magic",))


@dataclass
class Plain(Track):
    """Searches nothing."""

    def fit(self, train, *, seed):
        return self

    def predict_proba(self, features, sequence=None):
        return np.full(len(features), 0.25)


@dataclass
class Needy(Plain):
    """Learns from 20 labels of both classes and no fewer."""

    min_labels: int = 20

    def fit(self, train, *, seed):
        self._require_labels(train)
        return self


@dataclass
class Mute(Plain):
    """Fails with a text that no file can hold."""

    def fit(self, train, *, seed):
        raise ValueError("half a pair: \udcff")


@pytest.fixture(autouse=True)
def unpinned(monkeypatch):
    SEEN.clear()
    monkeypatch.setattr(cell_module, "pin_one_thread", lambda core: 1)


def run(folder: Path, track: Track, *, seed: int = 0, share: float | None = 1.0, **changes) -> CellOutcome:
    spec = CellSpec(
        experiment="e",
        task="synthetic",
        track="spy",
        rung=0,
        data_rung=None if share is None else 0,
        n_rules=None,
        seed=seed,
        n_train=300,
        fingerprint=f"f{seed}",
    )
    rung = None if share is None else Rung(share=share)
    job = CellJob(spec=spec, task=TASK, track=track, rung=rung, search=1.0, spool=folder)
    assert run_cell(replace(job, **changes)) == 0
    found = read_cell(folder, spec.fingerprint)
    assert found is not None
    return found


def test_a_finished_cell_has_scores_costs_and_evidence(tmp_path):
    outcome = run(tmp_path, Spy(), import_costs={"cost_import_cpu_seconds": 2.0}, machine={"python": "3"})
    record = outcome.record
    assert (record.status, record.reason) == ("finished", "")
    assert record.n_train == len(TASK.load(rung=Rung(share=1.0), seed=0).train)
    assert record.n_clusters is not None
    assert {"error_log_loss", "score_average_precision", "error_log_loss_class_prior"} <= set(record.scores)
    for name in (
        "cost_import_cpu_seconds",
        "cost_load_cpu_seconds",
        "cost_fit_cpu_seconds",
        "cost_fit_wall_seconds",
        "cost_fit_peak_bytes",
        "cost_search_cpu_seconds",
        "cost_predict_first_wall_seconds",
        "cost_predict_batch_cpu_seconds_per_row",
        "cost_predict_batch_wall_seconds_per_row",
        "cost_predict_single_p50_seconds",
        "cost_predict_single_p95_seconds",
        "cost_predict_single_p99_seconds",
        "cost_fit_flop",
        "cost_predict_batch_flop_per_row",
    ):
        assert name in record.costs, name
    assert record.costs["cost_predict_batch_cpu_seconds_per_row"] < 1e-3
    assert record.costs["cost_fit_element_operations"] is None
    assert record.withheld["cost_fit_element_operations"] == "not counted: aten.magic"
    assert record.machine["python"] == "3"
    assert record.machine["threads"] == "1"
    assert outcome.evidence is not None
    assert outcome.evidence.cluster_rows.sum() == len(TASK.load(rung=None, seed=0).test)


def test_a_track_never_sees_labels_of_validation_or_test(tmp_path):
    run(tmp_path, Spy())
    data = TASK.load(rung=Rung(share=1.0), seed=0)
    held_out = {tuple(row) for block in (data.test, data.valid) for row in block.features.to_numpy()}
    for kind, given in SEEN:
        if kind == "fit":
            train, _ = given
            assert isinstance(train, TrainingData)
            assert not held_out & {tuple(row) for row in train.features.to_numpy()}
        if kind == "predict":
            assert isinstance(given, pd.DataFrame)
            assert list(given.columns) == list(data.train.schema.names)


def test_search_gets_the_budget_and_what_it_chose_is_fitted(tmp_path):
    record = run(tmp_path, Spy(), search=2.0).record
    fits = [given[1] for kind, given in SEEN if kind == "fit"]
    assert fits == [0, 1], "the warm-up, then what the search chose"
    searched = [given for kind, given in SEEN if kind == "search"]
    assert [budget for _, budget in searched] == [search_budget(2.0, train) for train, _ in searched]
    assert record.costs["cost_search_budget_cpu_seconds"] == searched[0][1] > 0
    assert record.chosen == {"wanted": 1}
    assert record.costs["cost_search_cpu_seconds"] > 0


def test_a_search_that_keeps_the_default_fits_it(tmp_path):
    record = run(tmp_path, Spy(answer="keeps")).record
    assert [given[1] for kind, given in SEEN if kind == "fit"] == [0, 0]
    assert record.chosen == {"wanted": 0}


@pytest.mark.parametrize("change", [{"search": 0.0}, {"share": None}])
def test_nothing_is_searched_without_budget_or_labels(tmp_path, change):
    record = run(tmp_path, Spy(), **change).record
    assert not [kind for kind, _ in SEEN if kind == "search"]
    assert record.costs["cost_search_cpu_seconds"] == 0.0


def test_a_track_without_search_costs_no_search(tmp_path):
    record = run(tmp_path, Plain()).record
    assert record.costs["cost_search_cpu_seconds"] == 0.0
    assert "cost_fit_flop" not in record.costs, "not told is not zero"


def test_without_labels_there_is_no_class_prior(tmp_path):
    record = run(tmp_path, Plain(), share=None).record
    assert record.n_train == 0
    assert record.scores["error_log_loss_class_prior"] is None
    assert record.scores["error_log_loss"] is not None


def test_the_warm_up_is_small_and_may_fail(tmp_path):
    record = run(tmp_path, Spy(answer="cannot learn from little", wanted=3)).record
    assert record.status == "finished"
    sizes = [len(given[0]) for kind, given in SEEN if kind == "fit"]
    assert sizes[0] < 150 < sizes[1]


def test_single_rows_are_timed_for_the_first_seed_only(tmp_path):
    assert run(tmp_path, Plain(), seed=0).record.costs["cost_predict_single_p50_seconds"] > 0
    assert run(tmp_path, Plain(), seed=1).record.costs["cost_predict_single_p50_seconds"] is None


def test_upper_percentiles_are_withheld_when_calls_are_few(tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "SINGLE_WALL_SECONDS", 0.0)
    costs = run(tmp_path, Plain()).record.costs
    assert costs["cost_predict_single_p50_seconds"] is None
    monkeypatch.setattr(inference, "SINGLE_MEDIAN_CALLS", 1)
    costs = run(tmp_path, Plain()).record.costs
    assert costs["cost_predict_single_p50_seconds"] > 0
    assert costs["cost_predict_single_p95_seconds"] is None
    assert costs["cost_predict_single_p99_seconds"] is None


@pytest.mark.parametrize("labels", [0, 19])
def test_a_rung_with_fewer_labels_than_a_track_learns_from_does_not_apply(tmp_path, labels):
    record = run(tmp_path, Needy(), rung=Rung(labels=labels)).record
    assert record.status == "not_applicable"
    assert record.reason == f"Needy needs at least 20 labelled rows, got {labels}"
    assert record.log_tail == ""


def test_a_rung_of_labels_with_one_class_does_not_apply_and_a_share_with_one_fails(tmp_path):
    rare = Synthetic(n_clusters=60, rows_per_cluster=10, kind="linear", strength=0.0)
    for seed in range(50):
        train = rare.load(rung=Rung(labels=2), seed=seed).train
        if len(np.unique(train.labels)) == 1:
            break
    record = run(tmp_path, Needy(min_labels=1), task=rare, rung=Rung(labels=2), seed=seed).record
    assert record.status == "not_applicable"
    assert "needs both classes" in record.reason
    assert run(tmp_path, Needy(min_labels=1_000_000), task=rare).record.status == "failed"


def test_side_by_side_cells_are_not_clean(tmp_path):
    record = run(tmp_path, Spy(), slots=2).record
    assert record.quality in ("contended", "too_short")
    assert record.costs["cost_predict_single_p99_seconds"] is None or record.quality == "too_short"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("nan", "not finite"), ("short", "one probability a row"), ("high", r"\[0, 1\]")],
)
def test_bad_probabilities_fail_the_cell_with_one_sentence(tmp_path, answer, reason):
    outcome = run(tmp_path, Spy(answer=answer))
    assert outcome.record.status == "failed"
    assert outcome.evidence is None
    assert re.search(reason, outcome.record.reason)
    assert "\n" not in outcome.record.reason
    assert "TrackError" in outcome.record.log_tail


def test_a_reason_that_utf_8_cannot_hold_is_told_with_its_escape(tmp_path):
    record = run(tmp_path, Mute()).record
    assert record.status == "failed"
    assert record.reason == "ValueError: half a pair: \\udcff"


def test_the_same_seed_gives_the_same_scores(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    first, second = (run(folder, Spy()) for folder in folders)
    assert first.record.scores == second.record.scores
    np.testing.assert_array_equal(first.evidence.bin, second.evidence.bin)


def test_a_result_that_cannot_be_written_is_told_by_the_exit_code(tmp_path):
    with pytest.raises(AssertionError, match=str(EXIT_SPOOL)):
        run(tmp_path / "a" / "missing" / "folder", Plain())


@dataclass
class Signalled(Synthetic):
    """The made-up task with a raw signal that repeats the row's age, so that mixed-up rows are noticed."""

    def load(self, *, rung, seed):
        data = super().load(rung=rung, seed=seed)
        valid, test = (replace(one, sequence=signal_of(one.features)) for one in (data.valid, data.test))
        train = replace(
            data.train,
            sequence=signal_of(data.train.features),
            unlabelled_sequence=signal_of(data.train.unlabelled),
        )
        return TaskData(train, valid, test)


def signal_of(features: pd.DataFrame) -> np.ndarray:
    whole = np.minimum(features.iloc[:, 0].to_numpy(np.float64) * 10 % 251, 255).astype(np.uint8)
    return np.repeat(whole[:, None], 6, axis=1).reshape(-1, 2, 3)


def test_every_row_comes_with_its_own_signal(tmp_path):
    task = Signalled(n_clusters=60, rows_per_cluster=10)
    assert run(tmp_path, Spy(), task=task).record.status == "finished"
    asked = [given for kind, given in SEEN if kind == "predict"]
    signals = [given for kind, given in SEEN if kind == "signal"]
    assert {len(features) for features in asked} >= {1, len(task.load(rung=None, seed=0).test)}
    for features, signal in zip(asked, signals, strict=True):
        np.testing.assert_array_equal(signal, signal_of(features))
    for kind, given in SEEN:
        if kind == "fit":
            np.testing.assert_array_equal(given[0].sequence, signal_of(given[0].features))
            np.testing.assert_array_equal(given[0].unlabelled_sequence, signal_of(given[0].unlabelled))


def test_there_is_no_signal_where_the_task_gives_none(tmp_path):
    run(tmp_path, Spy())
    assert {given for kind, given in SEEN if kind == "signal"} == {None}
