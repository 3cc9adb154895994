"""YAML files that a person writes: read safely, with the line of every key for the messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from toolkit.errors import UserError, did_you_mean

__all__ = ["KeyPath", "explain", "read_mapping"]

MAX_BYTES = 1_000_000
KeyPath = tuple[str | int, ...]


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


def _line_numbers(node: yaml.Node | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, int]]:
    """Yield the line of every path of keys; refuse double keys, of which PyYAML keeps the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _RefusedError("a key must be a plain word or number", key.start_mark)
            if key.value in seen:
                problem = f"key '{key.value}' stands twice in one mapping"
                raise _RefusedError(problem, key.start_mark)
            seen.add(key.value)
            yield (*path, key.value), key.start_mark.line + 1
            yield from _line_numbers(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _line_numbers(value, (*path, index))


def _parse(text: str) -> tuple[Any, dict[KeyPath, int]]:
    """Return the data and the line of every path of keys, from one pass over the text."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines = {(): 1, **dict(_line_numbers(node))}
        return (None if node is None else loader.construct_document(node)), lines
    finally:
        loader.dispose()


def read_mapping(
    path: Path, *, what: str, example: str, keys: str, error: type[UserError]
) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """Read a YAML file that is one mapping; safe loader, size limit, no aliases, no double keys.

    `what` (with its article), `example` and `keys` are words for the messages, `error` is the
    class to raise. Returns the data, and the line (from 1) of every path of keys.
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
        text = raw.decode("utf-8")
        data, lines = _parse(text)
    except UnicodeDecodeError as failure:
        raise error(f"the file is not UTF-8 text (byte {failure.start})", where=str(path)) from failure
    except _RefusedError as failure:
        mark = failure.problem_mark
        raise error(f"{failure.problem}", where=f"{path}:{mark.line + 1}" if mark else str(path)) from failure
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
    return data, lines


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


def explain(
    error: ValidationError, file: Path, lines: dict[KeyPath, int], model: type[BaseModel]
) -> tuple[str, str]:
    """Return ``file:line`` and the sentence of a failed validation of `model`; more lines for more."""
    problems = []
    # A misspelt key is unknown and leaves another one missing: the cause comes first.
    for detail in sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden"):
        location = tuple(part for part in detail["loc"] if not str(part).startswith("function-"))
        place = str(file)
        for length in range(len(location), -1, -1):
            if location[:length] in lines:
                place = f"{file}:{lines[location[:length]]}"
                break
        name = ".".join(str(part) for part in location)
        if detail["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            problems.append((place, f"unknown key '{name}'{did_you_mean(str(location[-1]), known)}"))
        elif detail["type"] == "missing":
            problems.append((place, f"key '{name}' is missing"))
        else:
            message = detail["msg"].removeprefix("Value error, ")
            message = _PLAIN.get(detail["type"], message)
            if detail["type"] in ("dict_type", "model_type", "dataclass_type"):
                message = "expected a mapping (key: value)"
            got = detail["input"]
            tail = "" if isinstance(got, dict) else f" (got {got!r})"
            problems.append((place, f"'{name}': {message}{tail}" if name else message))
    first_place, first = problems[0]
    rest = "".join(f"\n{place}: {problem}" for place, problem in problems[1:])
    return first_place, first + rest
