"""One cell in its own process: load, fit, search, predict under meters; then scores.

The track gets the rung's training data and bare features. Labels of the validation and the test
block stay here.
"""

from __future__ import annotations

import copy
import math
import os
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit import registry
from toolkit.config import Rung
from toolkit.errors import OneClassError, TooFewLabelsError, ToolkitError
from toolkit.machine import pin_one_thread
from toolkit.meters._window import Window
from toolkit.meters.base import Meter, Phase, Quality, Reading
from toolkit.records import CellRecord, CellSpec
from toolkit.scores import check_probabilities, make_evidence, row_log_loss, score_probabilities
from toolkit.sweep.cell_model import leave_model
from toolkit.sweep.fork_server import EXIT_SPOOL
from toolkit.sweep.spool import CellOutcome, write_cell
from toolkit.tasks.base import Block, Task, TaskData, TrainingData
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Step, Track

__all__ = ["CellJob", "run_cell"]

WARM_UP_ROWS = 120
"""Labelled rows of the unmetered fit that takes the first-use costs of the libraries."""

BATCH_CPU_SECONDS = 0.020
"""A batch prediction is repeated until it has used this much, so that short ones can be read."""

BATCH_CALLS = 20
SINGLE_CALLS = 1000
SINGLE_WALL_SECONDS = 1.0
SINGLE_MEDIAN_CALLS = 100
"""Fewer calls than this give no median; fewer than `SINGLE_CALLS` no upper percentile."""

_SINGLE = tuple(f"cost_predict_single_{name}_seconds" for name in ("cpu", "p50", "p95", "p99"))
_TAIL_CHARACTERS = 4000

Costs = dict[str, float | None]


@dataclass(frozen=True)
class CellJob:
    """All that a cell's process needs.

    Parameters
    ----------
    spec : CellSpec
    task : Task
    track : Track
        Checked, not fitted.
    rung : Rung or None
        None for no labelled rows.
    search : float
        Budget of the search as a multiple of the reference fit at the rung; 0 for none.
    spool : Path
        Where the result goes.
    core : int or None
        The core to stay on.
    slots : int
        How many cells may run side by side.
    machine : mapping of str to str
    import_costs : mapping of str to float or None
        ``cost_import_*`` of the track, measured once.
    """

    spec: CellSpec
    task: Task
    track: Track
    rung: Rung | None
    search: float
    spool: Path
    core: int | None = None
    slots: int = 1
    machine: Mapping[str, str] = field(default_factory=dict)
    import_costs: Mapping[str, float | None] = field(default_factory=dict)


def run_cell(job: CellJob) -> int:
    """Run one cell in this process and write its result to the spool.

    Returns
    -------
    int
        Exit code of the process: 0, or `EXIT_SPOOL` when the result could not be written.
    """
    started_at = time.time()
    try:
        outcome = _Cell(job).run(started_at)
    except (Exception, SystemExit) as error:
        # a ladder of labels begins below what some tracks need: that is no failure
        has_few = job.rung is not None and job.rung.labels is not None
        settled = has_few and isinstance(error, TooFewLabelsError | OneClassError)
        tail = "" if settled else "".join(traceback.format_exception(error))[-_TAIL_CHARACTERS:]
        record = CellRecord(
            **job.spec.model_dump(exclude={"data_rung"}),
            status="not_applicable" if settled else "failed",
            reason=_sentence(error),
            log_tail=tail,
            costs=dict(job.import_costs),
            machine=dict(job.machine),
            started_at=started_at,
            ended_at=time.time(),
        )
        outcome = CellOutcome(record)
    try:
        write_cell(job.spool, outcome)
    except OSError:
        traceback.print_exc()
        return EXIT_SPOOL
    return 0


def _sentence(error: BaseException) -> str:
    first = str(error).strip().split("\n", maxsplit=1)[0]
    if isinstance(error, ToolkitError):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


class _Cell:
    """The phases of one cell, in order, with what they cost."""

    def __init__(self, job: CellJob) -> None:
        # First of all: what is resident now is the fork server's, not the cell's.
        meters: list[Meter] = [registry.build("meters", name, {}) for name in registry.names("meters")]
        self.meters = meters
        self.job = job
        self.costs: Costs = dict(job.import_costs)
        self.withheld: dict[str, str] = {}
        self.machine = dict(job.machine)
        n_threads = pin_one_thread(job.core)
        self.machine["threads"] = str(n_threads)
        self.machine["load_average"] = f"{os.getloadavg()[0]:.2f}"
        self.alone = job.slots == 1 and n_threads == 1

    def run(self, started_at: float) -> CellOutcome:
        job, spec = self.job, self.job.spec
        with self._window("load") as window:
            data = job.task.load(rung=job.rung, seed=spec.seed)
        self._charge(window.reading)
        step = Step(rung=spec.rung, data_rung=spec.data_rung, n_rules=spec.n_rules)
        fitted, quality = self._learn(job.track.at(step), data.train)
        probabilities = self._predict(fitted, data.test)
        valid = check_probabilities(fitted.predict_proba(*_inputs(data.valid)), len(data.valid))
        scores = _scores(job.task, data, probabilities)
        evidence = make_evidence(
            labels=data.test.labels,
            probabilities=probabilities,
            clusters=data.test.clusters,
            strata=data.test.strata,
            valid_labels=data.valid.labels,
            valid_probabilities=valid,
        )
        self.costs["cost_model_bytes"] = leave_model(fitted, spec, data, job.spool)
        record = CellRecord(
            **spec.model_dump(exclude={"data_rung", "n_train"}),
            n_train=len(data.train),
            n_clusters=len(np.unique(data.train.clusters)),
            status="finished",
            quality=quality,
            scores=scores,
            costs=self.costs,
            withheld=self.withheld,
            chosen=_chosen(fitted, len(data.train)),
            trials=fitted.trials_,
            machine=self.machine,
            started_at=started_at,
            ended_at=time.time(),
        )
        return CellOutcome(record, evidence)

    def _window(self, phase: Phase) -> Window:
        return Window(phase, self.meters, alone=self.alone)

    def _charge(self, reading: Reading) -> None:
        for name, value in reading.quantities.items():
            self.costs[f"cost_{reading.phase}_{name}"] = value

    def _learn(self, track: Track, train: TrainingData) -> tuple[Track, Quality]:
        """Search and fit, metered apart."""
        seed = self.job.spec.seed
        _warm_up(track, train)
        self.costs["cost_search_cpu_seconds"] = 0.0
        self.costs["cost_search_wall_seconds"] = 0.0
        if self.job.search > 0 and type(track).search is not Track.search and len(train) > 0:
            budget = search_budget(self.job.search, train)
            with self._window("search") as search:
                track = copy.deepcopy(track).search(train, budget_cpu_seconds=budget, seed=seed)
            self._charge(search.reading)
            self.costs["cost_search_nominal_cpu_seconds"] = math.fsum(
                trial.nominal_cpu_seconds for trial in track.trials_
            )
            self.costs["cost_search_budget_cpu_seconds"] = budget
        with self._window("fit") as fit:
            fitted = copy.deepcopy(track).fit(train, seed=seed)
        self._charge(fit.reading)
        operations = fitted.operations()
        self.costs.update(operations.costs())
        self.withheld.update(operations.withheld())
        return fitted, fit.reading.quality

    def _predict(self, fitted: Track, test: Block) -> NDArray[np.float64]:
        """Predict one row, the whole block and, for the first seed, single rows; all metered."""
        one, everything = _inputs(test, slice(1)), _inputs(test)
        with self._window("predict_first") as window:
            fitted.predict_proba(*one)
        self._charge(window.reading)
        calls = 0
        begun = time.process_time()
        with self._window("predict_batch") as window:
            while calls == 0 or (time.process_time() - begun < BATCH_CPU_SECONDS and calls < BATCH_CALLS):
                raw = fitted.predict_proba(*everything)
                calls += 1
        probabilities = check_probabilities(raw, len(test))
        self._charge(_per_row(window.reading, calls * len(test)))
        self.costs.update(dict.fromkeys(_SINGLE))
        if self.job.spec.seed == 0:
            self._predict_single(fitted, test)
        return probabilities

    def _predict_single(self, fitted: Track, test: Block) -> None:
        """Measure the latency of calls with one row each; withhold what too few calls can tell."""
        places = [index % len(test) for index in range(SINGLE_CALLS)]
        rows = [_inputs(test, slice(place, place + 1)) for place in places]
        seconds: list[float] = []
        end = time.perf_counter() + SINGLE_WALL_SECONDS
        with self._window("predict_single") as window:
            for row in rows:
                begun = time.perf_counter()
                fitted.predict_proba(*row)
                ended = time.perf_counter()
                seconds.append(ended - begun)
                if ended > end:
                    break
        calls = len(seconds)
        cpu_seconds = window.reading.quantities.get("cpu_seconds")
        values: list[float | None] = [None] * len(_SINGLE)
        values[0] = None if cpu_seconds is None else cpu_seconds / calls
        if calls >= SINGLE_MEDIAN_CALLS:
            values[1] = float(np.median(seconds))
        if calls >= SINGLE_CALLS and window.reading.quality != "contended":
            values[2:] = [float(value) for value in np.percentile(seconds, (95, 99))]
        self.costs.update(zip(_SINGLE, values, strict=True))


def _inputs(block: Block, rows: slice = slice(None)) -> tuple[pd.DataFrame, NDArray[np.uint8] | None]:
    """Return what a track predicts from: some rows' features and raw signal, without labels."""
    return block.features.iloc[rows], None if block.sequence is None else block.sequence[rows]


def _warm_up(track: Track, train: TrainingData) -> None:
    """Fit a copy on a few rows of both classes, so that no track is charged for first use."""
    half = WARM_UP_ROWS // 2
    classes = [np.flatnonzero(train.labels == label) for label in (0, 1)]
    # Spread over the rows, so that there are clusters to split.
    rows = np.concatenate([found[:: max(1, len(found) // half)][:half] for found in classes])
    signals = train.unlabelled_sequence
    few = replace(
        train.take(np.sort(rows)),
        unlabelled=train.unlabelled.iloc[:WARM_UP_ROWS],
        unlabelled_sequence=None if signals is None else signals[:WARM_UP_ROWS],
    )
    try:
        copy.deepcopy(track).warm_up(few)
    except (TooFewLabelsError, OneClassError):
        return  # the fit itself will say so
    except Exception as error:
        # Too little data for this track: the real fit will tell what is wrong, if anything is.
        print(f"the warm-up was not possible: {error}", file=sys.stderr)


def _chosen(fitted: Track, n_rows: int) -> dict[str, str | float | int | bool | None]:
    """Return what was chosen; with parameters a training row, so that over-parameterised models show."""
    chosen = fitted.chosen()
    n_parameters = chosen.get("n_parameters")
    if isinstance(n_parameters, int) and n_rows:
        chosen["parameters_per_row"] = n_parameters / n_rows
    return chosen


def _per_row(reading: Reading, n_rows: int) -> Reading:
    """Turn seconds into seconds a row; other quantities stay."""
    quantities = {
        f"{name}_per_row" if name.endswith("_seconds") else name: (
            value / n_rows if name.endswith("_seconds") and value is not None and n_rows else value
        )
        for name, value in reading.quantities.items()
    }
    return replace(reading, quantities=quantities)


def _scores(task: Task, data: TaskData, probabilities: NDArray[np.float64]) -> dict[str, float | None]:
    """Score the test block, with the log loss of always saying the training base rate beside it."""
    scores: dict[str, float | None] = dict(score_probabilities(data.test.labels, probabilities))
    scores.update(task.extra_scores(data.test, probabilities))
    prior: float | None = None
    if 0 < np.count_nonzero(data.train.labels) < len(data.train):
        constant = np.full(len(data.test), float(np.mean(data.train.labels)))
        prior = float(row_log_loss(data.test.labels, constant).mean())
    scores["error_log_loss_class_prior"] = prior
    return scores
