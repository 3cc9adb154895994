"""What every track promises of its operations: the same for the same fit, and nothing but plain counts."""

from __future__ import annotations

import math

import pytest

from toolkit import registry
from toolkit.operations.counts import NOTHING, QUANTITIES


def test_the_same_fit_has_the_same_operations_to_the_last_bit(fitted, name, data, build):
    again = build(name).fit(data.train, seed=3)
    assert again.operations() == fitted.track.operations()


def test_operations_are_finite_counts_of_known_quantities(fitted):
    found = fitted.track.operations()
    assert found != NOTHING
    for counts in (found.fit, found.predict_per_row):
        assert set(counts) <= set(QUANTITIES)
        assert all(value is not None and math.isfinite(value) and value >= 0 for value in counts.values())
    assert sum(found.predict_per_row.values()) > 0


def test_nothing_is_left_uncounted(fitted):
    assert fitted.track.operations().uncounted == ()


def test_telling_them_changes_nothing(fitted, data):
    before = {key: id(value) for key, value in vars(fitted.track).items()}
    fitted.track.operations()
    assert {key: id(value) for key, value in vars(fitted.track).items()} == before


@pytest.mark.parametrize("name", registry.names("tracks"))
def test_before_the_fit_there_are_none(name, build):
    assert build(name).operations() == NOTHING
