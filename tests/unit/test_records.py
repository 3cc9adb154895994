from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from toolkit.errors import StoreError
from toolkit.records import EVIDENCE_VERSION, N_BINS, CellRecord, CellSpec, Evidence, without_repeats

GOLDEN = Path(__file__).parents[1] / "golden"


def record(**changes) -> CellRecord:
    plain = {
        "experiment": "smoke",
        "task": "synthetic",
        "track": "neural",
        "rung": 0,
        "seed": 0,
        "n_train": 100,
        "fingerprint": "f",
        "status": "finished",
    }
    return CellRecord(**{**plain, **changes})


def test_a_record_of_version_1_still_loads():
    loaded = CellRecord.model_validate_json((GOLDEN / "record_v1.json").read_bytes())
    assert loaded == CellRecord(
        record_version=1,
        experiment="smoke",
        task="synthetic",
        track="neural",
        rung=2,
        seed=1,
        n_train=7193,
        n_rules=None,
        n_clusters=360,
        fingerprint="0123456789abcdef",
        status="finished",
        quality="clean",
        scores={"score_average_precision": 0.662, "score_roc_auc": None, "error_log_loss": 0.4261},
        costs={"cost_fit_cpu_seconds": 2.1, "cost_fit_joules": None},
        chosen={"family": "mlp", "width": 48, "dropout": 0.25, "early": True, "tau": None},
        machine={"processor": "a processor", "cores": "2"},
        started_at=1.7e9,
        ended_at=1.7e9 + 4.5,
    )


def test_evidence_of_version_1_still_loads():
    loaded = Evidence.read(GOLDEN / "evidence_v1.npz")
    assert loaded.n_clusters == 3
    assert loaded.cluster.tolist() == [0, 0, 2]
    assert loaded.bin.tolist() == [3, 500, 7]
    assert loaded.positives.tolist() == [1, 4, 0]
    assert loaded.negatives.tolist() == [2, 0, 5]
    assert loaded.cluster_rows.tolist() == [7, 0, 5]
    assert loaded.cluster_log_loss.tolist() == [2.5, 0.0, 1.25]
    assert loaded.cluster_brier.tolist() == [0.5, 0.0, 0.25]
    assert loaded.valid_positives.shape == loaded.valid_negatives.shape == (1, N_BINS)
    assert (loaded.valid_positives[0, 9], loaded.valid_positives.sum()) == (1, 1)
    assert (loaded.valid_negatives[0, 1], loaded.valid_negatives.sum()) == (2, 2)
    assert loaded.valid_log_loss == 0.375
    assert {name: counts.shape for name, counts in loaded.strata.items()} == {"holiday": (2, N_BINS)}


def test_evidence_of_a_newer_version_is_refused():
    with np.load(GOLDEN / "evidence_v1.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays["version"] = np.array(EVIDENCE_VERSION + 1)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with pytest.raises(StoreError, match="install the newer version"):
        Evidence.from_bytes(buffer.getvalue())


def test_evidence_that_hides_a_pickle_is_refused():
    with np.load(GOLDEN / "evidence_v1.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays["cluster"] = np.array([{"a": 1}], dtype=object)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with pytest.raises(ValueError, match="allow_pickle"):
        Evidence.from_bytes(buffer.getvalue())


def test_a_record_is_frozen_and_keeps_the_types_of_what_was_chosen():
    one = record(chosen={"width": 48, "rate": 0.5, "whole": 1.0, "on": True, "name": "mlp", "none": None})
    with pytest.raises(ValidationError):
        one.status = "failed"
    loaded = CellRecord.model_validate_json(one.model_dump_json())
    assert loaded == one
    assert [type(value) for value in loaded.chosen.values()] == [int, float, float, bool, str, type(None)]


def test_numbers_that_are_not_finite_are_stored_as_not_measured():
    loaded = CellRecord.model_validate_json(record(costs={"cost_fit_joules": float("inf")}).model_dump_json())
    assert loaded.costs == {"cost_fit_joules": None}


def test_fields_of_a_later_version_are_passed_over():
    data = {**record().model_dump(), "something_new": 1}
    assert CellRecord.model_validate(data) == record()


def test_an_unknown_status_is_refused():
    with pytest.raises(ValidationError, match="status"):
        record(status="done")


def test_a_cell_has_a_readable_name():
    spec = CellSpec(
        experiment="a", task="b", track="neural", rung=3, data_rung=3, n_rules=None, seed=1, n_train=5
    )
    assert spec.name == "neural rung 3 seed 1"


def test_cells_are_sorted_and_repeats_are_none():
    cells = without_repeats(
        [
            record(track="rules"),
            record(rung=1),
            record(rung=0, seed=1),
            record(rung=0, seed=1, repeat=1),
            record(rung=0),
        ]
    )
    assert [(cell.track, cell.rung, cell.seed, cell.repeat) for cell in cells] == [
        ("neural", 0, 0, 0),
        ("neural", 0, 1, 0),
        ("neural", 1, 0, 0),
        ("rules", 0, 0, 0),
    ]


def test_a_flat_row_has_what_the_cell_has_and_its_plain_fields():
    row = record(
        scores={"error_log_loss": 0.5}, costs={"cost_fit_cpu_seconds": 2.0}, chosen={"width": 16}
    ).flat()
    assert (row["error_log_loss"], row["cost_fit_cpu_seconds"], row["chosen_width"]) == (0.5, 2.0, 16)
    assert {"track", "rung", "seed", "status", "n_train", "quality", "reason"} <= set(row)
    assert not {"scores", "costs", "chosen", "trials", "machine"} & set(row)
