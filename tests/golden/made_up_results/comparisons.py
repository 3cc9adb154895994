"""What comparisons of the made-up tracks come to: ranking, front, and what the same error takes."""

from __future__ import annotations

import math
from dataclasses import replace

from toolkit.analysis.comparison.comparison_record import FrontPoint, FrontVolume
from toolkit.analysis.comparison.front import training_cpu_seconds
from toolkit.analysis.results import EqualError, Front, Interval, Ranked
from toolkit.analysis.spending import Spread

from .shared import around
from .summaries import summaries


def ranking() -> tuple[Ranked, ...]:
    places = [
        ("classical", 0.2681, 0.61, 0.0001, 1, "leads"),
        ("neural", 0.2682, 0.33, 0.0003, 1, "tie"),
        ("hybrid", 0.2685, 0.06, 0.0006, 1, "unclear"),
        ("rules", 0.2739, 0.0, 0.0058, 2, "leads"),
        ("baseline", 0.2761, 0.0, 0.008, 3, "leads"),
    ]
    return tuple(
        Ranked(
            track=track,
            score="error_log_loss",
            estimate=estimate,
            probability_best=best,
            regret=Interval(regret, 0.0 if group == 1 else regret / 2, 2 * regret),
            margin=0.001,
            probability_within_margin=0.93 if group == 1 else 0.0,
            group=group,
            standing=standing,  # type: ignore[arg-type]
        )
        for track, estimate, best, regret, group, standing in places
    )


def fronts() -> tuple[Front, ...]:
    points = tuple(
        FrontPoint(one.track, one.rung, seconds, 0.92 if one.on_front else 0.3 if one.rung > 2 else 0.01)
        for one in summaries()
        if (seconds := training_cpu_seconds(one)) is not None and seconds > 0
    )
    return (
        Front(
            error="error_log_loss",
            reference_track="baseline",
            reference_rung=0,
            reference_error=0.2761,
            reference_cpu_seconds=10_000.0,
            points=points,
            volumes=(
                FrontVolume("", around(0.031, 0.002)),
                FrontVolume("baseline", around(0, 0), around(0, 0), around(0, 0)),
                FrontVolume("rules", around(0.012, 0.002), around(0.004, 0.001), around(0.13, 0.03)),
                FrontVolume("classical", around(0.024, 0.003), around(0.009, 0.002), around(0.29, 0.05)),
                FrontVolume(
                    "neural", around(0.015, 0.003), Interval(1e-4, 0, 0.001), Interval(3e-3, 0, 0.03)
                ),
                FrontVolume("hybrid", around(0.014, 0.003), around(0, 0), around(0, 0)),
            ),
        ),
    )


def equal_errors() -> tuple[EqualError, ...]:
    ever = math.inf

    def asked(track: str, reach: str, seconds: Interval | None, **more: object) -> EqualError:
        ends = None if seconds is None else (seconds.estimate, seconds.low, seconds.high)
        return EqualError(
            error="error_log_loss",
            target=0.2684,
            of="classical",
            of_rung=5,
            of_cpu_seconds=84.0,
            track=track,
            reach=reach,  # type: ignore[arg-type]
            cpu_seconds=seconds,
            money=None if ends is None else Interval(*(end * 2e-5 for end in ends)),
            joules=None if ends is None else Spread(ends[1] * 2, ends[0] * 4, ends[2] * 7),
            kg_co2e=None if ends is None else Spread(ends[1] * 1e-7, ends[0] * 2e-7, ends[2] * 4e-7),
            probability=None if reach == "own" else 0.4,
            **more,  # type: ignore[arg-type]
        )

    first = (
        asked("baseline", "does_not", None),
        asked(
            "rules", "measured", Interval(0.2, 0.2, ever), n_rules=Interval(9, 7, ever), hours=around(12, 0)
        ),
        asked("classical", "own", Interval(84, 80, 90)),
        asked("neural", "forecast", Interval(1_900, 900, 4_800)),
        asked("hybrid", "not_shown", Interval(ever, 700, ever)),
    )
    second = (
        asked("baseline", "does_not", None),
        asked("rules", "does_not", None),
        asked("classical", "at_most", Interval(0.3, 0, 0.4)),
        asked("neural", "cannot", None),
        asked("hybrid", "own", Interval(92, 88, 97)),
    )
    third = (
        asked("classical", "at_least", Interval(ever, 84, ever)),
        asked("neural", "own", Interval(2_820, 2_700, 2_950)),
    )
    return (
        *first,
        *(replace(one, target=0.2711, of="hybrid", of_cpu_seconds=92.0) for one in second),
        *(replace(one, target=0.2682, of="neural", of_cpu_seconds=2_820.0) for one in third),
    )
