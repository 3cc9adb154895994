from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.boxes.overlaps import pairwise
from toolkit.knowledge.boxes.regions import Limits, Region, Space
from toolkit.knowledge.condition import TRUE, Condition, Pair, Threshold, holds, join, negate
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.language import Vocabulary, parse

COLUMNS: dict[str, ColumnSpec] = {
    "x": ColumnSpec(type="number", min=0, max=10),
    "y": ColumnSpec(type="number"),
    "n": ColumnSpec(type="whole number", min=0, max=7),
    "filled": ColumnSpec(type="whole number", missing=3),
    "flag": ColumnSpec(type="yes/no"),
    "kind": ColumnSpec(type="choice"),
    "grade": ColumnSpec(type="choice", values=("gold", "silver", "none"), missing="none"),
}
WORDS = Vocabulary({name: spec.type for name, spec in COLUMNS.items()}, {"grade": ("gold", "silver", "none")})


def read(text: str) -> Condition:
    return parse(text, WORDS)


def regions(*texts: str) -> list[Region]:
    conditions = [read(text) for text in texts]
    space = Space.of(conditions, COLUMNS)
    return [space.region(condition) for condition in conditions]


def region(text: str) -> Region:
    return regions(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "x > 5 and x < 3",
        "x > 10",
        "n > 3 and n < 4",
        "n == 2.5",
        "flag and not flag",
        "x > y and y > 5 and x < 3",
        "4 * n > 3 * x and x > 9.4",
        'kind == "a" and kind == "b"',
        'grade not in ["gold", "silver", "none"]',
        "filled > 3 and filled < 3",
        "not true",
    ],
)
def test_contradictions_have_no_row(text: str) -> None:
    assert not region(text)
    assert region(text).witness() is None


@pytest.mark.parametrize(
    ("text", "witness"),
    [
        ("n > 3", {"n": 4}),
        ("x >= 0.8 and x <= 1.5", {"x": 1}),
        ("y < 0", {"y": -1}),
        ("flag", {"flag": 1}),
        ('kind != "a" and kind not in ["b", "another value"]', {"kind": "another value'"}),
        ('grade != "none"', {"grade": "gold"}),
        ("n == 7 and y > n", {"n": 7, "y": 8}),
    ],
)
def test_witnesses_are_rows_that_are_easy_to_read(text: str, witness: dict[str, object]) -> None:
    found = region(text).witness()
    assert found == witness
    assert holds(read(text), found)


def test_what_missing_stands_for_is_written_out() -> None:
    condition = read("filled >= 3 or filled < 3")
    found = Space.of([condition], COLUMNS).region(condition).witness()
    assert found == {"filled": 3}
    assert holds(condition, found)


def test_a_missing_value_meets_nothing_unless_it_stands_for_something() -> None:
    either, filled = regions("x > 5 or x <= 5", "filled > 3 or filled <= 3")
    assert not either.contains({"x": None})
    assert either.space.everything.outside([either]).witness() == {"filled": 3}
    assert filled.contains({})
    assert not filled.space.everything.outside([filled])
    assert not region("not (x > 5)").contains({})
    assert not region("x != y").contains({"x": Fraction(1)})


def test_choices_without_a_list_always_have_another_value() -> None:
    open_choice, closed = regions('kind in ["a", "b"]', 'grade in ["gold", "silver", "none"]')
    known = open_choice.space.known(["kind", "grade"])
    assert known.outside([open_choice]).witness() == {"kind": "another value", "grade": "none"}
    assert not known.outside([closed])
    assert (
        Space.of([read('kind == "a"')], COLUMNS, {"kind": ("b", "c")}).region(read('kind == "a"')).parts == ()
    )


def test_boxes_tell_the_limits_of_each_column() -> None:
    (box,) = region('n > 2 and n != 5 and x < 2.5 and kind not in ["a", "b"] and flag').boxes
    assert box.limits["n"].intervals == (
        Interval(Fraction(3), Fraction(4)),
        Interval(Fraction(6), None),
    )
    assert box.limits["x"].intervals == (Interval(None, Fraction(5, 2), high_open=True),)
    assert box.limits["kind"] == Limits(levels=("a", "b"), negated=True)
    assert box.limits["flag"].intervals == (Interval(Fraction(1), None),)
    (box,) = region('2 * x > 3 * y and grade != "gold"').boxes
    assert box.pairs == (Pair("x", 2, ">", "y", 3),)
    assert box.limits["grade"] == Limits(levels=("gold",), negated=True)


def test_comparisons_of_one_column_are_one_box_and_inner_boxes_go() -> None:
    assert len(region("n in [1, 3, 5] or n > 6").parts) == 1
    assert len(region("x > 1 or (x > 2 and flag)").parts) == 1
    assert region("x > 2 or true").parts == ({},)
    assert len(region("(x > 1 and flag) or (x > 1 and not flag) or y > 2").parts) == 2


def test_union_intersection_and_difference_are_regions() -> None:
    low, high = regions("x >= 2 and x <= 6", "x >= 4 and x <= 8")
    assert (low & high).boxes[0].limits["x"].intervals == (Interval(Fraction(4), Fraction(6)),)
    assert (low | high).boxes[0].limits["x"].intervals == (Interval(Fraction(2), Fraction(8)),)
    assert (low - high).boxes[0].limits["x"].intervals == (
        Interval(Fraction(2), Fraction(4), high_open=True),
    )
    assert not low - (low | high)


def test_pairs_know_their_columns_ranges() -> None:
    inside, outside = regions("x > 6 and n < 5", "x > n")
    assert not inside.outside([outside])
    assert outside.outside([inside])
    found = pairwise([inside, outside])
    assert found.within.tolist() == [[True, True], [False, True]]


def test_a_gap_in_a_column_is_not_taken_for_values_in_between() -> None:
    ahead, split, late = regions("n > y and y >= 3 and n <= 5", "n in [1, 7]", "n in [1, 4]")
    assert pairwise([ahead, split, late]).overlap.tolist() == [
        [True, False, True],
        [False, True, True],
        [True, True, True],
    ]


def test_what_is_left_of_a_box_falls_into_separate_boxes() -> None:
    around, inside = regions("x <= 10 and n <= 7", "x > 3 and x < 6 and n > 2 and n < 5")
    left = around - inside
    assert len(left.parts) == 2
    first, second = (Region(left.space, [part]) for part in left.parts)
    assert not first & second
    assert not around - (left | inside)


def test_pairwise_of_nothing_and_of_empty_regions() -> None:
    assert pairwise([]).overlap.shape == (0, 0)
    found = pairwise(regions("x > 12", "x > 2", "x < 1"))
    assert found.overlap.tolist() == [[False, False, False], [False, True, False], [False, False, True]]
    assert found.within.tolist() == [[True, True, True], [False, True, False], [False, False, True]]
    assert not found.unknown.any()


def test_a_comparison_the_space_was_not_made_of_is_refused() -> None:
    space = Space.of([read("x > 2 and kind == 'a'")], COLUMNS)
    for text in ("x > 3", "y > 2", "x > y", "kind == 'b'"):
        with pytest.raises(ValueError, match="no condition of this space names"):
            space.region(read(text))


def test_too_many_boxes_are_refused_at_once_and_told() -> None:
    columns = {f"c{index}": ColumnSpec(type="number") for index in range(60)}
    parts = [
        join("or", [Threshold(f"c{index}", ">", Fraction(1)), Threshold(f"c{index + 1}", "<", Fraction(0))])
        for index in range(0, 60, 2)
    ]
    condition = join("and", parts)
    with pytest.raises(TooComplexError):
        Space.of([condition], columns).region(condition)
    assert len(Space.of([condition], columns).region(negate(condition)).parts) == 30


def test_pairs_that_cannot_be_afforded_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.knowledge.boxes.overlaps.MAX_BOXES", 3)
    found = pairwise(regions("x > 1 or flag or y > 2", "x > 2", "n > 2"))
    assert found.unknown.tolist() == [[False, True, True], [True, False, False], [True, False, False]]
    assert found.overlap.tolist() == [[True, False, False], [False, True, True], [False, True, True]]


def test_a_search_that_cannot_be_afforded_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = regions("x > 1 and x < 3 and flag", "(x > 0 and x < 2 and flag) or (x > 1.5 and x < 4)")
    assert pairwise(pair).within[0, 1]
    monkeypatch.setattr("toolkit.knowledge.boxes.overlaps.MAX_STEPS", 0)
    found = pairwise(pair)
    assert found.unknown.tolist() == [[False, True], [False, False]]
    assert not found.within[0, 1]


def test_true_is_everything() -> None:
    space = Space.of([TRUE, read("x > 2")], COLUMNS)
    assert space.region(TRUE).contains({})
    assert np.array_equal(
        pairwise([space.region(TRUE), space.region(read("x > 2"))]).within, [[1, 0], [1, 1]]
    )
