"""One metered phase: all meters around a piece of work, and how far to trust the figures."""

from __future__ import annotations

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


def quality_of(quantities: Mapping[str, float | None], *, alone: bool = True) -> tuple[Quality, str]:
    """Judge the figures of a phase, and say why.

    Parameters
    ----------
    quantities : dict of str to float or None
        ``cpu_seconds``, ``wall_seconds``, ``run_queue_seconds``, ``involuntary_switches``; those
        that are missing do not count against the phase.
    alone : bool
        False when other cells may have run beside it: they share caches, which costs 6-41 % more
        CPU time and shows in no counter of a virtual machine.

    Returns
    -------
    quality : {"clean", "contended", "too_short"}
    why : str
        Why it is not clean; empty when it is.
    """
    cpu = quantities.get("cpu_seconds")
    if cpu is not None and cpu < TOO_SHORT_SECONDS:
        return "too_short", f"it took less than {TOO_SHORT_SECONDS * 1000:g} ms of CPU time"
    if not alone:
        return "contended", "other cells may have run beside it"
    wall, waited = quantities.get("wall_seconds"), quantities.get("run_queue_seconds")
    if wall and waited is not None and waited / wall > _WAIT_SHARE:
        return "contended", f"it waited {waited / wall:.0%} of its time for a core"
    switches = quantities.get("involuntary_switches")
    if cpu and switches is not None and switches / cpu > _SWITCHES_PER_SECOND:
        return "contended", f"its core was taken away {switches / cpu:.0f} times a second"
    return "clean", ""


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
        quality, why = quality_of(quantities, alone=self._alone)
        self.reading = Reading(phase=self._phase, quantities=quantities, quality=quality, why=why)
