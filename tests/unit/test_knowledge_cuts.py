"""Columns cut at numbers that a person would write."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from toolkit.knowledge.condition import to_text
from toolkit.knowledge.mining.cuts import (
    MAX_LEVELS,
    TOO_MANY,
    Choice,
    Cut,
    Number,
    condition_of,
    roundest,
    roundness,
)

NAN = np.nan


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.2871, 0.3124, "0.3"),
        (0.2471, 0.2624, "0.25"),
        (46, 50, "50"),
        (-0.1, 3, "0"),
        (0.3, 0.3, "0.3"),
        (98_765, 101_234, "100000"),
        (-73.2, -68.9, "-70"),
        (1234.5, 1234.6, "1234.5"),
        (0.00012, 0.00019, "0.00015"),
    ],
)
def test_the_roundest_number_of_a_gap(low: float, high: float, expected: str) -> None:
    assert roundest(low, high) == Fraction(expected)


def test_fewer_digits_are_rounder_and_a_last_five_counts_half() -> None:
    written = ["50", "0.3", "45", "0.25", "47", "47.5", "1234"]
    assert [roundness(Fraction(text)) for text in written] == [1, 1, 1.5, 1.5, 2, 2.5, 4]


def test_small_counts_are_cut_between_all_values() -> None:
    number = Number.learn("n", "whole number", np.array([0, 1, 1, 4, NAN], np.float32))
    assert number.cuts == (Cut(Fraction(1)), Cut(Fraction(4)))
    assert number.codes(np.array([0, 1, 3, 4, 9, NAN], np.float32)) == pytest.approx(
        [0, 1, 1, 2, 2, NAN], nan_ok=True
    )


def said(number: Number, first: int, end: int) -> list[str]:
    return [to_text(part) for part in number.conditions(first, end)]


def test_whole_numbers_are_said_as_people_say_them() -> None:
    number = Number.learn("n", "whole number", np.arange(60, dtype=np.float32))
    assert said(number, 3, 60) == ["n >= 3"]
    assert said(number, 0, 8) == ["n <= 7"]
    assert said(number, 0, 50) == ["n < 50"]
    assert said(number, 21, 60) == ["n > 20"]
    assert said(number, 15, 46) == ["n >= 15", "n <= 45"]
    assert said(number, 4, 5) == ["n == 4"]
    assert said(number, 0, 1) == ["n == 0"]
    assert said(number, 0, 60) == []


def test_a_gap_between_whole_numbers_is_no_single_value() -> None:
    number = Number.learn("n", "whole number", np.array([0, 1, 4, 5], np.float32))
    assert said(number, 1, 2) == ["n >= 1", "n <= 3"]
    assert said(number, 2, 3) == ["n == 4"]


def test_dense_numbers_are_cut_at_round_ones_and_a_common_value_stands_apart() -> None:
    values = np.concatenate([np.zeros(500), np.linspace(0.001, 1, 500)]).astype(np.float32)
    number = Number.learn("x", "number", values)
    assert number.cuts[0] == Cut(Fraction(0), strict=True)
    assert said(number, 1, number.n_codes) == ["x > 0"]
    assert said(number, 0, 1) == ["x <= 0"]
    assert all(roundness(cut.at) <= 2 for cut in number.cuts[1:])
    shares = np.bincount(number.codes(values).astype(int)) / len(values)
    assert shares[0] == 0.5
    assert shares[1:].max() < 3 / 64


def test_a_column_declared_whole_but_holding_fractions_is_cut_as_it_is() -> None:
    number = Number.learn("n", "whole number", np.array([0.5, 1.5, 2.5], np.float32))
    assert number.kind == "number"
    assert said(number, 0, 1) == ["n < 1"]


def test_yes_and_no() -> None:
    number = Number.learn("live", "yes/no", np.array([0, 1, NAN], np.float32))
    assert said(number, 1, 2) == ["live > 0.5"]
    assert said(number, 0, 1) == ["live <= 0.5"]
    assert said(number, 0, 2) == []


def test_a_column_of_one_value_has_no_cut() -> None:
    assert Number.learn("x", "number", np.array([3, 3, NAN], np.float32)).n_codes == 1
    assert Number.learn("x", "number", np.array([NAN], np.float32)).n_codes == 1


def test_sides_count_comparisons() -> None:
    number = Number.learn("n", "whole number", np.arange(10, dtype=np.float32))
    first, end = np.array([0, 3, 0, 2, 4, 0]), np.array([10, 10, 5, 7, 5, 1])
    assert number.sides(first, end).tolist() == [0, 1, 1, 2, 1, 1]


def test_few_levels_stand_in_the_order_of_their_score() -> None:
    score = np.array([0.3, -0.2, np.nan, 0.1])
    choice = Choice.learn("c", ("a", "b", "never seen", "d"), score, np.zeros(4, np.bool_))
    assert choice.codes(np.array([0, 1, 2, 3, -1], np.int32)) == pytest.approx(
        [2, 0, NAN, 1, NAN], nan_ok=True
    )
    assert to_text(choice.conditions(1, 3)[0]) == 'c in ["a", "d"]'
    assert choice.conditions(0, 3) == []


def test_of_many_levels_only_those_that_surely_differ_are_told_apart() -> None:
    levels = tuple(f"l{code}" for code in range(30))
    score = np.linspace(-1, 1, 30)
    clear = np.zeros(30, np.bool_)
    clear[[0, 1, 29]] = True
    choice = Choice.learn("c", levels, score, clear)
    assert (choice.low, choice.high) == ((0, 1), (29,))
    assert choice.codes(np.array([0, 1, 2, 15, 29, -1], np.int32)) == pytest.approx(
        [0, 1, 2, 2, 3, NAN], nan_ok=True
    )
    assert to_text(choice.conditions(0, 2)[0]) == 'c in ["l0", "l1"]'
    assert to_text(choice.conditions(2, 4)[0]) == 'c not in ["l0", "l1"]'
    assert to_text(choice.conditions(1, 3)[0]) == 'c not in ["l0", "l29"]'


def test_no_condition_lists_more_than_a_few_values() -> None:
    levels = tuple(f"l{code}" for code in range(30))
    choice = Choice.learn("c", levels, np.linspace(-1, 1, 30), np.ones(30, np.bool_))
    assert len(choice.low) == len(choice.high) == MAX_LEVELS
    ends = np.indices((choice.n_codes + 1, choice.n_codes + 1))
    sides = choice.sides(ends[0], ends[1])
    for first in range(choice.n_codes):
        for end in range(first + 1, choice.n_codes + 1):
            listed = [len(part.levels) for part in choice.conditions(first, end)]  # type: ignore[union-attr]
            assert sides[first, end] == (TOO_MANY if max(listed, default=0) > MAX_LEVELS else len(listed))


def test_a_box_is_a_condition_of_all_its_columns() -> None:
    number = Number.learn("n", "whole number", np.arange(10, dtype=np.float32))
    choice = Choice.learn("c", ("a", "b"), np.array([0.0, 1.0]), np.ones(2, np.bool_))
    condition = condition_of({"n": (3, 10), "c": (1, 2)}, {"n": number, "c": choice})
    assert to_text(condition) == 'n >= 3 and c in ["b"]'
