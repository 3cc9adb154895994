from __future__ import annotations

import errno

import numpy as np
import pytest

from toolkit.records import CellRecord
from toolkit.scores import make_evidence
from toolkit.sweep import spool as spool_module
from toolkit.sweep.spool import CellOutcome, discard, read_cell, spooled, write_cell


def outcome(fingerprint: str, status: str = "finished") -> CellOutcome:
    record = CellRecord(
        experiment="e",
        task="t",
        track="neural",
        rung=1,
        seed=0,
        n_train=10,
        fingerprint=fingerprint,
        status=status,
        scores={"error_log_loss": 0.5, "score_roc_auc": None},
        costs={"cost_fit_cpu_seconds": 1.5, "cost_fit_peak_bytes": None},
    )
    if status != "finished":
        return CellOutcome(record)
    labels, probabilities = np.array([0, 1, 1]), np.array([0.2, 0.7, 0.9])
    evidence = make_evidence(
        labels=labels,
        probabilities=probabilities,
        clusters=np.array([0, 0, 1]),
        strata={"late": np.array([True, False, True])},
        valid_labels=labels,
        valid_probabilities=probabilities,
        valid_clusters=np.array([0, 0, 1]),
    )
    return CellOutcome(record, evidence)


def test_a_cell_comes_back_as_it_was_written(tmp_path):
    written = outcome("a")
    write_cell(tmp_path, written)
    found = read_cell(tmp_path, "a")
    assert found is not None
    assert found.record == written.record
    np.testing.assert_array_equal(found.evidence.positives, written.evidence.positives)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.npz"]


def test_a_failed_cell_needs_no_evidence(tmp_path):
    write_cell(tmp_path, outcome("a", "failed"))
    found = read_cell(tmp_path, "a")
    assert found is not None
    assert found.evidence is None


def test_evidence_without_a_record_is_no_cell(tmp_path):
    write_cell(tmp_path, outcome("a"))
    (tmp_path / "a.json").unlink()
    assert read_cell(tmp_path, "a") is None
    assert spooled(tmp_path, ["a"]).outcomes == ()


@pytest.mark.parametrize("at", ["a.npz", "a.json"])
def test_a_full_disk_leaves_no_cell_and_no_scraps(tmp_path, monkeypatch, at):
    real = spool_module._write_atomically

    def write(path, data):
        if path.name == at:
            monkeypatch.setattr(spool_module.os, "fsync", full)
        real(path, data)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool_module, "_write_atomically", write)
    with pytest.raises(OSError, match="No space left"):
        write_cell(tmp_path, outcome("a"))
    assert read_cell(tmp_path, "a") is None
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_only_the_cells_asked_for_are_returned_and_the_others_stay(tmp_path):
    for name in ("a", "b"):
        write_cell(tmp_path, outcome(name))
    found = spooled(tmp_path, ["b", "c"])
    assert [cell.record.fingerprint for cell in found.outcomes] == ["b"]
    assert found.notes == ()
    assert read_cell(tmp_path, "a") is not None


def test_no_spool_is_an_empty_spool(tmp_path):
    assert spooled(tmp_path / "none", ["a"]).outcomes == ()


@pytest.mark.parametrize(
    ("file", "content"),
    [("a.json", b"{half"), ("a.json", b"{}"), ("a.npz", b"PK not a zip"), ("a.npz", b"")],
)
def test_damaged_files_are_moved_aside_and_told_of(tmp_path, file, content):
    write_cell(tmp_path, outcome("a"))
    write_cell(tmp_path, outcome("b"))
    (tmp_path / file).write_bytes(content)
    found = spooled(tmp_path, ["a", "b"])
    assert [cell.record.fingerprint for cell in found.outcomes] == ["b"]
    assert len(found.notes) == 1
    assert "runs again" in found.notes[0]
    assert sorted(path.name for path in (tmp_path / "damaged").iterdir()) == ["a.json", "a.npz"]
    assert spooled(tmp_path, ["a", "b"]).notes == ()


def test_another_cells_record_is_damage(tmp_path):
    write_cell(tmp_path, outcome("a"))
    (tmp_path / "a.json").rename(tmp_path / "z.json")
    assert "another cell's" in spooled(tmp_path, ["z"]).notes[0]


def test_a_model_belongs_to_its_finished_cell(tmp_path):
    (tmp_path / "a.model").mkdir()
    assert read_cell(tmp_path, "a") is None, "the record is what counts"
    write_cell(tmp_path, outcome("a"))
    assert read_cell(tmp_path, "a").model == tmp_path / "a.model"
    write_cell(tmp_path, outcome("b"))
    assert read_cell(tmp_path, "b").model is None
    (tmp_path / "a.npz").write_bytes(b"")
    spooled(tmp_path, ["a"])
    assert not (tmp_path / "a.model").exists()


def test_discard_removes_all_files_and_may_be_repeated(tmp_path):
    write_cell(tmp_path, outcome("a"))
    for folder in ("a.model", ".a.model.77.1"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "track.json").write_text("{}")
    (tmp_path / "a.log").write_text("said")
    discard(tmp_path, "a")
    discard(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []
