"""Each finding appears beyond its limit and stays quiet just before it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.data import check_data
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.merge import merged
from toolkit.knowledge.observed import look
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema(
    (
        Column("p"),
        Column("n"),
        Column("x"),
        Column("live"),
        Column("goods", kind="category", levels=("milk", "beer", "rice")),
    )
)
LEVELS = {"goods": ("milk", "beer", "rice")}
COLUMNS: dict[str, dict[str, Any]] = {
    "p": {},
    "n": {"type": "whole number"},
    "x": {},
    "live": {"type": "yes/no"},
    "goods": {"type": "choice"},
}


def rule(when: str, certainty: str | float = 0.5, **more: Any) -> dict[str, Any]:
    return {"id": when, "when": when, "then": "buys", "certainty": certainty, "because": "so", **more}


def frame(n_rows: int, **columns: Any) -> pd.DataFrame:
    plain = {name: columns.get(name, np.zeros(n_rows)) for name in SCHEMA.names}
    return pd.DataFrame(plain).astype(dict.fromkeys(SCHEMA.numbers, "float32") | {"goods": "int32"})


def check(
    features: pd.DataFrame,
    *rules: dict[str, Any],
    labels: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
    times: np.ndarray | None = None,
    **more: Any,
) -> dict[str, RuleFinding]:
    base = {"knowledge_base": "k", "predicts": "y", "prior": "50 %", "columns": COLUMNS, "rules": rules}
    knowledge = KnowledgeBase.model_validate({**base, **more})
    found = check_data(
        knowledge,
        compile_knowledge(knowledge, SCHEMA),
        features,
        labels,
        np.arange(len(features)) if clusters is None else clusters,
        levels=LEVELS,
        times=times,
    )
    by_code = {finding.code: finding for finding in found}
    assert len(by_code) == len(found), [finding.code for finding in found]
    return by_code


def counted(n_rows: int) -> pd.DataFrame:
    return frame(n_rows, n=np.arange(n_rows))


def test_a_rule_that_fires_on_no_row() -> None:
    found = check(counted(50), rule("n >= 50"), rule("n < 40"))
    assert found["fires-on-no-row"].severity == "warning"
    assert found["fires-on-no-row"].rules == ("n >= 50",)
    assert "none of the 50 rows" in found["fires-on-no-row"].sentence
    assert "fires-on-no-row" not in check(counted(50), rule("n >= 49"), rule("n < 40"))


@pytest.mark.parametrize(("n_firing", "told"), [(95, False), (96, True)])
def test_a_rule_that_fires_nearly_always(n_firing: int, told: bool) -> None:
    found = check(counted(100), rule(f"n < {n_firing}"))
    assert ("fires-nearly-always" in found) == told
    if told:
        assert found["fires-nearly-always"].severity == "warning"
        assert "96 %" in found["fires-nearly-always"].sentence
        assert found["fires-nearly-always"].witness == {"n": 98}, "a row where it does not"


@pytest.mark.parametrize(("n_second", "told"), [(95, False), (96, True)])
@pytest.mark.parametrize("group", [None, "g"])
def test_rules_that_fire_on_nearly_the_same_rows(n_second: int, told: bool, group: str | None) -> None:
    # Jaccard indices of 95 / 100 and 96 / 100.
    first, second = rule("n < 100", 0.6, group=group), rule(f"n < {n_second}", 0.7, group=group)
    found = check(counted(300), first, second, rule("n >= 250"))
    assert ("fires-alike" in found) == told
    if told:
        assert found["fires-alike"].severity == ("info" if group else "warning")
        assert found["fires-alike"].rules == ("n < 100", "n < 96")
        assert found["fires-alike"].witness == {"n": 98}, "a row where only one of them fires"


def test_of_many_alike_each_is_told_once_beside_the_first() -> None:
    same = [rule("n < 50", id=name) for name in "abc"]
    knowledge = KnowledgeBase.model_validate(
        {"knowledge_base": "k", "predicts": "y", "prior": "50 %", "columns": COLUMNS, "rules": same}
    )
    found = check_data(knowledge, compile_knowledge(knowledge, SCHEMA), counted(90), None, np.arange(90))
    assert [one.rules for one in found if one.code == "fires-alike"] == [("a", "b"), ("a", "c")]


def test_a_rule_that_a_stronger_one_always_silences() -> None:
    strong, weak = rule("n < 30", 0.8, group="g"), rule("n < 20", 0.3, group="g")
    assert check(counted(60), strong, weak)["never-counts"].rules == ("n < 20",)
    assert "never-counts" not in check(counted(60), strong, rule("n < 31", 0.3, group="g"))


def labelled(n_rows: int, rate: float, other: float = 0.5) -> tuple[pd.DataFrame, np.ndarray]:
    """Half of the rows have n = 1 and `rate` of positives, the others n = 0 and `other`."""
    half = n_rows // 2
    labels = np.zeros(n_rows, np.int8)
    labels[: round(rate * half)] = 1
    labels[half : half + round(other * half)] = 1
    return frame(n_rows, n=np.arange(n_rows) < half), labels


def test_data_of_the_opposite_sign_are_a_warning() -> None:
    features, labels = labelled(2000, 0.3)
    found = check(features, rule("n == 1", "somewhat"), labels=labels)
    finding = found["data-contradict"]
    assert finding.severity == "warning"
    assert finding.witness == {"n": 1}
    for part in ("(buys, somewhat, 0.4)", "1,000 rows", "30 %", "40 %", "−0.36 [−0.4"):
        assert part in finding.sentence


def test_a_rule_against_is_told_in_its_own_direction() -> None:
    features, labels = labelled(2000, 0.3)
    right = check(features, rule("n == 1", "somewhat", then="does not buy"), labels=labels)
    assert not {"data-contradict", "certainty-off"} & set(right)
    weak = check(features, rule("n == 1", 0.02, then="does not buy"), labels=labels)
    assert "a certainty of 0.36 [0.29, 0.42]" in weak["certainty-off"].sentence
    assert "say more than" in weak["certainty-off"].sentence
    assert "nearest word is 'somewhat'" in weak["certainty-off"].sentence


def test_another_strength_is_an_info_and_little_effect_says_so() -> None:
    features, labels = labelled(4000, 0.6)
    found = check(features, rule("n == 1", "very likely"), labels=labels)["certainty-off"]
    assert found.severity == "info"
    assert "say less than" in found.sentence
    features, labels = labelled(4000, 0.5)
    assert (
        "show little of" in check(features, rule("n == 1", "likely"), labels=labels)["certainty-off"].sentence
    )


def test_few_rows_or_few_clusters_do_not_judge() -> None:
    features, labels = labelled(40, 0.35)
    assert "data-contradict" not in check(features, rule("n == 1", 0.2), labels=labels)
    features, labels = labelled(2000, 0.3)
    clusters = np.arange(2000) % 2
    assert "data-contradict" not in check(features, rule("n == 1", 0.2), labels=labels, clusters=clusters)


def test_one_of_many_rules_needs_more_to_be_told() -> None:
    features, labels = labelled(200, 0.36)
    doubtful = rule("n == 1", "slightly")
    alone = check(features, doubtful, labels=labels)
    assert "certainty-off" in alone or "data-contradict" in alone
    features["x"] = np.random.default_rng(0).permutation(200)
    others = [rule(f"{5 * k} <= x < {5 * k + 5}", "slightly") for k in range(40)]
    together = check(features, doubtful, *others, labels=labels)
    assert "certainty-off" not in together
    assert "data-contradict" not in together


def test_a_rule_that_is_right_alone_but_said_twice() -> None:
    generator = np.random.default_rng(5)
    n, x = generator.integers(0, 10, 40_000), generator.normal(size=40_000)
    chance = 1 / (1 + np.exp(1.4 - 0.9 * (n >= 8)))
    labels = (generator.random(40_000) < chance).astype(np.int8)
    features = frame(40_000, n=n, x=x)
    first, second = rule("n >= 8 and x > -1", "somewhat", id="first"), rule("n >= 8", "somewhat", id="second")
    knowledge = KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "20 %",
            "columns": COLUMNS,
            "rules": [first, second],
        }
    )
    found = check_data(
        knowledge, compile_knowledge(knowledge, SCHEMA), features, labels, np.arange(40_000), levels=LEVELS
    )
    assert [(one.code, one.severity, one.rules) for one in found] == [
        ("counts-double", "info", ("first",)),
        ("gap-in-data", "info", ()),
    ]


@pytest.mark.parametrize(("whole", "told"), [(True, True), (False, False)])
def test_a_rule_that_fires_on_one_date_is_not_judged(whole: bool, told: bool) -> None:
    features, labels = labelled(2000, 0.3)
    times = np.where(features["n"] == 1, 17_448, 17_441)
    times[0] = times[0] if whole else 17_441
    found = check(features, rule("n == 1", "somewhat"), labels=labels, times=times)
    assert ("fires-on-one-date" in found) == told
    assert ("data-contradict" in found) == (not told)
    no_time = check(features, rule("n == 1", "somewhat"), labels=labels, times=np.zeros(2000, int))
    assert "fires-on-one-date" not in no_time


def test_a_rule_about_the_calendar_is_judged_by_dates_not_by_rows() -> None:
    generator = np.random.default_rng(4)
    times = np.repeat(np.arange(1, 13), 500)
    weather = generator.normal(0, 0.4, 13)  # what all rows of a date share
    chance = 1 / (1 + np.exp(-weather[times]))
    labels = (generator.random(len(times)) < chance).astype(np.int8)
    features = frame(len(times), n=times)
    calendar = rule("n <= 4", 0.3)
    rows_only = check(features, calendar, labels=labels)
    assert {"data-contradict", "certainty-off"} & set(rows_only)
    by_date = check(features, calendar, labels=labels, times=times)
    assert not {"data-contradict", "certainty-off", "fires-on-one-date"} & set(by_date)


def test_a_rule_that_rows_do_not_bear_out_is_not_called_double() -> None:
    generator = np.random.default_rng(6)
    n = generator.integers(0, 10, 3_000)
    labels = (generator.random(3_000) < 0.2).astype(np.int8)
    features = frame(3_000, n=n, x=generator.normal(size=3_000))
    rules = [rule("n >= 8", 0.08, id="a"), rule("n >= 8 and x > -9", "likely", id="b")]
    knowledge = KnowledgeBase.model_validate(
        {"knowledge_base": "k", "predicts": "y", "prior": "20 %", "columns": COLUMNS, "rules": rules}
    )
    found = check_data(knowledge, compile_knowledge(knowledge, SCHEMA), features, labels, np.arange(3_000))
    assert ("a",) not in {one.rules for one in found if one.code == "counts-double"}


def test_a_hard_fact_that_labels_break() -> None:
    features = frame(10, n=np.arange(10))
    labels = np.array([0] * 5 + [1] * 5, np.int8)

    def facts(kind: str, when: str) -> dict[str, RuleFinding]:
        entry = {"id": "law", "when": when, "because": "the law"}
        return check(features, rule("n == 3"), labels=labels, **{kind: [entry]})

    assert "1 of the 6 rows" in facts("never", "n <= 5")["fact-broken"].sentence
    assert facts("never", "n <= 5")["fact-broken"].witness == {"n": 5}
    assert "fact-broken" not in facts("never", "n <= 4")
    assert "1 of the 6 rows" in facts("always", "n >= 4")["fact-broken"].sentence
    assert "fact-broken" not in facts("always", "n >= 5")


def test_never_overrules_always_before_labels_are_asked() -> None:
    never = {"id": "law", "when": "n <= 4", "because": "the law"}
    always = {"id": "sure", "when": "n >= 3", "because": "sure"}
    labels = np.array([0] * 5 + [1] * 5, np.int8)
    features = frame(10, n=np.arange(10))
    assert "fact-broken" not in check(features, rule("n == 3"), labels=labels, never=[never], always=[always])


def test_rows_without_a_rule_are_counted_with_an_example() -> None:
    gap = check(counted(100), rule("n >= 10"))["gap-in-data"]
    assert (gap.severity, gap.witness) == ("info", {"n": 5})
    assert "10 %" in gap.sentence
    assert "gap-in-data" not in check(counted(100), rule("n >= 10"), rule("n < 10"))


@pytest.mark.parametrize(
    ("spec", "values", "code"),
    [
        ({"min": 0.3}, [0.3, 0.5], None),
        ({"min": 0.3}, [0.29, 0.5], "value-out-of-range"),
        ({"max": 7}, [7, 7], None),
        ({"max": 7}, [7, 7.5], "value-out-of-range"),
        ({"type": "whole number"}, [1, math.nan], None),
        ({"type": "whole number"}, [1, 1.5], "value-not-of-its-type"),
        ({"type": "yes/no"}, [0, 1], None),
        ({"type": "yes/no"}, [0, 2], "value-not-of-its-type"),
    ],
)
def test_values_that_a_column_does_not_allow(
    spec: dict[str, Any], values: list[float], code: str | None
) -> None:
    found = check(frame(2, x=values, n=[0, 1]), rule("n == 1"), columns={**COLUMNS, "x": spec})
    told = {"value-out-of-range", "value-not-of-its-type"} & set(found)
    assert told == ({code} if code else set())
    if code:
        assert found[code].severity == "warning"
        assert "on 1 row (50 %)" in found[code].sentence
        assert set(found[code].witness or {}) == {"x"}


def test_levels_that_the_file_does_not_list() -> None:
    features = frame(4, goods=[0, 2, 2, -1], n=[0, 1, 1, 1])
    listed = {**COLUMNS, "goods": {"type": "choice", "values": ["milk", "beer"]}}
    finding = check(features, rule("n == 1"), columns=listed)["value-unknown"]
    assert finding.witness == {"goods": "rice"}
    assert "on 2 rows" in finding.sentence
    listed["goods"]["values"] = ["milk", "rice"]  # beer is in no row
    assert "value-unknown" not in check(features, rule("n == 1"), columns=listed)


def test_missing_values_without_a_word_on_them() -> None:
    features = frame(4, x=[1, math.nan, math.nan, 2], n=[0, 1, 1, math.nan], goods=[0, 1, -1, 1])
    rules = (rule("x > 1.5"), rule('goods == "beer"'), rule("live"))
    finding = check(features, *rules)["missing-values"]
    assert finding.severity == "info"
    assert "'x' (50 % of the rows), 'goods' (25 % of the rows)" in finding.sentence
    assert "'n'" not in finding.sentence, "no rule reads it"
    said = {**COLUMNS, "x": {"missing": 0}, "goods": {"type": "choice", "missing": "rice"}}
    assert "missing-values" not in check(features, *rules, columns=said)


@pytest.mark.parametrize(
    ("value", "part"), [(1.5, "e.g. 1.5"), (-0.1, "e.g. -0.1"), (math.nan, "missing on 50 %")]
)
def test_a_prior_that_is_no_probability_is_an_error(value: float, part: str) -> None:
    found = check(frame(2, p=[0.5, value], n=[0, 1]), rule("n == 1"), prior="p", labels=np.array([0, 1]))
    assert set(found) == {"prior-not-a-probability"}
    assert found["prior-not-a-probability"].severity == "error"
    assert part in found["prior-not-a-probability"].sentence


def test_a_sound_prior_is_not_told_of() -> None:
    features = frame(3, p=[0, 1, math.nan], n=[0, 1, 1])
    columns = {**COLUMNS, "p": {"missing": 0.2}}
    assert "prior-not-a-probability" not in check(features, rule("n == 1"), prior="p", columns=columns)


def test_without_rows_there_is_nothing_to_find() -> None:
    assert check(counted(0), rule("n >= 1"), labels=np.zeros(0, np.int8)) == {}


def test_the_gravest_come_first() -> None:
    knowledge = KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "50 %",
            "columns": COLUMNS,
            "rules": [rule("n >= 99"), rule("n >= 10")],
        }
    )
    found = check_data(knowledge, compile_knowledge(knowledge, SCHEMA), counted(50), None, np.arange(50))
    assert [one.severity for one in found] == ["warning", "info"]


def test_what_is_said_without_rows_is_not_said_again() -> None:
    logical = [RuleFinding("never-fires", "error", "x", ("a",)), RuleFinding("gap", "info", "x")]
    of_data = [
        RuleFinding("fires-on-no-row", "warning", "x", ("a",)),
        RuleFinding("fires-on-no-row", "warning", "x", ("b",)),
        RuleFinding("gap-in-data", "info", "x"),
    ]
    told = [(one.code, one.rules) for one in merged(logical, of_data)]
    assert told == [("never-fires", ("a",)), ("fires-on-no-row", ("b",)), ("gap-in-data", ())]
    assert [one.code for one in merged(logical, of_data[:2])][-1] == "gap"


def test_how_often_rules_contradict_one_another_is_told() -> None:
    rules = [rule("n >= 4"), rule("n <= 4", then="does not buy"), rule("n == 2", then="does not buy")]
    knowledge = KnowledgeBase.model_validate(
        {"knowledge_base": "k", "predicts": "y", "prior": "50 %", "columns": COLUMNS, "rules": rules}
    )
    observed = look(compile_knowledge(knowledge, SCHEMA), counted(10), None, np.arange(10))
    pairs = [("n >= 4", "n <= 4"), ("n >= 4", "n == 2"), ()]
    logical = [RuleFinding("conflict", "info", "so", pair) for pair in pairs]
    told = [one.sentence for one in merged(logical, (), observed)]
    assert told == ["so; on 1 row (10 %) both count", "so; no row here has both", "so"]
