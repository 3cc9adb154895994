"""The shipped experiments of the two tasks fit their data, and their tracks learn from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit import registry
from toolkit.config import Experiment, Rung, load
from toolkit.scores import score_probabilities
from toolkit.tasks.base import Task
from toolkit.tracks.base import Track

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
TRACKS = ["baseline", "classical", "hybrid", "neural", "rules"]


@pytest.fixture(scope="module", params=["cdnow", "churn"])
def experiment(request: pytest.FixtureRequest) -> Experiment:
    return load(EXPERIMENTS / f"{request.param}.yaml")


@pytest.fixture(scope="module")
def task(experiment: Experiment) -> Task:
    built: Task = registry.build("tasks", experiment.task_name, experiment.task_params)
    return built


def built(experiment: Experiment, task: Task, name: str) -> Track:
    track: Track = registry.build("tracks", name, experiment.tracks[name])
    return track.check(task.schema(), experiment.path.parent)


def test_all_tracks_climb_ten_rungs_with_three_seeds(experiment: Experiment, task: Task) -> None:
    assert sorted(experiment.tracks) == sorted(experiment.economics.hours) == TRACKS
    assert experiment.ladder.seeds == 3
    sizes = [task.n_train(rung) for rung in experiment.ladder.rungs]
    assert len(sizes) == 10
    assert sizes == sorted(set(sizes))
    for name in experiment.tracks:
        built(experiment, task, name)


@pytest.mark.parametrize("name", ["rules", "classical"])
def test_a_track_beats_the_class_prior_on_the_validation_block(
    experiment: Experiment, task: Task, name: str
) -> None:
    data = task.load(rung=Rung(share=0.3, cutoffs=1), seed=0)
    track = built(experiment, task, name).fit(data.train, seed=0)
    found = score_probabilities(data.valid.labels, track.predict_proba(data.valid.features))
    prior = np.full(len(data.valid), data.train.labels.mean())
    floor = score_probabilities(data.valid.labels, prior)
    assert found["error_log_loss"] < 0.9 * floor["error_log_loss"]
    assert found["score_average_precision"] > 1.5 * floor["score_average_precision"]
