"""Where results go unless somebody says otherwise, and how a command says it."""

from __future__ import annotations

import shlex
from pathlib import Path

__all__ = ["DEFAULT_STORE", "store_option"]

DEFAULT_STORE = Path("mlruns")
"""The folder of all results."""


def store_option(root: Path) -> str:
    """Return the option that names the folder of all results, a space before it; empty for the usual one."""
    return "" if root == DEFAULT_STORE else f" --store {shlex.quote(str(root))}"
