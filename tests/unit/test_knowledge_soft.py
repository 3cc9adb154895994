from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import TRUE, Condition, Pair, Threshold, join
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.fuzzy.graph import Difference, Graph, Reader, Stage, Written, soft_graph

COLUMNS = {
    "x": ColumnSpec(),
    "y": ColumnSpec(),
    "n": ColumnSpec(type="whole number"),
    "m": ColumnSpec(type="whole number"),
    "live": ColumnSpec(type="yes/no"),
}


def graph(*conditions: Condition) -> Graph:
    return soft_graph(conditions, COLUMNS, {}, {})


def threshold(column: str, op: Any, value: str) -> Threshold:
    return Threshold(column, op, Fraction(value))


@pytest.mark.parametrize(
    ("op", "value", "cut", "sign"),
    [
        (">=", "5", 4.5, 1),
        ("<", "5", 4.5, -1),
        (">", "5", 5.5, 1),
        ("<=", "5", 5.5, -1),
        (">=", "4.5", 4.5, 1),
        (">", "4.5", 4.5, 1),
        ("<", "-2.1", -2.5, -1),
        (">=", "0", -0.5, 1),
    ],
)
def test_cuts_of_whole_columns_stand_at_halves(op: str, value: str, cut: float, sign: int) -> None:
    made = graph(threshold("n", op, value))
    assert (made.side_cut.tolist(), made.side_sign.tolist()) == ([cut], [sign])


@pytest.mark.parametrize("value", ["0.3", "1", "-1", "0", "1e-40", "1000000000000000", "-0.1"])
@pytest.mark.parametrize(("op", "towards"), [(">=", -np.inf), ("<", -np.inf), (">", np.inf), ("<=", np.inf)])
def test_other_cuts_stand_strictly_between_two_neighbouring_numbers(
    op: str, towards: float, value: str
) -> None:
    (cut,) = graph(threshold("x", op, value)).side_cut
    own = np.float32(float(Fraction(value)))
    other = np.nextafter(own, np.float32(towards))
    assert min(own, other) < cut < max(own, other)
    assert cut - float(own) == float(other) - cut


def test_equal_is_two_sides_and_unequal_their_opposites() -> None:
    made = graph(threshold("n", "==", "3"), threshold("n", "!=", "3"))
    assert made.side_cut.tolist() == [2.5, 3.5, 2.5, 3.5]
    assert made.side_sign.tolist() == [1, -1, -1, 1]
    assert made.stages == (Stage("and", ((0, 1),)), Stage("or", ((2, 3),)))
    assert made.written == (Written("n", 3.0),)


def test_a_pair_is_a_difference_around_zero() -> None:
    made = graph(Pair("n", 13, ">=", "m", 4), Pair("x", 1, ">", "n", 2))
    assert made.quantities == (Difference("n", 13, "m", 4), Difference("x", 1, "n", 2))
    assert made.side_cut.tolist() == [-0.5, 2.0**-150]
    assert made.written == ()


def test_shared_comparisons_are_made_once_and_stages_follow_their_parts() -> None:
    a, b, c = (threshold("x", ">", value) for value in "123")
    inner = join("or", [a, b])
    made = graph(join("and", [inner, c]), inner, a, TRUE)
    assert len(made.side_cut) == 3
    known = 3
    for stage in made.stages:
        assert all(part < known for parts in stage.parts for part in parts)
        known += len(stage.parts)
    assert [stage.kind for stage in made.stages] == ["and", "or", "and"]
    assert made.outputs == (5, 4, 0, 3)


def test_numbers_of_yes_no_columns_are_not_the_experts() -> None:
    made = graph(threshold("live", ">", "1/2"), threshold("x", ">", "0.25"))
    assert made.written == (Written("x", 0.25),)
    assert made.side_written.tolist() == [-1, 0]


def base(columns: dict[str, Any], when: str) -> KnowledgeBase:
    rule = {"id": "r", "when": when, "then": "buys", "certainty": 0.5, "because": "so"}
    return KnowledgeBase.model_validate(
        {"knowledge_base": "k", "predicts": "y", "prior": "9 %", "columns": columns, "rules": [rule]}
    )


def reader(columns: dict[str, Any], when: str, spread: dict[str, float] | None = None) -> Reader:
    knowledge = base(columns, when)
    made = soft_graph(knowledge.conditions().rules, knowledge.columns, {"goods": ("a", "b")}, {})
    return Reader.of(knowledge, made, spread or {})


@pytest.mark.parametrize(
    ("spec", "spread", "scale"),
    [
        ({"min": -2, "max": 6}, {"x": 3.0}, 8.0),
        ({"min": 0}, {"x": 3.0}, 3.0),
        ({}, {}, 5.0),
        ({"type": "yes/no"}, {"x": 3.0}, 1.0),
    ],
)
def test_the_scale_is_the_declared_range_or_the_usual_one_or_what_rules_span(
    spec: dict[str, Any], spread: dict[str, float], scale: float
) -> None:
    assert reader({"x": spec}, "x > 5 or x > 1", spread).scales == {"x": scale}


def test_a_column_without_any_hint_has_scale_one() -> None:
    assert reader({"x": {}, "y": {}}, "x > y").scales == {"x": 1.0, "y": 1.0}


def test_rows_are_read_as_32_bits_with_what_missing_stands_for() -> None:
    columns = {"x": {"missing": 7}, "y": {}, "goods": {"type": "choice"}}
    made = reader(columns, 'x > 1 and y > 1 and goods == "a"')
    rows = pd.DataFrame({"goods": [1, -1], "y": [np.nan, 2], "x": [np.nan, 0.1]})
    numbers, codes = made.read(rows)
    assert made.numbers == ("x", "y")
    assert numbers.dtype == np.float32
    assert numbers[:, 0].tolist() == [7.0, float(np.float32(0.1))]
    assert np.isnan(numbers[0, 1])
    assert codes.tolist() == [[1], [-1]]


def test_a_whole_column_that_is_not_whole_is_an_error() -> None:
    made = reader({"n": {"type": "whole number"}}, "n >= 5")
    assert made.read(pd.DataFrame({"n": [4.0, np.nan]}))[0].shape == (2, 1)
    with pytest.raises(KnowledgeError, match=r"'n' is declared to hold whole .* 1 of 2 .* e\.g\. 4\.75"):
        made.read(pd.DataFrame({"n": [4.75, 5.0]}))
