"""YAML files that a person writes: read safely, with the place of every key for the messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from toolkit.errors import UserError, did_you_mean

__all__ = ["KeyPath", "Source", "Span", "explain", "first_problem", "read_mapping"]

MAX_BYTES = 1_000_000
KeyPath = tuple[str | int, ...]


class Span(NamedTuple):
    """Where an entry stands: line and column (from 1) of its key or item, and the slice of its value."""

    line: int
    column: int
    start: int
    end: int


@dataclass(frozen=True)
class Source:
    """A file that was read, and where everything in it stands.

    Parameters
    ----------
    file : Path
    text : str
    spans : mapping of path of keys to Span
    """

    file: Path
    text: str
    spans: Mapping[KeyPath, Span] = field(repr=False)

    def where(self, *path: str | int) -> str:
        """Return ``file:line:column`` of the longest known part of `path`."""
        for length in range(len(path), 0, -1):
            span = self.spans.get(tuple(path[:length]))
            if span is not None:
                return f"{self.file}:{span.line}:{span.column}"
        return f"{self.file}:1:1"

    def inside(self, path: KeyPath, value: str, offset: int) -> str:
        """Return ``file:line:column`` of a character of the text `value` that stands at `path`.

        YAML folds lines and indents, which changes white space only, so characters are counted without
        it. Where the text is written with escapes the place is that of its key.
        """
        span = self.spans.get(path)
        if span is None:
            return self.where(*path)
        written = [
            (index, character)
            for index, character in enumerate(self.text[span.start : span.end], span.start)
            if not character.isspace()
        ]
        wanted = [character for character in value if not character.isspace()]
        # what stands around a text: a quote at both ends, or | and > with their marks before it
        before = next(
            (skip for skip in range(4) if [c for _, c in written[skip : skip + len(wanted)]] == wanted), None
        )
        number = sum(not character.isspace() for character in value[:offset])
        if before is None or not wanted:
            return self.where(*path)
        index = written[before + number][0] if number < len(wanted) else written[before + number - 1][0] + 1
        line_start = self.text.rfind("\n", 0, index) + 1
        return f"{self.file}:{self.text.count(chr(10), 0, index) + 1}:{index - line_start + 1}"


class _RefusedError(yaml.MarkedYAMLError):
    """Sound YAML that is refused all the same."""

    def __init__(self, problem: str, mark: yaml.Mark) -> None:
        super().__init__(problem=problem, problem_mark=mark)


class _Loader(yaml.SafeLoader):
    """Safe loader that reads two things as YAML 1.2 does, where PyYAML does as YAML 1.1.

    5.0e9 is a number (not only 5.0e+9), and only true and false are truth values: Norway is not false.
    Aliases are refused: a few of them can stand for gigabytes.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark: yaml.Mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _RefusedError("YAML aliases (*name) are not allowed; write the value out", mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _spans(node: yaml.Node | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Span]]:
    """Yield the span of every path of keys; refuse double keys, of which PyYAML keeps the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _RefusedError("a key must be a plain word or number", key.start_mark)
            if key.value in seen:
                problem = f"key '{key.value}' stands twice in one mapping"
                raise _RefusedError(problem, key.start_mark)
            seen.add(key.value)
            yield (*path, key.value), _span(key.start_mark, value)
            yield from _spans(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), _span(value.start_mark, value)
            yield from _spans(value, (*path, index))


def _span(mark: yaml.Mark, value: yaml.Node) -> Span:
    return Span(mark.line + 1, mark.column + 1, value.start_mark.index, value.end_mark.index)


def _parse(text: str) -> tuple[Any, dict[KeyPath, Span]]:
    """Return the data and the span of every path of keys, from one pass over the text."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        spans = dict(_spans(node))
        return (None if node is None else loader.construct_document(node)), spans
    finally:
        loader.dispose()


def read_mapping(
    path: Path, *, what: str, example: str, keys: str, error: type[UserError]
) -> tuple[dict[str, Any], Source]:
    """Read a YAML file that is one mapping; safe loader, size limit, no aliases, no double keys.

    `what` (with its article), `example` and `keys` are words for the messages, `error` is the
    class to raise. Returns the data, and where every path of keys stands.
    """
    try:
        raw = path.read_bytes()
    except OSError as failure:
        raise error(
            f"cannot read {what} ({failure.strerror}); give the path of a YAML file such as {example}",
            where=str(path),
        ) from failure
    if len(raw) > MAX_BYTES:
        raise error(f"the file has {len(raw):,} bytes; {what} has at most {MAX_BYTES:,}", where=str(path))
    try:
        text = raw.decode("utf-8-sig")
        data, spans = _parse(text)
    except UnicodeDecodeError as failure:
        raise error(f"the file is not UTF-8 text (byte {failure.start})", where=str(path)) from failure
    except _RefusedError as failure:
        mark = failure.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise error(f"{failure.problem}", where=place) from failure
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise error(f"not valid YAML: {failure.problem}", where=place) from failure
    except (yaml.YAMLError, ValueError) as failure:
        raise error(f"not valid YAML: {failure}", where=str(path)) from failure
    except RecursionError as failure:
        raise error("the file is nested too deeply", where=str(path)) from failure
    if not isinstance(data, dict):
        raise error(f"{what} is a mapping with the keys {keys}", where=str(path))
    return data, Source(path, text, spans)


def _known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys that the model at `path` below `model` knows."""
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None:
            # An index into a list or a key of a dict: stay with the model found below.
            continue
        found = _model_in(field.annotation)
        if found is not None:
            model = found
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None


_PLAIN = {
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "string_type": "expected text; put a number in quotes",
    "string_pattern_mismatch": "use letters, digits, - and _, at most 64, the first a letter or digit",
    "too_short": "must not be empty",
}
"""Kinds of pydantic's errors whose own words are Python's -> words for a user."""


def explain(error: ValidationError, source: Source, model: type[BaseModel]) -> tuple[str, str]:
    """Return the place and the sentence of a failed validation of `model`; more lines for more."""
    problems = []
    # A misspelt key is unknown and leaves another one missing: the cause comes first.
    for detail in sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden"):
        location = _location(detail)
        name = ".".join(str(part) for part in location)
        if detail["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            problem = f"unknown key '{name}'{did_you_mean(str(location[-1]), known)}"
        else:
            problem = _sentence(detail, name)
        problems.append((source.where(*location), problem))
    first_place, first = problems[0]
    rest = "".join(f"\n{place}: {problem}" for place, problem in problems[1:])
    return first_place, first + rest


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Return the first key that failed and the sentence about it, for what is not YAML."""
    detail = error.errors()[0]
    name = ".".join(str(part) for part in _location(detail))
    return name, _sentence(detail, name)


def _location(detail: ErrorDetails) -> KeyPath:
    return tuple(part for part in detail["loc"] if not str(part).startswith("function-"))


def _sentence(detail: ErrorDetails, name: str) -> str:
    if detail["type"] == "missing":
        return f"key '{name}' is missing"
    message = detail["msg"].removeprefix("Value error, ")
    message = _PLAIN.get(detail["type"], message)
    if detail["type"] in ("dict_type", "model_type", "dataclass_type"):
        message = "expected a mapping (key: value)"
    got = detail["input"]
    tail = "" if isinstance(got, dict) else f" (got {got!r})"
    return f"'{name}': {message}{tail}" if name else message
