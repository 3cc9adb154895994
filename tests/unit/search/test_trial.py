"""Where a search compares candidates: splits of clusters and of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks._trial import Trial, sample_clusters
from toolkit.tracks._work import search_budget
from toolkit.tracks.classical import Classical


class TestTrial:
    def test_trials_share_no_cluster_and_keep_to_their_rows(self, make):
        trial = Trial.of(make(), 500, 0)
        assert not set(trial.fitting.clusters) & set(trial.held_out.clusters)
        assert len(trial.fitting) + len(trial.held_out) == 500

    def test_samples_are_whole_clusters_and_the_same_for_a_seed(self, make):
        first, again = (sample_clusters(make(), 95, 3) for _ in range(2))
        assert len(first) == 90
        assert (np.unique(first.clusters, return_counts=True)[1] == 10).all()
        assert (first.clusters == again.clusters).all()

    def test_a_sample_has_two_clusters_however_large(self, make):
        assert len(np.unique(sample_clusters(make(60_000, 30_000), 20_000, 0).clusters)) == 2

    def test_losses_are_summed_by_cluster(self, make):
        trial = Trial.of(make(), 500, 0)
        losses = trial.losses(np.full(len(trial.held_out), 0.5))
        assert losses == pytest.approx(np.full(len(losses), 10 * np.log(2)))


class TestAhead:
    """Earlier rows to fit, and later ones of other clusters to judge by."""

    def test_later_rows_judge_what_was_fitted_on_earlier_ones(self, at_times):
        train = at_times(np.arange(2000) % 4)
        whole = Trial.of(train, len(train), 0)
        trial = whole.ahead()
        assert trial.fitting.time.max() < trial.held_out.time.min() == 3
        assert not set(trial.fitting.clusters) & set(trial.held_out.clusters)
        assert len(trial.fitting) == (whole.fitting.time < 3).sum()
        assert len(trial.held_out) == (whole.held_out.time == 3).sum()
        assert (trial.seed, trial.reach) == (whole.seed, whole.reach)

    @pytest.mark.parametrize(
        ("shares", "earlier"),
        [
            pytest.param([1.0], None, id="one time"),
            pytest.param([0.25, 0.75], None, id="too few earlier rows"),
            pytest.param([0.5, 0.5], 0.5),
            pytest.param([0.76, 0.24], 0.76),
            pytest.param([0.1, 0.2, 0.5, 0.2], 0.8, id="the nearest to three quarters"),
            pytest.param([0.05] * 20, 0.75),
        ],
    )
    def test_where_time_is_cut(self, shares, earlier, at_times):
        counts = np.round(2000 * np.array(shares)).astype(int)
        times = np.random.default_rng(0).permutation(np.repeat(np.arange(len(shares)), counts))
        trial = Trial.of(at_times(times), 2000, 0).ahead()
        if earlier is None:
            assert trial is None
        else:
            assert trial.fitting.time.max() < trial.held_out.time.min()
            assert len(trial.fitting) / 1600 == pytest.approx(earlier, abs=0.03)

    def test_no_split_that_leaves_one_class_to_learn_from(self, at_times):
        train = at_times(np.arange(2000) % 2)
        train = replace(train, labels=(train.time * train.labels).astype(np.int8))
        whole = Trial.of(train, len(train), 0)
        assert whole.possible
        assert whole.ahead() is None

    def test_one_cluster_that_tells_is_not_asked(self, at_times):
        train = at_times(np.arange(2000) % 4)
        held_out = Trial.of(train, 2000, 0).held_out.clusters
        is_rare = (train.time == 3) & (train.clusters != held_out[0])
        train = replace(train, labels=np.where(is_rare, 0, train.labels).astype(np.int8))
        assert Trial.of(train, 2000, 0).ahead() is None

    def test_a_model_that_learns_the_week_does_not_lead(self):
        """Every week has its own level; who knows a week's is the better one there, and nowhere else."""
        generator = np.random.default_rng(0)
        n_rows, n_weeks = 6000, 6
        weeks = np.arange(n_rows) % n_weeks
        levels = np.array([-2.0, 1.0, -2.0, 1.0, -2.0, 1.0])
        x = generator.normal(size=n_rows)
        labels = generator.random(n_rows) < expit(levels[weeks] + x)
        features = pd.DataFrame({"x": x.astype(np.float32), "week": weeks.astype(np.float32)})
        train = TrainingData(
            features=features,
            labels=labels.astype(np.int8),
            clusters=(np.arange(n_rows) // (2 * n_weeks)).astype(np.int32),
            time=weeks.astype(np.int32),
            unlabelled=features.iloc[:0],
            schema=Schema((Column("x"), Column("week"))),
        )
        timeless = replace(train, time=np.zeros_like(train.time))
        led = {
            name: Classical().search(rows, budget_cpu_seconds=search_budget(10.0, rows), seed=0)
            for name, rows in (("weeks known", timeless), ("weeks to come", train))
        }
        assert led["weeks known"].family in ("boosting", "forest")
        assert led["weeks to come"].family == "logistic"
        assert any("later rows" in trial.reason for trial in led["weeks to come"].trials_)
