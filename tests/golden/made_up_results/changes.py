"""What would change the verdict, what rungs add, and the price of the next point."""

from __future__ import annotations

import math

from toolkit.analysis.results import Interval
from toolkit.analysis.whatif.record import (
    Assumption,
    Flip,
    NextPoint,
    Regime,
    Region,
    RungStep,
    Sensitivity,
)

from .shared import around


def sensitivity() -> Sensitivity:
    volume = assumption(
        "volume_per_year", "decisions", "a year", 5e9, below=Flip(17_407_993.4, "rules"), reach=1e6
    )
    hit = assumption(
        "value.true_positive",
        "value of a true positive",
        "USD",
        1.1,
        ends=(0.9, 1.3),
        below=Flip(0.9531, "neural"),
        hair_below=Flip(1.0449, "neural"),
        hair_above=Flip(1.1102, "neural"),
        within_range=True,
    )
    miss = assumption(
        "value.false_negative", "value of a false negative", "USD", 0.0, below=Flip(-0.9985, ""), least=-1_100
    )
    return Sensitivity(
        best="classical",
        assumptions=(
            hit,
            volume,
            assumption("wage_per_hour", "wage", "USD an hour", 60.0, hair_above=Flip(3_587.3, "rules")),
            miss,
            assumption("price_per_label", "a training label", "USD", 0.02, ends=(0.01, 0.05)),
            assumption("pue", "PUE", "times the machines' energy", 1.2, least=1.0),
        ),
        volume=(
            Regime(5e3, 8_346.8, ""),
            Regime(8_346.8, 17_407_993.4, "rules"),
            Regime(17_407_993.4, 5e15, "classical"),
        ),
        hit=(
            Regime(0.0011, 0.05, "baseline"),
            Regime(0.05, 0.9531, "neural"),
            Regime(0.9531, 1100.0, "classical"),
        ),
        deep="",
        deep_volume=volume,
        deep_hit=hit,
        region=Region(
            volumes=(5e5, 5e7, 5e9),
            hits=(0.11, 1.1),
            best=(("", "rules", "rules"), ("rules", "classical", "classical")),
            tie=((False, False, True), (False, True, False)),
        ),
        deep_by_volume=(Regime(5e3, 5e15, ""),),
        deep_by_hit=(Regime(0.0011, 0.21, ""), Regime(0.21, 0.371, "neural"), Regime(0.371, 1100.0, "")),
    )


def assumption(
    key: str,
    title: str,
    unit: str,
    likely: float,
    *,
    ends: tuple[float, float] | None = None,
    below: Flip | None = None,
    above: Flip | None = None,
    hair_below: Flip | None = None,
    hair_above: Flip | None = None,
    reach: float = 1e3,
    within_range: bool = False,
    least: float | None = None,
) -> Assumption:
    low, high = ends or (likely, likely)
    return Assumption(
        key=key,
        title=title,
        unit=unit,
        low=low,
        likely=likely,
        high=high,
        below=below,
        above=above,
        hair_below=hair_below or below,
        hair_above=hair_above or above,
        reach=reach,
        within_range=within_range,
        lowest=likely / reach if least is None else least,
        highest=likely * reach or 1_100.0,
    )


def steps() -> tuple[RungStep, ...]:
    return (
        step("rules", 4, 410_000, 90_000, 151, deployed=True),
        step("classical", 4, 2.4e6, 0.9e6, 12),
        step("classical", 5, 620_000, 2.7e6, 40, deployed=True),
        step("neural", 5, -900, 400, 3_100, deployed=True),
        step("hybrid", 4, 2.38e6, 2.6e6, 2_900, deployed=True),
        step("hybrid", 5, -1.07e6, 3.8e6, 5_200),
    )


def step(
    track: str, rung: int, gross: float, half: float, cost: float, *, deployed: bool = False
) -> RungStep:
    return RungStep(
        track=track,
        rung=rung,
        below=rung - 1,
        gross=around(gross, half),
        cost=around(cost, 0.2 * cost),
        net=around(gross - cost, half),
        deployed=deployed,
    )


def next_points() -> tuple[NextPoint, ...]:
    def point(
        track: str, now: float, times: Interval | None, money: Interval | None, why: str = ""
    ) -> NextPoint:
        return NextPoint(track, "error_log_loss", now, 0.001, times, money, why)

    return (
        point("classical", 0.2646, Interval(2.4, 1.9, 4.1), Interval(31.0, 20.0, 69.0)),
        point("neural", 0.2639, Interval(5.2, 2.2, math.inf), Interval(5_100.0, 1_460.0, math.inf)),
        point(
            "hybrid", 0.2640, None, None, "the costs span 1.43 powers of ten; a forecast needs at least 1.5"
        ),
    )
