"""Saved tracks on disk: what is written, what is read again, and what is not saved at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import ModelError, NotFittedError
from toolkit.models.folder import SavedFolder
from toolkit.models.loading import read_example
from toolkit.tracks.base import load_track
from toolkit.tracks.baseline import Baseline
from toolkit.tracks.rules import Rules

REPOSITORY = Path(__file__).parents[3]
GOLDEN = REPOSITORY / "tests" / "golden"


def test_a_fresh_process_predicts_the_same(originals, data, tmp_path):
    """Nothing that loading needs was left behind in the process that saved."""
    features = tmp_path / "features.npy"
    np.save(features, data.test.features.to_numpy(np.float64), allow_pickle=False)
    code = (
        "import sys, numpy as np, pandas as pd\n"
        "from pathlib import Path\n"
        "from toolkit.tracks.base import load_track\n"
        "track = load_track(Path(sys.argv[1]))\n"
        "rows = pd.DataFrame(np.load(sys.argv[2]), columns=track.schema_.names).astype('float32')\n"
        "for column in track.schema_.categories: rows[column.name] = rows[column.name].astype('int32')\n"
        "np.save(sys.argv[3], track.predict_proba(rows))\n"
        "assert 'mlflow' not in sys.modules\n"
        "assert 'torch' not in sys.modules or 'skops' in sys.modules\n"
    )
    for name, folder in originals.items():
        out = tmp_path / f"{name}.npy"
        subprocess.run([sys.executable, "-c", code, folder, features, out], check=True, cwd=REPOSITORY)
        assert np.array_equal(np.load(out), load_track(folder).predict_proba(data.test.features)), name


def test_the_folder_must_be_new_or_empty_and_is_written_whole(data, tmp_path):
    track = Baseline().fit(data.train, seed=0)
    (tmp_path / "empty").mkdir()
    track.save(tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]
    with pytest.raises(ModelError, match="something here already"):
        track.save(tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="something here already"):
        track.save(tmp_path / "file")
    with pytest.raises(ModelError, match="cannot be written"):
        track.save(tmp_path / "file" / "below")
    track.save(tmp_path / "some" / "way" / "down")
    assert load_track(tmp_path / "some" / "way" / "down") == track


def test_the_knowledge_base_is_kept_in_words_and_no_path_of_this_machine_is(saved):
    folder = saved("rules")
    assert (folder / "knowledge.yaml").read_text().startswith("knowledge_base:")
    assert str(REPOSITORY) not in "".join(path.read_text() for path in folder.iterdir())
    loaded = load_track(folder)
    assert isinstance(loaded, Rules)
    assert len(loaded.knowledge_.all_rules) == loaded.n_rules == 3


def test_decision_tables_are_kept_too(data, tmp_path):
    (tmp_path / "k.yaml").write_text(
        "knowledge_base: demo\npredicts: buys\nprior: 10 %\n"
        "columns: {visits: {type: number}, segment: {type: choice}}\n"
        "tables: [more.csv, first.csv]\n"
    )
    (tmp_path / "more.csv").write_text("C, visits, then, certainty, because\n1, > 2, buys, likely, Seen.\n")
    (tmp_path / "first.csv").write_text(
        'F, visits, segment, then, certainty, because\n1, [1..2], "trade, private", buys, 0.4, Seen.\n'
        "2, -, -, does not buy, 0.3, Else.\n"
    )
    for n_rules in (None, 2, 1, 0):
        track = Rules(knowledge=tmp_path / "k.yaml", n_rules=n_rules).fit(data.train, seed=0)
        track.save(tmp_path / f"saved{n_rules}")
        loaded = load_track(tmp_path / f"saved{n_rules}")
        features = data.test.features
        assert np.array_equal(loaded.predict_proba(features), track.predict_proba(features))


def test_an_example_is_kept_with_the_columns(data, tmp_path):
    track = Baseline().fit(data.train, seed=0)
    track.save(tmp_path / "saved", example={"orders": 3, "recency": float("nan"), "segment": "trade"})
    schema, row = read_example(tmp_path / "saved")
    assert schema == data.train.schema
    assert tuple(row) == schema.names
    assert (row["orders"], row["recency"], row["segment"], row["visits"]) == (3.0, None, "trade", None)


@pytest.mark.parametrize("name", ["baseline", "rules"])
def test_tracks_of_format_1_still_load(name, data):
    loaded = load_track(GOLDEN / f"track_v1_{name}")
    row = pd.DataFrame(
        {column.name: [0.25 if column.kind == "number" else 1] for column in loaded.schema_.columns}
    ).astype({column.name: "int32" for column in loaded.schema_.categories})
    golden = {"baseline": 0.25, "rules": 1 / 16}
    assert loaded.predict_proba(row)[0] == pytest.approx(golden[name], abs=1e-12)


def test_a_saved_folder_tells_what_it_lists(originals):
    opened = SavedFolder.open(originals["rules"])
    assert set(opened.files) == {"knowledge.yaml"}
    assert opened.document["track"] == "rules"


def test_tracks_that_cannot_be_found_again_are_not_saved(data, tmp_path):
    class Mine(Baseline):
        pass

    with pytest.raises(ModelError, match="a file in toolkit/tracks"):
        Mine().fit(data.train, seed=0).save(tmp_path / "saved")
    track = Baseline().fit(data.train, seed=0)
    del track.schema_
    with pytest.raises(NotFittedError, match=r"which must set self\.schema_ = train\.schema"):
        track.save(tmp_path / "saved")
    with pytest.raises(NotFittedError):
        Baseline().save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_a_knowledge_base_too_long_to_be_read_again_is_told(data, tmp_path, monkeypatch):
    monkeypatch.setattr("toolkit.models.saving.MAX_BYTES", 100)
    track = Rules(knowledge=REPOSITORY / "experiments/knowledge/smoke.yaml").fit(data.train, seed=0)
    with pytest.raises(ModelError, match="at most 100 can be read again"):
        track.save(tmp_path / "saved")


def test_a_search_may_choose_infinity_and_bounds_still_hold(saved, rewrite):
    folder = saved("rules")
    rewrite(folder, lambda document: document["parameters"].update(scale={"$number": "inf"}))
    assert load_track(folder).get_params()["scale"] == float("inf")
    for wrong in ("-inf", "nan"):
        number = {"$number": wrong}
        rewrite(folder, lambda document, number=number: document["parameters"].update(scale=number))
        with pytest.raises(ModelError, match="scale"):
            load_track(folder)
