"""Decision tables, and what is declared: columns, terms, sets, and the values that the task knows."""

from __future__ import annotations

from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.tasks.base import Column, Schema


def test_rows_of_a_unique_table_must_not_overlap(knowledge, table, the, codes) -> None:
    base = knowledge(tables=[table("unique", ("> 3", "red"), ("> 4", "-"), ("<= 3", "-"))])
    finding = the(base, "table-overlap")
    assert (finding.severity, finding.rules) == ("error", ("t-2", "t-1"))
    assert finding.witness == {"x": 7, "kind": "red"}
    assert codes(base) == ["table-overlap", "table-gap"]
    assert the(base, "table-gap").witness == {"x": 3.5, "kind": "green"}


def test_a_row_below_others_that_cover_it_can_never_count(knowledge, table, the, codes) -> None:
    base = knowledge(tables=[table("first", ("> 3",), ("<= 3",), ("> 2",))])
    finding = the(base, "never-counts")
    assert finding.rules == ("t-3", "t-1", "t-2")
    assert "comes first in table 't'" in finding.sentence
    assert codes(base) == ["never-counts"]


def test_rows_that_collect_may_overlap_but_count_double(knowledge, table, codes) -> None:
    assert codes(knowledge(tables=[table("collect", ("> 3",), ("> 2",))])) == ["subsumed", "table-gap"]


def test_a_table_with_many_overlaps_is_told_in_few_lines(knowledge, table, found) -> None:
    rows = [(f"> {number / 10}",) for number in range(12)]
    told = found(knowledge(tables=[table("unique", *rows)]), "table-overlap")
    assert len(told) == 11
    assert told[-1].sentence == "56 more pairs of rows of table 't' overlap"


def test_a_gap_of_a_long_table_names_the_table_and_not_each_row(knowledge, table, the) -> None:
    base = knowledge(tables=[table("collect", *[(f"{number / 100}",) for number in range(300)])])
    finding = the(base, "table-gap")
    assert "table 't'" in finding.sentence
    assert finding.rules == ()


def test_names_that_nothing_uses_are_told_together(knowledge, columns, the) -> None:
    base = knowledge(
        "low and kind in warm",
        prior="x",
        columns={**columns, "x": {"type": "number", "min": 0, "max": 1}},
        sets={"warm": ["red"], "cold": ["blue"]},
        terms={"low": "lower", "lower": "n < 2", "high": "n > 2 and kind in cold"},
    )
    assert the(base, "unused-column").sentence.startswith(
        "no rule uses the columns 'y', 'filled' and 'flag';"
    )
    assert the(base, "unused-term").sentence.startswith("no rule uses the term 'high';")
    assert the(base, "unused-set").sentence.startswith("no rule uses the set 'cold';")


def test_the_task_has_the_last_word_on_columns_and_values(knowledge) -> None:
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


def test_a_value_that_only_the_task_knows_keeps_a_rule_from_firing_always(knowledge, found) -> None:
    base = knowledge('kind in ["red", "green", "blue"]')
    schema = Schema(tuple(Column(name, "number") for name in ("x", "y", "n", "filled", "flag")))
    known = Schema((*schema.columns, Column("kind", "category", levels=("red", "green", "blue"))))
    wider = Schema((*schema.columns, Column("kind", "category", levels=("red", "green", "blue", "grey"))))
    assert found(base, "always-fires", known)
    assert not found(base, "always-fires", wider)


def test_a_gap_is_shown_by_a_row_with_all_values_known(knowledge, the, found) -> None:
    base = knowledge("x > 3", "n >= 2 or flag")
    finding = the(base, "gap")
    assert finding.severity == "info"
    assert finding.witness == {"x": 2, "n": 0, "flag": "no"}
    assert not found(knowledge("x > 3", "x < 3", "x == 3"), "gap")
