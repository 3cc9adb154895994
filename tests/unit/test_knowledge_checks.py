from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.checks.findings import RuleFinding, gravest_first
from toolkit.knowledge.checks.logical import MOST, check_knowledge
from toolkit.knowledge.condition import holds
from toolkit.tasks.base import Column, Schema

RETAIL = Path(__file__).parents[2] / "experiments" / "knowledge" / "retail.yaml"

COLUMNS: dict[str, dict[str, Any]] = {
    "x": {"type": "number", "min": 0, "max": 10},
    "y": {"type": "number"},
    "n": {"type": "whole number", "min": 0, "max": 7},
    "filled": {"type": "whole number", "min": 0, "missing": 0},
    "flag": {"type": "yes/no"},
    "kind": {"type": "choice", "values": ["red", "green", "blue"]},
}


def entry(
    number: int, when: str, then: str = "buys", certainty: object = 0.2, **more: object
) -> dict[str, Any]:
    return {"id": f"r{number}", "when": when, "then": then, "certainty": certainty, "because": "b", **more}


def rules(*given: str | tuple[Any, ...] | dict[str, Any]) -> list[dict[str, Any]]:
    """Return rules r1, r2, ... from conditions, or (condition, outcome, certainty)."""
    return [
        one if isinstance(one, dict) else entry(number, *((one,) if isinstance(one, str) else one))
        for number, one in enumerate(given, 1)
    ]


def knowledge(*given: str | tuple[Any, ...] | dict[str, Any], **parts: object) -> KnowledgeBase:
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "p",
            "prior": "10 %",
            "columns": COLUMNS,
            "rules": rules(*given),
            **parts,
        }
    )


def found(base: KnowledgeBase, code: str, schema: Schema | None = None) -> list[RuleFinding]:
    return [finding for finding in check_knowledge(base, schema) if finding.code == code]


def the(base: KnowledgeBase, code: str, schema: Schema | None = None) -> RuleFinding:
    (finding,) = found(base, code, schema)
    return finding


DULL = ("unused-column", "gap")


def codes(base: KnowledgeBase) -> list[str]:
    return [finding.code for finding in check_knowledge(base) if finding.code not in DULL]


# --- single rules


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
def test_a_rule_that_cannot_fire_is_an_error_with_its_reason(when: str, reason: str) -> None:
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
def test_a_rule_that_always_fires_is_a_warning(when: str, place: str) -> None:
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
def test_a_comparison_that_decides_nothing_is_a_warning(when: str, comparison: str) -> None:
    finding = the(knowledge(when), "constant-comparison")
    assert finding.severity == "warning"
    assert comparison in finding.sentence
    assert "in 'r1'" in finding.sentence
    # A column's name is no word to be capitalised at the start of a sentence.
    assert finding.sentence.startswith("the comparison ")


def test_the_end_of_a_range_may_be_written_out() -> None:
    assert codes(knowledge("0 <= x <= 3", "n >= 0 and flag")) == []


def test_a_rule_outdone_in_its_group_can_never_count() -> None:
    base = knowledge(
        entry(1, "n >= 2", certainty=0.3, group="g"),
        entry(2, "n >= 4", "does not buy", certainty=0.1, group="g"),
    )
    finding = the(base, "never-counts")
    assert (finding.severity, finding.rules, finding.witness) == ("warning", ("r2", "r1"), {"n": 4})
    assert codes(base) == ["never-counts"]


def test_a_group_can_outdo_a_rule_together() -> None:
    base = knowledge(
        entry(1, "n >= 4", certainty=0.3, group="g"),
        entry(2, "n < 4", certainty=0.3, group="g"),
        entry(3, "n > 6", certainty=0.25, group="g"),
        entry(4, "n >= 2 and n <= 5", certainty=0.1, group="g"),
    )
    both, alone = found(base, "never-counts")[::-1]
    assert (alone.rules, both.rules) == (("r3", "r1"), ("r4", "r1", "r2"))
    assert "one of 'r1' or 'r2' fires too and comes first in its group" in both.sentence


def test_a_stronger_rule_inside_a_weaker_one_of_its_group_is_fine() -> None:
    base = knowledge(
        entry(1, "n >= 2", certainty=0.1, group="g"), entry(2, "n >= 4", certainty=0.3, group="g")
    )
    assert codes(base) == []


def test_a_rule_where_hard_facts_settle_the_answer_is_a_warning() -> None:
    law = [{"id": "law", "when": "n < 4", "because": "l"}]
    must = [{"id": "must", "when": "n >= 6", "because": "l"}]
    base = knowledge("n < 3", "n < 2 or n == 7", "n < 5", never=law, always=must)
    first, second = found(base, "overruled")
    assert (first.rules, first.witness) == (("r1",), {"n": 0})
    assert "'law' (under never) settles" in first.sentence
    assert "'law' (under never) or 'must' (under always) settles" in second.sentence


# --- pairs of rules


def test_the_same_condition_with_the_same_outcome_counts_twice() -> None:
    finding = the(knowledge("x > 3 and flag", "not (not flag or x <= 3)"), "duplicate")
    assert (finding.severity, finding.rules, finding.witness) == (
        "warning",
        ("r2", "r1"),
        {"x": 6, "flag": "yes"},
    )
    assert "together they say 'buys' with certainty 0.36" in finding.sentence


def test_the_same_condition_with_opposite_outcomes_is_a_contradiction() -> None:
    base = knowledge(("n > 2", "buys", 0.2), ("n >= 3", "does not buy", 0.2))
    finding = the(base, "contradiction")
    assert finding.severity == "warning"
    assert "says the opposite: together they cancel out" in finding.sentence


def test_a_rule_inside_others_of_the_same_outcome_double_counts() -> None:
    base = knowledge("x > 3", "x > 4 and flag", ("x > 2", "buys", 0.5))
    first, second = found(base, "subsumed")
    assert (first.rules, second.rules) == (("r1", "r3"), ("r2", "r1", "r3"))
    assert "with certainty 0.60" in first.sentence
    assert "only where 'r1' and 'r3' do too" in second.sentence
    assert "with certainty 0.68" in second.sentence


def test_of_those_around_a_rule_a_group_counts_once() -> None:
    base = knowledge(
        entry(1, "x > 3", group="g"), "x > 4 and flag", entry(3, "x > 2", certainty=0.5, group="g")
    )
    assert "with certainty 0.60" in the(base, "subsumed").sentence


def test_a_rule_inside_one_of_the_opposite_outcome_is_an_exception() -> None:
    finding = the(knowledge("x > 3", ("x > 4 and flag", "does not buy", 0.6)), "exception")
    assert (finding.severity, finding.rules) == ("info", ("r2", "r1"))
    assert "together they say 'does not buy' with certainty 0.50" in finding.sentence


def test_opposite_rules_about_the_same_columns_are_conflicts_strongest_first() -> None:
    base = knowledge(
        ("x > 3", "buys", 0.1), ("x < 4 and flag", "does not buy", 0.3), ("x < 5 and n > 2", "buys", 0.3)
    )
    first, second = found(base, "conflict")
    assert (first.rules, second.rules) == (("r2", "r3"), ("r1", "r2"))
    assert first.sentence.endswith("together they cancel out")
    assert second.witness == {"x": 3.5, "flag": "yes"}


def test_opposite_rules_about_different_columns_are_only_counted() -> None:
    base = knowledge("x > 3", "n > 3", ("flag", "does not buy"))
    finding = the(base, "conflict")
    assert finding.sentence.startswith("2 pairs of rules about different columns")
    assert finding.rules == ()


def test_a_group_settles_conflicts_and_double_counting() -> None:
    base = knowledge(
        entry(1, "x > 3", group="g"), entry(2, "x > 2 and flag", "does not buy", certainty=0.3, group="g")
    )
    assert codes(base) == []


def test_a_rule_that_its_group_silences_counts_not_twice() -> None:
    base = knowledge(
        entry(1, "x >= 5", "does not buy", certainty=0.5, group="g"),
        entry(2, "x >= 1", certainty=0.1, group="g"),
        entry(3, "x >= 6", certainty=0.2),
    )
    assert codes(base) == ["exception"]
    assert the(base, "exception").rules == ("r3", "r1")


def test_a_rule_that_counts_only_beside_another_is_told_with_a_row_on_which_it_does() -> None:
    base = knowledge(
        entry(1, "x >= 5", "does not buy", certainty=0.5, group="g"),
        entry(2, "x >= 1", certainty=0.1, group="g"),
        entry(3, "x < 5", certainty=0.2),
    )
    finding = the(base, "subsumed")
    assert finding.rules == ("r2", "r3")
    assert finding.sentence.startswith("'r2' (buys, 0.1) counts only where 'r3' (buys, 0.2) does too")
    assert finding.witness == {"x": 3}


def test_a_row_of_a_table_counts_only_where_no_row_above_fires() -> None:
    first = table("first", ("< 4",), ("< 8",))
    first["rows"][0]["then"] = "does not buy"
    base = knowledge(("x <= 3", "does not buy"), tables=[first])
    assert codes(base) == ["subsumed", "table-gap"]
    assert the(base, "subsumed").rules == ("r1", "t-1")
    both = knowledge(("x <= 5", "does not buy"), tables=[first])
    assert [(one.rules, one.witness) for one in found(both, "conflict")] == [(("r1", "t-2"), {"x": 4.5})]
    assert "can both count; together they cancel out" in the(both, "conflict").sentence


def test_rules_before_it_that_are_not_analysed_keep_a_rule_out_of_pairs() -> None:
    columns = {f"c{index}": {"type": "number"} for index in range(60)}
    tangle = " and ".join(f"(c{index} > 1 or c{index + 1} < 0)" for index in range(0, 60, 2))
    base = knowledge(
        entry(1, tangle, certainty=0.5, group="g"), entry(2, "c1 > 2", group="g"), "c1 > 3", columns=columns
    )
    assert not found(base, "subsumed")
    assert "1 pair of rules could not be compared" in found(base, "not-analysed")[1].sentence


def test_rows_that_a_hard_fact_settles_are_no_matter_of_pairs() -> None:
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


def test_a_hard_fact_that_is_not_analysed_is_asked_about_the_example() -> None:
    columns = {f"c{index}": {"type": "number"} for index in range(60)}
    tangle = " and ".join(f"(c{index} > 1 or c{index + 1} < 0)" for index in range(0, 60, 2))
    pair = ("c1 > 2", "c1 > 3")
    assert found(knowledge(*pair, columns=columns, never=[fact("law", tangle)]), "subsumed")
    always = [fact("law", f"({tangle}) or c1 > 0")]
    assert not found(knowledge(*pair, columns=columns, never=always), "subsumed")


def test_long_lists_are_cut_short() -> None:
    base = knowledge(*[f"x > {number / 10}" for number in range(1, 41)])
    told = found(base, "subsumed")
    assert len(told) == MOST + 1
    assert told[-1].sentence.startswith("19 more findings")
    opposite = [(f"y > {10 * number} and y < {10 * number + 15}", "buys") for number in range(20)]
    against = [(f"y > {10 * number + 11} and y < {10 * number + 25}", "does not buy") for number in range(20)]
    told = found(knowledge(*opposite, *against), "conflict")
    assert len(told) == 11
    assert told[-1].sentence.startswith("28 more pairs")


# --- decision tables


def table(policy: str, *tests: tuple[str, ...], name: str = "t", outcome: str = "buys") -> dict[str, Any]:
    rows = [
        {"id": str(number), "tests": list(row), "then": outcome, "certainty": 0.2, "because": "b"}
        for number, row in enumerate(tests, 1)
    ]
    return {"table": name, "hit_policy": policy, "inputs": ["x", "kind"][: len(tests[0])], "rows": rows}


def test_rows_of_a_unique_table_must_not_overlap() -> None:
    base = knowledge(tables=[table("unique", ("> 3", "red"), ("> 4", "-"), ("<= 3", "-"))])
    finding = the(base, "table-overlap")
    assert (finding.severity, finding.rules) == ("error", ("t-2", "t-1"))
    assert finding.witness == {"x": 7, "kind": "red"}
    assert codes(base) == ["table-overlap", "table-gap"]
    assert the(base, "table-gap").witness == {"x": 3.5, "kind": "green"}


def test_a_row_below_others_that_cover_it_can_never_count() -> None:
    base = knowledge(tables=[table("first", ("> 3",), ("<= 3",), ("> 2",))])
    finding = the(base, "never-counts")
    assert finding.rules == ("t-3", "t-1", "t-2")
    assert "comes first in table 't'" in finding.sentence
    assert codes(base) == ["never-counts"]


def test_rows_that_collect_may_overlap_but_count_double() -> None:
    assert codes(knowledge(tables=[table("collect", ("> 3",), ("> 2",))])) == ["subsumed", "table-gap"]


def test_a_table_with_many_overlaps_is_told_in_few_lines() -> None:
    rows = [(f"> {number / 10}",) for number in range(12)]
    told = found(knowledge(tables=[table("unique", *rows)]), "table-overlap")
    assert len(told) == 11
    assert told[-1].sentence == "56 more pairs of rows of table 't' overlap"


def test_a_gap_of_a_long_table_names_the_table_and_not_each_row() -> None:
    base = knowledge(tables=[table("collect", *[(f"{number / 100}",) for number in range(300)])])
    finding = the(base, "table-gap")
    assert "table 't'" in finding.sentence
    assert finding.rules == ()


# --- hard facts


def fact(name: str, when: str) -> dict[str, str]:
    return {"id": name, "when": when, "because": "l"}


def test_facts_that_are_never_or_always_met_are_errors() -> None:
    base = knowledge("x > 3", never=[fact("a", "x > 11"), fact("b", "x >= 0")])
    assert the(base, "never-fires").sentence.startswith(
        "'a' under never can never be met: no row meets x > 11"
    )
    assert the(base, "always-fires").severity == "error"
    assert "every answer there would be 'does not buy'" in the(base, "always-fires").sentence


def test_never_and_always_should_not_be_met_together() -> None:
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


# --- what is declared


def test_names_that_nothing_uses_are_told_together() -> None:
    base = knowledge(
        "low and kind in warm",
        prior="x",
        columns={**COLUMNS, "x": {"type": "number", "min": 0, "max": 1}},
        sets={"warm": ["red"], "cold": ["blue"]},
        terms={"low": "lower", "lower": "n < 2", "high": "n > 2 and kind in cold"},
    )
    assert the(base, "unused-column").sentence.startswith(
        "no rule uses the columns 'y', 'filled' and 'flag';"
    )
    assert the(base, "unused-term").sentence.startswith("no rule uses the term 'high';")
    assert the(base, "unused-set").sentence.startswith("no rule uses the set 'cold';")


def test_the_task_has_the_last_word_on_columns_and_values() -> None:
    schema = Schema(
        (
            Column("x", "number"),
            Column("n", "number"),
            Column("filled", "number"),
            Column("flag", "category", levels=("a", "b")),
            Column("kind", "category", levels=("red", "green", "grey")),
        )
    )
    base = knowledge('kind in ["red", "green"]', 'kind == "blue" and x > 2')
    errors = [finding for finding in check_knowledge(base, schema) if finding.severity == "error"]
    assert [(finding.code, finding.rules) for finding in errors] == [
        ("unknown-column", ()),
        ("wrong-type", ()),
        ("unknown-choice", ("r2",)),
        ("never-fires", ("r2",)),
    ]
    assert "the task's column 'kind' has no value 'blue'" in errors[2].sentence


def test_a_value_that_only_the_task_knows_keeps_a_rule_from_firing_always() -> None:
    base = knowledge('kind in ["red", "green", "blue"]')
    schema = Schema(tuple(Column(name, "number") for name in ("x", "y", "n", "filled", "flag")))
    known = Schema((*schema.columns, Column("kind", "category", levels=("red", "green", "blue"))))
    wider = Schema((*schema.columns, Column("kind", "category", levels=("red", "green", "blue", "grey"))))
    assert found(base, "always-fires", known)
    assert not found(base, "always-fires", wider)


def test_a_gap_is_shown_by_a_row_with_all_values_known() -> None:
    base = knowledge("x > 3", "n >= 2 or flag")
    finding = the(base, "gap")
    assert finding.severity == "info"
    assert finding.witness == {"x": 2, "n": 0, "flag": "no"}
    assert not found(knowledge("x > 3", "x < 3", "x == 3"), "gap")


# --- as a whole


def test_too_complex_a_rule_is_told_and_the_others_are_checked() -> None:
    columns = {f"c{index}": {"type": "number"} for index in range(60)}
    tangle = " and ".join(f"(c{index} > 1 or c{index + 1} < 0)" for index in range(0, 60, 2))
    base = knowledge(tangle, "c1 > 2", "c1 > 3", columns=columns)
    assert the(base, "not-analysed").rules == ("r1",)
    assert the(base, "subsumed").rules == ("r3", "r2")


@pytest.mark.parametrize("steps", [0, 1, 3, 10, 30, 100, 300, 1000])
@pytest.mark.parametrize(
    "limit",
    [
        "boxes.links.MAX_STEPS",
        "boxes.overlaps.MAX_STEPS",
        "checks.analysed.MAX_TOTAL_STEPS",
        "checks.counting.MAX_TOTAL_STEPS",
        "boxes.table.MAX_EXACT",
    ],
)
def test_a_smaller_budget_finds_less_and_nothing_wrong(
    monkeypatch: pytest.MonkeyPatch, limit: str, steps: int
) -> None:
    base = knowledge(
        "2 * x == 3 * y and x > 2",
        "2 * x == 3 * y and x > 3 and n > 1",
        ("y > x and y > n and x > 1", "does not buy"),
        ("y > x and x > n and n > 4 and y < 3", "does not buy"),
        "x > 2 and y < 1 or x > n and n > 3 or flag",
        ("x > 3 and y < 0 or n > y and y > 4 and x > n", "does not buy"),
        entry(7, "n > 5 and x != n", group="g"),
        entry(8, "n > 6 and x != n", group="g", certainty=0.1),
        never=[fact("a", "y > x and x > 1")],
        always=[fact("b", "x > y and n != y")],
    )

    def told() -> set[tuple[str, frozenset[str]]]:
        # An exception whose containment is not known is a conflict.
        same = {"exception": "conflict"}
        return {
            (same.get(one.code, one.code), frozenset({one.rules[0], other}))
            for one in check_knowledge(base)
            if one.code not in ("not-analysed", "gap")
            for other in one.rules
            if other != one.rules[0] or len(one.rules) == 1
        }

    everything = told()
    assert {code for code, _ in everything} >= {"never-fires", "subsumed", "conflict", "never-counts"}
    monkeypatch.setattr(f"toolkit.knowledge.{limit}", steps)
    assert told() <= everything


def test_no_rules_give_no_findings() -> None:
    assert codes(knowledge()) == []


def test_findings_name_file_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "k.yaml"
    file.write_text(
        "knowledge_base: k\npredicts: p\nprior: 10 %\ncolumns: {x: {type: number}}\nrules:\n"
        "  - {id: a, when: x > 3 and x < 2, then: buys, certainty: 0.1, because: b}\n"
    )
    assert the(load(file), "never-fires").where == f"{file}:6:13"


def test_the_gravest_come_first() -> None:
    base = knowledge("x > 3", ("x > 4", "does not buy"), "x > 3", "x > 12")
    severities = [finding.severity for finding in check_knowledge(base)]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert gravest_first(reversed(check_knowledge(base)))[0].code == "never-fires"


def test_the_supermarkets_rules_have_no_mistake_and_a_short_list() -> None:
    base = load(RETAIL)
    findings = check_knowledge(base)
    assert {finding.severity for finding in findings} == {"info"}
    assert len(findings) <= 15
    conditions = dict(zip([rule.id for rule in base.all_rules], base.conditions().rules, strict=True))
    for finding in findings:
        if finding.code == "conflict" and finding.witness is not None:
            row = {name: base.columns[name].read(value) for name, value in finding.witness.items()}
            assert all(holds(conditions[rule], row) for rule in finding.rules)
