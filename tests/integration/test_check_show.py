"""`toolkit check --show` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from toolkit.cli import app

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("COLUMNS", "80")

    def run(style: str, *more: str, name: str = "experiments/knowledge/gym.yaml") -> str:
        result = CliRunner().invoke(app, ["check", name, "--show", style, *more])
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_every_rule_row_and_fact_is_told_in_words(shown) -> None:
    told = shown("words")
    assert "newcomer\n  means months as a member at most 3.\n" in told
    assert "stopped-coming\n  If faded: cancels (very likely).\n" in told
    assert (
        "gym-prices-loyal\n  If the member's price rises next month and contract is one of flexible and"
        in told
    )
    assert (
        "bound\n  If contract is yearly and months until the contract may end at least 1: never cancels.\n"
        in told
    )


def test_mathematics_stands_on_whole_lines(shown) -> None:
    assert "coming-less\n  usual_visits ≥ 4 ∧ 2·visits ≤ usual_visits ⇒ cancels (+0.4)\n" in shown("math")
    latex = shown("latex")
    assert (
        "  \\text{usual\\_visits} \\geq 4 \\land 2 \\cdot \\text{visits} \\leq \\text{usual\\_visits} "
        "\\Rightarrow \\text{cancels}\\ (+0.4)\n"
    ) in latex


def test_a_shorter_condition_is_offered(shown, tmp_path: Path) -> None:
    file = tmp_path / "k.yaml"
    file.write_text(
        "knowledge_base: k\npredicts: y\nprior: 5 %\n"
        "columns: {n: {type: number}, live: {type: yes/no}}\n"
        "rules:\n"
        "  - {id: a, when: n > 3 and (n > 5 or live) and (n >= 3 or live), then: buys, certainty: 0.1, "
        "because: b}\n"
        "  - {id: b, when: n > 30, then: buys, certainty: 0.2, because: b}\n"
    )
    told = shown("words", name=str(file))
    assert "the same, shorter: (n > 3 and live) or n > 5\n" in told
    assert told.count("the same, shorter") == 1


def test_json_holds_them_too(shown) -> None:
    document = json.loads(shown("math", "--format", "json"))
    assert {"name": "unhappy", "text": "complaints ≥ 2 ⇒ cancels (+0.4)", "shorter": None} in [
        {key: one[key] for key in ("name", "text", "shorter")} for one in document["shown"]
    ]
