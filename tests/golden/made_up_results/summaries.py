"""Five tracks on a ladder of six rungs, with gaps, and two curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from toolkit.analysis.curve_record import Curve, FormWeight, HeldOut, Refusal
from toolkit.analysis.fits.loglog import fit_loglog
from toolkit.analysis.results import Interval, RungSummary

from .shared import ROWS, around


def learned(track: str, floor: float, gain: float, per_row: float, value: float) -> list[RungSummary]:
    found = []
    for rung, n_train in enumerate(ROWS):
        loss = floor + gain * (n_train / ROWS[-1]) ** -0.35
        precision = 0.345 - 1.1 * (loss - 0.268)
        fit = per_row * n_train
        one_seed = track == "neural" and rung == 5
        found.append(
            RungSummary(
                track=track,
                rung=rung,
                n_train=n_train,
                n_rules=14 if track == "hybrid" else None,
                n_seeds=1 if one_seed else 3,
                scores={
                    "error_log_loss": around(loss, 0.0019),
                    "error_brier": around(loss * 0.29, 0.0007),
                    "score_average_precision": around(precision, 0.0052),
                    "score_roc_auc": around(0.776 - 2 * (loss - 0.268), 0.003),
                },
                costs={
                    "cost_import_cpu_seconds": 1.9 if track != "classical" else 1.1,
                    "cost_load_cpu_seconds": 0.4 + n_train * 2e-7,
                    "cost_search_cpu_seconds": fit * 1.05,
                    "cost_fit_cpu_seconds": fit,
                    "cost_fit_wall_seconds": fit * 1.02,
                    "cost_fit_peak_bytes": 4e7 + n_train * 900.0,
                    "cost_fit_flop": n_train * 4.2e6 if track != "classical" else None,
                    "cost_predict_first_cpu_seconds": 0.0021,
                    "cost_predict_batch_cpu_seconds_per_row": per_row / 600,
                    "cost_predict_batch_peak_bytes": 6.1e7,
                    "cost_predict_single_cpu_seconds": 0.0009,
                    "cost_predict_single_p50_seconds": 0.00088,
                    "cost_predict_single_p99_seconds": None if one_seed else 0.0013,
                },
                validation_value=value * (1 - 0.1 * (loss - floor)),
                net_value=around(value * (1 - 6 * (loss - floor - gain)), value * 0.18),
                threshold=0.084,
                on_front=track == "classical" and rung in (1, 2, 5),
            )
        )
    return found


def summaries() -> tuple[RungSummary, ...]:
    baseline = RungSummary(
        track="baseline",
        rung=0,
        n_train=0,
        n_rules=None,
        n_seeds=1,
        scores={
            "error_log_loss": around(0.2761, 0.0021),
            "score_average_precision": around(0.3238, 0.0049),
            "score_roc_auc": around(0.754, 0.0031),
        },
        costs={
            "cost_search_cpu_seconds": 0.0,
            "cost_fit_cpu_seconds": 0.0004,
            "cost_fit_peak_bytes": 0.0,
            "cost_predict_batch_cpu_seconds_per_row": 3.1e-8,
        },
        net_value=around(151.2e6, 27e6),
        threshold=0.09,
        on_front=True,
    )
    rules = [
        RungSummary(
            track="rules",
            rung=rung,
            n_train=0,
            n_rules=n_rules,
            n_seeds=1,
            scores={
                "error_log_loss": around(loss, 0.0021),
                "score_average_precision": around(precision, 0.005),
            },
            costs={
                "cost_search_cpu_seconds": 0.0,
                "cost_fit_cpu_seconds": 0.0061,
                "cost_fit_peak_bytes": 1.2e6,
                "cost_predict_batch_cpu_seconds_per_row": 9.4e-7,
            },
            net_value=around(152.6e6, 27e6),
            threshold=0.088,
            on_front=rung == 4,
        )
        for rung, (n_rules, loss, precision) in enumerate(
            [
                (0, 0.2762, 0.3236),
                (3, 0.2755, 0.3251),
                (7, 0.2749, 0.3262),
                (10, 0.2751, 0.326),
                (14, 0.2741, 0.327),
            ]
        )
    ]
    neural = [
        replace(entry, costs={**entry.costs, "cost_fit_cpu_seconds": None}) if entry.rung == 0 else entry
        for entry in learned("neural", 0.2669, 0.0014, 2.1e-3, 161.0e6)
    ]
    return (
        baseline,
        *rules,
        *learned("classical", 0.2672, 0.0011, 6.3e-5, 163.1e6),
        *neural,
        *learned("hybrid", 0.2671, 0.0009, 2.6e-3, 160.4e6)[:5],
    )


def curves() -> tuple[Curve, ...]:
    grid = tuple(np.geomspace(ROWS[0], ROWS[-1], 24).tolist())

    def fit(cost: float) -> float:
        return 0.2672 + 0.0011 * (cost / ROWS[-1]) ** -0.35

    line = fit_loglog(np.array(ROWS, dtype=float), np.array([fit(n) for n in ROWS]))
    return (
        Curve(
            track="classical",
            error="error_log_loss",
            cost="n_train",
            form="power_floor",
            exponent=Interval(0.35, 0.21, 0.52),
            floor=Interval(0.2672, 0.2661, 0.2678),
            elasticity=Interval(-0.0014, -0.0021, -0.0009),
            k_half=Interval(float("inf"), float("inf"), float("inf")),
            k_half_excess=Interval(7.2, 3.8, 27.1),
            loglog=line,
            forms=(FormWeight("power_floor", 0.91), FormWeight("log", 0.09)),
            held_out=HeldOut(ROWS[-1], fit(ROWS[-1]), Interval(fit(ROWS[-1]), 0.2679, 0.2688), True),
            refusals=(),
            points=tuple((n, fit(n)) for n in ROWS),
            grid_cost=grid,
            grid_error=tuple(fit(c) for c in grid),
            grid_low=tuple(fit(c) - 0.0009 for c in grid),
            grid_high=tuple(fit(c) + 0.0009 for c in grid),
        ),
        Curve(
            track="neural",
            error="error_log_loss",
            cost="cost_train_cpu_seconds",
            form="power_floor",
            exponent=None,
            floor=None,
            elasticity=None,
            k_half=None,
            loglog=line,
            refusals=(
                Refusal("few_rungs", "6 rungs; a fit with a floor needs 8."),
                Refusal("few_seeds", "1 seed at the largest rung; at least 3 are needed."),
            ),
            grid_cost=grid,
            grid_error=tuple(1.0 for _ in grid),
            grid_low=tuple(0.9 for _ in grid),
            grid_high=tuple(1.1 for _ in grid),
        ),
    )
