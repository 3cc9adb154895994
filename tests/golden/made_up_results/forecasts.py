"""Forecasts held against made-up rungs, a track that stopped climbing, and a replay."""

from __future__ import annotations

from dataclasses import replace

from toolkit.analysis.forecast_record import (
    AskedAgain,
    BackTest,
    EarlyStop,
    LabelsNotBought,
    Replay,
    RungForecast,
    Saved,
    SkippedCell,
)
from toolkit.analysis.results import Interval

from .shared import HOSTILE


def forecast(
    track: str, rung: int, cost: str, spent: float, predicted: float, observed: float, *refusals: str
) -> RungForecast:
    told = Interval(predicted, 0.98 * predicted, 1.02 * predicted)
    return RungForecast(
        track=track,
        error="error_log_loss" if rung < 9 else "error_one_minus_average_precision",
        cost=cost,
        rung=rung,
        spent=spent,
        times=spent / 1_000,
        predicted=told,
        observed=observed,
        inside=told.low <= observed <= told.high,
        loglog=0.97 * predicted,
        unchanged=1.03 * predicted,
        refusals=refusals,
    )


def backtest() -> BackTest:
    return BackTest(
        forecasts=(
            forecast("classical", 7, "n_train", 2_000, 0.2650, 0.2655),
            forecast("classical", 8, "cost_train_cpu_seconds", 4_000, 0.2640, 0.2649),
            forecast("neural", 7, "n_train", 2_000, 0.2660, 0.2600, "form_unclear"),
            forecast("neural", 9, "n_train", 8_000, 0.6600, 0.6610, "short_span", "form_unclear"),
        ),
        coverage=Interval(0.75, 0.194, 0.994),
        coverage_by_track={"classical": 1.0, "neural": 0.5},
        log_errors={"curve": 0.0074, "loglog": 0.031, "unchanged": 0.0305},
        too_short={HOSTILE: 3},
    )


def stop(track: str, saved: Saved) -> EarlyStop:
    behind = track == "neural"
    cells = tuple(SkippedCell(f"f{rung}{seed}", rung, 1_000 * rung) for rung in (8, 9) for seed in range(3))
    return EarlyStop(
        track=track,
        rung=7,
        n_measured=8,
        skipped=(8, 9),
        n_cells=6,
        reason="behind_leader" if behind else "does_not_pay",
        leader="classical",
        probability=0.03 if behind else 0.0,
        probability_leader_changes=0.02 if behind else None,
        forgone_per_year=1_350.0,
        currency="USD",
        saved=saved,
        labels_saved=LabelsNotBought(6_000, Interval(300.0, 240.0, 390.0)) if behind else None,
        cells=cells if behind else (),
        terms={} if behind else None,
    )


def stops() -> tuple[EarlyStop, ...]:
    saved = Saved(
        Interval(2_270, 1_800, 2_900), Interval(2_300, 1_850, 2_950), Interval(0.03, 0.024, 0.038), None
    )
    again = AskedAgain(
        ("volume_per_year", "hours"),
        stops=False,
        leader="classical",
        why="by its curve, a further rung pays for itself with probability over .99, and as it would be "
        "measured, one comes within the margin of classical with .84",
    )
    neural = stop("neural", saved)
    unknown = {"probability": None, "probability_leader_changes": None, "forgone_per_year": None}
    return (
        neural,
        replace(neural, track="hybrid", probability=None, probability_leader_changes=0.84, asked_again=again),
        replace(
            neural,
            track="classical",
            cells=neural.cells[:4],
            labels_saved=None,
            asked_again=AskedAgain((), why="how many rows the skipped rungs have was not kept"),
            **unknown,
        ),
    )


def replay() -> Replay:
    seconds = Interval(460.0, 460.0, 460.0)
    saved = Saved(
        seconds, seconds, Interval(0.0061, 0.0061, 0.0061), Interval(0.0003, 0.0002, 0.00041), measured=True
    )
    return Replay(
        asked=5,
        stops=(stop("classical", saved),),
        climbed_on={
            "hybrid": "a further rung pays for itself with probability .95, and comes within the margin "
            "of classical with .63"
        },
        cpu_seconds=2_000.0,
        best="classical",
        best_then="classical",
        forgone_per_year=Interval(1_200.0, -300.0, 4_000.0),
    )
