"""Prices: dated, sourced tables that turn physical quantities into money, joules and carbon.

Cells store physical quantities only (seconds, bytes, rows). `hardware` and `grid` are applied afterwards,
so that every finished experiment can be priced again for another machine or country.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal, NamedTuple

import yaml

from toolkit.config import Experiment
from toolkit.errors import ConfigError, did_you_mean

__all__ = [
    "JOULES_PER_KWH",
    "Band",
    "Grid",
    "Hardware",
    "countries",
    "energy_joules",
    "grid",
    "hardware",
    "profiles",
]

JOULES_PER_KWH = 3.6e6
Basis = Literal["published", "assumed"]


class Band(NamedTuple):
    """A modelled figure: lowest, middle and highest value."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class Hardware:
    """A machine to run on, with its price and power.

    Parameters
    ----------
    name, title : str
        The name in the experiment file, and words for people.
    usd_per_hour : float
        Price of the whole machine.
    vcpus : int
    memory_gb : float
    idle_watts, max_watts : Band
        Power of one vCPU at rest and at full load.
    memory_watts_per_gb : float
    utilisation : float
        Share of the paid hours that do work.
    energy_in_price : bool
        Whether `usd_per_hour` already pays for electricity.
    basis, source, date : str
        Where the price is from.
    """

    name: str
    title: str
    usd_per_hour: float
    vcpus: int
    memory_gb: float
    idle_watts: Band
    max_watts: Band
    memory_watts_per_gb: float
    utilisation: float
    energy_in_price: bool
    basis: Basis
    source: str
    date: str

    @property
    def usd_per_cpu_second(self) -> float:
        """Price of one vCPU for one second of work, idle capacity left out."""
        return self.usd_per_hour / self.vcpus / 3600

    @property
    def usd_idle_per_cpu_second(self) -> float:
        """Price of the idle capacity that is paid for with each second of work."""
        return self.usd_per_cpu_second * (1 / self.utilisation - 1)


@dataclass(frozen=True)
class Grid:
    """Electricity of one country.

    Parameters
    ----------
    name, title : str
        Two-letter code (or ``WORLD``), and words for people.
    g_co2e_per_kwh : float
        Life-cycle carbon intensity of generation.
    usd_per_kwh : float
        What a business pays.
    carbon_source, carbon_date, price_basis, price_source, price_date, attribution : str
        Where the figures are from.
    """

    name: str
    title: str
    g_co2e_per_kwh: float
    usd_per_kwh: float
    carbon_source: str
    carbon_date: str
    price_basis: Basis
    price_source: str
    price_date: str
    attribution: str

    def kg_co2e(self, joules: float) -> float:
        """Return the carbon of `joules` of electricity, in kg CO2e."""
        return joules / JOULES_PER_KWH * self.g_co2e_per_kwh / 1000


@lru_cache(maxsize=2)
def _table(name: str) -> dict[str, Any]:
    text = resources.files("toolkit.prices").joinpath(name).read_text(encoding="utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table


def profiles() -> list[str]:
    """Return the names of all hardware profiles, in the order of the table."""
    return list(_table("hardware.yaml")["profiles"])


def countries() -> list[str]:
    """Return the codes of all countries, in the order of the table."""
    return list(_table("grid.yaml")["countries"])


def check(experiment: Experiment) -> None:
    """Refuse an experiment whose prices cannot be found, before anything is trained.

    Raises
    ------
    ConfigError
        With the file and line of the name.
    """
    for key, look_up in (("hardware", hardware), ("country", grid)):
        try:
            look_up(getattr(experiment.economics, key))
        except ConfigError as error:
            raise ConfigError(error.problem, where=experiment.where("economics", key)) from error


def hardware(name: str) -> Hardware:
    """Return the hardware profile called `name`.

    Raises
    ------
    ConfigError
        No such profile; the message names the nearest.
    """
    table = _table("hardware.yaml")
    if name not in table["profiles"]:
        raise ConfigError(f"there is no hardware profile '{name}'{did_you_mean(name, profiles())}")
    row = table["profiles"][name]
    return Hardware(
        name=name,
        memory_watts_per_gb=table["memory_watts_per_gb"]["value"],
        **{
            **row,
            "idle_watts": Band(*row["idle_watts"]),
            "max_watts": Band(*row["max_watts"]),
            "date": str(row["date"]),
        },
    )


def grid(country: str) -> Grid:
    """Return the electricity of `country`, a two-letter code or ``WORLD``.

    Raises
    ------
    ConfigError
        No such country in the table; the message names the nearest and the way out.
    """
    table = _table("grid.yaml")
    if country not in table["countries"]:
        raise ConfigError(
            f"there is no electricity grid '{country}'{did_you_mean(country.upper(), countries())} "
            "(WORLD is the mean of all)"
        )
    row = table["countries"][country]
    return Grid(
        name=country,
        carbon_source=table["carbon_source"],
        carbon_date=str(table["carbon_date"]),
        attribution=table["attribution"],
        **{**row, "price_date": str(row["price_date"])},
    )


def energy_joules(
    cpu_seconds: float,
    wall_seconds: float,
    profile: Hardware,
    *,
    memory_bytes: float | None = None,
    vcpus: int = 1,
    pue: float = 1.0,
) -> Band:
    """Model the electrical energy of a piece of work; it is never measured here.

    ``E = cpu_s (Pmax - Pidle) + wall_s vcpus Pidle + wall_s GB 0.392 W``, times PUE, after the
    methodology of Cloud Carbon Footprint.

    Parameters
    ----------
    cpu_seconds, wall_seconds : float
    profile : Hardware
        Gives the power of a vCPU, with its band.
    memory_bytes : float, optional
        Memory that the work holds; None takes the profile's memory per vCPU.
    vcpus : int
        vCPUs held for the whole of `wall_seconds`.
    pue : float
        Power of the building over power of the machines, at least 1.

    Returns
    -------
    Band
        Joules: low, mid and high.
    """
    if memory_bytes is None:
        gigabytes = vcpus * profile.memory_gb / profile.vcpus
    else:
        gigabytes = memory_bytes / 1e9
    memory = wall_seconds * gigabytes * profile.memory_watts_per_gb

    def joules(idle: float, full: float) -> float:
        return pue * (cpu_seconds * (full - idle) + wall_seconds * vcpus * idle + memory)

    low, mid, high = (joules(*watts) for watts in zip(profile.idle_watts, profile.max_watts, strict=True))
    return Band(low, mid, high)
