from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase, load

ROOT = Path(__file__).parents[2]

TEXT = """\
knowledge_base: demo
predicts: buys_next_week
prior: habit
columns:
  habit: {type: number, min: 0, max: 1}
  n: {type: whole number, min: 0, max: 182}
  due: {type: number}
  gap: {type: number, missing: 90}
  live: {type: yes/no}
  goods: {type: choice, values: [milk, beer]}
sets:
  dry: [beer]
terms:
  good: regular and live
  regular: n >= 4
rules:
  - id: due
    when: regular and due >= 0.8
    then: buys
    certainty: likely
    because: The cupboard is empty.
    tests:
      - {given: {n: 5, due: 1}, fires: yes}
      - {given: {n: 5}, fires: no}
  - id: stocked
    when: good and goods in dry and gap >= 90
    then: does not buy
    certainty: 0.3
    because: It keeps.
    tests:
      - {given: {n: 5, live: yes, goods: beer}, fires: yes}
never:
  - {id: law, when: 'n > 100 and goods == "beer"', because: The law.}
"""


@pytest.fixture
def write(tmp_path: Path):
    def write_file(text: str) -> Path:
        file = tmp_path / "rules.yaml"
        file.write_text(text)
        return file

    return write_file


def test_reads_a_file_and_runs_its_tests(write) -> None:
    knowledge = load(write(TEXT))
    assert knowledge.run_tests() == 3
    assert [knowledge.certainty(rule) for rule in knowledge.rules] == [0.6, -0.3]
    assert knowledge.prior_probability is None
    assert (
        knowledge.where("rules", 1, "when", "x")
        == f"{knowledge.path}:{1 + TEXT[: TEXT.index('when: good and')].count(chr(10))}:5"
    )


@pytest.mark.parametrize(
    "when",
    [
        "when: nn >= 4",
        'when: "nn >= 4"',
        "when: 'nn >= 4'",
        "when:   n > 1  and nn >= 4",
        "when: n > 1\n      and nn >= 4",
        "when: >-\n      n > 1\n      and nn >= 4",
        "when: |\n      n > 1\n\n      and nn >= 4",
        "when: 'goods == \"beer\" and nn >= 4'",
    ],
)
def test_a_mistake_inside_a_condition_is_told_with_line_and_column(write, when: str) -> None:
    text = TEXT.replace("when: regular and due >= 0.8", when)
    file = write(text)
    with pytest.raises(KnowledgeError, match="unknown name 'nn'") as caught:
        load(file)
    before = text[: text.index("nn >= 4")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert caught.value.where == f"{file}:{line}:{column}"


def test_a_column_with_any_name_stands_in_backquotes(write) -> None:
    text = TEXT.replace("due: {type: number}", "days since (due): {type: number}")
    text = text.replace("due >= 0.8", "`days since (due)` >= 0.8").replace("due: 1", "days since (due): 1")
    assert load(write(text)).run_tests() == 3
    with pytest.raises(KnowledgeError, match=r"did you mean '`days since \(due\)`'"):
        load(write(text.replace("`days since (due)`", "`day since due`")))


def test_the_hash_sees_content_and_not_layout(write) -> None:
    knowledge = load(write(TEXT))
    assert load(
        write("# a comment\n\n" + TEXT.replace("{type: number}", "{ type:  number }"))
    ).content_hash == (knowledge.content_hash)
    assert load(write(TEXT.replace("0.3", "0.31"))).content_hash != knowledge.content_hash
    assert load(write(TEXT.replace("It keeps", "It lasts"))).content_hash != knowledge.content_hash


def test_a_word_and_its_number_are_different_texts_with_the_same_strength(write) -> None:
    knowledge = load(write(TEXT.replace("likely", "0.6")))
    assert knowledge.rules[0].strength == 0.6


def test_the_head_keeps_the_order_written(write) -> None:
    knowledge = load(write(TEXT))
    assert [rule.id for rule in knowledge.head(1).rules] == ["due"]
    assert knowledge.head(0).rules == ()
    assert knowledge.head(2) == knowledge
    assert knowledge.head(1).content_hash != knowledge.content_hash
    with pytest.raises(KnowledgeError, match="asked for 3 rules, but there are 2"):
        knowledge.head(3)


def test_a_percentage_is_a_prior(write) -> None:
    assert load(write(TEXT.replace("prior: habit", "prior: 9.5 %"))).prior_probability == pytest.approx(0.095)


def test_a_written_base_reads_back_the_same(write) -> None:
    knowledge = load(write(TEXT))
    again = load(write(yaml.safe_dump(knowledge.model_dump(mode="json"), sort_keys=False)))
    assert again == knowledge
    assert again.content_hash == knowledge.content_hash


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("because: It keeps.", "becuase: It keeps.", "did you mean 'because'"),
        ("because: It keeps.", "because: ''", "must not be empty"),
        ("regular and due", "regulr and due", "did you mean 'regular'"),
        ("due >= 0.8", "due >= open('x')", "calling a function is not allowed"),
        ("then: buys", "then: bys", "did you mean 'buys'"),
        ("certainty: likely", "certainty: lkely", "a certainty is one of certain, very likely"),
        ("certainty: likely", "certainty: 1", "hard fact belongs under never or always"),
        ("certainty: likely", "certainty: 0", "that is not 0"),
        ("certainty: likely", "certainty: yes", "a certainty is one of"),
        ("id: stocked", "id: due", "used twice"),
        ("id: law", "id: due", "used twice"),
        ("regular: n >= 4", "regular: n >= ", "cannot read the condition"),
        ("dry: [beer]", "due: [beer]", "already the name of one of the columns"),
        ("dry: [beer]", "is: [beer]", "cannot be a name"),
        ("due: {type: number}", "'the ` due': {type: number}", "cannot be the name of a column"),
        ("prior: habit", "prior: habbit", "did you mean 'habit'"),
        ("prior: habit", "prior: goods", "must be a number between 0 and 1, but is a choice"),
        ("prior: habit", "prior: 9.5", "write a percentage with its sign"),
        ("prior: habit", "prior: 0 %", "between 0 % and 100 %"),
        ("prior: habit", "prior: most %", "between 0 % and 100 %"),
        (
            "{n: 5}, fires: no",
            "{n: 5}, fires: yes",
            "rule 'due' should fire on its own test, but it does not",
        ),
        ("due: 1}, fires: yes", "due: 1}, fires: no", "should stay silent on its own test, but it fires"),
        ("{n: 5}", "{m: 5}", "unknown column 'm'"),
        ("{n: 5}", "{n: 500}", "outside the column's range: from 0 to 182"),
        ("{n: 5}", "{n: 5.5}", "expected a whole number"),
        ("{n: 5}", "{n: five}", "expected a number"),
        ("goods: beer}", "goods: bear}", "no such value 'bear'"),
        ("live: yes,", "live: 2,", "expected yes or no"),
        ("min: 0, max: 1}", "min: 1, max: 0}", "min 1 is above max 0"),
        ("{type: number}", "{type: number, values: [a]}", "only a choice has values"),
        ("values: [milk, beer]", "min: 3", "a choice has values, not min and max"),
        ("missing: 90", "missing: none", "expected a number"),
        ("{type: whole number, min: 0, max: 182}", "{type: integer}", "'columns.n.type'"),
        ("predicts: buys_next_week", "predicts: ' '", "'predicts': must not be blank"),
        ("predicts: buys_next_week", "predicts:", "'predicts': must not be empty$"),
        ("because: The cupboard is empty.", "because: '  '", "because': must not be blank"),
        ("because: The cupboard is empty.", "because:", "because': must not be empty$"),
        ("because: The cupboard is empty.", "because: Note: it is", "put the whole text in quotes"),
        ("because: The cupboard is empty.", "because: `it` is", "put the whole text in quotes"),
        ("because: The cupboard is empty.", "\tbecause: x", "indent with spaces, not tabs"),
        ("id: due", "id: ' '", "'rules.0.id': must not be blank"),
        ("id: due", r'id: "due\ndate"', "a name is one line"),
        ("id: due", r'id: "due\tdate"', "a name is one line"),
        ("when: regular and due >= 0.8", "when: ' '", "when': must not be blank"),
        ("certainty: likely", "certainty: likley", "did you mean 'likely'"),
        ("certainty: likely", "certainty: Likely", "did you mean 'likely'"),
        ("certainty: likely", "certainty: 0,3", "write a decimal point: 0.3"),
        ("certainty: likely", "certainty: 0.9991", "at most 0.999"),
        ("certainty: likely", "certainty: -0.9999999", "at most 0.999"),
        ("values: [milk, beer]", "values: [milk, beer, milk]", "the value 'milk' stands twice"),
        ("{type: yes/no}", "{type: yes/no, missing: maybe}", "expected yes or no, got 'maybe'"),
        ("{n: 5}, fires: no", "{n: 5}, fires: maybe", "fires': expected yes or no"),
        ("{type: number}", "{type: number, missing: -1, min: 0}", "range: at least 0"),
        ("{type: number}", "{type: number, missing: 9, max: 3}", "range: at most 3"),
        ("max: 1}", "max: 100}", "must be a number between 0 and 1, but its max is 100"),
        ("min: 0, max: 1}", "min: -1}", "must be a number between 0 and 1, but its min is -1"),
        ("prior: habit", "prior: 9,5 %", "; write 9.5 %"),
        ("regular and due", "regular and du\u0435", "did you mean 'due'.*U\\+0435, cyrillic small letter ie"),
    ],
)
def test_mistakes_name_the_line(write, old: str, new: str, message: str) -> None:
    text = TEXT.replace(old, new, 1)
    file = write(text)
    line = 1 + TEXT[: TEXT.index(old)].count("\n")
    with pytest.raises(KnowledgeError, match=message) as caught:
        load(file)
    assert (caught.value.where or "").startswith(f"{file}:{line}:")


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("    because: It keeps.\n", "", "- id: stocked", r"'rules.1.because' is missing"),
        ("dry: [beer]", "dry: [bear]", "when: good and", "'goods' has no value 'bear'.*did you mean 'beer'"),
        ("regular: n >= 4", "regular: good and n >= 4", "good: regular", "in a circle: good, regular"),
    ],
)
def test_mistakes_that_show_elsewhere_name_the_line_they_show_at(
    write, old: str, new: str, at: str, message: str
) -> None:
    file = write(TEXT.replace(old, new, 1))
    line = 1 + TEXT[: TEXT.index(at)].count("\n")
    with pytest.raises(KnowledgeError, match=message) as caught:
        load(file)
    assert (caught.value.where or "").startswith(f"{file}:{line}:")


def test_files_that_are_no_knowledge_base(write, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="cannot read a knowledge base"):
        load(tmp_path / "absent.yaml")
    with pytest.raises(KnowledgeError, match="a knowledge base is a mapping"):
        load(write("- a\n"))
    with pytest.raises(KnowledgeError, match="aliases"):
        load(write(TEXT.replace("[milk, beer]", "&v [milk, beer]").replace("[beer]", "*v")))
    with pytest.raises(KnowledgeError, match="YAML tags"):
        load(write("!!python/object/apply:os.system ['true']\n"))
    with pytest.raises(KnowledgeError, match="at most 1,000,000"):
        load(write("# " + "x" * 1_000_000))


def test_the_outcomes_differ(write) -> None:
    text = "outcome: {positive: stays, negative: stays}\n"
    with pytest.raises(KnowledgeError, match="positive and negative are both 'stays'"):
        load(write(TEXT + text))


def test_an_apostrophe_ends_a_text_in_quotes(write) -> None:
    old = "because: The cupboard is empty."
    with pytest.raises(KnowledgeError, match=r"put the whole text in quotes.* is written ''"):
        load(write(TEXT.replace(old, "because: 'It's fine'")))
    load(write(TEXT.replace(old, "because: 'It''s fine'")))


def test_values_that_are_no_texts_are_not_called_too_few_as_well(write) -> None:
    with pytest.raises(KnowledgeError, match=r"columns.goods.values.0': expected text") as caught:
        load(write(TEXT.replace("[milk, beer]", "[1, 2]")))
    assert "empty" not in str(caught.value)
    with pytest.raises(KnowledgeError, match=r"'columns\.goods\.values': must not be empty"):
        load(write(TEXT.replace("[milk, beer]", "[]")))


def test_an_experiment_is_no_knowledge_base(write) -> None:
    with pytest.raises(KnowledgeError, match=r":2:1: this is an experiment, not a knowledge base") as caught:
        load(write("description: x\nexperiment: small\nladder: {}\n"))
    assert "\n" not in str(caught.value)


def test_always_and_never_have_tests_too() -> None:
    fact = {"id": "a", "when": "n > 3", "because": "b", "tests": [{"given": {"n": 3}, "fires": True}]}
    base = {"knowledge_base": "k", "predicts": "y", "prior": "5 %", "columns": {"n": {}}, "rules": []}
    for part in ("never", "always"):
        with pytest.raises(KnowledgeError, match="rule 'a' should fire"):
            KnowledgeBase.model_validate({**base, part: [fact]}).run_tests()


@pytest.mark.parametrize(
    "file", sorted((ROOT / "experiments" / "knowledge").glob("*.yaml")), ids=lambda f: f.stem
)
def test_shipped_bases_are_sound_tested_and_priced(file: Path) -> None:
    knowledge = load(file)
    assert knowledge.run_tests() >= 1
    assert knowledge.authoring is not None
    assert knowledge.authoring.hours > 0


def test_the_example_of_the_documentation_is_read_and_passes_its_tests(write, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "knowledge.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    # the one file that it names and the page does not show
    (tmp_path / "promotions.csv").write_text(
        "C, due, then, certainty, because\n1, > 3, does not buy, slightly, So.\n"
    )
    assert load(write(example)).run_tests() == 2
