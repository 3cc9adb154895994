"""The section on expert knowledge, of contexts with and without rows."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from toolkit.analysis.results import Results
from toolkit.report.knowledge_figures import certainties, certainty
from toolkit.report.sections.knowledge import KnowledgeSection


@pytest.fixture
def results(made_up_results: ModuleType) -> Results:
    golden: Results = made_up_results.golden()
    return golden


def render(results: Results, **changes: Any) -> str:
    base = dict(results.knowledge[0])
    data = {**base["data"], **changes}
    return str(KnowledgeSection().render(replace(results, knowledge=({**base, "data": data},))))


def test_a_context_without_rows_shows_the_rules_as_before(results: Results) -> None:
    old = {key: value for key, value in results.knowledge[0].items() if key not in ("data", "positive")}
    text = KnowledgeSection().render(replace(results, knowledge=(old,)))
    assert "The rules as written" in text
    assert "training rows" not in text
    assert "<figure" not in text


def test_rules_stand_beside_what_the_rows_say_the_most_used_first(results: Results) -> None:
    text = render(results)
    table = text.partition("most used first</caption>")[2].partition("</table>")[0]
    assert table.index("one off") < table.index("weekly habit")
    assert "no stronger one of its group fires" in text
    assert "On 3.70\N{NO-BREAK SPACE}% of the rows no rule fires" in text
    for part in ("A row that rules raise most", "odds × 1.25", "n182 = 19", "cancel most of each other"):
        assert part in text


def test_the_figure_leaves_out_what_one_date_cannot_judge(results: Results) -> None:
    rules = results.knowledge[0]["data"]["rules"]
    assert any(rule["fires_on_dates"] == 1 for rule in rules)
    text = render(results)
    figure = json.loads(
        text.partition('application/json" id="rules-retail-data">')[2].partition("</script>")[0]
    )
    drawn = {name for trace in figure["data"] for name in trace["y"]}
    for rule in rules:
        judged = rule["data"] is not None and rule["fires_on_dates"] != 1
        assert (rule["id"].replace("<", "&lt;").replace(">", "&gt;") in drawn) == judged
    assert "on one date: not judged" in text
    assert "on 4 whole dates: interval over dates" in text


def test_dots_and_diamonds_are_the_rows_and_the_experts() -> None:
    seen = {"estimate": -0.1, "low": -0.2, "high": 0.05}
    rule = {
        "id": "a",
        "certainty": 0.4,
        "data": seen,
        "n_counts": 9,
        "observed_rate": 0.1,
        "expected_rate": 0.2,
    }
    rows, expert = certainties([rule]).data
    assert (rows.x, rows.error_x.array, rows.error_x.arrayminus) == (
        (-0.1,),
        pytest.approx((0.15,)),
        pytest.approx((0.1,)),
    )
    assert expert.x == (0.4,)
    assert rows.marker.symbol != expert.marker.symbol


@pytest.mark.parametrize(("value", "text"), [(0.2, "0.20"), (-0.004, "0.00"), (-0.1, "−0.10"), (1.0, "1.00")])
def test_certainties_have_two_decimals_and_no_negative_zero(value: float, text: str) -> None:
    assert certainty(value) == text


def test_without_labels_rules_are_only_counted(results: Results) -> None:
    silent = [
        {**rule, "data": None, "given_others": None, "observed_rate": None}
        for rule in results.knowledge[0]["data"]["rules"]
    ]
    text = render(results, rules=silent, conflicts=[], observed_rate=None)
    assert "<figure" not in text
    assert "Fires on" in text
    assert "No two rules of opposite directions count on the same row." in text


def test_conflicts_by_themselves_are_not_told_beside_those_that_occur(results: Results) -> None:
    found = [
        {"code": code, "severity": "info", "sentence": f"about {code}", "rules": []}
        for code in ("conflict", "gap")
    ]
    text = render(results, findings=found)
    assert "About gap." in text
    assert "About conflict" not in text
