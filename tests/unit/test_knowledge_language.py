from __future__ import annotations

import builtins
import re
from fractions import Fraction

import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.condition import Junction, Member, Pair, Threshold, columns, holds, to_text
from toolkit.knowledge.language import MAX_DEPTH, MAX_LENGTH, Vocabulary, parse

WORDS = Vocabulary(
    columns={"n": "whole number", "due": "number", "x": "number", "live": "yes/no", "goods": "choice"},
    choices={"goods": ("milk", "beer", "rice", "")},
    sets={"dry": ("beer", "rice"), "winter": (12.0, 1.0, 2.0)},
    terms={"regular": Threshold("n", ">=", Fraction(4))},
)
Row = dict[str, Fraction | str | None]


def row(**values: float | str) -> Row:
    return {name: v if isinstance(v, str) else Fraction(repr(v)) for name, v in values.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("due >= 0.1", Threshold("due", ">=", Fraction(1, 10))),
        ("0.1 <= due", Threshold("due", ">=", Fraction(1, 10))),
        ("not due >= 0.1", Threshold("due", "<", Fraction(1, 10))),
        ("2 * due > 1", Threshold("due", ">", Fraction(1, 2))),
        ("due * -2 > 1", Threshold("due", "<", Fraction(-1, 2))),
        ("due == -1.5e2", Threshold("due", "==", Fraction(-150))),
        ("13 * n >= 4 * x", Pair("n", 13, ">=", "x", 4)),
        ("0.5 * n < x", Pair("n", 1, "<", "x", 2)),
        ("n < -2 * x", Pair("n", 1, "<", "x", -2)),
        ("not n < x", Pair("n", 1, ">=", "x", 1)),
        ("live", Threshold("live", ">", Fraction(1, 2))),
        ("not live", Threshold("live", "<=", Fraction(1, 2))),
        ("regular", Threshold("n", ">=", Fraction(4))),
        ('goods == "milk"', Member("goods", ("milk",))),
        ("goods != 'milk'", Member("goods", ("milk",), negated=True)),
        ('goods in ["rice", "beer", "rice"]', Member("goods", ("beer", "rice"))),
        ("goods not in dry", Member("goods", ("beer", "rice"), negated=True)),
        ("not (goods not in dry)", Member("goods", ("beer", "rice"))),
        ("n in [3]", Threshold("n", "==", Fraction(3))),
        ("goods in ['milk', '', 'rice']", Member("goods", ("", "milk", "rice"))),
        ("due < 1e-9", Threshold("due", "<", Fraction(1, 10**9))),
    ],
)
def test_reads(text: str, expected: object) -> None:
    assert parse(text, WORDS) == expected


def test_a_chain_is_both_comparisons_and_repetition_is_dropped() -> None:
    low, high = Threshold("due", ">=", Fraction(4, 5)), Threshold("due", "<=", Fraction(3, 2))
    assert parse("0.8 <= due <= 1.5", WORDS) == Junction("and", (low, high), 2)
    assert parse("due >= .8 and (due <= 1.5 and due >= 0.8)", WORDS) == Junction("and", (low, high), 2)


def test_negation_is_pushed_through_and_and_or() -> None:
    assert parse("not (n > 3 or live)", WORDS) == parse("n <= 3 and not live", WORDS)
    assert parse("not (n > 3 and live)", WORDS) == parse("n <= 3 or not live", WORDS)


def test_numbers_in_a_set_are_compared_exactly() -> None:
    condition = parse("n in winter", WORDS)
    assert [holds(condition, row(n=month)) for month in (12, 1, 6)] == [True, True, False]


def test_a_missing_value_meets_no_comparison_negated_or_not() -> None:
    for text in (
        "due > 5",
        "not due > 5",
        "due != 5",
        "n < due",
        "not n < due",
        'goods == "milk"',
        "goods != 'milk'",
    ):
        assert not holds(parse(text, WORDS), row(n=1))


def test_columns_in_order_of_appearance() -> None:
    assert columns(parse("due > 1 and n > x or live and n > 2", WORDS)) == ["due", "n", "x", "live"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dew > 1", r"unknown name 'dew' at character 1 .*did you mean 'due'"),
        ("n > 1 and dew > 1", "at character 11 "),
        ("goods == milk", r'write texts in quotes: "milk"'),
        ("goods == 'mlik'", "no value 'mlik'.*did you mean 'milk'"),
        ("goods in dri", "unknown set 'dri'.*did you mean 'dry'"),
        ("goods", "'goods' is a choice; compare it"),
        ("n", "'n' is a whole number; compare it, e.g. n >= 1"),
        ("dry", "'dry' is a set; write: column in dry"),
        ("regular > 3", "'regular' is a term"),
        ("goods > 'milk'", "use ==, != or in"),
        ("goods == 3", "use ==, != or in"),
        ("goods in [1]", "its values are texts"),
        ("n in dry", "the list holds texts"),
        ("n == 'milk'", "'n' holds numbers"),
        ("n in []", "at least one value"),
        ("n in 3", "needs a list"),
        ("2 * n in [4]", "the left side of 'in' must be a column"),
        ("1 < 2", "one side of a comparison must be a column"),
        ("n > n", "compared with itself"),
        ("0 * n > 1", "always 0"),
        ("2 * goods == 'milk'", "cannot be multiplied"),
        ("n is 3", "write =="),
        ("n >", "cannot read the condition in: n >; it breaks off"),
        ("n > > 3", r"cannot read the condition \(invalid syntax\) at character 5 of: n > > 3"),
        ("n > 1e999", "at most 1e"),
        ("", "the condition is empty"),
        ("n > 3 " + " " * MAX_LENGTH + "and live", "characters, at most"),
        ("(" * 150 + "live" + ")" * 150, None),
        ("not " * 100 + "live", f"nested more than {MAX_DEPTH} deep"),
        ("(" * 900 + "live", "cannot read the condition"),
        ("1or live", "cannot read the condition"),
        ("n > 3; n", "cannot read the condition"),
        ("n > 3 # note\nand live", r"a comment \(#\) is not allowed at character 7 "),
        ("n\x00 > 3", r"the invisible character U\+0000"),
        ("é > 1 and dew > 1", "unknown name 'é' at character 1 "),
    ],
)
def test_errors_say_where_and_what(text: str, message: str | None) -> None:
    if message is None:
        parse(text, WORDS)
        return
    with pytest.raises(KnowledgeError, match=message) as caught:
        parse(text, WORDS, where="rules.yaml:7")
    assert str(caught.value).startswith("rules.yaml:7: ")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x') == 0",
        "().__class__.__bases__[0].__subclasses__() == 1",
        "n > (lambda: 1)()",
        "[c for c in ()] == n",
        "n if live else x",
        "(n := 3) > 2",
        "f'{n}' == 'a'",
        "n > 9**9**9",
        "n > 3 - 1",
        "n > True",
        "n > None",
        "n > 1j",
        "b'a' == goods",
        "n > x[0]",
        "n > *x",
        "{1: 2} == n",
        "n > ...",
    ],
)
def test_nothing_but_the_whitelist_is_read_and_nothing_runs(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> object:
        raise AssertionError("something ran")

    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    with pytest.raises(KnowledgeError):
        parse(text, WORDS)


def test_terms_that_double_in_size_are_stopped() -> None:
    def grow(levels: int) -> None:
        terms = {"t0": parse("n > 0 or x > 0", WORDS)}
        for level in range(1, levels):
            words = Vocabulary(WORDS.columns, WORDS.choices, WORDS.sets, terms)
            last = f"t{level - 1}"
            text = f"({last} and n > {level}) or ({last} and x > {level})"
            terms = {**terms, f"t{level}": parse(text, words)}

    grow(8)
    with pytest.raises(KnowledgeError, match="more than 2,000 comparisons"):
        grow(20)


def test_written_conditions_read_back_the_same() -> None:
    text = "regular and (3 * due > 1 or goods not in dry) and 13 * n >= 4 * x and 0.1 < due"
    condition = parse(text, WORDS)
    assert to_text(condition) == (
        'n >= 4 and (3 * due > 1 or goods not in ["beer", "rice"]) and 13 * n >= 4 * x and due > 0.1'
    )
    assert parse(to_text(condition), WORDS) == condition
    condition = parse("not live and (live or n > 0)", WORDS)
    assert to_text(condition, flags={"live"}) == "not live and (live or n > 0)"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('goods = "beer"', "write =="),
        ('goods === "beer"', "write =="),
        ("live AND n > 3", "and, or, not"),
        ("live OR n > 3", "and, or, not"),
        ("NOT live", "and, or, not"),
        ("live && n > 3", "write: and"),
        ("live & regular", "write: and"),
        ("live || n > 3", "write: or"),
        ("live | regular", "write: or"),
        ("!live", "write: not"),
        ("~live", "write: not"),
        ("n => 3", "write >="),
        ("n =< 3", "write <="),
        ("n <> 3", "write !="),
        ("n ≥ 3", "write >="),
        ("n ≤ 3", "write <="),
        ("n ≠ 3", "write !="),
        ("goods == “beer”", "straight quotes"),
        ("goods == ‘beer’", "straight quotes"),
        ("due > 10 %", "0.10 for 10 %"),
        ("n between 1 and 100", "1 <= column <= 100"),
        ("n BETWEEN 1 and 100", "1 <= column <= 100"),
        ("class > 3", "in backquotes: `class`"),
        ("3 < class", "in backquotes: `class`"),
        ("in > 3", "in backquotes: `in`"),
        ("n in [1, 2", r"'[' was never closed"),
        ("n > = 3", "without a space"),
        ("n > 1 000", "without spaces"),
        ("n > $3", "without units and currencies"),
        ('goods like "b%"', 'column == "..."'),
        ("n > 3 and", "it breaks off"),
        ("n > 3 and not", "it breaks off"),
        ("n > 2020-01-01", "dates cannot be compared"),
        ("n > 2020-12-10", "dates cannot be compared"),
        ("n > 1.12.2020", "dates cannot be compared"),
        ("n > –3", "a plain minus sign"),
        ("n > −3", "a plain minus sign"),
        ("due > 0,3", "0.3, 1000"),
        ("n > 1,000", "0.3, 1000"),
        ("n > 007", "leading zeros"),
        ("if n > 3 then live", "the condition only"),
        ("n is 3", "write =="),
        ("n is not 3", "write !="),
        ("live == yes", "write live, or not live"),
        ('live == "yes"', "write live, or not live"),
        ("live != no", "write live, or not live"),
        ("live == true", "write live, or not live"),
        ("False == live", "write live, or not live"),
        ('live in ["yes"]', "write live, or not live"),
        ("`at home` == yes", "write `at home`, or not `at home`"),
    ],
)
def test_a_usual_mistake_is_told_what_to_write(text: str, told: str) -> None:
    columns = {**WORDS.columns, "class": "number", "in": "number", "at home": "yes/no"}
    words = Vocabulary(columns, WORDS.choices, WORDS.sets, WORDS.terms)
    with pytest.raises(KnowledgeError, match=re.escape(told)):
        parse(text, words)


def test_advice_looks_only_outside_quotes() -> None:
    with pytest.raises(KnowledgeError, match=r"\(invalid syntax\)") as caught:
        parse('goods in ["a = b && !c", `10 %`] live', WORDS)
    assert "write" not in str(caught.value)
    assert parse("live == 1", WORDS) == Threshold("live", "==", Fraction(1))
