from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from toolkit.config import Rung, load
from toolkit.records import CellSpec
from toolkit.sweep import fingerprint
from toolkit.sweep.fingerprint import Fingerprinter, source_hash
from toolkit.sweep.plan import make_plan
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track
from toolkit.tracks.baseline import Baseline
from toolkit.tracks.hybrid import Hybrid
from toolkit.tracks.rules import Rules

EXPERIMENT = """\
experiment: tiny
task: {{name: synthetic, n_clusters: {clusters}}}
ladder: {{seeds: 2, rungs: [{{share: .1}}, {{share: {share}}}]}}
search: {search}
tracks:
  baseline: {{column: {column}}}
  classical: {{}}
economics:
  {{value: {{true_positive: {value}, false_positive: -1}}, volume_per_year: 1000, country: {country}}}
engine: {{timeout_seconds: {timeout}}}
"""
USUAL = {
    "clusters": 50,
    "share": 1.0,
    "search": 1.0,
    "column": "habit_probability",
    "value": 1,
    "country": "US",
    "timeout": 10,
}


def prints(folder: Path, **changes) -> dict[tuple[str, int, int], str]:
    file = folder / "tiny.yaml"
    file.write_text(EXPERIMENT.format(**{**USUAL, **changes}))
    plan = make_plan(load(file), progress=lambda text, share: None)
    return {(spec.track, spec.rung, spec.seed): spec.fingerprint for spec in plan.specs}


def changed(folder: Path, **changes) -> set[tuple[str, int, int]]:
    before, after = prints(folder), prints(folder, **changes)
    assert before.keys() == after.keys()
    return {key for key in before if before[key] != after[key]}


def test_every_cell_has_its_own_and_it_is_stable(tmp_path):
    first = prints(tmp_path)
    assert len(set(first.values())) == len(first) == 5
    assert prints(tmp_path) == first


@pytest.mark.parametrize("change", [{"value": 7}, {"country": "SE"}, {"timeout": 99}])
def test_economics_and_engine_do_not_count(tmp_path, change):
    assert changed(tmp_path, **change) == set()


@pytest.mark.parametrize("change", [{"clusters": 60}, {"search": 0.5}])
def test_task_and_search_change_every_cell(tmp_path, change):
    assert len(changed(tmp_path, **change)) == 5


def test_a_tracks_parameter_changes_its_own_cells_only(tmp_path):
    assert changed(tmp_path, column="null") == {("baseline", 0, 0)}


def test_a_rung_changes_its_own_cells_only(tmp_path):
    assert changed(tmp_path, share=0.9) == {
        ("baseline", 0, 0),
        ("classical", 1, 0),
        ("classical", 1, 1),
    }


@dataclass
class Stub(Track):
    knowledge: Path | None = None
    weights: dict[str, list[float]] = dataclasses.field(default_factory=dict)

    def fit(self, train, *, seed):
        return self

    def predict_proba(self, features, sequence=None):
        return np.zeros(len(features))


SPEC = CellSpec(
    experiment="e", task="synthetic", track="stub", rung=0, data_rung=0, n_rules=None, seed=0, n_train=9
)


def of(track: Track, **changes) -> str:
    maker = Fingerprinter(Synthetic(), **{"data_version": "1", "search": 1.0, **changes})
    return maker.cell(SPEC, track, Rung(share=0.5))


KNOWLEDGE = """\
knowledge_base: demo
predicts: buys
prior: 10 %
columns: {n: {type: number}}
rules: [{id: a, when: n > 1, then: buys, certainty: likely, because: Seen.}]
tables: [more.csv]
"""
TABLE = "C, n, then, certainty, because\n1, > 5, buys, likely, Seen.\n"


def test_knowledge_counts_by_content_and_not_by_place_or_layout(tmp_path):
    def file(name: str, text: str = KNOWLEDGE, table: str = TABLE) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "more.csv").write_text(table)
        (tmp_path / name / "k.yaml").write_text(text)
        return tmp_path / name / "k.yaml"

    usual = of(Stub(knowledge=file("a")))
    assert of(Stub(knowledge=file("b", "# a comment\n" + KNOWLEDGE))) == usual
    assert of(Stub(knowledge=file("c", KNOWLEDGE.replace("n > 1", "n > 2")))) != usual
    assert of(Stub(knowledge=file("d", table=TABLE.replace("> 5", "> 6")))) != usual


def test_the_modules_that_compile_knowledge_count_for_tracks_that_use_it(monkeypatch, tmp_path):
    (tmp_path / "more.csv").write_text(TABLE)
    (tmp_path / "k.yaml").write_text(KNOWLEDGE)
    seen: set[str] = set()
    real = fingerprint.source_hash

    def spy(files):
        found = list(files)
        seen.update(
            str(path).rpartition("knowledge/")[2] for path in found if "knowledge" in map(str, path.parts)
        )
        return real(found)

    monkeypatch.setattr(fingerprint, "source_hash", spy)
    of(Stub())
    assert seen == set()
    knowledge = tmp_path / "k.yaml"
    Fingerprinter(Synthetic(), data_version="1", search=1.0).cell(SPEC, Rules(knowledge=knowledge), None)
    assert {"base.py", "language.py", "condition.py", "program.py", "symbolic.py", "tables.py"} <= seen
    folders = {name.partition("/")[0] for name in seen if "/" in name}
    assert folders == {"fuzzy"}, "explaining, checking and mining change no result"


def test_nested_parameters_data_and_meters_count(monkeypatch):
    usual = of(Stub(weights={"a": [1.0, 2.0]}))
    assert of(Stub(weights={"a": [1.0, 2.5]})) != usual
    assert of(Stub(weights={"a": [1.0, 2.0]}), data_version="2") != usual
    monkeypatch.setattr(fingerprint, "METER_VERSION", 99)
    assert of(Stub(weights={"a": [1.0, 2.0]})) != usual


@pytest.mark.parametrize("changed", ["numpy", "optuna", "pandas", "scikit-learn", "scipy", "torch"])
def test_versions_of_libraries_count(monkeypatch, changed):
    usual, told = of(Stub()), fingerprint.importlib.metadata.version
    monkeypatch.setattr(
        fingerprint.importlib.metadata, "version", lambda name: "0.0" if name == changed else told(name)
    )
    assert of(Stub()) != usual


def test_soft_rules_count_though_they_are_imported_late_and_checks_do_not():
    hybrid = fingerprint._plugin_files(Hybrid(knowledge=Path("k.yaml")), shared=True)
    found = {"/".join(file.parts[-2:]) for file in fingerprint._knowledge_files(hybrid)}
    assert {"fuzzy/system.py", "fuzzy/graph.py", "knowledge/symbolic.py"} <= found
    assert not [name for name in found if name.startswith(("checks/", "explain/", "mining/"))]


class Kind(Baseline):
    """A track of one's own that is a kind of another."""


def test_a_kind_of_another_track_rests_on_that_one_too():
    names = {file.name for file in fingerprint._plugin_files(Kind(), shared=True)}
    assert {Path(__file__).name, "baseline.py"} <= names
    assert "base.py" not in names, "it is in every cell"


def test_expected_rows_and_its_own_fingerprint_do_not_count():
    maker = Fingerprinter(Synthetic(), data_version="1", search=1.0)
    other = SPEC.model_copy(update={"n_train": 10, "fingerprint": "x", "experiment": "another"})
    assert maker.cell(SPEC, Stub(), None) == maker.cell(other, Stub(), None)


def test_only_the_meaning_of_source_counts(tmp_path):
    file = tmp_path / "track.py"
    file.write_text('"""Doc."""\n\ndef f(x):\n    """Add."""\n    return x + 1  # one more\n')
    usual = source_hash([file])
    file.write_text('"""Other."""\ndef f(x): return (x+1)\n')
    assert source_hash([file]) == usual
    file.write_text("def f(x): return x + 2\n")
    assert source_hash([file]) != usual


def test_python_counts(monkeypatch):
    usual = of(Stub())
    monkeypatch.setattr(fingerprint, "_versions", lambda: {"python": f"{sys.version_info.major}.0"})
    assert of(Stub()) != usual
