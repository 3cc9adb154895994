from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.gate import load_checked, refuse_errors
from toolkit.registry import build
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema((Column("p"), Column("n")))
TEXT = """\
knowledge_base: demo
predicts: y
prior: p
columns: {p: {}, n: {type: whole number}}
rules:
  - {id: one, when: n >= 1, then: buys, certainty: 0.5, because: one}
  - {id: two, when: n >= 2 and n < 2, then: buys, certainty: 0.5, because: two}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "demo base.yaml"
    place.write_text(TEXT)
    return place


def test_a_rule_that_can_never_fire_is_refused_with_its_place_and_what_to_run(file: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"'two'.*toolkit check '.*demo base\.yaml'$") as caught:
        load_checked(file, SCHEMA)
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{file}:7:")


@pytest.mark.parametrize("track", ["rules", "hybrid"])
def test_tracks_refuse_it_before_anything_runs(track: str, file: Path) -> None:
    with pytest.raises(KnowledgeError, match="toolkit check"):
        build("tracks", track, {"knowledge": file.name}).check(SCHEMA, file.parent)


def test_warnings_are_let_through(file: Path) -> None:
    file.write_text(TEXT.replace("n >= 2 and n < 2", "n >= 1"))  # says the same twice
    knowledge, system = load_checked(file, SCHEMA)
    assert system.rule_ids == ("one", "two")
    assert knowledge.content_hash == system.content_hash


def test_the_first_error_is_told_and_the_others_are_counted() -> None:
    found = [
        RuleFinding("a", "warning", "only a warning"),
        RuleFinding("b", "error", "first error", where="k.yaml:3:1"),
        RuleFinding("c", "error", "second error"),
    ]
    with pytest.raises(KnowledgeError, match=r"^k\.yaml:3:1: first error \(and 1 more\); see all findings"):
        refuse_errors(found, Path("k.yaml"))
    refuse_errors(found[:1], Path("k.yaml"))
