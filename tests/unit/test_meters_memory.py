from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

from toolkit.kernelfile import KernelFile
from toolkit.meters.memory import Memory, Resident, find_release, read_resident, reset_high_water_mark


def readings(*values):
    found = iter(values)
    return lambda: next(found)


def test_peak_is_what_came_since_the_meter_was_made_and_growth_since_the_phase_began():
    meter = Memory(
        resident=readings(
            Resident(now_bytes=300, peak_bytes=300, file_bytes=50),
            Resident(now_bytes=400, peak_bytes=400, file_bytes=60),
            Resident(now_bytes=420, peak_bytes=900, file_bytes=60),
        ),
        reset=lambda: True,
    )
    meter.start()
    # 900 - 60 of files - 250 that were there before the first phase.
    assert meter.stop() == {"peak_bytes": 590.0, "growth_bytes": 500.0}


def test_pages_of_libraries_do_not_count():
    meter = Memory(
        resident=readings(Resident(300, 300, 50), Resident(300, 300, 50), Resident(380, 380, 130)),
        reset=lambda: True,
    )
    meter.start()
    assert meter.stop() == {"peak_bytes": 0.0, "growth_bytes": 0.0}


def test_without_reset_an_earlier_higher_peak_hides_this_one():
    meter = Memory(
        resident=readings(Resident(100, 100, 0), Resident(100, 900, 0), Resident(300, 900, 0)),
        reset=lambda: False,
    )
    meter.start()
    assert meter.stop() == {"peak_bytes": None, "growth_bytes": None}


def test_without_reset_a_new_peak_is_still_known():
    meter = Memory(
        resident=readings(Resident(100, 100, 0), Resident(150, 200, 0), Resident(300, 700, 0)),
        reset=lambda: False,
    )
    meter.start()
    assert meter.stop() == {"peak_bytes": 600.0, "growth_bytes": 550.0}


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_system_that_does_not_tell_gives_none(missing):
    values = [Resident(1, 1, 0), Resident(1, 1, 0), Resident(9, 9, 0)]
    values[missing] = None
    meter = Memory(resident=readings(*values), reset=lambda: True)
    meter.start()
    assert meter.stop() == {"peak_bytes": None, "growth_bytes": None}


def test_freed_memory_is_given_back_before_the_sizes_are_read():
    order: list[str] = []

    def resident():
        order.append("read")
        return Resident(1, 1, 0)

    meter = Memory(
        resident=resident,
        reset=lambda: bool(order.append("reset")),
        release=lambda: order.append("release"),
    )
    meter.start()
    assert order == ["read", "release", "reset", "read"]


def test_unreadable_status_and_unwritable_reset(monkeypatch, tmp_path):
    monkeypatch.setattr("toolkit.meters.memory._STATUS", KernelFile(tmp_path / "missing"))
    monkeypatch.setattr("toolkit.meters.memory._CLEAR_REFS", KernelFile(tmp_path / "no"))
    assert read_resident() is None
    assert reset_high_water_mark() is False
    (tmp_path / "status").write_text("Name:\tx\nVmRSS:\t 1 kB\n")
    monkeypatch.setattr("toolkit.meters.memory._STATUS", KernelFile(tmp_path / "status"))
    assert read_resident() is None
    (tmp_path / "status").write_text("Name:\tx\nVmHWM:\t 30 kB\nVmRSS:\t 20 kB\nRssFile:\t 5 kB\n")
    assert read_resident() == Resident(now_bytes=20 * 1024, peak_bytes=30 * 1024, file_bytes=5 * 1024)


def test_a_c_library_without_malloc_trim_releases_nothing(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    find_release()()
    monkeypatch.undo()
    find_release()()


@pytest.mark.skipif(
    sys.platform != "linux", reason="reads the /proc of a Linux kernel; elsewhere these figures are None"
)
def test_a_real_allocation_is_seen_although_it_was_freed():
    meter = Memory()
    meter.start()
    block = np.ones(40_000_000, np.uint8)
    assert block[-1] == 1
    del block
    growth = meter.stop()["growth_bytes"]
    assert growth is None or 35_000_000 < growth < 80_000_000
