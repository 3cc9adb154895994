"""One metered phase: all meters around a piece of work, and how far to trust the figures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import TracebackType

from toolkit.meters.base import Meter, Phase, Quality, Reading

__all__ = ["TOO_SHORT_SECONDS", "Window", "quality_of"]

TOO_SHORT_SECONDS = 0.010
"""Less CPU time than this is mostly the noise of caches and clocks."""

_WAIT_SHARE = 0.05
"""Share of the wall time spent waiting for a core, above which the phase was disturbed."""

_SWITCHES_PER_SECOND = 50.0
"""Times a second of CPU time that the core was taken away; kernel threads alone stay far below."""

_FEW_SWITCHES = 3
"""So many happen to any phase: one in 15 ms would be 67 a second."""

_STEAL_SHARE = 0.05
"""Share of the wall time for which the hypervisor took the core, as for waiting."""

_NEIGHBOUR_CORES = 0.25
"""Cores that others kept busy. A whole one costs 6-41 % more CPU time, so a quarter costs about what the same
work varies by anyway (10 %); the driver, its progress lines and the kernel need a few hundredths."""

_NEIGHBOUR_SHARE = 1 / 8
"""The same, as a share of the other cores, where there are more than three: caches and the way to memory grow
with the cores, and a large machine is never still. Measured on two cores only."""

_TICKS_SECONDS = 0.030
"""The counters of the cores go in ticks of 10 ms, several of them: less than this they do not tell."""

_CORES = os.cpu_count() or 1


def quality_of(
    quantities: Mapping[str, float | None], *, alone: bool = True, cores: int = 1
) -> tuple[Quality, str]:
    """Judge the figures of a phase, and say why.

    Parameters
    ----------
    quantities : dict of str to float or None
        Those of `toolkit.meters.time.Time`; those that are missing do not count against the phase.
    alone : bool
        False when other cells may have run beside it: they share caches, which costs 6-41 % more
        CPU time and shows in no counter of a virtual machine.
    cores : int
        How many the machine has.

    Returns
    -------
    quality : {"clean", "contended", "too_short"}
    why : str
        Why it is not clean; empty when it is.
    """
    cpu = quantities.get("cpu_seconds")
    if alone and cpu is not None and cpu < TOO_SHORT_SECONDS:
        return "too_short", f"it took less than {TOO_SHORT_SECONDS * 1000:g} ms of CPU time"
    reasons = [] if alone else ["other cells may have run beside it"]
    uncounted = quantities.get("uncounted_processes")
    if uncounted:
        reasons.append(
            f"{uncounted:.0f} of the processes it started ran on, and their time is not fully known"
        )
    switches = quantities.get("involuntary_switches")
    if cpu and switches is not None and switches - _FEW_SWITCHES > _SWITCHES_PER_SECOND * cpu:
        reasons.append(f"its core was taken away {switches / cpu:.0f} times a second")
    wall = quantities.get("wall_seconds")
    if wall:
        reasons += _disturbances(quantities, wall, cores)
    return ("contended", "; ".join(reasons)) if reasons else ("clean", "")


def _disturbances(quantities: Mapping[str, float | None], wall: float, cores: int) -> list[str]:
    found = []
    waited = quantities.get("run_queue_seconds")
    if waited is not None and waited > _WAIT_SHARE * wall:
        found.append(f"it waited for a core {waited / wall:.0%} of its time")
    stolen = quantities.get("steal_seconds")
    if stolen is not None and stolen - _TICKS_SECONDS > _STEAL_SHARE * wall:
        found.append(f"the hypervisor took its core {stolen / wall:.0%} of the time")
    others = quantities.get("neighbour_seconds")
    limit = max(_NEIGHBOUR_CORES, _NEIGHBOUR_SHARE * (cores - 1))
    if others is not None and others - _TICKS_SECONDS > limit * wall:
        found.append(f"other processes used {others / wall:.1f} cores beside it")
    return found


class Window:
    """Context manager around one phase; `reading` is there after it.

    Nothing but the meters runs inside besides the work. Meters start by rising `order` and stop
    in reverse, so that the clocks are innermost.

    Parameters
    ----------
    phase : str
    meters : sequence of Meter
    alone : bool
        False when other cells may run beside this one.

    Examples
    --------
    >>> with Window("fit", meters) as window:
    ...     track.fit(train, seed=0)
    >>> window.reading.quantities["cpu_seconds"]
    """

    reading: Reading

    def __init__(self, phase: Phase, meters: Sequence[Meter], *, alone: bool = True) -> None:
        self._phase: Phase = phase
        self._meters = sorted(meters, key=lambda meter: meter.order)
        self._alone = alone

    def __enter__(self) -> Window:
        for meter in self._meters:
            meter.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = [meter.stop() for meter in reversed(self._meters)]
        quantities = {name: value for part in reversed(stopped) for name, value in part.items()}
        quality, why = quality_of(quantities, alone=self._alone, cores=_CORES)
        self.reading = Reading(phase=self._phase, quantities=quantities, quality=quality, why=why)
