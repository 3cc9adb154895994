"""A cell that starts threads, children and orphans: all their CPU time counts, and none outlives the cell."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from toolkit.meters import _cgroup
from toolkit.meters._cgroup import make_group
from toolkit.sweep.fork_server import Ended, Kill, Run
from toolkit.sweep.fork_server_handle import ForkServer

PATIENCE_SECONDS = 60.0
TRUTH = 0.02
"""The share by which the accounting may miss what the processes say of themselves."""

FAMILY = '''
"""A cell that works in threads, in children and in orphans; every process writes down what it used."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import threading
import time
from pathlib import Path

from toolkit.meters import _cgroup, time as time_meter
from toolkit.meters._window import Window
from toolkit.meters.time import Time


def work(rounds):
    total = 0
    for number in range(rounds):
        total = (total * 31 + number) % 1000003
    return total


def say(folder, name):
    """Write down what this process has used, by its own account, and end."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    path = Path(folder) / f"{name}.used"
    path.with_suffix(".new").write_text(repr(own.ru_utime + own.ru_stime))
    path.with_suffix(".new").rename(path)


def fork(do):
    process = os.fork()
    if process == 0:
        try:
            do()
        finally:
            os._exit(0)
    return process


def orphan(folder, name, rounds, stays):
    """Fork twice and leave the session, as daemons do."""

    def middle():
        os.setsid()
        fork(last)
        say(folder, f"{name}_middle")

    def last():
        work(rounds)
        say(folder, name)
        while stays:
            time.sleep(1.0)

    os.waitpid(fork(middle), 0)


def child(folder, name, rounds):
    def do():
        work(rounds)
        say(folder, name)

    return fork(do)


def until(done):
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def family(argument):
    folder, rounds, stays = Path(argument["folder"]), argument["rounds"], argument["stays"]
    if argument["without_group"]:
        time_meter.own_group = lambda: None
    meter = Time()
    (folder / "group").write_text(str(_cgroup.own_group()))
    early = child(folder, "early", rounds)
    os.waitid(os.P_PID, early, os.WEXITED | os.WNOWAIT)  # it has ended, and is waited for in the phase
    with Window("fit", [meter]) as window:
        own_begun = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        threads = [threading.Thread(target=work, args=(rounds,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        waited = child(folder, "waited", rounds)
        not_waited = child(folder, "not_waited", rounds)
        orphan(folder, "orphan", 2 * rounds, stays)
        os.waitpid(waited, 0)
        for name in ("not_waited", "orphan"):
            until((folder / f"{name}.used").exists)
        os.waitpid(early, 0)
        own = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - own_begun
    used = {path.stem: float(path.read_text()) for path in folder.glob("*.used") if path.stem != "early"}
    result = {
        "quantities": dict(window.reading.quantities),
        "truth": own + sum(used.values()),
        "of_which_getrusage_sees": own + used["waited"] + used["orphan_middle"],
        "quality": window.reading.quality,
        "why": window.reading.why,
    }
    (folder / "result.json").write_text(json.dumps(result))
    return 0


def leaves_an_orphan(argument):
    folder = Path(argument["folder"])

    def hang():
        os.setsid()
        fork(lambda: ((folder / "number").write_text(str(os.getpid())), time.sleep(1000)))

    os.waitpid(fork(hang), 0)
    until((folder / "number").exists)
    until(lambda: (folder / "number").read_text() != "")
    if argument["hangs"]:
        time.sleep(1000)
    return 0
'''

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads the /proc of a Linux kernel; elsewhere these figures are None"
)


def groups_can_be_made() -> bool:
    group = make_group(0)
    return group is not None and group.remove()


needs_groups = pytest.mark.skipif(
    not groups_can_be_made(),
    reason="this system lets us make no control group (cgroup v2); the way without one is tested",
)


@pytest.fixture
def server(tmp_path, monkeypatch):
    (tmp_path / "family_cell.py").write_text(FAMILY)
    monkeypatch.syspath_prepend(str(tmp_path))
    server = ForkServer(["family_cell"])
    yield server
    server.close()


def run(server, function, argument, key="cell"):
    import family_cell

    work = pickle.dumps((getattr(family_cell, function), argument))
    server.start(Run(key, work, str(Path(argument["folder"]) / "log")))


def ended(connection: Connection) -> Ended:
    assert connection.poll(PATIENCE_SECONDS), "the cell did not end"
    return connection.recv()


def account(server, folder, **argument):
    run(server, "family", {"folder": str(folder), **argument})
    assert ended(server.connection).exit_code == 0, (folder / "log").read_text()
    return json.loads((folder / "result.json").read_text())


@needs_groups
@pytest.mark.parametrize("stays", [False, True], ids=["orphan ends", "orphan runs on"])
def test_the_group_counts_threads_children_and_orphans(server, tmp_path, stays):
    # Enough work for what each process does after its account, which is to end, to be far below 2 %.
    found = account(server, tmp_path, rounds=8_000_000, stays=stays, without_group=False)
    assert "costcurves-" in (tmp_path / "group").read_text()
    assert found["quantities"]["cpu_seconds"] == pytest.approx(found["truth"], rel=TRUTH)
    assert found["quantities"]["uncounted_processes"] == 0.0
    assert found["of_which_getrusage_sees"] < 0.8 * found["truth"], "the test needs something to find"


@pytest.mark.parametrize("stays", [False, True], ids=["orphan ends", "orphan runs on"])
def test_without_a_group_descendants_are_found_and_the_phase_is_not_clean(server, tmp_path, stays):
    found = account(server, tmp_path, rounds=2_000_000, stays=stays, without_group=True)
    # Two processes in whole clock ticks, of user and of system time each; and one from an earlier phase.
    assert found["quantities"]["cpu_seconds"] == pytest.approx(found["truth"], rel=TRUTH, abs=0.06)
    assert found["quantities"]["uncounted_processes"] == 2.0
    assert found["quality"] == "contended"
    assert "2 of the processes it started" in found["why"]


def is_gone(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"


def wait_until(true, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@pytest.fixture(params=[pytest.param(True, marks=needs_groups), False], ids=["groups", "no groups"])
def either_server(request, tmp_path, monkeypatch):
    """A fork server that makes groups, and one that believes it cannot."""
    (tmp_path / "family_cell.py").write_text(FAMILY)
    monkeypatch.syspath_prepend(str(tmp_path))
    if not request.param:
        (tmp_path / "sitecustomize.py").write_text(
            "import toolkit.meters._cgroup as found\nfound.own_folder = lambda: None\n"
        )
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    server = ForkServer(["family_cell"])
    yield server
    server.close()


def orphan_of(folder: Path) -> int:
    number = folder / "number"
    wait_until(lambda: number.exists() and number.read_text(), "the cell has an orphan")
    return int(number.read_text())


def test_an_orphan_in_a_session_of_its_own_ends_with_its_cell(either_server, tmp_path):
    run(either_server, "leaves_an_orphan", {"folder": str(tmp_path), "hangs": False})
    assert ended(either_server.connection).exit_code == 0, (tmp_path / "log").read_text()
    orphan = orphan_of(tmp_path)
    wait_until(lambda: is_gone(orphan), "the orphan is gone although the fork server runs on")


def test_the_orphan_of_a_cell_that_still_runs_is_left_alone_when_another_ends(
    request, either_server, tmp_path
):
    for name in ("long", "short"):
        (tmp_path / name).mkdir()
    run(either_server, "leaves_an_orphan", {"folder": str(tmp_path / "long"), "hangs": True}, key="long")
    orphan = orphan_of(tmp_path / "long")
    with_groups = request.node.callspec.params["either_server"]
    assert len(_cgroup.groups_of(either_server._process.pid)) == int(with_groups)
    run(either_server, "leaves_an_orphan", {"folder": str(tmp_path / "short"), "hangs": False}, key="short")
    assert ended(either_server.connection) == Ended("short", 0)
    other = orphan_of(tmp_path / "short")
    wait_until(lambda: is_gone(other), "the ended cell's orphan is gone")
    assert not is_gone(orphan)
    either_server.start(Kill("long"))
    assert ended(either_server.connection) == Ended("long", -signal.SIGKILL)
    wait_until(lambda: is_gone(orphan), "the killed cell's orphan is gone")


@needs_groups
def test_no_group_is_left_when_the_fork_server_ends_or_is_killed(tmp_path, monkeypatch):
    (tmp_path / "family_cell.py").write_text(FAMILY)
    monkeypatch.syspath_prepend(str(tmp_path))
    for killed in (False, True):
        server = ForkServer(["family_cell"])
        number = server._process.pid
        (tmp_path / "number").unlink(missing_ok=True)
        run(server, "leaves_an_orphan", {"folder": str(tmp_path), "hangs": True})
        orphan = orphan_of(tmp_path)
        assert len(_cgroup.groups_of(number)) == 1
        if killed:
            server._process.kill()
        server.close()
        assert _cgroup.groups_of(number) == []
        wait_until(lambda orphan=orphan: is_gone(orphan), "the orphan is gone")
