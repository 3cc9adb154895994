"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from toolkit.analysis.results import Interval
from toolkit.report import formats

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not measured"),
        (math.nan, "not measured"),
        (0.0, "0"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.00012, "0.000120"),
        (0.0000314, f"3.14{NBSP}×{NBSP}10⁻⁵"),
        (0.26834, "0.268"),
        (-1.5, "−1.50"),
        (12_345.6, "12,300"),
        (0.9999, "1.00"),
        (999.9, "1,000"),
        (9.99e-5, f"9.99{NBSP}×{NBSP}10⁻⁵"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize("power", range(-30, 30))
def test_a_small_number_never_looks_like_zero(power: int) -> None:
    text = formats.number(1.234 * 10.0**power)
    assert "1" in text
    assert text.replace(",", "").strip("0.") != ""


def test_typed_numbers_claim_no_precision() -> None:
    assert formats.plain(1.1) == "1.1"
    assert formats.plain(52.0) == "52"
    assert formats.plain(5.0e9) == "5,000,000,000"
    assert formats.plain(-0.1) == "−0.1"
    assert formats.plain(100.0) == "100"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, f"<{NBSP}0.1{NBSP}%"),
        (0.004, f"0.4{NBSP}%"),
        (0.78, f"78{NBSP}%"),
        (0.995, f"99.5{NBSP}%"),
        (1.0, f">{NBSP}99.9{NBSP}%"),
        (None, "not measured"),
    ],
)
def test_probability(value: float | None, text: str) -> None:
    assert formats.probability(value) == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (163.1e6, "USD", f"$163{NBSP}M"),
        (-1_200.0, "EUR", "−€1,200"),
        (0.0031, "USD", "$0.00310"),
        (2.5e9, "CHF", f"CHF{NBSP}2.50{NBSP}bn"),
        (math.inf, "USD", "∞"),
        (None, "USD", "not measured"),
    ],
)
def test_money(value: float | None, currency: str, text: str) -> None:
    assert formats.money(value, currency) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, f"0{NBSP}s"),
        (3.1e-8, f"31.0{NBSP}ns"),
        (0.0021, f"2.10{NBSP}ms"),
        (84.6, f"84.6{NBSP}s"),
        (2_820.0, f"47.0{NBSP}min"),
        (9_000.0, f"2.50{NBSP}h"),
        (864_000.0, f"10.0{NBSP}d"),
        (None, "not measured"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert formats.seconds(value) == text


def test_quantities_have_si_prefixes() -> None:
    assert formats.quantity(6.3e8, "B") == f"630{NBSP}MB"
    assert formats.quantity(0.0, "B") == f"0{NBSP}B"
    assert formats.quantity(0.00052, "J") == f"520{NBSP}µJ"
    assert formats.quantity(2.8e12, "FLOP") == f"2.80{NBSP}TFLOP"
    assert formats.quantity(None, "J") == "not measured"


def test_an_interval_shows_as_many_digits_as_its_width_supports() -> None:
    assert formats.interval(Interval(0.26834, 0.2664, 0.2702)) == f"0.2683 [0.2664,{NBSP}0.2702]"
    assert formats.interval(Interval(0.35, 0.1, 0.9)) == f"0.35 [0.10,{NBSP}0.90]"
    assert formats.interval(Interval(3.0, 2.0, math.inf)) == f"3.00 [2.00,{NBSP}∞]"
    assert formats.interval(None) == "not measured"
    assert formats.interval(Interval(-0.0058, -0.0067, -0.0049)) == f"−0.00580 [−0.00670,{NBSP}−0.00490]"


def test_money_in_an_interval_has_three_digits_at_least() -> None:
    show = formats.in_money("USD")
    assert (
        formats.interval(Interval(856_000, 710_000, 1_010_000), show)
        == f"$856,000 [$710,000,{NBSP}$1.01{NBSP}M]"
    )


def test_an_interval_round_zero_keeps_its_ends() -> None:
    text = formats.interval(Interval(0.0001, -0.0005, 0.0007))
    assert text == f"0.00010 [−0.00050,{NBSP}0.00070]"


def test_words_and_sentences() -> None:
    assert formats.words("price_per_kwh") == "price per kWh"
    assert formats.title("ceiling_of_recall") == "Ceiling of recall"
    assert formats.sentence("the error rises with cost") == "The error rises with cost."
    assert formats.sentence("Really?") == "Really?"
    assert formats.sentence("  ") == ""


def test_money_axes_are_scaled() -> None:
    assert formats.money_scale([1.2e9, -3.0]) == (1e9, "billion")
    assert formats.money_scale([25_000.0]) == (1e3, "thousand")
    assert formats.money_scale([900.0, math.inf]) == (1.0, "")
    assert formats.money_scale([]) == (1.0, "")


def test_an_infinite_estimate_keeps_its_finite_end() -> None:
    assert formats.interval(Interval(math.inf, 7.3, math.inf)).startswith("∞ [7.3")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.998, "0.998"), (0.83279, "0.833"), (0.99961, "> 0.999"), (1.0, "1.000"), (0.0, "0.000")],
)
def test_a_share_of_variance_is_1_only_where_it_is(value, told):
    assert formats.r_squared(value) == told


@pytest.mark.parametrize(
    ("value", "digits", "down", "up"),
    [
        (28.618, 2, 28, 29),
        (28.618, 3, 28.6, 28.7),
        (0.89531, 2, 0.89, 0.90),
        (0.9, 2, 0.9, 0.9),
        (-1.23, 2, -1.3, -1.2),
        (996.0, 2, 990, 1000),
        (0.0, 2, 0, 0),
        (math.inf, 2, math.inf, math.inf),
    ],
)
def test_bounds_are_rounded_outwards(value: float, digits: int, down: float, up: float) -> None:
    assert formats.bound(value, digits, up=False) == down
    assert formats.bound(value, digits, up=True) == up


def test_one_thing_is_not_many() -> None:
    assert formats.counted(1, "rule") == "1 rule"
    assert formats.counted(0, "rule") == "0 rules"
    assert formats.counted(1_200, "row") == "1,200 rows"
    assert formats.counted(2, "entry", "entries") == "2 entries"
