"""The checks as a whole: their order, their places, their budget, and the supermarket's rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.knowledge.base import load
from toolkit.knowledge.checks.findings import gravest_first
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.condition import holds

RETAIL = Path(__file__).parents[3] / "experiments" / "knowledge" / "retail.yaml"


def test_too_complex_a_rule_is_told_and_the_others_are_checked(knowledge, too_complex, the) -> None:
    wide, tangle = too_complex
    base = knowledge(tangle, "c1 > 2", "c1 > 3", columns=wide)
    assert the(base, "not-analysed").rules == ("r1",)
    assert the(base, "subsumed").rules == ("r3", "r2")


@pytest.mark.parametrize("steps", [0, 1, 3, 10, 30, 100, 300, 1000])
@pytest.mark.parametrize(
    "limit",
    [
        "boxes.links.MAX_STEPS",
        "boxes.overlaps.MAX_STEPS",
        "checks.analysed.MAX_TOTAL_STEPS",
        "checks.counting.MAX_TOTAL_STEPS",
        "boxes.table.MAX_EXACT",
    ],
)
def test_a_smaller_budget_finds_less_and_nothing_wrong(
    knowledge, entry, fact, monkeypatch: pytest.MonkeyPatch, limit: str, steps: int
) -> None:
    base = knowledge(
        "2 * x == 3 * y and x > 2",
        "2 * x == 3 * y and x > 3 and n > 1",
        ("y > x and y > n and x > 1", "does not buy"),
        ("y > x and x > n and n > 4 and y < 3", "does not buy"),
        "x > 2 and y < 1 or x > n and n > 3 or flag",
        ("x > 3 and y < 0 or n > y and y > 4 and x > n", "does not buy"),
        entry(7, "n > 5 and x != n", group="g"),
        entry(8, "n > 6 and x != n", group="g", certainty=0.1),
        never=[fact("a", "y > x and x > 1")],
        always=[fact("b", "x > y and n != y")],
    )

    def told() -> set[tuple[str, frozenset[str]]]:
        # An exception whose containment is not known is a conflict.
        same = {"exception": "conflict"}
        return {
            (same.get(one.code, one.code), frozenset({one.rules[0], other}))
            for one in check_knowledge(base)
            if one.code not in ("not-analysed", "gap")
            for other in one.rules
            if other != one.rules[0] or len(one.rules) == 1
        }

    everything = told()
    assert {code for code, _ in everything} >= {"never-fires", "subsumed", "conflict", "never-counts"}
    monkeypatch.setattr(f"toolkit.knowledge.{limit}", steps)
    assert told() <= everything


def test_no_rules_give_no_findings(knowledge, codes) -> None:
    assert codes(knowledge()) == []


def test_findings_name_file_line_and_column(the, tmp_path: Path) -> None:
    file = tmp_path / "k.yaml"
    file.write_text(
        "knowledge_base: k\npredicts: p\nprior: 10 %\ncolumns: {x: {type: number}}\nrules:\n"
        "  - {id: a, when: x > 3 and x < 2, then: buys, certainty: 0.1, because: b}\n"
    )
    assert the(load(file), "never-fires").where == f"{file}:6:13"


def test_the_gravest_come_first(knowledge) -> None:
    base = knowledge("x > 3", ("x > 4", "does not buy"), "x > 3", "x > 12")
    severities = [finding.severity for finding in check_knowledge(base)]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert gravest_first(reversed(check_knowledge(base)))[0].code == "never-fires"


def test_the_supermarkets_rules_have_no_mistake_and_a_short_list() -> None:
    base = load(RETAIL)
    findings = check_knowledge(base)
    assert {finding.severity for finding in findings} == {"info"}
    assert len(findings) <= 15
    conditions = dict(zip([rule.id for rule in base.all_rules], base.conditions().rules, strict=True))
    for finding in findings:
        if finding.code == "conflict" and finding.witness is not None:
            row = {name: base.columns[name].read(value) for name, value in finding.witness.items()}
            assert all(holds(conditions[rule], row) for rule in finding.rules)
