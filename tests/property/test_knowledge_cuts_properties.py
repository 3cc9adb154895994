"""A mined condition fires on exactly the rows that its codes stand for, missing values included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from toolkit.knowledge.condition import to_text
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.language import Vocabulary, parse
from toolkit.knowledge.mining.cuts import Choice, Number, condition_of
from toolkit.knowledge.mining.suggestions import rule_text
from toolkit.knowledge.program import Program

FLOATS = st.floats(-1e6, 1e6, width=32, allow_nan=False)
VALUES = {
    "number": st.lists(FLOATS | st.sampled_from([0.0, 0.1, 0.3, 1.0, np.nan]), min_size=1, max_size=200),
    "whole number": st.lists(st.integers(-40, 400).map(float) | st.just(np.nan), min_size=1, max_size=300),
    "yes/no": st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=1, max_size=20),
}


def fires(
    features: Mapping[str, Any], condition: Any, levels: dict[str, tuple[str, ...]]
) -> NDArray[np.bool_]:
    program = Program.compile([condition], levels, {})
    frame = pd.DataFrame(features)
    found = np.empty(len(frame), np.bool_)
    for rows, decided in program.run(frame):
        found[rows] = decided[0]
    return found


@given(st.data(), st.sampled_from(list(VALUES)))
@settings(max_examples=150, deadline=None)
def test_numbers(data: st.DataObject, kind: Any) -> None:
    train = np.array(data.draw(VALUES[kind]), np.float32)
    later = np.array(data.draw(VALUES[kind]), np.float32)
    number = Number.learn("x", kind, train)
    first = data.draw(st.integers(0, number.n_codes - 1))
    end = data.draw(st.integers(first + 1, number.n_codes))
    if not number.conditions(first, end):
        assert (first, end) == (0, number.n_codes)
        return
    condition = condition_of({"x": (first, end)}, {"x": number})
    for values in (train, later):
        codes = number.codes(values)
        assert (np.isnan(codes) == np.isnan(values)).all()
        if kind == "whole number":  # what a whole number between two that were seen belongs to is free
            codes = number.codes(np.floor(values))
        assert fires({"x": values}, condition, {}).tolist() == ((codes >= first) & (codes < end)).tolist()
    text = rule_text(condition, {"x": ColumnSpec(type=number.kind)})
    assert parse(text, Vocabulary({"x": number.kind})) == condition
    assert parse(to_text(condition), Vocabulary({"x": number.kind})) == condition


@given(st.data(), st.integers(1, 25))
@settings(max_examples=150, deadline=None)
def test_choices(data: st.DataObject, n_levels: int) -> None:
    levels = tuple(f"l{code}" for code in range(n_levels))
    score = st.lists(st.floats(-3, 3) | st.just(np.nan), min_size=n_levels, max_size=n_levels)
    clear = st.lists(st.booleans(), min_size=n_levels, max_size=n_levels)
    choice = Choice.learn("c", levels, np.array(data.draw(score)), np.array(data.draw(clear)))
    values = np.arange(-1, n_levels, dtype=np.int32)
    codes = choice.codes(values)
    for first in range(choice.n_codes):
        for end in range(first + 1, choice.n_codes + 1):
            if choice.conditions(first, end):
                condition = condition_of({"c": (first, end)}, {"c": choice})
                expected = (codes >= first) & (codes < end)
                assert fires({"c": values}, condition, {"c": levels}).tolist() == expected.tolist()
