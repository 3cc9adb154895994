"""What every part of the made-up results uses."""

from __future__ import annotations

from toolkit.analysis.results import Interval

HOSTILE = "<script>alert('rule')</script>"
ROWS = (1_610, 5_200, 17_300, 61_400, 204_000, 655_000)


def around(value: float, half: float) -> Interval:
    return Interval(value, value - half, value + half)
