"""Results as an analysis would give them, made by hand: five tracks, gaps, names that must be escaped."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from toolkit.analysis.results import (
    Curve,
    Finding,
    Interval,
    LabelsSaved,
    Pair,
    Results,
    RungSummary,
    Statement,
    TrackVerdict,
    Verdict,
)
from toolkit.records import N_BINS, CellRecord, Evidence, SearchTrial, to_frame

HOSTILE = "<script>alert('rule')</script>"
ROWS = (1_610, 5_200, 17_300, 61_400, 204_000, 655_000)
RUN = {"experiment": "retail", "task": "retail", "fingerprint": "f" * 12}


def around(value: float, half: float) -> Interval:
    return Interval(value, value - half, value + half)


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
            loglog_exponent=Interval(0.0061, 0.0048, 0.0074),
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
            loglog_exponent=Interval(0.004, 0.001, 0.009),
            refusals=(
                ("few_rungs", "6 rungs; a fit with a floor needs 8."),
                ("few_seeds", "1 seed at the largest rung; at least 3 are needed."),
            ),
            grid_cost=grid,
            grid_error=tuple(1.0 for _ in grid),
            grid_low=tuple(0.9 for _ in grid),
            grid_high=tuple(1.1 for _ in grid),
        ),
    )


def verdict() -> Verdict:
    def entry(
        track: str, rung: int, value: float, best: float, people: float, machine: float
    ) -> TrackVerdict:
        return TrackVerdict(
            track=track,
            rung=rung,
            net_value_per_year=around(value, 26.5e6),
            probability_best=best,
            yearly_costs={
                "people_build": people,
                "people_upkeep": people * 1.8,
                "search": machine * 0.01,
                "retraining": machine * 0.3,
                "prediction": machine,
                "idle_capacity": machine,
                "carbon": machine * 0.002,
            },
            gross_value_per_year=value + people * 2.8 + machine * 2.312,
        )

    return Verdict(
        best="classical",
        probability_best=0.78,
        too_close_to_call=True,
        deep_learning_worth_it=False,
        hybrid_worth_it=None,
        probability_deep_learning_worth_it=0.04,
        sentence="Use classical: it earns about $163 M a year after all costs, but neural is too close to "
        "tell apart (78 % against 17 %). Deep learning is not worth its cost here; it would be if "
        "prediction were 40 times cheaper.",
        margin=1.63e6,
        currency="USD",
        currency_per_usd=1.0,
        tracks=(
            entry("baseline", 0, 151.2e6, 0.0, 160, 9.0),
            entry("rules", 4, 152.6e6, 0.004, 800, 140.0),
            entry("classical", 5, 163.1e6, 0.78, 1_600, 260.0),
            entry("neural", 5, 162.4e6, 0.17, 3_200, 4_900.0),
            replace(entry("hybrid", 4, 160.4e6, 0.046, 4_000, 5_800.0), excluded=""),
        ),
    )


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
        valid_positives=np.bincount(bins, positives, N_BINS).astype(np.int64),
        valid_negatives=np.bincount(bins, rows - positives, N_BINS).astype(np.int64),
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


SEARCHED = ("classical", "neural", "hybrid")


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


def seen_rule(
    name: str, certainty: float, counts: int, data: tuple[float, float, float] | None, **more: object
) -> dict[str, object]:
    ends = None if data is None else dict(zip(("estimate", "low", "high"), data, strict=True))
    plain: dict[str, object] = {
        "id": name,
        "certainty": certainty,
        "n_fires": counts,
        "n_counts": counts,
        "n_clusters": counts // 100,
        "observed_rate": None if data is None else 0.1234,
        "expected_rate": None if data is None else 0.1012,
        "data": ends,
        "given_others": ends,
        "fires_on_dates": 0,
    }
    return {**plain, **more}


def against_rows() -> dict[str, object]:
    """What a sweep finds when it holds the rules against training rows."""
    raised = {
        "kind": "raised",
        "row": {"n182": 19, "gap_cv": 0.53063565, "category": HOSTILE, "due": None},
        "prior_probability": 0.6168,
        "probability": 0.7657,
        "contributions": [
            {
                "rule": "weekly_habit",
                "then": "buys",
                "certainty": "slightly",
                "log_odds": 0.22314,
                "because": HOSTILE,
            }
        ],
        "silenced": ["hostile"],
        "facts": [],
        "why_not": "one_off (does not buy, 0.9) would fire if n182 were 1 instead of 19",
    }
    silent = {**raised, "kind": "silent", "contributions": [], "silenced": [], "why_not": None}
    return {
        "n_rows": 248_928,
        "n_clusters": 1_867,
        "n_dates": 2,
        "observed_rate": 0.0945,
        "expected_rate": 0.105,
        "silent_share": 0.037,
        "rules": [
            seen_rule("weekly_habit", 0.95, 2_489, (0.226, 0.124, 0.316)),
            seen_rule("one_off", 0.9, 77_665, (-0.08, -0.126, -0.03), n_fires=80_000),
            seen_rule(HOSTILE, 0.6, 120, (1.0, 0.4, 1.0)),
            seen_rule("pay_day", 0.1, 124_451, (0.019, -0.029, 0.066), fires_on_dates=1),
            seen_rule("month_end", 0.2, 60_000, (0.1, -0.3, 0.45), fires_on_dates=4),
            seen_rule("holiday_cooking", 0.4, 0, None),
        ],
        "conflicts": [
            {
                "rule_for": "weekly_habit",
                "rule_against": HOSTILE,
                "n_rows": 1_312,
                "certainty": -0.25,
                "observed_rate": 0.21,
                "expected_rate": 0.24,
                "data": {"estimate": -0.15, "low": -0.22, "high": -0.08},
            }
        ],
        "examples": [raised, silent],
        "findings": [
            {
                "code": "fires-on-no-row",
                "severity": "warning",
                "sentence": "'holiday_cooking' fires on none of the 248,928 rows",
                "rules": ["holiday_cooking"],
                "witness": None,
                "where": "knowledge/retail.yaml:333:5",
            },
            {
                "code": "conflict",
                "severity": "info",
                "sentence": f"{HOSTILE} can contradict another",
                "rules": [],
                "witness": None,
                "where": None,
            },
            {"code": "gap-in-data", "severity": "info", "sentence": HOSTILE, "rules": [], "witness": None},
        ],
    }


def knowledge() -> dict[str, object]:
    return {
        "tracks": ["rules", "hybrid"],
        "name": "retail",
        "hash": "3fa0c1d2e4b5",
        "rules": [
            {
                "id": "weekly_habit",
                "when": "purchase_days_182 >= 20",
                "then": "buys",
                "certainty": "almost sure",
                "because": "Twenty weeks out of twenty-six is a habit & habits last.",
            },
            {
                "id": "one_off",
                "when": "purchase_days_182 == 1 and recency_days > 56",
                "then": "does not buy",
                "certainty": 0.9,
                "because": "Bought once and never again: a trial that failed.",
            },
            {"id": "hostile", "when": HOSTILE, "then": "buys", "certainty": "likely", "because": HOSTILE},
        ],
        "positive": "buys",
        "data": against_rows(),
    }


def saved(score: str, qualities: list[float], neural: list[Interval]) -> tuple[LabelsSaved, ...]:
    """Return what neural needs to equal the hybrid with 0, 100 and 1,600 labels, and classical never."""
    more = Interval(math.inf, 40_000.0, math.inf)
    found = [("neural", one) for one in neural] + [("classical", more)] * 3
    return tuple(
        LabelsSaved(score, "hybrid", other, labels, around(quality, 0.002), needed, 50, 51_200)
        for (other, needed), labels, quality in zip(found, [0, 100, 1600] * 2, qualities * 2, strict=True)
    )


def golden() -> Results:
    cells = to_frame(records())
    track_pairs = [
        ("classical", "rules", -0.0058, 0.0009, "better"),
        ("classical", "neural", 0.0001, 0.0006, "tie"),
        ("classical", "hybrid", -0.0004, 0.0014, "unclear"),
        ("neural", "baseline", -0.0079, 0.001, "better"),
        ("rules", "hybrid", 0.0052, 0.0011, "worse"),
    ]
    pairs = tuple(
        Pair(first, second, "error_log_loss", around(value, half), told)  # type: ignore[arg-type]
        for first, second, value, half, told in track_pairs
    )
    pairs += (
        Pair("classical", "rules", "score_average_precision", around(0.0171, 0.004), "better", 0.0004, 0.005),
        Pair("classical", "neural", "score_average_precision", around(-0.0004, 0.003), "tie", 0.81, 0.005),
    )
    return Results(
        experiment={
            "experiment": "retail",
            "description": "Who buys which product category in the next seven days, at one supermarket.",
            "task": {"name": "retail", "horizon_days": 7, "test_share": 0.5},
            "ladder": {"rungs": [{"share": 0.01, "cutoffs": 1}, {"share": 0.5, "cutoffs": 3}], "seeds": 3},
            "tracks": {"baseline": {}, "rules": {}, "classical": {}, "neural": {}, "hybrid": {}},
            "search": 1.0,
            "engine": {"kind": "local", "slots": 1, "timeout_seconds": 3600.0},
            "economics": {
                "currency": "USD",
                "currency_per_usd": 1.0,
                "value": {
                    "true_positive": {"low": 0.9, "likely": 1.1, "high": 1.3},
                    "false_positive": {"low": -0.1, "likely": -0.1, "high": -0.1},
                    "true_negative": {"low": 0, "likely": 0, "high": 0},
                    "false_negative": {"low": 0, "likely": 0, "high": 0},
                },
                "volume_per_year": {"low": 5.0e9, "likely": 5.0e9, "high": 5.0e9},
                "retrains_per_year": {"low": 52, "likely": 52, "high": 52},
                "search_each_retrain": False,
                "horizon_years": 3.0,
                "wage_per_hour": {"low": 60, "likely": 60, "high": 60},
                "hours": {
                    "rules": {
                        "build": {"low": 24, "likely": 40, "high": 80},
                        "per_year": {"low": 24, "likely": 48, "high": 96},
                    },
                    "neural": {
                        "build": {"low": 80, "likely": 160, "high": 320},
                        "per_year": {"low": 80, "likely": 160, "high": 320},
                    },
                },
                "hardware": "cloud-vcpu",
                "country": "US",
                "price_per_kwh": None,
                "pue": 1.2,
                "carbon_price_per_tonne": {"low": 80, "likely": 80, "high": 80},
                "margin": None,
            },
        },
        task={
            "name": "retail",
            "title": "Who buys what next week",
            "cluster": "household",
            "notices": [
                'The Python package says MIT and "simulated data … not for academic research".',
                "The R package of the same data says CC0.",
            ],
            "facts": {
                "test_rows": 327_775,
                "test_base_rate": 0.0968,
                "ceiling_of_recall": 0.84,
                "cut_offs": 26,
            },
            "primary_error": "error_log_loss",
        },
        cells=cells,
        evidence={("classical", 5, seed): evidence(seed) for seed in range(3)}
        | {("neural", 5, 0): evidence(7), ("rules", 4, 0): evidence(8)},
        summaries=summaries(),
        curves=curves(),
        pairs=pairs,
        verdict=verdict(),
        findings=(
            Finding(
                "cells_failed", "error", "2 cells of hybrid did not finish; its largest rung is missing."
            ),
            Finding(
                "one_seed",
                "warning",
                "neural has one seed at rung 5: its interval holds no spread over seeds.",
            ),
            Finding("too_short", "info", "The fit of rules is too short for its CPU time to be exact."),
        ),
        knowledge=(knowledge(),),
        labels_saved=(
            *saved(
                "score_average_precision",
                [0.32, 0.324, 0.33],
                [
                    Interval(21_500, 12_800, math.inf),
                    Interval(24_000, 15_000, math.inf),
                    Interval(50, 50, 190),
                ],
            ),
            *saved("error_log_loss", [0.272, 0.2715, 0.2708], [around(9_000, 4_000)] * 3),
        ),
        statements=(
            Statement(
                "above_rules",
                "with no labels, hybrid lies above rules in ROC-AUC: +0.0083 [+0.0071, +0.0095]; the target "
                "of +0.01 is not reached",
                around(0.0083, 0.0012),
                True,
            ),
            Statement(
                "never_worse",
                "hybrid against the better of neural and rules is at its worst with 800 labels",
                around(-0.011, 0.002),
                False,
            ),
            Statement("misled", "no hybrid with turned signs has finished", None, None),
        ),
        environment={
            "report_written": "2026-01-15T10:00:00+00:00",
            "git_commit": "0123456789ab",
            "processor": "made-up CPU, 2 cores",
            "python": "3.11.2",
            "numpy": "2.4.0",
        },
        prices=(
            {
                "name": "cloud-vcpu",
                "value": 0.048,
                "unit": "USD an hour",
                "source": "https://example.org/prices?a=1&b=2",
                "date": "2026-01-15",
                "basis": "published",
            },
            {
                "name": "carbon intensity",
                "value": 369.0,
                "unit": "g CO2e a kWh",
                "source": "Ember, Yearly Electricity Data",
                "date": "2024-06-20",
                "basis": "published",
            },
            {
                "name": "wage",
                "value": 60.0,
                "unit": "USD an hour",
                "source": "experiment file",
                "date": "",
                "basis": "declared",
            },
        ),
    )


def no_verdict(sentence: str) -> Verdict:
    return Verdict(
        best=None,
        probability_best=None,
        too_close_to_call=None,
        deep_learning_worth_it=None,
        hybrid_worth_it=None,
        probability_deep_learning_worth_it=None,
        sentence=sentence,
        margin=None,
        currency="USD",
        currency_per_usd=1.0,
    )


def one_cell() -> Results:
    """One finished cell of one track: no pairs, no curve, no verdict."""
    full = golden()
    summary = next(entry for entry in full.summaries if entry.track == "classical" and entry.rung == 2)
    alone = [r for r in records() if (r.track, r.rung, r.seed) == ("classical", 2, 0)]
    return replace(
        full,
        experiment={**full.experiment, "tracks": {"classical": {}}},
        cells=to_frame(alone),
        evidence={("classical", 2, 0): evidence(1)},
        summaries=(replace(summary, n_seeds=1, net_value=None),),
        curves=(),
        pairs=(),
        verdict=replace(
            no_verdict("Only classical has results to value, so there is nothing to compare it with."),
            tracks=tuple(replace(entry, rung=2) for entry in verdict().tracks if entry.track == "classical"),
        ),
        findings=(),
        knowledge=(),
        labels_saved=(),
        statements=(),
    )


def none() -> Results:
    """No cell at all."""
    return Results(
        experiment={},
        task={},
        cells=to_frame([]),
        evidence={},
        summaries=(),
        curves=(),
        pairs=(),
        verdict=no_verdict(""),
    )
