"""Tracks saved once, and copied for those who want to do them harm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.config import Rung
from toolkit.models.folder import DOCUMENT, seal
from toolkit.tasks.base import TaskData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track
from toolkit.tracks.baseline import Baseline
from toolkit.tracks.classical import Classical
from toolkit.tracks.rules import Rules

REPOSITORY = Path(__file__).parents[3]


def change_and_seal(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the document and seal it again, as one would who wants it to be taken for whole."""
    document = json.loads((folder / DOCUMENT).read_text())
    names = document.pop("files")
    document.pop("sha256")
    files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    change(document)
    (folder / DOCUMENT).write_bytes(seal(document, files))


@pytest.fixture(scope="session")
def data() -> TaskData:
    return Synthetic(n_clusters=60, rows_per_cluster=10).load(rung=Rung(share=1.0), seed=0)


@pytest.fixture(scope="session")
def originals(data, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("originals")
    tracks: dict[str, Track] = {
        "baseline": Baseline(column="habit_probability"),
        "rules": Rules(knowledge=REPOSITORY / "experiments/knowledge/smoke.yaml", n_rules=3),
        "logistic": Classical(family="logistic"),
        "boosting": Classical(family="boosting"),
    }
    for name, track in tracks.items():
        track.fit(data.train, seed=0).save(folder / name)
    return {name: folder / name for name in tracks}


@pytest.fixture
def saved(originals, tmp_path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        shutil.copytree(originals[name], tmp_path / name)
        return tmp_path / name

    return copy


@pytest.fixture(scope="session")
def rewrite() -> Callable[[Path, Callable[[dict[str, Any]], None]], None]:
    return change_and_seal
