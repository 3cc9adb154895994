"""Plug-ins by file name: ``tracks/tree.py`` is the track ``tree``, with no list to edit."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import json
import pkgutil
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from toolkit.errors import ParameterError, did_you_mean

__all__ = ["KINDS", "build", "names", "plugin"]

KINDS = {"tasks": "Task", "tracks": "Track", "meters": "Meter", "report.sections": "Section"}
"""Package of each kind of plug-in below ``toolkit`` -> its base class in that kind's ``base.py``."""


def _base(kind: str) -> type[Any]:
    package = kind.split(".", maxsplit=1)[0]
    base: type[Any] = getattr(importlib.import_module(f"toolkit.{package}.base"), KINDS[kind])
    return base


def names(kind: str) -> list[str]:
    """Return the names of all plug-ins of a kind, sorted.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    """
    package = importlib.import_module(f"toolkit.{kind}")
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in found if name != "base" and not name.startswith("_"))


def plugin(kind: str, name: str) -> type[Any]:
    """Import the plug-in's file and return its one concrete subclass.

    Raises
    ------
    ParameterError
        No such file; the message names the nearest.
    TypeError
        The file has none, or more than one, concrete subclass: a bug in the plug-in.
    """
    known = names(kind)
    if name not in known:
        raise ParameterError(f"there is no {KINDS[kind].lower()} '{name}'{did_you_mean(name, known)}")
    module = importlib.import_module(f"toolkit.{kind}.{name}")
    base = _base(kind)
    classes = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, base)
        and not inspect.isabstract(member)
        and member.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise TypeError(
            f"{module.__name__} must define exactly one concrete {base.__name__}, found {len(classes)}"
        )
    return classes[0]


def build(kind: str, name: str, params: Mapping[str, Any]) -> Any:
    """Build a plug-in from its parameters, checked by pydantic; unknown keys are refused.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    name : str
        The plug-in's file name without ``.py``.
    params : mapping
        Its dataclass fields, as the YAML gives them.

    Raises
    ------
    ParameterError
        An unknown plug-in or key, or a wrong value; `path` leads to it.
    """
    cls = plugin(kind, name)
    try:
        # as JSON, where strict means that a text is no number, and a path may still be a text
        return TypeAdapter(cls).validate_json(json.dumps(dict(params), default=_plain), strict=True)
    except ValidationError as error:
        problem, path = _explain(error, name, list(inspect.signature(cls).parameters))
        raise ParameterError(problem, path=path) from error


def _plain(value: Any) -> Any:
    """Return a value that JSON does not know as one that it does."""
    if isinstance(value, PurePath | dt.date):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    raise ParameterError(f"a parameter is of a kind that no file could give: {value!r}")


def _explain(error: ValidationError, name: str, known: list[str]) -> tuple[str, tuple[str | int, ...]]:
    """Return the sentence and the path of the first thing that is wrong; an unknown key comes first."""
    unknown = ("unexpected_keyword_argument", "extra_forbidden")
    detail = min(error.errors(), key=lambda each: each["type"] not in unknown)
    path = tuple(detail["loc"])
    key = ".".join(str(part) for part in path)
    if detail["type"] in unknown:
        return f"{name} has no parameter '{key}'{did_you_mean(key, known)}", path
    if detail["type"] in ("missing", "missing_argument"):
        return f"{name} needs the parameter '{key}'", path
    message = detail["msg"].removeprefix("Value error, ")
    if not key:
        return f"{name}: {message}", path
    return f"parameter '{key}' of {name}: {message} (got {detail['input']!r})", path
