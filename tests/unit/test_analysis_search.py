from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from toolkit.analysis.boards.tracks import cell_board
from toolkit.analysis.search import drawn_losses, expected_best
from toolkit.records import CellRecord, SearchTrial


def trial(number: int, loss: float | None, *, drawn: bool = True, state: str = "complete") -> SearchTrial:
    return SearchTrial(
        number=number, state=state, drawn=drawn, params={"depth": 2}, rows=100, loss=loss, first_loss=loss,
        nominal_cpu_seconds=0.5,
    )  # fmt: skip


TRIALS = (trial(0, 0.30, drawn=False), trial(1, 0.34), trial(2, 0.31), trial(3, None, state="failed"))


def record(trials: tuple[SearchTrial, ...]) -> CellRecord:
    return CellRecord(
        experiment="e", task="t", track="neural", rung=0, seed=0, n_train=9, fingerprint="f",
        status="finished", trials=trials,
    )  # fmt: skip


def test_it_is_the_mean_of_the_smallest_over_all_choices_of_n():
    losses = np.array([0.4, 0.1, 0.3, 0.35, 0.2])
    found = expected_best(losses)
    for n in range(1, 6):
        wanted = np.mean([min(some) for some in combinations(losses, n)])
        assert found[n - 1] == pytest.approx(wanted)


def test_many_trials_do_not_overflow_and_none_are_none():
    found = expected_best(np.random.default_rng(0).random(3000))
    assert np.isfinite(found).all()
    assert (np.diff(found) <= 1e-12).all()
    assert expected_best(np.zeros(0)).shape == (0,)


def test_only_drawn_trials_that_were_fitted_count():
    assert drawn_losses(TRIALS).tolist() == [0.34, 0.31]


def test_the_store_gets_the_curve_and_the_table_the_counts():
    board = cell_board(record(TRIALS))
    curve = {point.step: point.value for point in board.points if point.name == "search_expected_best_loss"}
    assert curve == pytest.approx({1: 0.325, 2: 0.31})
    row = record(TRIALS).flat()
    assert (row["trials_complete"], row["trials_pruned"], row["trials_failed"]) == (3, 0, 1)
    assert not any(point.name.startswith("search_") for point in cell_board(record(())).points)
