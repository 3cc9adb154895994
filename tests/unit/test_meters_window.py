from __future__ import annotations

import pytest

from toolkit.meters._window import Window, quality_of
from toolkit.meters.base import Meter


class Fake(Meter):
    def __init__(self, name, order, log):
        self.name, self.order, self.log = name, order, log

    def start(self):
        self.log.append(f"start {self.name}")

    def stop(self):
        self.log.append(f"stop {self.name}")
        return {f"{self.name}_seconds": 1.0}


class Fixed(Meter):
    def __init__(self, **quantities):
        self.quantities = quantities

    def start(self):
        pass

    def stop(self):
        return dict(self.quantities)


def test_meters_start_by_order_and_stop_in_reverse():
    log: list[str] = []
    meters = [Fake("clock", 100, log), Fake("memory", 0, log), Fake("energy", 50, log)]
    with Window("fit", meters) as window:
        log.append("work")
    assert log == [
        "start memory",
        "start energy",
        "start clock",
        "work",
        "stop clock",
        "stop energy",
        "stop memory",
    ]
    assert window.reading.phase == "fit"
    assert set(window.reading.quantities) == {"clock_seconds", "memory_seconds", "energy_seconds"}


def test_an_error_inside_stops_the_meters_and_passes():
    log: list[str] = []
    with pytest.raises(ZeroDivisionError), Window("fit", [Fake("clock", 1, log)]):
        raise ZeroDivisionError
    assert log == ["start clock", "stop clock"]


CALM = {"cpu_seconds": 1.0, "wall_seconds": 1.01, "run_queue_seconds": 0.001, "involuntary_switches": 3.0}


@pytest.mark.parametrize(
    ("change", "alone", "expected", "why"),
    [
        ({}, True, "clean", ""),
        ({}, False, "contended", "other cells"),
        ({"run_queue_seconds": 0.2}, True, "contended", "waited for a core 20%"),
        ({"involuntary_switches": 300.0}, True, "contended", "300 times a second"),
        ({"run_queue_seconds": None}, True, "clean", ""),
        ({"run_queue_seconds": None, "involuntary_switches": 300.0}, True, "contended", "300 times"),
        ({"cpu_seconds": 0.004}, True, "too_short", "less than 10 ms"),
        ({"cpu_seconds": 0.004}, False, "contended", "other cells"),
        ({"cpu_seconds": None, "wall_seconds": None}, True, "clean", ""),
        ({"uncounted_processes": 0.0}, True, "clean", ""),
        ({"uncounted_processes": None}, True, "clean", ""),
        ({"uncounted_processes": 2.0}, True, "contended", "2 of the processes it started"),
        ({"steal_seconds": 0.05}, True, "clean", ""),
        ({"steal_seconds": 0.2}, True, "contended", "hypervisor took its core 20%"),
        ({"neighbour_seconds": 0.2}, True, "clean", ""),
        ({"neighbour_seconds": 0.9}, True, "contended", "other processes used 0.9 cores beside it"),
        ({"neighbour_seconds": None, "steal_seconds": None}, True, "clean", ""),
    ],
)
def test_quality(change, alone, expected, why):
    quality, reason = quality_of({**CALM, **change}, alone=alone)
    assert quality == expected
    assert why in reason
    assert bool(reason) == (quality != "clean")


@pytest.mark.parametrize("quantity", ["neighbour_seconds", "steal_seconds"])
def test_a_few_clock_ticks_in_a_short_phase_tell_nothing(quantity):
    short = {"cpu_seconds": 0.05, "wall_seconds": 0.05, quantity: 0.03}
    assert quality_of(short) == ("clean", "")
    assert quality_of({**short, quantity: 0.05})[0] == "contended"


@pytest.mark.parametrize(("cores", "expected"), [(2, "contended"), (4, "contended"), (16, "clean")])
def test_how_busy_others_may_be_grows_with_the_machine(cores, expected):
    assert quality_of({**CALM, "neighbour_seconds": 1.0}, cores=cores)[0] == expected


def test_all_reasons_are_told():
    why = quality_of({**CALM, "run_queue_seconds": 0.5, "neighbour_seconds": 1.0}, alone=False)[1]
    assert why.split("; ") == [
        "other cells may have run beside it",
        "it waited for a core 50% of its time",
        "other processes used 1.0 cores beside it",
    ]


def test_the_reading_carries_its_quality():
    with Window("fit", [Fixed(**CALM)], alone=False) as window:
        pass
    assert window.reading.quality == "contended"
    assert window.reading.why == "other cells may have run beside it"


def test_beside_other_cells_even_a_short_phase_is_contended():
    assert quality_of({"cpu_seconds": 0.001}, alone=False)[0] == "contended"
    assert quality_of({"cpu_seconds": 0.001})[0] == "too_short"


def test_a_few_switches_happen_to_any_phase():
    assert quality_of({"cpu_seconds": 0.015, "involuntary_switches": 3.0})[0] == "clean"
    assert quality_of({"cpu_seconds": 0.015, "involuntary_switches": 4.0})[0] == "contended"
    assert quality_of({"cpu_seconds": 10.0, "involuntary_switches": 520.0})[0] == "contended"
