"""What importing a track's packages costs, measured in a bare process.

``python -m toolkit.sweep.import_probe numpy pandas`` prints one JSON object. This module imports nothing that
a track may name, the meters included, which need pandas: what is loaded already would seem to be free.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Literal

from toolkit.machine import single_thread_environment

__all__ = ["probe"]

_TIMEOUT_SECONDS = 300.0
PHASE: Literal["import"] = "import"


def probe(packages: Iterable[str]) -> dict[str, float | None]:
    """Import `packages` in a fresh process and return what it cost.

    Parameters
    ----------
    packages : iterable of str

    Returns
    -------
    dict of str to float or None
        ``cost_import_cpu_seconds`` and ``cost_import_wall_seconds``; None where the packages cannot
        be imported.
    """
    names = list(packages)
    nothing: dict[str, float | None] = {f"cost_{PHASE}_cpu_seconds": None, f"cost_{PHASE}_wall_seconds": None}
    command = [sys.executable, "-m", "toolkit.sweep.import_probe", *names]
    path = os.pathsep.join(part for part in sys.path if part)
    try:
        done = subprocess.run(  # noqa: S603 (our own module, names from our own plug-ins)
            command,
            check=True,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            env={**os.environ, **single_thread_environment(), "PYTHONPATH": path},
        )
        measured = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, OSError, ValueError, IndexError):
        return nothing
    return {key: float(measured[key.removeprefix(f"cost_{PHASE}_")]) for key in nothing}


def main(packages: list[str]) -> None:
    """Import `packages` between two readings of the clocks and print the difference."""
    begun_cpu, begun_wall = _cpu_seconds(), time.perf_counter()
    for package in packages:
        importlib.import_module(package)
    wall = time.perf_counter() - begun_wall
    print(json.dumps({"wall_seconds": wall, "cpu_seconds": _cpu_seconds() - begun_cpu}))


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


if __name__ == "__main__":
    main(sys.argv[1:])
