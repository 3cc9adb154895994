"""Models in the store as MLflow and people load them: the same answers, without pickle."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from toolkit.store.models import requirements, track_folder
from toolkit.tracks.base import load_track

REPOSITORY = Path(__file__).parents[4]


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow_loads_and_predicts_the_same_as_the_track(track, root, fitted, data, shown, schema, models):
    import mlflow

    model = mlflow.pyfunc.load_model(str(root / "models" / "smoke" / track / "artifacts"))
    expected = fitted[track].predict_proba(data.test.features)
    predicted = model.predict(shown)
    assert list(predicted.columns) == ["probability"]
    assert np.array_equal(predicted["probability"], expected)
    as_doubles = shown.astype(dict.fromkeys(schema.numbers, "float64"))
    assert np.array_equal(model.predict(as_doubles)["probability"], expected)
    assert model.predict(as_doubles.assign(more=1)).shape == (len(shown), 1)

    signature = model.metadata.signature
    assert tuple(signature.inputs.input_names()) == schema.names
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


def test_a_model_says_which_cell_it_is_and_hangs_below_its_tracks_run(root, store, client, models):
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


def test_requirements_are_those_that_predicting_imports(root, tmp_path, tracks):
    """In a fresh process: whatever a module of this package that was loaded imports at its top."""
    code = (
        "import json, sys\n"
        "from toolkit.models.pyfunc import _load_pyfunc\n"
        "model = _load_pyfunc(sys.argv[1])\n"
        "files = [module.__file__ for name, module in sys.modules.items() if name.startswith('toolkit')]\n"
        "print(json.dumps(files))\n"
    )
    names = {"pyyaml": "yaml", "scikit-learn": "sklearn"}
    for track in tracks:
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


def test_the_store_finds_a_cells_model_by_its_fingerprint(store):
    folder = store.model("smoke", "neural-1-0")
    assert folder is not None
    assert type(load_track(folder)).__name__ == "Neural"
    assert store.model("smoke", "neural-1-1") is None
    assert store.model("smoke", "nothing") is None
    assert store.model("none", "neural-1-0") is None
