"""A JSON schema of knowledge bases, so that editors complete keys and mark mistakes while one writes.

It is made from the models that read the file, with their docstrings as descriptions. An editor with a
YAML language server finds it by the first line of a file::

    # yaml-language-server: $schema=knowledge.schema.json

What a schema cannot say - names that conditions use, tests that pass - `toolkit check` does.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from pydantic import BaseModel

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.entries import Authoring, ColumnSpec, Constraint, Example, Outcome, Rule
from toolkit.knowledge.tables import DecisionTable, TableRow

__all__ = ["editor_schema", "editor_schema_text"]

_MODELS = (Authoring, ColumnSpec, Constraint, DecisionTable, Example, Outcome, Rule, TableRow)

_PARAMETER = re.compile(r"^(\w+(?:, \w+)*)(?: : .*)?$((?:\n    .*)*)", re.MULTILINE)
"""A parameter of a numpydoc docstring: its names, and the indented lines that describe it."""


def editor_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a knowledge base."""
    schema: dict[str, Any] = KnowledgeBase.model_json_schema()
    definitions = schema.pop("$defs")
    for model in _MODELS:
        _describe(definitions[model.__name__], model)
    _describe(schema, KnowledgeBase)
    table = {"$ref": "#/$defs/DecisionTable"}
    file = {
        "type": "string",
        "pattern": r"\.[cC][sS][vV]$",
        "description": "A CSV file in this folder or below.",
    }
    schema["properties"]["tables"]["items"] = {"anyOf": [file, table]}
    schema["anyOf"] = [{"required": ["rules"]}, {"required": ["tables"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Knowledge base",
        **schema,
        "$defs": definitions,
    }


def editor_schema_text() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(editor_schema(), indent=2, ensure_ascii=False) + "\n"


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Put the docstring's words in the place of pydantic's titles, and leave defaults to the words."""
    described: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if owner is not BaseModel and issubclass(owner, BaseModel):
            described |= _parameters(owner)
    schema["description"] = _plain((inspect.getdoc(model) or "").split("\n\n")[0])
    schema.pop("title", None)
    for name, field in schema["properties"].items():
        field.pop("title", None)
        if field.get("default", ()) in (None, "", [], {}):
            field.pop("default")
        if name in described:
            field["description"] = described[name]


def _parameters(model: type[BaseModel]) -> dict[str, str]:
    document = inspect.cleandoc(model.__doc__ or "")
    _, _, section = document.partition("Parameters\n----------\n")
    return {
        name: _plain(match[2])
        for match in _PARAMETER.finditer(section)
        for name in match[1].split(", ")
        if match[2].strip()
    }


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "'").replace("`", "").split())
