"""How often the intervals of curves hold the truth, over drawn ladders whose truth is known.

The scenarios and the gates are those of the design: at least 4,000 worlds each, nominal 95 %, at least 93 %
with the form fixed to power + floor. Cases at the boundary of what can be estimated (no floor at all, a floor
over half of the error), the automatic choice of form, targets under the floor and ladders that are refused
though nothing is wrong with them stand apart.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest

from toolkit.analysis.fits.curves import fit_curve
from toolkit.analysis.fits.refusals import MIN_FORM_WEIGHT

pytestmark = pytest.mark.slow

WORLDS = 4000
FEWER = 1000
"""Worlds of what stands apart from the gate."""
GATE = 0.93
ROUNDING = 1e-9
A = 0.2


class Scenario(NamedTuple):
    """A true curve and how it is seen; `last_noise` differs from `noise` where noise falls with cost."""

    b: float
    f: float
    noise: float
    rung_noise: float = 0.0
    rungs: int = 7
    decades: float = 2.5
    last_noise: float | None = None
    heavy: bool = False

    def truth(self, x: float) -> float:
        return A * ((1 - self.f) * x**-self.b + self.f)

    def draw(self, generator: np.random.Generator, rungs: int | None = None, seeds: int = 5):
        n = rungs or self.rungs
        cost = np.geomspace(1, 10**self.decades, n)
        level = np.geomspace(self.noise, self.last_noise or self.noise, n)[:, None]
        if self.heavy:
            eps = generator.standard_t(3, size=(n, seeds)) / math.sqrt(3)
            eps *= np.where(generator.random((n, seeds)) < 0.03, 5.0, 1.0)
        else:
            eps = generator.normal(size=(n, seeds))
        shared = self.rung_noise * generator.normal(size=(n, 1))
        mean = np.array([self.truth(one) for one in cost / cost[-1]])
        return cost, mean[:, None] * np.exp(level * eps + shared)


SCENARIOS = {
    "A": Scenario(0.4, 0.3, 0.03),
    "B": Scenario(0.3, 0.0, 0.03),
    "C": Scenario(0.4, 0.3, 0.03, rung_noise=0.02),
    "D": Scenario(0.4, 0.6, 0.03),
    "E": Scenario(0.4, 0.3, 0.10, last_noise=0.02),
    "F": Scenario(0.4, 0.3, 0.03, heavy=True),
    "G": Scenario(0.4, 0.3, 0.03, rungs=6, decades=1.5),
    "H": Scenario(0.4, 0.3, 0.03, rungs=8, decades=3.5),
    "I": Scenario(0.4, 0.3, 0.10),
}
SHARED = {
    "J": Scenario(0.4, 0.3, 0.10, rung_noise=0.02, last_noise=0.005, rungs=10),
    "K": Scenario(0.4, 0.3, 0.05, rung_noise=0.01, last_noise=0.001, rungs=10),
}
"""As real ladders are: large rungs on which seeds agree, and rungs off the curve by more than that."""
FIGURES = ("exponent", "floor", "10 x", "k_half", "cost to")


def figures(fit, scenario: Scenario, largest: float):
    """Return the interval and the truth of every figure."""
    b, f = scenario.b, scenario.f
    halves = f < 0.5
    return {
        "exponent": (fit.exponent, b),
        "floor": (getattr(fit, "floor", None), A * f),
        "10 x": (fit.predict(10 * largest), scenario.truth(10)),
        "k_half": (fit.k_half, ((1 - f) / (0.5 - f)) ** (1 / b) if halves else math.inf),
        "cost to": (fit.cost_to(scenario.truth(5)), 5 * largest),
    }


def covered(fit, scenario: Scenario, largest: float) -> list[str]:
    """Return the figures whose interval holds the truth."""
    return [
        name
        for name, (interval, truth) in figures(fit, scenario, largest).items()
        if interval is not None
        and interval.low <= truth * (1 + ROUNDING)
        and truth * (1 - ROUNDING) <= interval.high
    ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_intervals_cover_the_truth(name: str, simulation_table) -> None:
    scenario, generator = SCENARIOS[name], np.random.default_rng(ord(name))
    hits = Counter()
    for _ in range(WORLDS):
        cost, error = scenario.draw(generator)
        fit = fit_curve(cost, error, form="power_floor")
        hits.update(covered(fit, scenario, cost[-1]))
        hits.update(f"line: {name}" for name in covered(fit.loglog, scenario, cost[-1]))
    found = {figure: hits[figure] / WORLDS for figure in FIGURES}
    line = {f"line: {figure}": hits[f"line: {figure}"] / WORLDS for figure in FIGURES if figure != "floor"}
    simulation_table("coverage of the plain log-log line, beside it", {"scenario": name, **line})
    simulation_table("coverage of 95 % intervals of curves, power + floor", {"scenario": name, **found})
    for figure, share in found.items():
        boundary = scenario.f == 0 or (scenario.f >= 0.5 and figure == "k_half")
        assert share >= GATE, figure
        assert boundary or share <= 0.98, f"{figure}: intervals are too wide"


@pytest.mark.parametrize("name", SHARED)
def test_intervals_cover_where_seeds_agree_and_rungs_do_not(name: str, simulation_table) -> None:
    """From the seeds alone, weights would leave 58 to 93 %: the curve would go through the large rungs."""
    scenario, generator = SHARED[name], np.random.default_rng(ord(name))
    hits = Counter()
    for _ in range(FEWER):
        cost, error = scenario.draw(generator)
        hits.update(covered(fit_curve(cost, error, form="power_floor"), scenario, cost[-1]))
    found = {figure: hits[figure] / FEWER for figure in FIGURES}
    simulation_table("coverage where seeds agree and rungs do not, 10 rungs", {"scenario": name, **found})
    assert min(found.values()) >= 0.9


@pytest.mark.parametrize("name", ["A", "E", "J"])
def test_intervals_cover_where_one_seed_of_three_climbed_to_the_top(name: str, simulation_table) -> None:
    scenario, generator = {**SCENARIOS, **SHARED}[name], np.random.default_rng(200 + ord(name))
    hits, worlds = Counter(), FEWER // 2
    for _ in range(worlds):
        cost, error = scenario.draw(generator, 10, seeds=3)
        error[7:, 1:] = np.nan
        hits.update(covered(fit_curve(cost, error, form="power_floor"), scenario, cost[-1]))
    found = {figure: hits[figure] / worlds for figure in FIGURES}
    simulation_table("coverage where 3 of 10 rungs have one seed of three", {"scenario": name, **found})
    assert min(found.values()) >= 0.9


@pytest.mark.parametrize("name", SCENARIOS)
def test_ladders_of_ten_rungs(name: str, simulation_table) -> None:
    """The form is chosen; targets lie under the floor, or within reach; nothing is wrong with the ladder."""
    scenario, generator = SCENARIOS[name], np.random.default_rng(100 + ord(name))
    hits, told, refused = Counter(), Counter(), Counter()
    for _ in range(FEWER):
        cost, error = scenario.draw(generator, 10)
        fit = fit_curve(cost, error)
        hits.update(covered(fit, scenario, cost[-1]))
        under = fit.refuse_target(0.9 * A * scenario.f) if scenario.f else None
        told[under.code if under else "promised"] += 1
        reachable = fit.refuse_target(scenario.truth(3))
        told["falsely unreachable"] += reachable is not None and reachable.code == "unreachable"
        refused["refused"] += bool(fit.refusals)
        refused.update(one.code for one in fit.refusals)
    shares = {figure: hits[figure] / FEWER for figure in FIGURES}
    simulation_table("coverage when the form is chosen, 10 rungs", {"scenario": name, **shares})
    assert min(shares.values()) >= GATE
    codes = ("refused", "held_out_miss", "not_monotone", "form_unclear")
    row = {code: refused[code] / FEWER for code in codes}
    simulation_table("good ladders that are refused, 10 rungs", {"scenario": name, **row})
    assert row["refused"] <= 0.1
    if scenario.f:
        said = ("unreachable", "not_shown_reachable", "beyond_reach", "promised", "falsely unreachable")
        row = {code: told[code] / FEWER for code in said}
        simulation_table("what is said of a target 10 % under the floor", {"scenario": name, **row})
        assert row["promised"] <= 0.03
        assert row["falsely unreachable"] <= 0.1


LAWS = {
    "power": lambda x: x**-0.3,
    "power_floor": lambda x: 0.7 * x**-0.4 + 0.3,
    "exponential_floor": lambda x: 1 + 0.01 * np.expm1(4 * (1 - x)),
    "log": lambda x: 1 - 0.15 * np.log(x),
}


@pytest.mark.parametrize("law", LAWS)
def test_the_form_is_named(law: str, simulation_table) -> None:
    """The form that made the ladder gives the figures, or the forecast is refused as unclear."""
    generator, cost = np.random.default_rng(7), np.geomspace(1, 10**2.5, 10)
    mean = A * LAWS[law](cost / cost[-1])
    chosen, unclear, right = Counter(), 0, 0
    worlds = FEWER // 2
    for _ in range(worlds):
        fit = fit_curve(cost, mean[:, None] * np.exp(0.03 * generator.normal(size=(10, 5))))
        chosen[fit.form] += 1
        unclear += fit.form_weight < MIN_FORM_WEIGHT
        ahead, truth = fit.predict(3 * cost[-1]), A * LAWS[law](3.0)
        right += ahead is not None and ahead.low <= truth <= ahead.high
    names = ("power_floor", "exponential_floor", "log")
    row = {f"as {form}": chosen[form] / worlds for form in names}
    row |= {"unclear": unclear / worlds, "3 x covered": right / worlds}
    simulation_table("the form that auto takes, by the form that is true", {"true": law, **row})
    taken = "power_floor" if law == "power" else law
    assert row[f"as {taken}"] + row["unclear"] >= 0.9
