"""YAML text to data, and where everything in it stands; what nobody needs in a file of rules is refused.

Much of YAML 1.1 is a trap for the people who write a file or for those who trust it: aliases of a few
letters that stand for gigabytes, tags that name Python objects, keys that stand twice, `no` that is
false, `12:30` that is 750, `010` that is 8, texts that become dates. None of that is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.composer import Composer

__all__ = ["PLAIN", "KeyPath", "NotYamlError", "Span", "check_characters", "parse"]

MAX_DEPTH = 20
MAX_NODES = 100_000
"""Keys, values and lists of one file."""

MAX_TEXT = 20_000
"""Characters of one key or value."""

KeyPath = tuple[str | int, ...]

_STRANGE = re.compile(
    "[^\t\n\r -~\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
"""Control characters, line breaks that few programs show, and marks that turn the direction of writing."""

PLAIN = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(?:0|[1-9][0-9_]{0,30})", list("-+0123456789")),
    "float": (
        r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
"""What stands for something else than a text when it stands without quotes: pattern, first characters."""


_UNQUOTED = re.compile(
    "mapping values are not allowed|did not find expected key|expected <block end>|cannot start any token"
    "|found unexpected end of stream"
)
"""What PyYAML and libyaml say of a text that should stand in quotes."""


class Span(NamedTuple):
    """Where an entry stands: line and column (from 1) of its key or item, and the slice of its value."""

    line: int
    column: int
    start: int
    end: int


class NotYamlError(Exception):
    """The text is not YAML, or is refused all the same.

    Parameters
    ----------
    problem : str
    line, column : int, optional
        From 1.
    """

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        self.problem = problem
        self.line = line
        self.column = column
        super().__init__(problem)

    @classmethod
    def at(cls, problem: str, mark: Any) -> NotYamlError:
        """Return the error at a mark."""
        return cls(problem, mark.line + 1, mark.column + 1) if mark else cls(problem)


# libyaml, where PyYAML has it, is many times as fast; both give the same events.
_BASES: tuple[Any, ...] = (Composer, yaml.CSafeLoader) if yaml.__with_libyaml__ else (yaml.SafeLoader,)


class _Loader(*_BASES):  # type: ignore[misc]
    """Loader that composes in Python, where every event can be looked at before it is used."""

    def __init__(self, text: str) -> None:
        _BASES[-1].__init__(self, text)
        Composer.__init__(self)
        self.depth = 0
        self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        self.nodes += 1
        problem = None
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            problem = "YAML aliases (*name) and anchors (&name) are not allowed; write the value out"
        elif event.tag is not None:
            problem = "YAML tags (!name) are not allowed; put a text that begins with ! in quotes"
        elif self.nodes > MAX_NODES:
            problem = f"the file has more than {MAX_NODES:,} entries"
        elif self.depth == MAX_DEPTH:
            problem = f"the file is nested more than {MAX_DEPTH} deep"
        elif isinstance(event, yaml.ScalarEvent):
            problem = _wrong_text(event.value)
        if problem is not None:
            raise NotYamlError.at(problem, event.start_mark)
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _wrong_text(text: str) -> str | None:
    if len(text) > MAX_TEXT:
        return f"a text has at most {MAX_TEXT:,} characters"
    strange = _STRANGE.search(text)
    return f"the text holds the invisible character U+{ord(strange[0][0]):04X}" if strange else None


_Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def check_characters(text: str) -> None:
    """Refuse what an editor does not show, though a program reads it: control characters and the like.

    Raises
    ------
    NotYamlError
    """
    strange = _STRANGE.search(text)
    if strange is not None:
        line_start = text.rfind("\n", 0, strange.start()) + 1
        raise NotYamlError(
            f"the invisible character U+{ord(strange[0][0]):04X}; remove it",
            text.count("\n", 0, strange.start()) + 1,
            strange.start() - line_start + 1,
        )


def parse(text: str) -> tuple[Any, dict[KeyPath, Span]]:
    """Read one YAML document.

    Parameters
    ----------
    text : str

    Returns
    -------
    data : object
        Plain data; keys of mappings are texts.
    spans : dict of tuple to Span
        Where every path of keys stands.

    Raises
    ------
    NotYamlError
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        spans = dict(_spans(node))
        return (None if node is None else loader.construct_document(node)), spans
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYamlError.at(f"not valid YAML: {error.problem}{_advice(error, text)}", mark) from error
    except (yaml.YAMLError, ValueError) as error:
        raise NotYamlError(f"not valid YAML: {error}") from error
    finally:
        loader.dispose()


def _advice(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return "; indent with spaces, not tabs"
    if not _UNQUOTED.search(error.problem or ""):
        return ""
    return """; put the whole text in quotes: "..." or '...' (a ' inside '...' is written '')"""


def _spans(node: yaml.Node | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Span]]:
    """Yield the span of every path of keys; refuse double keys, of which PyYAML keeps the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise NotYamlError.at("a key must be a plain word or number", key.start_mark)
            if key.value in seen:
                raise NotYamlError.at(f"key '{key.value}' stands twice in one mapping", key.start_mark)
            seen.add(key.value)
            key.tag = "tag:yaml.org,2002:str"
            yield (*path, key.value), _span(key.start_mark, value)
            yield from _spans(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), _span(value.start_mark, value)
            yield from _spans(value, (*path, index))


def _span(mark: yaml.Mark, value: yaml.Node) -> Span:
    return Span(mark.line + 1, mark.column + 1, value.start_mark.index, value.end_mark.index)
