"""Every file in ``toolkit/tracks`` as a track, fresh and fitted.

A track is built with the parameters that ``experiments/smoke.yaml`` gives it, else with its defaults.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from toolkit import registry
from toolkit.config import Experiment, Rung, load
from toolkit.tasks.base import TaskData, TrainingData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track


@dataclass(frozen=True)
class Fitted:
    """A track as it was before `fit`, what fit returned, and its probabilities of the test block."""

    before: Track
    track: Track
    returned: Track
    probabilities: np.ndarray


def first_rows(train: TrainingData, n_rows: int = 400) -> TrainingData:
    part = train.take(np.arange(min(n_rows, len(train))))
    return replace(part, unlabelled=train.unlabelled.iloc[:n_rows])


def parameters_of(track: Track) -> dict[str, object]:
    assert is_dataclass(track)
    return {each.name: getattr(track, each.name) for each in fields(track) if each.init}


@pytest.fixture(scope="session")
def smoke() -> Experiment:
    return load(Path(__file__).parents[3] / "experiments" / "smoke.yaml")


@pytest.fixture(scope="session")
def build(smoke) -> Callable[[str], Track]:
    def fresh(name: str) -> Track:
        track = registry.build("tracks", name, smoke.tracks.get(name, {}))
        return track.check(Synthetic().schema(), smoke.path.parent)

    return fresh


@pytest.fixture(scope="session")
def data() -> TaskData:
    return Synthetic(n_clusters=300, rows_per_cluster=15).load(rung=Rung(share=0.6), seed=0)


@pytest.fixture(scope="session", params=registry.names("tracks"))
def name(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def fitted(name, data, build) -> Fitted:
    track = build(name)
    before = copy.deepcopy(track)
    returned = track.fit(data.train, seed=3)
    return Fitted(before, track, returned, track.predict_proba(data.test.features))


@pytest.fixture(scope="session")
def small() -> Callable[..., TrainingData]:
    return first_rows


@pytest.fixture(scope="session")
def parameters() -> Callable[[Track], dict[str, object]]:
    return parameters_of
