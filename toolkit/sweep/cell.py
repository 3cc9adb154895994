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
from numpy.typing import NDArray

from toolkit import registry
from toolkit.config import Rung
from toolkit.errors import OneClassError, TooFewLabelsError, ToolkitError
from toolkit.machine import pin_one_thread
from toolkit.meters._calibration import calibrate
from toolkit.meters.base import Meter
from toolkit.meters.time import read_processor
from toolkit.records import CellRecord, CellSpec, Evidence
from toolkit.scores import check_probabilities, make_evidence, row_log_loss, score_probabilities
from toolkit.sweep.cell_model import leave_model
from toolkit.sweep.fork_server import EXIT_SPOOL
from toolkit.sweep.inference import PERCENTILES, inputs, measure_batch, measure_first, measure_single
from toolkit.sweep.ledger import Ledger
from toolkit.sweep.spool import CellOutcome, write_cell
from toolkit.tasks.base import Block, Task, TaskData, TrainingData
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Step, Track

__all__ = ["CellJob", "run_cell"]

WARM_UP_ROWS = 120
"""Labelled rows of the unmetered fit that takes the first-use costs of the libraries."""

_TAIL_CHARACTERS = 4000


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
            reason=_writable(_sentence(error)),
            log_tail=_writable(tail),
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


def _writable(text: str) -> str:
    """Return the text with what UTF-8 cannot hold (half of a surrogate pair) as its escape."""
    return text.encode(errors="backslashreplace").decode()


class _Cell:
    """The phases of one cell, in order, with what they cost."""

    def __init__(self, job: CellJob) -> None:
        # First of all: what is resident now is the fork server's, not the cell's.
        meters: list[Meter] = [registry.build("meters", name, {}) for name in registry.names("meters")]
        self.job = job
        self.machine = dict(job.machine)
        n_threads = pin_one_thread(job.core)
        self.machine["threads"] = str(n_threads)
        self.machine["load_average"] = f"{os.getloadavg()[0]:.2f}"
        self.ledger = Ledger(meters, alone=job.slots == 1 and n_threads == 1)
        self.ledger.costs.update(job.import_costs)

    def run(self, started_at: float) -> CellOutcome:
        """Run all phases; a repeat ends with what they cost, a cell is scored and leaves its model too."""
        job, spec, ledger = self.job, self.job.spec, self.ledger
        begun, used = time.perf_counter(), read_processor().cpu_seconds
        calibration = calibrate()
        with ledger.phase("load"):
            data = job.task.load(rung=job.rung, seed=spec.seed)
        step = Step(rung=spec.rung, data_rung=spec.data_rung, n_rules=spec.n_rules)
        fitted = self._learn(job.track.at(step), data.train)
        probabilities = self._predict(fitted, data.test)
        scores: dict[str, float | None] = {}
        evidence = None
        if not spec.repeat:
            scores, evidence = _score(job.task, data, fitted, probabilities)
            ledger.tell("model_bytes", *leave_model(fitted, spec, data, job.spool))
        ledger.tell("cell_metered_wall_seconds", ledger.metered_seconds)
        ledger.tell("cell_cpu_seconds", read_processor().cpu_seconds - used)
        ledger.tell("cell_wall_seconds", time.perf_counter() - begun)
        record = CellRecord(
            **spec.model_dump(exclude={"data_rung", "n_train"}),
            n_train=len(data.train),
            n_clusters=len(np.unique(data.train.clusters)),
            status="finished",
            quality=ledger.qualities["fit"],
            qualities=ledger.qualities,
            disturbances=ledger.disturbances,
            scores=scores,
            costs=ledger.costs,
            withheld=ledger.withheld,
            calibration=calibration,
            chosen=_chosen(fitted, len(data.train)),
            trials=() if spec.repeat else fitted.trials_,
            machine=self.machine,
            started_at=started_at,
            ended_at=time.time(),
        )
        return CellOutcome(record, evidence)

    def _learn(self, track: Track, train: TrainingData) -> Track:
        """Search and fit, metered apart."""
        seed, ledger = self.job.spec.seed, self.ledger
        _warm_up(track, train)
        ledger.tell("search_cpu_seconds", 0.0)
        ledger.tell("search_wall_seconds", 0.0)
        if self.job.search > 0 and type(track).search is not Track.search and len(train) > 0:
            budget = search_budget(self.job.search, train)
            with ledger.phase("search"):
                track = copy.deepcopy(track).search(train, budget_cpu_seconds=budget, seed=seed)
            ledger.tell(
                "search_nominal_cpu_seconds", math.fsum(trial.nominal_cpu_seconds for trial in track.trials_)
            )
            ledger.tell("search_budget_cpu_seconds", budget)
        with ledger.phase("fit"):
            fitted = copy.deepcopy(track).fit(train, seed=seed)
        operations = fitted.operations()
        ledger.costs.update(operations.costs())
        ledger.withheld.update(operations.withheld())
        return fitted

    def _predict(self, fitted: Track, test: Block) -> NDArray[np.float64]:
        """Predict one row, the whole block and, for the first seed, single rows; all metered."""
        measure_first(fitted, test, self.ledger)
        probabilities = check_probabilities(measure_batch(fitted, test, self.ledger), len(test))
        if self.job.spec.seed == 0 or self.job.spec.repeat:
            measure_single(fitted, test, self.ledger)
        else:
            names = [f"predict_single_{name}_seconds" for name in ("cpu", *PERCENTILES)]
            self.ledger.withhold(names, "measured with seed 0 only")
        return probabilities


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


def _score(
    task: Task, data: TaskData, fitted: Track, probabilities: NDArray[np.float64]
) -> tuple[dict[str, float | None], Evidence]:
    """Score the test block, with the log loss of always saying the training base rate beside it."""
    scores: dict[str, float | None] = dict(score_probabilities(data.test.labels, probabilities))
    scores.update(task.extra_scores(data.test, probabilities))
    prior: float | None = None
    if 0 < np.count_nonzero(data.train.labels) < len(data.train):
        constant = np.full(len(data.test), float(np.mean(data.train.labels)))
        prior = float(row_log_loss(data.test.labels, constant).mean())
    scores["error_log_loss_class_prior"] = prior
    valid = check_probabilities(fitted.predict_proba(*inputs(data.valid)), len(data.valid))
    evidence = make_evidence(
        labels=data.test.labels,
        probabilities=probabilities,
        clusters=data.test.clusters,
        strata=data.test.strata,
        valid_labels=data.valid.labels,
        valid_probabilities=valid,
        valid_clusters=data.valid.clusters,
    )
    return scores, evidence
