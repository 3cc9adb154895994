"""What one operation costs on this machine, in nanoseconds, from real fits and predictions.

    python benchmarks/operation_costs.py [--clusters 400 4000] [--repeats 3]

CPU time over the count of the quantity that the work is mostly made of (`docs/operations.md`), on one thread,
the least of some repeats. Whatever else a fit does is in the quotient, so small fits look dearer: two sizes
are shown. Between quantities the figures differ by four orders of magnitude, which is why counts of different
quantities are neither added up nor compared.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import numpy as np
import torch

from toolkit import config, registry
from toolkit.config import Rung
from toolkit.operations.counts import QUANTITIES
from toolkit.tasks.base import TaskData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track

SMOKE = Path(__file__).parents[1] / "experiments" / "smoke.yaml"

FITS = {
    "logistic regression": ("classical", {"family": "logistic"}, "sparse_flop"),
    "boosting": ("classical", {"family": "boosting", "n_trees": 75, "calibrate": False}, "histogram_updates"),
    "forest": ("classical", {"family": "forest", "calibrate": False}, "sort_comparisons"),
    "net": ("neural", {"strength": "strong"}, "flop"),
    "net, 8 members": ("neural", {"strength": "strong", "members": 8}, "flop"),
    "net, width 256": ("neural", {"strength": "strong", "width": 256}, "flop"),
}
"""What is fitted -> its track, parameters, and what most of a fit is made of."""

PREDICTIONS = {
    "logistic regression": "element_operations",
    "boosting": "node_visits",
    "forest": "node_visits",
    "net": "flop",
    "net, width 256": "flop",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clusters", type=int, nargs="+", default=[400, 4000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'work':34} {'rows':>8} {'seconds':>9} {'quantity':20} {'count':>10} {'ns each':>9}")
    for n_clusters in options.clusters:
        data = Synthetic(n_clusters=n_clusters).load(rung=Rung(share=0.6), seed=0)
        for name, (track, parameters, quantity) in FITS.items():
            fitted = fit_and_show(build(track, parameters), data, name, quantity, options.repeats)
            if name in PREDICTIONS:
                show_prediction(fitted, data, name, PREDICTIONS[name], options.repeats)
        rules = build("rules", {}).fit(data.train, seed=0)
        show_prediction(rules, data, "rules, vectorised", "conditions", options.repeats)
    bare(options.repeats)


def build(name: str, parameters: dict[str, object]) -> Track:
    experiment = config.load(SMOKE)
    given = {**experiment.tracks.get(name, {}), **parameters}
    return registry.build("tracks", name, given).check(Synthetic().schema(), SMOKE.parent)


def fit_and_show(track: Track, data: TaskData, name: str, quantity: str, repeats: int) -> Track:
    track.warm_up(data.train.take(np.arange(200)))
    seconds = least_seconds(lambda: track.fit(data.train, seed=0), repeats)
    count = track.operations().fit[quantity]
    assert count is not None
    show(f"fit: {name}", len(data.train), seconds, quantity, count)
    return track


def show_prediction(track: Track, data: TaskData, name: str, quantity: str, repeats: int) -> None:
    seconds = least_seconds(lambda: track.predict_proba(data.test.features), repeats)
    count = track.operations().predict_per_row[quantity]
    assert count is not None
    show(f"predict: {name}", len(data.test), seconds, quantity, count * len(data.test))


def bare(repeats: int) -> None:
    """Show operations by themselves: products and elements in torch, and rules as lines of Python."""
    for size in (32, 1024):
        left, calls = torch.ones(size, size), 2**31 // (2 * size**3) + 1
        seconds = least_seconds(lambda left=left, calls=calls: [left @ left for _ in range(calls)], repeats)
        show(f"product of matrices of {size}", size, seconds, "flop", 2.0 * size**3 * calls)
    values = torch.ones(2**14)
    seconds = least_seconds(lambda: [torch.relu(values) for _ in range(2000)], repeats)
    show("relu", len(values), seconds, "element_operations", 2000.0 * len(values))
    generator = np.random.default_rng(0)
    rows = [dict(zip("abcd", row, strict=True)) for row in generator.random((5000, 4)).tolist()]
    rules = [eval(f"lambda row: row['{'abcd'[i % 4]}'] > {i / 40} and row['a'] < .9") for i in range(40)]  # noqa: S307

    def scores() -> list[float]:
        return [sum(0.5 for rule in rules if rule(row)) for row in rows]

    show("rules in plain Python", len(rows), least_seconds(scores, repeats), "rules", len(rows) * 40.0)


def least_seconds(work: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return min(seconds)


def show(work: str, n_rows: int, seconds: float, quantity: str, count: float) -> None:
    assert quantity in QUANTITIES
    print(f"{work:34} {n_rows:8,} {seconds:9.4f} {quantity:20} {count:10.3g} {seconds / count * 1e9:9.3f}")


if __name__ == "__main__":
    main()
