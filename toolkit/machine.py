"""The machine this runs on: what it is, where caches go, and one thread where it must be one."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

__all__ = ["cache_folder", "describe", "pin_one_thread", "single_thread_environment"]

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
        "cores": str(os.cpu_count() or 1),
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


def pin_one_thread(slot: int = 0) -> int:
    """Keep this process on one core and one thread, and prove it.

    Parameters
    ----------
    slot : int
        Processes that run side by side have different slots, and so different cores while there
        are enough. Slot 0 is the last core: the first serves most interrupts.

    Returns
    -------
    int
        The most threads that any loaded numeric library may still use; 1 is the proof.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[-1 - slot % len(cores)]})
    torch = sys.modules.get("torch")
    most = 1
    if torch is not None:
        torch.set_num_threads(1)
        most = int(torch.get_num_threads())

    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()
    controller.limit(limits=1)
    return max([most, *(int(pool["num_threads"]) for pool in controller.info())])
