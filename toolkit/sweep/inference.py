"""What a prediction costs in two scenarios, because they rank tracks differently: one row, and many at once.

The whole path is inside, preprocessing included.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.sweep.ledger import Ledger
from toolkit.tasks.base import Block
from toolkit.tracks.base import Track

__all__ = ["inputs", "measure_batch", "measure_first", "measure_single"]

BATCH_CPU_SECONDS = 0.050
"""A batch prediction is repeated until it has used this much, so that short ones can be read."""

BATCH_CALLS = 50
SINGLE_CALLS = 1000
SINGLE_WALL_SECONDS = 3.0
SINGLE_MEDIAN_CALLS = 100
"""Fewer calls than this give no median; fewer than `SINGLE_CALLS` no upper percentile."""

PERCENTILES = {"p50": 50, "p95": 95, "p99": 99}


def inputs(block: Block, rows: slice = slice(None)) -> tuple[pd.DataFrame, NDArray[np.uint8] | None]:
    """Return what a track predicts from: some rows' features and raw signal, without labels."""
    return block.features.iloc[rows], None if block.sequence is None else block.sequence[rows]


def measure_first(fitted: Track, test: Block, ledger: Ledger) -> None:
    """Meter the first call after the fit, with one row: it pays for what is built on first use."""
    one = inputs(test, slice(1))
    with ledger.phase("predict_first"):
        fitted.predict_proba(*one)


def measure_batch(fitted: Track, test: Block, ledger: Ledger) -> NDArray[np.float64]:
    """Meter predicting the whole block, and return the probabilities, shape (n_rows,)."""
    everything = inputs(test)
    calls = 0
    with ledger.window("predict_batch") as window:
        begun = time.process_time()
        while calls == 0 or (time.process_time() - begun < BATCH_CPU_SECONDS and calls < BATCH_CALLS):
            probabilities = fitted.predict_proba(*everything)
            calls += 1
    ledger.charge(window.reading, n_rows=calls * len(test))
    return probabilities


def measure_single(fitted: Track, test: Block, ledger: Ledger) -> None:
    """Meter calls with one row each; withhold what they cannot tell, with the reason."""
    places = [index % len(test) for index in range(SINGLE_CALLS)]
    rows = [inputs(test, slice(place, place + 1)) for place in places]
    seconds: list[float] = []
    end = time.perf_counter() + SINGLE_WALL_SECONDS
    with ledger.window("predict_single") as window:
        for row in rows:
            begun = time.perf_counter()
            fitted.predict_proba(*row)
            ended = time.perf_counter()
            seconds.append(ended - begun)
            if ended > end:
                break
    told: dict[str, float | str] = {}
    for name, percentile in PERCENTILES.items():
        needed = SINGLE_MEDIAN_CALLS if name == "p50" else SINGLE_CALLS
        if len(seconds) < needed:
            told[name] = (
                f"{len(seconds)} calls in {SINGLE_WALL_SECONDS:g} s tell too little: it takes {needed:,}"
            )
        elif window.reading.quality == "contended":
            told[name] = f"the machine was not idle: {window.reading.why}"
        else:
            told[name] = float(np.percentile(seconds, percentile))
    ledger.charge_calls(window.reading, n_calls=len(seconds), seconds=told)
