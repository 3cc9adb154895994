"""Results as an analysis would give them, made by hand: five tracks, gaps, names that must be escaped."""

from __future__ import annotations

from dataclasses import replace

from toolkit.analysis.forecast_record import BackTest, Replay
from toolkit.analysis.results import Finding, Results
from toolkit.analysis.spending import Footprint, Spending
from toolkit.records import without_repeats

from .cells import evidence, records
from .changes import next_points, sensitivity, steps
from .comparisons import equal_errors, fronts, ranking
from .conclusions import findings, labels_saved, no_verdict, pairs, statements, verdict
from .declared import accelerator, experiment, prices, task
from .forecasts import backtest, replay, stops
from .knowledge import knowledge
from .shared import HOSTILE
from .spending import spending
from .steep import steep
from .summaries import curves, summaries

__all__ = ["HOSTILE", "accelerated", "golden", "none", "old", "one_cell", "steep"]


def golden() -> Results:
    return Results(
        experiment=experiment(),
        task=task(),
        cells=without_repeats(records()),
        evidence={("classical", 5, seed): evidence(seed) for seed in range(3)}
        | {("neural", 5, 0): evidence(7), ("rules", 4, 0): evidence(8)},
        summaries=summaries(),
        curves=curves(),
        pairs=pairs(),
        verdict=verdict(),
        findings=findings(),
        knowledge=(knowledge(),),
        labels_saved=labels_saved(),
        statements=statements(),
        environment={
            "report_written": "2026-01-15T10:00:00+00:00",
            "git_commit": "0123456789ab",
            "processor": "made-up CPU, 2 cores",
            "python": "3.11.2",
            "numpy": "2.4.0",
        },
        prices=prices(),
        spending=spending(),
        ranking=ranking(),
        fronts=fronts(),
        equal_errors=equal_errors(),
        backtest=backtest(),
        stops=stops(),
        replay=replay(),
        sensitivity=sensitivity(),
        steps=steps(),
        next_points=next_points(),
    )


def old() -> Results:
    """The same from old records: no readings counted, no machine told, no part that came later."""
    full = golden()
    parts = ("people_build", "people_upkeep", "search", "retraining", "prediction", "idle_capacity", "carbon")
    new = ("serving", "price_per_label", "own_hardware", "speed")
    economics = {key: value for key, value in full.experiment["economics"].items() if key not in new}
    return replace(
        full,
        experiment={**full.experiment, "economics": economics},
        verdict=replace(
            full.verdict,
            tracks=tuple(
                replace(
                    entry,
                    yearly_costs={k: v for k, v in entry.yearly_costs.items() if k in parts},
                    regret_per_year=None,
                    behind_leader_per_year=None,
                )
                for entry in full.verdict.tracks
            ),
            value_of_perfect_information=None,
        ),
        spending=Spending(),
        ranking=(),
        fronts=(),
        equal_errors=(),
        backtest=BackTest(),
        stops=(),
        replay=Replay(),
        sensitivity=None,
        steps=(),
        next_points=(),
    )


def accelerated() -> Results:
    """The same priced on a machine with a GPU that pays for the nets."""
    full = golden()
    economics = {**full.experiment["economics"], "hardware": "made-up-gpu", "serving": "single"}
    return replace(
        full,
        experiment={**full.experiment, "economics": economics},
        verdict=replace(
            full.verdict,
            tracks=tuple(
                replace(entry, yearly_costs={**entry.yearly_costs, "prediction": 9_100.0})
                if entry.track in ("neural", "hybrid")
                else entry
                for entry in full.verdict.tracks
            ),
        ),
        findings=(
            Finding(
                "accelerator",
                "info",
                "one training of neural is modelled to take 31 s (9 to 70 s) on a machine with one made-up "
                "GPU, against 1,380 s measured on one core: it is 20 to 153 times as fast there",
            ),
            *full.findings,
        ),
        prices=(*accelerator(), *full.prices[1:]),
        spending=replace(full.spending, footprints=tuple(map(on_gpu, full.spending.footprints))),
    )


def on_gpu(one: Footprint) -> Footprint:
    if one.track not in ("neural", "hybrid"):
        return one
    return replace(one, cpu_seconds=0.0, accelerator_seconds=one.cpu_seconds / 40)


def one_cell() -> Results:
    """One finished cell of one track: no pairs, no curve, no verdict."""
    full = golden()
    summary = next(entry for entry in full.summaries if entry.track == "classical" and entry.rung == 2)
    alone = [r for r in records() if (r.track, r.rung, r.seed) == ("classical", 2, 0)]
    return replace(
        full,
        experiment={**full.experiment, "tracks": {"classical": {}}},
        cells=without_repeats(alone),
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
        spending=Spending(),
        ranking=(),
        fronts=(),
        equal_errors=(),
        backtest=BackTest(too_short={"classical": 1}),
        stops=(),
        replay=Replay(),
        sensitivity=None,
        steps=(),
        next_points=(),
    )


def none() -> Results:
    """No cell at all."""
    return Results(
        experiment={},
        task={},
        cells=without_repeats([]),
        evidence={},
        summaries=(),
        curves=(),
        pairs=(),
        verdict=no_verdict(""),
    )
