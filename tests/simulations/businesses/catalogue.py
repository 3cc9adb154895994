"""The businesses: who should win in each, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .business import Business, Seconds, Step, Track
from .skill import Labels, Skill

__all__ = ["CLEAR", "TIES", "any_business"]


def baseline(skill: float) -> Track:
    """The customer's own rate: no people but to set it up, no chance."""
    return Track("baseline", (Step(Skill(skill), Seconds(fit=0.1)),), 8, 8, seeded=False)


def rules(*skills: float, build: float = 24, upkeep: float = 24) -> Track:
    """A few more rules at every rung; few rules give few different scores."""
    steps = tuple(
        Step(Skill(skill, levels=6 + 4 * rung), Seconds(fit=0.2), n_rules=5 * (rung + 1))
        for rung, skill in enumerate(skills)
    )
    return Track("rules", steps, build, upkeep, seeded=False)


def learned(
    plugin: str,
    *skills: float,
    of_seeds: float,
    seconds: Seconds,
    hours: tuple[float, float],
    n_train: tuple[int, ...] = (2_000, 50_000),
) -> Track:
    """A track that learns from labels: the rungs with their skills."""
    steps = tuple(
        Step(Skill(skill, of_seeds), seconds, rows)
        for skill, rows in zip(skills, n_train[-len(skills) :], strict=True)
    )
    return Track(plugin, steps, *hours)


def linear(*skills: float, **changes: object) -> Track:
    options = {"of_seeds": 0.004, "seconds": Seconds(fit=2, search=20), "hours": (80, 80)}
    return learned("classical", *skills, **{**options, **changes})  # type: ignore[arg-type]


def trees(*skills: float, **changes: object) -> Track:
    options = {"of_seeds": 0.006, "seconds": Seconds(fit=20, search=200, row=2e-5), "hours": (80, 80)}
    return learned("classical", *skills, **{**options, **changes})  # type: ignore[arg-type]


def net(*skills: float, **changes: object) -> Track:
    options = {"of_seeds": 0.012, "seconds": Seconds(fit=400, search=4000, row=1e-5), "hours": (160, 160)}
    return learned("neural", *skills, **{**options, **changes})  # type: ignore[arg-type]


def hybrid(*skills: float, **changes: object) -> Track:
    options = {"of_seeds": 0.010, "seconds": Seconds(fit=500, search=5000, row=1e-5), "hours": (200, 200)}
    return learned("hybrid", *skills, **{**options, **changes})  # type: ignore[arg-type]


RANGES = {"volume": (0.75, 1.3), "wage": (0.85, 1.15), "hours": (0.75, 1.35)}
SAME_SCORES = {
    "baseline": baseline(0.5),
    "rules": rules(0.58, 0.66),
    "trees": trees(0.71),
    "neural": net(0.66, 0.82),
    "hybrid": hybrid(0.76),
}

CLEAR = (
    Business(
        "rules: little to learn, small volume",
        "rules",
        {
            "baseline": baseline(0.52),
            "rules": rules(0.60, 0.68),
            "linear": linear(0.68),
            "neural": net(0.70),
        },
        volume=1.5e5,
        unsure=RANGES,
    ),
    Business(
        "baseline: habit says all, tiny volume",
        "baseline",
        {
            "baseline": baseline(0.66),
            "rules": rules(0.66, build=40, upkeep=24),
            "linear": linear(0.70),
            "neural": net(0.70),
        },
        volume=3e4,
        unsure=RANGES,
    ),
    Business(
        "linear: a weighted sum",
        "linear",
        {
            "baseline": baseline(0.5),
            "rules": rules(0.55, 0.6),
            "linear": linear(0.74, 0.80),
            "trees": trees(0.74),
            "neural": net(0.75),
        },
        unsure=RANGES,
    ),
    Business(
        "trees: a table of crossed steps",
        "trees",
        {
            "baseline": baseline(0.5),
            "rules": rules(0.55, 0.6),
            "linear": linear(0.72),
            "trees": trees(0.74, 0.82),
            "neural": net(0.77),
        },
        unsure=RANGES,
    ),
    Business(
        "net: smooth crossings, large volume",
        "neural",
        {
            "baseline": baseline(0.5),
            "rules": rules(0.55, 0.6),
            "linear": linear(0.70),
            "trees": trees(0.76),
            "neural": net(0.68, 0.85),
        },
        volume=2e7,
        unsure=RANGES,
    ),
    Business(
        "hybrid: few labels, which cost",
        "hybrid",
        {
            "baseline": baseline(0.5),
            "rules": rules(0.58, 0.64),
            "linear": linear(0.45, 0.58, n_train=(100, 1_000)),
            "neural": net(0.35, 0.55, n_train=(100, 1_000), of_seeds=0.03),
            "hybrid": hybrid(0.70, 0.76, n_train=(100, 1_000), of_seeds=0.015),
        },
        per_label=4.0,
        volume=2e6,
        unsure=RANGES,
    ),
    Business("same scores, small volume", "rules", SAME_SCORES, volume=1e5, unsure={"volume": (0.75, 1.3)}),
    Business(
        "same scores, large volume",
        "neural",
        SAME_SCORES,
        volume=3e7,
        unsure={"volume": (0.75, 1.3)},
    ),
    Business(
        "nothing pays",
        "baseline",
        {
            "baseline": baseline(0.3),
            "rules": rules(0.32, 0.36),
            "linear": linear(0.34, 0.4),
            "neural": net(0.4),
        },
        volume=8e3,
        margin=200.0,
        unsure={"wage": (0.85, 1.15)},
    ),
    Business(
        "yen; a missed one costs most",
        "trees",
        {
            "baseline": baseline(0.5),
            "rules": rules(0.55, 0.6),
            "trees": trees(0.74, 0.82),
            "neural": net(0.76),
        },
        labels=Labels(mean=-2.2),
        values=(0.0, -60.0, 0.0, -400.0),
        currency="JPY",
        rate=150.0,
        wage=5_000.0,
        volume=2e6,
        unsure={"volume": (0.75, 1.3), "hours": (0.75, 1.35)},
    ),
    Business(
        "one at a time: slow trees",
        "linear",
        {
            "baseline": baseline(0.5),
            "linear": linear(0.77),
            "trees": trees(0.785, seconds=Seconds(fit=20, search=200, single=0.045)),
            "neural": net(0.735, seconds=Seconds(fit=400, search=4000, single=0.01)),
        },
        values=(1e-4, -4e-5, 0.0, 0.0),
        volume=5e10,
        serving="single",
        unsure={"volume": (0.75, 1.3)},
    ),
    Business(
        "dear labels: stop at the lower rung",
        "linear",
        {
            "baseline": baseline(0.5),
            "rules": rules(0.5, 0.55),
            "linear": linear(0.77, 0.80),
            "neural": net(0.62, 0.82),
        },
        per_label=2.0,
        unsure={"volume": (0.75, 1.3), "hours": (0.75, 1.35)},
    ),
    Business(
        "dear compute: searched and trained anew daily",
        "trees",
        {
            "baseline": baseline(0.5),
            "trees": trees(0.68, 0.77),
            "neural": net(0.79, seconds=Seconds(fit=6e5, search=6e6, row=1e-5)),
        },
        retrains=365.0,
        search_each_retrain=True,
        volume=2e6,
        unsure={"volume": (0.75, 1.3), "hours": (0.75, 1.35)},
    ),
)

_FEW = {"baseline": baseline(0.5), "rules": rules(0.6)}
_ALIKE = {"of_seeds": 0.006, "seconds": Seconds(fit=20, search=200, row=2e-5), "hours": (80, 80)}
_TWINS = {**_FEW, "first": trees(0.78), "second": trees(0.78)}

TIES = (
    Business("tie: two alike, thin evidence", "first", _TWINS, tie=True, unsure=RANGES),
    Business(
        "tie: two alike, ample evidence", "first", _TWINS, tie=True, margin=7e3, common=0.8, of_track=0.1
    ),
    Business(
        "tie: five alike",
        "first",
        {
            **_TWINS,
            "third": trees(0.78),
            "neural": net(0.78, **_ALIKE),
            "hybrid": hybrid(0.78, **_ALIKE),
        },
        tie=True,
        unsure=RANGES,
    ),
    Business(
        "tie: a net that earns what it costs",
        "neural",
        {**_FEW, "trees": trees(0.765), "neural": net(0.7842)},
        tie=True,
        unsure=RANGES,
    ),
    Business(
        "tie: a lead within the margin",
        "second",
        {**_FEW, "first": trees(0.78), "second": trees(0.79)},
        tie=True,
        margin=8e3,
        common=0.8,
        of_track=0.1,
        unsure={"volume": (0.75, 1.3)},
    ),
)
"""The margin is 1 % of the gross value where none is declared, less than the evidence can tell apart."""


def any_business(generator: np.random.Generator) -> Business:
    """Draw a business of which nobody knows beforehand who wins it: any volume, skills near each other."""
    names = {"baseline": baseline, "rules": rules, "trees": trees, "neural": net, "hybrid": hybrid}
    middle = {"baseline": 0.55, "rules": 0.66, "trees": 0.73, "neural": 0.75, "hybrid": 0.76}
    tracks = {
        name: make(float(np.clip(middle[name] + 0.04 * generator.normal(), 0.3, 0.95)))
        for name, make in names.items()
    }
    volume = float(np.exp(generator.uniform(np.log(5e4), np.log(2e7))))
    one = Business("any", "", tracks, volume=volume, unsure=RANGES)
    return replace(one, best=one.ranked()[0])
