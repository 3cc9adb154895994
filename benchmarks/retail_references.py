"""The learned tracks against outside references on the same retail rows and features.

    python benchmarks/retail_references.py [--rungs 0 3 6 9] [--seeds 0] [--models ...] [--out FILE]

References: LightGBM with fixed parameters and tuned by Optuna, each with and without the category; RealMLP
and TabM with the defaults of pytabkit, and with the two settings that its documentation advises where
probabilities and not decisions count ("advised"). All of them stop early or choose their epoch on the inner
split that the tracks use. Every model trains on one thread, the tracks with the experiment's search.

The nets need more than the extra `dev`: `pip install -e '.[dev,bench]'`, in an environment of its own so as
not to disturb the locked one. Without pytabkit they are left out. They take CPU-hours on the larger rungs:
name models with `--models`, or fewer epochs with `--epochs`, which the notes of a result then say. TabM only
runs where it is named: to predict the test block alone takes it six minutes.

Prints a line a model and appends it to `--out` as one JSON object a line. `fit_cpu_seconds` is all that it
takes to get from the rows to the model, search and preprocessing included; importing and a process's first
steps are not. The test block is only scored; whoever chooses between designs has the scores of the
validation block.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib.util
import io
import json
import logging
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())
os.environ.setdefault("TQDM_MININTERVAL", "60")

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit import config, registry
from toolkit.config import Experiment
from toolkit.scores import score_probabilities
from toolkit.tasks.base import Task, TaskData, TrainingData
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Track

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "retail.yaml"
TRACKS = ("classical", "neural", "hybrid")
TRIALS = 30
PATIENCE = 50
"""Rounds without improvement after which LightGBM stops."""

BOOSTING = {"objective": "binary", "metric": "binary_logloss", "num_threads": 1, "verbose": -1}
USUAL = {"learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 50}
ADVISED: dict[str, dict[str, Any]] = {
    "RealMLP": {"val_metric_name": "cross_entropy", "use_ls": False},
    "TabM": {"val_metric_name": "cross_entropy"},
}
"""By default both choose their epoch by the share of wrong decisions, and RealMLP smooths the labels."""

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]


@dataclass(frozen=True)
class Fitted:
    predict: Predict
    notes: str = ""
    search_seconds: float = 0.0


@dataclass(frozen=True)
class Options:
    experiment: Experiment
    task: Task
    trials: int
    epochs: int | None
    batch_rows: int | None
    valid: bool


Fit = Callable[[TrainingData, int, Options], Fitted]


def boosting_rows(data: TrainingData, *, category: bool) -> lightgbm.Dataset:
    names = [column.name for column in data.schema.categories] if category else []
    frame = data.features[[*data.schema.numbers, *names]]
    return lightgbm.Dataset(frame, data.labels, categorical_feature=names, params={"verbose": -1})


def boosted(booster: lightgbm.Booster) -> Predict:
    columns = booster.feature_name()
    return lambda features: np.asarray(booster.predict(features[columns], num_threads=1))


def boost(
    params: dict[str, Any], fitting: TrainingData, held_out: TrainingData, seed: int, *, category: bool
) -> lightgbm.Booster:
    return lightgbm.train(
        {**params, **BOOSTING, "seed": seed},
        boosting_rows(fitting, category=category),
        num_boost_round=3000,
        valid_sets=[boosting_rows(held_out, category=category)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )


def fit_lightgbm(train: TrainingData, seed: int, options: Options, *, category: bool) -> Fitted:
    booster = boost(USUAL, *train.inner_split(seed), seed, category=category)
    notes = f"{booster.best_iteration} trees, early stopping on the inner split, no refit"
    return Fitted(boosted(booster), notes)


def suggest(trial: Any, category: bool) -> dict[str, Any]:
    params = {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 256, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 1000, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 100.0, log=True),
        "lambda_l1": trial.suggest_float("lambda_l1", 1e-3, 10.0, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "bagging_freq": 1,
    }
    if category:
        params["cat_smooth"] = trial.suggest_float("cat_smooth", 1.0, 1000.0, log=True)
        params["cat_l2"] = trial.suggest_float("cat_l2", 1.0, 1000.0, log=True)
        params["min_data_per_group"] = trial.suggest_int("min_data_per_group", 10, 1000, log=True)
    return params


def tune_lightgbm(train: TrainingData, seed: int, options: Options, *, category: bool) -> Fitted:
    """Tune by log loss on the inner split, then refit with the best trial's number of trees to all rows."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    start = time.process_time()
    fitting, held_out = train.inner_split(seed)

    def loss(trial: Any) -> float:
        booster = boost(suggest(trial, category), fitting, held_out, seed, category=category)
        trial.set_user_attr("trees", booster.best_iteration)
        return float(booster.best_score["valid_0"]["binary_logloss"])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(loss, n_trials=options.trials)
    trees = study.best_trial.user_attrs["trees"]
    params = suggest(optuna.trial.FixedTrial(study.best_params), category)
    searched_at = time.process_time()
    booster = lightgbm.train(
        {**params, **BOOSTING, "seed": seed},
        boosting_rows(train, category=category),
        num_boost_round=trees,
    )
    shown = {name: float(f"{value:.3g}") for name, value in study.best_params.items()}
    notes = f"{options.trials} TPE trials, refitted on all rows: {trees} trees, {shown}"
    return Fitted(boosted(booster), notes, searched_at - start)


class Prepared:
    """Frames as pytabkit takes them: medians and indicators for missing numbers, categories as such."""

    def __init__(self, train: TrainingData) -> None:
        from sklearn.impute import SimpleImputer

        self.numbers = list(train.schema.numbers)
        self.names = [column.name for column in train.schema.categories]
        self.imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        self.imputer.set_output(transform="pandas").fit(train.features[self.numbers])

    def __call__(self, features: pd.DataFrame) -> pd.DataFrame:
        frame = self.imputer.transform(features[self.numbers]).astype(np.float32)
        for name in self.names:
            frame[name] = features[name].astype(str).to_numpy(object)
        return frame


def fit_net(train: TrainingData, seed: int, options: Options, *, family: str, advised: bool) -> Fitted:
    import pytabkit

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning.*")
    prepared = Prepared(train)
    given = {"n_epochs": options.epochs, "batch_size": options.batch_rows}
    given = {name: value for name, value in given.items() if value is not None}
    params = {**given, **(ADVISED[family] if advised else {})}
    fitting, held_out = train.inner_split(seed)
    kind = {"RealMLP": pytabkit.RealMLP_TD_Classifier, "TabM": pytabkit.TabM_D_Classifier}[family]
    verbosity = 1 if family == "TabM" else 0  # TabM tells its epochs in no other way
    model = kind(device="cpu", n_threads=1, n_cv=1, random_state=seed, verbosity=verbosity, **params)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        model.fit(
            prepared(fitting.features),
            fitting.labels.astype(np.int64),
            prepared(held_out.features),
            held_out.labels.astype(np.int64),
            cat_col_names=prepared.names,
        )
    epochs = told.getvalue().count("(val)") or params.get("n_epochs", 256)
    notes = f"{epochs} epochs of {len(fitting):,} rows, the rest of the rows chooses the epoch; " + (
        f"defaults but {params}" if params else "all defaults"
    )
    return Fitted(lambda features: model.predict_proba(prepared(features))[:, 1], notes)


def searched(track: Track, train: TrainingData, options: Options, seed: int) -> Track:
    if options.experiment.search <= 0:
        return track
    return copy.deepcopy(track).search(
        train, budget_cpu_seconds=search_budget(options.experiment.search, train), seed=seed
    )


def fit_track(train: TrainingData, seed: int, options: Options, *, name: str) -> Fitted:
    track = registry.build("tracks", name, options.experiment.tracks[name])
    track = track.check(options.task.schema(), EXPERIMENT.parent)
    start = time.process_time()
    track = searched(track, train, options, seed)
    searched_at = time.process_time()
    track = copy.deepcopy(track).fit(train, seed=seed)
    shown = ", ".join(f"{key} {value}" for key, value in track.chosen().items())
    return Fitted(track.predict_proba, shown, searched_at - start)


MODELS: dict[str, Fit] = {
    "LightGBM": partial(fit_lightgbm, category=False),
    "LightGBM+category": partial(fit_lightgbm, category=True),
    "LightGBM-tuned": partial(tune_lightgbm, category=False),
    "LightGBM-tuned+category": partial(tune_lightgbm, category=True),
    **{name: partial(fit_track, name=name) for name in TRACKS},
    **{family: partial(fit_net, family=family, advised=False) for family in ADVISED},
    **{f"{family}-advised": partial(fit_net, family=family, advised=True) for family in ADVISED},
}
USUALLY = [name for name in MODELS if not name.startswith("TabM")]


def warm_up(name: str, fit: Fit, train: TrainingData, options: Options) -> None:
    """Do what only a process's first fit costs, on every k-th row so that there are clusters to split."""
    few = train.take(np.arange(0, len(train), max(1, len(train) // 1000)))
    if name in TRACKS:
        track = registry.build("tracks", name, options.experiment.tracks[name])
        track.check(options.task.schema(), EXPERIMENT.parent).warm_up(few)
    else:
        fit(few, 0, replace(options, trials=1, epochs=1, batch_rows=None))


def measure(name: str, rung: int, seed: int, data: TaskData, options: Options) -> dict[str, Any]:
    fit = MODELS[name]
    warm_up(name, fit, data.train, options)
    start = time.process_time()
    fitted = fit(data.train, seed, options)
    fit_seconds = time.process_time() - start
    valid: dict[str, float | None] = {}
    if options.valid:
        valid = score_probabilities(data.valid.labels, fitted.predict(data.valid.features))
    start = time.process_time()
    probabilities = fitted.predict(data.test.features)
    predict_seconds = time.process_time() - start
    scores = score_probabilities(data.test.labels, probabilities)
    return {
        "model": name,
        "rung": rung,
        "seed": seed,
        "n_train": len(data.train),
        "average_precision": scores["score_average_precision"],
        "roc_auc": scores["score_roc_auc"],
        "log_loss": scores["error_log_loss"],
        "fit_cpu_seconds": fit_seconds,
        "search_cpu_seconds": fitted.search_seconds,
        "predict_cpu_seconds_per_row": predict_seconds / len(data.test),
        "valid_average_precision": valid.get("score_average_precision"),
        "valid_log_loss": valid.get("error_log_loss"),
        "notes": fitted.notes,
    }


def show(result: dict[str, Any]) -> None:
    print(
        f"{result['model']:<24} PR-AUC {result['average_precision']:.4f}  ROC-AUC {result['roc_auc']:.4f}  "
        f"log loss {result['log_loss']:.4f}  {result['fit_cpu_seconds']:8.2f} CPU-s "
        f"(search {result['search_cpu_seconds']:.2f})  "
        f"{1e6 * result['predict_cpu_seconds_per_row']:7.2f} us a row",
        flush=True,
    )


def compare(results: list[dict[str, Any]]) -> None:
    """Print how far each track is from the reference of the highest PR-AUC, and at which cost."""
    references = [result for result in results if result["model"] not in TRACKS]
    if not references:
        return
    best = max(references, key=lambda result: result["average_precision"])
    for result in results:
        if result["model"] in TRACKS:
            gain = result["average_precision"] - best["average_precision"]
            ratio = result["fit_cpu_seconds"] / best["fit_cpu_seconds"]
            print(
                f"  {result['model']}: {gain:+.4f} PR-AUC against {best['model']} at {ratio:.3f} x the CPU-s"
            )


def installed(names: list[str]) -> list[str]:
    """Leave out the models whose package is missing, and say so."""
    for package, needing in (("optuna", "LightGBM-tuned"), ("pytabkit", tuple(ADVISED))):
        missing = [name for name in names if name.startswith(needing)]
        if missing and importlib.util.find_spec(package) is None:
            print(
                f"without {', '.join(missing)}: {package} is not installed, see pip install -e '.[dev,bench]'"
            )
            names = [name for name in names if name not in missing]
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rungs", type=int, nargs="+", default=[3], help="of experiments/retail.yaml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=USUALLY, metavar="MODEL", help=", ".join(MODELS)
    )
    parser.add_argument("--trials", type=int, default=TRIALS, help="of the tuning of LightGBM")
    parser.add_argument("--epochs", type=int, help="at most, for RealMLP and TabM; default: theirs")
    parser.add_argument("--batch-rows", type=int, help="for RealMLP and TabM; default: theirs")
    parser.add_argument("--test-only", action="store_true", help="without the scores of the validation block")
    parser.add_argument("--out", type=Path, help="append a JSON line a model")
    given = parser.parse_args()

    names = installed(given.models)
    experiment = config.load(EXPERIMENT)
    task = registry.build("tasks", experiment.task_name, experiment.task_params)
    task.prepare(lambda text, share: None)
    options = Options(experiment, task, given.trials, given.epochs, given.batch_rows, not given.test_only)
    for rung in given.rungs:
        for seed in given.seeds:
            data = task.load(rung=experiment.ladder.rungs[rung], seed=seed)
            print(
                f"rung {rung}, seed {seed}: {len(data.train):,} training and {len(data.test):,} test rows",
                flush=True,
            )
            results = []
            for name in names:
                results.append(measure(name, rung, seed, data, options))
                show(results[-1])
                if given.out is not None:
                    with given.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(results[-1]) + "\n")
            compare(results)


if __name__ == "__main__":
    main()
