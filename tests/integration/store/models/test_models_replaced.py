"""Models in the store when results change, rungs are deployed anew, and folders move."""

from __future__ import annotations

import shutil

import numpy as np

from toolkit.store import Store
from toolkit.store.models import track_folder
from toolkit.tracks.base import load_track


def test_the_same_results_leave_the_models_alone(root, store, results_of, finish, models):
    before = {name: model.model_id for name, model in models(root).items()}
    finish(store, results_of(store))
    assert {name: model.model_id for name, model in models(root).items()} == before


def test_a_model_that_was_removed_comes_back(root, store, results_of, client, finish, models, tracks):
    shutil.rmtree((root / "models" / "smoke" / "rules").resolve())
    client(root).delete_logged_model(models(root)["neural"].model_id)
    finish(store, results_of(store))
    assert set(models(root)) == set(tracks)
    for track in tracks:
        folder = track_folder(root, "smoke", track)
        assert folder is not None
        load_track(folder)


def test_the_model_follows_the_rung_that_is_deployed(
    root, store, saved, fitted, data, cell, results_of, finish, models
):
    store.log_cell(cell("rules", rung=0), None, model=saved["baseline"])
    before = models(root)["rules"].model_id
    finish(store, results_of(store, rules=0))
    model = models(root)["rules"]
    assert model.model_id != before
    assert model.params["rung"] == "0"
    folder = track_folder(root, "smoke", "rules")
    assert folder is not None
    expected = fitted["baseline"].predict_proba(data.test.features)
    assert np.array_equal(load_track(folder).predict_proba(data.test.features), expected)


def test_a_track_whose_cell_left_none_has_none_and_says_so(
    root, store, cell, results_of, finish, models, tracks
):
    store.log_cell(cell("rules", rung=2), None)
    finish(store, results_of(store, rules=2))
    assert set(models(root)) == {*tracks} - {"rules"}
    assert track_folder(root, "smoke", "rules") is None
    tags = {run.data.tags["track"]: run.data.tags["model"] for run in store._runs.search("1", "track")}
    assert tags["rules"] == "none was kept"


def test_models_of_cells_that_are_no_longer_asked_for_are_not_taken(
    root, store, saved, cell, results_of, finish, models
):
    results = results_of(store)
    store.log_cell(cell("rules", fingerprint="of another file"), None, model=saved["baseline"])
    finish(store, results)
    assert models(root)["rules"].tags["fingerprint"] == "rules-1-0"


def test_a_moved_store_keeps_its_models(root, results_of, finish, models):
    moved = root.parent / "elsewhere"
    root.rename(moved)
    with Store.open(moved) as store:
        finish(store, results_of(store))
    assert all(model.artifact_location.startswith("elsewhere/") for model in models(moved).values())
    assert track_folder(moved, "smoke", "neural") is not None


def test_a_copy_that_turned_links_into_folders_is_put_right(root, results_of, finish, tracks):
    copy = root.parent / "copy"
    shutil.copytree(root, copy)
    assert not (copy / "models" / "smoke" / "rules").is_symlink()
    with Store.open(copy) as store:
        finish(store, results_of(store))
    for track in tracks:
        link = copy / "models" / "smoke" / track
        assert link.is_symlink()
        assert link.resolve().is_relative_to(copy.resolve())
