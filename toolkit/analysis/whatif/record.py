"""What would change the verdict, as results show it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from toolkit.analysis.interval import Interval

__all__ = ["Assumption", "Flip", "Regime", "Region", "Sensitivity"]


@dataclass(frozen=True)
class Flip:
    """Where an assumption changes the verdict: at `at` and beyond it, `best` is expected to earn most.

    `best` is empty where no track is expected to earn anything.
    """

    at: float
    best: str


@dataclass(frozen=True)
class Assumption:
    """One assumption of the verdict, all others as they were declared.

    Parameters
    ----------
    key, title, unit : str
        As `toolkit.analysis.whatif.levers.Lever` has them.
    low, likely, high : float
        As declared; a range moves in proportion with its likely value.
    below, above : Flip or None
        The nearest likely value on either side from which the track that leads today is behind by more than
        the margin; None where there is none within `reach` times.
    hair_below, hair_above : Flip or None
        The same without the margin: where another is expected to earn more.
    reach : float
    within_range : bool
        Whether a change lies between the declared ends.
    """

    key: str
    title: str
    unit: str
    low: float
    likely: float
    high: float
    below: Flip | None
    above: Flip | None
    hair_below: Flip | None
    hair_above: Flip | None
    reach: float
    within_range: bool

    @property
    def nearest(self) -> Flip | None:
        """The change that takes the smaller factor."""
        found = [flip for flip in (self.below, self.above) if flip is not None]
        return min(found, key=lambda flip: _distance(flip.at, self.likely), default=None)

    @property
    def distance(self) -> float:
        """How far its nearest change is, as a logarithm of a factor; infinite where there is none."""
        return float("inf") if self.nearest is None else _distance(self.nearest.at, self.likely)


def _distance(at: float, likely: float) -> float:
    return abs(math.log(at / likely)) if likely and at / likely > 0 else math.inf


@dataclass(frozen=True)
class Regime:
    """Between two values of an assumption `best` is the track to use (empty: none pays)."""

    low: float
    high: float
    best: str


@dataclass(frozen=True)
class Region:
    """Which track is expected to earn most by volume and by the value of a hit.

    Parameters
    ----------
    volumes, hits : tuple of float
        Likely values, rising.
    best : tuple of tuple of str
        One row a value of a hit, one entry a volume; empty where none pays.
    tie : tuple of tuple of bool
        Whether the next best is within the margin.
    """

    volumes: tuple[float, ...]
    hits: tuple[float, ...]
    best: tuple[tuple[str, ...], ...]
    tie: tuple[tuple[bool, ...], ...]


@dataclass(frozen=True)
class Sensitivity:
    """What would change the verdict.

    Parameters
    ----------
    best : str
        Expected to earn most as declared; empty where none pays.
    assumptions : tuple of Assumption
        The most fragile first.
    volume, hit : tuple of Regime
        Which track to use by decisions a year, and by the value of a hit, from low to high.
    deep : str or None
        The net that is expected to earn over the margin more than the best of baseline, rules and classical,
        as declared; empty where none does, None where that cannot be asked.
    deep_volume, deep_hit : Assumption or None
        Where that changes.
    region : Region or None
        None where a hit has no value above zero.
    """

    best: str = ""
    assumptions: tuple[Assumption, ...] = ()
    volume: tuple[Regime, ...] = ()
    hit: tuple[Regime, ...] = ()
    deep: str | None = None
    deep_volume: Assumption | None = None
    deep_hit: Assumption | None = None
    region: Region | None = None

    @property
    def fragile(self) -> tuple[Assumption, ...]:
        """The three assumptions whose change is nearest; fewer where fewer change anything."""
        return tuple(one for one in self.assumptions if one.nearest is not None)[:3]


@dataclass(frozen=True)
class RungStep:
    """What a rung adds to the one below it, in money a year: decisions, costs, and what is left.

    `deployed` tells the rung that the validation block values most.
    """

    track: str
    rung: int
    below: int
    gross: Interval
    cost: Interval
    net: Interval
    deployed: bool


@dataclass(frozen=True)
class NextPoint:
    """What it would cost a track to err less by `step` than at the rung that it is deployed with.

    Parameters
    ----------
    track : str
    error : str
        Its name.
    now : float
        Of the deployed rung.
    step : float
    times : Interval or None
        The CPU-seconds of search and fit, as a multiple of those of the deployed rung; ends may be infinite.
        None where the track's curve holds no forecast.
    money : Interval or None
        What the further training costs a year, at as many retrains as declared.
    why : str
        Why there is no price, in words.
    """

    track: str
    error: str
    now: float
    step: float
    times: Interval | None
    money: Interval | None
    why: str = ""
