from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit import registry
from toolkit.errors import DivergedError, MissingColumnError, ParameterError
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks._calibration import Platt, calibrate
from toolkit.tracks._encode import KNOTS, Encoder, hinged, row_blocks, usual_penalty
from toolkit.tracks._logistic import Logistic
from toolkit.tracks._search import Trial
from toolkit.tracks._trees import MAX_LEVELS, BoostingParameters, Trees
from toolkit.tracks.classical import Classical

N_LEVELS = 300
SCHEMA = Schema(
    (
        Column("money"),
        Column("month"),
        Column("gap"),
        Column("shop", "category", tuple(f"shop {i}" for i in range(N_LEVELS))),
    )
)


def make(n_rows: int = 2000, seed: int = 0) -> TrainingData:
    generator = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "money": generator.lognormal(2, 2, n_rows).astype(np.float32),
            "month": np.full(n_rows, 9, np.float32),
            "gap": np.where(generator.random(n_rows) < 0.3, np.nan, generator.random(n_rows)).astype(
                np.float32
            ),
            "shop": generator.integers(-1, N_LEVELS, n_rows).astype(np.int32),
        }
    )
    chance = expit((np.log(features["money"]) - 2 + 1.5 * features["gap"].isna()).to_numpy())
    return TrainingData(
        features=features,
        labels=(generator.random(n_rows) < chance).astype(np.int8),
        clusters=np.repeat(np.arange(n_rows // 10, dtype=np.int32), 10),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
    )


@pytest.fixture(scope="module")
def train() -> TrainingData:
    return make()


class TestEncoder:
    @pytest.mark.parametrize("offset", [0.0, 1e4, -1e6, 1.7e9])
    def test_numbers_far_from_zero_keep_their_differences(self, offset):
        told = np.repeat(np.arange(6) * 600.0, 50) + offset
        frame = pd.DataFrame({"time": told.astype(np.float32)})
        encoder = Encoder.learn(frame, Schema((Column("time"),)))
        seen = encoder.transform(frame).numbers[:, 0]
        assert len(np.unique(seen)) == 6
        assert seen.std() == pytest.approx(1.0, abs=0.01)

    def test_scales_do_not_hang_on_the_order_of_many_rows(self):
        """Every fifth row of a panel sorted by customer and week is one and the same week."""
        week = (np.arange(250_000) % 5).astype(np.float32)
        schema = Schema((Column("week"),))
        encoder = Encoder.learn(pd.DataFrame({"week": week}), schema)
        told = encoder.transform(pd.DataFrame({"week": week[:5]})).numbers[:, 0]
        assert len(np.unique(told)) == 5
        assert abs(told.mean()) < 0.01

    def test_numbers_are_standard_and_long_tails_short(self, train):
        rows = Encoder.learn(train.features, SCHEMA).transform(train.features)
        money = rows.numbers[:, 0]
        assert money.mean() == pytest.approx(0, abs=0.01)
        assert money.std() == pytest.approx(1, abs=0.02)
        assert money.max() <= 4

    def test_missing_becomes_the_mean_and_an_indicator(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        rows = encoder.transform(train.features)
        missing = train.features["gap"].isna().to_numpy()
        assert encoder.n_inputs == 4
        assert (rows.numbers[missing, 2] == 0).all()
        assert (rows.numbers[:, 3] == missing).all()

    def test_nothing_outside_the_training_range_is_extrapolated_to(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        extreme = train.features.head(2).assign(month=np.float32(12), money=np.float32(1e30))
        rows = encoder.transform(extreme)
        assert (rows.numbers[:, 1] == 0).all()
        assert (rows.numbers[:, 0] == encoder.highest[0]).all()

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
    def test_what_is_not_finite_counts_as_missing(self, train, value):
        encoder = Encoder.learn(train.features, SCHEMA)
        rows = encoder.transform(train.features.head(1).assign(gap=np.float32(value)))
        assert rows.numbers[0, 2] == 0
        assert rows.numbers[0, 3] == 1

    def test_unknown_levels_are_missing(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        codes = np.array([-1, 0, N_LEVELS - 1, N_LEVELS, -7], np.int32)
        rows = encoder.transform(train.features.head(5).assign(shop=codes))
        assert rows.codes[:, 0].tolist() == [0, 1, N_LEVELS, 0, 0]

    def test_order_of_columns_and_further_columns_do_not_matter(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        wanted = encoder.transform(train.features)
        shuffled = train.features[["shop", "gap", "month", "money"]]
        for features in (shuffled, shuffled.assign(note="text")):
            rows = encoder.transform(features)
            assert (rows.numbers == wanted.numbers).all()
            assert (rows.codes == wanted.codes).all()

    def test_a_missing_column_is_named(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        with pytest.raises(MissingColumnError, match="gap"):
            encoder.transform(train.features.drop(columns="gap"))

    def test_hinges_bend_at_the_knots(self):
        numbers = np.array([[-3.0, 0.0], [3.0, 1.0]], np.float32)
        wide = hinged(numbers)
        assert wide.shape == (2, 2 * (1 + len(KNOTS)))
        assert (wide[:, :2] == numbers).all()
        for position, knot in enumerate(KNOTS, start=1):
            assert wide[1, 2 * position] == pytest.approx(3 - knot)
            assert wide[0, 2 * position] == 0

    def test_blocks_cover_every_row_once(self):
        features = pd.DataFrame({"x": np.arange(20_000)})
        parts = [block["x"].to_numpy() for _, block in row_blocks(features)]
        assert (np.concatenate(parts) == features["x"]).all()

    def test_the_penalty_falls_with_rows(self):
        penalties = [usual_penalty(n_rows) for n_rows in (0, 100, 20_000, 200_000, 10**9)]
        assert penalties == sorted(penalties, reverse=True)
        assert penalties[2] == pytest.approx(400)


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
        features = train.features.assign(shop=np.sort(np.arange(len(train)) % N_LEVELS).astype(np.int32))
        many = np.tile(features["shop"], 120)
        wide = TrainingData(
            features=pd.DataFrame(
                {**{n: np.tile(features[n], 120) for n in ("money", "month", "gap")}, "shop": many}
            ),
            labels=np.tile(train.labels, 120),
            clusters=np.tile(train.clusters, 120),
            time=np.tile(train.time, 120),
            unlabelled=train.unlabelled,
            schema=SCHEMA,
        )
        model = Trees.boost(wide, BoostingParameters(learning_rate=0.5, max_leaf_nodes=3), n_trees=9, seed=0)
        bins = model.bins[0]
        assert np.isnan(bins[0])
        assert (bins[1:] == MAX_LEVELS).sum() == N_LEVELS - MAX_LEVELS
        assert len(np.unique(bins[1:])) == MAX_LEVELS + 1

    @pytest.mark.parametrize("family", ["logistic", "boosting", "forest"])
    def test_learns_what_is_there(self, train, family):
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

    def test_a_forest_that_hedges_is_sharpened(self, train):
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
        usual = 2 * BoostingParameters(learning_rate=0.02).usual_trees
        trial = Trial.of(train, len(train), 0)
        free = track.attempt(trial)
        tight = track.attempt(replace(trial, reach=20 / usual))
        assert free.used > tight.used
        assert tight.used == pytest.approx(20 / usual)
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


class TestNamed:
    @pytest.mark.parametrize(
        "path",
        [
            "sklearn.neighbors.KNeighborsClassifier",
            "sklearn.naive_bayes.GaussianNB",
            "sklearn.ensemble.RandomForestClassifier",
            "lightgbm.LGBMClassifier",
        ],
    )
    def test_any_classifier_can_be_named(self, train, path):
        track = Classical(estimator=path).check(SCHEMA, Path())
        chances = track.fit(train, seed=0).predict_proba(train.features)
        assert np.isfinite(chances).all()
        assert chances[train.labels == 1].mean() > chances[train.labels == 0].mean()
        assert track.chosen()["family"] == path.rpartition(".")[2]
        assert track.predict_proba(train.features.iloc[:0]).shape == (0,)

    def test_its_choices_are_searched(self, train):
        track = Classical(
            estimator="sklearn.neighbors.KNeighborsClassifier", choices={"n_neighbors": [1, 5, 50]}
        ).check(SCHEMA, Path())
        found = track.search(train, budget_cpu_seconds=5.0, seed=0)
        tried = {trial.params["n_neighbors"] for trial in found.trials_}
        assert 1 in tried
        assert len(tried) > 1
        assert found.parameters["n_neighbors"] != 1, "one neighbour is the worst of the three here"

    @pytest.mark.parametrize("order", [[1, 5, 50], [50, 5, 1], [5, 1, 50]])
    def test_the_order_of_choices_decides_nothing(self, order):
        few = make(60, seed=4)
        track = Classical(estimator="sklearn.neighbors.KNeighborsClassifier", choices={"n_neighbors": order})
        found = track.search(few, budget_cpu_seconds=5.0, seed=0)
        best = min(found.trials_, key=lambda trial: trial.loss or np.inf)
        assert len({trial.params["n_neighbors"] for trial in found.trials_}) == 3
        assert found.parameters == best.params

    def test_without_a_search_the_first_choice_is_taken(self, train):
        track = Classical(
            estimator="sklearn.neighbors.KNeighborsClassifier", choices={"n_neighbors": [50, 100]}
        )
        assert track.fit(train, seed=0).chosen()["n_neighbors"] == 50
        untried = track.search(train, budget_cpu_seconds=0.0, seed=0)
        assert {trial.state for trial in untried.trials_} == {"pruned"}
        assert untried.fit(train, seed=0).chosen()["n_neighbors"] == 50

    def test_nothing_at_all_may_be_a_choice(self, train):
        track = Classical(
            estimator="sklearn.tree.DecisionTreeClassifier", choices={"max_depth": [None, 3]}
        ).check(SCHEMA, Path())
        assert track.search(train, budget_cpu_seconds=2.0, seed=0).parameters["max_depth"] == 3

    def test_predictions_that_are_no_numbers_are_a_failed_trial(self, train):
        track = Classical(estimator="sklearn.naive_bayes.GaussianNB", choices={"var_smoothing": [1e-9, 0.0]})
        blank = replace(train, features=train.features.assign(month=np.float32(1)))
        found = track.search(blank, budget_cpu_seconds=5.0, seed=0)
        states = {trial.params["var_smoothing"]: trial.state for trial in found.trials_}
        assert states == {1e-9: "complete", 0.0: "failed"}
        assert found.parameters == {"var_smoothing": 1e-9}

    @pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
    def test_predictions_that_are_no_numbers_are_an_error(self, train):
        blank = replace(train, features=train.features.assign(money=np.float32(1), month=np.float32(1)))
        track = Classical(estimator="sklearn.naive_bayes.GaussianNB", parameters={"var_smoothing": 0.0})
        with pytest.raises(DivergedError, match="GaussianNB predicts no number for"):
            track.fit(blank, seed=0).predict_proba(blank.features)

    def test_weights_of_classes_may_be_given(self, train):
        path = "sklearn.linear_model.LogisticRegression"
        weights = {"class_weight": {0: 1, 1: 9}}
        parameters = {"estimator": path, "parameters": weights, "calibrate": False}
        weighted = registry.build("tracks", "classical", parameters).check(SCHEMA, Path())
        plain = Classical(estimator=path, calibrate=False).fit(train, seed=0)
        chances = weighted.fit(train, seed=0).predict_proba(train.features)
        assert chances.mean() > plain.predict_proba(train.features).mean() + 0.1

    def test_lightgbm_is_quiet_and_takes_its_own_names(self, train, capfd):
        track = Classical(estimator="lightgbm.LGBMClassifier", parameters={"max_bin": 63, "n_estimators": 5})
        track.check(SCHEMA, Path()).fit(train, seed=0)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"estimator": "os.system"}, "starts with"),
            ({"estimator": "sklearn.__import__('os').X"}, "starts with"),
            ({"estimator": "sklearnx.A"}, "starts with"),
            ({"estimator": "sklearn.neighbours.KNeighborsClassifier"}, "cannot be imported"),
            ({"estimator": "sklearn.neighbors.KNeighborClassifier"}, "did you mean 'KNeighborsClassifier'"),
            ({"estimator": "sklearn.svm.LinearSVC"}, "no probabilities"),
            ({"estimator": "sklearn.base.clone"}, "not a classifier"),
            ({"estimator": "sklearn.mixture.GaussianMixture"}, "not a classifier"),
            ({"estimator": "sklearn.ensemble.VotingClassifier"}, "cannot be built .* 'estimators'"),
            ({"estimator": "sklearn.svm.SVC"}, "no probabilities .*{probability: true}"),
            ({"estimator": "sklearn.linear_model.SGDClassifier"}, "no probabilities .*{loss: log_loss}"),
            ({"estimator": "lightgbm.LGBMClassifier", "parameters": {"num_leave": 3}}, "mean 'num_leaves'"),
            (
                {
                    "estimator": "sklearn.tree.DecisionTreeClassifier",
                    "parameters": {"max_depth": 2},
                    "choices": {"max_depth": [1, 2]},
                },
                "among the parameters too",
            ),
            (
                {"estimator": "sklearn.svm.SVC", "parameters": {"gama": 1}},
                "no parameter 'gama'; did you mean 'gamma'",
            ),
            ({"estimator": "sklearn.naive_bayes.GaussianNB", "choices": {"priors": []}}, "empty"),
            ({"estimator": "sklearn.naive_bayes.GaussianNB", "family": "forest"}, "not both"),
            ({"parameters": {"C": 1}}, "name it too"),
        ],
    )
    def test_what_cannot_be_used_is_told(self, parameters, message):
        with pytest.raises(ParameterError, match=message):
            Classical(**parameters).check(SCHEMA, Path())


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
