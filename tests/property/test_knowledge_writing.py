from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.entries import WORDS
from toolkit.knowledge.writing import write
from toolkit.yamltext import parse

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ODD = [
    "no", "Yes", "on", "off", "y", "N", "true", "FALSE", "null", "~", "Null", "nan", ".nan", ".inf",
    "-.INF", "0", "-1", "+1", "007", "010", "0o17", "0x1F", "0b11", "1_000", "1e5", "1.5e-7", ".5", "5.",
    "12:30", "1:30:59", "190:20:30.15", "2020-01-01", "2020-01-01 10:00:00", "2001-12-14t21:59:43.10-05:00",
    "<<", "=", "!tag", "!!str a", "&a", "*a", "- a", "-", "?", "? a", ":", ": a", "a: b", "a:", "a #b",
    "#b", "'", "''", '"', '"a', "a'b\"c", "[", "]", "[a]", "{", "}", "{a: b}", ",", "a, b", "%a", "@a",
    "`a`", "|", "|-", ">", "> 5", ">-", "---", "--- a", "...", " a", "a ", "  ", " \n ", "\n", "a\n", "\na",
    "a\nb", "a\n\nb\n", "  a\n b\n", "a \nb", "a\n\n", "\n\na", "a\tb", "\t", "\\", "\\n", "a\\", "é",
    "grün", "日本語", "😀", "\u00a0", "\u200d", "\u200b", "\ufeffa", "a\u0301", "ﬁ", "\ud7ff", "x" * 300,
    "word " * 60, "a  b   c " * 20, "word\n" * 40, "é " * 100,
]  # fmt: skip
# What a file cannot hold: control characters, hidden line breaks, marks that turn the direction of writing.
HIDDEN = "\u2028\u2029\ufffe\uffff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters=HIDDEN)
MARKS = st.sampled_from("\n\t :#-'\"?[]{}|>%@`&*!,\\")
ANY = st.sampled_from(ODD) | st.text(LETTERS | MARKS, max_size=30)
TEXTS = ANY.filter(str.strip)
IDS = TEXTS.filter(str.isprintable)
NAMES = IDS.filter(lambda name: "`" not in name)
NUMBERS = (
    st.integers(-(10**6), 10**6).map(float)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 1e15, 1e16, 123456789012345678.0, 1e-5, 5e-324, 1.7e308, 0.1])
)
CERTAINTIES = st.sampled_from([*WORDS]) | st.floats(-0.999, 0.999).filter(bool)


def columns(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    specs: dict[str, dict[str, Any]] = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        kind = draw(st.sampled_from(["number", "whole number", "yes/no", "choice"]))
        spec: dict[str, Any] = {"type": kind, "unit": draw(ANY)}
        if kind == "number":
            low, high = sorted(draw(st.tuples(NUMBERS, NUMBERS)))
            spec |= {"min": low, "max": high, "missing": draw(st.none() | st.just(low))}
        elif kind == "yes/no":
            spec["missing"] = draw(st.sampled_from([None, "yes", "no", 0, 1]))
        elif kind == "choice":
            values = draw(st.lists(ANY.filter(bool), min_size=1, max_size=4, unique=True))
            spec |= {
                "values": draw(st.none() | st.just(values)),
                "missing": draw(st.none() | st.just(values[0])),
            }
        specs[name] = spec
    return specs


def value_of(draw: st.DrawFn, spec: Mapping[str, Any]) -> object:
    if spec["type"] == "choice":
        return draw(st.sampled_from(spec["values"]) if spec["values"] else ANY)
    if spec["type"] == "yes/no":
        return draw(st.sampled_from(["yes", "no", True, False, 0, 1]))
    return spec["min"] if spec["type"] == "number" else float(draw(st.integers(0, 9)))


@st.composite
def knowledge_bases(draw: st.DrawFn) -> KnowledgeBase:
    specs = columns(draw)
    name, spec = next(iter(specs.items()))

    def entry(number: int) -> dict[str, Any]:
        given = {column: value_of(draw, its) for column, its in specs.items() if draw(st.booleans())}
        missing = given.get(name, spec.get("missing"))
        # True wherever the first column is known, and so is its own test.
        when = f"`{name}`" + (
            " != 'none such'" if spec["type"] == "choice" else " < 2 or `" + name + "` >= 2"
        )
        return {
            "id": f"{number}{draw(IDS)}",
            "when": when,
            "because": draw(TEXTS),
            "owner": draw(ANY),
            "tests": [{"given": given, "fires": missing is not None}] if draw(st.booleans()) else [],
        }

    def rule(number: int) -> dict[str, Any]:
        then = draw(st.sampled_from(["yes", "no"]))
        group = draw(st.none() | IDS)
        return {**entry(number), "then": then, "certainty": draw(CERTAINTIES), "group": group}

    row = {"tests": ["-"], "then": "no", "certainty": "likely", "because": draw(TEXTS), "owner": draw(ANY)}
    table = {
        "table": draw(IDS),
        "hit_policy": "first",
        "inputs": [name],
        "rows": [{"id": draw(IDS), **row}],
    }
    data = {
        "knowledge_base": draw(TEXTS),
        "description": draw(ANY),
        "predicts": draw(TEXTS),
        "outcome": {"positive": "yes", "negative": "no"},
        "prior": draw(st.sampled_from(["5 %", " 0.25%", "12.5 %\n"])),
        "columns": specs,
        "sets": draw(
            st.dictionaries(st.sampled_from(["s1", "s2"]), st.lists(ANY | NUMBERS, min_size=1, max_size=3))
        ),
        "terms": draw(st.sampled_from([{}, {"yes_": "true"}, {"t": "not true\nor true"}])),
        "rules": [rule(number) for number in range(draw(st.integers(0, 3)))],
        "tables": draw(st.sampled_from([[], [table]])),
        "never": [entry(10)] if draw(st.booleans()) else [],
        "always": [entry(11)] if draw(st.booleans()) else [],
        "authoring": draw(
            st.none() | st.fixed_dictionaries({"hours": st.floats(0, 1e9), "by": ANY, "note": ANY})
        ),
    }
    names = {*specs, *data["sets"], *data["terms"]}
    if len(names) < len(specs) + len(data["sets"]) + len(data["terms"]):
        data |= {"sets": {}, "terms": {}}
    return KnowledgeBase.model_validate(data)


@unhurried
@given(knowledge_bases())
def test_what_is_written_reads_back_the_same(knowledge: KnowledgeBase) -> None:
    try:
        knowledge.run_tests()
    except KnowledgeError:
        # Some generated ids, values and table names clash; writing must be right for those too.
        assert KnowledgeBase.model_validate(parse(write(knowledge))[0]) == knowledge
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(write(knowledge), encoding="utf-8", newline="")
        again = load(file)
    assert again == knowledge
    assert again.content_hash == knowledge.content_hash
    assert write(again) == write(knowledge)
