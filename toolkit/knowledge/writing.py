"""A knowledge base as the text of a file that reads back as exactly the same knowledge base.

The layout is that of the files people write: keys in the order of the documentation, one column, test
or row of a table a line, one block a rule. What YAML or its readers could take for something else
(`no`, `1e5`, `12:30`, a date) stands in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import yaml
from pydantic import BaseModel, ValidationError

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.entries import ColumnSpec, Constraint, Example, Outcome, Rule
from toolkit.knowledge.tables import DecisionTable
from toolkit.yamltext import PLAIN, NotYamlError, parse

__all__ = ["write"]

WIDTH = 100
"""Characters of a line after which it is broken at the next space."""

ENDLESS = 10**9
"""Width where a column or a row of a table is to stay on its line."""

LONGEST_SET = 100
"""Characters of a set up to which it stands on one line."""

LARGEST_WHOLE = 1e15
"""Whole numbers are written without a decimal point up to here."""

_HEAD = ("knowledge_base", "description", "predicts", "outcome", "prior")


class _Dumper(yaml.SafeDumper):
    """Indents lists in mappings, and puts in quotes what any version of YAML takes for no text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


for _tag, (_pattern, _first) in PLAIN.items():
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def write(knowledge: KnowledgeBase) -> str:
    """Return a knowledge base as YAML.

    Parameters
    ----------
    knowledge : KnowledgeBase
        Decision tables that were read from files are written out in place.

    Returns
    -------
    str
        A line for every column, test and row of a table; other lines are broken after 100 characters.

    Raises
    ------
    KnowledgeError
        A text that no file can hold, such as one with control characters.
    """
    sections = [_section(list(_head(knowledge)))]
    columns = [(name, _column(spec)) for name, spec in knowledge.columns.items()]
    sections.append(_section([("columns", _mapping(columns))], ENDLESS))
    if knowledge.sets:
        sets = [(name, _set(values)) for name, values in knowledge.sets.items()]
        sections.append(_section([("sets", _mapping(sets))]))
    if knowledge.terms:
        terms = [(name, _value(text)) for name, text in knowledge.terms.items()]
        sections.append(_section([("terms", _mapping(terms))]))
    flags = {name for name, spec in knowledge.columns.items() if spec.type == "yes/no"}
    for part, entries in (
        ("rules", knowledge.rules),
        ("never", knowledge.never),
        ("always", knowledge.always),
    ):
        if entries:
            sections.append(_entries(part, [_entry(entry, flags) for entry in entries]))
        if part == "rules" and knowledge.tables:
            sections.append(_entries("tables", [_table(table) for table in knowledge.tables], ENDLESS))
    if not knowledge.rules and not knowledge.tables:
        sections.append("rules: []\n")
    if knowledge.authoring is not None:
        sections.append(_section([("authoring", _fields(knowledge.authoring, ("hours", "by", "note")))]))
    text = "\n".join(sections)
    _check(text, knowledge)
    return text


def _check(text: str, knowledge: KnowledgeBase) -> None:
    """Nothing leaves this module that would read back as something else."""
    try:
        data, _ = parse(text)
        again = KnowledgeBase.model_validate(data)
    except (NotYamlError, ValidationError) as error:
        raise KnowledgeError(f"the knowledge base holds what no file can: {error}") from error
    if again != knowledge:
        raise KnowledgeError("the knowledge base holds what no file can hold as it is")


def _head(knowledge: KnowledgeBase) -> Iterator[tuple[str, yaml.Node]]:
    for key in _HEAD:
        value = getattr(knowledge, key)
        if isinstance(value, Outcome):
            if value != Outcome():
                yield key, _fields(value, ("positive", "negative"), flow=True)
        elif value != "":
            yield key, _value(value)


def _column(spec: ColumnSpec) -> yaml.Node:
    fields: list[tuple[str, yaml.Node]] = [("type", _value(spec.type))]
    fields += [
        (key, _value(limit)) for key, limit in (("min", spec.min), ("max", spec.max)) if limit is not None
    ]
    if spec.values is not None:
        fields.append(("values", _list(map(_value, spec.values), flow=True)))
    if spec.missing is not None:
        flag = spec.type == "yes/no"
        fields.append(("missing", _answer(spec.missing) if flag else _value(spec.missing)))
    if spec.unit:
        fields.append(("unit", _value(spec.unit)))
    return _mapping(fields, flow=True)


def _entry(entry: Constraint, flags: set[str]) -> yaml.Node:
    keys = ("id", "when", "then", "certainty", "because", "group", "owner")
    fields = list(_pairs(entry, keys if isinstance(entry, Rule) else ("id", "when", "because", "owner")))
    if entry.tests:
        fields.append(("tests", _list([_test(test, flags) for test in entry.tests])))
    return _mapping(fields)


def _test(test: Example, flags: set[str]) -> yaml.Node:
    given = [(name, _answer(value) if name in flags else _value(value)) for name, value in test.given.items()]
    fires = _answer("yes" if test.fires else "no")
    return _mapping([("given", _mapping(given, flow=True)), ("fires", fires)], flow=True)


def _table(table: DecisionTable) -> yaml.Node:
    rows = [
        _mapping(
            [
                ("id", _value(row.id)),
                ("tests", _list(map(_value, row.tests), flow=True)),
                *_pairs(row, ("then", "certainty", "because", "group", "owner")),
            ],
            flow=True,
        )
        for row in table.rows
    ]
    inputs = _list(map(_value, table.inputs), flow=True)
    return _mapping(
        [*_pairs(table, ("table", "hit_policy")), ("inputs", inputs), ("rows", _list(rows, flow=not rows))]
    )


def _pairs(model: BaseModel, keys: Iterable[str]) -> Iterator[tuple[str, yaml.Node]]:
    """Yield the fields of a model that say more than when they are left out."""
    for key in keys:
        value = getattr(model, key)
        if value != type(model).model_fields[key].default:
            yield key, _value(value)


def _fields(model: BaseModel, keys: Iterable[str], *, flow: bool = False) -> yaml.Node:
    return _mapping(list(_pairs(model, keys)), flow=flow)


def _value(value: object) -> yaml.Node:
    """Return a text, number, truth value or nothing as a node."""
    if value is None:
        return yaml.ScalarNode("tag:yaml.org,2002:null", "null")
    if isinstance(value, bool):
        return yaml.ScalarNode("tag:yaml.org,2002:bool", str(value).lower())
    if isinstance(value, int | float):
        plain = value == int(value) and abs(value) <= LARGEST_WHOLE and str(value) != "-0.0"
        kind = "int" if plain else "float"
        return yaml.ScalarNode(f"tag:yaml.org,2002:{kind}", str(int(value)) if plain else repr(value))
    text = str(value)
    lines = text.rstrip("\n").split("\n")
    block = len(lines) > 1 and all(line and line == line.strip() for line in lines)
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style="|" if block else None)


def _answer(value: object) -> yaml.Node:
    """Return yes and no without quotes, as people write them; they are read as texts all the same."""
    if value in ("yes", "no"):
        return yaml.ScalarNode("tag:yaml.org,2002:bool", str(value))
    return _value(value)


def _mapping(fields: Iterable[tuple[str, yaml.Node]], *, flow: bool = False) -> yaml.Node:
    pairs = [(_value(key), node) for key, node in fields]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=flow or not pairs)


def _list(nodes: Iterable[yaml.Node], *, flow: bool = False) -> yaml.Node:
    return yaml.SequenceNode("tag:yaml.org,2002:seq", list(nodes), flow_style=flow)


def _set(values: tuple[str | float, ...]) -> yaml.Node:
    return _list(map(_value, values), flow=sum(len(str(value)) + 2 for value in values) <= LONGEST_SET)


def _section(fields: list[tuple[str, yaml.Node]], width: int = WIDTH) -> str:
    text: str = yaml.serialize(_mapping(fields), Dumper=_Dumper, allow_unicode=True, width=width)
    return text


def _entries(part: str, nodes: list[yaml.Node], width: int = WIDTH) -> str:
    """Return a list with an empty line between its entries."""
    heading = f"{part}:\n"
    texts = [_section([(part, _list([node]))], width).removeprefix(heading) for node in nodes]
    return heading + "\n".join(texts)
