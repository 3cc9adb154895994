"""A rule on its own, in its group and under hard facts: never, always, or outdone."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("x > y and y > 5 and x < 3 and flag", "x > y, y > 5 and x < 3 exclude one another"),
        ("n > 7", "no row meets n > 7 (n is a whole number, at least 0 and at most 7)"),
        ("n > 2 and n < 3", "n > 2 and n < 3 exclude one another"),
        ("flag and not flag", "flag and not flag exclude one another"),
        (
            "filled < n and filled > 6 and x > 1",
            "filled < n and filled > 6 exclude one another (filled is a whole number, at least 0; "
            "n is a whole number, at least 0 and at most 7)",
        ),
        ('kind == "red" and kind != "red"', 'kind == "red" and kind != "red" exclude one another'),
        ("n == 2.5 or x > 10", "no row meets any part of it"),
        ("not true", "it is 'not true'"),
    ],
)
def test_a_rule_that_cannot_fire_is_an_error_with_its_reason(knowledge, the, when: str, reason: str) -> None:
    finding = the(knowledge(when), "never-fires")
    assert (finding.severity, finding.rules, finding.witness) == ("error", ("r1",), None)
    assert finding.sentence == f"'r1' can never fire: {reason}"


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ("filled >= 0", "on every row:"),
        ("true", "on every row:"),
        ("x <= 5 or x > 2", "on every row where 'x' is known:"),
        ("x > 1 or x <= 1 and (flag or not flag)", "on every row where 'x' and 'flag' are known:"),
    ],
)
def test_a_rule_that_always_fires_is_a_warning(knowledge, the, when: str, place: str) -> None:
    finding = the(knowledge(when, "x > 3"), "always-fires")
    assert finding.severity == "warning"
    assert finding.sentence.startswith(f"'r1' fires {place}")


@pytest.mark.parametrize(
    ("when", "comparison"),
    [
        ("x > 12 or flag", "x > 12 never holds (x is at least 0 and at most 10)"),
        ("n == 2.5 or flag", "n == 2.5 never holds"),
        ("n < 9 and flag", "n < 9 holds whenever n is known"),
        ("filled > -3 and flag", "filled > -3 holds whenever filled is known"),
        ("2 * x > -1 * n and 2 * x >= -1 * n or flag", "2 * x >= -1 * n holds whenever x and n are known"),
        ('kind in ["red", "green", "blue"] and flag', "holds whenever kind is known, so it decides nothing"),
    ],
)
def test_a_comparison_that_decides_nothing_is_a_warning(knowledge, the, when: str, comparison: str) -> None:
    finding = the(knowledge(when), "constant-comparison")
    assert finding.severity == "warning"
    assert comparison in finding.sentence
    assert "in 'r1'" in finding.sentence
    # A column's name is no word to be capitalised at the start of a sentence.
    assert finding.sentence.startswith("the comparison ")


def test_the_end_of_a_range_may_be_written_out(knowledge, codes) -> None:
    assert codes(knowledge("0 <= x <= 3", "n >= 0 and flag")) == []


def test_a_rule_outdone_in_its_group_can_never_count(knowledge, entry, the, codes) -> None:
    base = knowledge(
        entry(1, "n >= 2", certainty=0.3, group="g"),
        entry(2, "n >= 4", "does not buy", certainty=0.1, group="g"),
    )
    finding = the(base, "never-counts")
    assert (finding.severity, finding.rules, finding.witness) == ("warning", ("r2", "r1"), {"n": 4})
    assert codes(base) == ["never-counts"]


def test_a_group_can_outdo_a_rule_together(knowledge, entry, found) -> None:
    base = knowledge(
        entry(1, "n >= 4", certainty=0.3, group="g"),
        entry(2, "n < 4", certainty=0.3, group="g"),
        entry(3, "n > 6", certainty=0.25, group="g"),
        entry(4, "n >= 2 and n <= 5", certainty=0.1, group="g"),
    )
    both, alone = found(base, "never-counts")[::-1]
    assert (alone.rules, both.rules) == (("r3", "r1"), ("r4", "r1", "r2"))
    assert "one of 'r1' or 'r2' fires too and comes first in its group" in both.sentence


def test_a_stronger_rule_inside_a_weaker_one_of_its_group_is_fine(knowledge, entry, codes) -> None:
    base = knowledge(
        entry(1, "n >= 2", certainty=0.1, group="g"), entry(2, "n >= 4", certainty=0.3, group="g")
    )
    assert codes(base) == []


def test_a_rule_where_hard_facts_settle_the_answer_is_a_warning(knowledge, found) -> None:
    law = [{"id": "law", "when": "n < 4", "because": "l"}]
    must = [{"id": "must", "when": "n >= 6", "because": "l"}]
    base = knowledge("n < 3", "n < 2 or n == 7", "n < 5", never=law, always=must)
    first, second = found(base, "overruled")
    assert (first.rules, first.witness) == (("r1",), {"n": 0})
    assert "'law' (under never) settles" in first.sentence
    assert "'law' (under never) or 'must' (under always) settles" in second.sentence


def test_facts_that_are_never_or_always_met_are_errors(knowledge, fact, the) -> None:
    base = knowledge("x > 3", never=[fact("a", "x > 11"), fact("b", "x >= 0")])
    assert the(base, "never-fires").sentence.startswith(
        "'a' under never can never be met: no row meets x > 11"
    )
    assert the(base, "always-fires").severity == "error"
    assert "every answer there would be 'does not buy'" in the(base, "always-fires").sentence


def test_never_and_always_should_not_be_met_together(knowledge, fact, the) -> None:
    base = knowledge(
        "x > 3", never=[fact("a", "n < 4"), fact("c", "n < 2")], always=[fact("b", "n > 2 and flag")]
    )
    finding = the(base, "facts-clash")
    assert (finding.severity, finding.rules, finding.witness) == (
        "warning",
        ("a", "b"),
        {"n": 3, "flag": "yes"},
    )
    assert (the(base, "subsumed").severity, the(base, "subsumed").rules) == ("info", ("c", "a"))
