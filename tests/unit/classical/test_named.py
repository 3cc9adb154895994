from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolkit import registry
from toolkit.errors import DivergedError, ParameterError
from toolkit.tracks.classical import Classical


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
        track = Classical(estimator=path).check(train.schema, Path())
        chances = track.fit(train, seed=0).predict_proba(train.features)
        assert np.isfinite(chances).all()
        assert chances[train.labels == 1].mean() > chances[train.labels == 0].mean()
        assert track.chosen()["family"] == path.rpartition(".")[2]
        assert track.predict_proba(train.features.iloc[:0]).shape == (0,)

    def test_its_choices_are_searched(self, train):
        track = Classical(
            estimator="sklearn.neighbors.KNeighborsClassifier", choices={"n_neighbors": [1, 5, 50]}
        ).check(train.schema, Path())
        found = track.search(train, budget_cpu_seconds=5.0, seed=0)
        tried = {trial.params["n_neighbors"] for trial in found.trials_}
        assert 1 in tried
        assert len(tried) > 1
        assert found.parameters["n_neighbors"] != 1, "one neighbour is the worst of the three here"

    @pytest.mark.parametrize("order", [[1, 5, 50], [50, 5, 1], [5, 1, 50]])
    def test_the_order_of_choices_decides_nothing(self, order, make):
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
        ).check(train.schema, Path())
        assert track.search(train, budget_cpu_seconds=2.0, seed=0).parameters["max_depth"] == 3
        chosen = track.fit(train, seed=0).chosen()
        assert chosen.get("max_depth", "missing") is None

    def test_predictions_that_are_no_numbers_are_a_failed_trial(self, train):
        track = Classical(estimator="sklearn.naive_bayes.GaussianNB", choices={"var_smoothing": [1e-9, 0.0]})
        blank = replace(train, features=train.features.assign(month=np.float32(1)))
        found = track.search(blank, budget_cpu_seconds=5.0, seed=0)
        states = {trial.params["var_smoothing"]: trial.state for trial in found.trials_}
        assert states == {1e-9: "complete", 0.0: "failed"}
        assert found.parameters == {"var_smoothing": 1e-9}

    # scikit-learn warns on the way to its NaN; what is looked at is what becomes of it
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
        weighted = registry.build("tracks", "classical", parameters).check(train.schema, Path())
        plain = Classical(estimator=path, calibrate=False).fit(train, seed=0)
        chances = weighted.fit(train, seed=0).predict_proba(train.features)
        assert chances.mean() > plain.predict_proba(train.features).mean() + 0.1

    def test_lightgbm_is_quiet_and_takes_its_own_names(self, train, capfd):
        track = Classical(estimator="lightgbm.LGBMClassifier", parameters={"max_bin": 63, "n_estimators": 5})
        track.check(train.schema, Path()).fit(train, seed=0)
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
            ({"estimator": "lightgbm.LGBMClassifier", "n_trees": 7}, "'n_trees' is of the families"),
            ({"family": "logistic", "n_trees": 50}, "'n_trees' is of boosting, not of logistic"),
            ({"family": "forest", "learning_rate": 0.1}, "'learning_rate' is of boosting, not of forest"),
        ],
    )
    def test_what_cannot_be_used_is_told(self, parameters, message, train):
        with pytest.raises(ParameterError, match=message):
            Classical(**parameters).check(train.schema, Path())
