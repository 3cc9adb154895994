"""What the whole suite shares."""

from __future__ import annotations

import builtins
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

from toolkit.errors import UserError
from toolkit.machine import single_thread_environment

# One thread a process, as in a cell, and before numpy and torch are loaded: the suite runs on all cores
# itself, and threads that wait for one another while spinning would make it many times slower.
os.environ.update(single_thread_environment())

# The same examples on every machine, and no clock: a slow neighbour must not fail a test.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")


LONG = (
    "test_curve_coverage.py",
    "test_knowledge_boxes_properties.py",
    "test_verdict_businesses.py",
    "test_verdict_trained.py",
)
"""Files of minutes. Begun last they would leave the other core idle."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first; the order is the same in every worker."""
    items.sort(key=lambda item: item.path.name not in LONG)


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its parts and its dataclasses look one another up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made_up_results() -> ModuleType:
    """The package of hand-made results: ``golden()``, ``one_cell()`` and ``none()``."""
    return _module("made_up_results", Path(__file__).parent / "golden" / "made_up_results" / "__init__.py")


@pytest.fixture(scope="session")
def results_document() -> ModuleType:
    """The form of ``results.json``: ``Document``, and ``schema()`` as the docs have it."""
    return _module("results_document", Path(__file__).parent / "golden" / "results_document.py")


@pytest.fixture(scope="session")
def worlds() -> ModuleType:
    """The made-up experiments of the unit tests: ``draw``, ``declare`` and ``Truth``."""
    return _module("worlds", Path(__file__).parent / "unit" / "conftest.py")


@pytest.fixture
def simulation_table(
    record_property: Callable[[str, object], None],
) -> Callable[[str, Mapping[str, Any]], None]:
    """Return a function that adds a row to a named table, which stands at the end of the test run."""

    def add(title: str, row: Mapping[str, Any]) -> None:
        # A worker of pytest-xdist sends properties on, and nothing that is printed.
        plain = {key: one if isinstance(one, str | int) else float(one) for key, one in row.items()}
        record_property("simulation", json.dumps([title, plain]))

    return add


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the tables of the simulations that ran, passed or not."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for key, value in report.user_properties:
            if key == "simulation" and report.when == "call":
                title, row = json.loads(value)
                tables.setdefault(title, []).append(row)
    for title, rows in sorted(tables.items()):
        columns = list(dict.fromkeys(key for row in rows for key in row))
        cells = [columns, *([_cell(row.get(key, "")) for key in columns] for row in _sorted(rows))]
        widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
        terminalreporter.write_sep("-", title)
        for line in cells:
            terminalreporter.write_line("  ".join(map(str.ljust, line, widths)).rstrip())


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [str(one) for one in row.values() if isinstance(one, str)])


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


HARMFUL_MODULES = ("os", "posix", "subprocess", "importlib", "ctypes", "socket", "shutil", "pty", "sys")


class Canary:
    """Notes what runs while it watches: reading what somebody wrote must run and write nothing."""

    MAX_SECONDS = 0.05
    """Processor time to refuse one hostile input, the best of a few tries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.ran: list[str] = []
        self.watching = False
        self.folder = folder
        # A codec is imported, and so run, when it is first used.
        b"x".decode("utf-8-sig")
        for owner, names in {
            builtins: ("eval", "exec", "__import__", "breakpoint", "print", "input"),
            os: ("system", "popen", "execv", "fork", "posix_spawn", "remove"),
            subprocess: ("Popen", "run"),
        }.items():
            for name in names:
                monkeypatch.setattr(owner, name, self.noted(name, getattr(owner, name)))

    def noted(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            # Libraries import some of their parts late; none of those can do harm.
            harmless = name == "__import__" and arguments[0].split(".")[0] not in HARMFUL_MODULES
            if self.watching and not harmless:
                self.ran.append(f"{name}{arguments!r:.100}")
            return original(*arguments, **options)

        return called

    def seconds_to_refuse(self, read: Callable[[], object]) -> tuple[float, UserError]:
        """Return the processor time of the best of three tries, and the error."""
        best, before = float("inf"), sorted(self.folder.iterdir())
        error: UserError | None = None
        for _ in range(3):
            start = time.process_time()
            self.watching = True
            try:
                read()
            except UserError as caught:
                error = caught
            finally:
                self.watching = False
            best = min(best, time.process_time() - start)
        assert error is not None, "it was not refused"
        assert self.ran == []
        assert sorted(self.folder.iterdir()) == before
        return best, error

    def check_sentence(self, message: str, place: str, limit: int = 600) -> None:
        """Check that a message is one readable sentence that names the place."""
        assert message.startswith(place)
        assert len(message) < limit
        assert message.replace("\n", "").isprintable()
        assert " object at 0x" not in message
        assert "Traceback" not in message


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Canary:
    monkeypatch.chdir(tmp_path)
    return Canary(monkeypatch, tmp_path)
