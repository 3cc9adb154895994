"""What importing a track's packages costs, measured in a bare process.

``python -m toolkit.sweep.import_probe numpy pandas`` prints one JSON object.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable

from toolkit.machine import single_thread_environment
from toolkit.meters.base import Phase
from toolkit.meters.time import Time

__all__ = ["probe"]

_TIMEOUT_SECONDS = 300.0
PHASE: Phase = "import"


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
    meter = Time()
    meter.start()
    for package in packages:
        importlib.import_module(package)
    print(json.dumps(meter.stop()))


if __name__ == "__main__":
    main(sys.argv[1:])
