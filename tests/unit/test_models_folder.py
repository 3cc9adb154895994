"""Saved tracks on disk: damage, other versions, and files that somebody made to do harm."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.config import Rung
from toolkit.errors import ModelError, NotFittedError, UserError
from toolkit.models.folder import DOCUMENT, SavedFolder, seal
from toolkit.models.loading import read_example
from toolkit.models.saving import FORMAT_VERSION
from toolkit.tasks.base import TaskData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track, load_track
from toolkit.tracks.baseline import Baseline
from toolkit.tracks.classical import Classical
from toolkit.tracks.rules import Rules

REPOSITORY = Path(__file__).parents[2]
GOLDEN = REPOSITORY / "tests" / "golden"
ANNOTATION = re.compile(
    r"eval\(<code object <module> at \w+, file \"<string>\", line 1>, {'__name__': 'toolkit\."
)


@pytest.fixture(scope="module")
def data() -> TaskData:
    return Synthetic(n_clusters=60, rows_per_cluster=10).load(rung=Rung(share=1.0), seed=0)


@pytest.fixture(scope="module")
def originals(data, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("originals")
    tracks: dict[str, Track] = {
        "baseline": Baseline(column="habit_probability"),
        "rules": Rules(knowledge=REPOSITORY / "experiments/knowledge/smoke.yaml", n_rules=3),
        "logistic": Classical(family="logistic"),
        "boosting": Classical(family="boosting"),
    }
    for name, track in tracks.items():
        track.fit(data.train, seed=0).save(folder / name)
    return {name: folder / name for name in tracks}


@pytest.fixture
def saved(originals, tmp_path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        shutil.copytree(originals[name], tmp_path / name)
        return tmp_path / name

    return copy


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the document and seal it again, as one would who wants it to be taken for whole."""
    document = json.loads((folder / DOCUMENT).read_text())
    names = document.pop("files")
    document.pop("sha256")
    files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    change(document)
    (folder / DOCUMENT).write_bytes(seal(document, files))


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


# Damage.


def places(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@pytest.mark.parametrize("name", ["baseline", "rules", "logistic", "boosting"])
def test_a_file_that_is_missing_short_or_changed_is_named(saved, name):
    folder = saved(name)
    for file in places(folder):
        whole = file.read_bytes()
        changed = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
        for damaged in (whole[: len(whole) // 2], b"", whole + b"x", changed):
            file.write_bytes(damaged)
            with pytest.raises(ModelError) as caught:
                load_track(folder)
            assert str(file) in str(caught.value)
        file.unlink()
        with pytest.raises(ModelError, match=file.name):
            load_track(folder)
        file.write_bytes(whole)
    load_track(folder)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_no_changed_byte_passes(originals, tmp_path, place, byte):
    folder = tmp_path / "bytes"
    if not folder.exists():
        shutil.copytree(originals["rules"], folder)
    whole = (originals["rules"] / DOCUMENT).read_bytes()
    at = int(place * len(whole))
    (folder / DOCUMENT).write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    blanks = b" \t\n\r"
    if whole[at] in blanks and byte in blanks:
        return  # between values they say nothing
    with contextlib.nullcontext() if byte == whole[at] else pytest.raises(ModelError, match=DOCUMENT):
        assert isinstance(load_track(folder), Rules)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b"[]", "no saved track"),
        (b"{}", "no saved track"),
        (b"[" * 200_000, "damaged"),
        (b'{"a": NaN}', "damaged"),
        (b"\xff\xfe", "damaged"),
        (b'{"files": {}, "sha256": "0"}', "damaged"),
    ],
)
def test_a_document_that_is_none_is_refused(tmp_path, content, message):
    (tmp_path / DOCUMENT).write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        load_track(tmp_path)
    assert DOCUMENT in str(caught.value)


def test_a_folder_that_is_not_there_or_holds_none_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        load_track(tmp_path / "none")
    with pytest.raises(ModelError, match=DOCUMENT):
        load_track(tmp_path)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (FORMAT_VERSION + 1, "reads up to 1; install the newer version"),
        (0, "never was a format 0"),
        ("1", "no saved track"),
        (None, "no saved track"),
        (True, "no saved track"),
    ],
)
def test_another_version_is_told(saved, version, message):
    folder = saved("baseline")
    rewrite(folder, lambda document: document.update(format_version=version))
    with pytest.raises(ModelError, match=message) as caught:
        load_track(folder)
    assert str(folder / DOCUMENT) in str(caught.value)


# Harm: documents that are sealed as they should be.


def change(**entries: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(entries)


def learn(**entries: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["learned"].update(entries)


@pytest.mark.parametrize(
    "edit",
    [
        change(track="os"),
        change(track="../tracks/baseline"),
        change(track="base"),
        change(track="_net"),
        change(track="json.tool"),
        change(track=["baseline"]),
        change(format="another program's"),
        change(parameters={"column": "habit_probability", "more": 1}),
        change(parameters={"column": ["a"]}),
        change(parameters=[1]),
        change(columns=5),
        change(columns=[5]),
        change(columns=[{"name": "a", "kind": "secret", "levels": [], "unit": ""}]),
        change(columns=[{"name": "a", "kind": "number", "levels": [], "unit": "", "__class__": "x"}]),
        change(columns=[{"name": "a", "kind": "number", "levels": [], "unit": ""}] * 2),
        change(example=5),
        change(learned=[]),
        learn(predict_proba="x"),
        learn(__class__="x"),
        learn(__dict___={}),
        learn(column="other"),
        learn(**{"not a name_": 1}),
        learn(class_prior_={"$class": "os.system", "fields": {"command": "true"}}),
        learn(class_prior_={"$class": "builtins.eval", "fields": {}}),
        learn(class_prior_={"$class": "subprocess.Popen", "fields": {"args": ["true"]}}),
        learn(class_prior_={"$class": "toolkit.sweep.cell.CellJob", "fields": {}}),
        learn(class_prior_={"$class": "toolkit.tasks.base.Column", "fields": {"nonsense": 1}}),
        learn(class_prior_={"$class": "toolkit.tasks.base.Column", "fields": {}}),
        learn(class_prior_={"$estimator": "estimator-0.skops"}),
        learn(class_prior_={"$estimator": "../../secret"}),
        learn(class_prior_={"$estimator": "/etc/passwd"}),
        learn(class_prior_={"$knowledge": "/etc/passwd"}),
        learn(class_prior_={"$knowledge": "track.json"}),
        learn(class_prior_={"$expert_system": "knowledge.yaml"}),
        learn(class_prior_={"$array": "x"}),
        lambda document: document.pop("learned"),
        lambda document: document.pop("columns"),
    ],
)
def test_nothing_that_a_document_names_is_imported_or_run(saved, canary, edit):
    folder = saved("baseline")
    ran(canary, lambda: load_track(folder))
    rewrite(folder, edit)
    before = set(sys.modules)
    with pytest.raises(ModelError) as caught:
        ran(canary, lambda: load_track(folder))
    canary.check_sentence(str(caught.value), str(folder / DOCUMENT), limit=800)
    assert canary.ran == []
    assert not {name for name in set(sys.modules) - before if not name.startswith("toolkit.")}


def ran(canary: Any, read: Callable[[], object]) -> None:
    canary.watching = True
    try:
        read()
    finally:
        canary.watching = False
        # pydantic evaluates the annotations of the track's own class, whatever the file says
        canary.ran[:] = [entry for entry in canary.ran if not ANNOTATION.match(entry)]


@pytest.mark.parametrize("name", ["../secret.skops", "/etc/passwd", "..", ".hidden", "a/b", "", "A.json"])
def test_files_outside_of_the_folder_are_not_read(saved, tmp_path, name):
    folder = saved("baseline")
    (tmp_path / "secret.skops").write_bytes(b"secret")
    document = json.loads((folder / DOCUMENT).read_text())
    for key in ("files", "sha256"):
        document.pop(key)
    document["learned"]["class_prior_"] = {"$estimator": name}
    (folder / DOCUMENT).write_bytes(seal(document, {name: b"secret"}))
    with pytest.raises(ModelError, match="no name of a file of this folder"):
        load_track(folder)


def test_links_and_pipes_are_not_followed(saved, tmp_path):
    folder = saved("logistic")
    arrays = folder / "arrays.safetensors"
    arrays.rename(tmp_path / "elsewhere")
    arrays.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"arrays\.safetensors: cannot be read"):
        load_track(folder)
    arrays.unlink()
    os.mkfifo(arrays)
    with pytest.raises(ModelError, match="not a regular file"):
        load_track(folder)
    arrays.unlink()
    arrays.mkdir()
    with pytest.raises(ModelError, match=r"arrays\.safetensors"):
        load_track(folder)


def test_arrays_of_another_making_are_refused(saved):
    folder = saved("logistic")
    for content in (b"\x80\x04N.", b"\xff" * 64, b"\x08" + b"\0" * 7 + b'{"a":{}}', b"{}"):
        (folder / "arrays.safetensors").write_bytes(content)
        rewrite(folder, lambda document: None)
        with pytest.raises(ModelError, match=r"arrays\.safetensors: the arrays cannot be read"):
            load_track(folder)
    (folder / "arrays.safetensors").write_bytes(safetensors.numpy.save({"other": np.ones(3)}))
    rewrite(folder, lambda document: None)
    with pytest.raises(ModelError, match="there is no array"):
        load_track(folder)


def test_a_knowledge_base_of_another_making_cannot_read_files(saved):
    folder = saved("rules")
    text = (folder / "knowledge.yaml").read_text()
    (folder / "knowledge.yaml").write_text(text + "\ntables: [../../../etc/passwd]\n")
    rewrite(folder, lambda document: None)
    with pytest.raises(UserError, match=r"a table is a .csv file in the folder"):
        load_track(folder)


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


def test_a_search_may_choose_infinity_and_bounds_still_hold(saved):
    folder = saved("rules")
    rewrite(folder, lambda document: document["parameters"].update(scale={"$number": "inf"}))
    assert load_track(folder).get_params()["scale"] == float("inf")
    for wrong in ("-inf", "nan"):
        number = {"$number": wrong}
        rewrite(folder, lambda document, number=number: document["parameters"].update(scale=number))
        with pytest.raises(ModelError, match="scale"):
            load_track(folder)
