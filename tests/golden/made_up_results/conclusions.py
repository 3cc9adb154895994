"""What the analysis concludes: pairs, verdicts, findings, labels saved and statements."""

from __future__ import annotations

import math
from dataclasses import replace

from toolkit.analysis.results import Finding, Interval, LabelsSaved, Pair, Statement, TrackVerdict, Verdict

from .shared import around


def verdict() -> Verdict:
    def entry(
        track: str, rung: int, value: float, best: float, people: float, machine: float, regret: float
    ) -> TrackVerdict:
        labels = 4_370.0 if track in ("classical", "neural") else 0.0
        return TrackVerdict(
            track=track,
            rung=rung,
            net_value_per_year=around(value, 26.5e6),
            probability_best=best,
            yearly_costs={
                **people_costs(track, people),
                "people_upkeep": people * 1.8,
                "labels": labels,
                "search": machine * 0.01,
                "retraining": machine * 0.3,
                "prediction": machine,
                "idle_capacity": machine,
                "carbon": machine * 0.002,
            },
            gross_value_per_year=value + people * 2.8 + labels + machine * 2.312,
            regret_per_year=regret,
            behind_leader_per_year=None if track == "classical" else around(163.1e6 - value, 0.8e6),
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
            entry("baseline", 0, 151.2e6, 0.0, 160, 9.0, 12.1e6),
            entry("rules", 4, 152.6e6, 0.004, 800, 140.0, 10.7e6),
            entry("classical", 5, 163.1e6, 0.78, 1_600, 260.0, 188_152.75),
            entry("neural", 5, 162.4e6, 0.17, 3_200, 4_900.0, 888_000.0),
            replace(entry("hybrid", 4, 160.4e6, 0.046, 4_000, 5_800.0, 2.9e6), excluded=""),
        ),
        value_of_perfect_information=188_152.75,
    )


def people_costs(track: str, people: float) -> dict[str, float]:
    """Return the hours to build in parts where they are declared so."""
    if track != "neural":
        return {"people_build": people}
    return {"people_features": 0.4 * people, "people_modelling": 0.6 * people}


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


def pairs() -> tuple[Pair, ...]:
    track_pairs = [
        ("classical", "rules", -0.0058, 0.0009, "better"),
        ("classical", "neural", 0.0001, 0.0006, "tie"),
        ("classical", "hybrid", -0.0004, 0.0014, "unclear"),
        ("neural", "baseline", -0.0079, 0.001, "better"),
        ("rules", "hybrid", 0.0052, 0.0011, "worse"),
    ]
    found = tuple(
        Pair(first, second, "error_log_loss", around(value, half), told)  # type: ignore[arg-type]
        for first, second, value, half, told in track_pairs
    )
    return (
        *found,
        Pair("classical", "rules", "score_average_precision", around(0.0171, 0.004), "better", 0.0004, 0.005),
        Pair("classical", "neural", "score_average_precision", around(-0.0004, 0.003), "tie", 0.81, 0.005),
    )


def findings() -> tuple[Finding, ...]:
    return (
        Finding("cells_failed", "error", "2 cells of hybrid did not finish; its largest rung is missing."),
        Finding(
            "one_seed",
            "warning",
            "neural has one seed at rung 5: its interval holds no spread over seeds.",
        ),
        Finding("too_short", "info", "The fit of rules is too short for its CPU time to be exact."),
    )


def saved(score: str, qualities: list[float], neural: list[Interval]) -> tuple[LabelsSaved, ...]:
    """Return what neural needs to equal the hybrid with 0, 100 and 1,600 labels, and classical never."""
    more = Interval(math.inf, 40_000.0, math.inf)
    found = [("neural", one) for one in neural] + [("classical", more)] * 3
    return tuple(
        LabelsSaved(score, "hybrid", other, labels, around(quality, 0.002), needed, 50, 51_200)
        for (other, needed), labels, quality in zip(found, [0, 100, 1600] * 2, qualities * 2, strict=True)
    )


def labels_saved() -> tuple[LabelsSaved, ...]:
    return (
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
    )


def statements() -> tuple[Statement, ...]:
    return (
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
    )
