"""codecarbon beside ours, with a tracker that says what it is told to."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from toolkit.config import load
from toolkit.errors import ConfigError
from toolkit.sweep import second_opinion
from toolkit.sweep.second_opinion import CodeCarbon, check

EXPERIMENT = """\
    experiment: tiny
    task: {name: synthetic}
    ladder: {rungs: [{share: 1}]}
    tracks: {baseline: {}}
    engine: {ENGINE}
    economics: {value: {true_positive: 1, false_positive: -1}, volume_per_year: 1000}
"""


@dataclass
class Tracker:
    calls: list[str] = field(default_factory=list)

    def start_task(self, name):
        self.calls.append(f"start {name}")

    def stop_task(self, name):
        self.calls.append(f"stop {name}")
        return SimpleNamespace(energy_consumed=2e-6)

    def stop(self):
        self.calls.append("end")


def test_kilowatt_hours_become_joules():
    tracker = Tracker()
    opinion = CodeCarbon(tracker)
    opinion.begin("a")
    assert opinion.end("a") == pytest.approx(7.2)
    opinion.close()
    assert tracker.calls == ["start a", "stop a", "end"]


def test_a_cell_that_was_not_begun_has_no_energy():
    tracker = Tracker()
    opinion = CodeCarbon(tracker)
    assert opinion.end("a") is None
    opinion.begin("a")
    opinion.end("a")
    assert opinion.end("a") is None
    assert tracker.calls == ["start a", "stop a"]


def experiment(folder, engine: str):
    file = folder / "tiny.yaml"
    file.write_text(textwrap.dedent(EXPERIMENT).replace("ENGINE", engine))
    return load(file)


def test_it_is_refused_where_it_is_not_installed_with_the_line(tmp_path, monkeypatch):
    monkeypatch.setattr(second_opinion, "PACKAGE", "no_such_package_at_all")
    check(experiment(tmp_path, "codecarbon: false"))
    with pytest.raises(ConfigError, match=r"tiny\.yaml:5.*codecarbon is not installed; install it"):
        check(experiment(tmp_path, "codecarbon: true"))


def test_it_cannot_tell_cells_apart_that_run_side_by_side(tmp_path):
    with pytest.raises(ConfigError, match="got slots: 2"):
        check(experiment(tmp_path, "codecarbon: true, slots: 2"))
