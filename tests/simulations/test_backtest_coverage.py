"""How often 80 % intervals hold a rung that is yet to be run, in the noise of the design's nine scenarios.

As in the back-test, seven rungs of three seeds are fitted, the cheaper part of a ladder of ten. A further one
is drawn at 1.3, 3 and 8 times the largest of their costs, with its own noise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

from toolkit.analysis.backtest import LEVEL
from toolkit.analysis.fits.curves import fit_curve

pytestmark = pytest.mark.slow

WORLDS = 250
FITTED = 7
SEEDS = 3
TIMES = (1.3, 3.0, 8.0)


class Scenario(NamedTuple):
    """Exponent, share of the floor, noise of seeds at the first and last rung, of rungs, and span."""

    b: float
    f: float
    noise: float
    last_noise: float
    rung_noise: float = 0.0
    decades: float = 2.5
    heavy: bool = False


SCENARIOS = {
    "A": Scenario(0.4, 0.3, 0.03, 0.03),
    "B": Scenario(0.3, 0.0, 0.03, 0.03),
    "C": Scenario(0.4, 0.3, 0.03, 0.03, rung_noise=0.02),
    "D": Scenario(0.4, 0.6, 0.03, 0.03),
    "E": Scenario(0.4, 0.3, 0.10, 0.02),
    "F": Scenario(0.4, 0.3, 0.03, 0.03, heavy=True),
    "G": Scenario(0.4, 0.3, 0.03, 0.03, decades=1.5),
    "H": Scenario(0.4, 0.3, 0.03, 0.03, decades=3.5),
    "I": Scenario(0.4, 0.3, 0.10, 0.10),
}


def draw(scenario: Scenario, x: np.ndarray, noise: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return errors of shape (n_rungs, n_seeds) at costs x times the largest."""
    shape = (len(x), SEEDS)
    eps = generator.normal(size=shape)
    if scenario.heavy:
        eps = generator.standard_t(3, size=shape) / math.sqrt(3)
        eps *= np.where(generator.random(shape) < 0.03, 5.0, 1.0)
    shared = scenario.rung_noise * generator.normal(size=(len(x), 1))
    truth = 0.2 * ((1 - scenario.f) * x**-scenario.b + scenario.f)
    return truth[:, None] * np.exp(noise[:, None] * eps + shared)


def coverage(name: str) -> dict[float, float]:
    scenario, generator = SCENARIOS[name], np.random.default_rng(ord(name))
    fitted = np.geomspace(10**-scenario.decades, 1, FITTED)
    noise = np.geomspace(scenario.noise, scenario.last_noise, FITTED)
    ahead = np.array(TIMES)
    hits = dict.fromkeys(TIMES, 0)
    for _ in range(WORLDS):
        fit = fit_curve(fitted, draw(scenario, fitted, noise, generator))
        new = draw(scenario, ahead, np.full(len(ahead), scenario.last_noise), generator)
        for times, error in zip(TIMES, np.exp(np.log(new).mean(axis=1)), strict=True):
            told = fit.predict(times, level=LEVEL, new_rung=True)
            assert told is not None
            hits[times] += bool(told.low <= error <= told.high)
    return {times: count / WORLDS for times, count in hits.items()}


def test_intervals_hold_a_rung_that_is_yet_to_be_run(simulation_table) -> None:
    means = {}
    for name in SCENARIOS:
        found = coverage(name)
        row = {"scenario": name, **{f"{times:g} x": share for times, share in found.items()}}
        simulation_table("coverage of 80 % intervals of a new rung, 7 rungs fitted", row)
        means[name] = float(np.mean(list(found.values())))
    assert 0.75 <= np.mean(list(means.values())) <= 0.85
    assert min(means.values()) >= 0.72, means
