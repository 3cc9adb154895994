"""The values that a results board is made of, and the figures it prints without noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Board", "Point", "rounded"]

DIGITS = 6
"""Significant digits of a figure that is made to be read."""


@dataclass(frozen=True)
class Point:
    """One value of a metric; `step` is its place on the chart's axis."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Board:
    """All that is shown of one run: of a cell, of a track, of the report or of a published model."""

    points: tuple[Point, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def rounded(value: float) -> float:
    """Return a value with six significant digits: MLflow prints all that there are."""
    return float(f"{value:.{DIGITS}g}")
