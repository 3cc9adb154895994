"""What the search charges for a trial, and what it takes: the ratio should not differ between tracks.

    python benchmarks/search_budget.py [--rungs 0 3 6 9] [--repeats 3]

All learned tracks search within the same nominal CPU-seconds (`toolkit.tracks._work`). If the formulas
flatter one family, it gets more trials than the others: then its ratio here, measured over nominal, is the
larger one. Only ratios to each other count; their level depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import numpy as np

from toolkit import config, registry
from toolkit.tracks._search import SearchedTrack
from toolkit.tracks._trial import Trial
from toolkit.tracks._work import reference_seconds
from toolkit.tracks.base import Track

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "retail.yaml"

CANDIDATES = {
    "logistic": ("classical", {"family": "logistic"}),
    "logistic, weak": ("classical", {"family": "logistic", "penalty_factor": 0.05}),
    "boosting, 75 trees": ("classical", {"family": "boosting", "n_trees": 75, "calibrate": False}),
    "boosting, 63 leaves": ("classical", {"family": "boosting", "n_trees": 75, "max_leaf_nodes": 63}),
    "forest": ("classical", {"family": "forest", "calibrate": False}),
    "extra trees": ("classical", {"family": "forest", "extra": True, "calibrate": False}),
    "net, strong": ("neural", {"strength": "strong"}),
    "net, medium": ("neural", {"strength": "medium"}),
    "net, weak": ("neural", {"strength": "weak"}),
    "net, 3 layers": ("neural", {"strength": "medium", "depth": 3}),
    "net, 8 members": ("neural", {"strength": "medium", "members": 8}),
    "net, dropout": ("neural", {"strength": "medium", "dropout": 0.1}),
    "net, early stopping": ("neural", {"strength": "medium", "early_stopping": True}),
    "hybrid": ("hybrid", {}),
    "hybrid, no teacher": ("hybrid", {"teacher_labels": 0.0}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rungs", type=int, nargs="+", default=[0, 3, 6, 9])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    experiment = config.load(EXPERIMENT)
    task = registry.build("tasks", experiment.task_name, experiment.task_params)
    task.prepare(lambda text, share: None)
    for rung in options.rungs:
        train = task.load(rung=experiment.ladder.rungs[rung], seed=0).train
        print(
            f"rung {rung}: {len(train):,} rows; reference {reference_seconds(len(train), train.schema):.2f} s"
        )
        for title, (name, parameters) in CANDIDATES.items():
            if not title.startswith(options.only):
                continue
            track: Track = registry.build("tracks", name, {**experiment.tracks[name], **parameters})
            track = track.check(task.schema(), EXPERIMENT.parent)
            if not isinstance(track, SearchedTrack):
                continue
            track.warm_up(train.take(np.arange(0, len(train), max(1, len(train) // 500))))
            trial = Trial.of(train, len(train), 0)
            seconds = []
            for _ in range(options.repeats):
                begun = time.process_time()
                used = track.attempt(trial).used
                seconds.append(time.process_time() - begun)
            nominal = track.fit_seconds(len(trial.fitting), train.schema, len(train.unlabelled)) or np.nan
            nominal *= used
            print(
                f"  {title:<20} measured {np.median(seconds):8.3f}  nominal {nominal:8.3f}  "
                f"ratio {np.median(seconds) / nominal:5.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
