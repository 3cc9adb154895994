"""The tree that `toolkit.models.packer` describes, back as values. Nothing is imported by its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ModelError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.symbolic import ExpertSystem
from toolkit.models.classes import field_names

__all__ = ["Sources", "Unpacker"]

_NUMBERS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_BESIDE = {"$array": {"axes"}, "$class": {"fields"}}
"""What may stand beside a key that starts with ``$``."""


@dataclass(frozen=True)
class Sources:
    """Where what the tree only names comes from; each raises ModelError for what is not there."""

    array: Callable[[str], NDArray[Any]]
    estimator: Callable[[str], Any]
    knowledge: Callable[[str], KnowledgeBase]
    expert_system: Callable[[str], ExpertSystem]


@dataclass(frozen=True)
class Unpacker:
    """Turns a tree back into values.

    Parameters
    ----------
    classes : mapping of str to type
        From `trusted_classes`; no other class is made.
    sources : Sources
    """

    classes: Mapping[str, type[Any]]
    sources: Sources
    _arrays: dict[tuple[str, tuple[int, ...]], NDArray[Any]] = field(default_factory=dict)

    def unpack_all(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        """Return named values.

        Raises
        ------
        ModelError
            The tree is none that `Packer` makes, or names a class that is not trusted.
        """
        return {name: self._unpack(node) for name, node in tree.items()}

    def _unpack(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._unpack(item) for item in node]
        if not isinstance(node, dict):
            return node
        tag = next((key for key in node if key.startswith("$")), None)
        if tag is None:
            return {key: self._unpack(item) for key, item in node.items()}
        beside = set(node) - {tag} - _BESIDE.get(tag, set())
        if beside:
            raise ModelError(f"'{tag}' stands beside {', '.join(sorted(beside))}")
        return self._tagged(tag, node[tag], node)

    def _tagged(self, tag: str, value: Any, node: Mapping[str, Any]) -> Any:
        if tag in ("$tuple", "$map"):
            return self._collection(tag, value)
        if not isinstance(value, str):
            raise ModelError(f"'{tag}' names {value!r}")
        if tag == "$class":
            return self._object(value, node.get("fields"))
        if tag == "$array":
            return self._array(value, node.get("axes"))
        if tag == "$scalar":
            return self.sources.array(value)[()]
        if tag == "$number" and value in _NUMBERS:
            return _NUMBERS[value]
        if tag in ("$estimator", "$knowledge", "$expert_system"):
            return getattr(self.sources, tag.removeprefix("$"))(value)
        raise ModelError(f"'{tag}': '{value}' is nothing that a track saves")

    def _collection(self, tag: str, value: Any) -> tuple[Any, ...] | dict[Any, Any]:
        if not isinstance(value, list):
            raise ModelError(f"'{tag}' holds {value!r}")
        items = [self._unpack(item) for item in value]
        if tag == "$tuple":
            return tuple(items)
        if any(not isinstance(item, list) or len(item) != 2 for item in items):
            raise ModelError("'$map' holds something that is no pair")
        return dict(items)

    def _object(self, name: str, fields: Any) -> Any:
        cls = self.classes.get(name)
        if cls is None:
            raise ModelError(
                f"it names the class '{name}', which the track does not use; nothing is imported"
            )
        if not isinstance(fields, dict) or not set(fields) <= set(field_names(cls)):
            raise ModelError(f"its fields of {cls.__name__} are not those of this version")
        return cls(**{name: self._unpack(value) for name, value in fields.items()})

    def _array(self, name: str, axes: Any) -> NDArray[Any]:
        array = self.sources.array(name)
        order = list(range(array.ndim)) if axes is None else axes
        if not isinstance(order, list) or sorted(order) != list(range(array.ndim)):
            raise ModelError(f"the axes of the array '{name}' are {axes!r}")
        key = name, tuple(order)
        if key not in self._arrays:
            self._arrays[key] = array.transpose(np.argsort(order)) if order else array
        return self._arrays[key]
