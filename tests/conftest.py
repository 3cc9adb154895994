"""What the whole suite shares."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from toolkit.machine import single_thread_environment

# One thread a process, as in a cell, and before numpy and torch are loaded: the suite runs on all cores
# itself, and threads that wait for one another while spinning would make it many times slower.
os.environ.update(single_thread_environment())

# The same examples on every machine, and no clock: a slow neighbour must not fail a test.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def made_up_results() -> ModuleType:
    """The module of hand-made results: ``golden()``, ``one_cell()`` and ``none()``."""
    path = Path(__file__).parent / "golden" / "report_results.py"
    spec = importlib.util.spec_from_file_location("report_results", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
