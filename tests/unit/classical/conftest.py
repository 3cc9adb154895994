"""A made-up table of numbers and one category of many levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.tasks.base import Column, Schema, TrainingData

N_LEVELS = 300
SCHEMA = Schema(
    (
        Column("money"),
        Column("month"),
        Column("gap"),
        Column("shop", "category", tuple(f"shop {i}" for i in range(N_LEVELS))),
    )
)


def make_rows(n_rows: int = 2000, seed: int = 0) -> TrainingData:
    generator = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "money": generator.lognormal(2, 2, n_rows).astype(np.float32),
            "month": np.full(n_rows, 9, np.float32),
            "gap": np.where(generator.random(n_rows) < 0.3, np.nan, generator.random(n_rows)).astype(
                np.float32
            ),
            "shop": generator.integers(-1, N_LEVELS, n_rows).astype(np.int32),
        }
    )
    chance = expit((np.log(features["money"]) - 2 + 1.5 * features["gap"].isna()).to_numpy())
    return TrainingData(
        features=features,
        labels=(generator.random(n_rows) < chance).astype(np.int8),
        clusters=np.repeat(np.arange(n_rows // 10, dtype=np.int32), 10),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
    )


@pytest.fixture(scope="session")
def make() -> Callable[..., TrainingData]:
    """Return what draws rows: `make(n_rows, seed)`."""
    return make_rows


@pytest.fixture(scope="session")
def train() -> TrainingData:
    return make_rows()
