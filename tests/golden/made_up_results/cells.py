"""The records of cells that the summaries are of, two that did not finish, and evidence."""

from __future__ import annotations

import numpy as np

from toolkit.analysis.results import RungSummary
from toolkit.records import N_BINS, CellRecord, Evidence, SearchTrial

from .shared import HOSTILE, ROWS
from .summaries import summaries

RUN = {"experiment": "retail", "task": "retail", "fingerprint": "f" * 12}
SEARCHED = ("classical", "neural", "hybrid")


def evidence(seed: int) -> Evidence:
    generator = np.random.default_rng(seed)
    n_clusters, n_entries = 40, 400
    bins = generator.integers(150, 400, n_entries)
    rate = 1 / (1 + np.exp(-(bins - 330) / 40))
    rows = generator.integers(1, 30, n_entries)
    positives = generator.binomial(rows, rate)
    strata = {}
    for name, part in (("holiday_week", bins % 3 == 0), ("ordinary_week", bins % 3 != 0)):
        counts = np.zeros((2, N_BINS), dtype=np.int64)
        np.add.at(counts[0], bins[part], positives[part])
        np.add.at(counts[1], bins[part], (rows - positives)[part])
        strata[name] = counts
    return Evidence(
        cluster=generator.integers(0, n_clusters, n_entries).astype(np.int32),
        bin=bins.astype(np.int16),
        positives=positives.astype(np.int32),
        negatives=(rows - positives).astype(np.int32),
        cluster_rows=np.full(n_clusters, 150, dtype=np.int64),
        cluster_log_loss=np.full(n_clusters, 40.0),
        cluster_brier=np.full(n_clusters, 11.0),
        valid_positives=np.bincount(bins, positives, N_BINS)[None].astype(np.int64),
        valid_negatives=np.bincount(bins, rows - positives, N_BINS)[None].astype(np.int64),
        valid_log_loss=0.27,
        strata=strata,
    )


def records() -> list[CellRecord]:
    found = []
    for summary in summaries():
        for seed in range(summary.n_seeds):
            done = CellRecord(
                **RUN,
                track=summary.track,
                rung=summary.rung,
                seed=seed,
                n_train=summary.n_train,
                n_rules=summary.n_rules,
                status="finished",
                quality="too_short" if summary.track == "rules" else "clean",
                scores={key: value.estimate for key, value in summary.scores.items()},
                costs={**summary.costs, **budget(summary)},
                chosen=chosen(summary),
                trials=trials(summary),
                machine={"processor": "made-up CPU"},
            )
            found.append(done)
    lost = CellRecord(
        **RUN,
        track="hybrid",
        rung=5,
        seed=0,
        n_train=ROWS[5],
        n_rules=14,
        status="failed",
        reason=f"loss became infinite after 3 epochs {HOSTILE}",
        log_tail="Traceback (most recent call last):\n  …\nTrackError: loss became infinite",
    )
    late = lost.model_copy(
        update={"seed": 1, "status": "timeout", "reason": "stopped after 3,600 s", "log_tail": ""}
    )
    return [*found, lost, late]


def budget(summary: RungSummary) -> dict[str, float]:
    if summary.track not in SEARCHED:
        return {}
    return {"cost_search_budget_cpu_seconds": 12.5, "cost_search_nominal_cpu_seconds": 11.25}


def chosen(summary: RungSummary) -> dict[str, str | float | int | bool | None]:
    if summary.track not in SEARCHED:
        return {}
    return {"family": HOSTILE, "penalty": 165.4987, "n_parameters": 27_118, "parameters_per_row": 0.109}


def trials(summary: RungSummary) -> tuple[SearchTrial, ...]:
    ends = ("complete", "complete", "pruned", "failed") if summary.track in SEARCHED else ()
    return tuple(
        SearchTrial(
            number=number,
            state=state,
            drawn=number > 0,
            params={"family": "logistic"},
            rows=20_000,
            loss=0.27 + number / 1000,
            first_loss=0.28,
            nominal_cpu_seconds=2.8,
        )
        for number, state in enumerate(ends)
    )
