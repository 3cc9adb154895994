"""Learned values as a tree of plain JSON, beside arrays and files; `toolkit.models.unpacker` is the way back.

Plain in the tree are None, truth values, whole numbers, finite numbers, texts, lists and dicts with texts as
keys. Everything else is a dict with a key that starts with ``$``::

    {"$number": "inf"}                                  also -inf and nan
    {"$tuple": [...]}
    {"$map": [[key, value], ...]}                       a dict with other keys
    {"$array": "net_.weights.first", "axes": [1, 0]}    `axes` only where the memory is laid out otherwise
    {"$scalar": "name"}                                 a NumPy number: an array without dimensions
    {"$class": "toolkit.tracks._net.Net", "fields": {...}}
    {"$estimator": "estimator-0.skops"}                 scikit-learn or LightGBM, in a file of its own
    {"$knowledge": "knowledge.yaml"}                    a knowledge base, in a file of its own
    {"$expert_system": "knowledge.yaml"}                what it compiles to
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ModelError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.symbolic import ExpertSystem
from toolkit.models.classes import field_names, full_name, is_plain_class
from toolkit.models.estimators import is_estimator, pack_estimator

__all__ = ["Packer"]

DEEPEST = 100
"""Values that are nested deeper than this are taken for circular."""

KINDS = "biuf"
"""NumPy's letters for truth values, whole numbers and numbers."""


class Packer:
    """Turns values into a tree, and collects what has no place in it.

    Parameters
    ----------
    classes : mapping of str to type
        From `trusted_classes`: what could not be loaded again is not saved.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Contiguous, by the place of the value.
    estimators : dict of str to bytes
        Their files.
    knowledge : dict of str to KnowledgeBase
        By the names of their files.
    """

    def __init__(self, classes: Mapping[str, type[Any]]) -> None:
        self._classes = classes
        self._nodes: dict[int, dict[str, Any]] = {}
        self._kept: list[NDArray[Any]] = []
        self.arrays: dict[str, NDArray[Any]] = {}
        self.estimators: dict[str, bytes] = {}
        self.knowledge: dict[str, KnowledgeBase] = {}

    def pack_all(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the tree of named values.

        Raises
        ------
        ModelError
            A value is of a kind that cannot be saved; the message says where it is and what to do.
        """
        for value in values.values():
            if isinstance(value, KnowledgeBase):
                self._file(value)  # an expert system may come before its knowledge base
        return {name: self._pack(value, name, 0) for name, value in values.items()}

    def _pack(self, value: Any, at: str, depth: int) -> Any:
        if depth > DEEPEST:
            raise ModelError(f"cannot save {at[:60]}…: it is nested too deeply, or contains itself")
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"$number": repr(value)}
        if isinstance(value, np.generic | np.ndarray):
            return self._array(value, at)
        if type(value) in (list, tuple):
            items = [self._pack(item, f"{at}.{place}", depth + 1) for place, item in enumerate(value)]
            return items if type(value) is list else {"$tuple": items}
        if isinstance(value, Mapping):
            return self._mapping(value, at, depth)
        compiled = isinstance(value, KnowledgeBase | ExpertSystem)
        if type(value) in self._classes.values() and not compiled:
            fields = {name: getattr(value, name) for name in _fields(value, at)}
            packed = {name: self._pack(item, f"{at}.{name}", depth + 1) for name, item in fields.items()}
            return {"$class": full_name(type(value)), "fields": packed}
        return self._named(value, at)

    def _named(self, value: Any, at: str) -> dict[str, str]:
        """Return the node of what goes to a file of its own."""
        if isinstance(value, KnowledgeBase):
            return {"$knowledge": self._file(value)}
        if isinstance(value, ExpertSystem):
            return {"$expert_system": self._compiled(value, at)}
        if is_estimator(value):
            end, data = pack_estimator(value, at)
            file = f"estimator-{len(self.estimators)}{end}"
            self.estimators[file] = data
            return {"$estimator": file}
        raise ModelError(f"cannot save {at}, a {full_name(type(value))}: {_advice(type(value))}")

    def _mapping(self, value: Mapping[Any, Any], at: str, depth: int) -> dict[str, Any]:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: self._pack(item, f"{at}.{key}", depth + 1) for key, item in value.items()}
        pairs = [
            [self._pack(each, f"{at}.{place}", depth + 1) for each in pair]
            for place, pair in enumerate(value.items())
        ]
        return {"$map": pairs}

    def _array(self, value: np.generic | NDArray[Any], at: str) -> dict[str, Any]:
        if id(value) in self._nodes:
            return self._nodes[id(value)]
        array = np.asarray(value)
        if array.dtype.kind not in KINDS or array.dtype.itemsize > 8:
            raise ModelError(f"cannot save {at}: an array of {array.dtype} holds no plain numbers")
        if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
            raise ModelError(f"cannot save {at}: a {type(value).__name__} is more than its numbers")
        # a product of matrices may differ in its last bit when the same numbers lie in another order
        axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
        laid = array.transpose(axes)
        if not laid.flags.c_contiguous:
            axes, laid = list(range(array.ndim)), array
        name = at
        while name in self.arrays:
            name += "+"  # two places may read alike, as a.b does for a key with a point in it
        # reshaped, since of an array without dimensions NumPy makes one with
        self.arrays[name] = np.ascontiguousarray(laid, laid.dtype.newbyteorder("=")).reshape(laid.shape)
        if isinstance(value, np.generic):
            return {"$scalar": name}
        node: dict[str, Any] = {"$array": name}
        if axes != list(range(array.ndim)):
            node["axes"] = axes
        self._nodes[id(value)] = node
        self._kept.append(value)  # so that no other array gets its identity
        return node

    def _file(self, knowledge: KnowledgeBase) -> str:
        for file, known in self.knowledge.items():
            if known == knowledge:
                return file
        file = f"knowledge-{len(self.knowledge)}.yaml" if self.knowledge else "knowledge.yaml"
        self.knowledge[file] = knowledge
        return file

    def _compiled(self, system: ExpertSystem, at: str) -> str:
        for file, knowledge in self.knowledge.items():
            if knowledge.content_hash == system.content_hash:
                return file
        raise ModelError(
            f"cannot save {at}: an expert system is compiled anew from its knowledge base; keep that beside "
            "it, e.g. as knowledge_"
        )


def _fields(value: Any, at: str) -> list[str]:
    """Return the names of an object's fields, if it holds nothing else."""
    cls = type(value)
    names = field_names(cls)
    held = set(getattr(value, "__dict__", {}))
    cached = {name for name, each in inspect.getmembers_static(cls) if isinstance(each, cached_property)}
    beyond = sorted(held - {*names} - cached)
    if beyond:
        raise ModelError(
            f"cannot save {at}: {cls.__name__} holds {', '.join(beyond)} beside the arguments of its "
            "constructor, and would come back without"
        )
    return names


def _advice(cls: type[Any]) -> str:
    package = cls.__module__.partition(".")[0]
    if package == "pandas":
        return "rows of data are no part of a model; keep what was learned of them"
    if package == "torch":
        return "keep tensors as NumPy arrays, e.g. tensor.detach().numpy()"
    if package == "toolkit" and is_plain_class(cls):
        return "import the class at the top of the track's module, so that loading finds it"
    return (
        "keep numbers, texts, lists, tuples, dicts, NumPy arrays, dataclasses of this package, knowledge "
        "bases or scikit-learn estimators, or give the track a _state and a _restore"
    )
