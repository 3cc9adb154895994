"""`toolkit check` as a user runs it, on the shipped files and on broken ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from toolkit.cli import app

REPOSITORY = Path(__file__).parents[2]
KNOWLEDGE = """\
knowledge_base: orders
predicts: y
outcome: {positive: orders, negative: does not order}
prior: habit_probability
columns:
  habit_probability: {type: number, min: 0, max: 1, missing: 0.25}
  visits: {type: whole number, min: 0, max: 2}
  recency: {type: whole number, missing: 182}
rules:
  - {id: looks, when: visits >= 1, then: does not order, certainty: very likely, because: wrong on purpose}
  - {id: new, when: recency <= 60, then: orders, certainty: slightly, because: so}
"""
EXPERIMENT = """\
experiment: tiny
task: {name: synthetic, kind: rules, n_clusters: 300, rows_per_cluster: 10}
ladder: {seeds: 2, rungs: [{share: 0.3}, {share: 1.0}]}
tracks:
  baseline: {column: habit_probability}
  rules: {knowledge: knowledge/orders.yaml}
economics:
  value: {true_positive: 2.0, false_positive: -0.8}
  volume_per_year: 1.0e6
"""

Check = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "orders.yaml").write_text(KNOWLEDGE)
    (tmp_path / "tiny.yaml").write_text(EXPERIMENT)
    return tmp_path


@pytest.fixture
def knowledge(folder: Path) -> Path:
    return folder / "knowledge" / "orders.yaml"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, ["check", *(str(argument) for argument in arguments)])

    return run


def flat(text: str) -> str:
    """Return a table's text as one line, as if it had not been wrapped."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("name", ["retail", "smoke", "gym", "cdnow", "churn"])
def test_the_shipped_knowledge_is_free_of_errors_and_warnings(name: str, check: Check) -> None:
    shown = check(f"experiments/knowledge/{name}.yaml")
    assert shown.exit_code == 0, shown.output
    assert "0 errors, 0 warnings" in shown.output
    assert "authoring hours" in shown.output
    assert max(map(len, shown.output.splitlines())) <= 80


def test_smoke_with_data_says_whose_rows_and_what_they_say(check: Check) -> None:
    shown = check("experiments/knowledge/smoke.yaml", "--data")
    assert shown.exit_code == 0, shown.output
    assert "Held against experiments/smoke.yaml" in flat(shown.output)
    assert "of 200 clusters (one a customer)" in flat(shown.output)
    for rule in ("just-ordered", "due-again", "angry", "looking-around", "wholesale-deal"):
        assert re.search(rf"{rule} +[\d.]+\s% +0\.\d\d +−?0\.\d\d \[", shown.output), rule
    assert max(map(len, shown.output.splitlines())) <= 80


def test_an_experiment_is_checked_with_its_rules_rows_and_cells(check: Check, folder: Path) -> None:
    shown = check(folder / "tiny.yaml")
    assert shown.exit_code == 0, shown.output
    told = flat(shown.output)
    assert "4 cells: baseline 1, rules 3" in told
    assert "contradict 'looks' (does not order, very likely, 0.8)" in told
    assert "above its max 2" in told
    assert re.search(r"0 errors, \d+ warnings", shown.output)


def test_data_that_contradict_warn_and_do_not_fail(check: Check, knowledge: Path) -> None:
    assert "data contradict" not in check(knowledge).output
    shown = check(knowledge, "--data")
    assert shown.exit_code == 0
    assert "contradict 'looks'" in flat(shown.output)
    assert "example: visits =" in flat(shown.output)


def test_errors_end_with_1_and_no_rows_are_asked(check: Check, folder: Path, knowledge: Path) -> None:
    knowledge.write_text(KNOWLEDGE.replace("recency <= 60", "recency <= 60 and recency > 70"))
    alone = check(knowledge)
    assert alone.exit_code == 1
    assert "1 error," in alone.output
    assert f"{knowledge.name}:11:" in flat(alone.output).replace(" ", "")
    assert "Not held against rows" in check(knowledge, "--data").output
    whole = check(folder / "tiny.yaml")
    assert whole.exit_code == 1
    assert "No cells are planned" in whole.output


def test_a_prior_that_is_no_probability_is_an_error_of_the_data(check: Check, knowledge: Path) -> None:
    knowledge.write_text(
        KNOWLEDGE.replace("prior: habit_probability", "prior: basket").replace(
            "  visits:", "  basket: {type: number}\n  visits:"
        )
    )
    assert check(knowledge).exit_code == 0
    shown = check(knowledge, "--data")
    assert shown.exit_code == 1
    assert "must lie between 0 and 1" in flat(shown.output)


def test_json_holds_findings_rules_and_cells_and_nothing_else_is_printed(check: Check, folder: Path) -> None:
    shown = check(folder / "tiny.yaml", "--format", "json")
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    assert document["cells"] == {"baseline": 1, "rules": 3}
    by_code = {finding["code"]: finding for finding in document["findings"]}
    contradicted = by_code["data-contradict"]
    assert set(contradicted) == {"file", "code", "severity", "sentence", "rules", "witness", "where"}
    assert (contradicted["severity"], contradicted["rules"]) == ("warning", ["looks"])
    assert contradicted["witness"]["visits"] >= 1
    (base,) = document["knowledge"]
    looks = base["rules"][0]
    assert (base["n_rules"], looks["id"], looks["certainty"]) == (2, "looks", pytest.approx(0.8))
    assert looks["data"]["low"] < looks["data"]["estimate"] < looks["data"]["high"] < 0
    assert base["n_rows"] > looks["n_fires"] >= looks["n_counts"] > 0
    alone = json.loads(check(base["file"], "--format", "json").stdout)
    assert (alone["cells"], alone["knowledge"][0]["rules"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("visits >= 1", "visitz >= 1"), "did you mean 'visits'"),
        (lambda text: text + "  - [", "not valid YAML"),
        (lambda text: "colour: red\n", "neither a knowledge base"),
        (lambda text: "", "knowledge_base, predicts"),
        (lambda text: text.replace("knowledge_base: orders\n", ""), "'knowledge_base' is missing"),
        (lambda text: EXPERIMENT.replace("tracks:", "trakcs:"), "did you mean 'tracks'"),
        (lambda text: EXPERIMENT.replace("experiment: tiny\n", ""), "'experiment' is missing"),
    ],
)
def test_what_cannot_be_read_ends_with_2(
    change: Callable[[str], str], message: str, check: Check, knowledge: Path
) -> None:
    knowledge.write_text(change(KNOWLEDGE))
    shown = check(knowledge)
    assert shown.exit_code == 2, shown.output
    assert message in flat(shown.stderr)
    assert "orders.yaml" in shown.stderr


def test_a_file_that_is_not_there_ends_with_2(check: Check, tmp_path: Path) -> None:
    shown = check(tmp_path / "nothing.yaml")
    assert shown.exit_code == 2
    assert "nothing.yaml" in shown.stderr


def test_rows_come_from_the_first_experiment_that_uses_it_or_the_one_named(
    check: Check, folder: Path, knowledge: Path
) -> None:
    (folder / "aaa.yaml").write_text(EXPERIMENT.replace("knowledge/orders.yaml", "knowledge/other.yaml"))
    (folder / "broken.yaml").write_text("experiment: [")
    (folder / "more.yaml").write_text(EXPERIMENT.replace("n_clusters: 300", "n_clusters: 90"))
    first = flat(check(knowledge, "--data").output).replace(" ", "")
    assert f"{folder}/more.yaml".replace(" ", "") in first
    named = flat(check(knowledge, "--experiment", folder / "tiny.yaml").output).replace(" ", "")
    assert f"{folder}/tiny.yaml" in named


def test_without_an_experiment_it_says_how_to_name_one(check: Check, folder: Path, knowledge: Path) -> None:
    (folder / "tiny.yaml").unlink()
    shown = check(knowledge, "--data")
    assert shown.exit_code == 2
    assert "--experiment experiments/retail.yaml" in flat(shown.stderr)


def test_an_experiment_needs_no_other(check: Check, folder: Path) -> None:
    shown = check(folder / "tiny.yaml", "--experiment", folder / "tiny.yaml")
    assert shown.exit_code == 2
    assert "this is one itself" in flat(shown.stderr)


def test_a_run_refuses_rules_with_errors_before_training(folder: Path, knowledge: Path) -> None:
    knowledge.write_text(KNOWLEDGE.replace("recency <= 60", "recency <= 60 and recency > 70"))
    ended = subprocess.run(
        [sys.executable, "-m", "toolkit.run", folder / "tiny.yaml", "--store", folder / "mlruns"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert re.search(r"orders\.yaml:11:\d+: ", ended.stderr)
    assert "see all findings with: toolkit check" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_teaches(check: Check) -> None:
    shown = check("--help")
    assert shown.exit_code == 0
    for word in ("--data", "--experiment", "--format", "Exit codes"):
        assert word in shown.output


@pytest.mark.retail
def test_the_retail_rules_are_held_against_training_weeks_only(check: Check) -> None:
    shown = check("experiments/knowledge/retail.yaml", "--data", "--format", "json")
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    (base,) = document["knowledge"]
    assert base["experiment"] == "experiments/retail.yaml"
    rules = {rule["id"]: rule for rule in base["rules"]}
    assert len(rules) == 25
    assert 200_000 < base["n_rows"] < 300_000, "households of the largest rung at two dates"
    # No Thanksgiving and no Christmas lies in a training week.
    assert rules["holiday-cooking"]["n_fires"] == 0
    assert not [one for one in document["findings"] if one["severity"] == "error"]
    assert not re.search(r"household_id|cluster", shown.stdout.replace("n_clusters", ""))
