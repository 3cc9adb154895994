"""What every meter promises, for each file in ``toolkit/meters``."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from toolkit import registry
from toolkit.meters.base import Basis, Meter

UNITS = ("_seconds", "_bytes", "_joules", "_flop", "_switches", "_processes", "_operations", "_kg_co2e")


@pytest.fixture(params=registry.names("meters"))
def meter(request) -> Meter:
    return registry.build("meters", request.param, {})


def test_quantities_have_units_and_are_not_negative(meter):
    meter.start()
    total = sum(number * number for number in range(50_000))
    quantities = meter.stop()
    assert total > 0
    assert quantities
    for name, value in quantities.items():
        assert name.endswith(UNITS), name
        assert value is None or (math.isfinite(value) and value >= 0), (name, value)


def test_a_meter_can_be_used_again_and_names_the_same_quantities(meter):
    names = []
    for _ in range(2):
        meter.start()
        names.append(set(meter.stop()))
    assert names[0] == names[1]


def test_basis_is_known(meter):
    assert meter.basis in get_args(Basis)


def test_no_two_meters_name_the_same_quantity():
    seen: dict[str, str] = {}
    for name in registry.names("meters"):
        meter = registry.build("meters", name, {})
        meter.start()
        for quantity in meter.stop():
            assert quantity not in seen, f"{quantity} is measured by {seen.get(quantity)} and {name}"
            seen[quantity] = name
