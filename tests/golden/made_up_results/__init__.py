"""Results as an analysis would give them, made by hand: five tracks, gaps, names that must be escaped."""

from __future__ import annotations

from dataclasses import replace

from toolkit.analysis.results import Results
from toolkit.records import to_frame

from .cells import evidence, records
from .conclusions import findings, labels_saved, no_verdict, pairs, statements, verdict
from .declared import experiment, prices, task
from .knowledge import knowledge
from .shared import HOSTILE
from .summaries import curves, summaries

__all__ = ["HOSTILE", "golden", "none", "one_cell"]


def golden() -> Results:
    return Results(
        experiment=experiment(),
        task=task(),
        cells=to_frame(records()),
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
