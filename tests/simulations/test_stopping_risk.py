"""How often a track that was stopped behind the leader would have caught up after all.

Two tracks are validated on the same clusters. The one climbs a ladder of ten rungs, of which seven have run;
the other stands still and leads, by an amount that is drawn evenly from far behind to far ahead of where the
first will end. Beside the stated risk stands that of taking what the leader earns as exact. What is stated is
of the form of the curve that says so most, and so too much where it is not little.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from toolkit.analysis.stops.prospect_record import Prospect
from toolkit.analysis.stops.prospects import ValidationRung, look_ahead
from toolkit.analysis.stops.stopping import SURE, Noise, Odds, noise_of, odds
from toolkit.analysis.validation import Validation

pytestmark = pytest.mark.slow

WORLDS = 300
MEASURED, RUNGS, SEEDS = 7, 10, 3
ROWS = np.geomspace(100, 100 * 10**2.5, RUNGS)
PERFECT = 2.0
MARGIN = 0.01
VOLUME = 1.0
NO_NOISE = Noise(0.0, 39)


class World(NamedTuple):
    """Noise of money a decision: of clusters that all tracks share and of each track, of seeds, of rungs."""

    shared: float
    own: float
    seeds: float
    n_groups: int = 40
    lucky: int = 1
    """Rungs of the leader that are equal, of which the luckiest leads."""


WORLDS_BY_NAME = {
    "large block": World(shared=0.02, own=0.01, seeds=0.005),
    "small block": World(shared=0.4, own=0.2, seeds=0.005),
    "alike on all rows": World(shared=0.4, own=0.02, seeds=0.005),
    "noisy seeds": World(shared=0.1, own=0.05, seeds=0.03),
    "twelve clusters": World(shared=0.3, own=0.15, seeds=0.005, n_groups=12),
    "luckiest of seven": World(shared=0.1, own=0.05, seeds=0.02, lucky=7),
}


def validated(truth: float, groups: np.ndarray, noise: float, generator: np.random.Generator) -> Validation:
    """Return what a block of equal groups says of a rung that is worth `truth` a decision."""
    by_seed = truth + groups.mean() + noise * generator.normal(size=SEEDS)
    sums = 50 * (by_seed.mean() + groups - groups.mean())
    return Validation(
        {}, dict(enumerate(by_seed.tolist())), PERFECT, tuple(sums.tolist()), (50.0,) * len(groups)
    )


def stated(ahead: Prospect, leader: Validation, noise: Noise) -> Odds:
    nothing = [0.0] * MEASURED
    return odds(ahead, volume=VOLUME, yearly_costs=nothing, leader=leader.value, margin=MARGIN, noise=noise)


def draw(world: World, generator: np.random.Generator) -> tuple[Odds, Odds, bool, bool] | None:
    """Return the odds, those without noise, and whether the track truly catches up and overtakes."""
    regret = 0.5 + 0.4 * (ROWS / ROWS[0]) ** -0.5
    truth = PERFECT - regret
    shared, own, other = (
        noise * generator.normal(size=world.n_groups) for noise in (world.shared, world.own, world.own)
    )
    block = max(world.own * np.sqrt(2 / world.n_groups), world.seeds, 0.01)
    leads = truth[-1] + generator.uniform(-2, 6) * block
    rungs = [
        ValidationRung(rung, float(ROWS[rung]), validated(truth[rung], shared + own, world.seeds, generator))
        for rung in range(MEASURED)
    ]
    leader = max(
        (validated(leads, shared + other, world.seeds, generator) for _ in range(world.lucky)),
        key=lambda one: one.value,
    )
    ahead = look_ahead("neural", rungs, [(rung, float(ROWS[rung])) for rung in range(MEASURED, RUNGS)])
    noise = noise_of(rungs[-1].seen, leader)
    if ahead.refusal or noise is None or leader.value <= max(one.seen.value for one in rungs):
        return None
    best = float(truth[MEASURED:].max())
    return stated(ahead, leader, noise), stated(ahead, leader, NO_NOISE), best > leads - MARGIN, best > leads


def test_what_is_stopped_behind_the_leader_seldom_catches_up(simulation_table) -> None:
    all_stated, all_true = [], []
    for place, (name, world) in enumerate(WORLDS_BY_NAME.items()):
        generator = np.random.default_rng(place)
        drawn = [one for _ in range(WORLDS) if (one := draw(world, generator)) is not None]
        stops = [one for one in drawn if one[0].catches < 1 - SURE]
        naive = [one for one in drawn if one[1].catches < 1 - SURE]
        wrong = np.mean([one[2] for one in stops])
        simulation_table(
            "stopped behind the leader: stated below .1",
            {
                "world": name,
                "asked": len(drawn),
                "stopped": len(stops),
                "stated": np.mean([one[0].catches for one in stops]),
                "caught up": wrong,
                "leader exact: stopped": len(naive),
                "leader exact: stated": np.mean([one[1].catches for one in naive]),
                "leader exact: caught up": np.mean([one[2] for one in naive]),
            },
        )
        assert len(stops) >= 25, name
        assert wrong < 0.1, name
        all_stated += [one[0].overtakes for one in drawn]
        all_true += [one[3] for one in drawn]
    assert np.mean(np.array(all_true)[np.array(all_stated) < 0.1]) < 0.03
    edges = [0.0, 0.1, 0.3, 0.7, 0.9, 1.0]
    bins = np.digitize(all_stated, edges[1:-1])
    for k in range(len(edges) - 1):
        said, true = np.mean(np.array(all_stated)[bins == k]), np.mean(np.array(all_true)[bins == k])
        row = {"stated": f"{edges[k]:g} to {edges[k + 1]:g}", "n": int((bins == k).sum()), "mean": said}
        simulation_table("probability of overtaking the leader", {**row, "overtook": true})
