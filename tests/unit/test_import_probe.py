from __future__ import annotations

import subprocess
import sys

from toolkit import registry


def test_the_process_that_is_measured_has_loaded_nothing_that_tracks_name():
    named = {name.split(".")[0] for track in registry.names("tracks") for name in imports_of(track)}
    assert {"numpy", "pandas", "sklearn", "torch"} <= named
    script = "import sys, toolkit.sweep.import_probe; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert named & set(done.stdout.split()) == set()


def imports_of(track: str) -> tuple[str, ...]:
    return registry.plugin("tracks", track).imports
