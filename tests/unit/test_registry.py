from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from toolkit import registry
from toolkit.errors import ParameterError
from toolkit.tasks.synthetic import Synthetic

PLUGIN = '''
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
from toolkit.meters.base import Meter

@dataclass
class Clock(Meter):
    """A meter."""
    ticks: int = 1
    scale: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        if self.ticks == 13:
            raise ValueError("13 brings bad luck")

    def start(self) -> None: ...
    def stop(self) -> dict[str, float | None]:
        return {"clock_seconds": float(self.ticks)}
'''


@pytest.fixture
def add_meter(tmp_path, monkeypatch):
    """Add a file to the folder of meters, as a user of the toolkit would."""
    package = importlib.import_module("toolkit.meters")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    added = []

    def add(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        added.append(f"toolkit.meters.{name}")
        importlib.invalidate_caches()

    yield add
    for name in added:
        sys.modules.pop(name, None)


def test_names_are_the_files_without_base_and_private_ones():
    for kind in registry.KINDS:
        folder = Path(importlib.import_module(f"toolkit.{kind}").__file__ or "").parent
        files = {path.stem for path in folder.glob("*.py")}
        assert registry.names(kind) == sorted(
            name for name in files if name != "base" and not name.startswith("_")
        )


def test_every_plugin_that_is_shipped_can_be_imported():
    for kind in registry.KINDS:
        for name in registry.names(kind):
            assert registry.plugin(kind, name).__doc__


def test_one_new_file_is_enough(add_meter):
    add_meter("clock", PLUGIN)
    assert "clock" in registry.names("meters")
    meter = registry.build("meters", "clock", {"ticks": 3})
    assert meter.stop() == {"clock_seconds": 3.0}


def test_parameters_reach_the_dataclass():
    task = registry.build("tasks", "synthetic", {"kind": "steps", "n_clusters": 50})
    assert task == Synthetic(kind="steps", n_clusters=50)


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("tracks", "nueral", "there is no track 'nueral'; did you mean 'neural'?"),
        ("tasks", "../synthetic", "there is no task '../synthetic'; did you mean 'synthetic'?"),
        ("tasks", "base", "there is no task 'base'"),
        ("report.sections", "verdikt", "there is no section 'verdikt'; did you mean 'verdict'?"),
    ],
)
def test_an_unknown_plugin_is_named_with_the_nearest(kind, name, sentence):
    with pytest.raises(ParameterError) as caught:
        registry.build(kind, name, {})
    assert sentence in str(caught.value)
    assert caught.value.path == ()


@pytest.mark.parametrize(
    ("name", "params", "sentence"),
    [
        ("synthetic", {"seeds": 1}, "synthetic has no parameter 'seeds'; did you mean 'seed'?"),
        ("synthetic", {"noise": float("nan")}, "parameter 'noise' of synthetic: Input should be a finite"),
        (
            "synthetic",
            {"kind": "rule"},
            "Input should be 'rules', 'linear', 'steps' or 'smooth' (got 'rule')",
        ),
        ("synthetic", {"n_clusters": 3}, "Input should be greater than or equal to 10 (got 3)"),
        ("synthetic", {"n_clusters": "300"}, "Input should be a valid integer (got '300')"),
        ("synthetic", {"n_clusters": True}, "Input should be a valid integer (got True)"),
        ("rules", {"knowlege": "a"}, "rules has no parameter 'knowlege'; did you mean 'knowledge'?"),
    ],
)
def test_a_wrong_parameter_is_a_sentence_with_a_path(name, params, sentence):
    with pytest.raises(ParameterError) as caught:
        registry.build("tasks" if name == "synthetic" else "tracks", name, params)
    assert sentence in str(caught.value)
    assert caught.value.path == tuple(params)


def test_a_parameter_that_is_needed_is_named():
    with pytest.raises(ParameterError, match=r"^rules needs the parameter 'knowledge'$"):
        registry.build("tracks", "rules", {})


def test_what_a_plugin_itself_refuses_is_told_in_its_words(add_meter):
    add_meter("clock", PLUGIN)
    with pytest.raises(ParameterError, match=r"^clock: 13 brings bad luck$"):
        registry.build("meters", "clock", {"ticks": 13})


@pytest.mark.parametrize("text", ["", PLUGIN + "class Other(Clock): ..."])
def test_a_file_with_no_plugin_or_two_is_a_bug_with_a_name(add_meter, text):
    add_meter("odd", text)
    with pytest.raises(TypeError, match=r"toolkit\.meters\.odd must define exactly one concrete Meter"):
        registry.plugin("meters", "odd")


def test_paths_and_numbers_of_numpy_are_taken_and_objects_are_not():
    assert registry.build("tracks", "rules", {"knowledge": Path("a.yaml")}).knowledge == Path("a.yaml")
    assert registry.build("tracks", "neural", {"width": np.int64(8)}).width == 8
    with pytest.raises(ParameterError, match="no file could give"):
        registry.build("tracks", "neural", {"width": object()})


def test_building_leaves_the_parameters_alone():
    params = {"kind": "linear"}
    registry.build("tasks", "synthetic", params)
    assert params == {"kind": "linear"}
