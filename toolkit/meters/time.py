"""Wall and CPU time of a phase, and how long it waited for the processor."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from toolkit.meters.base import Meter

__all__ = ["Processor", "Time", "read_processor", "read_run_queue_seconds"]

_SCHEDSTAT = Path("/proc/self/schedstat")


@dataclass(frozen=True)
class Processor:
    """Counters of this process since it began.

    Parameters
    ----------
    cpu_seconds : float
        User and system time of the process and of its children that have ended.
    involuntary_switches : int
        Times the processor was taken away from it.
    """

    cpu_seconds: float
    involuntary_switches: int


def read_processor() -> Processor:
    """Read ``getrusage`` of the process and of its ended children."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Processor(
        cpu_seconds=own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime,
        involuntary_switches=own.ru_nivcsw + ended.ru_nivcsw,
    )


def read_run_queue_seconds() -> float | None:
    """Read how long the main thread was ready but waited for a core; None when not told.

    The second field of ``/proc/self/schedstat``, in nanoseconds (Linux, Documentation/scheduler).
    """
    try:
        return int(_SCHEDSTAT.read_bytes().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return None


@dataclass
class Time(Meter):
    """Clocks around a phase.

    Quantities: ``wall_seconds``, ``cpu_seconds`` (user + system, ended children included),
    ``run_queue_seconds`` and ``involuntary_switches``.

    Parameters
    ----------
    clock : callable
        Seconds of a steady clock.
    processor : callable
        Counters of the process.
    run_queue : callable
        Seconds waited for a core, or None.
    """

    order: ClassVar[int] = 100

    clock: Callable[[], float] = time.perf_counter
    processor: Callable[[], Processor] = read_processor
    run_queue: Callable[[], float | None] = read_run_queue_seconds
    _begun: tuple[float | None, Processor, float] = field(
        default=(None, Processor(0.0, 0), 0.0), init=False, repr=False
    )

    def start(self) -> None:
        """Read all clocks, the wall clock last."""
        self._begun = (self.run_queue(), self.processor(), self.clock())

    def stop(self) -> dict[str, float | None]:
        """Read all clocks, the wall clock first, and return the differences."""
        wall = self.clock()
        processor = self.processor()
        queue = self.run_queue()
        queue_begun, processor_begun, wall_begun = self._begun
        waited = None if queue is None or queue_begun is None else queue - queue_begun
        return {
            "wall_seconds": wall - wall_begun,
            "cpu_seconds": processor.cpu_seconds - processor_begun.cpu_seconds,
            "run_queue_seconds": waited,
            "involuntary_switches": float(
                processor.involuntary_switches - processor_begun.involuntary_switches
            ),
        }
