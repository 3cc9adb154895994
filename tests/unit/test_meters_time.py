from __future__ import annotations

import os
import sys
import threading
from itertools import count

import pytest

from toolkit.kernelfile import KernelFile
from toolkit.machine import CoreTimes
from toolkit.meters.time import (
    LAG_SECONDS,
    Processor,
    Time,
    Tree,
    TreeReader,
    read_processor,
    read_run_queue,
)


def ticking(*values):
    """A counter that gives the next value at every reading."""
    found = iter(values)
    return lambda: next(found)


def made_up(**counters):
    """A meter all of whose counters stand still, but for those given."""
    still = {
        "clock": lambda: 0.0,
        "processor": lambda: Processor(0.0),
        "tree": Tree,
        "run_queue": lambda: None,
        "machine": lambda: None,
    }
    return Time(**{**still, **counters})


def read(meter):
    meter.start()
    return meter.stop()


def test_quantities_are_differences_between_start_and_stop():
    meter = Time(
        clock=ticking(10.0, 12.5),
        processor=ticking(Processor(2.0, 1.0, 7), Processor(3.5, 1.5, 9)),
        tree=ticking(Tree(group_seconds=50.0), Tree(group_seconds=52.0)),
        run_queue=ticking({1: 0.25}, {1: 0.75}),
        machine=ticking(CoreTimes(100.0, 4.0), CoreTimes(103.0, 4.25)),
    )
    assert read(meter) == {
        "wall_seconds": 2.5,
        "cpu_seconds": 2.0,
        "uncounted_processes": 0.0,
        "run_queue_seconds": 0.5,
        "involuntary_switches": 2.0,
        "neighbour_seconds": 1.0,
        "steal_seconds": 0.25,
    }


def test_what_the_system_does_not_tell_is_none_and_not_zero():
    quantities = read(made_up())
    unknown = ["uncounted_processes", "run_queue_seconds", "neighbour_seconds", "steal_seconds"]
    assert {name: quantities[name] for name in unknown} == dict.fromkeys(unknown)
    assert quantities["cpu_seconds"] == 0.0


@pytest.mark.parametrize("queue", [(None, {1: 0.5}), ({1: 0.5}, None)])
def test_a_run_queue_that_is_read_once_tells_nothing(queue):
    assert read(made_up(run_queue=ticking(*queue)))["run_queue_seconds"] is None


def test_threads_that_began_in_the_phase_wait_too_and_those_that_ended_are_left_out():
    meter = made_up(run_queue=ticking({1: 1.0, 2: 9.0}, {1: 1.5, 3: 0.25}))
    assert read(meter)["run_queue_seconds"] == 0.75


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (1.0, 1.0),
        (1.0 + 0.9 * LAG_SECONDS, 1.0),  # a lag: getrusage is exact
        (1.0 - 0.9 * LAG_SECONDS, 1.0),
        (3.0, 3.0),  # processes that nobody waited for
        (0.25, 0.25),  # a child of an earlier phase, waited for in this one
    ],
)
def test_the_group_counts_where_it_differs_by_more_than_its_lag(group, expected):
    meter = made_up(
        processor=ticking(Processor(5.0, 5.0), Processor(5.5, 5.5)),
        tree=ticking(Tree(group_seconds=20.0), Tree(group_seconds=20.0 + group)),
    )
    quantities = read(meter)
    assert quantities["cpu_seconds"] == pytest.approx(expected)
    assert quantities["uncounted_processes"] == 0.0


def test_without_a_group_living_descendants_are_added_and_tell_that_the_figure_is_rough():
    meter = made_up(
        processor=ticking(Processor(1.0), Processor(2.0)),
        tree=ticking(Tree(alive={7: 0.5, 8: 3.0}), Tree(alive={7: 0.75, 8: 3.0, 9: 0.25, 10: 0.0})),
    )
    quantities = read(meter)
    assert quantities["cpu_seconds"] == 1.5
    assert quantities["uncounted_processes"] == 2.0, "7 and 9; the others did nothing"


def test_a_child_that_is_waited_for_is_not_counted_twice():
    meter = made_up(
        processor=ticking(Processor(1.0, 0.0), Processor(2.0, 4.0)),
        tree=ticking(Tree(alive={7: 3.0}), Tree(alive={})),
    )
    quantities = read(meter)
    assert quantities["cpu_seconds"] == 2.0, "one of its own and one of the child's four"
    assert quantities["uncounted_processes"] == 0.0


def test_a_child_that_the_system_reaped_takes_nothing_from_the_process_itself():
    meter = made_up(
        processor=ticking(Processor(1.0), Processor(2.0)),
        tree=ticking(Tree(alive={7: 3.0}), Tree(alive={})),
    )
    assert read(meter)["cpu_seconds"] == 1.0


def test_a_group_that_vanishes_leaves_what_getrusage_tells():
    meter = made_up(
        processor=ticking(Processor(1.0), Processor(2.0)),
        tree=ticking(Tree(group_seconds=3.0), Tree()),
    )
    quantities = read(meter)
    assert (quantities["cpu_seconds"], quantities["uncounted_processes"]) == (1.0, None)


def test_neighbours_are_what_all_cores_did_less_the_own_and_never_negative():
    meter = made_up(
        processor=ticking(Processor(0.0), Processor(1.0)),
        machine=ticking(CoreTimes(10.0, 2.0), CoreTimes(10.99, 2.0)),
    )
    quantities = read(meter)
    assert (quantities["neighbour_seconds"], quantities["steal_seconds"]) == (0.0, 0.0)


def test_the_wall_clock_is_read_innermost_and_the_own_time_next():
    order = count()
    seen: list[tuple[str, int]] = []

    def note(name, value):
        def reading():
            seen.append((name, next(order)))
            return value

        return reading

    read(
        Time(
            clock=note("wall", 0.0),
            processor=note("cpu", Processor(0.0)),
            tree=note("tree", Tree()),
            run_queue=note("queue", {}),
            machine=note("machine", None),
        )
    )
    inwards = ["machine", "tree", "queue", "cpu", "wall"]
    assert [name for name, _ in seen] == inwards + inwards[::-1]


def test_a_window_can_be_opened_again():
    meter = made_up(
        clock=ticking(0.0, 1.0, 5.0, 8.0),
        processor=ticking(*(Processor(float(second)) for second in (0, 1, 1, 3))),
    )
    first, second = read(meter), read(meter)
    assert (first["wall_seconds"], second["wall_seconds"]) == (1.0, 3.0)
    assert (first["cpu_seconds"], second["cpu_seconds"]) == (1.0, 2.0)


def test_real_counters_rise_with_work():
    before = read_processor()
    total = sum(number * number for number in range(200_000))
    after = read_processor()
    assert total > 0
    assert after.cpu_seconds > before.cpu_seconds
    assert after.involuntary_switches >= before.involuntary_switches


def test_a_process_that_has_no_group_and_loses_its_orphans_does_not_claim_to_know(monkeypatch):
    monkeypatch.setattr("toolkit.meters.time.own_group", lambda: None)
    monkeypatch.setattr("toolkit.meters.time.inherits_orphans", lambda: False)
    assert TreeReader()() == Tree(group_seconds=None, alive=None)


def test_run_queues_are_read_for_every_thread(monkeypatch, tmp_path):
    def show(folder):
        monkeypatch.setattr("toolkit.meters.time._TASKS", str(folder))
        monkeypatch.setattr("toolkit.meters.time._THREADS", KernelFile(folder))

    show(tmp_path / "missing")
    assert read_run_queue() is None
    for thread, text in ((11, b"99 2500000000 3\n"), (12, b"1 500000000 1\n")):
        (tmp_path / str(thread)).mkdir()
        (tmp_path / str(thread) / "schedstat").write_bytes(text)
    show(tmp_path)
    monkeypatch.setattr("toolkit.meters.time._LINKS_OF_ONE", -1)  # not every file system counts links
    assert read_run_queue() == pytest.approx({11: 2.5, 12: 0.5})
    (tmp_path / "12" / "schedstat").write_bytes(b"12\n")
    assert read_run_queue() is None


def test_where_there_is_one_thread_only_its_run_queue_is_read(monkeypatch, tmp_path):
    (tmp_path / "schedstat").write_bytes(b"99 2500000000 3\n")
    monkeypatch.setattr("toolkit.meters.time._THREADS", KernelFile(tmp_path))
    monkeypatch.setattr("toolkit.meters.time._LINKS_OF_ONE", tmp_path.stat().st_nlink)
    monkeypatch.setattr("toolkit.meters.time._FIRST_THREAD", KernelFile(tmp_path / "schedstat"))
    assert read_run_queue() == pytest.approx({os.getpid(): 2.5})


@pytest.mark.skipif(
    sys.platform != "linux", reason="reads the /proc of a Linux kernel; elsewhere these figures are None"
)
def test_a_process_of_one_thread_finds_it():
    child = os.fork()  # it has but the thread that forked
    if child == 0:
        found = read_run_queue()
        os._exit(0 if found is not None and set(found) == {os.getpid()} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_own_threads_are_found():
    begun, go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (begun.set(), go_on.wait()))
    thread.start()
    try:
        assert begun.wait(60)
        found = read_run_queue()
        assert found is None or {threading.get_native_id(), thread.native_id} <= set(found)
    finally:
        go_on.set()
        thread.join()
