"""Cells that raise, die, hang or vanish, and drivers that do: the rest goes on, nothing is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolkit.config import load
from toolkit.errors import StoreError, ToolkitError
from toolkit.records import CellSpec
from toolkit.sweep import local
from toolkit.sweep.fingerprint import Fingerprinter
from toolkit.sweep.local import LocalExecutor
from toolkit.sweep.plan import Plan
from toolkit.sweep.spool import CellOutcome, read_cell
from toolkit.tasks.synthetic import Synthetic

ODD_TRACKS = '''
"""Tracks that misbehave; in a module that a cell's process can import."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toolkit.tracks.base import Track


@dataclass
class Odd(Track):
    how: str = "good"
    folder: str = ""

    def fit(self, train, *, seed):
        getattr(self, self.how)()
        return self

    def predict_proba(self, features, sequence=None):
        return np.full(len(features), 0.25)

    def good(self):
        pass

    def raises(self):
        raise ValueError("the matrix is singular\\nand more")

    def exits(self):
        sys.exit("bye")

    def dies(self):
        print("last words", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    def crashes(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def vanishes(self):
        os._exit(0)

    def hangs(self):
        Path(self.folder, "hanging").write_text(f"{os.getpid()} {os.getppid()}")
        time.sleep(600)

    def leaves_a_child(self):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(self.folder, "child").write_text(str(child.pid))

    def kills_the_fork_server(self):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)

    def removes_the_spool(self):
        shutil.rmtree(self.folder)
'''

EXPERIMENT = """\
experiment: odd
task: {name: synthetic, n_clusters: 20, rows_per_cluster: 5}
ladder: {rungs: [{share: 1}]}
search: 0
tracks: {baseline: {}}
economics: {value: {true_positive: 1, false_positive: -1}, volume_per_year: 1000}
"""

DRIVER = """\
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])
import test_cell_crash
test_cell_crash.local.probe = lambda packages: {}
folder = Path(sys.argv[1])
plan = test_cell_crash.plan_of(folder, ["good", "hangs"])
for outcome in test_cell_crash.LocalExecutor().run(plan, plan.specs, spool=folder / "spool"):
    print(outcome.record.status, flush=True)
"""

PATIENCE_SECONDS = 60.0


def plan_of(folder: Path, ways: list[str]) -> Plan:
    """Return a plan with one track for each way to misbehave."""
    from odd_tracks import Odd

    file = folder / "odd.yaml"
    file.write_text(EXPERIMENT)
    experiment = load(file)
    task = Synthetic(**experiment.task_params)
    tracks = {
        way: Odd(how=way, folder=str(folder / "spool" if way == "removes_the_spool" else folder))
        for way in ways
    }
    maker = Fingerprinter(task, data_version=task.data_version(), search=0.0)
    specs = []
    for name, track in tracks.items():
        spec = CellSpec(
            experiment="odd",
            task="synthetic",
            track=name,
            rung=0,
            data_rung=0,
            n_rules=None,
            seed=0,
            n_train=50,
        )
        fingerprint = maker.cell(spec, track, experiment.ladder.rungs[0])
        specs.append(spec.model_copy(update={"fingerprint": fingerprint}))
    return Plan(experiment, task, tracks, tuple(specs), whole=tuple(specs), data_version="1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("odd")
    (path / "odd_tracks.py").write_text(ODD_TRACKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(path))
        patch.setattr(local, "probe", lambda packages: {})
        yield path
        sys.modules.pop("odd_tracks", None)


WAYS = [
    "good",
    "raises",
    "exits",
    "dies",
    "crashes",
    "vanishes",
    "leaves_a_child",
    "kills_the_fork_server",
    "hangs",
]


@pytest.fixture(scope="module")
def outcomes(folder) -> dict[str, CellOutcome]:
    """One sweep in which nearly everything goes wrong."""
    plan = plan_of(folder, WAYS)
    executor = LocalExecutor(timeout_seconds=6.0)
    return {cell.record.track: cell for cell in executor.run(plan, plan.specs, spool=folder / "spool")}


def is_gone(process: int) -> bool:
    """Tell whether a process has ended (a zombie has)."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def wait_until(condition, what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_SECONDS:g} s in vain until {what}"
        time.sleep(0.02)


def test_every_cell_has_an_outcome(outcomes):
    assert list(outcomes) == WAYS


@pytest.mark.parametrize(
    ("way", "status", "reason"),
    [
        ("good", "finished", ""),
        ("raises", "failed", "ValueError: the matrix is singular"),
        ("exits", "failed", "SystemExit: bye"),
        ("dies", "killed", "its process was killed by SIGKILL; the system may have run out of memory"),
        ("crashes", "killed", "its process was killed by SIGSEGV"),
        ("vanishes", "lost", "its process ended without a result (exit code 0)"),
        ("leaves_a_child", "finished", ""),
        ("kills_the_fork_server", "lost", "the process that starts cells has ended"),
        ("hangs", "timeout", "it took longer than 6 seconds"),
    ],
)
def test_status_and_reason(outcomes, way, status, reason):
    record = outcomes[way].record
    assert (record.status, record.reason) == (status, reason)
    assert (outcomes[way].evidence is None) == (status != "finished")
    assert record.ended_at >= record.started_at > 0
    assert record.fingerprint


def test_the_end_of_the_output_is_kept(outcomes):
    assert "last words" in outcomes["dies"].record.log_tail
    assert 'raise ValueError("the matrix is singular' in outcomes["raises"].record.log_tail
    assert "bye" in outcomes["exits"].record.log_tail


def test_processes_of_a_finished_cell_end_with_it(outcomes, folder):
    child = int((folder / "child").read_text())
    wait_until(lambda: is_gone(child), "the child of a finished cell is gone")


class Opinion:
    """Stands for codecarbon: says 5 J of a cell that was begun, while it is open."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.is_open = True

    def begin(self, key: str) -> None:
        assert self.is_open
        self.begun.append(key)

    def end(self, key: str) -> float | None:
        assert self.is_open
        return 5.0 if key in self.begun else None

    def close(self) -> None:
        self.is_open = False


def test_a_second_opinion_outlives_the_fork_server_and_ends_with_the_sweep(folder):
    plan = plan_of(folder, ["kills_the_fork_server", "good"])
    opinion = Opinion()
    executor = LocalExecutor(second_opinion=opinion)
    lost, good = executor.run(plan, plan.specs, spool=folder / "opinion")
    assert (lost.record.status, good.record.status) == ("lost", "finished")
    assert good.record.costs["cost_cell_codecarbon_joules"] == 5.0
    assert not opinion.is_open


def test_a_timed_out_cell_is_gone(outcomes, folder):
    cell = int((folder / "hanging").read_text().split()[0])
    wait_until(lambda: is_gone(cell), "the cell that hung is gone")


def test_a_result_that_cannot_be_written_stops_the_sweep_and_keeps_finished_cells(folder):
    plan = plan_of(folder, ["removes_the_spool", "good"])
    running = LocalExecutor().run(plan, plan.specs, spool=folder / "spool")
    with pytest.raises(
        StoreError, match=r"removes_the_spool rung 0 seed 0 cannot be written \(.*folder gone\)"
    ):
        next(running)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_driver_that_ends_leaves_no_process_and_keeps_finished_cells(tmp_path, end):
    (tmp_path / "odd_tracks.py").write_text(ODD_TRACKS)
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_until((tmp_path / "hanging").exists, "the second cell runs")
        wait_until(lambda: " " in (tmp_path / "hanging").read_text(), "its number is written")
        assert driver.stdout is not None
        assert driver.stdout.readline() == "finished\n"
        cell, fork_server = map(int, (tmp_path / "hanging").read_text().split())
        assert not is_gone(cell)
        driver.send_signal(end)
        driver.wait(PATIENCE_SECONDS)
    finally:
        driver.kill()
        driver.communicate()
    wait_until(lambda: is_gone(cell) and is_gone(fork_server), "cell and fork server are gone")
    records = [read_cell(tmp_path / "spool", path.stem) for path in (tmp_path / "spool").glob("*.json")]
    assert [found.record.track for found in records if found] == ["good"]


def test_a_fork_server_that_cannot_start_is_told(folder, monkeypatch):
    plan = plan_of(folder, ["good"])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ToolkitError, match="did not come up"):
        next(LocalExecutor().run(plan, plan.specs, spool=folder / "spool"))
