from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest

from toolkit.records import CellRecord
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks._search import MOST_MISFITS, Attempt, SearchedTrack, row_levels, search_track
from toolkit.tracks._trial import Trial


def make(n_rows: int = 2000, rows_per_cluster: int = 10, seed: int = 0) -> TrainingData:
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


def search(track: Fixed, train: TrainingData, seconds: float) -> Fixed:
    return search_track(track, train, budget_cpu_seconds=seconds, seed=0)


def test_the_best_candidate_wins():
    found = search(Fixed(always=(0.9, 0.05, 0.3, 0.5), drawn=()), make(), 100.0)
    assert found.chance == 0.3
    assert [trial.params["chance"] for trial in found.trials_] == [0.9, 0.05, 0.3, 0.5]
    assert all(trial.state == "complete" and not trial.drawn for trial in found.trials_)


def test_no_more_than_the_budget_is_charged_whatever_the_seed():
    for seed in range(5):
        found = search_track(Fixed(), make(), budget_cpu_seconds=7.0, seed=seed)
        charged = sum(trial.nominal_cpu_seconds for trial in found.trials_)
        assert 7.0 - 1.6 < charged <= 7.0
        assert any(trial.drawn for trial in found.trials_)


def test_failed_trials_are_charged_and_recorded():
    found = search(Fixed(always=(0.3, 0.5), fails_at=0.5, drawn=()), make(), 100.0)
    failed = found.trials_[1]
    assert (failed.state, failed.loss) == ("failed", None)
    assert failed.nominal_cpu_seconds == pytest.approx(1.6)
    assert "ValueError: cannot learn this" in failed.reason
    assert found.chance == 0.3


def test_when_every_trial_fails_the_error_is_told():
    with pytest.raises(ValueError, match="cannot learn this"):
        search(Fixed(always=(0.5,), fails_at=0.5, drawn=()), make(), 100.0)


def test_a_trial_that_stops_early_pays_for_what_it_used():
    full = search(Fixed(), make(), 3.5)
    early = search(Fixed(stops_early=0.25), make(), 3.5)
    fitted = [sum(trial.loss is not None for trial in found.trials_) for found in (full, early)]
    assert fitted == [2, 5]
    assert early.trials_[0].nominal_cpu_seconds == pytest.approx(full.trials_[0].nominal_cpu_seconds / 4)


def test_without_budget_nothing_is_fitted_and_that_is_recorded():
    track = Fixed()
    found = search(track, make(), 0.0)
    assert track.tried == []
    assert found.chance == track.chance
    assert found.trials_[0].state == "pruned"
    assert "budget" in found.trials_[0].reason


def test_trials_end_when_there_is_nothing_left_to_draw():
    found = search(Fixed(always=(0.3,), drawn=()), make(), 1e9)
    assert len(found.trials_) == 1


def test_on_many_rows_trials_begin_on_few_and_the_good_ones_go_on():
    track = Fixed(always=(0.3,), drawn=(0.9, 0.95, 0.99))
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


def test_a_cheaper_draw_that_has_beaten_nobody_does_not_lead():
    @dataclass
    class Cheap(Fixed):
        def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float:
            return n_rows * (1.0 if self.chance == 0.3 else 1e-3)

    track = Cheap(drawn=(0.8,))
    found = search(track, make(), 100.0)
    assert [trial.state for trial in found.trials_[:2]] == ["pruned", "complete"]
    assert found.chance == track.chance


def test_rows_of_one_class_choose_nothing_from_a_list():
    """Whoever says most boldly that nobody buys would be best."""

    @dataclass
    class Listed(Fixed):
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


def test_a_lead_by_luck_says_so():
    found = search(Fixed(chance=0.301, always=(0.301, 0.302, 0.3), drawn=()), make(300), 100.0)
    better = [trial for trial in found.trials_[1:] if trial.loss < found.trials_[0].loss]
    assert better
    assert {trial.reason for trial in better} == {"better, but by no more than luck"}
    assert found.chance == 0.301


@pytest.mark.parametrize(("budget", "settles"), [(1000.0, True), (40.0, False)])
def test_what_a_fit_settles_is_kept_from_the_last_step_alone(budget, settles):
    @dataclass
    class Settling(Fixed):
        settled: bool = False

        def attempt(self, trial: Trial) -> Attempt[Fixed]:
            return replace(super().attempt(trial), settled=replace(self, settled=True))

    assert search(Settling(drawn=()), make(100_000, 100), budget).settled == settles


def test_nothing_is_searched_on_rows_that_cannot_tell():
    train = make()
    one_class = replace(train, labels=np.zeros(len(train), np.int8))
    track = Fixed()
    (told,) = search(track, one_class, 100.0).trials_
    assert (told.state, told.params, told.nominal_cpu_seconds) == ("pruned", {"chance": 0.3}, 0.0)
    assert "one class" in told.reason
    assert track.tried == []


def test_too_few_rows_to_hold_some_out_are_told():
    @dataclass
    class Demanding(Fixed):
        min_labels = 1601

    track = Demanding()
    (told,) = search(track, make(), 100.0).trials_
    assert told.reason == "1600 rows are left when some are held out, and 1601 are needed"
    assert not told.chosen
    assert track.tried == []


def test_the_record_says_which_trial_was_chosen():
    found = search(Fixed(always=(0.9, 0.05, 0.3, 0.5), drawn=()), make(), 100.0)
    assert [trial.chosen for trial in found.trials_] == [False, False, True, False]


@dataclass
class Busy(Fixed):
    """Takes a twentieth of a CPU-second, which nobody knows before."""

    seconds: float | None = None

    def fit(self, train: TrainingData, *, seed: int) -> Fixed:
        begun = time.process_time()
        while time.process_time() - begun < 0.05:
            pass
        return super().fit(train, seed=seed)


def test_only_a_clock_can_tell_of_a_named_estimator():
    draws = tuple(i / 50 for i in range(1, 40))
    found = search(Busy(drawn=draws), make(), 0.22)
    charged = [trial.nominal_cpu_seconds for trial in found.trials_ if trial.nominal_cpu_seconds]
    assert all(0.05 <= seconds < 0.2 for seconds in charged)
    assert 2 <= len(charged) <= 4
    assert search(Busy(drawn=draws), make(), 0.0).trials_[0].reason


def test_a_clock_charges_what_fails_too():
    @dataclass
    class Failing(Busy):
        def fit(self, train: TrainingData, *, seed: int) -> Fixed:
            super().fit(train, seed=seed)
            if self.chance != 0.3:
                raise ValueError("cannot learn this")
            return self

    found = search(Failing(drawn=tuple(i / 50 for i in range(1, 40) if i != 15)), make(), 0.22)
    failed = [trial for trial in found.trials_ if trial.state == "failed"]
    assert 1 <= len(failed) <= 3
    assert all(trial.nominal_cpu_seconds >= 0.05 for trial in failed)


def test_a_fit_is_told_how_far_the_budget_reaches():
    reached = []

    @dataclass
    class Open(Fixed):
        def attempt(self, trial: Trial) -> Attempt[Fixed]:
            reached.append(trial.reach)
            return super().attempt(trial)

    search(Open(always=(0.3, 0.4), drawn=()), make(), 4.0)
    assert reached == pytest.approx([2.5, 1.5])


def test_two_clusters_are_enough_to_hold_one_out():
    train = make(60_000, rows_per_cluster=30_000)
    assert search(Fixed(drawn=()), train, 1000.0).trials_[0].loss is not None


def test_a_dear_draw_does_not_end_the_search_but_a_row_of_them_does():
    @dataclass
    class Priced(Fixed):
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


def test_optunas_logger_is_left_as_it_was():
    before = optuna.logging.get_verbosity()
    search(Fixed(), make(), 3.0)
    assert optuna.logging.get_verbosity() == before


def test_trials_survive_the_record():
    found = search(Fixed(), make(), 7.0)
    record = CellRecord(
        experiment="e", task="t", track="x", rung=0, seed=0, n_train=9, fingerprint="f", status="finished",
        trials=found.trials_,
    )  # fmt: skip
    assert CellRecord.model_validate_json(record.model_dump_json()).trials == found.trials_
    assert "trials" not in record.flat()


class TestAhead:
    """Whoever is to take the lead has to be better on later rows too, where rows have several times."""

    def times(self, times: np.ndarray) -> TrainingData:
        return replace(make(), time=times.astype(np.int32))

    def test_a_lead_has_to_be_borne_out_and_both_are_charged(self):
        train = self.rarer_later(self.times(np.arange(2000) % 4))
        track = Fixed(chance=0.2, always=(0.2, 0.6), drawn=())
        found = search(track, train, 100.0)
        refused = found.trials_[1]
        assert found.chance == 0.2
        assert refused.loss < found.trials_[0].loss
        assert (refused.state, refused.reason) == (
            "complete",
            "later rows did not bear out that it was better",
        )
        assert refused.nominal_cpu_seconds == pytest.approx(1e-3 * sum(rows for _, rows in track.tried[1:]))
        assert [chance for chance, _ in track.tried] == [0.2, 0.6, 0.2, 0.6]
        assert search(track, replace(train, time=np.zeros_like(train.time)), 100.0).chance == 0.6

    def rarer_later(self, train: TrainingData) -> TrainingData:
        """Most rows say yes in three weeks of four, in the last few do."""
        says_yes = np.random.default_rng(0).random(len(train)) < np.where(train.time == 3, 0.1, 0.7)
        return replace(train, labels=says_yes.astype(np.int8))

    def test_a_lead_that_is_borne_out_is_taken(self):
        track = Fixed(chance=0.9, always=(0.9, 0.6, 0.3), drawn=())
        assert search(track, self.times(np.arange(2000) % 4), 100.0).chance == 0.3
        # the leader's losses on later rows are known from when it took the lead
        assert [chance for chance, _ in track.tried] == [0.9, 0.6, 0.9, 0.6, 0.3, 0.3]

    def test_later_rows_compare_with_the_one_who_leads_by_then(self):
        track = Fixed(chance=0.9, always=(0.9, 0.3, 0.5), drawn=())
        found = search(track, self.rarer_later(self.times(np.arange(2000) % 4)), 100.0)
        losses = [trial.loss for trial in found.trials_]
        assert losses == sorted(losses, reverse=True), "else this shows nothing"
        assert found.chance == 0.3

    @pytest.mark.parametrize(("n_times", "leads"), [(4, 0.305), (1, 0.3)])
    def test_where_no_later_rows_bear_it_out_a_standard_error_is_asked(self, n_times, leads):
        train = replace(make(rows_per_cluster=1), time=np.arange(2000, dtype=np.int32) % n_times)
        held_out = Trial.of(train, 2000, 0).held_out.clusters
        labels = train.labels.copy()
        for time_ in range(n_times):
            of_time = held_out[train.time[held_out] == time_]
            labels[of_time] = 6 * np.arange(len(of_time)) % 19 < 6
        train = replace(train, labels=labels)
        trial = Trial.of(train, 2000, 0)
        chances = np.array([[0.3], [0.305]]) + np.zeros(len(held_out))
        usual, other = (trial.losses(each) for each in chances)
        errors = (usual - other).sum() / (usual - other).std() / len(held_out) ** 0.5
        assert (20 / trial.telling) ** 0.5 < errors < 1, "else this shows nothing"
        assert search(Fixed(always=(0.3, 0.305), drawn=()), train, 100.0).chance == leads

    def test_on_many_rows_the_last_step_alone_is_asked_later(self):
        track = Fixed(chance=0.9, always=(0.9, 0.3), drawn=())
        search(track, replace(make(100_000, 100), time=np.arange(100_000, dtype=np.int32) % 4), 1000.0)
        assert [chance for chance, _ in track.tried] == [0.9, 0.9, 0.3, 0.3, 0.9, 0.3]
        assert [rows for _, rows in track.tried[-2:]] == [60_000, 60_000]

    @pytest.mark.parametrize("budget", [3.3, 4.5])
    def test_without_budget_to_prove_it_nobody_takes_the_lead(self, budget):
        track = Fixed(chance=0.9, always=(0.9, 0.3), drawn=())
        found = search(track, self.times(np.arange(2000) % 4), budget)
        assert found.trials_[1].loss < found.trials_[0].loss
        assert "did not reach" in found.trials_[1].reason
        assert found.chance == 0.9
        assert len(track.tried) == 2, "half of a comparison is not bought"

    @pytest.mark.parametrize(("fails", "leads"), [(0.9, 0.3), (0.3, 0.9)])
    def test_who_fails_on_earlier_rows_does_not_lead(self, fails, leads):
        @dataclass
        class Fragile(Fixed):
            def fit(self, train: TrainingData, *, seed: int) -> Fixed:
                if self.chance == self.fails_at and train.time.max() < 3:
                    raise ValueError("cannot learn this")
                return self

        track = Fragile(always=(0.9, 0.3), drawn=(), fails_at=fails)
        found = search(track, self.times(np.arange(2000) % 4), 100.0)
        assert found.chance == leads
        said = "on earlier rows: ValueError: cannot learn this" if fails == 0.3 else ""
        assert found.trials_[1].reason == said

    def test_too_few_earlier_rows_for_a_track_are_not_asked(self):
        @dataclass
        class Demanding(Fixed):
            min_labels = 1500

        track = Demanding(chance=0.9, always=(0.9, 0.3), drawn=())
        assert search(track, self.times(np.arange(2000) % 4), 100.0).chance == 0.3
        assert len(track.tried) == 2

    @pytest.mark.parametrize("choices", [(0.2, 0.6), (0.6, 0.2)])
    def test_of_a_list_without_a_usual_one_the_order_does_not_matter(self, choices):
        @dataclass
        class Listed(Fixed):
            @property
            def keeps_first(self) -> bool:
                return False

        track = Listed(chance=choices[0], always=choices, drawn=())
        assert search(track, self.rarer_later(self.times(np.arange(2000) % 4)), 100.0).chance == 0.6
