"""Work that waits: it takes hardly any processor time, and the machine is paid for all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Finding

__all__ = ["check_waiting"]

_PHASES = ("load", "search", "fit")
_LEAST_SECONDS = 0.5
"""Waits shorter than this are those of any system."""


def check_waiting(readings: Iterable[RungReadings]) -> Iterator[Finding]:
    """Yield a finding for each track with a phase that mostly waits, on a disk or a remote service."""
    told: set[tuple[str, str]] = set()
    for rung in readings:
        for phase in _PHASES:
            waited, wall = _waited(rung, phase)
            if waited > max(_LEAST_SECONDS, wall / 2) and (rung.track, phase) not in told:
                told.add((rung.track, phase))
                yield Finding(
                    "waits",
                    "warning",
                    f"{rung.track} waits in {phase}: {wall:.3g} s elapsed, of which {waited:.3g} s without a "
                    "processor. Money counts processor time, so what a machine costs meanwhile is left out",
                )


def _waited(rung: RungReadings, phase: str) -> tuple[float, float]:
    """Return the seconds without a processor, those in a queue for one left out, and all that elapsed."""
    wall, cpu, queued = (
        rung.median(f"cost_{phase}_{name}_seconds") or 0.0 for name in ("wall", "cpu", "run_queue")
    )
    return wall - cpu - queued, wall
