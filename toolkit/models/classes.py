"""Which classes may be made from a saved track: only those that the track's own modules hold by name."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from types import ModuleType
from typing import Any

from pydantic import BaseModel

__all__ = ["field_names", "full_name", "is_plain_class", "trusted_classes"]

_PACKAGE = "toolkit."


def trusted_classes(module: ModuleType) -> dict[str, type[Any]]:
    """Return the plain classes of this package that a module uses, by their full names; see `is_plain_class`.

    Those are the ones that it, or a module that it takes something from, holds by name. All of these modules
    are imported by then, so nothing is imported to find out.
    """
    found: dict[str, type[Any]] = {}
    seen: set[str] = set()
    waiting = [module.__name__]
    while waiting:
        name = waiting.pop()
        if name in seen or not name.startswith(_PACKAGE) or name not in sys.modules:
            continue
        seen.add(name)
        for value in vars(sys.modules[name]).values():
            home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if not isinstance(home, str) or not home.startswith(_PACKAGE):
                continue
            waiting.append(home)
            if isinstance(value, type) and is_plain_class(value):
                found[full_name(value)] = value
    return found


def is_plain_class(cls: type[Any]) -> bool:
    """Return whether a class is a dataclass, a named tuple or a pydantic model: fields, and nothing else."""
    return dataclasses.is_dataclass(cls) or _is_named_tuple(cls) or issubclass(cls, BaseModel)


def full_name(cls: type[Any]) -> str:
    """Return module and name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


def field_names(cls: type[Any]) -> list[str]:
    """Return the names of the arguments of a plain class's constructor."""
    if _is_named_tuple(cls):
        fields: tuple[str, ...] = cls._fields
        return list(fields)
    if issubclass(cls, BaseModel):
        return list(cls.model_fields)
    return [field.name for field in dataclasses.fields(cls) if field.init]


def _is_named_tuple(cls: type[Any]) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")
