"""What comparisons of tracks come to: who ranks where, the front, and what the same error takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from toolkit.analysis.interval import Interval
from toolkit.analysis.spending import Spread

__all__ = ["EqualError", "Front", "FrontPoint", "FrontVolume", "Ranked", "Reach"]

Reach = Literal["own", "measured", "at_most", "forecast", "at_least", "not_shown", "cannot", "does_not"]


@dataclass(frozen=True)
class Ranked:
    """One track on one score, among all tracks at the rungs that they enter the verdict with.

    Parameters
    ----------
    track, score : str
    estimate : float
        Its score or error.
    probability_best : float
        Of being truly the best; over all tracks they add up to 1.
    regret : Interval
        How far it falls short of the best one: the expectation, and where 95 % of it lies. Never below 0.
    margin : float
        What counts as a tie.
    probability_within_margin : float
        Of falling short of the best by no more than that.
    group : int
        1 is the best group.
    standing : {"leads", "tie", "unclear"}
        To the first of its group: it is that one, ties with it, or cannot be told apart from it.
    """

    track: str
    score: str
    estimate: float
    probability_best: float
    regret: Interval
    margin: float
    probability_within_margin: float
    group: int
    standing: Literal["leads", "tie", "unclear"]


class FrontPoint(NamedTuple):
    """A rung and the probability that no other rung is both cheaper to train and better."""

    track: str
    rung: int
    cpu_seconds: float
    probability: float


@dataclass(frozen=True)
class FrontVolume:
    """How much of the plane of cost and error a track has below the reference.

    Parameters
    ----------
    track : str
        Empty for all tracks together.
    volume : Interval
        Error less than the reference's, times powers of ten of cost.
    exclusive : Interval or None
        What would be lost without the track. None for all together.
    share : Interval or None
        The same as a share of what all have together; None where they have nothing.
    """

    track: str
    volume: Interval
    exclusive: Interval | None = None
    share: Interval | None = None


@dataclass(frozen=True)
class Front:
    """Rungs that nothing beats on both training CPU-seconds (search and fit) and one error.

    Parameters
    ----------
    error : str
    reference_track : str
        Whose error is the reference: the baseline, else the track of the worst rung.
    reference_rung : int
    reference_error : float
    reference_cpu_seconds : float
        The next power of ten above the dearest rung.
    points : tuple of FrontPoint
        Every rung with a known cost and error.
    volumes : tuple of FrontVolume
        All together first.
    """

    error: str
    reference_track: str
    reference_rung: int
    reference_error: float
    reference_cpu_seconds: float
    points: tuple[FrontPoint, ...]
    volumes: tuple[FrontVolume, ...]


@dataclass(frozen=True)
class EqualError:
    """What one track needs for the error that another reached at its largest rung.

    Parameters
    ----------
    error : str
    target : float
    of : str
        The track that reached it.
    of_rung : int
        Its first rung that is no worse than its largest, whose error the target is.
    of_cpu_seconds : float or None
        What that took.
    track : str
        The one that is asked.
    reach : {"own", "measured", "at_most", "forecast", "at_least", "not_shown", "cannot", "does_not"}
        It is its own error, or the same; one of its rungs has reached it; its cheapest rung reaches it
        already; none has, and its curve forecasts at most ten times the largest cost; a lower bound only;
        its floor may lie above; its floor lies above; or it has no cost to raise and does not reach it.
    cpu_seconds : Interval or None
        Of one search and one fit; infinite where it may never be reached. None where there is no bound. With
        ``at_most`` the estimate is what the cheapest rung took, and the upper end is the bound.
    probability : float or None
        That the target is truly reached by a rung that was measured. None without evidence.
    n_rules : Interval or None
        Rules that it takes, for tracks that climb them.
    money : Interval or None
        The same in the experiment's currency, at mean prices; the idle share of paid hours is in it.
    joules, kg_co2e : Spread or None
        From the lower end at the lowest coefficients to the upper one at the highest.
    hours : Interval or None
        People's hours to build it: the mean of what is declared between the ends of the declared range.
    """

    error: str
    target: float
    of: str
    of_rung: int
    of_cpu_seconds: float | None
    track: str
    reach: Reach
    cpu_seconds: Interval | None = None
    probability: float | None = None
    n_rules: Interval | None = None
    money: Interval | None = None
    joules: Spread | None = None
    kg_co2e: Spread | None = None
    hours: Interval | None = None
