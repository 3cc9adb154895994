"""Engineered features, the raw signal, or both: the same net on the same retail rows.

    python benchmarks/retail_sequence.py [--rung 9] [--seeds 3] [--block valid]

Prints scores, CPU-seconds of encoding and training, and the time of predicting a row.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import numpy as np
from numpy.typing import NDArray

from toolkit import config, registry
from toolkit.scores import score_probabilities
from toolkit.tasks.base import Block, TrainingData
from toolkit.tasks.retail import Retail
from toolkit.tracks._net import Strength

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "retail_sequence.yaml"
Inputs = Literal["features", "sequence", "both"]
Predict = Callable[[Block], NDArray[np.float64]]


def fit(train: TrainingData, inputs: Inputs, strength: Strength, seed: int) -> Predict:
    """Fit the net on columns, the signal and the categories, or both."""
    track = registry.build("tracks", "neural", {"strength": strength, "inputs": inputs})
    track.fit(train, seed=seed)
    return lambda block: np.asarray(track.predict_proba(block.features, block.sequence))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rung", type=int, default=9, help="of experiments/retail_sequence.yaml")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--strength", choices=get_args(Strength), default="medium")
    parser.add_argument("--block", choices=("valid", "test"), default="valid")
    options = parser.parse_args()

    experiment = config.load(EXPERIMENT)
    task = Retail(**experiment.task_params)
    task.prepare(lambda text, share: None)
    rows: dict[str, list[tuple[float, ...]]] = {}
    for seed in range(options.seeds):
        data = task.load(rung=experiment.ladder.rungs[options.rung], seed=seed)
        block: Block = getattr(data, options.block)
        few = data.train.take(np.arange(300))
        habit = block.features["habit_probability"].to_numpy(np.float64)
        rows.setdefault("habit", []).append(_figures(block, habit, 0.0, 0.0))
        for inputs in get_args(Inputs):
            fit(few, inputs, "strong", 0)
            start = time.process_time()
            predict = fit(data.train, inputs, options.strength, seed)
            trained = time.process_time()
            probabilities = predict(block)
            done = time.process_time()
            rows.setdefault(inputs, []).append(
                _figures(block, probabilities, trained - start, done - trained)
            )
    print(f"{len(data.train):,} training rows, {len(block):,} rows of {options.block}, one thread")
    for name, figures in rows.items():
        precision, loss, seconds, each = np.mean(figures, axis=0)
        spread = np.std(figures, axis=0)
        print(
            f"{name:<9} PR-AUC {precision:.4f} ± {spread[0]:.4f}  log loss {loss:.5f} ± {spread[1]:.5f}  "
            f"{seconds:6.2f} CPU-s  {each:5.2f} µs a row"
        )


def _figures(
    block: Block, probabilities: NDArray[np.float64], fitting: float, predicting: float
) -> tuple[float, float, float, float]:
    scores = score_probabilities(block.labels, probabilities)
    each = predicting / len(block) * 1e6
    return scores["score_average_precision"], scores["error_log_loss"], fitting, each


if __name__ == "__main__":
    main()
