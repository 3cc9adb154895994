from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from toolkit import prices
from toolkit.business import Economics, OwnHardware
from toolkit.errors import ConfigError

ACCELERATED = [name for name in prices.profiles() if prices.hardware(name).kind != "cpu"]


@pytest.mark.parametrize("name", prices.profiles())
def test_every_profile_is_sourced_and_dated(name: str) -> None:
    profile = prices.hardware(name)
    for source, date, basis in (
        (profile.source, profile.date, profile.basis),
        (profile.power_source, profile.power_date, profile.power_basis),
    ):
        assert len(source) > 10
        assert "2018-01-01" <= date == dt.date.fromisoformat(date).isoformat()
        assert basis in ("published", "assumed")
    if profile.basis == "assumed":
        assert "our assumption" in profile.source or "check before use" in profile.source


@pytest.mark.parametrize("name", prices.profiles())
def test_every_profile_is_sane(name: str) -> None:
    profile = prices.hardware(name)
    assert 0 < profile.utilisation <= 1
    assert 0.2 <= profile.memory_gb / profile.vcpus <= 32
    if profile.kind == "cpu":
        assert 0.001 < profile.usd_per_hour / profile.vcpus < 0.2
    for idle, full in zip(profile.idle_watts, profile.max_watts, strict=True):
        assert 0 < idle < full < 20
    assert list(profile.max_watts) == sorted(profile.max_watts)
    assert list(profile.idle_watts) == sorted(profile.idle_watts)


@pytest.mark.parametrize("name", ACCELERATED)
def test_every_accelerator_is_physical_and_has_a_host_to_rent_instead(name: str) -> None:
    profile = prices.hardware(name)
    accelerator = profile.accelerator
    assert accelerator is not None
    assert 1e12 <= accelerator.peak_flops / accelerator.count <= 2e15
    for idle, full in zip(accelerator.idle_watts, accelerator.max_watts, strict=True):
        assert 0 < idle < full <= accelerator.count * 1000
    # from 1 to 6,000 GFLOP/s a watt: what lies outside is a slip of units
    assert 1e9 < accelerator.peak_flops / accelerator.max_watts.high < 6e12
    assert 0 < accelerator.achieved.low < accelerator.achieved.mid < accelerator.achieved.high <= 1
    assert 1e-5 < accelerator.step_seconds.low < accelerator.step_seconds.mid < accelerator.step_seconds.high
    assert accelerator.step_seconds.high < 0.1
    assert min(map(len, (accelerator.source, accelerator.power_source, accelerator.speed_source))) > 10
    assert accelerator.speed_basis == "assumed"
    assert profile.host is not None
    host = prices.hardware(profile.host)
    assert host.kind == "cpu"
    assert host.accelerator is None
    assert host.energy_in_price == profile.energy_in_price
    assert host.usd_per_hour / host.vcpus < profile.usd_per_hour / profile.vcpus


def test_the_three_clouds_rent_processors_and_accelerators() -> None:
    for cloud in ("aws", "google", "azure"):
        kinds = [prices.hardware(name).kind for name in prices.profiles() if name.startswith(f"{cloud}-")]
        assert kinds.count("cpu") >= 5
        assert "gpu" in kinds
    assert {prices.hardware(name).kind for name in prices.profiles()} == {"cpu", "gpu", "tpu"}


def test_several_devices_are_added_up() -> None:
    one = prices.hardware("google-a2-highgpu-1g").accelerator
    eight = prices.hardware("aws-p4d.24xlarge").accelerator
    assert one is not None
    assert eight is not None
    assert (one.count, eight.count) == (1, 8)
    assert eight.title == f"8 × {one.title}"
    assert eight.peak_flops == pytest.approx(8 * one.peak_flops)
    assert eight.max_watts == pytest.approx([8 * each for each in one.max_watts])
    assert eight.achieved == one.achieved
    assert eight.step_seconds == one.step_seconds


@pytest.mark.parametrize(
    ("name", "tera_flops", "precision", "watts"),
    [
        ("aws-g4dn.xlarge", 8.1, "fp32", 71),
        ("aws-g6.xlarge", 60, "tf32", 72),
        ("aws-p3.2xlarge", 15.7, "fp32", 306),
        ("google-a2-highgpu-1g", 156, "tf32", 407),
        ("google-tpu-v5e-1", 197, "bf16", 220),
    ],
)
def test_peaks_are_dense_and_those_of_the_data_sheets(
    name: str, tera_flops: float, precision: str, watts: float
) -> None:
    accelerator = prices.hardware(name).accelerator
    assert accelerator is not None
    assert accelerator.peak_flops == pytest.approx(tera_flops * 1e12)
    assert accelerator.precision == precision
    assert accelerator.max_watts.high == watts


def test_unknown_names_are_user_errors_that_name_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'cloud-vcpu'"):
        prices.hardware("cloud-cpu")


def test_prices_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        prices.hardware("cloud-vcpu").usd_per_hour = 0.0  # type: ignore[misc]


def test_idle_capacity_makes_up_the_paid_hour() -> None:
    profile = prices.hardware("own-server")
    paid = profile.usd_per_cpu_second + profile.usd_idle_per_cpu_second
    assert paid * profile.utilisation == pytest.approx(profile.usd_per_cpu_second)


def test_the_whole_machine_costs_its_vcpus() -> None:
    profile = prices.hardware("aws-g4dn.xlarge")
    assert profile.usd_per_second == pytest.approx(0.526 / 3600)
    assert profile.usd_per_second == pytest.approx(profile.vcpus * profile.usd_per_cpu_second)
    assert profile.usd_idle_per_second == pytest.approx(profile.vcpus * profile.usd_idle_per_cpu_second)


def declared(**changes: object) -> OwnHardware:
    return OwnHardware.model_validate(
        {
            "title": "the server under the desk",
            "usd_per_hour": 0.2,
            "vcpus": 8,
            "memory_gb": 64,
            "idle_watts": [1, 2, 3],
            "max_watts": 5,
            **changes,
        }
    )


def test_an_own_machine_is_declared() -> None:
    own = prices.own(declared(utilisation=0.25))
    assert (own.name, own.title, own.kind) == ("own_hardware", "the server under the desk", "cpu")
    assert own.idle_watts == prices.Band(1, 2, 3)
    assert own.max_watts == prices.Band(5, 5, 5)
    assert (own.basis, own.power_basis, own.source) == ("declared", "declared", "the experiment file")
    assert own.accelerator is None
    assert not own.energy_in_price
    assert own.usd_per_cpu_second == pytest.approx(0.2 / 8 / 3600)
    assert own.usd_idle_per_second == pytest.approx(3 * own.usd_per_second)
    assert own.memory_watts_per_gb == prices.hardware("cloud-vcpu").memory_watts_per_gb


def economics(**more: object) -> Economics:
    return Economics.model_validate(
        {"value": {"true_positive": 1, "false_positive": 0}, "volume_per_year": 1, **more}
    )


def test_an_own_machine_takes_the_place_of_a_profile() -> None:
    assert prices.of(economics()) == prices.hardware("cloud-vcpu")
    assert prices.of(economics(hardware="own-server")) == prices.hardware("own-server")
    assert prices.of(economics(own_hardware=declared())) == prices.own(declared())


def test_an_unknown_profile_is_refused_but_not_looked_up_beside_an_own_machine(declare_experiment) -> None:
    with pytest.raises(ConfigError, match="no hardware profile 'toaster'"):
        prices.check(declare_experiment(["rules"], hardware="toaster"))
    with pytest.raises(ConfigError, match="no electricity grid 'XX'"):
        prices.check(declare_experiment(["rules"], own_hardware=declared(), country="XX"))
    prices.check(declare_experiment(["rules"], own_hardware=declared()))
