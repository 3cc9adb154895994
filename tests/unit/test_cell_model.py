"""The model that a cell leaves, after all that is metered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from toolkit.config import Rung
from toolkit.models.loading import read_example
from toolkit.records import CellSpec
from toolkit.sweep import cell as cell_module
from toolkit.sweep import cell_model, ledger
from toolkit.sweep.cell import CellJob, run_cell
from toolkit.sweep.spool import CellOutcome, model_path, read_cell
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track, load_track
from toolkit.tracks.classical import Classical

TASK = Synthetic(n_clusters=60, rows_per_cluster=10)
TRACK = Classical(family="logistic")
SPEC = CellSpec(
    experiment="e",
    task="synthetic",
    track="classical",
    rung=0,
    data_rung=0,
    n_rules=None,
    seed=0,
    n_train=300,
    fingerprint="f",
)


@dataclass
class Stranger(Track):
    """Is no file in toolkit/tracks."""

    def fit(self, train, *, seed):
        self.schema_ = train.schema
        return self

    def predict_proba(self, features, sequence=None):
        return np.full(len(features), 0.25)


@pytest.fixture(autouse=True)
def unpinned(monkeypatch):
    monkeypatch.setattr(cell_module, "pin_one_thread", lambda core: 1)


def run(spool: Path, track: Track = TRACK, seed: int = 0) -> CellOutcome:
    spec = SPEC.model_copy(update={"seed": seed})
    assert run_cell(CellJob(spec, TASK, track, Rung(share=1.0), search=0.0, spool=spool)) == 0
    found = read_cell(spool, "f")
    assert found is not None
    assert found.record.status == "finished"
    return found


def test_the_first_seed_leaves_its_model_and_others_none(tmp_path):
    outcome = run(tmp_path)
    assert outcome.model == model_path(tmp_path, "f")
    size = sum(file.stat().st_size for file in outcome.model.iterdir())
    assert outcome.record.costs["cost_model_bytes"] == size
    data = TASK.load(rung=Rung(share=1.0), seed=0)
    expected = replace(TRACK).fit(data.train, seed=0).predict_proba(data.test.features)
    assert np.array_equal(load_track(outcome.model).predict_proba(data.test.features), expected)
    _, row = read_example(outcome.model)
    assert row["segment"] in data.train.schema.column("segment").levels
    assert row["visits"] == np.median(data.valid.features["visits"])

    (tmp_path / "other").mkdir()
    other = run(tmp_path / "other", seed=1)
    assert other.model is None
    assert other.record.costs["cost_model_bytes"] is None, "not measured is not zero"


def test_a_model_too_large_is_measured_noted_and_not_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cell_model, "MAX_MODEL_BYTES", 100)
    outcome = run(tmp_path)
    assert outcome.model is None
    assert outcome.record.costs["cost_model_bytes"] > 100
    assert "was not kept: it has" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "note"),
    [(None, "only a track that is a file in toolkit/tracks"), (OSError("oh"), "OSError: oh")],
)
def test_a_track_that_cannot_be_saved_finishes_all_the_same(tmp_path, monkeypatch, capsys, error, note):
    if error is not None:

        def fail(*arguments):
            raise error

        monkeypatch.setattr(cell_model, "write_folder", fail)
    outcome = run(tmp_path, TRACK if error else Stranger())
    assert outcome.model is None
    assert outcome.record.costs["cost_model_bytes"] is None
    assert note in capsys.readouterr().err


def test_saving_comes_after_all_that_is_metered(tmp_path, monkeypatch):
    done: list[str] = []
    window, leave = ledger.Window, cell_module.leave_model

    def opened(phase, *arguments, **options):
        done.append(phase)
        return window(phase, *arguments, **options)

    def left(*arguments):
        done.append("model")
        return leave(*arguments)

    monkeypatch.setattr(ledger, "Window", opened)
    monkeypatch.setattr(cell_module, "leave_model", left)
    run(tmp_path)
    assert done == ["load", "fit", "predict_first", "predict_batch", "predict_single", "model"]


def test_what_an_earlier_try_left_does_not_stand_in_the_way(tmp_path):
    (model_path(tmp_path, "f") / "deep").mkdir(parents=True)
    assert run(tmp_path).model is not None
