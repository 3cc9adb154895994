"""Values to a tree and back: what they are made of, how their memory lies, and what is refused."""

from __future__ import annotations

import json
import math
import sys
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import BaseModel, Field

from toolkit.errors import ModelError
from toolkit.models.classes import trusted_classes
from toolkit.models.packer import Packer
from toolkit.models.unpacker import Sources, Unpacker


@dataclass(frozen=True)
class Inner:
    weights: np.ndarray
    rate: float = 0.5

    @cached_property
    def total(self) -> float:
        return float(self.weights.sum())


@dataclass
class Outer:
    parts: tuple[Inner, ...]
    names: list[str]


class Pair(NamedTuple):
    low: float
    high: float


class Facts(BaseModel):
    number: int
    words: dict[str, str | float] = Field(default_factory=dict)


OWN = (Inner, Outer, Pair, Facts)
CLASSES = {f"toolkit.{cls.__name__}": cls for cls in OWN}


@pytest.fixture(autouse=True)
def of_this_package(monkeypatch):
    for cls in OWN:
        monkeypatch.setattr(cls, "__module__", "toolkit")


def nothing(name: str) -> object:
    raise ModelError(f"there is no {name}")


def back(value: object) -> object:
    packer = Packer(CLASSES)
    tree = json.loads(json.dumps(packer.pack_all({"a_": value}), allow_nan=False))

    def array(name: str) -> np.ndarray:
        assert packer.arrays[name].flags.c_contiguous
        return packer.arrays[name].copy()

    sources = Sources(array=array, estimator=nothing, knowledge=nothing, expert_system=nothing)
    return Unpacker(CLASSES, sources).unpack_all(tree)["a_"]


def same(first: object, second: object) -> bool:
    if type(first) is not type(second):
        return False
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return same(list(first.items()), list(second.items()))
    if isinstance(first, float):
        return (math.isnan(first) and math.isnan(second)) or (
            first == second and math.copysign(1, first) == math.copysign(1, second)
        )
    return first == second


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(
            st.text(max_size=5) | st.integers() | st.sampled_from(["$class", "$"]), inner, max_size=4
        )
    ),
    max_leaves=15,
)


@given(VALUES)
def test_plain_values_come_back_as_they_were(value):
    assert same(back(value), value)


@given(
    hnp.arrays(
        dtype=st.sampled_from(["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]),
        shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    st.randoms(use_true_random=False),
)
def test_arrays_come_back_with_their_bits_and_their_layout(array, random):
    axes = list(range(array.ndim))
    random.shuffle(axes)
    turned = array.transpose(axes)
    found = back(turned)
    assert isinstance(found, np.ndarray)
    assert found.dtype == turned.dtype
    assert found.shape == turned.shape
    assert found.tobytes() == turned.tobytes()
    if array.size and all(side > 1 for side in array.shape):
        assert found.strides == turned.strides


@pytest.mark.parametrize(
    "array", [np.arange(12.0)[::-2], np.arange(12).reshape(3, 4)[:, ::2], np.ones(3, ">f4")]
)
def test_views_and_foreign_byte_orders_keep_their_values(array):
    found = back(array)
    assert np.array_equal(found, array)
    assert found.dtype.isnative


@pytest.mark.parametrize("number", [np.float32(0.1), np.float64(0.1), np.int8(-3), np.bool_(True)])
def test_numpy_numbers_keep_their_precision(number):
    found = back({"x": number})["x"]
    assert type(found) is type(number)
    assert found == number


def test_objects_and_what_they_share_come_back():
    weights = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    value = Outer((Inner(weights), Inner(weights, 0.25)), ["a", "b"])
    assert value.parts[0].total == 10  # kept in the object, and not saved
    found = back(value)
    assert isinstance(found, Outer)
    assert found.names == ["a", "b"]
    assert found.parts[0].weights is found.parts[1].weights
    assert np.array_equal(found.parts[1].weights, weights)
    assert found.parts[1].rate == 0.25
    assert back(Pair(0.0, math.inf)) == Pair(0.0, math.inf)
    assert back((Facts(number=1, words={"a": 0.5}),)) == (Facts(number=1, words={"a": 0.5}),)


def test_places_that_read_alike_keep_apart():
    found = back({"a.b": np.zeros(1), "a": {"b": np.ones(1)}, 1: np.float64(2), (2, 3): np.float64(3)})
    assert found["a.b"][0] == 0
    assert found["a"]["b"][0] == 1
    assert found[1] == 2
    assert found[2, 3] == 3


class Stranger:
    pass


def circle() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


def laden() -> Outer:
    value = Outer((), [])
    value.extra = 1
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Stranger(), r"cannot save a_, a .*Stranger: keep numbers"),
        ({"x": [pd.DataFrame({"a": [1]})]}, r"a_\.x\.0, a pandas.*rows of data are no part"),
        (np.array(["a"]), "an array of <U1 holds no plain numbers"),
        (np.array([{}]), "an array of object"),
        (np.array([1j]), "an array of complex128"),
        (np.array(["2020-01-01"], "M8[D]"), "datetime64"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "MaskedArray is more than its numbers"),
        (circle(), "contains itself"),
        (laden(), "Outer holds extra beside the arguments"),
        ({1, 2}, "builtins.set"),
        (len, "builtin_function"),
        (b"abc", "bytes"),
    ],
)
def test_what_cannot_be_saved_is_named_with_its_place(value, message):
    with pytest.raises(ModelError, match=message):
        back(value)


def test_a_subclass_of_a_plain_type_is_not_flattened_in_silence():
    with pytest.raises(ModelError, match="cannot save"):
        back(type("Text", (str,), {})("a"))
    assert back(OrderedDict(a=1)) == {"a": 1}


@pytest.mark.parametrize(
    "node",
    [
        {"$class": "os.system", "fields": {}},
        {"$class": "toolkit.Inner", "fields": {"weights": 1, "__class__": 2}},
        {"$class": "toolkit.Inner", "fields": [1]},
        {"$class": "toolkit.Inner"},
        {"$class": "toolkit.Facts", "fields": {"extra": 1}},
        {"$class": ["toolkit.Inner"], "fields": {}},
        {"$class": "toolkit.Inner", "fields": {}, "more": 1},
        {"$array": "none"},
        {"$array": 3},
        {"$array": "x", "axes": [0, 0]},
        {"$array": "x", "axes": "10"},
        {"$number": "1e9"},
        {"$number": 1},
        {"$tuple": "ab"},
        {"$map": ["ab"]},
        {"$map": [[1]]},
        {"$estimator": 0},
        {"$import": "os"},
        {"$eval": "1"},
        {"$tuple": [], "b": 1},
    ],
)
def test_a_tree_that_nobody_packed_is_refused(node):
    def array(name: str) -> np.ndarray:
        if name != "x":
            nothing(name)
        return np.zeros((2, 3))

    sources = Sources(array=array, estimator=nothing, knowledge=nothing, expert_system=nothing)
    with pytest.raises(ModelError):
        Unpacker(CLASSES, sources).unpack_all({"a_": [node]})


def test_only_classes_that_a_tracks_modules_hold_are_trusted():
    import toolkit.models.loading
    import toolkit.sweep.cell
    import toolkit.tracks.baseline
    import toolkit.tracks.neural

    found = trusted_classes(sys.modules["toolkit.tracks.neural"])
    assert "toolkit.tasks.base.Schema" in found
    assert all(name.startswith("toolkit.") for name in found)
    assert not [
        name for name in found if name.startswith(("toolkit.sweep", "toolkit.store", "toolkit.models"))
    ]
    assert not [name for name in trusted_classes(toolkit.tracks.baseline) if "_net" in name]
