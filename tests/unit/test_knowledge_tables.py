from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.symbolic import compile_knowledge, log_odds
from toolkit.knowledge.tables import DecisionTable
from toolkit.tasks.base import Column, Schema

BASE = """\
knowledge_base: demo
predicts: buys
prior: 20 %
columns:
  due: {type: number}
  n: {type: whole number, min: 0}
  live: {type: yes/no}
  goods: {type: choice, values: [milk, "beer, ale", wine]}
sets: {drinks: ["beer, ale", wine]}
terms: {often: n >= 5}
rules:
  - {id: first, when: n > 90, then: buys, certainty: likely, because: Often., group: g}
tables: [promo.csv]
"""
GOOD = """\
F, due,       often, goods,             live, then,         certainty,   because
1, [1..2),    yes,   drinks,            -,    buys,         likely,      The rhythm.
2, "< 1, 7",  -,     "not(milk, wine)", yes,  does not buy, 0.3,         Not yet.

other, -, -,  -,  -,      buys, slightly, "Otherwise, by habit."
"""
SCHEMA = Schema(
    (
        Column("due"),
        Column("n"),
        Column("live"),
        Column("goods", "category", ("milk", "beer, ale", "wine")),
    )
)


@pytest.fixture
def read(tmp_path: Path):
    def read_files(table: str | bytes = GOOD, base: str = BASE) -> KnowledgeBase:
        (tmp_path / "promo.csv").write_bytes(table.encode() if isinstance(table, str) else table)
        (tmp_path / "rules.yaml").write_text(base)
        return load(tmp_path / "rules.yaml")

    return read_files


def test_rows_become_rules_after_those_that_are_written(read) -> None:
    knowledge = read()
    assert [rule.id for rule in knowledge.all_rules] == ["first", "promo-1", "promo-2", "promo-other"]
    assert [rule.when for rule in knowledge.all_rules[1:]] == [
        "1 <= due < 2 and often and goods in drinks",
        '(due < 1 or due == 7) and not (goods == "milk" or goods == "wine") and live',
        "true",
    ]
    assert [rule.certainty for rule in knowledge.all_rules[1:]] == ["likely", 0.3, "slightly"]
    assert knowledge.all_rules[3].because == "Otherwise, by habit."
    assert knowledge.rule_where(2) == f"{knowledge.path.parent / 'promo.csv'}:3:1"  # type: ignore[union-attr]
    assert knowledge.rule_where(0, "when") == f"{knowledge.path}:12:17"


def test_with_first_only_the_uppermost_row_counts_missing_values_too(read) -> None:
    system = compile_knowledge(read(), SCHEMA)
    assert system.groups == ((1, 2, 3),)
    rows = pd.DataFrame(
        {
            "due": np.array([1.5, 0.5, 7, 1.5, np.nan], np.float32),
            "n": np.array([6, 6, 1, 1, 6], np.float32),
            "live": np.array([0, 1, 1, 1, 1], np.float32),
            "goods": np.array([2, 1, 0, 2, 2], np.int32),
        }
    )
    strengths = [log_odds(value) for value in (0.6, -0.3, 0.2, 0.2, 0.2)]
    assert system.evidence(rows) == pytest.approx(strengths)
    assert system.firings(rows)[:, 3].all()


def test_with_collect_every_row_counts_and_a_group_is_shared_with_written_rules(read) -> None:
    text = "C, n, then, certainty, because, group\n1, > 5, buys, slightly, A., g\n2, > 5, buys, likely, B.,\n"
    knowledge = read(text)
    assert knowledge.groups == ((0, 1),)
    system = compile_knowledge(knowledge, SCHEMA)
    rows = pd.DataFrame({"n": np.array([6, 91], np.float32)})
    assert system.evidence(rows) == pytest.approx(
        [log_odds(0.2) + log_odds(0.6), log_odds(0.6) + log_odds(0.6)]
    )


def test_the_ladder_goes_through_the_tables(read) -> None:
    knowledge = read()
    assert [len(knowledge.head(count).all_rules) for count in range(5)] == [0, 1, 2, 3, 4]
    assert knowledge.head(2).groups == ()
    with pytest.raises(KnowledgeError, match="asked for 5 rules, but there are 4"):
        knowledge.head(5)


def test_a_table_may_stand_in_the_file_itself_and_the_hash_sees_its_content(read) -> None:
    knowledge = read()
    inline = """\
tables:
  - table: promo
    hit_policy: first
    inputs: [due, often, goods, live]
    rows:
      - {id: 1, tests: ['[1..2)', 'yes', drinks, '-'], then: buys, certainty: likely, because: The rhythm.}
      - id: 2
        tests: ['< 1, 7', '-', 'not(milk, wine)', 'yes']
        then: does not buy
        certainty: 0.3
        because: Not yet.
      - id: other
        tests: ['-', '-', '-', '-']
        then: buys
        certainty: slightly
        because: Otherwise, by habit.
"""
    again = read(base=BASE.replace("tables: [promo.csv]\n", inline))
    assert again == knowledge
    assert read(GOOD.replace("0.3", "0.4")).content_hash != knowledge.content_hash


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("F, due", "X, due", "1:1", r"hit policy - U \(unique\).* got 'X'"),
        ("F, due", "F; due", "1:1", "separated by semicolons; separate them by commas"),
        ("F, due", "F\tdue", "1:1", "separated by tabs; separate them by commas"),
        ("[1..2)", '"< 0,3"', "2:4", "has a decimal comma; write a point: 0.3"),
        ("[1..2)", '"[0,1..0,3]"', "2:4", "has a decimal comma"),
        ("-,    buys", "not(maybe),    buys", "2:41", r"'live' is yes or no, got 'not\(maybe\)'"),
        ("0.3,         Not", '"0,3",         Not', "3:61", "write a decimal point: 0.3"),
        ("1, [1", '"a\tb", [1', "2:1", "a name is one line"),
        ("F, due", "F, dew", "1:4", "'dew' is neither a column nor a term; did you mean 'due'"),
        ("often, goods", "due, goods", "1:15", "'due' stands twice"),
        ("certainty,   because", "certainty,   reason", "1:74", "'reason' stands among the outputs"),
        (",   because", "", "1:1", "the outputs lack 'because'"),
        ("likely,      The", "probable,    The", "2:61", "a certainty is one of certain"),
        ("0.3,         Not", "1,         Not", "3:61", "a hard fact belongs under never"),
        ("drinks,  ", "drink,  ", "2:22", "no such value or set 'drink'; did you mean 'drinks'"),
        ("yes,   drinks", "maybe, drinks", "2:15", "'often' is yes or no, got 'maybe'"),
        ("[1..2)", "[2..1)", "2:4", r"the interval \[2..1\) is empty"),
        ("[1..2)", "1 to 2", "2:4", "cannot read the test '1 to 2'"),
        ('"< 1, 7"', '"< 1,"', "3:4", "cannot read the test ''"),
        ('"not(milk, wine)"', "", "3:22", "the cell of 'goods' is empty; write -"),
        ('"< 1, 7"', "< 1, 7", "3:1", "the row has 9 cells, but the heading has 8"),
        ("The rhythm.", "", "2:74", "key 'because' is missing"),
        ('"Otherwise, by habit."', '"Otherwise, by habit.', "5:1", "not valid CSV: unexpected end of data"),
        ("buys,         likely", "sells,        likely", "2:1", "cannot say 'sells'"),
        ('2, "<', '1, "<', "3:1", "the id 'promo-1' is used twice"),
        ("1, [1..2),", "1, __import__('os'),", "2:4", "cannot read the test"),
        ("1, [1..2),", "1, =cmd|' /C calc'!A0,", "2:4", "cannot read the test"),
    ],
)
def test_mistakes_name_line_and_column(read, old: str, new: str, place: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(KnowledgeError, match=message) as caught:
        read(GOOD.replace(old, new, 1))
    assert (caught.value.where or "").endswith(f"promo.csv:{place}")


@pytest.mark.parametrize(
    ("cell", "when"),
    [
        ("not(yes)", "not live"),
        ("not(no)", "live"),
        ("NOT (No)", "live"),
        ("yes", "live"),
        ("no", "not live"),
    ],
)
def test_yes_and_no_may_be_negated(read, cell: str, when: str) -> None:
    text = f"U, live, often, then, certainty, because\n1, {cell}, {cell}, buys, likely, x\n"
    assert read(text).all_rules[1].when == f"{when} and {when.replace('live', 'often')}"


@pytest.mark.parametrize(("letter", "word"), [("U", "unique"), ("F", "first"), ("C", "collect")])
def test_a_hit_policy_may_be_its_letter(letter: str, word: str) -> None:
    row = {"id": 1, "tests": ["> 3"], "then": "buys", "certainty": 0.3, "because": "x"}
    table = {"table": "t", "hit_policy": letter, "inputs": ["n"], "rows": [row]}
    assert DecisionTable.model_validate(table).hit_policy == word


def test_an_unknown_input_of_a_table_in_the_file_is_shown_where_it_stands(read) -> None:
    table = """\
tables:
  - table: t
    hit_policy: U
    inputs: [due, dew]
    rows: [{id: 1, tests: ['-', '-'], then: buys, certainty: likely, because: x}]
"""
    with pytest.raises(KnowledgeError, match="'dew' is neither") as caught:
        read(base=BASE.replace("tables: [promo.csv]\n", table))
    assert (caught.value.where or "").endswith("rules.yaml:16:19")


def test_a_table_is_listed_once(read) -> None:
    with pytest.raises(KnowledgeError, match=r"'\./promo\.csv' is listed twice"):
        read(base=BASE.replace("[promo.csv]", "[promo.csv, ./promo.csv]"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "a heading and at least one row"),
        ("F, due, then, certainty, because\n", "a heading and at least one row"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"F,\0", r"promo\.csv:1:3: the invisible character U\+0000"),
        (b"x" * 1_000_001, "1,000,001 bytes"),
        ("F, then, certainty, because\n1, buys, likely, x\n", "the table has no input"),
        (
            "F, n, then, certainty, because, group\n1, 3, buys, likely, x, g\n",
            "with hit policy F the rows are one",
        ),
    ],
)
def test_files_that_are_no_tables_are_refused(read, table: str | bytes, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        read(table)


def test_a_table_that_is_not_there_says_so(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(BASE)
    with pytest.raises(KnowledgeError, match=r"promo\.csv: cannot read the decision table"):
        load(tmp_path / "rules.yaml")
