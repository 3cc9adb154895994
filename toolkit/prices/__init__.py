"""Prices: dated, sourced tables that turn physical quantities into money, joules and carbon.

Cells store physical quantities only (seconds, bytes, rows). `hardware` and `grid` are applied afterwards,
so that every finished experiment can be priced again for another machine or country.
"""

from toolkit.prices.bands import JOULES_PER_KWH, Band, Basis
from toolkit.prices.declared import check, of, own
from toolkit.prices.energy import accelerator_joules, energy_joules, host_joules, idle_joules
from toolkit.prices.grid import Grid, countries, grid
from toolkit.prices.hardware import Accelerator, Hardware, hardware, profiles
from toolkit.prices.overview import tables

__all__ = [
    "JOULES_PER_KWH",
    "Accelerator",
    "Band",
    "Basis",
    "Grid",
    "Hardware",
    "accelerator_joules",
    "check",
    "countries",
    "energy_joules",
    "grid",
    "hardware",
    "host_joules",
    "idle_joules",
    "of",
    "own",
    "profiles",
    "tables",
]
