"""YAML files that a person writes: read safely, with the place of every key for the messages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from toolkit.errors import UserError, did_you_mean, shorten
from toolkit.yamltext import KeyPath, NotYamlError, Span, check_characters, parse

__all__ = [
    "KeyPath",
    "Source",
    "Span",
    "explain",
    "first_problem",
    "plain_problem",
    "read_mapping",
    "read_text",
]

MAX_BYTES = 1_000_000

MAX_PROBLEMS = 10
"""Mistakes that one message lists."""


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


def read_text(path: Path, *, what: str, advice: str, error: type[UserError]) -> str:
    """Read a file of at most 1 MB that is visible UTF-8 text.

    Parameters
    ----------
    path : Path
    what : str
        What the file should be, with its article, for messages.
    advice : str
        What to do where it cannot be read.
    error : type of UserError
        Raised otherwise.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
            size = max(len(raw), os.fstat(file.fileno()).st_size)
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else failure
        raise error(f"cannot read {what} ({reason}); {advice}", where=str(path)) from failure
    if size > MAX_BYTES:
        raise error(f"the file has {size:,} bytes; {what} has at most {MAX_BYTES:,}", where=str(path))
    try:
        text = raw.decode("utf-8-sig")
        check_characters(text)
    except UnicodeDecodeError as failure:
        raise error(f"the file is not UTF-8 text (byte {failure.start})", where=str(path)) from failure
    except NotYamlError as failure:
        raise error(failure.problem, where=f"{path}:{failure.line}:{failure.column}") from failure
    return text


def read_mapping(
    path: Path, *, what: str, example: str, keys: str, error: type[UserError]
) -> tuple[dict[str, Any], Source]:
    """Read a YAML file that is one mapping; safe loader, size limit, no aliases, no double keys.

    `what` (with its article), `example` and `keys` are words for the messages, `error` is the
    class to raise. Returns the data, and where every path of keys stands.
    """
    text = read_text(path, what=what, advice=f"give the path of a YAML file such as {example}", error=error)
    try:
        data, spans = parse(text)
    except NotYamlError as failure:
        place = f"{path}:{failure.line}:{failure.column}" if failure.line else str(path)
        raise error(failure.problem, where=place) from failure
    if not isinstance(data, dict):
        raise error(f"{what} is a mapping with the keys {keys}", where=str(path))
    return data, Source(path, text, spans)


def _known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys that the model at `path` below `model` knows."""
    is_key = False
    for part in path:
        field = None if is_key else model.model_fields.get(str(part))
        is_key = False
        if field is None:
            # An index into a list or a key of a dict: stay with the model found below.
            continue
        found = _model_in(field.annotation)
        if found is not None:
            model = found
            # what follows is a name that the user gave, even where the model has a field of that name
            is_key = get_origin(field.annotation) is dict
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
    "string_too_short": "must not be empty",
    "bool_parsing": "expected yes or no",
    "bool_type": "expected yes or no",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "expected {expected}",
}
"""Kinds of pydantic's errors whose own words are Python's -> words for a user, with what the error knows."""


def plain_problem(detail: ErrorDetails) -> str:
    """Return what is wrong with a value, in words for a user and without the value."""
    kind, known = detail["type"], detail.get("ctx", {})
    if kind == "string_too_long":
        return f"has {len(detail['input']):,} characters, at most {known['max_length']:,} are allowed"
    if kind == "greater_than_equal" and known["ge"] == 0:
        return "must not be negative"
    words = _PLAIN.get(kind)
    if words is None:
        return detail["msg"].removeprefix("Value error, ")
    return words.format(**{name: _number(value) for name, value in known.items()})


def _number(value: object) -> object:
    return f"{value:.15g}" if isinstance(value, float) else value


def explain(error: ValidationError, source: Source, model: type[BaseModel]) -> tuple[str, str]:
    """Return the place and the sentence of a failed validation of `model`; more lines for more."""
    problems = []
    # A misspelt key is unknown and leaves another one missing: the cause comes first.
    details = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    # Of a list whose entries are all wrong nothing is left, and pydantic calls it too short as well.
    parents = {_location(each)[:-1] for each in details}
    details = [each for each in details if each["type"] != "too_short" or _location(each) not in parents]
    for detail in details[:MAX_PROBLEMS]:
        location = _location(detail)
        name = ".".join(str(part) for part in location)
        if detail["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            problem = f"unknown key '{shorten(name)}'{did_you_mean(str(location[-1]), known)}"
        else:
            problem = _sentence(detail, name)
        problems.append((source.where(*location), problem))
    first_place, first = problems[0]
    rest = "".join(f"\n{place}: {problem}" for place, problem in problems[1:])
    more = len(details) - MAX_PROBLEMS
    return first_place, first + rest + (f"\nand {more:,} more mistakes" if more > 0 else "")


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Return the first key that failed and the sentence about it, for what is not YAML."""
    detail = error.errors()[0]
    name = ".".join(str(part) for part in _location(detail))
    return name, _sentence(detail, name)


def _location(detail: ErrorDetails) -> KeyPath:
    return tuple(part for part in detail["loc"] if not str(part).startswith("function-"))


def _sentence(detail: ErrorDetails, name: str) -> str:
    name = shorten(name)
    if detail["type"] == "missing":
        return f"key '{name}' is missing"
    message = shorten(plain_problem(detail), 300)
    if detail["input"] is None and detail["type"] == "string_type":
        return f"'{name}': must not be empty"
    if detail["type"] in ("dict_type", "model_type", "dataclass_type"):
        message = "expected a mapping (key: value)"
    got = detail["input"]
    tail = "" if isinstance(got, dict | BaseModel) else f" (got {shorten(repr(got), 80)})"
    return f"'{name}': {message}{tail}" if name else message
