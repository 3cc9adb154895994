"""The machine this runs on: what it is, where caches go, and one thread where it must be one."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.kernelfile import KernelFile

__all__ = [
    "CoreClock",
    "CoreTimes",
    "Cores",
    "cache_folder",
    "describe",
    "machine_name",
    "pin_one_thread",
    "read_busy_ticks",
    "single_thread_environment",
]

_STAT = KernelFile("/proc/stat")
_STAT_BYTES = 512 + 192 * (os.cpu_count() or 1)
"""The lines of the cores stand first: ten numbers each."""

_CPUINFO = Path("/proc/cpuinfo")

_PACKAGES = ("numpy", "pandas", "scikit-learn", "torch", "mlflow")

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "ARROW_IO_THREADS",
    "RAYON_NUM_THREADS",
)


def cache_folder() -> Path:
    """Return the folder for caches that can be rebuilt, outside any repository.

    ``COSTCURVES_CACHE`` when set, else ``costcurves`` below ``XDG_CACHE_HOME`` or ``~/.cache``.
    The folder is not created.
    """
    own = os.environ.get("COSTCURVES_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "costcurves"


def describe() -> dict[str, str]:
    """Return what the machine is: processor, cores, memory, kernel, Python and library versions.

    Libraries are not imported for it. A library that is not installed is left out, and so is
    what the system does not tell.

    Returns
    -------
    dict of str to str
        Keys ``processor``; ``processor_model`` (maker, family, model and stepping: clouds give unlike
        processors one name); ``processor_flags`` (a hash of what it can do); ``virtual`` (``yes`` where a
        hypervisor says so); ``cores``, ``memory_bytes``, ``kernel``, ``python`` and one for each library.
    """
    processor = _processor()
    flags = processor.get("flags") or processor.get("Features") or ""
    model = [processor.get(key, "") for key in ("vendor_id", "cpu family", "model", "stepping")]
    facts = {
        "processor": processor.get("model name") or platform.processor() or platform.machine(),
        "processor_model": " ".join(model) if all(model) else "",
        "processor_flags": hashlib.sha256(flags.encode()).hexdigest()[:8] if flags else "",
        "virtual": ("yes" if "hypervisor" in flags.split() else "no") if "flags" in processor else "",
        "cores": str(len(_cores())),
        "memory_bytes": _memory_bytes(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            facts[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {key: value for key, value in facts.items() if value}


def machine_name(facts: Mapping[str, str]) -> str:
    """Return a name for a machine by what decides how fast it is: processor and cores.

    Parameters
    ----------
    facts : mapping of str to str
        From `describe`, on whatever machine.

    Returns
    -------
    str
        E.g. ``AMD EPYC (AuthenticAMD 25 17 1), 2 cores``; records without the model have none in it.
    """
    name = facts.get("processor") or "unknown processor"
    if facts.get("processor_model"):
        name += f" ({facts['processor_model']})"
    cores = facts.get("cores")
    return name if not cores else f"{name}, {cores} core{'' if cores == '1' else 's'}"


def _cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _processor() -> dict[str, str]:
    """Return what ``/proc/cpuinfo`` tells of the first core; empty where there is none."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _memory_bytes() -> str:
    try:
        return str(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (OSError, ValueError):
        return ""


def single_thread_environment() -> dict[str, str]:
    """Return the variables that make numeric libraries run one thread.

    They act only on a process that has not yet imported the libraries. With default threads the
    CPU time of one boosting fit rose from 0.26 s to 7-22 s under load, because idle OpenMP
    threads spin.
    """
    return dict.fromkeys(_THREAD_VARIABLES, "1")


def pin_one_thread(core: int | None = None) -> int:
    """Keep this process on one core and one thread, and prove it.

    Parameters
    ----------
    core : int, optional
        Number of the core; None leaves that to the system.

    Returns
    -------
    int
        The most threads that any loaded numeric library may still use; 1 is the proof.
    """
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    torch = sys.modules.get("torch")
    most = 1
    if torch is not None:
        torch.set_num_threads(1)
        most = int(torch.get_num_threads())

    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()
    controller.limit(limits=1)
    return max([most, *(int(pool["num_threads"]) for pool in controller.info())])


class Cores:
    """Picks cores for single-threaded work: the quietest that is free.

    A process that is held on one core waits there for its neighbours, even while another core
    idles; so the core is chosen by what was busy since the last choice (``/proc/stat``).

    Parameters
    ----------
    busy : callable
        Core -> clock ticks it has been busy since the system began; empty when not told.
    """

    def __init__(self, busy: Callable[[], dict[int, int]] | None = None) -> None:
        self._busy = busy or read_busy_ticks
        self._last = self._busy()

    def quietest(self, taken: Collection[int | None] = ()) -> int | None:
        """Return the core that was least busy since the last call, or None when all are taken.

        Parameters
        ----------
        taken : collection of int or None
            Cores that are in use. Among equals the highest number wins: the first cores serve most
            interrupts.
        """
        now, last = self._busy(), self._last
        self._last = now
        free = [core for core in _cores() if core not in taken]
        if not free:
            return None
        return min(free, key=lambda core: (now.get(core, 0) - last.get(core, 0), -core))


@dataclass(frozen=True)
class CoreTimes:
    """What the cores of this machine have done since it began.

    Parameters
    ----------
    busy_seconds : float
        All cores: time that anything ran on them.
    stolen_seconds : float
        Time that the hypervisor gave to other machines, of the cores that this process may use.
    """

    busy_seconds: float
    stolen_seconds: float


class CoreClock:
    """Reads what the cores have done, in steps of a clock tick (10 ms).

    Which cores this process may use it asks at the first reading only: readings stand around every phase.
    """

    @functools.cached_property
    def _own(self) -> list[bytes]:
        return [b"\ncpu%d " % core for core in _cores()]

    @functools.cached_property
    def _tick_seconds(self) -> float:
        return 1.0 / os.sysconf("SC_CLK_TCK")

    def __call__(self) -> CoreTimes | None:
        """Read it now; None where the system does not tell."""
        stolen = 0
        try:
            text = _STAT.read(_STAT_BYTES)
            busy, _ = _ticks(text, b"cpu ")
            for core in self._own:
                if core in text:  # a container may show fewer than it lets a process use
                    stolen += _ticks(text, core)[1]
        except (OSError, IndexError, ValueError):
            return None
        return CoreTimes(busy * self._tick_seconds, stolen * self._tick_seconds)


def read_busy_ticks() -> dict[int, int]:
    """Read how long each core that this process may use was not free, in clock ticks; empty if not told."""
    try:
        text = _STAT.read(_STAT_BYTES)
        names = {core: b"\ncpu%d " % core for core in _cores()}
        return {core: sum(_ticks(text, name)) for core, name in names.items() if name in text}
    except (OSError, IndexError, ValueError):
        return {}


def _ticks(stat: bytes, name: bytes) -> tuple[int, int]:
    """Find a line in ``/proc/stat``: ticks that it was busy, and ticks that were stolen from it."""
    at = stat.index(name) + len(name)
    counts = stat[at : stat.index(b"\n", at)].split(maxsplit=8)
    user, nice, system, irq, softirq = counts[0], counts[1], counts[2], counts[5], counts[6]
    return int(user) + int(nice) + int(system) + int(irq) + int(softirq), int(counts[7])
