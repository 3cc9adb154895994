from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.analysis.analyse import analyse_cells
from toolkit.analysis.analysed import Analysed
from toolkit.analysis.export import to_json
from toolkit.analysis.pricing import price
from toolkit.errors import StoreError
from toolkit.finished import StoredEvidence, read_context, read_snapshot, report_folder, write_snapshot

TRACKS = ["rules", "classical"]


@pytest.fixture
def kept(truth, draw_world, declare_experiment, tmp_path):
    """A folder of results with two finished tracks, their evidence and a kept analysis."""
    cells, evidence = draw_world(
        {"rules": truth(0.5), "classical": truth(0.9, gain=0.3)}, rungs=2, n_clusters=20, rows=5
    )
    experiment = declare_experiment(TRACKS)
    root = tmp_path / "mlruns"
    folders = {}
    for number, cell in enumerate(cells):
        key = cell.track, cell.rung, cell.seed
        folders[key] = root / "artifacts" / "made_up" / f"run{number}" / "artifacts"
        folders[key].mkdir(parents=True)
        (folders[key] / "record.json").write_text(cell.model_dump_json())
        (folders[key] / "evidence.npz").write_bytes(evidence[key].to_bytes())
    folder = report_folder(root, experiment)
    folder.mkdir(parents=True)
    (folder / "context.json").write_text('{"task": {}, "knowledge": [], "fingerprints": []}')
    analysed = analyse_cells(experiment, task={}, cells=cells, evidence=evidence)
    write_snapshot(analysed, experiment, root, folders)
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


def test_evidence_that_is_gone_is_told_when_it_is_asked_for(kept, tmp_path) -> None:
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
    stale = "cells, the experiment file or the code have changed since the last analysis"
    worth = {"true_positive": 11.0, "false_positive": -3.0}
    assert read_snapshot(declare_experiment(TRACKS, value=worth), root) == stale
    assert read_snapshot(declare_experiment([*TRACKS, "neural"]), root) == stale
    another = root / "artifacts" / "made_up" / "later" / "artifacts"
    another.mkdir(parents=True)
    assert isinstance(read_snapshot(experiment, root), Analysed)  # no cell yet
    (another / "record.json").write_text("{}")
    assert read_snapshot(experiment, root) == stale


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
    files = root.resolve() / "artifacts" / "made_up"
    folders = {key: files / f"run{number}" / "artifacts" for number, key in enumerate(analysed.evidence)}
    write_snapshot(analysed, experiment, link, folders)
    found = read_snapshot(experiment, link)
    assert isinstance(found, Analysed)
    assert len([one for one in found.evidence.values() if one.n_clusters]) == 7


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
        write_snapshot(analysed, experiment, root, {})
