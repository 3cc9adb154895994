from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from toolkit.cli import app
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.editor_schema import editor_schema, editor_schema_text
from toolkit.yamltext import parse

FOLDER = Path(__file__).parents[2] / "experiments" / "knowledge"
FILES = sorted(FOLDER.glob("*.yaml"))
SCHEMA = editor_schema()
WORDS_ONLY = {"description", "default", "title", "$schema", "$defs"}
KINDS: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def mistakes(schema: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """Yield what JSON schema says is wrong: the keywords that the schema uses, and no others."""
    for keyword, wanted in schema.items():
        if keyword in WORDS_ONLY:
            continue
        if keyword == "$ref":
            yield from mistakes(SCHEMA["$defs"][wanted.removeprefix("#/$defs/")], value, path)
        elif keyword == "anyOf":
            if all(any(mistakes(option, value, path)) for option in wanted):
                yield f"{path}: none of anyOf"
        elif keyword in ("properties", "additionalProperties", "items"):
            yield from _inside(keyword, schema, value, path)
        elif not _fits(keyword, wanted, value):
            yield f"{path}: {keyword} {wanted}"


def _inside(keyword: str, schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    if keyword == "items" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from mistakes(schema["items"], item, f"{path}.{index}")
    if keyword != "items" and isinstance(value, dict):
        known = schema.get("properties", {})
        for key, item in value.items():
            if keyword == "properties" and key in known:
                yield from mistakes(known[key], item, f"{path}.{key}")
            elif keyword == "additionalProperties" and key not in known:
                allowed = schema["additionalProperties"]
                yield from mistakes(allowed, item, f"{path}.{key}") if allowed else [f"{path}: key {key}"]


def _fits(keyword: str, wanted: Any, value: Any) -> bool:
    number = KINDS["number"](value)
    sized = isinstance(value, str | list | dict)
    checks: dict[str, Callable[[], bool]] = {
        "type": lambda: any(
            KINDS[kind](value) for kind in (wanted if isinstance(wanted, list) else [wanted])
        ),
        "enum": lambda: any(value == each and type(value) is type(each) for each in wanted),
        "const": lambda: number and value == wanted,
        "not": lambda: any(mistakes(wanted, value)),
        "required": lambda: not isinstance(value, dict) or set(wanted) <= set(value),
        "pattern": lambda: not isinstance(value, str) or re.search(wanted, value) is not None,
        "minLength": lambda: not isinstance(value, str) or len(value) >= wanted,
        "maxLength": lambda: not isinstance(value, str) or len(value) <= wanted,
        "minItems": lambda: not sized or len(value) >= wanted,
        "maxItems": lambda: not sized or len(value) <= wanted,
        "minProperties": lambda: not sized or len(value) >= wanted,
        "minimum": lambda: not number or value >= wanted,
        "maximum": lambda: not number or value <= wanted,
    }
    return checks[keyword]()


def test_the_committed_schema_is_what_the_models_say() -> None:
    committed = (FOLDER / "knowledge.schema.json").read_text(encoding="utf-8")
    assert committed == editor_schema_text(), "run: make schema"


def test_the_verb_prints_it() -> None:
    shown = CliRunner().invoke(app, ["schema"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout) == SCHEMA


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_bases_name_the_schema_and_fit_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=knowledge.schema.json\n")
    assert list(mistakes(SCHEMA, parse(text)[0])) == []


def test_every_key_is_described() -> None:
    for name, part in {"": SCHEMA, **SCHEMA["$defs"]}.items():
        assert part["description"], name
        for key, field in part["properties"].items():
            assert field.get("description"), f"{name}.{key}"


GOOD: dict[str, Any] = {
    "knowledge_base": "k",
    "predicts": "y",
    "prior": "5 %",
    "columns": {"n": {"type": "whole number", "min": 0}, "kind": {"type": "choice", "values": ["a"]}},
    "sets": {"s": ["a", 1]},
    "terms": {"t": "n > 1"},
    "rules": [
        {
            "id": "r",
            "when": "t",
            "then": "buys",
            "certainty": "likely",
            "because": "So.",
            "tests": [{"given": {"n": 3}, "fires": "yes"}],
        }
    ],
    "tables": [
        {
            "table": "p",
            "hit_policy": "first",
            "inputs": ["n"],
            "rows": [{"id": 1, "tests": ["> 3"], "then": "buys", "certainty": 0.5, "because": "So."}],
        }
    ],
    "never": [{"id": "f", "when": "n > 9", "because": "The law."}],
    "authoring": {"hours": 3},
}


def changed(*path: Any, to: Any = None) -> dict[str, Any]:
    """Return the good file with one entry set, or removed without `to`."""
    data = copy.deepcopy(GOOD)
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return data


BAD = {
    "misspelt key": changed("ruls", to=[]),
    "misspelt key of a rule": changed("rules", 0, "becuase", to="x"),
    "no reason": changed("rules", 0, "because"),
    "empty reason": changed("rules", 0, "because", to=""),
    "number as an id": changed("rules", 0, "id", to=5),
    "infinite certainty": changed("rules", 0, "certainty", to=1),
    "no certainty at all": changed("rules", 0, "certainty", to=0),
    "unknown word": changed("rules", 0, "certainty", to="lkely"),
    "truth as a certainty": changed("rules", 0, "certainty", to=True),
    "number as a condition": changed("rules", 0, "when", to=3),
    "odd answer": changed("rules", 0, "tests", 0, "fires", to="maybe"),
    "misspelt key of a test": changed("rules", 0, "tests", 0, "give", to={}),
    "list in a test": changed("rules", 0, "tests", 0, "given", "n", to=[3]),
    "unknown type": changed("columns", "n", "type", to="integer"),
    "text as a limit": changed("columns", "n", "min", to="none"),
    "no values": changed("columns", "kind", "values", to=[]),
    "no columns": changed("columns", to={}),
    "empty set": changed("sets", "s", to=[]),
    "list as a term": changed("terms", "t", to=["n"]),
    "number as a prior": changed("prior", to=0.05),
    "no prior": changed("prior"),
    "rules as a mapping": changed("rules", to={"r": {}}),
    "odd letter as a hit policy": changed("tables", 0, "hit_policy", to="X"),
    "table without inputs": changed("tables", 0, "inputs", to=[]),
    "certainty of a row": changed("tables", 0, "rows", 0, "certainty", to="sure"),
    "empty group": changed("rules", 0, "group", to=""),
    "certainty of a hard fact": changed("never", 0, "certainty", to="certain"),
    "hours below zero": changed("authoring", "hours", to=-1),
    "neither rules nor tables": {
        key: GOOD[key] for key in ("knowledge_base", "predicts", "prior", "columns")
    },
}


def test_the_good_file_is_good() -> None:
    assert list(mistakes(SCHEMA, GOOD)) == []
    KnowledgeBase.model_validate(GOOD)


@pytest.mark.parametrize("name", BAD)
def test_schema_and_reader_refuse_the_same_mistakes(name: str) -> None:
    assert any(mistakes(SCHEMA, BAD[name]))
    with pytest.raises(ValidationError):
        KnowledgeBase.model_validate(BAD[name])


def test_names_of_tables_are_names_of_csv_files() -> None:
    assert not any(mistakes(SCHEMA, changed("tables", 0, to="prices.csv")))
    assert any(mistakes(SCHEMA, changed("tables", 0, to="prices.yaml")))
