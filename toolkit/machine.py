"""The machine this runs on: what it is, where caches go, and one thread where it must be one."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Collection
from pathlib import Path

__all__ = [
    "Cores",
    "cache_folder",
    "describe",
    "pin_one_thread",
    "read_busy_ticks",
    "single_thread_environment",
]

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
        Keys ``processor``, ``cores``, ``memory_bytes``, ``kernel``, ``python`` and one for each
        library.
    """
    facts = {
        "processor": _processor(),
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


def _cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


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


def read_busy_ticks() -> dict[int, int]:
    """Read how long each core has been busy, in clock ticks; empty where the system does not tell."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    ticks = {}
    for line in lines:
        name, *counts = line.split()
        if name.startswith("cpu") and name[3:].isdigit():
            # Columns: user, nice, system, idle, iowait, irq, softirq, steal.
            ticks[int(name[3:])] = sum(int(count) for count in counts[:8]) - int(counts[3]) - int(counts[4])
    return ticks
