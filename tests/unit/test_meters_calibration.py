from __future__ import annotations

import re

import pytest

from toolkit.meters._calibration import CALIBRATION_VERSION, RUNS, calibrate, kernels

CHECK_SUMS = {"python": 4500291.0, "matmul": 42464245.0, "stream": 16777216.0, "scatter": 34.0}
"""Of version 1: another sum is other work, and needs another version."""


@pytest.fixture(scope="module")
def pieces():
    return {piece.name: piece for piece in kernels()}


@pytest.mark.parametrize("name", sorted(CHECK_SUMS))
def test_the_work_is_that_of_this_version_and_the_same_at_every_run(pieces, name):
    assert CALIBRATION_VERSION == 1
    assert [pieces[name].run(), pieces[name].run()] == [CHECK_SUMS[name]] * 2


def test_every_kernel_has_a_figure_with_the_version_and_the_unit_in_its_name():
    found = calibrate()
    assert list(found) == [f"{name}_v{CALIBRATION_VERSION}_seconds" for name in CHECK_SUMS]
    assert all(re.fullmatch(r"[a-z]+_v\d+_seconds", name) for name in found)
    assert all(value > 0 for value in found.values())


def test_the_median_of_the_runs_counts_so_that_one_disturbance_does_not():
    # Clock readings come in pairs; the kernels take turns, and the second turn is disturbed.
    took = [[1.0, 2.0, 3.0, 4.0], [50.0, 60.0, 70.0, 80.0], [1.5, 2.5, 3.5, 4.5]]
    assert len(took) == RUNS
    readings = iter([edge for turn in took for seconds in turn for edge in (100.0, 100.0 + seconds)])
    assert list(calibrate(clock=lambda: next(readings)).values()) == [1.5, 2.5, 3.5, 4.5]
