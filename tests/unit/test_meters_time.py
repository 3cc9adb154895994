from __future__ import annotations

from itertools import count

import pytest

from toolkit.meters.time import Processor, Time, read_processor, read_run_queue_seconds


def ticking(*values):
    """A counter that gives the next value at every reading."""
    found = iter(values)
    return lambda: next(found)


def test_quantities_are_differences_between_start_and_stop():
    meter = Time(
        clock=ticking(10.0, 12.5),
        processor=ticking(Processor(3.0, 7), Processor(5.0, 9)),
        run_queue=ticking(0.25, 0.75),
    )
    meter.start()
    assert meter.stop() == {
        "wall_seconds": 2.5,
        "cpu_seconds": 2.0,
        "run_queue_seconds": 0.5,
        "involuntary_switches": 2.0,
    }


@pytest.mark.parametrize("queue", [(None, 0.5), (0.5, None), (None, None)])
def test_an_unreadable_run_queue_is_none_and_not_zero(queue):
    meter = Time(
        clock=ticking(0.0, 1.0),
        processor=ticking(Processor(0.0, 0), Processor(0.0, 0)),
        run_queue=ticking(*queue),
    )
    meter.start()
    quantities = meter.stop()
    assert quantities["run_queue_seconds"] is None
    assert quantities["cpu_seconds"] == 0.0


def test_the_wall_clock_is_read_innermost():
    order = count()
    read: list[tuple[str, int]] = []

    def note(name, value):
        def reading():
            read.append((name, next(order)))
            return value

        return reading

    meter = Time(clock=note("wall", 0.0), processor=note("cpu", Processor(0.0, 0)), run_queue=note("q", 0.0))
    meter.start()
    meter.stop()
    assert [name for name, _ in read] == ["q", "cpu", "wall", "wall", "cpu", "q"]


def test_a_window_can_be_opened_again():
    meter = Time(
        clock=ticking(0.0, 1.0, 5.0, 8.0),
        processor=ticking(*(Processor(float(second), 0) for second in (0, 1, 1, 3))),
        run_queue=ticking(0.0, 0.0, 0.0, 0.0),
    )
    meter.start()
    first = meter.stop()
    meter.start()
    second = meter.stop()
    assert (first["wall_seconds"], second["wall_seconds"]) == (1.0, 3.0)
    assert (first["cpu_seconds"], second["cpu_seconds"]) == (1.0, 2.0)


def test_real_counters_rise_with_work():
    before = read_processor()
    total = sum(number * number for number in range(200_000))
    after = read_processor()
    assert total > 0
    assert after.cpu_seconds > before.cpu_seconds
    assert after.involuntary_switches >= before.involuntary_switches


def test_run_queue_of_another_system_is_not_measured(monkeypatch, tmp_path):
    monkeypatch.setattr("toolkit.meters.time._SCHEDSTAT", tmp_path / "missing")
    assert read_run_queue_seconds() is None
    damaged = tmp_path / "schedstat"
    damaged.write_bytes(b"12\n")
    monkeypatch.setattr("toolkit.meters.time._SCHEDSTAT", damaged)
    assert read_run_queue_seconds() is None
    damaged.write_bytes(b"99 2500000000 3\n")
    assert read_run_queue_seconds() == pytest.approx(2.5)
