"""Wall and CPU time of a phase with all its processes, and what disturbed it."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from toolkit.kernelfile import KernelFile
from toolkit.machine import CoreClock, CoreTimes
from toolkit.meters._cgroup import own_group
from toolkit.meters._processes import descendants, inherits_orphans
from toolkit.meters.base import Meter

__all__ = ["LAG_SECONDS", "Processor", "Time", "Tree", "TreeReader", "read_processor", "read_run_queue"]

LAG_SECONDS = 0.010
"""How far a control group may lag behind `getrusage` for one running thread: the kernel books at its tick,
of which there are 100 to 1000 a second. Larger differences are other processes."""

_TASKS = "/proc/self/task"
_THREADS = KernelFile(_TASKS)
_LINKS_OF_ONE = 3
"""The folder of threads has so many links where there is one: two, and one for each."""

_FIRST_THREAD = KernelFile("/proc/self/schedstat")
"""Its number is that of the process."""


@dataclass(frozen=True)
class Processor:
    """Counters of this process since it began.

    Parameters
    ----------
    own_seconds : float
        User and system time of all its threads, ended ones included.
    ended_seconds : float
        The same of the children that have ended and were waited for.
    involuntary_switches : int
        Times the processor was taken away from either.
    """

    own_seconds: float
    ended_seconds: float = 0.0
    involuntary_switches: int = 0

    @property
    def cpu_seconds(self) -> float:
        """Both together."""
        return self.own_seconds + self.ended_seconds


@dataclass(frozen=True)
class Tree:
    """What tells of processes that `getrusage` does not see.

    Parameters
    ----------
    group_seconds : float or None
        CPU-seconds of the cell's control group; None where it has none.
    alive : mapping of int to float, or None
        Descendants that exist -> CPU-seconds so far, in clock ticks; None where the system does not tell,
        where orphans escape, and where there is a group, which knows better.
    """

    group_seconds: float | None = None
    alive: Mapping[int, float] | None = None


class TreeReader:
    """Reads a `Tree`: from the control group where the fork server has made one, else from ``/proc``."""

    def __init__(self) -> None:
        self._group = own_group()
        self._keeps_orphans = self._group is None and inherits_orphans()

    def __call__(self) -> Tree:
        """Read it now."""
        if self._group is not None:
            return Tree(group_seconds=self._group.cpu_seconds())
        return Tree(alive=descendants(os.getpid()) if self._keeps_orphans else None)


def read_processor() -> Processor:
    """Read ``getrusage`` of the process and of its ended children."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Processor(
        own_seconds=own.ru_utime + own.ru_stime,
        ended_seconds=ended.ru_utime + ended.ru_stime,
        involuntary_switches=own.ru_nivcsw + ended.ru_nivcsw,
    )


def read_run_queue() -> dict[int, float] | None:
    """Read how long each thread was ready but waited for a core; None when not told.

    The second field of ``schedstat``, in nanoseconds (Linux, Documentation/scheduler/sched-stats).

    Returns
    -------
    dict of int to float or None
        Thread number -> seconds.
    """
    try:
        if os.fstat(_THREADS.descriptor()).st_nlink == _LINKS_OF_ONE:
            return {os.getpid(): _waited_seconds(_FIRST_THREAD.read(128))}
        threads = os.listdir(_TASKS)  # noqa: PTH208 (quicker)
        return {int(thread): _waited_seconds(_read_schedstat(thread)) for thread in threads}
    except (OSError, IndexError, ValueError):
        return None


def _waited_seconds(schedstat: bytes) -> float:
    return int(schedstat.split()[1]) * 1e-9


def _read_schedstat(thread: str) -> bytes:
    # Not kept open: threads come and go.
    with open(f"{_TASKS}/{thread}/schedstat", "rb", buffering=0) as file:  # noqa: PTH123 (quicker)
        return file.read(128)


@dataclass(frozen=True)
class _Clocks:
    machine: CoreTimes | None
    tree: Tree
    queue: Mapping[int, float] | None
    processor: Processor
    wall: float


@dataclass
class Time(Meter):
    """Clocks around a phase.

    Quantities:

    ``wall_seconds``
        Elapsed time.
    ``cpu_seconds``
        User and system time of the process, its threads and all processes that it started: of the
        process and the children it waited for from `getrusage`; where the cell's control group differs
        by more than `LAG_SECONDS`, the group's; where there is no group, with what ``/proc`` tells of
        descendants that have not been waited for.
    ``uncounted_processes``
        Descendants at work in the phase and not waited for at its end, where there is no group: their time is
        in ``cpu_seconds`` in whole clock ticks only, and lost where the system reaped what they started. None
        where orphans cannot be seen.
    ``run_queue_seconds``
        Threads ready to run, but waiting for a core; threads that ended in the phase are left out.
    ``involuntary_switches``
        Times the core was taken away.
    ``neighbour_seconds``
        CPU time that all others used on this machine, the kernel's interrupts included.
    ``steal_seconds``
        Time that the hypervisor took from the cores that this process may use.

    Parameters
    ----------
    clock : callable
        Seconds of a steady clock.
    processor : callable
        Counters of the process.
    tree : callable, optional
        What there is besides; by default a `TreeReader` made with the meter.
    run_queue : callable
        Seconds each thread waited for a core, or None.
    machine : callable, optional
        Times of the cores, or None; by default a `CoreClock` made with the meter.
    """

    order: ClassVar[int] = 100

    clock: Callable[[], float] = time.perf_counter
    processor: Callable[[], Processor] = read_processor
    tree: Callable[[], Tree] = field(default_factory=TreeReader)
    run_queue: Callable[[], Mapping[int, float] | None] = read_run_queue
    machine: Callable[[], CoreTimes | None] = field(default_factory=CoreClock)
    _begun: _Clocks | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Read all clocks, the wall clock last."""
        machine, tree, queue = self.machine(), self.tree(), self.run_queue()
        self._begun = _Clocks(machine, tree, queue, self.processor(), self.clock())

    def stop(self) -> dict[str, float | None]:
        """Read all clocks, the wall clock first, and return the differences."""
        wall, processor = self.clock(), self.processor()
        queue, tree, machine = self.run_queue(), self.tree(), self.machine()
        begun = self._begun
        if begun is None:
            raise RuntimeError("the meter was stopped before it was started")
        cpu = _cpu_seconds(begun, processor, tree)
        return {
            "wall_seconds": wall - begun.wall,
            "cpu_seconds": cpu,
            "uncounted_processes": _uncounted(begun.tree, tree),
            "run_queue_seconds": _waited(begun.queue, queue),
            "involuntary_switches": float(
                processor.involuntary_switches - begun.processor.involuntary_switches
            ),
            **_disturbance(begun.machine, machine, cpu),
        }


def _cpu_seconds(begun: _Clocks, processor: Processor, tree: Tree) -> float:
    own = processor.own_seconds - begun.processor.own_seconds
    ended = processor.ended_seconds - begun.processor.ended_seconds
    if begun.tree.group_seconds is not None and tree.group_seconds is not None:
        group = tree.group_seconds - begun.tree.group_seconds
        # Below, too: a child waited for in this phase brings along what it used in earlier ones.
        return group if abs(group - own - ended) > LAG_SECONDS else own + ended
    if begun.tree.alive is not None and tree.alive is not None:
        # A child that is waited for moves from the second part to the first; the sum goes on.
        ended += sum(tree.alive.values()) - sum(begun.tree.alive.values())
    return own + max(0.0, ended)


def _uncounted(begun: Tree, ended: Tree) -> float | None:
    if begun.group_seconds is not None and ended.group_seconds is not None:
        return 0.0
    if begun.alive is None or ended.alive is None:
        return None
    return float(sum(used > begun.alive.get(process, 0.0) for process, used in ended.alive.items()))


def _waited(begun: Mapping[int, float] | None, ended: Mapping[int, float] | None) -> float | None:
    if begun is None or ended is None:
        return None
    return sum(waited - begun.get(thread, 0.0) for thread, waited in ended.items())


def _disturbance(begun: CoreTimes | None, ended: CoreTimes | None, cpu: float) -> dict[str, float | None]:
    if begun is None or ended is None:
        return {"neighbour_seconds": None, "steal_seconds": None}
    return {
        "neighbour_seconds": max(0.0, ended.busy_seconds - begun.busy_seconds - cpu),
        "steal_seconds": max(0.0, ended.stolen_seconds - begun.stolen_seconds),
    }
