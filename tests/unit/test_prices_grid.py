from __future__ import annotations

import datetime as dt

import pytest

from toolkit import prices
from toolkit.errors import ConfigError

EUROPEAN_UNION = [
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
]


@pytest.mark.parametrize("name", prices.countries())
def test_every_country_is_sourced_dated_and_sane(name: str) -> None:
    grid = prices.grid(name)
    assert grid.name == name
    assert grid.title
    assert "CC BY 4.0" in grid.attribution
    assert "Ember" in grid.attribution
    assert grid.carbon_source.startswith("Ember, Yearly Electricity Data")
    assert 10 < grid.g_co2e_per_kwh < 1000
    assert 0.02 < grid.usd_per_kwh < 1
    assert len(grid.price_source) > 10
    for date in (grid.price_date, grid.carbon_date):
        assert "2020-01-01" <= date == dt.date.fromisoformat(date).isoformat()


def test_the_countries_are_those_that_are_asked_for() -> None:
    names = prices.countries()
    assert len(EUROPEAN_UNION) == 27
    assert not {*EUROPEAN_UNION, "EU", "GB", "NO", "CH", "US", "CA", "MX", "WORLD"} - set(names)
    assert not {"AU", "JP", "KR", "IN", "CN", "BR", "ZA", "ID", "TR", "SG"} - set(names)


def test_the_year_of_the_carbon_is_stated_and_one_for_nearly_all() -> None:
    years = [prices.grid(name).carbon_source[-4:] for name in prices.countries()]
    assert prices.grid("DE").carbon_source.endswith(", year 2024")
    assert set(years) == {"2023", "2024"}
    assert years.count("2023") == 2


def test_a_price_is_published_only_where_it_is_the_country_s_own() -> None:
    for name in prices.countries():
        grid = prices.grid(name)
        borrowed = "taken for the country" in grid.price_source or "assumption" in grid.price_source
        assert borrowed == (grid.price_basis == "assumed")


def test_unknown_countries_are_user_errors_that_name_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'US'"):
        prices.grid("us")


def test_carbon_of_a_kilowatt_hour() -> None:
    assert prices.grid("FR").kg_co2e(prices.JOULES_PER_KWH) == pytest.approx(0.044)
