"""Estimators of other libraries as bytes, and back, without pickle.

scikit-learn's (and LightGBM's classes in its style) go through skops, which is told every type that may be
made; LightGBM's boosters and XGBoost's classifiers have formats of their own. scikit-learn trusts the indices
inside a tree, so those are checked before anybody predicts with them.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ModelError

__all__ = [
    "BOOSTER",
    "LIGHTGBM",
    "SKOPS",
    "TRUSTED",
    "XGBOOST",
    "is_estimator",
    "pack_estimator",
    "unpack_estimator",
]

SKOPS = ".skops"
LIGHTGBM = ".lightgbm.skops"
BOOSTER = ".lightgbm.txt"
XGBOOST = ".xgboost.json"

MISSING = "missing"
"""Attribute of a saved XGBoost model: the number that stands for a missing one."""

TRUSTED = (
    "collections.OrderedDict",
    "functools.partial",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)
"""Types that a file may hold beside scikit-learn's public ones, which skops trusts by itself."""

_Indices = NDArray[np.integer[Any]]


def is_estimator(value: Any) -> bool:
    """Return whether a value is a scikit-learn estimator or a LightGBM booster."""
    # what is not imported cannot have made the value
    sklearn, lightgbm = sys.modules.get("sklearn.base"), sys.modules.get("lightgbm")
    return (sklearn is not None and isinstance(value, sklearn.BaseEstimator)) or (
        lightgbm is not None and isinstance(value, lightgbm.Booster)
    )


def pack_estimator(value: Any, at: str) -> tuple[str, bytes]:
    """Return the end of the file's name and the file of an estimator.

    Parameters
    ----------
    value : estimator
    at : str
        What it is called in messages.

    Raises
    ------
    ModelError
        It holds something that could not be loaded again.
    """
    lightgbm = sys.modules.get("lightgbm")
    if lightgbm is not None and isinstance(value, lightgbm.Booster):
        return BOOSTER, str(value.model_to_string()).encode()
    xgboost = sys.modules.get("xgboost")
    if xgboost is not None and isinstance(value, xgboost.XGBClassifier):
        booster = value.get_booster()
        # the one parameter that shapes predictions and is no part of the booster
        booster.set_attr(**{MISSING: repr(float(value.missing))})
        return XGBOOST, bytes(booster.save_raw("json"))
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        data = skops.io.dumps(value, compression=zipfile.ZIP_DEFLATED)
    except (UnsupportedTypeException, TypeError, AttributeError) as error:
        raise ModelError(f"cannot save {at}, a {type(value).__name__}: {error}") from error
    refused = sorted({*skops.io.get_untrusted_types(data=data)} - {*TRUSTED})
    if refused:
        raise ModelError(
            f"cannot save {at}, a {type(value).__name__}, as it would be refused: {_why(refused)}"
        )
    return (LIGHTGBM if type(value).__module__.startswith("lightgbm") else SKOPS), data


def unpack_estimator(name: str, data: bytes) -> Any:
    """Return the estimator of a file.

    Parameters
    ----------
    name : str
        Of the file; its end says what it holds.
    data : bytes

    Raises
    ------
    ModelError
        A type that is not trusted, a damaged file, or a library that is missing.
    """
    if name.endswith(BOOSTER):
        return _booster(data)
    if name.endswith(XGBOOST):
        return _xgboost(data)
    import skops.io

    try:
        refused = sorted({*skops.io.get_untrusted_types(data=data)} - {*TRUSTED})
        found = None if refused else skops.io.loads(data, trusted=list(TRUSTED))
    except ModuleNotFoundError as error:
        raise ModelError(f"it needs {error.name}: pip install {error.name}") from error
    except Exception as error:
        # whatever a file of another version or a made-up one makes skops and scikit-learn stumble over
        raise ModelError(
            "the estimator cannot be read; it may be damaged, or of another version of scikit-learn "
            f"({type(error).__name__})"
        ) from error
    if refused:
        raise ModelError(_why(refused))
    if not is_estimator(found):
        raise ModelError(f"it holds a {type(found).__name__}, no estimator")
    _check_trees(found)
    return found


def _why(refused: Iterable[str]) -> str:
    return f"these types are not trusted: {', '.join(refused)}"


def _booster(data: bytes) -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise ModelError("it needs LightGBM: pip install lightgbm") from error
    try:
        return lightgbm.Booster(model_str=data.decode())
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise ModelError(f"LightGBM cannot read its model ({error})") from error


def _xgboost(data: bytes) -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise ModelError("it needs XGBoost: pip install xgboost") from error
    found = xgboost.XGBClassifier(n_jobs=1)
    try:
        found.load_model(bytearray(data))
        missing = found.get_booster().attr(MISSING)
        found.set_params(missing=float("nan" if missing is None else missing))
    except (xgboost.core.XGBoostError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"XGBoost cannot read its model ({error})") from error
    return found


def _check_trees(estimator: Any) -> None:
    """Refuse trees whose nodes lead out of the tree, in a circle, or to a column that is not there.

    Raises
    ------
    ModelError
    """
    for tree in _parts(estimator, set()):
        kind = type(tree).__name__
        if kind == "Tree":
            inner = np.flatnonzero(tree.children_left >= 0)
            children = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
            sound = _downward(inner, children, tree.node_count)
            sound = sound and _inside(tree.feature[inner], tree.n_features)
        elif kind == "TreePredictor":
            nodes = tree.nodes
            inner = np.flatnonzero(nodes["is_leaf"] == 0)
            children = np.concatenate([nodes["left"][inner], nodes["right"][inner]]).astype(np.int64)
            sound = _downward(inner, children, len(nodes))
            choices = nodes[inner][nodes["is_categorical"][inner] != 0]
            sound = sound and _inside(choices["bitset_idx"], len(tree.raw_left_cat_bitsets))
        elif hasattr(tree, "_predictors") and hasattr(tree, "n_features_in_"):
            columns = [predictor.nodes for step in tree._predictors for predictor in step]
            sound = all(_inside(nodes["feature_idx"], tree.n_features_in_) for nodes in columns)
        else:
            continue
        if not sound:
            raise ModelError("the nodes of a tree do not make a tree")


def _downward(parents: _Indices, children: _Indices, n_nodes: int) -> bool:
    # every node comes after the one above it, which leaves no way round in a circle
    return bool(np.all(children > np.tile(parents, 2)) and np.all(children < n_nodes))


def _inside(indices: _Indices, end: int) -> bool:
    return bool(np.all(indices >= 0) and np.all(indices < end))


def _parts(value: Any, seen: set[int]) -> Iterator[Any]:
    """Yield an estimator and all that it is made of."""
    if id(value) in seen or isinstance(value, str | bytes | int | float | type):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        inside: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple):
        inside = value
    elif isinstance(value, np.ndarray):
        inside = value.ravel() if value.dtype == object else ()
    else:
        yield value
        inside = getattr(value, "__dict__", {}).values()
    for each in inside:
        yield from _parts(each, seen)
