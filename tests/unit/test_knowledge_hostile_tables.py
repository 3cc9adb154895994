"""Decision tables written to do harm: each is refused in a sentence, at once, and nothing runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import load

BASE = """\
knowledge_base: demo
predicts: buys_next_week
prior: 5 %
columns:
  n: {type: whole number, min: 0}
  x: {type: number}
  live: {type: yes/no}
  goods: {type: choice}
sets: {dry: [beer]}
terms: {regular: n >= 4}
tables: [PLACE]
"""
HEAD = "C, n, goods, live, then, certainty, because\n"


def cells(n: str = "> 3", goods: str = "milk", live: str = "yes", because: str = "So.") -> bytes:
    return f"{HEAD}1, {n}, {goods}, {live}, buys, slightly, {because}\n".encode("utf-8", "surrogatepass")


def output(then: str = "buys", certainty: str = "slightly") -> bytes:
    return f"{HEAD}1, > 3, milk, yes, {then}, {certainty}, So.\n".encode()


CELLS = {
    "formula for a number": cells(n="=cmd|'/C calc'!A0"),
    "formula for a choice": cells(goods="=cmd|'/C calc'!A0"),
    "formula in quotes": cells(goods='"=HYPERLINK(""http://x"", ""y"")"'),
    "formula with at": cells(goods="@SUM(1+1)*cmd|' /C calc'!A0"),
    "formula with plus": cells(goods="+cmd|' /C calc'!A0"),
    "formula with minus": cells(goods="-cmd|' /C calc'!A0"),
    "formula as a reason": cells(because="=cmd|'/C calc'!A0"),
    "formula as an outcome": output(then="=1+1"),
    "call": cells(n="__import__('os').system('touch canary')"),
    "call behind a comparison": cells(n="> open('canary')"),
    "call as yes or no": cells(live="__import__('os')"),
    "call as a certainty": output(certainty="__import__('os')"),
    "condition behind a number": cells(n="> 3 or live"),
    "condition behind a text": cells(goods='"milk"" or live or goods == """'),
    "condition behind a quote": cells(goods="milk' or live or goods == '").replace(b"milk'", b'milk"'),
    "backquotes": cells(n="`x`"),
    "column": cells(n="> x"),
    "power bomb": cells(n="> 9**9**9"),
    "huge whole number": cells(n="> " + "9" * 1900),
    "huge exponent": cells(n="> 1e999999"),
    "exponent": cells(n="> 1e999"),
    "tiny": cells(n="> 1e-999"),
    "infinity": cells(n="inf"),
    "nan": cells(n="nan"),
    "digits of another script": cells(n="> \u0663"),
    "certainty in another script": output(certainty="\u0660.\u0663"),
    "certainty of nan": output(certainty="nan"),
    "certainty of one": output(certainty="1"),
    "upside down": cells(n="[8..5]"),
    "huge interval": cells(n="[1e999..1e9999]"),
    "open end": cells(n="[1..]"),
    "not of not": cells(n="not(not(3))"),
    "many nots": cells(n="not(" * 400 + "3" + ")" * 400),
    "many brackets": cells(n="[" * 1900),
    "many commas": cells(n='"' + "," * 1900 + '"'),
    "many commas for a choice": cells(goods='"' + "," * 1900 + '"'),
    "many numbers": cells(n='"' + "1," * 990 + '1"', goods='"' + "a," * 990 + '"'),
    "many quotes": cells(goods='"' * 1900),
    "too long": cells(goods="m" * 2001),
    "very long": cells(goods="m" * 140_000),
    "empty": cells(n=""),
    "line break": cells(n='"> 3\nor live"'),
    "line break in a text": cells(goods='"mi\nlk, =1"'),
    "zero-width space": cells(n="> 3\u200b"),
    "unclosed quote": cells(goods='"milk'),
    "quote within": cells(goods='"mi"lk'),
    "unknown set": cells(n="dry, milk"),
}
FILES = {
    "nothing": b"",
    "heading only": HEAD.encode(),
    "blank": b"\n" * 900_000,
    "commas": b"," * 900_000,
    "quotes": b'"' * 900_000,
    "thousands of columns": ("C, " + ", ".join(f"c{number}" for number in range(50_000)) + "\n1\n").encode(),
    "thousands of equal columns": ("C" + ", n" * 50_000 + "\n1\n").encode(),
    "thousands of cells": (HEAD + "1, " + "-, " * 100_000 + "\n").encode(),
    "no hit policy": b"n, then, certainty, because\n3, buys, slightly, So.\n",
    "formula for a hit policy": b"=1+1, n, then, certainty, because\n1, 3, buys, slightly, So.\n",
    "condition for an input": HEAD.replace(" n,", " n > 1 or live,").encode() + cells().split(b"\n", 1)[1],
    "call for an input": HEAD.replace(" n,", " open('canary'),").encode() + cells().split(b"\n", 1)[1],
    "dunder for an input": HEAD.replace(" n,", " __class__,").encode() + cells().split(b"\n", 1)[1],
    "fullwidth input": HEAD.replace(" n,", " \uff4e,").encode() + cells().split(b"\n", 1)[1],
    "null": cells(because="a\0b"),
    "escape": cells(because="\x1b[2J"),
    "override": cells(because="a\u202eb"),
    "line separator": cells(because="So.\u2028x"),
    "carriage return": cells().replace(b"\n", b"\r"),
    "UTF-16": cells().decode().encode("utf-16"),
    "invalid UTF-8": cells() + b"\xff",
    "half a character": cells(because="\ud800"),
    "too large": b"x" * 1_000_001,
    "archive": b"PK\x03\x04" + b"\0" * 1000,
    "the same number twice": cells() + cells().split(b"\n", 1)[1],
}
PLACES = {
    "not there": "absent.csv",
    "root": "/etc/passwd",
    "root with the ending": "/etc/passwd.csv",
    "above": "../other.csv",
    "above, on a way": "a/../../other.csv",
    "device": "/dev/zero",
    "no table": "rules.yaml",
    "folder": "folder.csv",
    "pipe": "pipe.csv",
    "endless": "endless.csv",
    "empty": '""',
    "dot": ".",
    "very long": "d/" * 3000 + "t.csv",
    "long name": "t" * 3000 + ".csv",
    "address": "http://localhost/t.csv",
    "pipe of a shell": '"| touch canary"',
    "number": "5",
    "nothing": "~",
    "again and again": ", ".join(["good.csv"] * 300),
    "rows without end": ", ".join(["./" * number + "rows.csv" for number in range(1, 4)]),
}


def check(canary: Any, folder: Path, place: str) -> None:
    file = folder / "rules.yaml"
    file.write_text(BASE.replace("PLACE", place))
    seconds, error = canary.seconds_to_refuse(lambda: load(file))
    assert type(error) is KnowledgeError
    canary.check_sentence(str(error), str(folder))
    assert seconds < canary.MAX_SECONDS


@pytest.mark.parametrize("name", [*CELLS, *FILES])
def test_hostile_tables_are_refused_at_once_and_nothing_runs(name: str, canary: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes({**CELLS, **FILES}[name])
    check(canary, tmp_path, "t.csv")


@pytest.mark.parametrize("name", PLACES)
def test_a_table_is_a_file_beside_the_knowledge_base(name: str, canary: Any, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "endless.csv").symlink_to("/dev/zero")
    (tmp_path / "good.csv").write_bytes(cells())
    (tmp_path / "rows.csv").write_text(HEAD + "1, -, -, -, buys, slightly, So.\n" * 300)
    check(canary, tmp_path, PLACES[name])


def test_the_tables_that_the_hostile_ones_are_made_from_are_sound(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(BASE.replace("PLACE", "t.csv"))
    (tmp_path / "t.csv").write_bytes(cells())
    assert [rule.when for rule in load(tmp_path / "rules.yaml").all_rules] == [
        'n > 3 and goods == "milk" and live'
    ]
