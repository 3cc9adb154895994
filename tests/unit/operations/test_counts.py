"""Counts as cost columns: None only with a reason, and sums that keep what is not known."""

from __future__ import annotations

import pytest

from toolkit.operations.counts import NOTHING, QUANTITIES, Operations, added, times
from toolkit.report import costs


def test_columns_name_phase_and_quantity():
    found = Operations({"flop": 2.0, "rules": 0.0}, {"flop": 1.0})
    assert found.costs() == {
        "cost_fit_flop": 2.0,
        "cost_fit_rules": 0.0,
        "cost_predict_batch_flop_per_row": 1.0,
    }
    assert found.withheld() == {}
    assert NOTHING.costs() == {}


def test_what_is_not_counted_is_withheld_with_its_reason():
    found = Operations({"flop": None, "encoded_values": 3.0}, {"flop": None}, ("a", "b"))
    assert set(found.withheld()) == {"cost_fit_flop", "cost_predict_batch_flop_per_row"}
    assert set(found.withheld().values()) == {"not counted: a, b"}


def test_a_missing_count_needs_a_reason_and_a_quantity_a_meaning():
    with pytest.raises(ValueError, match="cost_fit_flop is None"):
        Operations({"flop": None})
    with pytest.raises(ValueError, match="no quantity of operations: macs"):
        Operations({}, {"macs": 1.0})


def test_sums_keep_what_is_not_known():
    assert added({"flop": 1.0}, {"flop": 2.0, "rules": 3.0}) == {"flop": 3.0, "rules": 3.0}
    assert added({"flop": None}, {"flop": 2.0}) == added({"flop": 2.0}, {"flop": None}) == {"flop": None}
    assert times({"flop": 2.0, "rules": None}, 3) == {"flop": 6.0, "rules": None}
    assert added() == {}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_quantity_has_words_for_the_report(quantity):
    for column in Operations({quantity: 1.0}, {quantity: 1.0}).costs():
        found = costs.parse(column)
        assert found.basis == "counted"
        assert "_" not in found.quantity
