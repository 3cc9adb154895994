"""The machine this runs on: what it is, where caches go, and one thread where it must be one."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


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
