from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from toolkit.knowledge.explain.explanation import Change, Contribution, Explanation, Fact, Silenced, WhyNot
from toolkit.report.explain_tables import explanation_view


def shown(explanation: Explanation, width: int = 80, **values: object) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(
        explanation_view("row 7", explanation, values), highlight=False
    )
    return stream.getvalue()


def explanation(**changes: Any) -> Explanation:
    plain: dict[str, Any] = {
        "predicts": "sale",
        "probability": 0.2,
        "logit": -1.386,
        "prior": "20 %",
        "prior_probability": 0.2,
        "prior_log_odds": -1.386,
        "contributions": (),
    }
    return Explanation(**{**plain, **changes})


def rule(name: str, log_odds: float, experts: float | None = None) -> Contribution:
    return Contribution(name, "n > 1", "buys", "likely", f"{name}, so", log_odds, experts or log_odds)


def test_a_row_without_rules() -> None:
    text = shown(explanation(), n=3, live=True, goods=None)
    assert "row 7: sale 20 %" in text
    assert "n = 3, live = yes; missing: goods" in text
    assert "No rule applies: the prior stands." in text
    assert "all together" in text


def test_what_is_missing_counts_as_something_where_that_is_said() -> None:
    stream = io.StringIO()
    view = explanation_view(
        "row 7", explanation(), {"n": None, "live": None, "p": None, "goods": None}, {"p": 0.25, "live": True}
    )
    Console(file=stream, width=100, color_system=None).print(view)
    assert stream.getvalue().splitlines()[1].strip() == (
        "missing: n, live (counts as yes), p (counts as 0.25), goods"
    )


def test_bars_go_right_for_what_raises_and_left_for_what_lowers() -> None:
    lines = shown(explanation(contributions=(rule("up", 2.0), rule("down", -1.0)))).splitlines()
    up, down = (next(line for line in lines if line.startswith(f" {name}")) for name in ("up", "down"))
    assert "× 7.39" in up
    assert "÷ 2.72" in down
    assert "████" in up
    assert "██" in down
    assert "███" not in down
    assert down.index("█") < up.index("█")


def test_what_labels_and_a_model_made_of_it() -> None:
    text = shown(explanation(contributions=(rule("up", 2.0, 1.5),), bias=0.25, correction=-0.125))
    assert "(+1.500)" in text
    assert "In brackets: what the expert's certainty stands for" in text
    assert "all rows" in text
    assert "+0.250" in text
    assert "learned on top" in text
    assert "-0.125" in text


@pytest.mark.parametrize(("kind", "probability", "answer"), [("never", 0.0, "0 %"), ("always", 1.0, "100 %")])
def test_a_hard_fact_settles_the_answer(kind: Any, probability: float, answer: str) -> None:
    text = shown(explanation(facts=(Fact("law", kind, "it is the law"),), probability=probability))
    assert f"Hard fact, {kind}: law: It is the law. So the answer is {answer}." in text
    assert "No rule applies" not in text


def test_what_did_not_count_and_why_not() -> None:
    change = Change("n", 4, 3, "n were 4 instead of 3")
    text = shown(
        explanation(
            contributions=(rule("strong", 1.0),),
            silenced=(Silenced("weak", "strong", "so"),),
            why_not=WhyNot("next", "buys", "slightly", (change,), 0.1),
        )
    )
    assert "Fired, but does not count: weak, because strong of its group goes before it." in text
    assert "Why not: next (buys, slightly) would fire if n were 4 instead of 3." in text


def test_names_and_reasons_with_brackets_are_text() -> None:
    odd = Contribution("[bold]x[/]", "n", "buys", 0.5, "see [red]this[/red]", 0.7, 0.7)
    text = shown(explanation(contributions=(odd,), prior="p[0]"), **{"a[b]": "[i]v"})
    for part in ("[bold]x[/]", "see [red]this[/red]", "p[0]", "a[b] = [i]v"):
        assert part in text


def test_it_fits_a_narrow_terminal() -> None:
    long = rule("a-rule-with-a-very-long-name-indeed", -0.22)
    text = shown(explanation(contributions=(long,)), width=60)
    assert max(map(len, text.splitlines())) <= 60
