"""Energy that the machine's own counters tell of: of processor sockets and of graphics processors.

Both count everything on the device, whoever used it: on a machine that does something else beside the
cell, its energy is in here too. Where there is no counter, or reading it is not allowed, nothing is
measured, and the prices model energy from time.
"""

from __future__ import annotations

import functools
import importlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from toolkit.meters.base import Meter

__all__ = ["Counter", "Energy", "find_graphics", "find_packages"]

_POWERCAP = Path("/sys/class/powercap")
_NVIDIA_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""One of them is there where NVIDIA's driver is: on Linux, and on Linux below Windows."""

_MOST_WATTS = 500.0
"""The largest sockets are built for it. At this rate a counter of the usual 262 kJ comes round in 9 minutes;
in a longer phase it may have come round more than once, and is not read."""


@dataclass(frozen=True)
class Counter:
    """Energy of one device since some moment in the past.

    Parameters
    ----------
    read : callable
        Returns joules; None when it cannot be read.
    range_joules : float or None
        Where it begins anew; None for one that does not.
    """

    read: Callable[[], float | None]
    range_joules: float | None = None


def find_packages(root: Path = _POWERCAP) -> list[Counter]:
    """Return the sockets' counters in Linux's power capping framework (Intel's RAPL, and AMD's).

    Since 2020 most systems let only the administrator read them. Left out are domains for the
    cores of a socket, which are in it already, for memory, which not every machine has, and for the whole
    platform (``psys``), which holds the sockets.

    Parameters
    ----------
    root : Path
        Where the system shows its domains.
    """
    found: list[Counter] = []
    for folder in sorted(root.glob("intel-rapl:*")):
        try:
            name = (folder / "name").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if name.startswith("package-"):
            read = functools.partial(_joules, folder / "energy_uj")
            found.append(Counter(read, _joules(folder / "max_energy_range_uj")))
    return found


def find_graphics(devices: Sequence[Path] = _NVIDIA_DEVICES) -> list[Counter]:
    """Return the counters of NVIDIA's devices, from Volta on, by the optional package ``nvidia-ml-py``.

    It is imported only where the driver is. ``nvmlDeviceGetTotalEnergyConsumption`` counts millijoules
    since the driver was loaded, in steps of 20 to 100 ms.

    Parameters
    ----------
    devices : sequence of Path
        Files of which one is there where the driver is.
    """
    if not any(device.exists() for device in devices):
        return []
    try:
        library = importlib.import_module("pynvml")
    except ImportError:
        return []
    try:
        library.nvmlInit()
        handles = [library.nvmlDeviceGetHandleByIndex(at) for at in range(library.nvmlDeviceGetCount())]
    except library.NVMLError:
        return []

    def read(handle: Any) -> float | None:
        try:
            return float(library.nvmlDeviceGetTotalEnergyConsumption(handle)) * 1e-3
        except library.NVMLError:
            return None  # too old for the counter, or lost

    return [Counter(functools.partial(read, handle)) for handle in handles]


def _joules(path: Path) -> float | None:
    try:
        return int(path.read_bytes()) * 1e-6
    except (OSError, ValueError):
        return None


@dataclass
class Energy(Meter):
    """Energy around a phase.

    Quantities:

    ``package_joules``
        Of all sockets, with all that ran on them; without memory, disks, fans and losses of the power
        supply.
    ``gpu_joules``
        Of all NVIDIA devices that the driver shows, likewise.

    A quantity is None where there is no counter, where one of several cannot be read, where one stood
    still (the phase was shorter than its step of 1 to 100 ms, or it counts nothing) and where one
    may have come round more than once.

    Parameters
    ----------
    packages : callable
        Finds the counters of the sockets, once, when the meter is made.
    graphics : callable
        Finds those of graphics processors, likewise.
    clock : callable
        Seconds of a steady clock.
    """

    order: ClassVar[int] = 50

    packages: Callable[[], Sequence[Counter]] = find_packages
    graphics: Callable[[], Sequence[Counter]] = find_graphics
    clock: Callable[[], float] = time.perf_counter
    _counters: dict[str, Sequence[Counter]] = field(default_factory=dict, init=False, repr=False)
    _begun: dict[str, list[float | None]] = field(default_factory=dict, init=False, repr=False)
    _begun_at: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        self._counters = {"package_joules": self.packages(), "gpu_joules": self.graphics()}

    def start(self) -> None:
        """Read all counters."""
        self._begun_at = self.clock()
        self._begun = {name: [found.read() for found in part] for name, part in self._counters.items()}

    def stop(self) -> dict[str, float | None]:
        """Read all counters and return the differences."""
        seconds = self.clock() - self._begun_at
        return {
            name: _sum(
                [
                    _used(begun, counter.read(), counter.range_joules, seconds)
                    for begun, counter in zip(self._begun[name], part, strict=True)
                ]
            )
            for name, part in self._counters.items()
        }


def _used(
    begun: float | None, ended: float | None, range_joules: float | None, seconds: float
) -> float | None:
    if begun is None or ended is None:
        return None
    if range_joules is not None and seconds * _MOST_WATTS > range_joules:
        return None
    if ended < begun and range_joules is not None:
        ended += range_joules
    return ended - begun if ended > begun else None


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return math.fsum(known) if known and len(known) == len(parts) else None
