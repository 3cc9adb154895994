"""Tables as a user writes them, and observations without a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from toolkit.published.values import Measure, Observation

FLOP = Measure("flop", "Training compute", "FLOP")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write_file(text: str) -> Path:
        path = tmp_path / "results.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def scatter() -> Callable[..., list[Observation]]:
    """Return observations of given compute and error, dated one a year."""

    def make(compute: Sequence[float], error: Sequence[float], family: str = "") -> list[Observation]:
        return [
            Observation(f"model {i}", float(e), {"flop": float(c)}, year=2010.0 + i, family=family)
            for i, (c, e) in enumerate(zip(compute, error, strict=True))
        ]

    return make


@pytest.fixture
def flop() -> Measure:
    return FLOP
