"""``results.json``: everything a program wants to know of an experiment, in one documented form.

Format history (raise `SCHEMA_VERSION` with every change that a reader can notice; ``docs/results-json.md``):

3. curves have `k_half_excess`, `forms`, `held_out`, and `loglog` in place of `loglog_exponent`;
   `backtest` and `stop_early`; `ranking`, `fronts`, `equal_errors`, `front_probability` of summaries,
   `probability_none_pays`; `sensitivity`, `steps`, `next_points`, `regret_per_year`,
   `behind_leader_per_year`, `use`, `value_of_perfect_information`
2. `spending`; yearly costs may have `labels`, and people's hours in parts
1. first version
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from toolkit.analysis.forecast_record import FORECASTERS, BackTest, EarlyStop, Replay
from toolkit.analysis.results import Curve, Front, Interval, Results, TrackVerdict, Verdict
from toolkit.analysis.spending import Spread
from toolkit.analysis.whatif.record import Assumption, Sensitivity

__all__ = ["CELL_KEYS", "SCHEMA_VERSION", "to_json"]

SCHEMA_VERSION = 3

CELL_KEYS = (
    "track",
    "rung",
    "n_train",
    "n_rules",
    "seed",
    "status",
    "quality",
    "reason",
    "score_average_precision",
    "score_roc_auc",
    "error_log_loss",
    "cost_search_cpu_seconds",
    "cost_fit_cpu_seconds",
    "cost_fit_wall_seconds",
    "cost_fit_peak_bytes",
    "cost_predict_batch_cpu_seconds_per_row",
    "cost_predict_single_p50_seconds",
)
"""Keys that every cell has, null where not measured."""


def to_json(results: Results) -> dict[str, Any]:
    """Return the results as plain data that is valid JSON: no NaN, no infinity (null instead).

    Parameters
    ----------
    results : Results

    Returns
    -------
    dict
        As ``docs/results-json.md`` says; pass it to ``json.dumps``.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "experiment": results.experiment,
        "task": results.task,
        "verdict": _verdict(results.verdict),
        "cells": _cells(results),
        "summaries": [asdict(summary) for summary in results.summaries],
        "curves": [_curve(curve) for curve in results.curves],
        "pairs": [asdict(pair) for pair in results.pairs],
        "ranking": [asdict(one) for one in results.ranking],
        "fronts": [_front(one) for one in results.fronts],
        "equal_errors": [asdict(one) for one in results.equal_errors],
        "findings": [asdict(finding) for finding in results.findings],
        "labels_saved": [asdict(saved) for saved in results.labels_saved],
        "spending": asdict(results.spending),
        "backtest": _backtest(results.backtest),
        "stop_early": {
            "stops": [_stop(stop) for stop in results.stops],
            "replay": _replay(results.replay),
        },
        "sensitivity": _sensitivity(results.sensitivity),
        "steps": [asdict(one) for one in results.steps],
        "next_points": [asdict(one) for one in results.next_points],
        "statements": [asdict(statement) for statement in results.statements],
        "knowledge": list(results.knowledge),
        "prices": list(results.prices),
        "environment": results.environment,
    }
    return {key: _plain(value) for key, value in document.items()}


def _cells(results: Results) -> list[dict[str, Any]]:
    """Return one flat record a cell, all with the same keys."""
    rows = [cell.flat() for cell in results.cells]
    keys = [*CELL_KEYS, *(key for row in rows for key in row)]
    return [dict.fromkeys(keys) | row for row in rows]


def _curve(curve: Curve) -> dict[str, Any]:
    flat = asdict(curve)
    flat["refusals"] = [one._asdict() for one in curve.refusals]
    flat["forms"] = {one.form: one.weight for one in curve.forms}
    if curve.held_out is not None:
        flat["held_out"] = {**curve.held_out._asdict(), "predicted": asdict(curve.held_out.predicted)}
    if curve.loglog is not None:
        line = curve.loglog
        figures = {"exponent": asdict(line.exponent), "k_half": asdict(line.k_half)}
        flat["loglog"] = {**figures, "r_squared": line.r_squared}
    return flat


def _front(front: Front) -> dict[str, Any]:
    return {**asdict(front), "points": [point._asdict() for point in front.points]}


def _backtest(backtest: BackTest) -> dict[str, Any]:
    rows = [
        {**asdict(one), "log_errors": {name: one.log_error(name) for name in FORECASTERS}}
        for one in backtest.forecasts
    ]
    return {**asdict(backtest), "forecasts": rows}


def _stop(stop: EarlyStop) -> dict[str, Any]:
    flat = asdict(stop)
    del flat["cells"], flat["terms"]
    return {**flat, "n_trained_since": stop.n_trained_since}


def _replay(replay: Replay) -> dict[str, Any]:
    stops = [_stop(stop) for stop in replay.stops]
    return {
        **asdict(replay),
        "stops": stops,
        "cpu_seconds_saved": replay.cpu_seconds_saved,
        "right": replay.right,
    }


def _sensitivity(found: Sensitivity | None) -> dict[str, Any] | None:
    if found is None:
        return None
    flat = asdict(found)
    flat["assumptions"] = [_assumption(one) for one in found.assumptions]
    for name in ("deep_volume", "deep_hit"):
        one = getattr(found, name)
        flat[name] = None if one is None else _assumption(one)
    return {**flat, "fragile": [one.key for one in found.fragile]}


def _assumption(one: Assumption) -> dict[str, Any]:
    nearest = one.nearest
    return {
        **asdict(one),
        "nearest": None if nearest is None else asdict(nearest),
        "factor": None if nearest is None else math.exp(one.distance),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    flat = asdict(verdict)
    flat["use"] = verdict.use
    flat["tracks"] = {entry.track: _entry(entry, verdict) for entry in verdict.tracks}
    return flat


def _entry(entry: TrackVerdict, verdict: Verdict) -> dict[str, Any]:
    value = entry.net_value_per_year
    in_usd = Interval(*(end / verdict.currency_per_usd for end in (value.estimate, value.low, value.high)))
    flat = asdict(entry)
    del flat["track"]
    if entry.excluded or verdict.best is None:
        flat["probability_best"] = None  # best of nothing
    return {**flat, "net_value_usd_per_year": asdict(in_usd)}


def _plain(value: Any) -> Any:
    """Return `value` made of dict, list, str, int, float, bool and None."""
    if isinstance(value, Spread):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
