from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import optuna
import pytest

from toolkit.records import CellRecord
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._search import MOST_MISFITS, Attempt, SearchedTrack, row_levels, search_track
from toolkit.tracks._trial import Trial


def test_the_best_candidate_wins(make, fixed, search):
    found = search(fixed(always=(0.9, 0.05, 0.3, 0.5), drawn=()), make(), 100.0)
    assert found.chance == 0.3
    assert [trial.params["chance"] for trial in found.trials_] == [0.9, 0.05, 0.3, 0.5]
    assert all(trial.state == "complete" and not trial.drawn for trial in found.trials_)


def test_no_more_than_the_budget_is_charged_whatever_the_seed(make, fixed):
    for seed in range(5):
        found = search_track(fixed(), make(), budget_cpu_seconds=7.0, seed=seed)
        charged = sum(trial.nominal_cpu_seconds for trial in found.trials_)
        assert 7.0 - 1.6 < charged <= 7.0
        assert any(trial.drawn for trial in found.trials_)


def test_failed_trials_are_charged_and_recorded(make, fixed, search):
    found = search(fixed(always=(0.3, 0.5), fails_at=0.5, drawn=()), make(), 100.0)
    failed = found.trials_[1]
    assert (failed.state, failed.loss) == ("failed", None)
    assert failed.nominal_cpu_seconds == pytest.approx(1.6)
    assert "ValueError: cannot learn this" in failed.reason
    assert found.chance == 0.3


def test_when_every_trial_fails_the_error_is_told(make, fixed, search):
    with pytest.raises(ValueError, match="cannot learn this"):
        search(fixed(always=(0.5,), fails_at=0.5, drawn=()), make(), 100.0)


def test_a_trial_that_stops_early_pays_for_what_it_used(make, fixed, search):
    full = search(fixed(), make(), 3.5)
    early = search(fixed(stops_early=0.25), make(), 3.5)
    fitted = [sum(trial.loss is not None for trial in found.trials_) for found in (full, early)]
    assert fitted == [2, 5]
    assert early.trials_[0].nominal_cpu_seconds == pytest.approx(full.trials_[0].nominal_cpu_seconds / 4)


def test_without_budget_nothing_is_fitted_and_that_is_recorded(make, fixed, search):
    track = fixed()
    found = search(track, make(), 0.0)
    assert track.tried == []
    assert found.chance == track.chance
    assert found.trials_[0].state == "pruned"
    assert "budget" in found.trials_[0].reason


def test_trials_end_when_there_is_nothing_left_to_draw(make, fixed, search):
    found = search(fixed(always=(0.3,), drawn=()), make(), 1e9)
    assert len(found.trials_) == 1


def test_on_many_rows_trials_begin_on_few_and_the_good_ones_go_on(make, fixed, search):
    track = fixed(always=(0.3,), drawn=(0.9, 0.95, 0.99))
    found = search(track, make(100_000, 100), 400.0)
    assert found.chance == 0.3
    drawn = [trial for trial in found.trials_ if trial.drawn and trial.params["chance"] != 0.3]
    assert drawn
    assert all(trial.state == "pruned" and trial.rows < 20_000 for trial in drawn)
    first = found.trials_[0]
    assert first.rows == 80_000
    assert first.loss != first.first_loss


def test_the_rows_of_the_steps():
    assert row_levels(1000) == (1000,)
    assert row_levels(30_000) == (30_000,)
    assert row_levels(250_000) == (20_000, 80_000, 250_000)


def test_a_cheaper_draw_that_has_beaten_nobody_does_not_lead(make, fixed, search):
    @dataclass
    class Cheap(fixed):
        def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float:
            return n_rows * (1.0 if self.chance == 0.3 else 1e-3)

    track = Cheap(drawn=(0.8,))
    found = search(track, make(), 100.0)
    assert [trial.state for trial in found.trials_[:2]] == ["pruned", "complete"]
    assert found.chance == track.chance


def test_rows_of_one_class_choose_nothing_from_a_list(make, fixed, search):
    """Whoever says most boldly that nobody buys would be best."""

    @dataclass
    class Listed(fixed):
        @property
        def keeps_first(self) -> bool:
            return False

    train = make(60)
    held_out = Trial.of(train, 60, 0).held_out.clusters
    labels = np.where(np.isin(train.clusters, held_out), 0, train.labels).astype(np.int8)
    found = search(Listed(always=(0.3, 0.01), drawn=()), replace(train, labels=labels), 100.0)
    assert found.trials_[1].loss < found.trials_[0].loss
    assert found.chance == 0.3
    assert "cannot tell" in found.trials_[1].reason


def test_a_lead_by_luck_says_so(make, fixed, search):
    found = search(fixed(chance=0.301, always=(0.301, 0.302, 0.3), drawn=()), make(300), 100.0)
    better = [trial for trial in found.trials_[1:] if trial.loss < found.trials_[0].loss]
    assert better
    assert {trial.reason for trial in better} == {"better, but by no more than luck"}
    assert found.chance == 0.301


@pytest.mark.parametrize(("budget", "settles"), [(1000.0, True), (40.0, False)])
def test_what_a_fit_settles_is_kept_from_the_last_step_alone(budget, settles, make, fixed, search):
    @dataclass
    class Settling(fixed):
        settled: bool = False

        def attempt(self, trial: Trial) -> Attempt[SearchedTrack]:
            return replace(super().attempt(trial), settled=replace(self, settled=True))

    assert search(Settling(drawn=()), make(100_000, 100), budget).settled == settles


def test_nothing_is_searched_on_rows_that_cannot_tell(make, fixed, search):
    train = make()
    one_class = replace(train, labels=np.zeros(len(train), np.int8))
    track = fixed()
    (told,) = search(track, one_class, 100.0).trials_
    assert (told.state, told.params, told.nominal_cpu_seconds) == ("pruned", {"chance": 0.3}, 0.0)
    assert "one class" in told.reason
    assert track.tried == []


def test_too_few_rows_to_hold_some_out_are_told(make, fixed, search):
    @dataclass
    class Demanding(fixed):
        min_labels = 1601

    track = Demanding()
    (told,) = search(track, make(), 100.0).trials_
    assert told.reason == "1600 rows are left when some are held out, and 1601 are needed"
    assert not told.chosen
    assert track.tried == []


def test_the_record_says_which_trial_was_chosen(make, fixed, search):
    found = search(fixed(always=(0.9, 0.05, 0.3, 0.5), drawn=()), make(), 100.0)
    assert [trial.chosen for trial in found.trials_] == [False, False, True, False]


def test_only_a_clock_can_tell_of_a_named_estimator(make, busy, search):
    draws = tuple(i / 50 for i in range(1, 40))
    found = search(busy(drawn=draws), make(), 0.22)
    charged = [trial.nominal_cpu_seconds for trial in found.trials_ if trial.nominal_cpu_seconds]
    assert all(0.05 <= seconds < 0.2 for seconds in charged)
    assert 2 <= len(charged) <= 4
    assert search(busy(drawn=draws), make(), 0.0).trials_[0].reason


def test_a_clock_charges_what_fails_too(make, busy, search):
    @dataclass
    class Failing(busy):
        def fit(self, train: TrainingData, *, seed: int) -> SearchedTrack:
            super().fit(train, seed=seed)
            if self.chance != 0.3:
                raise ValueError("cannot learn this")
            return self

    found = search(Failing(drawn=tuple(i / 50 for i in range(1, 40) if i != 15)), make(), 0.22)
    failed = [trial for trial in found.trials_ if trial.state == "failed"]
    assert 1 <= len(failed) <= 3
    assert all(trial.nominal_cpu_seconds >= 0.05 for trial in failed)


def test_a_fit_is_told_how_far_the_budget_reaches(make, fixed, search):
    reached = []

    @dataclass
    class Open(fixed):
        def attempt(self, trial: Trial) -> Attempt[SearchedTrack]:
            reached.append(trial.reach)
            return super().attempt(trial)

    search(Open(always=(0.3, 0.4), drawn=()), make(), 4.0)
    assert reached == pytest.approx([2.5, 1.5])


def test_two_clusters_are_enough_to_hold_one_out(make, fixed, search):
    train = make(60_000, rows_per_cluster=30_000)
    assert search(fixed(drawn=()), train, 1000.0).trials_[0].loss is not None


def test_a_dear_draw_does_not_end_the_search_but_a_row_of_them_does(make, fixed, search):
    @dataclass
    class Priced(fixed):
        def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float:
            return 1000.0 if self.chance > 0.5 else 1.0

    found = search(Priced(drawn=(0.2, 0.7, 0.4, 0.8, 0.25, 0.35)), make(), 20.0)
    dear = [trial for trial in found.trials_ if trial.params["chance"] > 0.5]
    assert {trial.nominal_cpu_seconds for trial in dear} == {0.0}
    assert {trial.params["chance"] for trial in found.trials_ if trial.loss is not None} == {
        0.3, 0.2, 0.4, 0.25, 0.35
    }  # fmt: skip
    only_dear = search(Priced(drawn=tuple(0.6 + i / 100 for i in range(20))), make(), 20.0)
    assert len(only_dear.trials_) == 1 + MOST_MISFITS


def test_optunas_logger_is_left_as_it_was(make, fixed, search):
    before = optuna.logging.get_verbosity()
    search(fixed(), make(), 3.0)
    assert optuna.logging.get_verbosity() == before


def test_trials_survive_the_record(make, fixed, search):
    found = search(fixed(), make(), 7.0)
    record = CellRecord(
        experiment="e", task="t", track="x", rung=0, seed=0, n_train=9, fingerprint="f", status="finished",
        trials=found.trials_,
    )  # fmt: skip
    assert CellRecord.model_validate_json(record.model_dump_json()).trials == found.trials_
    assert "trials" not in record.flat()
