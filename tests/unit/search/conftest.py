"""Rows of one number that tells nothing, and tracks that say the same of every row."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest

from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks._search import Attempt, SearchedTrack, search_track
from toolkit.tracks._trial import Trial


def make_rows(n_rows: int = 2000, rows_per_cluster: int = 10, seed: int = 0) -> TrainingData:
    generator = np.random.default_rng(seed)
    features = pd.DataFrame({"x": generator.normal(size=n_rows).astype(np.float32)})
    return TrainingData(
        features=features,
        labels=(generator.random(n_rows) < 0.3).astype(np.int8),
        clusters=(np.arange(n_rows) // rows_per_cluster).astype(np.int32),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=Schema((Column("x"),)),
    )


def make_at_times(times: np.ndarray) -> TrainingData:
    return replace(make_rows(), time=times.astype(np.int32))


@dataclass
class Fixed(SearchedTrack):
    """Says one chance for every row; a fit costs a nominal second a thousand rows."""

    chance: float = 0.3
    tried: list[tuple[float, int]] = field(default_factory=list, compare=False)
    seconds: float | None = 1e-3
    fails_at: float = -1.0
    drawn: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    always: tuple[float, ...] = (0.3,)
    stops_early: float = 1.0

    def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float | None:
        return None if self.seconds is None else self.seconds * n_rows

    def first(self) -> Sequence[Mapping[str, Any]]:
        return [{"chance": chance} for chance in self.always]

    def suggest(self, trial: optuna.Trial) -> Fixed:
        chance = trial.suggest_categorical("chance", [*self.always, *self.drawn])
        return replace(self, chance=chance)

    def fit(self, train: TrainingData, *, seed: int) -> Fixed:
        self.tried.append((self.chance, len(train)))
        if self.chance == self.fails_at:
            raise ValueError("cannot learn this")
        return self

    def attempt(self, trial: Trial) -> Attempt[Fixed]:
        attempt = super().attempt(trial)
        return replace(attempt, used=self.stops_early)

    def predict_proba(self, features, sequence=None):
        return np.full(len(features), self.chance)


@dataclass
class Busy(Fixed):
    """Takes a twentieth of a CPU-second, which nobody knows before."""

    seconds: float | None = None

    def fit(self, train: TrainingData, *, seed: int) -> Fixed:
        begun = time.process_time()
        while time.process_time() - begun < 0.05:
            pass
        return super().fit(train, seed=seed)


def search_in(track: Fixed, train: TrainingData, seconds: float) -> Fixed:
    return search_track(track, train, budget_cpu_seconds=seconds, seed=0)


@pytest.fixture(scope="session")
def make() -> Callable[..., TrainingData]:
    """Return what draws rows: `make(n_rows, rows_per_cluster, seed)`."""
    return make_rows


@pytest.fixture(scope="session")
def at_times() -> Callable[[np.ndarray], TrainingData]:
    """Return what draws 2000 rows of given times."""
    return make_at_times


@pytest.fixture(scope="session")
def fixed() -> type[Fixed]:
    return Fixed


@pytest.fixture(scope="session")
def busy() -> type[Busy]:
    return Busy


@pytest.fixture(scope="session")
def search() -> Callable[[Fixed, TrainingData, float], Fixed]:
    """Return what searches: `search(track, train, seconds)`."""
    return search_in
