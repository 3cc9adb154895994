from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.boxes.linear import Quantity, Relation, can_meet, solve
from toolkit.knowledge.boxes.parts import Budget

LESS, EQUAL, MORE = 0b001, 0b010, 0b100


def real(low: object = None, high: object = None, *, open_ends: bool = False) -> Quantity:
    ends = [None if end is None else Fraction(str(end)) for end in (low, high)]
    return Quantity((Interval(*ends, open_ends, open_ends),), whole=False)


def whole(*runs: tuple[int | None, int | None]) -> Quantity:
    ends = [tuple(None if end is None else Fraction(end) for end in run) for run in runs]
    return Quantity(tuple(Interval(*run) for run in ends), whole=True)


def ask(quantities: dict[str, Quantity], *relations: Relation) -> dict[str, Fraction] | None:
    """Solve; what is found must meet everything, and the quick answer must be the same."""
    found = solve(quantities, relations, Budget(10_000))
    assert can_meet(quantities, relations, Budget(10_000)) == (found is not None)
    if found is not None:
        for name, value in found.items():
            assert any(value in interval for interval in quantities[name].intervals)
            assert value.denominator == 1 or not quantities[name].whole
        for one in relations:
            difference = one.left_factor * found[one.left] - one.right_factor * found[one.right]
            assert one.signs >> (1 + (difference > 0) - (difference < 0)) & 1
    return found


def test_a_chain_of_comparisons_excludes_itself() -> None:
    above = Relation("x", 1, "y", 1, MORE)
    assert ask({"x": real(high=3, open_ends=True), "y": real(low=5, open_ends=True)}, above) is None
    assert ask({"x": real(high=6), "y": real(low=5)}, above)


@pytest.mark.parametrize(("signs", "possible"), [(MORE, False), (MORE | EQUAL, True), (EQUAL, True)])
def test_ends_that_touch_are_equal_and_not_above(signs: int, possible: bool) -> None:
    relation = Relation("x", 1, "y", 1, signs)
    assert (ask({"x": real(high=5), "y": real(low=5)}, relation) is not None) == possible
    assert ask({"x": real(high=5, open_ends=True), "y": real(low=5)}, relation) is None


def test_there_is_a_number_but_no_whole_one_between_two_multiples() -> None:
    between = [Relation("x", 2, "y", 1, MORE), Relation("x", 3, "y", 2, LESS)]
    assert ask({"x": real(1, 1), "y": real(0, 9)}, *between)
    assert ask({"x": whole((1, 1)), "y": whole((0, 9))}, *between) is None
    assert ask({"x": whole((1, 9)), "y": whole((0, 9))}, *between)


def test_equal_multiples_of_whole_numbers() -> None:
    equal = Relation("x", 2, "y", 3, EQUAL)
    assert ask({"x": whole((1, 2)), "y": whole((1, 9))}, equal) is None
    assert ask({"x": whole((1, 3)), "y": whole((1, 9))}, equal) == {"x": 3, "y": 2}
    assert ask({"x": whole((1, 2)), "y": real(1, 9)}, equal)


def test_a_thin_wedge_is_decided_without_counting_through_it() -> None:
    wedge = [Relation("x", 2, "y", 1, MORE), Relation("x", 10_000_000, "y", 5_000_001, LESS)]
    far = {"x": whole((0, None)), "y": whole((0, 1_000_000))}
    assert solve(far, wedge, Budget(10)) is None


def test_gaps_and_unequal_are_split_upon() -> None:
    unequal = Relation("x", 1, "y", 1, LESS | MORE)
    assert ask({"x": whole((3, 3)), "y": whole((3, 3))}, unequal) is None
    assert ask({"x": whole((3, 3)), "y": whole((3, 4))}, unequal) == {"x": 3, "y": 4}
    equal = Relation("x", 1, "y", 1, EQUAL)
    assert ask({"x": whole((0, 2), (6, 8)), "y": whole((3, 5))}, equal) is None
    assert ask({"x": whole((0, 2), (6, 8)), "y": whole((3, 6))}, equal) == {"x": 6, "y": 6}


def test_circles_of_relations() -> None:
    circle = [Relation("x", 1, "y", 1, MORE), Relation("y", 1, "z", 1, MORE), Relation("z", 1, "x", 1, MORE)]
    free = {name: real() for name in "xyz"}
    assert ask(free, *circle) is None
    assert ask(free, *circle[:2])
    narrow = {name: whole((0, 1)) for name in "xyz"}
    assert ask(narrow, *circle[:2]) is None


def test_relations_that_share_no_column_are_answered_apart() -> None:
    quantities = {"a": real(0, 1), "b": real(0, 1), "c": whole((0, 1)), "d": whole((0, 1))}
    above, below = Relation("a", 1, "b", 1, MORE), Relation("c", 1, "d", 1, LESS)
    assert ask(quantities, above, below)
    assert ask({**quantities, "d": whole((0, 0))}, above, below) is None


def test_every_small_question_is_answered_as_by_counting() -> None:
    ranges = [(0, 1), (-2, 0), (1, 3)]
    factors = [(1, 1), (2, 3), (-1, 2), (3, -2)]
    for first, second, (left, right), signs in itertools.product(ranges, ranges, factors, range(1, 8)):
        values = itertools.product(range(first[0], first[1] + 1), range(second[0], second[1] + 1))
        differences = [left * x - right * y for x, y in values]
        possible = any(signs >> (1 + (one > 0) - (one < 0)) & 1 for one in differences)
        quantities = {"x": whole(first), "y": whole(second)}
        found = ask(quantities, Relation("x", left, "y", right, signs))
        assert (found is not None) == possible


def test_work_is_limited_and_the_limit_is_told() -> None:
    wedge = [Relation("x", 2, "y", 1, MORE), Relation("x", 3, "y", 2, LESS)]
    with pytest.raises(TooComplexError, match="steps"):
        solve({"x": whole((1, 1)), "y": whole((0, 9))}, wedge, Budget(0))
