from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.explain.explainer import Explainer, Explanations
from toolkit.knowledge.explain.explanation import Explanation
from toolkit.knowledge.spread import column_spread
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.tasks.base import Column, Schema

NAN = math.nan
GOODS = ("beer", "milk", "rice", "soap", "tea")
SCHEMA = Schema(
    (
        *(Column(name) for name in ("p", "n", "m", "due", "away", "live")),
        Column("goods", kind="category", levels=GOODS),
    )
)
COLUMNS = {
    "p": {"min": 0, "max": 1, "missing": 0.5},
    "n": {"type": "whole number", "min": 0, "max": 10},
    "m": {"type": "whole number", "min": 0, "max": 10},
    "due": {"min": 0},
    "away": {"type": "whole number", "missing": 100},
    "live": {"type": "yes/no"},
    "goods": {"type": "choice"},
}
EMPTY = {"p": 0.25, "n": 0.0, "m": 0.0, "due": 0.0, "away": 0.0, "live": 0.0, "goods": 0}


def rule(id_: str, when: str, certainty: float | str = 0.5, **more: str) -> dict[str, object]:
    return {"id": id_, "when": when, "then": "buys", "certainty": certainty, "because": f"{id_}!", **more}


def explainer(
    *rules: dict[str, object], columns: dict[str, object] | None = None, **parts: object
) -> Explainer:
    content = {"knowledge_base": "k", "predicts": "sale", "prior": "p", "columns": columns or COLUMNS}
    knowledge = KnowledgeBase.model_validate({**content, "rules": list(rules), **parts})
    return Explainer.of(knowledge, compile_knowledge(knowledge, SCHEMA), {"goods": GOODS})


def frame(**columns: list[float]) -> pd.DataFrame:
    (length,) = {len(values) for values in columns.values()}
    rows = {name: np.full(length, value, np.float32) for name, value in EMPTY.items()}
    rows |= {name: np.array(values, np.float32) for name, values in columns.items()}
    return pd.DataFrame(rows).astype({"goods": np.int32})


def one(told: Explainer, **values: float) -> Explanation:
    return told.explain(frame(**{name: [value] for name, value in (values or {"n": 0.0}).items()}))[0]


def why_not(told: Explainer, **values: float) -> str:
    found = one(told, **values).why_not
    assert found is not None
    return found.to_text()


class TestHow:
    def test_an_explanation_reads_like_this(self) -> None:
        told = explainer(
            rule("often", "n >= 3", "likely", group="g"),
            rule("now", "n >= 2", "slightly", group="g"),
            {**rule("away", "away > 5"), "then": "does not buy"},
        )
        assert one(told, n=3.0, away=6.0, p=0.5).to_text() == (
            "sale: 55.6 %\n"
            "  +0.000  prior p, 50 %\n"
            "  +0.916  often (buys, likely): often!\n"
            "  -0.693  away (does not buy, 0.5): away!\n"
            "  +0.223  log-odds in all\n"
            "fired but does not count: now, as often of its group goes before it"
        )

    def test_no_rule_applies(self) -> None:
        found = one(explainer(rule("often", "n >= 3")), p=0.2)
        assert found.no_rule_applies
        assert found.probability == pytest.approx(0.2)
        assert "no rule applies: the prior stands" in found.to_text()

    def test_a_percentage_is_the_prior_of_all_rows(self) -> None:
        found = one(explainer(rule("often", "n >= 3"), prior="20 %"))
        assert found.prior_probability == pytest.approx(0.2)
        assert "  -1.386  prior 20 %\n" in found.to_text()

    def test_hard_facts_settle_the_answer_and_never_wins(self) -> None:
        told = explainer(
            rule("often", "n >= 3"),
            never=[{"id": "law", "when": 'goods == "beer" and not live', "because": "the law"}],
            always=[{"id": "gift", "when": "m >= 9", "because": "it is free"}],
        )
        found = told.explain(frame(m=[0, 9, 9], live=[1, 1, 0]))
        assert found.probability == pytest.approx([0.25, 1, 0])
        assert [[fact.id for fact in each.facts] for each in found] == [[], ["gift"], ["law", "gift"]]
        assert "never law: the law" in found[2].to_text()
        assert found[2].logit == pytest.approx(math.log(1 / 3))

    def test_labels_and_a_learned_model_stand_beside_the_rules(self) -> None:
        plain = explainer(rule("often", "n >= 3"))
        told = Explainer.of(
            plain.knowledge, plain.system, {"goods": GOODS}, scale=0.5, shifts=np.array([0.25]), bias=-0.5
        )
        found = told.explain(frame(n=[3.0], p=[0.5]), np.array([1.0]))[0]
        (often,) = found.contributions
        assert often.log_odds == pytest.approx(0.5 * math.log(2) + 0.25)
        assert often.experts_log_odds == pytest.approx(math.log(2))
        assert found.correction == pytest.approx(1.0 + 0.5 - often.log_odds)
        assert found.logit == 1.0
        assert "  -0.500  what the labels add to every row\n" in found.to_text()
        assert "  +0.903  what the model learned on top\n" in found.to_text()

    def test_rules_of_decision_tables_are_explained_too(self) -> None:
        table = {"table": "t", "hit_policy": "first", "inputs": ["n", "live"]}
        rows = [
            {"id": 1, "tests": [">= 5", "-"], "then": "buys", "certainty": 0.5, "because": "many"},
            {"id": 2, "tests": ["-", "-"], "then": "does not buy", "certainty": 0.5, "because": "else"},
        ]
        told = explainer(tables=[{**table, "rows": rows}])
        assert [each.because for each in one(told, n=5.0).contributions] == ["many"]
        assert [each.stronger for each in one(told, n=5.0).silenced] == ["t-1"]
        assert one(told, n=5.0).why_not is None
        assert why_not(told, n=4.0) == "t-1 (buys, 0.5) would fire if n were 5 instead of 4"

    def test_as_plain_data_for_json(self) -> None:
        found = one(explainer(rule("often", "n >= 3"), rule("milk", 'goods == "milk" and live')), n=3.0)
        data = json.loads(json.dumps(found.to_dict()))
        assert data["contributions"][0]["because"] == "often!"
        assert data["why_not"]["changes"] == [
            {"column": "live", "value": True, "was": False, "text": "live were yes instead of no"},
            {"column": "goods", "value": "milk", "was": "beer", "text": "goods were milk instead of beer"},
        ]
        assert data["text"] == found.to_text()

    def test_a_wrong_prior_is_a_named_error(self) -> None:
        with pytest.raises(KnowledgeError, match="must be a probability"):
            one(explainer(rule("often", "n >= 3")), p=2.0)


class TestWhyNot:
    @pytest.mark.parametrize(
        ("when", "row", "told"),
        [
            ("0.8 <= due <= 1.5", {"due": 0.62}, "due were 0.8 instead of 0.62"),
            ("0.8 <= due <= 1.5", {"due": 1.75}, "due were 1.5 instead of 1.75"),
            ("due < 0.4", {"due": 0.4}, "due were below 0.4 instead of 0.4"),
            ("due > 0", {"due": 0.0}, "due were above 0 instead of 0"),
            ("n > 2.5", {"n": 2.0}, "n were 3 instead of 2"),
            ("not n > 2", {"n": 5.0}, "n were 2 instead of 5"),
            ("due >= 0.8", {"due": NAN}, "due were 0.8 instead of unknown"),
            ("not due > 3", {"due": NAN}, "due were 3 instead of unknown"),
            ("away < 20", {"away": NAN}, "away were 19 instead of unknown, taken as 100"),
            ("live", {"live": 0.0}, "live were yes instead of no"),
            ("not live", {"live": NAN}, "live were no instead of unknown"),
            ('goods == "milk"', {"goods": 0}, "goods were milk instead of beer"),
            ('goods in ["milk", "rice"]', {"goods": 0}, "goods were milk or rice instead of beer"),
            (
                'goods in ["milk", "rice", "soap", "tea"] and live',
                {"live": 1.0},
                "goods were something other than beer instead of beer",
            ),
            ('goods != "beer"', {"goods": 0}, "goods were something other than beer instead of beer"),
            ('goods == "tea"', {"goods": -1}, "goods were tea instead of unknown"),
            ("n >= 4 and m >= 2", {"n": 3.0}, "n were 4 instead of 3 and m were 2 instead of 0"),
            ("n >= 4 or m >= 2", {"n": 3.0}, "n were 4 instead of 3"),
            ("n in [2, 7]", {"n": 6.0}, "n were 7 instead of 6"),
            ("n > m", {"n": 3.0, "m": 5.0}, "m were 2 instead of 5"),
            ("2 * n >= 3 * m", {"n": 3.0, "m": 5.0}, "m were 2 instead of 5"),
            ("n == m", {"n": 3.0, "m": 5.0}, "m were 3 instead of 5"),
        ],
    )
    def test_the_smallest_change_in_words(self, when: str, row: dict[str, float], told: str) -> None:
        assert why_not(explainer(rule("r", when)), **row) == f"r (buys, 0.5) would fire if {told}"

    def test_the_nearest_rule_is_named(self) -> None:
        told = explainer(rule("far", "n >= 9"), rule("near", "m >= 3"))
        assert why_not(told, m=2.0).startswith("near ")
        assert why_not(told, n=8.0).startswith("far ")

    def test_of_two_as_near_the_first_written_is_named(self) -> None:
        assert why_not(explainer(rule("b", "n >= 3"), rule("a", "m >= 3"))).startswith("b ")

    def test_a_rule_that_would_not_count_is_passed_over(self) -> None:
        told = explainer(
            rule("strong", "n >= 3", 0.9, group="g"), rule("weak", "m >= 1", group="g"), rule("far", "m >= 9")
        )
        assert why_not(told, n=3.0).startswith("far ")
        assert why_not(told, n=0.0).startswith("weak ")

    def test_none_when_all_fire_or_none_ever_can(self) -> None:
        assert one(explainer(rule("r", "n >= 3")), n=3.0).why_not is None
        assert one(explainer(rule("r", "n >= 3 and n < 2")), n=3.0).why_not is None
        assert one(explainer(), n=3.0).why_not is None

    def test_a_value_beyond_the_declared_range_is_not_proposed(self) -> None:
        told = explainer(rule("r", "n > m and m >= 10"))
        assert one(told, n=3.0).why_not is None

    def test_rows_beyond_the_declared_range_get_a_change_that_works_or_none(self) -> None:
        told = explainer(rule("r", "n >= 4 and m >= 4"))
        assert why_not(told, n=50.0, m=3.0) == "r (buys, 0.5) would fire if m were 4 instead of 3"

    def test_distance_counts_shares_of_the_range(self) -> None:
        found = one(explainer(rule("r", "n >= 4 and live")), n=2.0).why_not
        assert found is not None
        assert found.distance == pytest.approx(0.2 + 1)

    def test_without_a_declared_range_the_spread_of_data_says_what_is_near(self) -> None:
        rules = (rule("due", "due >= 3"), rule("n", "n >= 4"))
        knowledge = explainer(*rules).knowledge
        system = compile_knowledge(knowledge, SCHEMA)
        for spread, nearest in ((1.0, "n"), (100.0, "due")):
            told = Explainer.of(knowledge, system, {"goods": GOODS}, spread={"due": spread})
            assert why_not(told, n=1.0).startswith(f"{nearest} ")

    def test_two_numbers_that_print_alike_are_told_apart(self) -> None:
        text = why_not(explainer(rule("r", "due >= 0.8")), due=0.79999995)
        assert text.endswith("due were 0.8 instead of 0.799999952")

    def test_columns_with_any_name(self) -> None:
        schema = Schema((Column("Monthly Charges"),))
        knowledge = KnowledgeBase.model_validate(
            {
                "knowledge_base": "k",
                "predicts": "churn",
                "prior": "20 %",
                "columns": {"Monthly Charges": {}},
                "rules": [rule("dear", "`Monthly Charges` > 70")],
            }
        )
        told = Explainer.of(knowledge, compile_knowledge(knowledge, schema), {})
        (found,) = told.explain(pd.DataFrame({"Monthly Charges": [60]}))
        assert found.why_not is not None
        assert found.why_not.changes[0].text == "Monthly Charges were 71 instead of 60"


class TestBatch:
    def test_it_is_a_sequence(self) -> None:
        found = explainer(rule("often", "n >= 3")).explain(frame(n=[0, 3, 4]))
        assert isinstance(found, Explanations)
        assert len(found) == 3
        assert found[-1] == found[2]
        assert [each.logit for each in found[1:]] == [found[1].logit, found[2].logit]
        with pytest.raises(IndexError, match="asked for number 3"):
            found[3]

    def test_no_rows(self) -> None:
        told = explainer(rule("often", "n >= 3"))
        found = told.explain(frame(n=[0.0]).iloc[:0])
        assert len(found) == 0
        assert found.texts() == []

    def test_rows_in_any_order_and_with_any_index(self) -> None:
        told = explainer(rule("often", "n >= 3"), rule("due", "due > 1"))
        rows = frame(n=[0, 1, 2, 3, 4], due=[0, 2, 0, 2, 0])
        texts = told.explain(rows).texts()
        turned = rows.iloc[::-1]
        assert told.explain(turned).texts() == texts[::-1]

    def test_many_rules_and_more_rows_than_a_block(self) -> None:
        told = explainer(*(rule(f"r{k}", f"due >= {k}", 0.01) for k in range(70)))
        rows = frame(due=(np.arange(20_000) % 80).tolist())
        found = told.explain(rows)
        assert np.allclose(found.probability, told.system.predict_proba(rows))
        for row in (0, 69, 19_999):
            assert len(found[row].contributions) == min(int(rows["due"].iloc[row]) + 1, 70)
            assert found.texts()[row] == found[row].to_text()


def test_the_spread_leaves_out_what_does_not_vary() -> None:
    data = pd.DataFrame({"a": [1.0, NAN, 3.0], "same": [1, 1, 1], "text": ["x", "y", "z"], "none": [NAN] * 3})
    assert column_spread(data, list(data)) == {"a": pytest.approx(1.8)}


def test_the_supermarkets_rules_explain_a_row_that_is_all_but_missing() -> None:
    from toolkit.knowledge.base import load
    from toolkit.knowledge.condition import Member, leaves

    knowledge = load(Path(__file__).parents[2] / "experiments" / "knowledge" / "retail.yaml")
    parts = knowledge.conditions().rules
    named = {
        level for part in parts for leaf in leaves(part) if isinstance(leaf, Member) for level in leaf.levels
    }
    levels = tuple(sorted(named))
    schema = Schema(
        tuple(
            Column(name, kind="category", levels=levels) if spec.type == "choice" else Column(name)
            for name, spec in knowledge.columns.items()
        )
    )
    told = Explainer.of(knowledge, compile_knowledge(knowledge, schema), {"category": levels})
    values = {name: np.array([NAN], np.float32) for name in knowledge.columns}
    values |= {"habit_probability": np.array([0.2]), "category": np.array([-1], np.int32)}
    values |= {"n182": np.array([6.0]), "gap_cv": np.array([0.3]), "due": np.array([0.62])}
    (found,) = told.explain(pd.DataFrame(values))
    assert found.no_rule_applies
    assert found.why_not is not None
    assert found.why_not.to_text() == (
        "replenishment-due (buys, slightly) would fire if due were 0.8 instead of 0.62"
    )


class TestWhatWouldNotCount:
    """A proposal with which the rule fires, but is silenced or overruled, is none."""

    weak = rule("weak", "due < 1.5", "slightly", group="g")
    strong = rule("strong", "due < 1.5 and live", "likely", group="g")

    def test_a_rule_that_a_stronger_one_would_silence_is_not_proposed(self) -> None:
        told = explainer(self.weak, self.strong)
        found = one(told, due=1.75, live=1.0).why_not
        assert found is not None
        assert found.to_text() == "strong (buys, likely) would fire if due were below 1.5 instead of 1.75"
        assert "weak (buys, slightly) would fire" in why_not(told, due=1.75, live=0.0)

    def test_another_way_to_the_same_rule_is(self) -> None:
        weak = {**self.weak, "when": "due < 1.5 or n >= 9"}
        told = explainer(weak, {**self.strong, "when": "due < 1.5 and live and due >= 1 and m == 0"})
        strong_first = one(told, due=1.5, live=1.0, n=8.0).why_not
        assert strong_first is not None
        assert strong_first.rule == "strong"
        told = explainer(
            weak, {**self.strong, "when": "due < 1.5 and live", "group": "g"}, {**rule("x", "m > 10")}
        )
        assert why_not(told, due=9.0, live=1.0, n=8.0).startswith(
            "weak (buys, slightly) would fire if n were 9"
        )

    def test_a_change_that_meets_a_hard_fact_is_not_proposed(self) -> None:
        told = explainer(
            rule("near", "n >= 1"),
            rule("far", "m >= 5"),
            never=[{"id": "law", "when": "n >= 1", "because": "so"}],
        )
        assert why_not(told, n=0.0).startswith("far ")


@pytest.mark.parametrize(("part", "answer"), [("never", "0 %"), ("always", "100 %")])
def test_where_a_fact_settles_the_answer_no_prior_stands_and_nothing_would_change_it(part, answer) -> None:
    told = explainer(rule("often", "n >= 3"), **{part: [{"id": "law", "when": "live", "because": "the law"}]})
    explanations = told.explain(frame(live=[1.0, 0.0]))
    settled, open_ = explanations
    assert settled.why_not is None
    assert settled.to_text().startswith(f"sale: {answer}\n")
    assert settled.to_text().endswith(f"\n{part} law: the law")
    assert "no rule applies" not in settled.to_text()
    assert "no rule applies" in open_.to_text()
    assert open_.why_not is not None
    assert explanations.texts() == [settled.to_text(), open_.to_text()]
