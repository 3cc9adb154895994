"""A made-up shop: rows, experts who know it, and how far a track is from the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.knowledge.base import load
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema, TrainingData

SCHEMA = Schema((Column("habit"), Column("visits"), Column("age")))

KNOWLEDGE = """
knowledge_base: shop
predicts: buys
prior: habit
columns:
  habit: {type: number, min: 0, max: 1}
  visits: {type: whole number, min: 0, max: 30}
  age: {type: whole number, min: 0, max: 120}
rules:
  - {id: keen, when: visits >= 6, then: buys, certainty: .8, because: looking often is wanting, group: visits}
  - {id: curious, when: visits >= 3, then: buys, certainty: .5, because: looks around, group: visits}
  - {id: away, when: visits == 0, then: does not buy, certainty: .7, because: did not even look}
never:
  - {id: law, when: age < 18, because: the law}
"""


def make_rows(n_rows: int, seed: int = 0, unlabelled: int = 0, *, rows_per_cluster: int = 2) -> TrainingData:
    generator = np.random.default_rng(seed)
    total = n_rows + unlabelled
    features = pd.DataFrame(
        {
            "habit": generator.beta(2, 6, total).astype(np.float32),
            "visits": generator.poisson(2.5, total).astype(np.float32),
            "age": generator.integers(18, 80, total).astype(np.float32),
        }
    )
    habit = features["habit"].to_numpy(np.float64)
    visits = features["visits"].to_numpy()
    moved = 1.6 * (visits >= 6) + 0.7 * ((visits >= 3) & (visits < 6)) - 1.2 * (visits == 0)
    chance = expit(np.log(habit / (1 - habit)) + moved)
    return TrainingData(
        features=features.iloc[:n_rows],
        labels=(generator.random(total) < chance).astype(np.int8)[:n_rows],
        clusters=np.arange(n_rows, dtype=np.int32) // rows_per_cluster,
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[n_rows:].reset_index(drop=True),
        schema=SCHEMA,
    )


def mean_log_loss(labels: np.ndarray, chances: np.ndarray) -> float:
    clipped = np.clip(chances, 1e-9, 1 - 1e-9)
    return float(-np.where(labels == 1, np.log(clipped), np.log1p(-clipped)).mean())


def mean_losses(n_labels: int, tracks: dict[str, object], seeds: int = 2) -> dict[str, float]:
    """Return each track's mean log loss on rows that nobody was trained on."""
    held_out = make_rows(4000, seed=77)
    losses: dict[str, list[float]] = {name: [] for name in tracks}
    for seed in range(seeds):
        train = make_rows(n_labels, seed=seed, unlabelled=1000)
        for name, track in tracks.items():
            fitted = replace(track).fit(train, seed=seed)  # type: ignore[type-var]
            losses[name].append(mean_log_loss(held_out.labels, fitted.predict_proba(held_out.features)))
    return {name: float(np.mean(values)) for name, values in losses.items()}


@pytest.fixture(scope="session")
def schema() -> Schema:
    return SCHEMA


@pytest.fixture(scope="session")
def make() -> Callable[..., TrainingData]:
    """Return what draws rows: `make(n_rows, seed, unlabelled, rows_per_cluster=2)`."""
    return make_rows


@pytest.fixture(scope="session")
def log_loss() -> Callable[[np.ndarray, np.ndarray], float]:
    return mean_log_loss


@pytest.fixture(scope="session")
def means() -> Callable[..., dict[str, float]]:
    """Return what fits tracks and tells their losses: `means(n_labels, tracks)`."""
    return mean_losses


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("knowledge") / "shop.yaml"
    file.write_text(KNOWLEDGE)
    return file


@pytest.fixture(scope="module")
def expert(path) -> ExpertSystem:
    return compile_knowledge(load(path), SCHEMA)
