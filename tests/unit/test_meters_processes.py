"""Where the CPU time of other processes is found: control groups and /proc, here made up in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from toolkit.meters import _cgroup, _processes
from toolkit.meters._cgroup import Group, groups_of, make_group, own_folder, own_group

V1 = "30 25 0:26 / {root}/v1 rw,nosuid - cgroup cgroup rw,cpu\n"
V2 = "31 25 0:27 {shown} {root}/{point} rw,nosuid - cgroup2 cgroup2 rw\n"


@pytest.fixture
def system(monkeypatch, tmp_path):
    """Make up what the system says of mounts and of this process's group."""

    def say(*, group="0::/user/job", shown="/", point="unified", folders=("unified/user/job",)):
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "mountinfo").write_text(
            V1.format(root=tmp_path) + V2.format(root=tmp_path, shown=shown, point=point)
        )
        (tmp_path / "membership").write_text(f"3:cpu:/elsewhere\n{group}\n")
        monkeypatch.setattr(_cgroup, "_MOUNTS", tmp_path / "mountinfo")
        monkeypatch.setattr(_cgroup, "_MEMBERSHIP", tmp_path / "membership")
        return tmp_path

    return say


def test_the_group_is_found_below_its_mount_also_beside_version_1(system):
    root = system()
    assert own_folder() == root / "unified/user/job"


def test_a_container_that_shows_a_part_of_the_tree(system):
    root = system(shown="/user", point="part", folders=("part/job",))
    assert own_folder() == root / "part/job"


def test_a_mount_with_a_blank_in_its_name(system):
    root = system(point="a\\040b", folders=("a b/user/job",))
    assert own_folder() == root / "a b/user/job"


@pytest.mark.parametrize(
    "odd",
    [
        {"group": "3:memory:/user/job"},  # version 1 only
        {"group": "0::/../outside"},  # a namespace that does not hold it
        {"shown": "/another"},
        {"folders": ()},
    ],
)
def test_no_group_where_the_system_shows_none(system, odd):
    system(**odd)
    assert own_folder() is None
    assert own_group() is None
    assert make_group(1) is None
    assert groups_of(os.getpid()) == []


def test_no_group_without_proc(monkeypatch, tmp_path):
    monkeypatch.setattr(_cgroup, "_MEMBERSHIP", tmp_path / "missing")
    assert own_folder() is None


def test_only_a_group_made_for_a_cell_is_its_own(system):
    system()
    assert own_group() is None
    made = make_group(4)
    assert made is not None
    assert made.folder.name == f"costcurves-{os.getpid()}-4"
    assert groups_of(os.getpid()) == [made]
    assert groups_of(1) == []
    system(group=f"0::/user/job/{made.folder.name}")
    assert own_group() == made


def test_a_group_in_use_is_not_taken_and_one_that_was_left_is(system):
    system()
    made = make_group(4)
    assert made is not None
    (made.folder / "member").mkdir()  # the kernel refuses to remove a group with processes
    assert make_group(4) is None
    (made.folder / "member").rmdir()
    assert make_group(4) == made


def test_the_use_is_read_in_seconds(tmp_path):
    group = Group(tmp_path)
    assert group.cpu_seconds() is None
    (tmp_path / "cpu.stat").write_bytes(b"usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n")
    assert group.cpu_seconds() == pytest.approx(2.5)
    (tmp_path / "cpu.stat").write_bytes(b"nr_periods 3\n")
    assert group.cpu_seconds() is None


def test_a_process_enters_by_writing_itself_and_is_told_when_it_may_not(tmp_path):
    assert Group(tmp_path).enter()
    assert (tmp_path / "cgroup.procs").read_bytes() == b"0"
    assert not Group(tmp_path / "missing").enter()


def test_without_cgroup_kill_every_process_is_signalled(monkeypatch, tmp_path):
    signalled = []
    monkeypatch.setattr(os, "kill", lambda process, number: signalled.append((process, number)))
    folder = tmp_path / "group"
    Group(folder).kill()
    assert signalled == []
    folder.mkdir()
    (folder / "cgroup.procs").write_text("11\n12\n")
    (folder / "cgroup.kill").mkdir()  # cannot be written
    Group(folder).kill()
    assert signalled == [(11, signal.SIGKILL), (12, signal.SIGKILL)]


def test_groups_below_are_removed_too_and_one_that_is_in_use_is_not(tmp_path):
    folder = tmp_path / "group"
    (folder / "below" / "deeper").mkdir(parents=True)
    assert Group(folder).remove()
    assert not folder.exists()
    assert Group(folder).remove(), "what has gone is removed"
    folder.mkdir()
    (folder / "occupied").write_text("")
    assert not Group(folder).remove()


needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="reads the /proc of a Linux kernel; elsewhere these figures are None"
)


PARENT_OF_CAT = "import subprocess; subprocess.run(['cat'], check=True)"


@needs_proc
def test_children_of_every_thread_and_theirs_are_found_also_by_search():
    started, stop = threading.Event(), threading.Event()
    made = []

    def start():
        command = [sys.executable, "-c", PARENT_OF_CAT]
        made.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        started.set()
        stop.wait()

    thread = threading.Thread(target=start)
    thread.start()
    try:
        assert started.wait(60)
        made[0].stdin.write(b"here\n")
        made[0].stdin.flush()
        assert made[0].stdout.readline() == b"here\n"
        children = _processes.children_of(os.getpid())
        assert children is not None
        assert made[0].pid in children
        assert set(_processes._children_by_search(os.getpid()) or ()) == set(children)
        found = _processes.descendants(os.getpid())
        assert found is not None
        assert set(children) < set(found), "a child's child is there too"
        assert all(seconds >= 0 for seconds in found.values())
    finally:
        stop.set()
        thread.join()
        made[0].communicate()


def test_used_time_is_that_of_the_process_and_of_children_it_waited_for(monkeypatch):
    stats = {
        "7": b"7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 10 20 30 40 20 0 1",
        "8": b"8 (has just gone) Z 7",
    }
    monkeypatch.setattr(_processes, "children_of", {1: [7], 7: [8]}.get)
    monkeypatch.setattr(_processes, "_read", lambda path: stats[path.split("/")[2]])
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    assert _processes.descendants(1) == {7: 1.0}


def test_descendants_are_unknown_where_children_are(monkeypatch):
    monkeypatch.setattr(_processes, "children_of", lambda process: None)
    assert _processes.descendants(1) is None


@needs_proc
def test_a_process_that_does_not_exist_has_no_children():
    assert _processes.children_of(2**30) == []


def test_another_system_neither_inherits_orphans_nor_says_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _processes.inherit_orphans() is False
    assert _processes.inherits_orphans() is False
