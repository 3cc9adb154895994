"""Suggestions as a knowledge base, and how they stand to the rules that experts have written."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import Threshold
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.language import Vocabulary, parse
from toolkit.knowledge.mining.declare import declare, one_period_columns, starter
from toolkit.knowledge.mining.mine import Mined
from toolkit.knowledge.mining.relations import Relation, relations
from toolkit.knowledge.mining.suggestions import header, rule_text, suggested_base
from toolkit.knowledge.mining.weighing import Suggestion
from toolkit.tasks.base import Column, Schema

SPECS = {
    "n": ColumnSpec(type="whole number", min=0, max=90),
    "x": ColumnSpec(unit="euro"),
    "live": ColumnSpec(type="yes/no"),
    "Monthly Charges": ColumnSpec(),
    "goods": ColumnSpec(type="choice", values=("milk", "beer", "rice")),
}
SCHEMA = Schema(
    (
        Column("n"),
        Column("x", unit="euro"),
        Column("live"),
        Column("Monthly Charges"),
        Column("goods", kind="category", levels=("milk", "beer", "rice")),
    )
)
WORDS = Vocabulary({name: spec.type for name, spec in SPECS.items()}, {"goods": ("milk", "beer", "rice")})


def suggest(when: str, certainty: float = 0.4, *, positive: bool = True, **changes: Any) -> Suggestion:
    plain: dict[str, Any] = {
        "certainty_low": 0.3,
        "certainty_high": 0.5,
        "n_rows": 1240,
        "n_clusters": 310,
        "observed": 0.0912,
        "expected": 0.06,
        "saved": 1.0,
        "leader": 0,
    }
    return Suggestion(parse(when, WORDS), positive, certainty, **{**plain, **changes})


def base(**rules: tuple[str, float]) -> KnowledgeBase:
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "shop",
            "predicts": "buys",
            "prior": "10 %",
            "columns": {name: spec.model_dump() for name, spec in SPECS.items()},
            "rules": [
                {"id": name, "when": when, "then": "buys", "certainty": certainty, "because": "so it is"}
                for name, (when, certainty) in rules.items()
            ],
        }
    )


@pytest.mark.parametrize(
    ("when", "positive", "kind"),
    [
        ("n > 5", True, "strengthens"),
        ("n >= 6", False, "weakens"),
        ("n > 5 and x > 1", True, "sharpens"),
        ("n >= 20", True, "sharpens"),
        ("n >= 20", False, "weakens"),
        ("n >= 3", True, "widens"),
        ("n >= 3", False, "exception"),
        ("n <= 7", False, "overlaps"),
        ("n <= 7", True, "new"),
        ("n <= 5", False, "new"),
        ("x > 1", False, "new"),
        ('goods == "milk"', True, "new"),
    ],
)
def test_relation_to_one_rule(when: str, positive: bool, kind: str) -> None:
    knowledge = base(busy=("n >= 6", 0.6))
    (found,) = relations([suggest(when, 0.4, positive=positive)], knowledge, SPECS, SCHEMA)
    assert found.kind == kind
    assert found.rules == (() if kind == "new" else ("busy",))
    assert kind == "new" or "'busy'" in found.sentence


def test_stronger_evidence_the_other_way_contradicts_a_rule() -> None:
    knowledge = base(busy=("n >= 6", 0.6))
    (found,) = relations([suggest("n > 40", 0.8, positive=False)], knowledge, SPECS, SCHEMA)
    assert (found.kind, found.rules) == ("contradicts", ("busy",))


def test_a_rule_against_the_outcome_turns_the_directions_round() -> None:
    knowledge = base(quiet=("n < 6", -0.6))
    strong, weak = suggest("n < 3", 0.4, positive=False), suggest("n < 3", 0.4, positive=True)
    assert [each.kind for each in relations([strong, weak], knowledge, SPECS, SCHEMA)] == [
        "sharpens",
        "weakens",
    ]


def test_the_closest_kind_is_told_with_all_rules_of_that_kind() -> None:
    knowledge = base(
        far=("n >= 1", 0.2), near=("n >= 10", 0.2), also=("n > 9 and n < 90", 0.4), third=("n >= 9", 0.1)
    )
    (found,) = relations([suggest("n >= 10")], knowledge, SPECS, SCHEMA)
    assert (found.kind, found.rules) == ("strengthens", ("near",))
    (found,) = relations([suggest("n >= 20")], knowledge, SPECS, SCHEMA)
    assert found.rules == ("far", "near", "third")
    assert "'far', 'near' and 1 more" in found.sentence


def test_what_is_too_intricate_is_not_called_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.knowledge.boxes.regions.MAX_STEPS", 0)
    (found,) = relations([suggest("n > 3 and x > 1")], base(busy=("n >= 6", 0.6)), SPECS, SCHEMA)
    assert (found.kind, found.rules) == ("undecided", ("busy",))


def test_a_knowledge_base_without_rules_makes_everything_new() -> None:
    (found,) = relations([suggest("n >= 20")], base(), SPECS, SCHEMA)
    assert found == Relation("new", (), "new")


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("n >= 15 and n <= 45", "15 <= n <= 45"),
        ("n > 14 and n < 50 and x >= 0.5", "14 < n < 50 and x >= 0.5"),
        ("live and x <= 0", "live and x <= 0"),
        ("not live", "not live"),
        ("`Monthly Charges` > 70 and `Monthly Charges` <= 80", "70 < `Monthly Charges` <= 80"),
        ('goods in ["rice", "milk"] and n == 4', 'goods in ["milk", "rice"] and n == 4'),
        ("x >= -0.5 and x < 0.25", "-0.5 <= x < 0.25"),
        ("x >= 1e-05 and x < 1e-04", "1e-05 <= x < 0.0001"),
    ],
)
def test_rules_are_written_as_people_write_them(when: str, text: str) -> None:
    condition = parse(when, WORDS)
    assert rule_text(condition, SPECS) == text
    assert parse(text, WORDS) == condition


def test_a_yes_no_column_that_holds_more_than_that_is_compared() -> None:
    assert rule_text(Threshold("live", ">=", Fraction(3)), SPECS) == "live >= 3"


def test_the_base_says_what_was_seen_and_that_nobody_has_judged_it() -> None:
    knowledge = base(busy=("n >= 6", 0.6))
    suggestions = [
        suggest("n > 40 and x > 1", 0.35),
        suggest("n > 40", 0.25, leader=0),
        suggest("n > 40 and x > 1 and live", 0.9, positive=False, leader=2),
    ]
    related = relations(suggestions, knowledge, SPECS, SCHEMA)
    found = suggested_base(suggestions, related, knowledge, SPECS, cluster="household")
    first, _, third = found.rules
    assert first.because == (
        "Mined, not judged: 1,240 held-out training rows of 310 households; 9.1 % buys, 6.0 % expected; "
        "certainty 0.30 to 0.50. Sharpens 'busy': part of its rows, where more is to be said. "
        "Replace this with your reason or delete the rule."
    )
    assert (first.id, first.when, first.then, first.certainty) == (
        "mined-n-x",
        "n > 40 and x > 1",
        "buys",
        0.35,
    )
    assert (third.then, third.certainty) == ("does not buy", 0.9)
    assert {rule.owner for rule in found.rules} == {"mined"}
    assert [rule.group for rule in found.rules] == ["like mined-n-x", "like mined-n-x", None]
    assert [rule.id for rule in found.rules] == ["mined-n-x", "mined-n", "mined-n-x-live"]
    assert (found.prior, found.outcome) == (knowledge.prior, knowledge.outcome)
    assert found.run_tests() == 0
    assert len(found.groups) == 1


def test_ids_never_clash() -> None:
    knowledge = base(**{"mined-n": ("n >= 6", 0.6)})
    suggestions = [suggest("n > 40"), suggest("n > 60", leader=1)]
    related = relations(suggestions, knowledge, SPECS, SCHEMA)
    found = suggested_base(suggestions, related, knowledge, SPECS, cluster="row")
    assert [rule.id for rule in found.rules] == ["mined-n-2", "mined-n-3"]


def test_the_header_tells_where_the_suggestions_come_from() -> None:
    mined = Mined((), 15, 248_928, 1867, 98_185, 0.09, 0.1, 0.25939, 0.25771)
    text = header(
        mined, base(), experiment="experiments/retail.yaml", cluster="household", dates=" at 2 dates"
    )
    assert all(line.startswith("# ") and len(line) <= 100 for line in text.splitlines())
    words = text.replace("\n# ", " ")
    for part in (
        "248,928 training rows of 1,867 households at 2 dates",
        "a person must read",
        "98,185",
        "0.25771",
    ):
        assert part in words


FEATURES = pd.DataFrame(
    {
        "n": np.array([0, 3, 50, 7], np.float32),
        "x": np.array([-3, 0.5, np.nan, 8], np.float32),
        "live": np.array([0, 1, 1, np.nan], np.float32),
        "Monthly Charges": np.array([0.5, 0.25, 0, 1], np.float32),
        "goods": np.array([0, 1, -1, 2], np.int32),
    }
)


def test_columns_are_declared_as_the_rows_show_them() -> None:
    specs = declare(FEATURES, SCHEMA)
    assert [spec.type for spec in specs.values()] == [
        "whole number",
        "number",
        "yes/no",
        "number",
        "choice",
    ]
    assert (specs["n"].min, specs["x"].unit) == (0, "euro")
    assert specs["n"].max is not None
    assert 60 <= specs["n"].max <= 125
    assert specs["x"].min is not None
    assert -7.5 <= specs["x"].min <= -3.75
    assert (specs["Monthly Charges"].min, specs["Monthly Charges"].max) == (0, 1)
    assert specs["goods"].values == ("milk", "beer", "rice")  # noqa: PD011


def test_the_experts_word_on_a_column_stands_but_for_values_left_out() -> None:
    told = {
        "n": {"type": "number", "min": -1, "missing": 4, "unit": "own words"},
        "goods": {"type": "choice", "values": ["milk"]},
    }
    knowledge = KnowledgeBase.model_validate(
        {"knowledge_base": "shop", "predicts": "y", "prior": "10 %", "columns": told, "rules": []}
    )
    specs = declare(FEATURES, SCHEMA, knowledge)
    assert specs["n"] == knowledge.columns["n"]
    assert specs["goods"].values == ("milk", "beer", "rice")  # noqa: PD011


def test_columns_that_only_tell_a_few_dates_apart() -> None:
    features = pd.DataFrame(
        {
            "month": np.array([1, 1, 2, 2], np.float32),
            "unknown": np.array([np.nan, np.nan, 1, 1], np.float32),
            "n": np.array([1, 2, 3, 3], np.float32),
            "sometimes": np.array([1, np.nan, 2, 2], np.float32),
        }
    )
    schema = Schema(tuple(Column(name) for name in features))
    two = np.array([8, 8, 9, 9], np.int32)
    assert one_period_columns(features, schema, two) == ("month", "unknown")
    assert one_period_columns(features, schema, np.zeros(4, np.int32)) == ()
    many = pd.concat([features] * 20, ignore_index=True)
    assert one_period_columns(many, schema, np.arange(80, dtype=np.int32)) == ()


def test_a_starter_has_a_prior_and_columns_and_no_rule() -> None:
    specs = declare(FEATURES, SCHEMA)
    assert starter("shop", "sales", 0.0946, specs).prior == "9.46 %"
    found = starter("shop", "sales", "Monthly Charges", specs)
    assert (found.prior, found.rules, found.run_tests()) == ("Monthly Charges", (), 0)
    related = relations([suggest("n > 40")], found, specs, SCHEMA)
    full = suggested_base([suggest("n > 40")], related, found, specs, cluster="row")
    assert list(full.columns) == list(FEATURES.columns)
