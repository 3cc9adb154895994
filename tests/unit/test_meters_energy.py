from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from toolkit.meters import energy
from toolkit.meters.energy import Counter, Energy, find_graphics, find_packages


def counter(*values, range_joules=1_000_000.0):
    """A counter that gives the next value at every reading."""
    found = iter(values)
    return Counter(lambda: next(found), range_joules)


def joules(*packages, graphics=(), seconds=1.0):
    clock = iter([100.0, 100.0 + seconds])
    meter = Energy(packages=lambda: packages, graphics=lambda: graphics, clock=lambda: next(clock))
    meter.start()
    return meter.stop()


def test_a_machine_without_counters_measures_nothing_and_not_zero():
    assert joules() == {"package_joules": None, "gpu_joules": None}


def test_two_sockets_are_added_up():
    assert joules(counter(10.0, 14.0), counter(7.0, 9.5))["package_joules"] == 6.5


def test_graphics_processors_are_kept_apart():
    found = joules(counter(10.0, 14.0), graphics=[counter(1.0, 9.0, range_joules=None)])
    assert found == {"package_joules": 4.0, "gpu_joules": 8.0}


def test_a_counter_that_came_round():
    assert joules(counter(990_000.0, 5_000.0), seconds=100.0)["package_joules"] == 15_000.0


@pytest.mark.parametrize(("seconds", "expected"), [(1999.0, 500.0), (2001.0, None)])
def test_a_counter_that_may_have_come_round_twice_is_not_read(seconds, expected):
    assert joules(counter(0.0, 500.0), seconds=seconds)["package_joules"] == expected


@pytest.mark.parametrize("values", [(None, 4.0), (4.0, None), (4.0, 4.0)])
def test_one_socket_that_cannot_be_read_or_stands_still_leaves_the_sum_unknown(values):
    assert joules(counter(10.0, 14.0), counter(*values))["package_joules"] is None


def test_a_counter_without_range_that_begins_anew_is_not_read():
    assert joules(graphics=[counter(9.0, 1.0, range_joules=None)])["gpu_joules"] is None


def domain(root, number, name, energy_uj="1500000", range_uj="262143328850"):
    folder = root / f"intel-rapl:{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    if energy_uj is not None:
        (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder


def test_sockets_are_found_and_their_parts_and_the_platform_left_out(tmp_path):
    first = domain(tmp_path, "0", "package-0")
    domain(tmp_path, "0:0", "core")
    domain(tmp_path, "0:1", "dram")
    domain(tmp_path, "1", "package-1", energy_uj="2500000")
    domain(tmp_path, "2", "psys")
    (tmp_path / "intel-rapl:3").mkdir()  # without a name
    found = find_packages(tmp_path)
    assert [part.read() for part in found] == [1.5, 2.5]
    assert [part.range_joules for part in found] == [pytest.approx(262143.32885)] * 2
    (first / "energy_uj").write_text("broken")
    assert found[0].read() is None


def test_a_counter_that_may_not_be_read(tmp_path):
    # An administrator may read everything, so a folder stands for what is refused: both are OSErrors.
    (domain(tmp_path, "0", "package-0", energy_uj=None) / "energy_uj").mkdir()
    meter = Energy(packages=lambda: find_packages(tmp_path), graphics=list)
    meter.start()
    assert meter.stop()["package_joules"] is None


def test_no_domains_where_the_system_has_no_such_folder(tmp_path):
    assert find_packages(tmp_path / "missing") == []


class NvmlError(Exception):
    pass


class Nvml(SimpleNamespace):
    """NVIDIA's library with two devices, of which the second can be lost."""

    NVMLError = NvmlError

    def __init__(self):
        super().__init__(millijoules={0: 1000, 1: 4000}, initialised=False)

    def nvmlInit(self):  # noqa: N802
        self.initialised = True

    def nvmlDeviceGetCount(self):  # noqa: N802
        return len(self.millijoules)

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, device):  # noqa: N802
        if device not in self.millijoules:
            raise NvmlError("GPU is lost")
        return self.millijoules[device]


@pytest.fixture
def driver(tmp_path):
    (tmp_path / "nvidiactl").write_text("")
    return [tmp_path / "nvidiactl"]


def test_devices_of_nvidia_are_read_in_joules_and_one_that_vanishes_leaves_the_sum_unknown(
    monkeypatch, driver
):
    library = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    meter = Energy(packages=list, graphics=lambda: find_graphics(driver))
    assert library.initialised
    meter.start()
    library.millijoules = {0: 3500, 1: 4500}
    assert meter.stop()["gpu_joules"] == 3.0
    meter.start()
    library.millijoules = {0: 9000}
    assert meter.stop()["gpu_joules"] is None


def test_a_driver_that_does_not_answer_gives_no_device(monkeypatch, driver):
    library = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    library.nvmlInit = lambda: (_ for _ in ()).throw(NvmlError("driver not loaded"))
    assert find_graphics(driver) == []


def test_the_library_is_not_imported_where_there_is_no_driver(monkeypatch, tmp_path, driver):
    asked = []

    def refuse(name):
        asked.append(name)
        raise ImportError(name)

    monkeypatch.setattr(energy.importlib, "import_module", refuse)
    assert find_graphics([tmp_path / "missing"]) == []
    assert asked == []
    assert find_graphics(driver) == []
    assert asked == ["pynvml"]
