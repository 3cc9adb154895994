"""Stand-ins for the data packages, installed where Python looks first."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[[str, dict[str, str]], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package of the given requirement that consists of files alone."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def write(requirement: str, files: dict[str, str]) -> Path:
        name, _, version = requirement.partition("==")
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        for file, text in files.items():
            path = site / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        importlib.invalidate_caches()
        return site

    return write


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide all installed packages."""
    monkeypatch.setattr("sys.path", [])
    importlib.invalidate_caches()
