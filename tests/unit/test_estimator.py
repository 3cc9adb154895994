"""Tracks as scikit-learn classifiers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from toolkit.config import Rung
from toolkit.errors import ModelError
from toolkit.estimator import TrackClassifier
from toolkit.models.saving import save
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import load_track

KNOWLEDGE = Path(__file__).parents[2] / "experiments" / "knowledge" / "smoke.yaml"

EXPECTED_FAILURES: dict[str, str] = {}
"""Name of a check -> the reason why it cannot be passed; there is none."""


@parametrize_with_checks(
    [TrackClassifier("classical"), TrackClassifier("neural")],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
@pytest.mark.filterwarnings("ignore:SCIPY_ARRAY_API")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    task = Synthetic(n_clusters=80, rows_per_cluster=8, kind="linear")
    train = task.load(rung=Rung(share=1.0), seed=0).train
    levels = np.array(task.schema().column("segment").levels)
    return train.features.assign(segment=levels[train.features["segment"]]), train.labels, train.clusters


def test_texts_and_categories_are_categories_and_all_else_is_numbers(table):
    X, y, groups = table
    X = X.assign(
        flag=X["orders"] > 2,
        kind=pd.Categorical(X["segment"]),
        whole=X["orders"].astype("Int64"),
        plain=X["orders"].astype(object),
        size=np.where(X["visits"] > 1, "large", "small"),
    )
    model = TrackClassifier().fit(X, y, groups)
    kinds = {column.name: column.kind for column in model.schema_.columns}
    assert [name for name, kind in kinds.items() if kind == "category"] == ["segment", "kind", "size"]
    assert model.schema_.column("size").levels == ("large", "small")
    assert list(model.feature_names_in_) == list(X.columns)
    assert model.n_features_in_ == X.shape[1]
    changed = X.assign(segment="trade", kind="trade", size="large")
    assert not np.allclose(model.predict_proba(changed), model.predict_proba(X))


def test_labels_keep_their_names_and_their_order(table):
    X, y, _ = table
    named = np.where(y == 1, "stays", "goes")
    model = TrackClassifier().fit(X, named)
    assert model.classes_.tolist() == ["goes", "stays"]
    assert set(model.predict(X)) <= {"goes", "stays"}
    plain = TrackClassifier().fit(X, y)
    assert np.array_equal(model.predict_proba(X), plain.predict_proba(X))
    turned = TrackClassifier().fit(X, 1 - y)
    assert np.corrcoef(turned.predict_proba(X)[:, 0], plain.predict_proba(X)[:, 1])[0, 1] > 0.9


def test_the_answer_is_the_tracks_own_and_can_be_saved(table, tmp_path):
    X, y, groups = table
    model = TrackClassifier(seed=3).fit(X, y, groups)
    model.track_.save(tmp_path / "saved")
    loaded = load_track(tmp_path / "saved")
    assert type(loaded) is type(model.track_)
    assert loaded.schema_ == model.schema_
    codes = {level: code for code, level in enumerate(model.schema_.column("segment").levels)}
    features = X.assign(segment=X["segment"].map(codes).astype("int32"))
    assert np.array_equal(loaded.predict_proba(features), model.predict_proba(X)[:, 1])


@pytest.mark.parametrize(
    ("track", "labels"),
    [
        pytest.param("classical", ("goes", "stays"), id="texts"),
        pytest.param("neural", (1, 2), id="numbers"),
        pytest.param("rules", (False, True), id="truth values"),
        pytest.param("hybrid", (1.0, 2.0), id="floats"),
    ],
)
def test_it_is_saved_whole(table, tmp_path, track, labels):
    X, y, groups = table
    params = {"knowledge": str(KNOWLEDGE)} if track in ("rules", "hybrid") else {}
    X = X.assign(grade=pd.Categorical(1 + np.arange(len(X)) % 3))
    named = np.array(labels)[y]
    model = TrackClassifier(track, params, seed=3).fit(X, named, groups)
    model.save(tmp_path / "saved")
    loaded = TrackClassifier.load(tmp_path / "saved")
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(loaded.predict(X), model.predict(X))
    assert loaded.classes_.dtype == model.classes_.dtype
    assert (loaded.track, loaded.seed, loaded.n_features_in_) == (track, 3, X.shape[1])
    assert list(loaded.feature_names_in_) == list(X.columns)
    again = clone(loaded).fit(X, named, groups)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(X.drop(columns="grade"))


def test_what_is_no_classifier_is_not_loaded_as_one(table, tmp_path):
    X, y, _ = table
    model = TrackClassifier()
    with pytest.raises(NotFittedError):
        model.save(tmp_path / "unfitted")
    model.fit(X, y).track_.save(tmp_path / "track")
    with pytest.raises(ModelError, match="a track alone"):
        TrackClassifier.load(tmp_path / "track")
    model.fit(X, y).save(tmp_path / "saved")
    document = tmp_path / "saved" / "track.json"
    document.write_text(document.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(ModelError, match="damaged"):
        TrackClassifier.load(tmp_path / "saved")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"classes": [0, 1]},
        {"classes": [0, 1, 2], "dtype": "<i8", "named": True, "seed": 0},
        {"classes": [0, 1], "dtype": "no such thing", "named": True, "seed": 0},
        {"classes": ["a", "b"], "dtype": "<i8", "named": True, "seed": 0},
        {"classes": [0, 1], "dtype": "<i8", "named": True, "seed": "0"},
    ],
)
def test_a_classifier_that_says_something_else_is_refused(table, tmp_path, said):
    X, y, _ = table
    save(TrackClassifier().fit(X, y).track_, tmp_path / "saved", classifier=said)
    with pytest.raises(ModelError):
        TrackClassifier.load(tmp_path / "saved")


def test_an_array_is_saved_too(table, tmp_path):
    X, y, _ = table
    numbers = X.drop(columns="segment").to_numpy()
    model = TrackClassifier().fit(numbers, y)
    model.save(str(tmp_path / "saved"))
    loaded = TrackClassifier.load(str(tmp_path / "saved"))
    assert np.array_equal(loaded.predict_proba(numbers), model.predict_proba(numbers))
    assert not hasattr(loaded, "feature_names_in_")


def test_groups_decide_what_is_held_out(table):
    X, y, groups = table
    boosting = TrackClassifier("classical", {"family": "boosting"})  # finds its trees on held-out groups
    by_group = clone(boosting).fit(X, y, groups)
    named = clone(boosting).fit(X, y, [f"household {each}" for each in groups])
    assert np.array_equal(by_group.predict_proba(X), named.predict_proba(X))
    assert not np.array_equal(by_group.predict_proba(X), clone(boosting).fit(X, y).predict_proba(X))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        TrackClassifier().fit(X, y, groups[:-1])


def test_missing_and_unknown_values_are_no_obstacle(table):
    X, y, _ = table
    holes = X.copy()
    holes.loc[::3, "orders"] = np.nan
    holes.loc[::4, "segment"] = None
    model = TrackClassifier().fit(holes, y)
    strange = X.assign(segment="never seen")
    missing = X.assign(segment=pd.Series([None] * len(X), dtype=object))
    assert np.array_equal(model.predict_proba(strange), model.predict_proba(missing))


def test_knowledge_is_for_tracks_that_take_it(table):
    X, y, _ = table
    for track in ("rules", "hybrid"):
        params = {"knowledge": str(KNOWLEDGE)}
        some = X[X["segment"] != "wholesale"]
        model = TrackClassifier(track, params).fit(some, y[X["segment"] != "wholesale"])
        assert "wholesale" in model.schema_.column("segment").levels, "the rules name it"
        assert model.predict_proba(X).shape == (len(X), 2)


def test_it_works_inside_of_scikit_learn(table):
    X, y, groups = table
    numbers = X.drop(columns="segment").fillna(0)
    scores = cross_val_score(
        TrackClassifier(), X, y, groups=groups, cv=GroupKFold(3), scoring="roc_auc", error_score="raise"
    )
    assert (scores > 0.6).all()
    search = GridSearchCV(TrackClassifier(), {"seed": [0, 1]}, cv=2).fit(X, y)
    assert search.best_estimator_.predict(X).shape == y.shape
    pipeline = make_pipeline(StandardScaler(), TrackClassifier()).fit(numbers, y)
    assert pipeline.predict_proba(numbers).shape == (len(y), 2)
    voting = VotingClassifier([("one", TrackClassifier()), ("two", TrackClassifier(seed=1))], voting="soft")
    assert voting.fit(numbers, y).predict_proba(numbers).shape == (len(y), 2)


def test_a_clone_has_the_parameters_and_nothing_learned(table):
    X, y, _ = table
    model = TrackClassifier("classical", {"penalty_factor": 2.0}, seed=2).fit(X, y)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert not hasattr(copied, "track_")


@pytest.mark.parametrize(
    ("track", "params", "message"),
    [
        ("clasical", None, "did you mean 'classical'"),
        ("classical", {"colour": "red"}, "no parameter 'colour'"),
        ("rules", {}, "needs the parameter 'knowledge'"),
        ("baseline", {"column": "nothing"}, "'nothing' is not a column"),
    ],
)
def test_a_wrong_parameter_is_told_when_fitting(table, track, params, message):
    X, y, _ = table
    with pytest.raises(ValueError, match=message):
        TrackClassifier(track, params).fit(X, y)


def test_what_cannot_be_fitted_is_told(table):
    X, y, _ = table
    with pytest.raises(TypeError, match="params are a mapping"):
        TrackClassifier(params=[1]).fit(X, y)
    with pytest.raises(ValueError, match="y holds one class only, 1"):
        TrackClassifier().fit(X, np.ones(len(X)))
    with pytest.raises(ValueError, match="multiclass"):
        TrackClassifier().fit(X, np.arange(len(X)) % 3)
    with pytest.raises(ValueError, match="infinity in 'orders'"):
        TrackClassifier().fit(X.assign(orders=np.inf), y)
    with pytest.raises(ValueError, match="'when' holds datetime64"):
        TrackClassifier().fit(X.assign(when=pd.Timestamp("2020-01-01")), y)
    with pytest.raises(ValueError, match=r"'bag' holds values such as \[1, 2\]"):
        TrackClassifier().fit(X.assign(bag=[[1, 2]] * len(X)), y)
    with pytest.raises(ValueError, match="'wave' holds complex128"):
        TrackClassifier().fit(X.assign(wave=1 + 2j), y)
    model = TrackClassifier().fit(X, y)
    with pytest.raises(ValueError, match="'orders' holds 'many' in row 1"):
        model.predict_proba(X.assign(orders="many"))
    with pytest.raises(ValueError, match="feature names"):
        model.predict_proba(X.drop(columns="orders"))


@pytest.mark.parametrize("n_rows", [2, 3, 7, 21])
def test_few_rows_are_enough(n_rows):
    generator = np.random.default_rng(n_rows)
    X = pd.DataFrame({"a": generator.normal(size=n_rows), "b": generator.choice(["x", "y"], n_rows)})
    y = np.arange(n_rows) % 2
    found = TrackClassifier().fit(X, y).predict_proba(X)
    assert np.isfinite(found).all()
    assert np.allclose(found.sum(axis=1), 1)
