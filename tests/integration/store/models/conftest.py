"""A store that holds a fitted model of every track, once made and then copied."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit import registry
from toolkit.analysis.results import Interval, Results, TrackVerdict, Verdict
from toolkit.config import Rung, load
from toolkit.models.frames import typical_row
from toolkit.records import CellRecord, without_repeats
from toolkit.store import Store
from toolkit.tasks.base import Schema, TaskData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track

TASK = Synthetic(n_clusters=100, rows_per_cluster=10)
TRACKS = ("baseline", "rules", "classical", "neural", "hybrid")
QUICK = {"classical": {"family": "boosting"}, "neural": {"epochs": 2}, "hybrid": {"epochs": 2}}


def entry(track: str, rung: int) -> TrackVerdict:
    return TrackVerdict(track, rung, Interval(1.0, 0.0, 2.0), 0.2, {}, 1.0)


def make_results(store: Store, **changed: int) -> Results:
    """Return results in which rung 1 is deployed, but for the tracks that are named."""
    rungs = {**dict.fromkeys(TRACKS, 1), **changed}
    verdict = Verdict("hybrid", 0.9, False, None, None, None, "Use it.", 1.0, "USD", 1.0)
    entries = tuple(entry(track, rung) for track, rung in rungs.items())
    return Results(
        experiment={"experiment": "smoke", "tracks": {track: {} for track in rungs}},
        task={"name": "synthetic", "title": "Made up", "data_version": "d" * 64, "notices": []},
        cells=without_repeats(record for record, _ in store.read("smoke", evidence=False)),
        evidence={},
        summaries=(),
        curves=(),
        pairs=(),
        verdict=Verdict(**{**verdict.__dict__, "tracks": entries}),
    )


def write_and_finish(store: Store, results: Results) -> None:
    folder = store.root / "reports" / "smoke"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("<p>report</p>")
    entries = {one.track: {"rung": one.rung} for one in results.verdict.tracks}
    document = {"verdict": {"best": results.verdict.best, "tracks": entries}}
    (folder / "results.json").write_text(json.dumps(document))
    store.finish(results, report_html=folder / "report.html", results_json=folder / "results.json")


@pytest.fixture(autouse=True)
def no_pickle(monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.setattr(sys, "path", [*sys.path])  # MLflow puts the model's program text first


@pytest.fixture(scope="session")
def data() -> TaskData:
    return TASK.load(rung=Rung(share=1.0), seed=0)


@pytest.fixture(scope="session")
def fitted(data) -> dict[str, Track]:
    smoke = load(Path(__file__).parents[4] / "experiments" / "smoke.yaml")
    tracks = {}
    for name in TRACKS:
        params = {**smoke.tracks[name], **QUICK.get(name, {})}
        track = registry.build("tracks", name, params).check(TASK.schema(), smoke.path.parent)
        tracks[name] = track.fit(data.train, seed=0)
    return tracks


@pytest.fixture(scope="session")
def shown(data) -> pd.DataFrame:
    """The test rows as people have them."""
    levels = np.array(TASK.schema().column("segment").levels)
    return data.test.features.assign(segment=levels[data.test.features["segment"]])


@pytest.fixture(scope="session")
def saved(fitted, data, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("saved")
    for name, track in fitted.items():
        track.save(folder / name, example=typical_row(data.valid.features, TASK.schema()))
    return {name: folder / name for name in fitted}


@pytest.fixture(scope="session")
def cell(cell) -> Callable[..., CellRecord]:
    """The store's cells, but of the smoke experiment and at the rung that is deployed."""

    def make(track: str, rung: int = 1, seed: int = 0, **changes: Any) -> CellRecord:
        own = {"experiment": "smoke", "task": "synthetic", "n_train": 100 * (rung + 1)}
        return cell(track, rung, seed, **own | changes)

    return make


@pytest.fixture(scope="session")
def template(saved, cell, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("template") / "mlruns"
    with Store.open(root) as store:
        for name, folder in saved.items():
            store.log_cell(cell(name), None, model=folder)
        store.log_cell(cell("neural", seed=1), None)
        write_and_finish(store, make_results(store))
    return root


@pytest.fixture
def root(template, tmp_path) -> Path:
    folder = tmp_path / "a place" / "mlruns"
    shutil.copytree(template, folder, symlinks=True)
    return folder


@pytest.fixture(scope="session")
def tracks() -> tuple[str, ...]:
    return TRACKS


@pytest.fixture(params=TRACKS)
def track(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def schema() -> Schema:
    return TASK.schema()


@pytest.fixture(scope="session")
def results_of() -> Callable[..., Results]:
    return make_results


@pytest.fixture(scope="session")
def finish() -> Callable[[Store, Results], None]:
    """Finish a sweep as the runner does, with the files of its report."""
    return write_and_finish


@pytest.fixture(scope="session")
def models(client) -> Callable[[Path], dict[str, Any]]:
    """Find the logged models of a store by their tracks."""

    def found_in(root: Path) -> dict[str, Any]:
        found = list(client(root).search_logged_models(["1"]))
        assert len({model.name for model in found}) == len(found), "one a track"
        return {model.name: model for model in found}

    return found_in
