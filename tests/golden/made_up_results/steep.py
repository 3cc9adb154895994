"""Two tracks whose errors fall by powers of their costs: fits that hold, forecasts, and lines of theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toolkit.analysis.comparison.front import mark_front
from toolkit.analysis.curve_record import Curve, Refusal
from toolkit.analysis.results import Interval, Results, RungSummary
from toolkit.analysis.spending import Spending
from toolkit.records import CellRecord, without_repeats

from .cells import RUN
from .conclusions import no_verdict
from .shared import around
from .spending import price

ROWS = tuple(int(n) for n in np.geomspace(500, 200_000, 10))
LAWS = {"classical": (0.9, 0.32, 0.02, 2e-4), "neural": (2.4, 0.42, 0.01, 3e-3)}
"""Track -> factor, exponent, floor and CPU-seconds a row."""

SEEDS = (0.97, 1.0, 1.04)


def error_at(track: str, rows: float) -> float:
    factor, exponent, floor, _ = LAWS[track]
    return factor * rows**-exponent + floor


def steep(*, refused: bool = False, on_accelerator: tuple[str, ...] = ()) -> Results:
    """Return results whose first error falls steeply; with `refused`, no fit holds."""
    rungs = [summary(track, rung) for track in LAWS for rung in range(len(ROWS))]
    level = replace(
        rungs[0],
        track="rules",
        rung=0,
        n_train=0,
        n_rules=12,
        n_seeds=1,
        scores={"error_log_loss": around(0.11, 0.01)},
        costs={"cost_fit_cpu_seconds": 1e-3},
    )
    found = mark_front((level, *rungs), "error_log_loss")
    bare = no_verdict("Neural leads.")
    return Results(
        experiment={"experiment": "steep", "tracks": {"rules": {}, **{track: {} for track in LAWS}}},
        task={"name": "steep", "title": "Steep", "cluster": "group", "primary_error": "error_log_loss"},
        cells=without_repeats([cell for one in found for cell in cells(one)]),
        evidence={},
        summaries=found,
        curves=tuple(
            curve(track, cost, refused) for track in LAWS for cost in ("n_train", "cost_train_cpu_seconds")
        ),
        pairs=(),
        verdict=replace(bare, best="neural"),
        spending=Spending(training_prices=tuple(price(one, one.track in on_accelerator) for one in found)),
    )


def cpu_of(track: str, rows: float) -> float:
    return LAWS[track][3] * rows * 2.0


def summary(track: str, rung: int) -> RungSummary:
    rows = ROWS[rung]
    return RungSummary(
        track=track,
        rung=rung,
        n_train=rows,
        n_rules=None,
        n_seeds=len(SEEDS),
        scores={"error_log_loss": around(error_at(track, rows) * float(np.mean(SEEDS)), 0.008)},
        costs={
            "cost_search_cpu_seconds": cpu_of(track, rows) / 2,
            "cost_fit_cpu_seconds": cpu_of(track, rows) / 2,
            "cost_fit_flop": rows * 4e6 if track == "neural" else None,
        },
    )


def cells(one: RungSummary) -> list[CellRecord]:
    value = one.scores["error_log_loss"].estimate / float(np.mean(SEEDS))
    return [
        CellRecord(
            **RUN,
            track=one.track,
            rung=one.rung,
            seed=seed,
            n_train=one.n_train,
            n_rules=one.n_rules,
            status="finished",
            quality="clean",
            scores={"error_log_loss": value * SEEDS[seed] if one.n_seeds > 1 else value},
            costs=dict(one.costs),
        )
        for seed in range(one.n_seeds)
    ]


def curve(track: str, cost: str, refused: bool) -> Curve:
    scale = 1.0 if cost == "n_train" else cpu_of(track, 1.0)
    grid = np.geomspace(ROWS[0], 10 * ROWS[-1], 40)
    errors = np.array([error_at(track, rows) * float(np.mean(SEEDS)) for rows in grid])
    width = 0.02 + 0.1 * np.maximum(np.log10(grid / ROWS[-1]), 0)
    return Curve(
        track=track,
        error="error_log_loss",
        cost=cost,
        form="power_floor",
        exponent=around(LAWS[track][1], 0.04),
        floor=around(LAWS[track][2], 0.008),
        elasticity=around(-0.2, 0.05),
        k_half=Interval(31.0, 12.0, float("inf")),
        refusals=(Refusal("short_span", "the costs span too little"),) if refused else (),
        points=tuple((rows * scale, error_at(track, rows)) for rows in ROWS),
        grid_cost=tuple((grid * scale).tolist()),
        grid_error=tuple(errors.tolist()),
        grid_low=tuple((errors * (1 - width)).tolist()),
        grid_high=tuple((errors * (1 + width)).tolist()),
    )
