"""The learned tracks against LightGBM on the same retail rows and features.

    python benchmarks/retail_against_lightgbm.py [--rung 9]

LightGBM stops early on the same inner split, with and without the category. Prints each model's scores on
the test block, the difference in PR-AUC to the better LightGBM, and the ratio of CPU-seconds.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit import config, registry
from toolkit.scores import score_probabilities
from toolkit.tasks.base import TrainingData

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "retail.yaml"
Predict = Callable[[pd.DataFrame], NDArray[np.float64]]


def fit_lightgbm(train: TrainingData, seed: int, *, category: bool) -> Predict:
    columns = list(train.schema.names if category else train.schema.numbers)
    names = [column.name for column in train.schema.categories] if category else []
    fitting, held_out = train.inner_split(seed)
    model = lightgbm.LGBMClassifier(
        n_estimators=1000,
        learning_rate=0.05,
        num_leaves=31,
        min_child_samples=50,
        n_jobs=1,
        random_state=seed,
        verbose=-1,
    )
    model.fit(
        fitting.features[columns],
        fitting.labels,
        eval_set=[(held_out.features[columns], held_out.labels)],
        categorical_feature=names,
        callbacks=[lightgbm.early_stopping(30, verbose=False)],
    )
    return lambda features: np.asarray(model.predict_proba(features[columns]))[:, 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rung", type=int, default=9, help="of experiments/retail.yaml")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    experiment = config.load(EXPERIMENT)
    task = registry.build("tasks", experiment.task_name, experiment.task_params)
    task.prepare(lambda text, share: None)
    data = task.load(rung=experiment.ladder.rungs[options.rung], seed=options.seed)
    print(f"{len(data.train):,} training rows, {len(data.test):,} test rows, one thread, one seed")

    fits: dict[str, Callable[[], Predict]] = {
        "LightGBM": lambda: fit_lightgbm(data.train, options.seed, category=False),
        "LightGBM + category": lambda: fit_lightgbm(data.train, options.seed, category=True),
    }
    for name in ("classical", "neural", "hybrid"):
        track = registry.build("tracks", name, experiment.tracks[name])
        track = track.check(task.schema(), EXPERIMENT.parent)
        track.warm_up(data.train.take(np.arange(300)))
        fits[name] = lambda track=track: track.fit(data.train, seed=options.seed).predict_proba

    rows = []
    for name, fit in fits.items():
        start = time.process_time()
        predict = fit()
        seconds = time.process_time() - start
        scores = score_probabilities(data.test.labels, predict(data.test.features))
        rows.append((name, scores["score_average_precision"], scores["error_log_loss"], seconds))
    best = max(rows[:2], key=lambda row: row[1])
    for name, precision, loss, seconds in rows:
        print(
            f"{name:<20} PR-AUC {precision:.4f} ({precision - best[1]:+.4f})  log loss {loss:.4f}  "
            f"{seconds:6.2f} CPU-s (x {seconds / best[3]:.2f})"
        )


if __name__ == "__main__":
    main()
