"""Real cells in real processes, on made-up data."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from toolkit.config import load
from toolkit.sweep import local
from toolkit.sweep.import_probe import probe
from toolkit.sweep.local import Event, LocalExecutor
from toolkit.sweep.plan import Plan, make_plan
from toolkit.sweep.spool import CellOutcome, discard, spooled

EXPERIMENT = """\
    experiment: tiny
    task: {name: synthetic, n_clusters: 60, rows_per_cluster: 10}
    ladder: {seeds: 2, rungs: [{share: 1}]}
    search: 0.5
    tracks:
      baseline: {column: habit_probability}
      classical: {}
    economics: {value: {true_positive: 1, false_positive: -1}, volume_per_year: 1000}
"""


@pytest.fixture(autouse=True)
def quick_probe(monkeypatch):
    monkeypatch.setattr(local, "probe", lambda packages: {"cost_import_cpu_seconds": 0.25})


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    file = tmp_path_factory.mktemp("sweep") / "tiny.yaml"
    file.write_text(textwrap.dedent(EXPERIMENT))
    return make_plan(load(file), progress=lambda text, share: None)


def sweep(plan: Plan, spool: Path, **options) -> list[CellOutcome]:
    return list(LocalExecutor(**options).run(plan, plan.specs, spool=spool))


def test_a_sweep_gives_every_cell_once_and_the_same_each_time(plan, tmp_path):
    events: list[Event] = []
    first = sweep(plan, tmp_path / "a", on_event=events.append)
    assert [cell.record.fingerprint for cell in first] == [spec.fingerprint for spec in plan.specs]
    assert {cell.record.status for cell in first} == {"finished"}, [cell.record.reason for cell in first]
    assert {cell.record.costs["cost_import_cpu_seconds"] for cell in first} == {0.25}
    assert {cell.record.machine["threads"] for cell in first} == {"1"}
    started = [event.spec for event in events if event.kind == "started"]
    assert started == list(plan.specs)
    assert events[0].kind == "preparing"

    second = sweep(plan, tmp_path / "b", slots=2)
    assert len(second) == len(first)
    again = {cell.record.fingerprint: cell for cell in second}
    for cell in first:
        other = again[cell.record.fingerprint]
        assert other.record.scores == cell.record.scores, cell.record.track
        assert other.record.quality != "clean", "cells side by side are never clean"
        assert cell.evidence is not None
        assert other.evidence is not None
        for name in ("cluster", "bin", "positives", "cluster_log_loss", "valid_positives"):
            np.testing.assert_array_equal(getattr(cell.evidence, name), getattr(other.evidence, name))


def test_an_interrupted_sweep_goes_on_where_it_stopped(plan, tmp_path):
    running = LocalExecutor().run(plan, plan.specs, spool=tmp_path)
    done = [next(running)]
    running.close()
    wanted = [spec.fingerprint for spec in plan.specs]
    found = spooled(tmp_path, wanted)
    assert [cell.record for cell in found.outcomes] == [cell.record for cell in done]
    assert found.notes == ()
    for cell in found.outcomes:
        discard(tmp_path, cell.record.fingerprint)
    known = {cell.record.fingerprint for cell in found.outcomes}
    rest = [spec for spec in plan.specs if spec.fingerprint not in known]
    finished = list(LocalExecutor().run(plan, rest, spool=tmp_path))
    assert [cell.record.fingerprint for cell in finished] == wanted[1:]
    assert not list(tmp_path.glob("*.log"))
    assert not list(tmp_path.glob("*.tmp"))


def test_nothing_to_do_starts_nothing(plan, tmp_path):
    spool = tmp_path / "spool"
    assert list(LocalExecutor().run(plan, [], spool=spool)) == []
    assert not spool.exists()


def test_importing_is_measured_in_a_bare_process():
    costs = probe(["json", "numpy"])
    assert costs["cost_import_cpu_seconds"] > 0
    assert costs["cost_import_wall_seconds"] > 0


def test_what_cannot_be_imported_is_not_measured():
    assert set(probe(["no_such_package_here"]).values()) == {None}
