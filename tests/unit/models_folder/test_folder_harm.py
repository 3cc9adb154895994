"""Saved tracks that somebody made to do harm; their documents are sealed as they should be."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from toolkit.errors import ModelError, UserError
from toolkit.models.folder import DOCUMENT, seal
from toolkit.tracks.base import load_track

ANNOTATION = re.compile(
    r"eval\(<code object <module> at \w+, file \"<string>\", line 1>, {'__name__': 'toolkit\."
)


def change(**entries: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(entries)


def learn(**entries: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["learned"].update(entries)


def ran(canary: Any, read: Callable[[], object]) -> None:
    canary.watching = True
    try:
        read()
    finally:
        canary.watching = False
        # pydantic evaluates the annotations of the track's own class, whatever the file says
        canary.ran[:] = [entry for entry in canary.ran if not ANNOTATION.match(entry)]


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
def test_nothing_that_a_document_names_is_imported_or_run(saved, canary, edit, rewrite):
    folder = saved("baseline")
    load_track(folder)  # what any load imports is imported now
    rewrite(folder, edit)
    before = set(sys.modules)
    with pytest.raises(ModelError) as caught:
        ran(canary, lambda: load_track(folder))
    canary.check_sentence(str(caught.value), str(folder / DOCUMENT), limit=800)
    assert canary.ran == []
    assert not {name for name in set(sys.modules) - before if not name.startswith("toolkit.")}


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


def test_arrays_of_another_making_are_refused(saved, rewrite):
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


def test_a_knowledge_base_of_another_making_cannot_read_files(saved, rewrite):
    folder = saved("rules")
    text = (folder / "knowledge.yaml").read_text()
    (folder / "knowledge.yaml").write_text(text + "\ntables: [../../../etc/passwd]\n")
    rewrite(folder, lambda document: None)
    with pytest.raises(UserError, match=r"a table is a .csv file in the folder"):
        load_track(folder)
