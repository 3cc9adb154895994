"""The book: what each rung is expected to earn and to cost, by what it hangs on.

Everything that a year's expected net value hangs on stands apart (how often, at what price, with which
outcomes), so that any of it can be changed and the net values added up again in a tenth of a millisecond:
the same sums as `toolkit.analysis.economics`, of means only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from toolkit.analysis.choices import RungChoices, yes_gains
from toolkit.analysis.draws import draw_band
from toolkit.analysis.economics import hours_of, nothing_earns
from toolkit.analysis.flows import Flow, flows_of
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.stacks import Floats, StackKey
from toolkit.analysis.work import idle_beside
from toolkit.prices import JOULES_PER_KWH

__all__ = ["MARGIN_SHARE", "NONE_PAYS", "Book", "Money", "Standing", "book_of"]

NONE_PAYS = ""
"""The track to use where each is expected to lose."""
MARGIN_SHARE = 0.01
"""The margin when none is declared, as a share of the leader's gross value."""


@dataclass(frozen=True)
class Money:
    """Means of everything that a year's money hangs on, in the experiment's currency.

    `compute`, `speed`, `pue` and those of `build` and `upkeep` (hours of a track) are factors of what was
    declared; `kwh` is the price of a kWh, `carbon` of a kg CO2e, `values` those of the four outcomes.
    """

    values: tuple[float, float, float, float]
    volume: float
    retrains: float
    horizon: float
    wage: float
    label: float
    carbon: float
    kwh: float
    compute: float = 1.0
    speed: float = 1.0
    pue: float = 1.0
    build: Mapping[str, float] = field(default_factory=dict)
    upkeep: Mapping[str, float] = field(default_factory=dict)

    @property
    def trainings(self) -> float:
        """Trainings a year: at least one in the horizon."""
        return max(self.retrains, 1 / self.horizon)


class Standing(NamedTuple):
    """Which track is expected to earn most: `best` is empty where each is expected to lose.

    `net` and `gross` are of the rung that each track enters with, `rungs` their places in the book.
    """

    best: str
    leader: str
    net: Mapping[str, float]
    gross: Mapping[str, float]
    rungs: Mapping[str, int]

    def margin(self, declared: float | None) -> float:
        """Return the money a year that counts as a tie; 1 % of the leader's gross value unless declared."""
        return MARGIN_SHARE * abs(self.gross[self.leader]) if declared is None else declared


@dataclass(frozen=True, eq=False)
class Book:
    """Expected amounts of each rung that may enter the verdict; arrays in the order of `keys`.

    Parameters
    ----------
    keys : tuple of (track, rung)
        Tracks in the order of the verdict, rungs rising.
    money : Money
        As declared.
    choices : tuple of RungChoices
    build, upkeep, labels : ndarray of shape (n_rungs,)
        Hours until it runs, hours a year, labelled rows.
    paid, kwh, kwh_paid : ndarray of shape (n_rungs, 2, 2)
        Money, energy, and energy that no machine's price holds, of one training and one search, on
        processors and on accelerators.
    seconds, decision_kwh : ndarray of shape (n_rungs,)
        Of one decision; vCPU-seconds, and energy without idle capacity.
    price, idle_share, idle_kwh : float
        Of a vCPU-second; idle seconds beside one of work; energy of an idle one.
    always_on : float
        vCPU-seconds of a year that are paid for decisions at least.
    energy_in_price : bool
        Of the processor that decides.
    searches_each_training : bool
    grid_kg : float
        CO2e of a kWh.
    nothing_earns_nothing : bool
        Whether doing without any track is known to earn 0.
    """

    keys: tuple[StackKey, ...]
    money: Money
    choices: tuple[RungChoices, ...]
    build: Floats
    upkeep: Floats
    labels: Floats
    paid: Floats
    kwh: Floats
    kwh_paid: Floats
    seconds: Floats
    decision_kwh: Floats
    price: float
    idle_share: float
    idle_kwh: float
    always_on: float
    energy_in_price: bool
    searches_each_training: bool
    grid_kg: float
    nothing_earns_nothing: bool

    @cached_property
    def looks(self) -> dict[str, Callable[[float], Standing]]:
        """By the key of an assumption: how tracks stand where that is so large."""
        return {}

    @cached_property
    def _table(self) -> _Table:
        return _Table(self.choices)

    def costs(self, money: Money) -> Floats:
        """Return the expected costs of a year of each rung, shape (n_rungs,)."""
        build, upkeep = self._moved(self.build, money.build), self._moved(self.upkeep, money.upkeep)
        people = (build / money.horizon + upkeep) * money.wage
        seconds = money.volume * self.seconds / money.speed
        idle = idle_beside(seconds, self.idle_share, self.always_on)
        decided = money.volume * self.decision_kwh / money.speed + idle * self.idle_kwh
        decisions = self._worth(
            (seconds + idle) * self.price, decided, 0.0 if self.energy_in_price else decided, money
        )
        return np.asarray(people + self.label_costs(money) + self.training_costs(money) + decisions)

    def label_costs(self, money: Money) -> Floats:
        """Return what a year's share of the labels costs, shape (n_rungs,)."""
        return np.asarray(self.labels * money.label / money.horizon)

    def training_costs(self, money: Money) -> Floats:
        """Return the expected costs of a year's trainings and searches, shape (n_rungs,)."""
        searches = money.trainings if self.searches_each_training else 1 / money.horizon
        often = np.outer([money.trainings, searches], [1 / money.speed, 1.0])
        yearly = ((amounts * often).sum(axis=(1, 2)) for amounts in (self.paid, self.kwh, self.kwh_paid))
        machines, kwh, kwh_paid = yearly
        return self._worth(machines, kwh, kwh_paid, money)

    def _worth(self, machines: Floats, kwh: Floats, kwh_paid: Floats | float, money: Money) -> Floats:
        """Return the money for machines, their carbon, and electricity that is not in their price."""
        energy = kwh * (self.grid_kg * money.carbon) + kwh_paid * money.kwh
        return np.asarray(machines * money.compute + energy * money.pue)

    def earned(self, values: tuple[float, float, float, float]) -> tuple[Floats, Floats]:
        """Return the value of a decision of each rung on validation (NaN without rows), and on test."""
        return self._table.earned(values)

    def _moved(self, hours: Floats, factors: Mapping[str, float]) -> Floats:
        return np.asarray(hours * [factors.get(track, 1.0) for track, _ in self.keys]) if factors else hours

    def stand(self, money: Money, costs: Floats | None = None) -> Standing:
        """Return which track is expected to earn most; `costs` where they are known."""
        seen, earned = self.earned(money.values)
        spent = self.costs(money) if costs is None else costs
        foreseen = (money.volume * seen - spent).tolist()
        worth, spent = (money.volume * earned).tolist(), spent.tolist()
        rungs: dict[str, int] = {}
        for place, (track, _) in enumerate(self.keys):
            before = rungs.get(track)
            if before is None or math.isnan(foreseen[before]) or foreseen[place] > foreseen[before]:
                rungs[track] = place
        gross = {track: worth[place] for track, place in rungs.items()}
        net = {track: worth[place] - spent[place] for track, place in rungs.items()}
        leader = max(net, key=lambda track: net[track])
        idle = self.nothing_earns_nothing and money.values[2] == money.values[3] == 0
        return Standing(NONE_PAYS if idle and net[leader] < 0 else leader, leader, net, gross, rungs)


class _Table:
    """The choices of all rungs and seeds, one row each, filled up with the last."""

    def __init__(self, choices: Sequence[RungChoices]) -> None:
        self._known: dict[tuple[float, float, float, float], tuple[Floats, Floats]] = {}
        every = [one for rung in choices for one in rung.choices]
        width = max(len(one.thresholds) for one in every)
        fill = [np.minimum(np.arange(width), len(one.thresholds) - 1) for one in every]
        self._seen = np.stack([one.validation[at] for one, at in zip(every, fill, strict=True)]).astype(float)
        tests = np.stack([one.test.sum(axis=1)[at] for one, at in zip(every, fill, strict=True)])
        self._test = tests.astype(float)
        self._seeds = np.array([len(rung.choices) for rung in choices])
        self._starts = np.cumsum(self._seeds) - self._seeds
        self._validation = np.array([rung.validation for rung in choices], dtype=float)
        self._tests = np.array([rung.test.sum(axis=0) for rung in choices], dtype=float)

    def earned(self, values: tuple[float, float, float, float]) -> tuple[Floats, Floats]:
        """Return the value of a decision on validation and on test, each of shape (n_rungs,)."""
        if values not in self._known:
            self._known[values] = self._earned(values)
        return self._known[values]

    def _earned(self, values: tuple[float, float, float, float]) -> tuple[Floats, Floats]:
        gain, loss = yes_gains(np.array(values))
        best = (gain * self._seen[..., 0] + loss * self._seen[..., 1]).argmax(axis=1)
        rows = np.arange(len(best))
        with np.errstate(invalid="ignore"):
            return (
                self._mean(self._seen[rows, best], self._validation, values),
                self._mean(self._test[rows, best], self._tests, values),
            )

    def _mean(self, yes: Floats, total: Floats, values: tuple[float, float, float, float]) -> Floats:
        """Return the value of a decision, mean over the seeds of each rung."""
        mean = np.add.reduceat(yes, self._starts) / self._seeds[:, None]
        no = total - mean
        worth = mean @ np.array(values[:2]) + no @ np.array([values[3], values[2]])
        return np.asarray(worth / total.sum(axis=1))


def book_of(
    keys: Iterable[StackKey],
    choices: Mapping[StackKey, RungChoices],
    readings: Mapping[StackKey, RungReadings],
    inputs: Inputs,
    values: Floats,
) -> Book:
    """Open the book of the rungs that may enter a verdict.

    Parameters
    ----------
    keys : iterable of (track, rung)
        At least one, tracks in the order of the verdict.
    choices : mapping of (track, rung) to RungChoices
    readings : mapping of (track, rung) to RungReadings
    inputs : Inputs
    values : ndarray of shape (4,)
        Mean money of each outcome.
    """
    entering = tuple(keys)
    economics = inputs.economics
    flows = [flows_of(readings[key], inputs) for key in entering]
    hours = [hours_of(readings[key], inputs) for key in entering]
    decides = next(flow for flow in flows[0] if flow.occasion == "decision")
    paid, kwh, kwh_paid = (np.zeros((len(entering), 2, 2)) for _ in range(3))
    seconds, decision_kwh = (np.zeros(len(entering)) for _ in range(2))
    for place, own in enumerate(flows):
        for flow in own:
            work = float(flow.quantity(inputs)[0])
            joules = work * _mean_band(flow, inputs)
            if flow.occasion == "decision":
                seconds[place] += work * flow.seconds
                decision_kwh[place] += joules / JOULES_PER_KWH
                continue
            at = place, int(flow.occasion == "search"), int(not flow.on_processor)
            idle = work * flow.seconds * flow.idle_share
            joules += idle * _mean_idle(flow, inputs)
            paid[at] += (work * flow.seconds + idle) * flow.price
            kwh[at] += joules / JOULES_PER_KWH
            kwh_paid[at] += 0.0 if flow.energy_in_price else joules / JOULES_PER_KWH
    return Book(
        keys=entering,
        money=Money(
            values=_four(values),
            volume=float(inputs.volume[0]),
            retrains=float(inputs.retrains[0]),
            horizon=economics.horizon_years,
            wage=float(inputs.wage[0]),
            label=float(inputs.price_per_label[0]),
            carbon=float(inputs.carbon_price_per_kg[0]),
            kwh=float(inputs.price_per_kwh[0]),
        ),
        choices=tuple(choices[key] for key in entering),
        build=np.array([sum(float(part.taken[0]) for part in build.values()) for build, _ in hours]),
        upkeep=np.array([float(upkeep.taken[0]) for _, upkeep in hours]),
        labels=np.array([float(readings[key].n_train) for key in entering]),
        paid=paid,
        kwh=kwh,
        kwh_paid=kwh_paid,
        seconds=seconds,
        decision_kwh=decision_kwh,
        price=decides.price,
        idle_share=decides.idle_share,
        idle_kwh=_mean_idle(decides, inputs) / JOULES_PER_KWH,
        always_on=decides.always_on_seconds,
        energy_in_price=decides.energy_in_price,
        searches_each_training=economics.search_each_retrain,
        grid_kg=inputs.grid.g_co2e_per_kwh / 1000,
        nothing_earns_nothing=nothing_earns(economics) is not None,
    )


def _four(values: Floats) -> tuple[float, float, float, float]:
    one, two, three, four = values.tolist()
    return one, two, three, four


def _mean_band(flow: Flow, inputs: Inputs) -> float:
    return float(draw_band(flow.joules, inputs.energy_place)[0])


def _mean_idle(flow: Flow, inputs: Inputs) -> float:
    return float(draw_band(flow.idle_joules, inputs.energy_place)[0])
