"""Rules with every kind of comparison, rows on and next to their thresholds, and how true they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.fuzzy.system import FuzzySystem, compile_fuzzy
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema(
    (
        *(Column(name) for name in ("p", "n", "m", "x", "y", "z", "live")),
        Column("goods", kind="category", levels=("milk", "beer", "rice")),
    )
)
COLUMNS: dict[str, Any] = {
    "p": {},
    "n": {"type": "whole number", "min": 0, "max": 30},
    "m": {"type": "whole number"},
    "x": {},
    "y": {"missing": 0.3},
    "z": {},
    "live": {"type": "yes/no"},
    "goods": {"type": "choice"},
}
EVERY_KIND = (
    ("n >= 5", 0.5, "g"),
    ("n > 5", -0.6, "g"),
    ("n < 5 or n <= 2", 0.3, "g"),
    ("n == 7", 0.4, None),
    ("n != 7", 0.4, None),
    ("m in [1, 4, 9]", -0.2, None),
    ("m not in [1, 4, 9]", -0.2, None),
    ("x >= 0.3", 0.7, "h"),
    ("x > 0.3", 0.1, "h"),
    ("x <= 0", 0.2, "h"),
    ("x < 0", -0.2, None),
    ("x == 0.3", 0.6, None),
    ("x != 0.3", 0.6, None),
    ("0.1 <= x <= 0.3", 0.5, None),
    ("not (0.1 <= x <= 0.3)", 0.5, None),
    ("y > 0.1 and not y > 0.5", 0.2, None),
    ("13 * n >= 4 * m", 0.2, None),
    ("n > m or 2 * n == m", 0.2, None),
    ("3 * x >= z", -0.8, None),
    ("x != z", 0.1, None),
    ("x < z and 0.3 * y <= 0.7 * x", 0.1, None),
    ("live", 0.2, None),
    ("not live", 0.2, None),
    ('goods in ["milk", "rice"]', 0.2, "i"),
    ('goods != "beer"', 0.3, "i"),
    ('(n >= 3 or (x > 0.2 and live)) and (goods == "beer" or not (m > 4 and z > 0))', 0.9, None),
)
NEVER = [
    {"id": "law", "when": 'goods == "beer" and not live', "because": "law"},
    {"id": "empty", "when": "m == 11", "because": "so"},
]
ALWAYS = [{"id": "standing", "when": "n >= 28", "because": "order"}]


def make_rule(when: str, certainty: float = 0.5, group: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": when, "when": when, "then": "buys", "certainty": certainty, "because": "so"} | (
        {"group": group} | more
    )


def make_base(*rules: dict[str, Any], **more: Any) -> KnowledgeBase:
    entries = {"knowledge_base": "k", "predicts": "y", "prior": "20 %", "columns": COLUMNS, "rules": rules}
    return KnowledgeBase.model_validate({**entries, **more})


def make_frame(**columns: Any) -> pd.DataFrame:
    n_rows = len(next(iter(columns.values())))
    data = {column.name: columns.get(column.name, [0.0] * n_rows) for column in SCHEMA.columns}
    return pd.DataFrame(data).astype(dict.fromkeys(SCHEMA.numbers, "float32") | {"goods": "int32"})


def compile_soft(*whens: str, **more: Any) -> FuzzySystem:
    return compile_fuzzy(make_base(*map(make_rule, whens)), SCHEMA, **more)


def truths_of(module: FuzzySystem, **columns: Any) -> np.ndarray:
    with torch.no_grad():
        return module.truth(module.inputs(make_frame(**columns))).exp().numpy()


def make_awkward(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Rows of which most lie on a threshold of `EVERY_KIND` or next to it."""
    generator = np.random.default_rng(seed)
    on = np.array([0.1, 0.2, 0.3, 0.5, 0.0, -0.0, 1e-45, -1e-45, 1e-38, 1e38, -1e38, np.nan], np.float32)
    near = np.concatenate([on, np.nextafter(on[:5], np.float32(9)), np.nextafter(on[:5], np.float32(-9))])
    reals = {name: generator.choice(near, n_rows) for name in ("x", "y", "z")}
    reals["z"] = np.where(generator.random(n_rows) < 0.3, 3 * reals["x"], reals["z"])
    reals["y"] = np.where(generator.random(n_rows) < 0.3, generator.random(n_rows), reals["y"])
    wholes = {name: generator.integers(0, 31, n_rows).astype(float) for name in ("n", "m")}
    wholes["n"][generator.random(n_rows) < 0.05] = np.nan
    return make_frame(
        **reals,
        **wholes,
        p=generator.random(n_rows),
        live=generator.choice([0, 1, np.nan], n_rows),
        goods=generator.integers(-1, 3, n_rows),
    )


@pytest.fixture(scope="session")
def schema() -> Schema:
    return SCHEMA


@pytest.fixture(scope="session")
def rule() -> Callable[..., dict[str, Any]]:
    return make_rule


@pytest.fixture(scope="session")
def base() -> Callable[..., KnowledgeBase]:
    return make_base


@pytest.fixture(scope="session")
def every_kind() -> KnowledgeBase:
    return make_base(*(make_rule(*each) for each in EVERY_KIND), prior="p", never=NEVER, always=ALWAYS)


@pytest.fixture(scope="session")
def frame() -> Callable[..., pd.DataFrame]:
    return make_frame


@pytest.fixture(scope="session")
def soft() -> Callable[..., FuzzySystem]:
    return compile_soft


@pytest.fixture(scope="session")
def truths() -> Callable[..., np.ndarray]:
    return truths_of


@pytest.fixture(scope="session")
def awkward() -> Callable[..., pd.DataFrame]:
    return make_awkward
