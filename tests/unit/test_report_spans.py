"""Ranges as people read them."""

from __future__ import annotations

import pytest

from toolkit.analysis.spending import Spread
from toolkit.report import spans


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((8, 30, 66), "8–66 J"),
        ((0.8, 30, 66), "0.8–66 J"),
        ((5.6e-4, 1e-3, 3.3e-3), "0.56–3.3 mJ"),
        ((12e6, 40e6, 80e6), "12–80 MJ"),
        ((900, 1_200, 1_600), "0.9–1.6 kJ"),
        ((0.004, 30, 66), "4.0 mJ – 66 J"),
        ((3, 40, 2e6), "3.0 J – 2.0 MJ"),
        ((4.001, 4.002, 4.003), "4 J"),
        ((222, 222, 222), "222 J"),
        ((0, 30, 66), "up to 66 J"),
        ((0, 0, 0), "none"),
    ],
)
def test_energy_is_told_as_a_range_in_one_unit(value: tuple[float, ...], text: str) -> None:
    assert spans.joules(Spread(*value)).replace("\u00a0", " ") == text


@pytest.mark.parametrize("power", range(-13, 13))
def test_energy_of_work_is_never_nought(power: int) -> None:
    told = spans.joules(Spread(10.0**power, 3 * 10.0**power, 8 * 10.0**power))
    assert told.endswith("J")
    assert not told.startswith("0 ")
    assert not told.startswith("0–")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((8e-4, 3e-3, 7e-3), "0.8–7 g CO₂e"),
        ((6.2e-6, 2e-5, 3.6e-5), "6.2–36 mg CO₂e"),
        ((2, 3, 4), "2–4 kg CO₂e"),
        ((2_000, 3_000, 4_000), "2–4 t CO₂e"),
    ],
)
def test_carbon_is_told_in_grams_and_tonnes(value: tuple[float, ...], text: str) -> None:
    assert spans.carbon(Spread(*value)).replace("\u00a0", " ") == text


def test_energy_stands_on_a_bill_from_a_tenth_of_a_kwh_on() -> None:
    assert spans.kilowatt_hours(Spread(1e5, 3e5, 9e5)) == ""
    assert spans.kilowatt_hours(Spread(3.6e6, 7.2e6, 36e6)).replace("\u00a0", " ") == "1–10 kWh"
