from __future__ import annotations

import pytest

from toolkit import prices


def test_energy_of_one_busy_vcpu_by_hand() -> None:
    profile = prices.hardware("cloud-vcpu")
    low, mid, high = prices.energy_joules(10, 20, profile, memory_bytes=6e9, pue=1.5)
    assert mid == pytest.approx(1.5 * (10 * (3.5 - 0.74) + 20 * 0.74 + 20 * 6 * 0.392))
    assert 0 < low < mid < high


def test_energy_without_memory_takes_the_share_of_the_profile() -> None:
    profile = prices.hardware("aws-m6i.xlarge")
    assert prices.energy_joules(1, 1, profile) == prices.energy_joules(1, 1, profile, memory_bytes=4e9)


@pytest.mark.parametrize("name", prices.profiles())
def test_a_busy_vcpu_that_touches_little_memory_draws_more_than_an_idle_one(name: str) -> None:
    profile = prices.hardware(name)
    if profile.accelerator is not None:
        profile = prices.hardware(profile.host or "")
    busy = prices.energy_joules(1, 1, profile, memory_bytes=1e6)
    assert busy == prices.energy_joules(1, 1, profile)
    for rest, work in zip(prices.idle_joules(1, profile), busy, strict=True):
        assert 0 < rest < work


def test_memory_of_a_board_is_in_its_watts_and_counted_once() -> None:
    board = prices.hardware("edge-board")
    assert prices.idle_joules(4, board).mid == pytest.approx(3)
    assert prices.energy_joules(4, 1, board, vcpus=4).mid == pytest.approx(7)
    assert prices.hardware("edge-jetson").memory_watts_per_gb == 0
    assert prices.hardware("own-server").memory_watts_per_gb == 0.392


def test_energy_of_a_machine_whose_gpu_waits_by_hand() -> None:
    profile = prices.hardware("aws-g4dn.xlarge")
    assert profile.accelerator is not None
    watts = profile.accelerator.idle_watts.mid + 4.06 + 3 * 0.69 + 16 * 0.392
    assert prices.host_joules(10, profile, pue=1.2).mid == pytest.approx(1.2 * 10 * watts)
    plain = prices.hardware("aws-m6i.xlarge")
    assert prices.host_joules(1, plain).mid == pytest.approx(
        prices.energy_joules(1, 1, plain).mid + prices.idle_joules(3, plain).mid
    )


def test_energy_rises_with_pue_and_work_and_is_zero_only_for_no_work() -> None:
    profile = prices.hardware("cloud-vcpu")
    assert prices.energy_joules(0, 0, profile) == (0, 0, 0)
    assert prices.energy_joules(1, 1, profile).mid > 0
    assert prices.energy_joules(1, 1, profile, pue=2).mid == pytest.approx(
        2 * prices.energy_joules(1, 1, profile).mid
    )


def test_energy_of_a_machine_with_a_gpu_by_hand() -> None:
    profile = prices.hardware("aws-g4dn.xlarge")
    assert profile.accelerator is not None
    busy_gpu = profile.accelerator.max_watts.mid
    # Cascade Lake: one vCPU drives, the other three rest; 16 GB of memory
    watts = busy_gpu + 4.06 + 3 * 0.69 + 16 * 0.392
    low, mid, high = prices.accelerator_joules(10, profile, pue=1.2)
    assert mid == pytest.approx(1.2 * 10 * watts)
    assert 0 < low < mid < high


def test_all_devices_of_a_machine_draw_power() -> None:
    profile = prices.hardware("aws-p5.48xlarge")
    assert prices.accelerator_joules(1, profile).high > 8 * 700
    assert prices.accelerator_joules(1, profile).low > prices.energy_joules(1, 1, profile, vcpus=192).low


@pytest.mark.parametrize("name", ["cloud-vcpu", "own-server"])
def test_energy_of_accelerators_is_not_asked_of_a_machine_without(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' has no accelerator"):
        prices.accelerator_joules(1, prices.hardware(name))


def test_energy_of_idle_vcpus_by_hand() -> None:
    profile = prices.hardware("aws-m6i.xlarge")
    low, mid, high = prices.idle_joules(100, profile, pue=1.5)
    assert mid == pytest.approx(1.5 * 100 * (0.77 + 4 * 0.392))
    assert 0 < low < mid < high


def test_an_idle_machine_with_accelerators_keeps_them_idle_too() -> None:
    profile = prices.hardware("aws-p4d.24xlarge")
    assert profile.accelerator is not None
    whole = prices.idle_joules(profile.vcpus, profile)
    watts = 96 * 0.69 + 1152 * 0.392 + profile.accelerator.idle_watts.mid
    assert whole.mid == pytest.approx(watts)
    assert whole.mid > profile.accelerator.idle_watts.mid


@pytest.mark.parametrize("name", prices.profiles())
def test_a_busy_second_takes_more_than_an_idle_one(name: str) -> None:
    profile = prices.hardware(name)
    idle = prices.idle_joules(profile.vcpus, profile)
    if profile.accelerator is None:
        busy = prices.energy_joules(profile.vcpus, 1, profile, vcpus=profile.vcpus)
    else:
        busy = prices.accelerator_joules(1, profile)
    for rest, work in zip(idle, busy, strict=True):
        assert 0 < rest < work


def test_a_band_is_scaled_at_all_three_values() -> None:
    assert prices.Band(1, 2, 4).times(0.5) == (0.5, 1, 2)
