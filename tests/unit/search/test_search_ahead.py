from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from toolkit.tasks.base import TrainingData
from toolkit.tracks._search import SearchedTrack
from toolkit.tracks._trial import Trial


class TestAhead:
    """Whoever is to take the lead has to be better on later rows too, where rows have several times."""

    def test_a_lead_has_to_be_borne_out_and_both_are_charged(self, at_times, fixed, search):
        train = self.rarer_later(at_times(np.arange(2000) % 4))
        track = fixed(chance=0.2, always=(0.2, 0.6), drawn=())
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

    def test_a_lead_that_is_borne_out_is_taken(self, at_times, fixed, search):
        track = fixed(chance=0.9, always=(0.9, 0.6, 0.3), drawn=())
        assert search(track, at_times(np.arange(2000) % 4), 100.0).chance == 0.3
        # the leader's losses on later rows are known from when it took the lead
        assert [chance for chance, _ in track.tried] == [0.9, 0.6, 0.9, 0.6, 0.3, 0.3]

    def test_later_rows_compare_with_the_one_who_leads_by_then(self, at_times, fixed, search):
        track = fixed(chance=0.9, always=(0.9, 0.3, 0.5), drawn=())
        found = search(track, self.rarer_later(at_times(np.arange(2000) % 4)), 100.0)
        losses = [trial.loss for trial in found.trials_]
        assert losses == sorted(losses, reverse=True), "else this shows nothing"
        assert found.chance == 0.3

    @pytest.mark.parametrize(("n_times", "leads"), [(4, 0.305), (1, 0.3)])
    def test_where_no_later_rows_bear_it_out_a_standard_error_is_asked(
        self, n_times, leads, make, fixed, search
    ):
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
        assert search(fixed(always=(0.3, 0.305), drawn=()), train, 100.0).chance == leads

    def test_on_many_rows_the_last_step_alone_is_asked_later(self, make, fixed, search):
        track = fixed(chance=0.9, always=(0.9, 0.3), drawn=())
        search(track, replace(make(100_000, 100), time=np.arange(100_000, dtype=np.int32) % 4), 1000.0)
        assert [chance for chance, _ in track.tried] == [0.9, 0.9, 0.3, 0.3, 0.9, 0.3]
        assert [rows for _, rows in track.tried[-2:]] == [60_000, 60_000]

    @pytest.mark.parametrize("budget", [3.3, 4.5])
    def test_without_budget_to_prove_it_nobody_takes_the_lead(self, budget, at_times, fixed, search):
        track = fixed(chance=0.9, always=(0.9, 0.3), drawn=())
        found = search(track, at_times(np.arange(2000) % 4), budget)
        assert found.trials_[1].loss < found.trials_[0].loss
        assert "did not reach" in found.trials_[1].reason
        assert found.chance == 0.9
        assert len(track.tried) == 2, "half of a comparison is not bought"

    @pytest.mark.parametrize(("fails", "leads"), [(0.9, 0.3), (0.3, 0.9)])
    def test_who_fails_on_earlier_rows_does_not_lead(self, fails, leads, at_times, fixed, search):
        @dataclass
        class Fragile(fixed):
            def fit(self, train: TrainingData, *, seed: int) -> SearchedTrack:
                if self.chance == self.fails_at and train.time.max() < 3:
                    raise ValueError("cannot learn this")
                return self

        track = Fragile(always=(0.9, 0.3), drawn=(), fails_at=fails)
        found = search(track, at_times(np.arange(2000) % 4), 100.0)
        assert found.chance == leads
        said = "on earlier rows: ValueError: cannot learn this" if fails == 0.3 else ""
        assert found.trials_[1].reason == said

    def test_too_few_earlier_rows_for_a_track_are_not_asked(self, at_times, fixed, search):
        @dataclass
        class Demanding(fixed):
            min_labels = 1500

        track = Demanding(chance=0.9, always=(0.9, 0.3), drawn=())
        assert search(track, at_times(np.arange(2000) % 4), 100.0).chance == 0.3
        assert len(track.tried) == 2

    @pytest.mark.parametrize("choices", [(0.2, 0.6), (0.6, 0.2)])
    def test_of_a_list_without_a_usual_one_the_order_does_not_matter(self, choices, at_times, fixed, search):
        @dataclass
        class Listed(fixed):
            @property
            def keeps_first(self) -> bool:
                return False

        track = Listed(chance=choices[0], always=choices, drawn=())
        assert search(track, self.rarer_later(at_times(np.arange(2000) % 4)), 100.0).chance == 0.6
