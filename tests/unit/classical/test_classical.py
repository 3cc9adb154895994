from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.tasks.base import TrainingData
from toolkit.tracks._calibration import Platt, calibrate
from toolkit.tracks._encode import hinged
from toolkit.tracks._logistic import Logistic
from toolkit.tracks._trees import MAX_LEVELS, BoostingParameters, Trees
from toolkit.tracks._trial import Trial
from toolkit.tracks.classical import Classical


class TestFamilies:
    def test_logistic_is_the_penalised_optimum_of_its_design(self, train):
        model = Logistic.fit(train, penalty=5.0)
        rows = model.encoder.transform(train.features)
        wide = hinged(rows.numbers).astype(np.float64)
        residuals = expit(wide @ model.slopes + model.bias + model.levels[0][rows.codes[:, 0]]) - train.labels
        gradient = wide.T @ residuals + 5.0 * model.slopes
        assert np.abs(gradient).max() / len(rows) < 1.5e-3
        assert abs(residuals.sum()) / len(rows) < 1.5e-3

    def test_more_levels_than_bins_share_the_last_one(self, train):
        n_levels = len(train.schema.column("shop").levels)
        features = train.features.assign(shop=np.sort(np.arange(len(train)) % n_levels).astype(np.int32))
        many = np.tile(features["shop"], 120)
        wide = TrainingData(
            features=pd.DataFrame(
                {**{n: np.tile(features[n], 120) for n in ("money", "month", "gap")}, "shop": many}
            ),
            labels=np.tile(train.labels, 120),
            clusters=np.tile(train.clusters, 120),
            time=np.tile(train.time, 120),
            unlabelled=train.unlabelled,
            schema=train.schema,
        )
        model = Trees.boost(wide, BoostingParameters(learning_rate=0.5, max_leaf_nodes=3), n_trees=9, seed=0)
        bins = model.bins[0]
        assert np.isnan(bins[0])
        assert (bins[1:] == MAX_LEVELS).sum() == n_levels - MAX_LEVELS
        assert len(np.unique(bins[1:])) == MAX_LEVELS + 1

    @pytest.mark.parametrize("family", ["logistic", "boosting", "forest"])
    def test_learns_what_is_there(self, train, family, make):
        held_out = make(seed=1)
        track = Classical(family=family, penalty_factor=0.1).fit(train, seed=0)
        chances = track.predict_proba(held_out.features)
        loss = -np.where(held_out.labels == 1, np.log(chances), np.log1p(-chances)).mean()
        rate = held_out.labels.mean()
        assert loss < -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)) - 0.1
        assert family in track.chosen()["family"]
        assert track.chosen()["n_parameters"] > 0


class TestCalibration:
    def test_it_finds_slope_and_shift(self):
        generator = np.random.default_rng(0)
        scores = generator.normal(0, 1.5, 20_000)
        labels = (generator.random(20_000) < expit(0.5 * scores - 1)).astype(np.int8)
        platt = Platt.fit(expit(scores), labels)
        assert platt.slope == pytest.approx(0.5, abs=0.05)
        assert platt.shift == pytest.approx(-1, abs=0.07)
        np.testing.assert_allclose(platt(expit(scores)), expit(platt.slope * scores + platt.shift))

    def test_it_is_left_out_where_it_does_not_clearly_help(self):
        generator = np.random.default_rng(1)
        chances = generator.beta(2, 5, 600)
        labels = (generator.random(600) < chances).astype(np.int8)
        clusters = np.arange(600, dtype=np.int32) // 6
        assert calibrate(chances, labels, clusters, seed=0) is None
        too_bold = expit(3 * np.log(chances / (1 - chances)))
        platt = calibrate(too_bold, labels, clusters, seed=0)
        assert platt is not None
        assert platt.slope < 0.6
        assert np.abs(platt(too_bold) - chances).mean() < np.abs(too_bold - chances).mean()

    @pytest.mark.parametrize("n_clusters", [1, 3])
    def test_few_clusters_can_tell_nothing(self, n_clusters):
        labels = np.tile([0, 1], 30).astype(np.int8)
        clusters = (np.arange(60) % n_clusters).astype(np.int32)
        assert calibrate(np.full(60, 0.01), labels, clusters, seed=0) is None

    def test_unlucky_clusters_calibrate_nothing(self):
        """Held-out clusters differ in their rate by chance; a shift after them is seldom kept."""
        kept = 0
        for seed in range(100):
            generator = np.random.default_rng(seed)
            rates = expit(generator.normal(-2.5, 1.0, 15))
            clusters = np.repeat(np.arange(15, dtype=np.int32), 60)
            labels = (generator.random(900) < rates[clusters]).astype(np.int8)
            expected = np.full(900, float(expit(generator.normal(-2.5, 1.0, 100_000)).mean()))
            kept += calibrate(expected, labels, clusters, seed=seed) is not None
        assert kept <= 10

    def test_candidates_are_compared_as_they_are(self, train):
        track = Classical(family="forest", min_samples_leaf=150)
        trial = Trial.of(train, len(train), 0)
        attempt = track.attempt(trial)
        assert attempt.settled.found_.calibration is not None
        uncalibrated = replace(track, calibrate=False).attempt(trial)
        np.testing.assert_array_equal(attempt.probabilities, uncalibrated.probabilities)

    def test_a_forest_that_hedges_is_sharpened(self, train, make):
        loose = Classical(family="forest", min_samples_leaf=150, calibrate=False).fit(train, seed=0)
        tight = Classical(family="forest", min_samples_leaf=150).fit(train, seed=0)
        assert tight.chosen()["calibrated"]
        assert not loose.chosen()["calibrated"]
        held_out = make(seed=3)

        def loss(track: Classical) -> float:
            chances = track.predict_proba(held_out.features)
            return float(-np.where(held_out.labels == 1, np.log(chances), np.log1p(-chances)).mean())

        assert loss(tight) < loss(loose)


class TestBoosting:
    def test_it_is_charged_for_the_trees_it_grew_and_grows_none_that_are_not_paid(self, train):
        track = Classical(family="boosting", learning_rate=0.02)
        trial = Trial.of(train, len(train), 0)
        of_twenty, whole = (
            replace(track, n_trees=n_trees).fit_seconds(len(trial.fitting), train.schema)
            for n_trees in (20, None)
        )
        free = track.attempt(trial)
        tight = track.attempt(replace(trial, reach=1.01 * of_twenty / whole))
        assert free.used > tight.used
        assert tight.used == pytest.approx(of_twenty / whole)
        assert tight.settled.found_.n_trees is not None
        assert tight.settled.found_.n_trees <= 20

    def test_what_a_search_found_is_not_kept_for_other_parameters(self, train):
        hedging = Classical(family="forest", min_samples_leaf=150, max_features=0.25, extra=False)
        searched = hedging.search(train, budget_cpu_seconds=5.0, seed=0)
        assert searched.found_.calibration is not None
        other = searched.set_params(family="logistic").fit(train, seed=0)
        assert not other.chosen()["calibrated"]

    @pytest.mark.parametrize("family", ["boosting", "forest"])
    def test_infinity_is_a_missing_value(self, train, family):
        track = Classical(family=family, n_trees=5).fit(train, seed=0)
        infinite = train.features.assign(gap=np.float32(np.inf))
        missing = train.features.assign(gap=np.float32(np.nan))
        np.testing.assert_array_equal(track.predict_proba(infinite), track.predict_proba(missing))


@pytest.mark.parametrize(
    "track",
    [
        Classical(family="boosting"),
        Classical(family="forest"),
        Classical(),
        Classical(estimator="sklearn.ensemble.HistGradientBoostingClassifier"),
    ],
)
def test_a_column_without_a_value_is_passed_over(train, track):
    empty = replace(train, features=train.features.assign(gap=np.float32(np.nan)))
    fitted = track.fit(empty, seed=0)
    chances = fitted.predict_proba(empty.features)
    assert np.isfinite(chances).all()
    assert (fitted.predict_proba(train.features) == chances).all(), "what nobody knew then says nothing now"


def test_what_is_given_is_not_varied_be_it_the_usual_value(train):
    found = Classical(family="logistic", penalty_factor=1.0).search(train, budget_cpu_seconds=2.0, seed=0)
    assert found.penalty_factor == 1.0
    assert all("penalty_factor" not in trial.params for trial in found.trials_)


def test_search_gives_a_new_track_with_a_family(train):
    track = Classical()
    found = track.search(train, budget_cpu_seconds=2.0, seed=0)
    assert found is not track
    assert track.family == "auto"
    assert found.family in ("logistic", "boosting", "forest")
    assert {trial.params["family"] for trial in found.trials_} >= {"logistic", "boosting"}
    assert not hasattr(found, "model_")


def test_search_without_budget_tries_nothing(train):
    found = Classical().search(train, budget_cpu_seconds=0.0, seed=0)
    assert found == Classical()
    assert all(trial.nominal_cpu_seconds == 0 for trial in found.trials_)


def test_the_trees_that_the_search_found_are_not_searched_again(train, monkeypatch):
    found = Classical(family="boosting").search(train, budget_cpu_seconds=1.0, seed=0)
    monkeypatch.setattr(Classical, "attempt", None)
    track = found.fit(train, seed=0)
    assert track.model_.model.n_iter_ == found.found_.n_trees
