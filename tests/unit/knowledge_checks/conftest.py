"""Knowledge bases of a few rules, and what the checks find in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.tasks.base import Schema

COLUMNS: dict[str, dict[str, Any]] = {
    "x": {"type": "number", "min": 0, "max": 10},
    "y": {"type": "number"},
    "n": {"type": "whole number", "min": 0, "max": 7},
    "filled": {"type": "whole number", "min": 0, "missing": 0},
    "flag": {"type": "yes/no"},
    "kind": {"type": "choice", "values": ["red", "green", "blue"]},
}

DULL = ("unused-column", "gap")


def make_entry(
    number: int, when: str, then: str = "buys", certainty: object = 0.2, **more: object
) -> dict[str, Any]:
    return {"id": f"r{number}", "when": when, "then": then, "certainty": certainty, "because": "b", **more}


def rules(*given: str | tuple[Any, ...] | dict[str, Any]) -> list[dict[str, Any]]:
    """Return rules r1, r2, ... from conditions, or (condition, outcome, certainty)."""
    return [
        one if isinstance(one, dict) else make_entry(number, *((one,) if isinstance(one, str) else one))
        for number, one in enumerate(given, 1)
    ]


def make_fact(name: str, when: str) -> dict[str, str]:
    return {"id": name, "when": when, "because": "l"}


def make_table(
    policy: str, *tests: tuple[str, ...], name: str = "t", outcome: str = "buys"
) -> dict[str, Any]:
    rows = [
        {"id": str(number), "tests": list(row), "then": outcome, "certainty": 0.2, "because": "b"}
        for number, row in enumerate(tests, 1)
    ]
    return {"table": name, "hit_policy": policy, "inputs": ["x", "kind"][: len(tests[0])], "rows": rows}


def make_knowledge(*given: str | tuple[Any, ...] | dict[str, Any], **parts: object) -> KnowledgeBase:
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "p",
            "prior": "10 %",
            "columns": COLUMNS,
            "rules": rules(*given),
            **parts,
        }
    )


def find(base: KnowledgeBase, code: str, schema: Schema | None = None) -> list[RuleFinding]:
    return [finding for finding in check_knowledge(base, schema) if finding.code == code]


def find_one(base: KnowledgeBase, code: str, schema: Schema | None = None) -> RuleFinding:
    (finding,) = find(base, code, schema)
    return finding


def codes_of(base: KnowledgeBase) -> list[str]:
    return [finding.code for finding in check_knowledge(base) if finding.code not in DULL]


@pytest.fixture(scope="session")
def columns() -> dict[str, dict[str, Any]]:
    return COLUMNS


@pytest.fixture(scope="session")
def too_complex() -> tuple[dict[str, dict[str, Any]], str]:
    """Columns, and a condition on them that is not analysed."""
    columns = {f"c{index}": {"type": "number"} for index in range(60)}
    tangle = " and ".join(f"(c{index} > 1 or c{index + 1} < 0)" for index in range(0, 60, 2))
    return columns, tangle


@pytest.fixture(scope="session")
def entry() -> Callable[..., dict[str, Any]]:
    return make_entry


@pytest.fixture(scope="session")
def fact() -> Callable[..., dict[str, str]]:
    return make_fact


@pytest.fixture(scope="session")
def table() -> Callable[..., dict[str, Any]]:
    return make_table


@pytest.fixture(scope="session")
def knowledge() -> Callable[..., KnowledgeBase]:
    return make_knowledge


@pytest.fixture(scope="session")
def found() -> Callable[..., list[RuleFinding]]:
    """The findings of a code."""
    return find


@pytest.fixture(scope="session")
def the() -> Callable[..., RuleFinding]:
    """The only finding of a code."""
    return find_one


@pytest.fixture(scope="session")
def codes() -> Callable[[KnowledgeBase], list[str]]:
    """The codes of all findings but the dull ones."""
    return codes_of
