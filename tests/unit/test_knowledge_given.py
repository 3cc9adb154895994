from __future__ import annotations

import math

import pytest

from toolkit.errors import DataError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.explain.given import given_frame, read_given, row_values
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema(
    (
        Column("p"),
        Column("n"),
        Column("live"),
        Column("goods", kind="category", levels=("FLUID MILK", "SALAD, MIXED", "Tea")),
        Column("more"),
    )
)


def knowledge(**p: object) -> KnowledgeBase:
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "p",
            "columns": {
                "p": {"min": 0, "max": 1, **p},
                "n": {"type": "whole number", "min": 0, "max": 9},
                "live": {"type": "yes/no"},
                "goods": {"type": "choice"},
            },
            "rules": [],
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        (" 0 ", 0),
        ("n=3", {"n": "3"}),
        ("n = 3 , p=.5,goods=SALAD, MIXED", {"n": "3", "p": ".5", "goods": "SALAD, MIXED"}),
        ("goods=a=b", {"goods": "a=b"}),
        ("n=", {"n": ""}),
        ('{"n": 3, "live": true, "goods": null}', {"n": 3, "live": True, "goods": None}),
        ("{}", {}),
    ],
)
def test_a_row_is_a_number_or_values(text: str, expected: object) -> None:
    assert read_given(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"--row: neither a row's number nor its values; write --row 12"),
        ("-1", "neither a row's number"),
        ("n", "--row n: neither a row's number"),
        ("n=3,due", "'n': expected a number, got '3,due'"),
        ("=3", "neither a row's number"),
        ("n=3,n=4", "'n' is given twice"),
        ('{"n": 3, "n": 4}', "'n' is given twice"),
        ('{"n": 3', "not valid JSON"),
        ('{"n": [3]}', r"'n' must be one value, got \[3\]"),
        ("{" * 3000, r"--row \{{57}\.\.\.: not valid JSON"),
    ],
)
def test_what_is_neither_is_a_named_error(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        given_frame(read_given(text), SCHEMA.columns, knowledge(missing=0.5), text=text)  # type: ignore[arg-type]


def frame(text: str, **p: object) -> dict[str, float]:
    row = given_frame(read_given(text), SCHEMA.columns, knowledge(**p), text=text)  # type: ignore[arg-type]
    assert [str(dtype) for dtype in row.dtypes] == ["float32", "float32", "float32", "int32", "float32"]
    return {name: values[0] for name, values in row.items()}


def test_values_become_what_a_task_gives() -> None:
    row = frame("p=0.25,n=3,live=yes,goods=SALAD, MIXED")
    assert (row["p"], row["n"], row["live"], row["goods"]) == (0.25, 3, 1, 1)
    assert math.isnan(row["more"])
    row = frame('{"p": 0.25, "live": false, "more": 2.5}')
    assert (row["live"], row["more"], row["goods"]) == (0, 2.5, -1)
    assert math.isnan(row["n"])
    assert math.isnan(frame("p=0.5,n=missing")["n"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p=.5,m=1", r"--row p=.5,m=1: unknown column 'm'; did you mean|unknown column 'm'; known"),
        ("p=.5,n=2.5", "'n': expected a whole number, got 2.5"),
        ("p=.5,n=10", "'n': 10 is outside"),
        ("p=2", "'p': 2 is outside"),
        ("p=.5,n=many", "'n': expected a number, got 'many'"),
        ("p=.5,more=inf", "'more': expected a number, got"),
        ("p=.5,live=2", "'live': expected yes or no, got 2"),
        ("p=.5,goods=MILK", r"'goods': no such value 'MILK'; did you mean 'FLUID MILK'\?"),
        ("p=.5,goods=tea", r"'goods': no such value 'tea'; did you mean 'Tea'\?"),
        ("p=.5,goods=gin", "'goods': no such value 'gin'; known: FLUID MILK, SALAD, MIXED, Tea"),
        ('{"p": 0.5, "goods": 3}', "'goods': a choice is a text, got 3"),
        ("n=3", r"give p too, e.g. p=0.2: it is the prior"),
    ],
)
def test_a_value_that_makes_no_sense_is_a_named_error(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        frame(text)


def test_no_number_is_too_large_for_json() -> None:
    with pytest.raises(DataError, match="'more': expected a number, got inf"):
        frame('{"p": 0.5, "more": 1e999}')


def test_a_prior_that_may_be_missing_need_not_be_given() -> None:
    assert math.isnan(frame("n=3", missing=0.5)["p"])


def test_many_values_are_not_all_listed() -> None:
    schema = Schema((Column("p"), Column("goods", kind="category", levels=tuple(f"g{k}" for k in range(50)))))
    with pytest.raises(DataError, match=r"no such value 'zzzzzz'; there are 50, such as 'g0'$"):
        given_frame({"p": 0.5, "goods": "zzzzzz"}, schema.columns, knowledge())


def test_a_row_reads_back_as_it_was_given() -> None:
    given = {"p": 0.3, "n": 3, "live": True, "goods": "Tea"}
    row = given_frame(given, SCHEMA.columns, knowledge())
    assert row_values(row, SCHEMA.columns, knowledge()) == given
    empty = given_frame({"p": 1}, SCHEMA.columns, knowledge())
    assert row_values(empty, SCHEMA.columns, knowledge()) == {"p": 1, "n": None, "live": None, "goods": None}
