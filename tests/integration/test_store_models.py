"""Models in the store: logged for the deployed rung, replaced, moved, and loaded by MLflow without pickle."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from toolkit import registry
from toolkit.analysis.results import Interval, Results, TrackVerdict, Verdict
from toolkit.cli import app
from toolkit.config import Rung, load
from toolkit.models.frames import typical_row
from toolkit.records import CellRecord, to_frame
from toolkit.store import Store
from toolkit.store.models import requirements, track_folder
from toolkit.tasks.base import TaskData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track, load_track

REPOSITORY = Path(__file__).parents[2]
SMOKE = load(REPOSITORY / "experiments" / "smoke.yaml")
TASK = Synthetic(n_clusters=100, rows_per_cluster=10)
TRACKS = ("baseline", "rules", "classical", "neural", "hybrid")
QUICK = {"classical": {"family": "boosting"}, "neural": {"epochs": 2}, "hybrid": {"epochs": 2}}


@pytest.fixture(autouse=True)
def no_pickle(monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.setattr(sys, "path", [*sys.path])  # MLflow puts the model's program text first


@pytest.fixture(scope="module")
def data() -> TaskData:
    return TASK.load(rung=Rung(share=1.0), seed=0)


@pytest.fixture(scope="module")
def fitted(data) -> dict[str, Track]:
    tracks = {}
    for name in TRACKS:
        params = {**SMOKE.tracks[name], **QUICK.get(name, {})}
        track = registry.build("tracks", name, params).check(TASK.schema(), SMOKE.path.parent)
        tracks[name] = track.fit(data.train, seed=0)
    return tracks


@pytest.fixture(scope="module")
def shown(data) -> pd.DataFrame:
    """The test rows as people have them."""
    levels = np.array(TASK.schema().column("segment").levels)
    return data.test.features.assign(segment=levels[data.test.features["segment"]])


def cell(track: str, rung: int = 1, seed: int = 0, **changes: Any) -> CellRecord:
    plain: dict[str, Any] = {
        "experiment": "smoke",
        "task": "synthetic",
        "n_train": 100 * (rung + 1),
        "fingerprint": f"{track}-{rung}-{seed}",
        "status": "finished",
        "scores": {"error_log_loss": 0.5 - 0.1 * rung},
        "started_at": 1_700_000_000.0,
        "ended_at": 1_700_000_002.5,
    }
    return CellRecord.model_validate({"track": track, "rung": rung, "seed": seed, **plain, **changes})


def entry(track: str, rung: int) -> TrackVerdict:
    return TrackVerdict(track, rung, Interval(1.0, 0.0, 2.0), 0.2, {}, 1.0)


def results_of(store: Store, rungs: dict[str, int], best: str | None = "hybrid") -> Results:
    verdict = Verdict(best, 0.9, False, None, None, None, "Use it.", 1.0, "USD", 1.0)
    entries = tuple(entry(track, rung) for track, rung in rungs.items())
    return Results(
        experiment={"experiment": "smoke", "tracks": {track: {} for track in rungs}},
        task={"name": "synthetic", "title": "Made up", "data_version": "d" * 64, "notices": []},
        cells=to_frame(record for record, _ in store.read("smoke", evidence=False)),
        evidence={},
        summaries=(),
        curves=(),
        pairs=(),
        verdict=Verdict(**{**verdict.__dict__, "tracks": entries}),
    )


def finish(store: Store, results: Results) -> None:
    folder = store.root / "reports" / "smoke"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("<p>report</p>")
    entries = {one.track: {"rung": one.rung} for one in results.verdict.tracks}
    document = {"verdict": {"best": results.verdict.best, "tracks": entries}}
    (folder / "results.json").write_text(json.dumps(document))
    store.finish(results, report_html=folder / "report.html", results_json=folder / "results.json")


@pytest.fixture(scope="module")
def saved(fitted, data, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("saved")
    for name, track in fitted.items():
        track.save(folder / name, example=typical_row(data.valid.features, TASK.schema()))
    return {name: folder / name for name in fitted}


@pytest.fixture(scope="module")
def template(saved, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("template") / "mlruns"
    with Store.open(root) as store:
        for name, folder in saved.items():
            store.log_cell(cell(name), None, model=folder)
        store.log_cell(cell("neural", seed=1), None)
        finish(store, results_of(store, dict.fromkeys(TRACKS, 1)))
    return root


@pytest.fixture
def root(template, tmp_path) -> Path:
    folder = tmp_path / "a place" / "mlruns"
    shutil.copytree(template, folder, symlinks=True)
    return folder


@pytest.fixture
def store(root) -> Iterator[Store]:
    with Store.open(root) as opened:
        yield opened


def client(root: Path) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


def models(root: Path) -> dict[str, Any]:
    found = list(client(root).search_logged_models(["1"]))
    assert len({model.name for model in found}) == len(found), "one a track"
    return {model.name: model for model in found}


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow_loads_and_predicts_the_same_as_the_track(track, root, fitted, data, shown):
    import mlflow

    model = mlflow.pyfunc.load_model(str(root / "models" / "smoke" / track / "artifacts"))
    expected = fitted[track].predict_proba(data.test.features)
    predicted = model.predict(shown)
    assert list(predicted.columns) == ["probability"]
    assert np.array_equal(predicted["probability"], expected)
    as_doubles = shown.astype(dict.fromkeys(TASK.schema().numbers, "float64"))
    assert np.array_equal(model.predict(as_doubles)["probability"], expected)
    assert model.predict(as_doubles.assign(more=1)).shape == (len(shown), 1)

    signature = model.metadata.signature
    assert tuple(signature.inputs.input_names()) == TASK.schema().names
    assert signature.outputs.input_names() == ["probability"]
    assert 0 < model.predict(model.input_example)["probability"][0] < 1
    assert model.metadata.model_id == models(root)[track].model_id

    holes = as_doubles.head(3).copy()
    holes["segment"] = ["nobody", None, "trade"]
    holes["recency"] = np.nan
    coded = data.test.features.head(3).copy()
    coded["segment"] = np.array([-1, -1, 1], np.int32)
    coded["recency"] = np.float32(np.nan)
    assert np.array_equal(model.predict(holes)["probability"], fitted[track].predict_proba(coded))
    with pytest.raises(Exception, match="visits"):
        model.predict(as_doubles.drop(columns="visits"))


def test_a_model_says_which_cell_it_is_and_hangs_below_its_tracks_run(root, store):
    runs = {run.data.tags["track"]: run for run in store._runs.search("1", "track")}
    for track, model in models(root).items():
        assert model.status == "READY"
        assert model.source_run_id == runs[track].info.run_id
        assert model.params == {"track": track, "rung": "1", "seed": "0", "n_train": "200"}
        assert model.tags["fingerprint"] == f"{track}-1-0"
        assert not model.artifact_location.startswith("/")
        assert runs[track].data.tags["model"] == "rung 1, seed 0"
        outputs = client(root).get_run(runs[track].info.run_id).outputs.model_outputs
        assert [output.model_id for output in outputs] == [model.model_id]


def test_no_file_of_a_model_is_a_pickle(root):
    files = [path for path in (root / "models" / "smoke").glob("*/artifacts/**/*") if path.is_file()]
    assert len(files) > 100
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".pyc", ".pt")]
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"]


def test_requirements_are_those_that_predicting_imports(root, tmp_path):
    """In a fresh process: whatever a module of this package that was loaded imports at its top."""
    code = (
        "import json, sys\n"
        "from toolkit.models.pyfunc import _load_pyfunc\n"
        "model = _load_pyfunc(sys.argv[1])\n"
        "files = [module.__file__ for name, module in sys.modules.items() if name.startswith('toolkit')]\n"
        "print(json.dumps(files))\n"
    )
    names = {"pyyaml": "yaml", "scikit-learn": "sklearn"}
    for track in TRACKS:
        folder = track_folder(root, "smoke", track)
        assert folder is not None
        wanted = [line.partition("==")[0] for line in requirements(path.name for path in folder.iterdir())]
        listed = (folder.parents[1] / "requirements.txt").read_text().split()
        assert listed == requirements(path.name for path in folder.iterdir())
        # pydantic_core comes with pydantic, in the one version that fits
        allowed = {names.get(name, name) for name in wanted} | {"pydantic_core", "toolkit"}
        allowed |= sys.stdlib_module_names
        done = subprocess.run(
            [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True, cwd=REPOSITORY
        )
        for file in json.loads(done.stdout):
            for node in ast.parse(Path(file).read_text()).body:
                names_of = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names_of += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert {name.partition(".")[0] for name in names_of} <= allowed, file


def test_the_same_results_leave_the_models_alone(root, store):
    before = {name: model.model_id for name, model in models(root).items()}
    finish(store, results_of(store, dict.fromkeys(TRACKS, 1)))
    assert {name: model.model_id for name, model in models(root).items()} == before


def test_a_model_that_was_removed_comes_back(root, store):
    shutil.rmtree((root / "models" / "smoke" / "rules").resolve())
    client(root).delete_logged_model(models(root)["neural"].model_id)
    finish(store, results_of(store, dict.fromkeys(TRACKS, 1)))
    assert set(models(root)) == set(TRACKS)
    for track in TRACKS:
        folder = track_folder(root, "smoke", track)
        assert folder is not None
        load_track(folder)


def test_the_model_follows_the_rung_that_is_deployed(root, store, saved, fitted, data):
    store.log_cell(cell("rules", rung=0), None, model=saved["baseline"])
    before = models(root)["rules"].model_id
    finish(store, results_of(store, {**dict.fromkeys(TRACKS, 1), "rules": 0}))
    model = models(root)["rules"]
    assert model.model_id != before
    assert model.params["rung"] == "0"
    folder = track_folder(root, "smoke", "rules")
    assert folder is not None
    expected = fitted["baseline"].predict_proba(data.test.features)
    assert np.array_equal(load_track(folder).predict_proba(data.test.features), expected)


def test_a_track_whose_cell_left_none_has_none_and_says_so(root, store):
    store.log_cell(cell("rules", rung=2), None)
    finish(store, results_of(store, {**dict.fromkeys(TRACKS, 1), "rules": 2}))
    assert set(models(root)) == {*TRACKS} - {"rules"}
    assert track_folder(root, "smoke", "rules") is None
    tags = {run.data.tags["track"]: run.data.tags["model"] for run in store._runs.search("1", "track")}
    assert tags["rules"] == "none was kept"


def test_models_of_cells_that_are_no_longer_asked_for_are_not_taken(root, store, saved):
    results = results_of(store, dict.fromkeys(TRACKS, 1))
    store.log_cell(cell("rules", fingerprint="of another file"), None, model=saved["baseline"])
    finish(store, results)
    assert models(root)["rules"].tags["fingerprint"] == "rules-1-0"


def test_a_moved_store_keeps_its_models(root):
    moved = root.parent / "elsewhere"
    root.rename(moved)
    with Store.open(moved) as store:
        finish(store, results_of(store, dict.fromkeys(TRACKS, 1)))
    assert all(model.artifact_location.startswith("elsewhere/") for model in models(moved).values())
    assert track_folder(moved, "smoke", "neural") is not None


def test_a_copy_that_turned_links_into_folders_is_put_right(root):
    copy = root.parent / "copy"
    shutil.copytree(root, copy)
    assert not (copy / "models" / "smoke" / "rules").is_symlink()
    with Store.open(copy) as store:
        finish(store, results_of(store, dict.fromkeys(TRACKS, 1)))
    for track in TRACKS:
        link = copy / "models" / "smoke" / track
        assert link.is_symlink()
        assert link.resolve().is_relative_to(copy.resolve())


def test_the_store_finds_a_cells_model_by_its_fingerprint(store):
    folder = store.model("smoke", "neural-1-0")
    assert folder is not None
    assert type(load_track(folder)).__name__ == "Neural"
    assert store.model("smoke", "neural-1-1") is None
    assert store.model("smoke", "nothing") is None
    assert store.model("none", "neural-1-0") is None


# toolkit predict


def predict(root: Path, table: Path, *arguments: str) -> Any:
    return CliRunner().invoke(
        app,
        ["predict", str(SMOKE.path), str(table), "--store", str(root), *arguments],
        catch_exceptions=False,
    )


@pytest.fixture
def table(shown, tmp_path) -> Path:
    shown.head(20).to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


@pytest.mark.parametrize("track", [None, "rules", "classical"])
def test_predict_writes_probabilities_and_nothing_else(root, table, fitted, data, track):
    done = predict(root, table, *([] if track is None else ["--track", track]))
    assert done.exit_code == 0, done.stderr
    heading, *printed = done.stdout.splitlines()
    assert heading == "probability"
    expected = fitted[track or "hybrid"].predict_proba(data.test.features.head(20))
    assert [float(line) for line in printed] == expected.tolist()
    assert "20 rows, by" in done.stderr
    assert ("which the verdict says to use" in done.stderr) is (track is None)


def test_predict_takes_columns_in_any_order_and_what_is_unknown_as_missing(
    root, tmp_path, fitted, data, shown
):
    rows = shown.head(3).copy()
    rows["segment"] = ["nobody", "", "NA"]
    rows.insert(0, "id", ["a", "b", "c"])
    rows["recency"] = ["NA", "", "nan"]
    rows[rows.columns[::-1]].to_csv(tmp_path / "rows.csv", index=False, encoding="utf-8-sig")
    done = predict(root, tmp_path / "rows.csv", "--track", "neural")
    assert done.exit_code == 0, done.stderr
    assert "'segment' holds what the model does not know, e.g. 'nobody'" in done.stderr
    features = data.test.features.head(3).copy()
    features["segment"] = np.full(3, -1, np.int32)
    features["recency"] = np.full(3, np.nan, np.float32)
    printed = [float(line) for line in done.stdout.splitlines()[1:]]
    assert printed == fitted["neural"].predict_proba(features).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no CSV with a heading"),
        ("a,b\n1,2,3,4\n5\n", "no column 'orders'"),
        ("a\n1,2\n1,2,3\n", "no CSV with a heading"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (None, "cannot read the file"),
        ("orders,segment\nmany,trade\n", "no column 'recency'"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_what_to_do(root, tmp_path, text, message):
    file = tmp_path / "rows.csv"
    if isinstance(text, str):
        file.write_text(text)
    elif text is not None:
        file.write_bytes(text)
    done = predict(root, file)
    assert done.exit_code == 2
    assert f"{file}: " in done.stderr
    assert message in done.stderr
    assert done.stdout == ""


def test_what_is_no_number_is_told_with_its_row(root, table):
    text = table.read_text().splitlines()
    first = text[1].split(",")
    table.write_text("\n".join([*text, ",".join(["many", *first[1:]])]))
    done = predict(root, table)
    assert done.exit_code == 2
    assert "'orders' holds 'many' in row 21" in done.stderr


def test_which_track_is_to_predict_must_be_known(root, table, tmp_path):
    done = predict(root, table, "--track", "hybird")
    assert done.exit_code == 2
    assert "did you mean 'hybrid'" in done.stderr
    done = predict(tmp_path / "none", table)
    assert done.exit_code == 2
    assert "python -m toolkit.run" in done.stderr
    assert not (tmp_path / "none").exists()
    (root / "reports" / "smoke" / "results.json").write_text("{}")
    done = predict(root, table)
    assert done.exit_code == 2
    assert "choose one with --track: baseline, rules" in done.stderr
    (root / "models" / "smoke" / "hybrid").unlink()
    done = predict(root, table, "--track", "hybrid")
    assert done.exit_code == 2
    assert "there is no model of hybrid here" in done.stderr
    for name in TRACKS[1:-1]:
        (root / "models" / "smoke" / name).unlink()
    assert predict(root, table).exit_code == 0, "the only model there is"


def test_a_damaged_model_is_told(root, table):
    folder = track_folder(root, "smoke", "hybrid")
    assert folder is not None
    (folder / "arrays.safetensors").write_bytes(b"x")
    done = predict(root, table)
    assert done.exit_code == 2
    assert "arrays.safetensors: it is damaged" in done.stderr


def test_predicting_needs_no_mlflow(root, table):
    code = (
        "import sys\n"
        "from toolkit.cli import app\n"
        "try:\n    app(sys.argv[1:])\nfinally:\n    assert 'mlflow' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", SMOKE.path, table, "--store", root],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONWARNINGS": "error::UserWarning"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("probability\n0.")
