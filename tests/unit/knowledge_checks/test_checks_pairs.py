"""Pairs of rules: duplicates, contradictions, exceptions, conflicts, and who counts where."""

from __future__ import annotations

from toolkit.knowledge.checks.logical import MOST


def test_the_same_condition_with_the_same_outcome_counts_twice(knowledge, the) -> None:
    finding = the(knowledge("x > 3 and flag", "not (not flag or x <= 3)"), "duplicate")
    assert (finding.severity, finding.rules, finding.witness) == (
        "warning",
        ("r2", "r1"),
        {"x": 6, "flag": "yes"},
    )
    assert "together they say 'buys' with certainty 0.36" in finding.sentence


def test_the_same_condition_with_opposite_outcomes_is_a_contradiction(knowledge, the) -> None:
    base = knowledge(("n > 2", "buys", 0.2), ("n >= 3", "does not buy", 0.2))
    finding = the(base, "contradiction")
    assert finding.severity == "warning"
    assert "says the opposite: together they cancel out" in finding.sentence


def test_a_rule_inside_others_of_the_same_outcome_double_counts(knowledge, found) -> None:
    base = knowledge("x > 3", "x > 4 and flag", ("x > 2", "buys", 0.5))
    first, second = found(base, "subsumed")
    assert (first.rules, second.rules) == (("r1", "r3"), ("r2", "r1", "r3"))
    assert "with certainty 0.60" in first.sentence
    assert "only where 'r1' and 'r3' do too" in second.sentence
    assert "with certainty 0.68" in second.sentence


def test_of_those_around_a_rule_a_group_counts_once(knowledge, entry, the) -> None:
    base = knowledge(
        entry(1, "x > 3", group="g"), "x > 4 and flag", entry(3, "x > 2", certainty=0.5, group="g")
    )
    assert "with certainty 0.60" in the(base, "subsumed").sentence


def test_a_rule_inside_one_of_the_opposite_outcome_is_an_exception(knowledge, the) -> None:
    finding = the(knowledge("x > 3", ("x > 4 and flag", "does not buy", 0.6)), "exception")
    assert (finding.severity, finding.rules) == ("info", ("r2", "r1"))
    assert "together they say 'does not buy' with certainty 0.50" in finding.sentence


def test_opposite_rules_about_the_same_columns_are_conflicts_strongest_first(knowledge, found) -> None:
    base = knowledge(
        ("x > 3", "buys", 0.1), ("x < 4 and flag", "does not buy", 0.3), ("x < 5 and n > 2", "buys", 0.3)
    )
    first, second = found(base, "conflict")
    assert (first.rules, second.rules) == (("r2", "r3"), ("r1", "r2"))
    assert first.sentence.endswith("together they cancel out")
    assert second.witness == {"x": 3.5, "flag": "yes"}


def test_opposite_rules_about_different_columns_are_only_counted(knowledge, the) -> None:
    base = knowledge("x > 3", "n > 3", ("flag", "does not buy"))
    finding = the(base, "conflict")
    assert finding.sentence.startswith("2 pairs of rules about different columns")
    assert finding.rules == ()


def test_a_group_settles_conflicts_and_double_counting(knowledge, entry, codes) -> None:
    base = knowledge(
        entry(1, "x > 3", group="g"), entry(2, "x > 2 and flag", "does not buy", certainty=0.3, group="g")
    )
    assert codes(base) == []


def test_a_rule_that_its_group_silences_counts_not_twice(knowledge, entry, the, codes) -> None:
    base = knowledge(
        entry(1, "x >= 5", "does not buy", certainty=0.5, group="g"),
        entry(2, "x >= 1", certainty=0.1, group="g"),
        entry(3, "x >= 6", certainty=0.2),
    )
    assert codes(base) == ["exception"]
    assert the(base, "exception").rules == ("r3", "r1")


def test_a_rule_that_counts_only_beside_another_is_told_with_a_row_on_which_it_does(
    knowledge, entry, the
) -> None:
    base = knowledge(
        entry(1, "x >= 5", "does not buy", certainty=0.5, group="g"),
        entry(2, "x >= 1", certainty=0.1, group="g"),
        entry(3, "x < 5", certainty=0.2),
    )
    finding = the(base, "subsumed")
    assert finding.rules == ("r2", "r3")
    assert finding.sentence.startswith("'r2' (buys, 0.1) counts only where 'r3' (buys, 0.2) does too")
    assert finding.witness == {"x": 3}


def test_a_row_of_a_table_counts_only_where_no_row_above_fires(knowledge, table, the, found, codes) -> None:
    first = table("first", ("< 4",), ("< 8",))
    first["rows"][0]["then"] = "does not buy"
    base = knowledge(("x <= 3", "does not buy"), tables=[first])
    assert codes(base) == ["subsumed", "table-gap"]
    assert the(base, "subsumed").rules == ("r1", "t-1")
    both = knowledge(("x <= 5", "does not buy"), tables=[first])
    assert [(one.rules, one.witness) for one in found(both, "conflict")] == [(("r1", "t-2"), {"x": 4.5})]
    assert "can both count; together they cancel out" in the(both, "conflict").sentence


def test_rules_before_it_that_are_not_analysed_keep_a_rule_out_of_pairs(
    knowledge, entry, too_complex, found
) -> None:
    wide, tangle = too_complex
    base = knowledge(
        entry(1, tangle, certainty=0.5, group="g"), entry(2, "c1 > 2", group="g"), "c1 > 3", columns=wide
    )
    assert not found(base, "subsumed")
    assert "1 pair of rules could not be compared" in found(base, "not-analysed")[1].sentence


def test_rows_that_a_hard_fact_settles_are_no_matter_of_pairs(knowledge, fact, the, codes) -> None:
    law = [fact("law", "n >= 3")]
    inside = knowledge(("n >= 2", "buys", 0.5), ("n >= 3", "does not buy", 0.1), never=law)
    assert codes(inside) == ["overruled"]
    across = knowledge("n >= 2", ("n >= 1 and n != 2", "does not buy"), never=law)
    assert codes(across) == []
    apart = knowledge("flag", ("n >= 2", "does not buy"), never=[fact("law", "n >= 2 and flag")])
    assert codes(apart) == []
    partly = knowledge(("n >= 2 and flag", "does not buy", 0.3), "flag", never=law)
    finding = the(partly, "exception")
    assert "where it counts, together they say" in finding.sentence
    assert finding.witness == {"n": 2, "flag": "yes"}


def test_a_hard_fact_that_is_not_analysed_is_asked_about_the_example(
    knowledge, fact, too_complex, found
) -> None:
    wide, tangle = too_complex
    pair = ("c1 > 2", "c1 > 3")
    assert found(knowledge(*pair, columns=wide, never=[fact("law", tangle)]), "subsumed")
    always = [fact("law", f"({tangle}) or c1 > 0")]
    assert not found(knowledge(*pair, columns=wide, never=always), "subsumed")


def test_long_lists_are_cut_short(knowledge, found) -> None:
    base = knowledge(*[f"x > {number / 10}" for number in range(1, 41)])
    told = found(base, "subsumed")
    assert len(told) == MOST + 1
    assert told[-1].sentence.startswith("19 more findings")
    opposite = [(f"y > {10 * number} and y < {10 * number + 15}", "buys") for number in range(20)]
    against = [(f"y > {10 * number + 11} and y < {10 * number + 25}", "does not buy") for number in range(20)]
    told = found(knowledge(*opposite, *against), "conflict")
    assert len(told) == 11
    assert told[-1].sentence.startswith("28 more pairs")
