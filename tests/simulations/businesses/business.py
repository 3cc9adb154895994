"""A business with a known truth: its tracks and rungs, what they cost, and what each truly earns a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from toolkit import prices

from .skill import Labels, Skill, worth

MARGIN = 0.01
"""Share of the leader's gross value that counts as a tie where the business declares no margin."""


USUAL = Labels()


@dataclass(frozen=True)
class Seconds:
    """Median CPU-seconds of each piece of work; `single` is one call with one row, `row` one of a batch."""

    fit: float = 0.0
    search: float = 0.0
    load: float = 1.0
    start: float = 1.0
    row: float = 2e-6
    single: float = 2e-4


@dataclass(frozen=True)
class Step:
    """One rung of a track: how well it sees, on how many labels or rules, and at what cost."""

    skill: Skill
    seconds: Seconds = Seconds()
    n_train: int = 0
    n_rules: int | None = None


@dataclass(frozen=True)
class Track:
    """A track with all that it can do.

    Parameters
    ----------
    plugin : str
    steps : tuple of Step
    build, upkeep : float
        Hours of people: once, and a year.
    seeded : bool
        Whether chance plays a part, so that it has a cell a seed.
    """

    plugin: str
    steps: tuple[Step, ...]
    build: float = 0.0
    upkeep: float = 0.0
    seeded: bool = True


@dataclass(frozen=True)
class Business:
    """A business, and how much of it is seen.

    Parameters
    ----------
    best : str
        The track that truly earns most. Of a tie, one of those that are as good.
    tracks : mapping of str to Track
    tie : bool
        Whether the truth is too close to call.
    values : tuple of 4 float
        True money of a true positive, a false positive, a true and a false negative.
    volume, retrains, wage, per_label, horizon, rate : float
        True amounts; `rate` is what a US dollar costs in `currency`.
    margin : float or None
        Money a year, as declared.
    unsure : mapping of str to (low, high)
        Of ``value``, ``volume``, ``wage`` and ``hours``: the ends of the declared range, as multiples of what
        is thought likely. Where in the range the truth lies is drawn as PERT has it.
    n_test, n_valid, rows : int
        Customers of the two blocks, and mean rows of each.
    seeds : int
    common, of_track : float
        Shares of the variance of what tracks overlook that all tracks have in common, and that the seeds of
        a track have in common beside it.
    cost_spread : float
        Of a reading, on the log scale.
    """

    name: str
    best: str
    tracks: Mapping[str, Track]
    tie: bool = False
    labels: Labels = USUAL
    values: tuple[float, float, float, float] = (2.0, -0.8, 0.0, 0.0)
    volume: float = 1e6
    retrains: float = 12.0
    wage: float = 60.0
    per_label: float = 0.0
    horizon: float = 3.0
    currency: str = "USD"
    rate: float = 1.0
    serving: str = "batch"
    search_each_retrain: bool = False
    margin: float | None = None
    unsure: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    n_test: int = 300
    n_valid: int = 200
    rows: int = 40
    seeds: int = 3
    common: float = 0.65
    of_track: float = 0.2
    cost_spread: float = 0.15

    def gross(self, track: str, rung: int) -> float:
        """Return what the decisions of a year are truly worth."""
        return self.volume * worth(self.labels, self.tracks[track].steps[rung].skill, self.values)

    def net(self, track: str, rung: int) -> float:
        """Return what a track truly earns in a year: the decisions less all costs, in `currency`."""
        one = self.tracks[track]
        step, full = one.steps[rung], one.steps[-1]
        share = 1.0 if step.n_rules is None or not full.n_rules else step.n_rules / full.n_rules
        people = share * self.wage * (one.build / self.horizon + one.upkeep)
        data = step.n_train * self.per_label / self.horizon
        return self.gross(track, rung) - people - data - self._machines(step.seconds)

    def _machines(self, seconds: Seconds) -> float:
        host = prices.hardware("cloud-vcpu")
        searches = self.retrains if self.search_each_retrain else 1 / self.horizon
        row = seconds.single if self.serving == "single" else seconds.row
        work = self.retrains * (seconds.start + seconds.load + seconds.fit)
        work += searches * seconds.search + self.volume * row
        # mean over median of the lognormal, and the hours that are paid for and do nothing
        work *= np.exp(self.cost_spread**2 / 2) / host.utilisation
        return float(work * host.usd_per_hour / host.vcpus / 3600 * self.rate)

    def best_rung(self, track: str) -> int:
        return max(range(len(self.tracks[track].steps)), key=lambda rung: self.net(track, rung))

    def best_net(self, track: str) -> float:
        return self.net(track, self.best_rung(track))

    def ranked(self) -> list[str]:
        """Return the tracks, the one that truly earns most first."""
        return sorted(self.tracks, key=self.best_net, reverse=True)

    @property
    def lead(self) -> float:
        first, second = self.ranked()[:2]
        return self.best_net(first) - self.best_net(second)

    @property
    def true_margin(self) -> float:
        leader = self.ranked()[0]
        return (
            MARGIN * abs(self.gross(leader, self.best_rung(leader))) if self.margin is None else self.margin
        )

    def earns_more(self, plugin: str, than: tuple[str, ...]) -> bool | None:
        """Tell whether the best of a plug-in truly earns over the margin more than the best of others."""
        own = [self.best_net(name) for name, one in self.tracks.items() if one.plugin == plugin]
        others = [self.best_net(name) for name, one in self.tracks.items() if one.plugin in than]
        return max(own) - max(others) > self.true_margin if own and others else None
