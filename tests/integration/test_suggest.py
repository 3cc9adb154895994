"""`toolkit suggest` as a user meets it: the file it writes, what it says, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from toolkit.cli import app
from toolkit.config import load as load_experiment
from toolkit.context import training_rows
from toolkit.knowledge.base import load
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.sweep.plan import build_task
from toolkit.tasks.base import Task
from toolkit.tasks.synthetic import SCHEMA, Synthetic

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def suggest(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["suggest", *map(str, arguments)])


def experiment(folder: Path, *, knowledge: bool = True, **changes: Any) -> Path:
    """Write the smoke experiment, with or without its knowledge base."""
    data = yaml.safe_load((EXPERIMENTS / "smoke.yaml").read_text())
    if not knowledge:
        data["tracks"] = {"baseline": {"column": "habit_probability"}, "classical": {}}
        data["economics"].pop("hours")
        data["economics"].get("sources", {}).pop("hours", None)
    data["task"] |= changes.pop("task", {})
    path = folder / "smoke.yaml"
    path.write_text(yaml.safe_dump(data | changes))
    (folder / "knowledge").mkdir()
    shutil.copy(EXPERIMENTS / "knowledge" / "smoke.yaml", folder / "knowledge")
    return path


def test_suggestions_become_a_knowledge_base_beside_the_experts(tmp_path: Path) -> None:
    path = experiment(tmp_path)
    experts = tmp_path / "knowledge" / "smoke.yaml"
    before = experts.read_bytes()
    result = suggest(path)
    assert result.exit_code == 0, result.output
    assert experts.read_bytes() == before
    found = load(tmp_path / "knowledge" / "smoke-suggestions.yaml")
    known = load(experts)
    assert (found.prior, found.outcome, found.predicts) == (known.prior, known.outcome, known.predicts)
    assert 0 < len(found.rules) <= 10
    assert {rule.owner for rule in found.rules} == {"mined"}
    assert all(rule.because.startswith("Mined, not judged: ") for rule in found.rules)
    assert all(0.1 <= rule.strength <= 0.9 for rule in found.rules)
    # what the made-up truth holds and the experts have not written: one complaint without a discount
    assert any("complaints" in rule.when and "discount < 0.3" in rule.when for rule in found.rules)
    assert not {rule.when for rule in found.rules} & {rule.when for rule in known.rules}


def test_the_file_passes_every_check_and_compiles_against_the_task(tmp_path: Path) -> None:
    suggest(experiment(tmp_path))
    found = load(tmp_path / "knowledge" / "smoke-suggestions.yaml")
    assert not [each for each in check_knowledge(found, SCHEMA) if each.severity != "info"]
    features = Synthetic().load(rung=None, seed=0).valid.features
    fired = compile_knowledge(found, SCHEMA).firings(features)
    assert fired.any(axis=0).all()


def test_the_header_and_the_terminal_tell_what_it_is_and_what_to_do(tmp_path: Path) -> None:
    path = experiment(tmp_path)
    result = suggest(path)
    text = (tmp_path / "knowledge" / "smoke-suggestions.yaml").read_text()
    header = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    assert "a person must read every rule" in header
    assert "3,966 training rows of 200 customers" in header
    assert "no validation or test row" in header
    for part in (
        "5 rules of smoke.yaml",
        "proposed rules hold on the",
        "toolkit check",
        "smoke-suggestions.yaml",
    ):
        assert part in result.output.replace("\n", " ")
    assert "new" in result.output


def test_the_same_experiment_gives_the_same_file(tmp_path: Path) -> None:
    path = experiment(tmp_path)
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    suggest(path, "--output", first)
    suggest(path, "--output", second)
    assert first.read_bytes() == second.read_bytes()


def test_rules_limits_their_number(tmp_path: Path) -> None:
    path = experiment(tmp_path, knowledge=False)
    suggest(path, "--rules", "2")
    assert len(load(tmp_path / "smoke-suggestions.yaml").rules) == 2


def test_without_a_knowledge_base_the_file_is_the_start_of_one(tmp_path: Path) -> None:
    path = experiment(tmp_path, knowledge=False)
    result = suggest(path)
    assert result.exit_code == 0, result.output
    found = load(tmp_path / "smoke-suggestions.yaml")
    assert found.prior == "habit_probability"
    assert list(found.columns) == list(SCHEMA.names)
    assert [spec.unit for spec in found.columns.values()] == [column.unit for column in SCHEMA.columns]
    assert any(rule.when == "visits >= 3" for rule in found.rules)
    assert "habit_probability" not in " ".join(rule.when for rule in found.rules)
    compile_knowledge(found, SCHEMA)


def test_without_a_column_for_a_prior_it_is_the_base_rate(tmp_path: Path) -> None:
    path = experiment(tmp_path, knowledge=False, tracks={"baseline": {}, "classical": {}})
    assert suggest(path).exit_code == 0
    read = load_experiment(path)
    task: Task = build_task(read)
    rate = training_rows(task, read).labels.mean()
    assert load(tmp_path / "smoke-suggestions.yaml").prior_probability == pytest.approx(rate, rel=0.01)


def test_validation_and_test_labels_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = experiment(tmp_path)
    suggest(path, "--output", tmp_path / "first.yaml")
    whole = Synthetic.load

    def blind(self: Synthetic, **options: Any) -> Any:
        data = whole(self, **options)
        for block in (data.valid, data.test):
            block.labels[:] = 1 - block.labels
            block.features.loc[:, :] = 0
        return data

    monkeypatch.setattr(Synthetic, "load", blind)
    suggest(path, "--output", tmp_path / "second.yaml")
    assert (tmp_path / "first.yaml").read_bytes() == (tmp_path / "second.yaml").read_bytes()


def test_an_existing_file_is_not_overwritten_without_a_word(tmp_path: Path) -> None:
    path = experiment(tmp_path)
    target = tmp_path / "knowledge" / "smoke-suggestions.yaml"
    target.write_text("mine")
    result = suggest(path)
    assert result.exit_code == 2
    assert "--force" in result.output
    assert target.read_text() == "mine"
    assert suggest(path, "--force").exit_code == 0
    assert load(target).rules


@pytest.mark.parametrize("taken", ["knowledge/smoke.yaml", "smoke.yaml"])
def test_what_a_person_wrote_is_never_overwritten(tmp_path: Path, taken: str) -> None:
    path = experiment(tmp_path)
    before = (tmp_path / taken).read_bytes()
    result = suggest(path, "--output", tmp_path / taken, "--force")
    assert result.exit_code == 2
    assert (tmp_path / taken).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "no/such/folder.yaml"], "there is no such folder"),
        (["--rules", "0"], "--rules"),
    ],
)
def test_mistakes_are_told_in_a_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = suggest(experiment(tmp_path), *arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_nothing_to_suggest_is_a_sentence_and_no_file(tmp_path: Path) -> None:
    path = experiment(tmp_path, knowledge=False, task={"strength": 0.0})
    result = suggest(path)
    assert result.exit_code == 0
    assert "Nothing to suggest" in result.output
    assert not (tmp_path / "smoke-suggestions.yaml").exists()


def test_too_few_clusters_are_told(tmp_path: Path) -> None:
    path = experiment(tmp_path, task={"n_clusters": 100})
    result = suggest(path)
    assert result.exit_code == 0
    assert "Nothing can be suggested: that takes 50 customers" in result.output
