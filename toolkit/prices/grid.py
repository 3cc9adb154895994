"""Electricity: its carbon and its price, by country."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.errors import ConfigError, did_you_mean
from toolkit.prices.bands import JOULES_PER_KWH, Basis
from toolkit.prices.loading import grid_table

__all__ = ["Grid", "countries", "grid"]


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


def countries() -> list[str]:
    """Return the codes of all countries, in the order of the table."""
    return list(grid_table().countries)


def grid(country: str) -> Grid:
    """Return the electricity of `country`, a two-letter code or ``WORLD``.

    Raises
    ------
    ConfigError
        No such country in the table; the message names the nearest and the way out.
    """
    table = grid_table()
    if country not in table.countries:
        titles = {line.title.casefold(): name for name, line in table.countries.items()}
        # of a country's name its own code is the nearest, however little the two look alike
        meant = titles.get(country.strip().casefold(), country.upper())
        raise ConfigError(
            f"there is no electricity grid '{country}'{did_you_mean(meant, table.countries)} (WORLD is the "
            "mean of all; toolkit prices lists them)"
        )
    line = table.countries[country]
    return Grid(
        name=country,
        carbon_source=f"{table.carbon_source}, year {line.carbon_year or table.carbon_year}",
        carbon_date=table.carbon_date,
        attribution=table.attribution,
        **line.model_dump(exclude={"carbon_year"}),
    )
