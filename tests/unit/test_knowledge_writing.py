from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.writing import write

FOLDER = Path(__file__).parents[2] / "experiments" / "knowledge"

LAID_OUT = """\
knowledge_base: demo
predicts: cancels
outcome: {positive: 'yes', negative: 'no'}
prior: 5 %

columns:
  Monthly Charges: {type: number, min: -0.5, max: 120, missing: 1e-07, unit: dollars a month}
  live: {type: yes/no, missing: no, unit: 'a customer: today'}
  plan: {type: choice, values: ['no', '1', '2020-01-01', '12:30', gold], missing: gold}

sets:
  small: [gold, 1, '1', 0.5]
  large:
    - a plan that has a rather long name, 1
    - a plan that has a rather long name, 2
    - a plan that has a rather long name, 3

terms:
  dear: '`Monthly Charges` > 70'

rules:
  - id: first
    when: dear and live
    then: 'yes'
    certainty: likely
    because: |
      It is dear.
      And it is used.
    group: g
    owner: sales
    tests:
      - {given: {Monthly Charges: 80, live: yes}, fires: yes}
      - {given: {Monthly Charges: 80, live: true, plan: 'no'}, fires: yes}
      - {given: {}, fires: no}

  - id: second
    when: plan == "gold" and not live and `Monthly Charges` > 10 and `Monthly Charges` < 100 and plan
      not in ["1", "2020-01-01"]
    then: 'no'
    certainty: -0.25
    because: So.

tables:
  - table: prices
    hit_policy: first
    inputs: [live, plan]
    rows:
      - {id: '1', tests: ['yes', gold], then: 'yes', certainty: slightly, because: A reason that is long enough to be broken where it may be broken.}
      - {id: other, tests: ['-', '-'], then: 'no', certainty: 0.1, because: Otherwise.}

never:
  - id: law
    when: plan == "no"
    because: The law.

authoring:
  hours: 2.5
  by: sales
"""  # noqa: E501


def from_text(text: str, folder: Path) -> KnowledgeBase:
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return load(folder / "rules.yaml")


def test_the_layout_is_the_one_people_write(tmp_path: Path) -> None:
    assert write(from_text(LAID_OUT, tmp_path)) == LAID_OUT


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_bases_are_written_and_read_back_the_same(file: Path, tmp_path: Path) -> None:
    knowledge = load(file)
    again = from_text(write(knowledge), tmp_path)
    assert again == knowledge
    assert again.content_hash == knowledge.content_hash
    assert again.groups == knowledge.groups
    assert again.conditions() == knowledge.conditions()


def test_texts_stay_texts_for_every_reader_of_yaml(tmp_path: Path) -> None:
    data = yaml.safe_load(write(from_text(LAID_OUT, tmp_path)))
    assert data["columns"]["plan"]["values"] == ["no", "1", "2020-01-01", "12:30", "gold"]
    assert data["outcome"] == {"positive": "yes", "negative": "no"}


@pytest.mark.parametrize("text", ["a\x1b[2J", "a\0b", "a\u202eb", "a\u2028b", "x" * 20_001])
def test_what_no_file_can_hold_is_refused(text: str) -> None:
    data = {"knowledge_base": text, "predicts": "y", "prior": "5 %", "columns": {"n": {}}, "rules": []}
    with pytest.raises(KnowledgeError, match="holds what no file can"):
        write(KnowledgeBase.model_validate(data))
