"""Words that all tables of prices share: a band of values, and what a figure rests on."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["JOULES_PER_KWH", "Band", "Basis"]

JOULES_PER_KWH = 3.6e6

Basis = Literal["published", "assumed", "declared"]
"""Printed in the named source; our own figure, to be checked before use; the user's own figure."""


class Band(NamedTuple):
    """A modelled figure: lowest, middle and highest value."""

    low: float
    mid: float
    high: float

    def times(self, factor: float) -> Band:
        """Return the band with all three values multiplied by `factor`, which is not negative."""
        return Band(self.low * factor, self.mid * factor, self.high * factor)
