"""Estimators of scikit-learn and LightGBM as files, without pickle and with a list of what may be in them."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from toolkit.errors import ModelError
from toolkit.models.estimators import (
    BOOSTER,
    LIGHTGBM,
    SKOPS,
    XGBOOST,
    is_estimator,
    pack_estimator,
    unpack_estimator,
)
from toolkit.store.models import requirements

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(300, 4))
X[:, 3] = GENERATOR.integers(0, 6, 300)
Y = (X[:, 0] + (X[:, 3] == 2) + GENERATOR.normal(size=300) > 0).astype(int)


def boosting() -> Any:
    return HistGradientBoostingClassifier(max_iter=5, categorical_features=[3], early_stopping=False).fit(
        X, Y
    )


def again(estimator: Any) -> Any:
    end, data = pack_estimator(estimator, "model_")
    assert end == SKOPS
    return unpack_estimator("estimator-0.skops", data)


@pytest.mark.parametrize(
    "make",
    [
        boosting,
        lambda: DecisionTreeClassifier(max_depth=4).fit(X, Y),
        lambda: RandomForestClassifier(3, random_state=0).fit(X, Y),
        lambda: KNeighborsClassifier(3, algorithm="brute").fit(X, Y),
        lambda: MLPClassifier((4,), tol=1.0, n_iter_no_change=2, random_state=0).fit(X, Y),
        lambda: make_pipeline(SimpleImputer(), LogisticRegression()).fit(X, Y),
    ],
)
def test_estimators_predict_the_same_to_the_last_bit(make):
    fitted = make()
    assert is_estimator(fitted)
    assert np.array_equal(again(fitted).predict_proba(X), fitted.predict_proba(X))


def test_a_lightgbm_booster_goes_as_its_own_text():
    lightgbm = pytest.importorskip("lightgbm")
    settings = {"verbose": -1, "num_threads": 1, "objective": "binary"}
    booster = lightgbm.train(settings, lightgbm.Dataset(X, Y), 5)
    assert is_estimator(booster)
    end, data = pack_estimator(booster, "model_")
    assert end == BOOSTER
    loaded = unpack_estimator(f"estimator-0{BOOSTER}", data)
    assert np.array_equal(loaded.predict(X), booster.predict(X))
    with pytest.raises(ModelError, match="LightGBM cannot read"):
        unpack_estimator(f"estimator-0{BOOSTER}", b"no model")
    with pytest.raises(ModelError, match="LightGBM cannot read"):
        unpack_estimator(f"estimator-0{BOOSTER}", b"\xff\xfe")


def test_a_lightgbm_classifier_says_what_it_needs(monkeypatch):
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(X, Y)
    end, data = pack_estimator(fitted, "model_")
    assert end == LIGHTGBM
    assert {line.partition("==")[0] for line in requirements([f"estimator-0{end}"])} >= {
        "lightgbm",
        "scikit-learn",
        "skops",
    }
    loaded = unpack_estimator(f"estimator-0{end}", data)
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    for name in [name for name in sys.modules if name.partition(".")[0] == "lightgbm"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModelError, match=r"needs lightgbm.*: pip install lightgbm"):
        unpack_estimator(f"estimator-0{end}", data)


def test_an_xgboost_classifier_goes_as_its_own_json():
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, Y)
    end, data = pack_estimator(fitted, "model_")
    assert end == XGBOOST
    loaded = unpack_estimator(f"estimator-0{XGBOOST}", data)
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    odd = xgboost.XGBClassifier(n_estimators=5, n_jobs=1, missing=-1.0).fit(np.where(X < 0, -1.0, X), Y)
    loaded = unpack_estimator(f"estimator-0{XGBOOST}", pack_estimator(odd, "model_")[1])
    holes = np.where(X < 0, -1.0, X)
    assert np.array_equal(loaded.predict_proba(holes), odd.predict_proba(holes))
    for wrong in (b"no model", b"\xff\xfe", b"{}"):
        with pytest.raises(ModelError, match="XGBoost cannot read"):
            unpack_estimator(f"estimator-0{XGBOOST}", wrong)


def test_what_is_no_estimator_is_told():
    assert not is_estimator({"a": 1})
    assert not is_estimator(LogisticRegression)
    with pytest.raises(ModelError, match="holds a list, no estimator"):
        unpack_estimator("estimator-0.skops", skops.io.dumps([1, 2]))


def own(x: Any) -> Any:
    return x


def test_a_type_that_is_not_trusted_is_named_when_saving_and_when_loading():
    estimator = FunctionTransformer(own)
    with pytest.raises(ModelError, match=r"cannot save model_, a FunctionTransformer, .*\.own"):
        pack_estimator(estimator, "model_")
    with pytest.raises(ModelError, match=r"these types are not trusted: .*\.own"):
        unpack_estimator("estimator-0.skops", skops.io.dumps(estimator))


def altered(data: bytes, old: str, new: str) -> bytes:
    """Return an archive with another text in its schema."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "schema.json":
                assert old in content.decode()
                content = content.decode().replace(old, new).encode()
            changed.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"LogisticRegression"', '"Popen"'),
        ('"sklearn.linear_model._logistic"', '"os"'),
        ('"ObjectNode"', '"ReduceNode"'),
        ('"ObjectNode"', '"NoNode"'),
    ],
)
def test_an_archive_that_names_something_else_is_refused(old, new):
    data = skops.io.dumps(LogisticRegression().fit(X, Y))
    with pytest.raises(ModelError):
        unpack_estimator("estimator-0.skops", altered(data, old, new))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04N.", b"{}"])
def test_what_is_no_archive_is_refused(data):
    with pytest.raises(ModelError, match="cannot be read"):
        unpack_estimator("estimator-0.skops", data)


def test_half_an_archive_is_refused():
    data = skops.io.dumps(LogisticRegression().fit(X, Y))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema = json.loads(archive.read("schema.json"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        changed.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ModelError, match="cannot be read"):
        unpack_estimator("estimator-0.skops", out.getvalue())


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 4_000_000), ("right", 0), ("feature_idx", 4), ("feature_idx", -1), ("bitset_idx", 99)],
)
def test_trees_that_lead_out_of_themselves_are_refused(field, value):
    """scikit-learn would follow such an index anywhere in memory."""
    fitted = boosting()
    for (predictor,) in fitted._predictors:
        nodes = predictor.nodes
        wanted = nodes["is_categorical"] == 1 if field == "bitset_idx" else nodes["is_leaf"] == 0
        place = np.flatnonzero(wanted)
        if len(place):
            nodes[field][place[-1]] = value
    with pytest.raises(ModelError, match="do not make a tree"):
        again(fitted)


def test_trees_in_a_forest_are_looked_at_too():
    forest = RandomForestClassifier(2, random_state=0).fit(X, Y)
    end, data = pack_estimator(forest, "model_")
    assert end == SKOPS
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        arrays = {name: archive.read(name) for name in archive.namelist()}
    nodes = [name for name, content in arrays.items() if b"left_child" in content[:600]]
    bad = np.load(io.BytesIO(arrays[nodes[-1]]))
    bad["left_child"][0] = 10_000
    buffer = io.BytesIO()
    np.save(buffer, bad)
    arrays[nodes[-1]] = buffer.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for name, content in arrays.items():
            changed.writestr(name, content)
    with pytest.raises(ModelError, match="do not make a tree"):
        unpack_estimator("estimator-0.skops", out.getvalue())
