"""Money: what the decisions of a track are worth in a year, and what the track costs.

Net value of a year = volume x value of a decision - people - search - retraining - prediction - idle
capacity - electricity - carbon. Everything is sampled at once: the clusters and seeds behind the value of a
decision, the spread of the measured costs, and the declared ranges. Draws of declared amounts and of
clusters are shared by all tracks, so that differences between tracks keep only what differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from toolkit import scores
from toolkit.analysis.inputs import OUTCOMES, Inputs
from toolkit.analysis.intervals import LEVEL, seed_share
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import Floats, Stack
from toolkit.prices import energy_joules
from toolkit.records import N_BINS, CellRecord, Evidence

__all__ = ["RungEconomics", "draw_interval", "price_list", "price_rung"]

MIN_COST_SPREAD = 0.10
"""Least spread of a cost on the log scale: processor time of identical work varies by about 10 %."""


@dataclass(frozen=True)
class RungEconomics:
    """One track at one rung, priced; arrays of shape (1 + n_draws,), entry 0 the mean.

    Parameters
    ----------
    threshold : float
        Probability from which on to say yes, chosen on validation; the median over seeds.
    validation_value : float or None
        Net value of a year as the validation block sees it; it chooses the rung.
    gross, net : ndarray
        Money a year.
    costs : mapping of str to ndarray
        Money a year, by name.
    """

    track: str
    rung: int
    threshold: float
    validation_value: float | None
    gross: Floats
    net: Floats
    costs: Mapping[str, Floats]


def draw_interval(draws: Floats, level: float = LEVEL) -> Interval:
    """Return the mean (entry 0) with the quantiles of the draws."""
    low, high = np.quantile(draws[1:], [(1 - level) / 2, (1 + level) / 2])
    estimate = float(draws[0])
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))


def _choose_threshold(one: Evidence, values: Floats) -> tuple[int, float | None]:
    """Return the bin from which to say yes, and the value of a decision on the validation block."""
    n_rows = float(one.valid_positives.sum() + one.valid_negatives.sum())
    if n_rows == 0:
        return N_BINS // 2, None
    outcomes = scores.confusion(one.valid_positives, one.valid_negatives)
    worth = sum(value * getattr(outcomes, name) for name, value in zip(OUTCOMES, values, strict=True))
    best = int(np.argmax(worth))
    return best, float(worth[best]) / n_rows


def _cluster_outcomes(one: Evidence, threshold: int) -> Floats:
    """Return the test outcomes of each cluster, shape (n_clusters, 4) in the order of `OUTCOMES`."""
    yes = one.bin >= threshold

    def count(counts: Any, chosen: Any) -> Floats:
        return np.bincount(one.cluster[chosen], counts[chosen], minlength=one.n_clusters).astype(np.float64)

    return np.stack(
        [
            count(one.positives, yes),
            count(one.negatives, yes),
            count(one.negatives, ~yes),
            count(one.positives, ~yes),
        ],
        axis=1,
    )


def _value_of_decision(stack: Stack, outcomes: Floats, inputs: Inputs) -> Floats:
    """Return the value of one decision, sampled over clusters, seeds and declared values.

    The mean over seeds is resampled over clusters. To it comes a t-distributed seed effect, drawn with the
    same random numbers for the same seed of other tracks, of the variance that crossed seeds and clusters
    leave to the seeds.

    Parameters
    ----------
    outcomes : ndarray of shape (n_seeds, n_clusters, 4)
    """
    rows = stack.rows
    shares = (inputs.weights @ outcomes.mean(axis=0)) / (inputs.weights @ rows)[:, None]
    n_seeds = len(stack.seeds)
    if n_seeds > 1:
        by_seed = outcomes.sum(axis=1) / rows.sum()
        own = seed_share(outcomes @ inputs.values[0], rows)
        normals = np.stack([inputs.seed_normals[seed] for seed in stack.seeds], axis=1)
        scale = np.sqrt((n_seeds - 1) / stats.chi2.ppf(inputs.scale_uniforms, n_seeds - 1))
        effect = normals @ (by_seed - by_seed.mean(axis=0)) / np.sqrt(n_seeds * (n_seeds - 1))
        shares = shares + np.sqrt(own) * scale[:, None] * effect
    return np.asarray((shares * inputs.values).sum(axis=1))


class _Costs:
    """Measured costs of the cells of one rung: medians over seeds, and draws around them."""

    def __init__(self, track: str, cells: Sequence[CellRecord], inputs: Inputs) -> None:
        self._track, self._cells, self._inputs = track, cells, inputs

    def _values(self, name: str) -> Floats:
        found = [cell.costs.get(name) for cell in self._cells]
        return np.array([value for value in found if value is not None and np.isfinite(value)])

    def median(self, name: str) -> float | None:
        values = self._values(name)
        return float(np.median(values)) if len(values) else None

    def factor(self, phase: str, name: str) -> Floats:
        """Return what to multiply the median by: lognormal, entry 0 its mean."""
        values = self._values(name)
        positive = np.log(values[values > 0])
        spread = max(float(positive.std(ddof=1)) if len(positive) > 1 else 0.0, MIN_COST_SPREAD)
        factor = np.exp(spread * self._inputs.cost_noise(self._track, phase))
        factor[0] = np.exp(spread**2 / 2)
        return np.asarray(factor)


def _yearly_costs(cells: Sequence[CellRecord], track: str, inputs: Inputs) -> dict[str, Floats]:
    """Return the costs of a year by name; what was not measured counts as nothing (a finding tells)."""
    economics, profile = inputs.economics, inputs.hardware
    costs = _Costs(track, cells, inputs)
    trainings = np.maximum(inputs.retrains, 1 / economics.horizon_years)
    once = np.full(inputs.n, 1 / economics.horizon_years)
    times = {
        "load": trainings,
        "fit": trainings,
        "search": trainings if economics.search_each_retrain else once,
        "predict_batch": inputs.volume,
    }
    seconds, joules = {}, np.zeros(inputs.n)
    for phase, how_often in times.items():
        tail = "_per_row" if phase == "predict_batch" else ""
        name = f"cost_{phase}_cpu_seconds{tail}"
        cpu = costs.median(name) or 0.0
        wall = costs.median(f"cost_{phase}_wall_seconds{tail}") or cpu
        work = how_often * costs.factor(phase, name)
        seconds[phase] = work * cpu
        memory = costs.median(f"cost_{phase}_peak_bytes")
        band = energy_joules(cpu, wall, profile, memory_bytes=memory, pue=economics.pue)
        joules += work * np.interp(inputs.energy_place, [0.0, 0.5, 1.0], band)
    price = profile.usd_per_cpu_second * economics.currency_per_usd
    idle = profile.usd_idle_per_cpu_second * economics.currency_per_usd
    kwh = joules / 3.6e6
    written = _share_of_rules(cells[0], inputs)
    yearly = {
        "people_build": written * inputs.hours_build[track] * inputs.wage / economics.horizon_years,
        "people_upkeep": written * inputs.hours_per_year[track] * inputs.wage,
        "search": seconds["search"] * price,
        "retraining": (seconds["load"] + seconds["fit"]) * price,
        "prediction": seconds["predict_batch"] * price,
        "idle_capacity": sum(seconds.values(), np.zeros(inputs.n)) * idle,
        "carbon": kwh * inputs.grid.g_co2e_per_kwh / 1000 * inputs.carbon_price_per_kg,
    }
    if not profile.energy_in_price:
        yearly["electricity"] = kwh * inputs.price_per_kwh
    return yearly


def _share_of_rules(cell: CellRecord, inputs: Inputs) -> float:
    """Return the share of the declared hours that a rung takes: half of the rules, half of the hours."""
    full = inputs.n_rules.get(cell.track, 0)
    return 1.0 if cell.n_rules is None or full == 0 else cell.n_rules / full


def price_rung(stack: Stack, cells: Sequence[CellRecord], inputs: Inputs) -> RungEconomics:
    """Price one track at one rung.

    The threshold is chosen for every seed on its validation counts, at the means of the declared values;
    the value of a decision is then that of the test block.

    Parameters
    ----------
    stack : Stack
        Its evidence.
    cells : sequence of CellRecord
        Its finished cells.
    inputs : Inputs
    """
    chosen = [_choose_threshold(one, inputs.values[0]) for one in stack.evidence]
    outcomes = np.stack(
        [
            _cluster_outcomes(one, threshold)
            for one, (threshold, _) in zip(stack.evidence, chosen, strict=True)
        ]
    )
    gross = inputs.volume * _value_of_decision(stack, outcomes, inputs)
    costs = _yearly_costs(cells, stack.track, inputs)
    total = sum(costs.values(), np.zeros(inputs.n))
    seen = [value for _, value in chosen if value is not None]
    edges = scores.bin_edges()
    return RungEconomics(
        track=stack.track,
        rung=stack.rung,
        threshold=float(np.median([edges[threshold] for threshold, _ in chosen])),
        validation_value=float(inputs.volume[0] * np.mean(seen) - total[0]) if seen else None,
        gross=gross,
        net=gross - total,
        costs=costs,
    )


def price_list(inputs: Inputs) -> tuple[dict[str, Any], ...]:
    """Return every price and constant in use: name, value, unit, source, date and basis."""
    economics, profile, here = inputs.economics, inputs.hardware, inputs.grid
    money = economics.currency
    published = {"source": profile.source, "date": profile.date, "basis": profile.basis}
    assumed = {"source": "hardware.yaml", "date": profile.date, "basis": "assumed"}
    declared = {"source": "the experiment file", "date": "", "basis": "declared"}
    power = {"source": "Cloud Carbon Footprint, ccf-coefficients", "date": "2026-03-09", "basis": "published"}

    def row(name: str, value: Any, unit: str, origin: Mapping[str, str]) -> dict[str, Any]:
        return {"name": name, "value": value, "unit": unit, **origin}

    def span(amount: Any) -> Any:
        return amount.likely if amount.low == amount.high else [amount.low, amount.likely, amount.high]

    electricity = (
        row("electricity", span(economics.price_per_kwh), f"{money} a kWh", declared)
        if economics.price_per_kwh is not None
        else row(
            f"electricity, {here.title}",
            here.usd_per_kwh,
            "USD a kWh",
            {"source": here.price_source, "date": here.price_date, "basis": here.price_basis},
        )
    )
    carbon = {"source": here.carbon_source, "date": here.carbon_date, "basis": "published"}
    rows = [
        row(f"{profile.title}", profile.usd_per_hour / profile.vcpus, "USD a vCPU-hour", published),
        row("share of paid hours that work", profile.utilisation, "share", assumed),
        row("power of an idle vCPU (low, mid, high)", list(profile.idle_watts), "W", power),
        row("power of a busy vCPU (low, mid, high)", list(profile.max_watts), "W", power),
        row("power of memory", profile.memory_watts_per_gb, "W a GB", power),
        row("power of the building over that of the machines (PUE)", economics.pue, "ratio", declared),
        row(f"carbon of electricity, {here.title}", here.g_co2e_per_kwh, "g CO2e a kWh", carbon),
        row("price of carbon", span(economics.carbon_price_per_tonne), f"{money} a tonne", declared),
        row("exchange rate", economics.currency_per_usd, f"{money} a USD", declared),
        row("wage", span(economics.wage_per_hour), f"{money} an hour", declared),
        *(
            row(f"value of a {name.replace('_', ' ')}", span(getattr(economics.value, name)), money, declared)
            for name in OUTCOMES
        ),
        row("decisions", span(economics.volume_per_year), "a year", declared),
        row("retrains", span(economics.retrains_per_year), "a year", declared),
        row("horizon", economics.horizon_years, "years", declared),
    ]
    return tuple(rows if profile.energy_in_price else [*rows, electricity])
