"""What a table holds: one observation a row, and the measures of compute that it may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Measure", "Observation", "Price"]


@dataclass(frozen=True)
class Observation:
    """One published result.

    Parameters
    ----------
    name : str
        Of the model; ``line 7`` where the table has no names.
    error : float
        Above 0.
    compute : mapping of str to float
        Measure -> training compute, in the measure's unit; measures that were not published are missing.
    year : float or None
    family : str
        Models of one architecture in several sizes; empty for all others.
    note : str
        What is doubtful about it.
    sources : mapping of str to str
        What is cited (``error`` or a measure) -> keys of sources, separated by spaces.
    facts : mapping of str to float
        Further numbers of the row, such as ``processors``.
    labels : mapping of str to str
        Further texts of the row.
    is_named : bool
        Whether the table gives the name.
    """

    name: str
    error: float
    compute: Mapping[str, float]
    year: float | None = None
    family: str = ""
    note: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    is_named: bool = True


class Measure(NamedTuple):
    """One way to count compute; figures of two measures are never put into one fit."""

    key: str
    title: str
    unit: str
    about: str = ""


class Price(NamedTuple):
    """What one unit of a measure costs: `quantity` is ``usd`` or ``kg_co2``."""

    quantity: str
    per_unit: float
    source: str = ""
