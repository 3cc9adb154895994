"""An estimate with its interval."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Interval"]


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; ends may be infinite."""

    estimate: float
    low: float
    high: float
