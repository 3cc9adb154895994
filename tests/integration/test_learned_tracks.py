"""The learned tracks as the runner uses them: default fit, search within its budget, final fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit import registry
from toolkit.config import Rung, load
from toolkit.scores import score_probabilities
from toolkit.tasks.base import TaskData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks._work import search_budget

SMOKE = load(Path(__file__).parents[2] / "experiments" / "smoke.yaml")
TRACKS = ("classical", "neural", "hybrid")


def build(name: str, task: Synthetic):
    params = SMOKE.tracks.get(name, {})
    return registry.build("tracks", name, params).check(task.schema(), SMOKE.path.parent)


def errors(name: str, kind: str, share: float) -> tuple[float, float, float]:
    """Return the log loss on the test block of a track, of the block's base rate and of the truth."""
    task = Synthetic(kind=kind)
    data: TaskData = task.load(rung=Rung(share=share), seed=0)
    budget = search_budget(8.0, data.train)
    track = build(name, task).search(data.train, budget_cpu_seconds=budget, seed=0).fit(data.train, seed=0)
    loss = score_probabilities(data.test.labels, track.predict_proba(data.test.features))["error_log_loss"]
    rate = float(data.test.labels.mean())
    bayes = task.bayes_scores()["error_log_loss"]
    assert bayes is not None
    return loss, -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)), bayes


@pytest.mark.parametrize("kind", ["rules", "linear", "steps", "smooth"])
@pytest.mark.parametrize("name", TRACKS)
def test_no_track_collapses_on_little_data(name, kind):
    loss, constant, _ = errors(name, kind, share=0.05)
    assert loss < constant


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rules", "smooth"])
@pytest.mark.parametrize("name", TRACKS)
def test_twenty_times_the_data_halves_what_can_still_be_learned(name, kind):
    # A fixed gain would ask too much of a track whose knowledge is right before the first label, and
    # too little of the others: each is held against the error that no track can get below.
    few, _, bayes = errors(name, kind, share=0.05)
    many, _, _ = errors(name, kind, share=1.0)
    assert many - bayes < (few - bayes) / 2


@pytest.mark.parametrize("name", TRACKS)
def test_the_life_of_a_cell_is_the_same_twice(name):
    task = Synthetic(n_clusters=100, rows_per_cluster=10)
    data = task.load(rung=Rung(share=0.5), seed=1)

    def life() -> np.ndarray:
        track = build(name, task)
        found = track.search(data.train, budget_cpu_seconds=search_budget(8.0, data.train), seed=1)
        return found.fit(data.train, seed=1).predict_proba(data.test.features)

    first = life()
    assert (first == life()).all()


@pytest.mark.parametrize("name", TRACKS)
def test_a_search_charges_no_more_than_the_one_budget_of_the_rung(name):
    task = Synthetic(n_clusters=100, rows_per_cluster=10)
    data = task.load(rung=Rung(share=0.5), seed=1)
    for multiple in (0.0, 1.0, 4.0, 16.0):
        budget = search_budget(multiple, data.train)
        found = build(name, task).search(data.train, budget_cpu_seconds=budget, seed=1)
        charged = sum(trial.nominal_cpu_seconds for trial in found.trials_)
        assert charged <= budget
        if multiple == 16.0:
            assert charged > budget / 2, "a budget is there to be used"
