"""Probabilities of the front and what the same error takes, over drawn ladders whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.analysis.comparison.equal_error import equal_errors
from toolkit.analysis.comparison.front_odds import front_probabilities
from toolkit.analysis.comparison.posterior import joint_posterior
from toolkit.analysis.comparison.rung_errors import RungErrors
from toolkit.analysis.intervals import RANKED, ScoreDraws
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.snapshot import StoredStack
from toolkit.records import CellRecord

pytestmark = pytest.mark.slow

SEEDS, RUNGS, CLUSTERS = 3, 9, 300
LOSS = "error_log_loss"
NO_DRAWS = ScoreDraws(
    dict.fromkeys(RANKED, np.full(SEEDS, np.nan)), dict.fromkeys(RANKED, np.full((2, SEEDS), 0.0))
)
COSTS = {
    "first": np.geomspace(1, 300, RUNGS),
    "second": np.geomspace(2, 500, RUNGS),
    "baseline": np.array([0.01]),
}
FLOORS = {"first": 0.20, "second": 0.19}
GAINS = {"first": 0.012, "second": 0.012}
EXPONENT = 0.35


def curve(track: str, cost: np.ndarray | float):
    """Return the true error."""
    largest = COSTS[track][-1]
    return FLOORS[track] + GAINS[track] * (cost / largest) ** -EXPONENT


def cost_of(track: str, error: float) -> float:
    """Return the true cost of an error."""
    return float(COSTS[track][-1] * ((error - FLOORS[track]) / GAINS[track]) ** (-1 / EXPONENT))


def readings() -> list[RungReadings]:
    """What the rungs cost: exactly their true costs."""
    plain = {"experiment": "e", "task": "t", "fingerprint": "f", "status": "finished"}
    return [
        RungReadings(
            [
                CellRecord(
                    **plain,
                    track=track,
                    rung=rung,
                    seed=seed,
                    n_train=0 if track == "baseline" else 100,
                    costs={"cost_fit_cpu_seconds": float(cost)},
                )
                for seed in range(SEEDS)
            ]
        )
        for track, costs in COSTS.items()
        for rung, cost in enumerate(costs)
    ]


def draw(
    generator: np.random.Generator, rungs: list[RungReadings], shift: float
) -> tuple[RungErrors, np.ndarray]:
    """Draw errors of all rungs on the same clusters, and return them with the true ones.

    Clusters differ, more so between tracks than between rungs of one; `shift` moves the second track.
    """
    rows = np.clip(np.rint(generator.gamma(3.0, 100 / 3, CLUSTERS)), 2, 280)
    common = 0.10 * generator.normal(size=CLUSTERS)
    tables, truths = [], []
    own = {track: 0.02 * generator.normal(size=CLUSTERS) for track in COSTS}
    for one in rungs:
        track = one.track
        truth = 0.24 if track == "baseline" else float(curve(track, COSTS[track][one.rung]))
        truth += shift if track == "second" else 0.0
        seeds = 0 if track == "baseline" else 0.0008 * generator.normal(size=(SEEDS, 1))
        both = 0 if track == "baseline" else 0.02 * generator.normal(size=(SEEDS, CLUSTERS))
        step = 0.006 * generator.normal(size=CLUSTERS)
        means = truth + common + own[track] + step + seeds + both + np.zeros((SEEDS, CLUSTERS))
        tables.append(StoredStack(track, 0, tuple(range(len(means))), rows, {LOSS: means * rows}))
        truths.append(truth)
    posterior = joint_posterior(
        [(table, NO_DRAWS) for table in tables], LOSS, "rungs", pooled=True, n_draws=1000
    )
    points = [table.errors[LOSS].sum(axis=1) / rows.sum() for table in tables]
    return (
        RungErrors(
            error=LOSS,
            readings=tuple(rungs),
            cpu_seconds=np.concatenate(list(COSTS.values())),
            estimate=posterior.estimate,
            draws=posterior.draws,
            by_seed=tuple(dict(enumerate(one.tolist())) for one in points),
        ),
        np.array(truths),
    )


def test_probabilities_of_the_front_are_right(simulation_table) -> None:
    generator, rungs = np.random.default_rng(1), readings()
    stated, right = [], []
    for _ in range(400):
        found, truths = draw(generator, rungs, shift=0.01 + 0.004 * generator.normal())
        stated.append(front_probabilities(found.cost_draws, found.draws))
        right.append(front_probabilities(found.cpu_seconds[None], truths[None]))
    every, true = np.concatenate(stated), np.concatenate(right)
    for low, high in ((0, 0.05), (0.05, 0.3), (0.3, 0.7), (0.7, 0.95), (0.95, 1.01)):
        some = (every >= low) & (every < high)
        row = {"stated": f"{low:.2f} to {min(high, 1):.2f}", "rungs": int(some.sum())}
        row |= {"mean stated": every[some].mean(), "right": true[some].mean()}
        simulation_table("probability of being on the front", row)
        assert abs(row["mean stated"] - row["right"]) <= 0.1


@pytest.mark.parametrize("shift", [0.004, 0.010, 0.013, 0.016])
def test_what_the_same_error_takes_is_covered(shift: float, simulation_table) -> None:
    """The first track's true error at its largest rung, asked of the second."""
    generator, rungs = np.random.default_rng(int(1000 * shift)), readings()
    target = float(curve("first", COSTS["first"][-1]))
    truth = cost_of("second", target - shift)
    reaches: dict[str, int] = {}
    hits, worlds = 0, 300
    for _ in range(worlds):
        found, _ = draw(generator, rungs, shift)
        (asked,) = [one for one in equal_errors(found) if one.of == "first" and one.track == "second"]
        reaches[asked.reach] = reaches.get(asked.reach, 0) + 1
        if asked.cpu_seconds is not None:
            hits += asked.cpu_seconds.low <= truth <= asked.cpu_seconds.high
    row = {
        "truth": f"{truth:.0f} CPU-seconds of 2 to 500",
        "worlds": worlds,
        "held": hits / worlds,
        **{reach: count / worlds for reach, count in sorted(reaches.items())},
    }
    simulation_table("CPU-seconds that the same error takes, 95 % intervals and bounds", row)
    assert row["held"] >= 0.93
