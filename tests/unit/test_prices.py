from __future__ import annotations

import dataclasses

import pytest

from toolkit import prices
from toolkit.errors import ConfigError


@pytest.mark.parametrize("name", prices.profiles())
def test_every_profile_is_sourced_dated_and_sane(name: str) -> None:
    profile = prices.hardware(name)
    assert profile.source
    assert profile.date >= "2020"
    assert profile.basis in ("published", "assumed")
    assert 0.001 < profile.usd_per_hour / profile.vcpus < 1
    assert 0 < profile.utilisation <= 1
    for idle, full in zip(profile.idle_watts, profile.max_watts, strict=True):
        assert 0 < idle < full
    assert list(profile.max_watts) == sorted(profile.max_watts)
    assert list(profile.idle_watts) == sorted(profile.idle_watts)


@pytest.mark.parametrize("name", prices.countries())
def test_every_country_is_sourced_dated_and_sane(name: str) -> None:
    grid = prices.grid(name)
    assert grid.name == name
    assert grid.title
    assert "CC BY 4.0" in grid.attribution
    assert 10 < grid.g_co2e_per_kwh < 1000
    assert 0.02 < grid.usd_per_kwh < 1
    assert grid.price_source
    assert grid.price_date >= "2020"


def test_unknown_names_are_user_errors_that_name_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'cloud-vcpu'"):
        prices.hardware("cloud-cpu")
    with pytest.raises(ConfigError, match="'US'"):
        prices.grid("us")


def test_prices_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        prices.hardware("cloud-vcpu").usd_per_hour = 0.0  # type: ignore[misc]


def test_idle_capacity_makes_up_the_paid_hour() -> None:
    profile = prices.hardware("own-server")
    paid = profile.usd_per_cpu_second + profile.usd_idle_per_cpu_second
    assert paid * profile.utilisation == pytest.approx(profile.usd_per_cpu_second)


def test_energy_of_one_busy_vcpu_by_hand() -> None:
    profile = prices.hardware("cloud-vcpu")
    low, mid, high = prices.energy_joules(10, 20, profile, memory_bytes=2e9, pue=1.5)
    assert mid == pytest.approx(1.5 * (10 * (3.5 - 0.74) + 20 * 0.74 + 20 * 2 * 0.392))
    assert 0 < low < mid < high


def test_energy_without_memory_takes_the_share_of_the_profile() -> None:
    profile = prices.hardware("aws-m6i.xlarge")
    assert prices.energy_joules(1, 1, profile) == prices.energy_joules(1, 1, profile, memory_bytes=4e9)


def test_energy_rises_with_pue_and_work_and_is_zero_only_for_no_work() -> None:
    profile = prices.hardware("cloud-vcpu")
    assert prices.energy_joules(0, 0, profile) == (0, 0, 0)
    assert prices.energy_joules(1, 1, profile).mid > 0
    assert prices.energy_joules(1, 1, profile, pue=2).mid == pytest.approx(
        2 * prices.energy_joules(1, 1, profile).mid
    )


def test_carbon_of_a_kilowatt_hour() -> None:
    assert prices.grid("FR").kg_co2e(prices.JOULES_PER_KWH) == pytest.approx(0.056)
