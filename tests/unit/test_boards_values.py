"""Numbers, probabilities and colours as a results board shows them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.analysis.boards import names
from toolkit.analysis.boards.colours import KNOWN, MORE, colours
from toolkit.analysis.boards.costs import display_cost, log10_columns
from toolkit.analysis.boards.values import rounded
from toolkit.analysis.verdict_words import percent
from toolkit.report import formats


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("cost_fit_cpu_seconds", 2.0, ("CPU seconds", 2.0)),
        ("cost_fit_peak_bytes", 5e6, ("peak memory MB", 5.0)),
        (
            "cost_predict_batch_cpu_seconds_per_row",
            2e-6,
            ("work of predict batch/CPU seconds per million rows", 2.0),
        ),
        ("cost_predict_batch_flop_per_row", 3e3, ("work of predict batch/GFLOP per million rows", 3.0)),
        ("cost_fit_sparse_flop", 2e9, ("sparse GFLOP", 2.0)),
        ("cost_fit_histogram_updates", 3e6, ("million histogram updates", 3.0)),
        ("cost_predict_batch_growth_bytes", 1e6, ("work of predict batch/memory growth MB", 1.0)),
        ("cost_predict_first_wall_seconds", 0.02, ("work of predict first/wall ms", 20.0)),
        ("cost_fit_usd", 0.0004, ("US cents", 0.04)),
        ("cost_predict_single_p50_seconds", 0.002, ("work of predict single/p50 ms", 2.0)),
        ("cost_search_cpu_seconds", 3.0, ("work of search/CPU seconds", 3.0)),
        ("cost_fit_kg_co2e", 0.5, ("kg CO2e", 0.5)),
    ],
)
def test_costs_read_well_and_stay_above_two_decimals(
    name: str, value: float, shown: tuple[str, float]
) -> None:
    title, scaled = display_cost(name, value)
    assert (title, pytest.approx(scaled)) == shown


def test_log10_is_of_positive_costs_and_errors_only() -> None:
    values = {"cost_a": 100.0, "cost_b": 0.0, "cost_c": None, "error_d": 0.1, "score_e": 0.5}
    assert log10_columns(values) == {"log10_cost_a": 2.0, "log10_error_d": -1.0}


@given(st.floats(0, 1))
@example(0.0)
@example(0.004)
@example(0.99)
@example(1.0)
def test_notes_round_probabilities_as_the_report_does(probability: float) -> None:
    assert percent(probability) == formats.probability(probability).replace("\u00a0", " ")


@given(st.floats(-1e12, 1e12))
def test_the_unit_of_money_keeps_one_to_four_digits_before_the_point(amount: float) -> None:
    shown = abs(amount) * names.money_unit([amount], "USD").factor
    assert shown < 10_000
    assert abs(amount) < 1 or shown >= 1


@given(st.floats(-1e300, 1e300))
def test_rounding_keeps_six_digits(value: float) -> None:
    assert rounded(value) == pytest.approx(value, rel=1e-5)
    assert rounded(rounded(value)) == rounded(value)


def test_tracks_keep_their_colours() -> None:
    assert colours(["tree", "neural", "bush"]) == {
        "tree": MORE[1],
        "neural": KNOWN["neural"],
        "bush": MORE[0],
    }
