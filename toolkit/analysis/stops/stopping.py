"""Whether a track should climb on: what its forecast says of the rungs that are left. Pure.

A track stops when, with high probability,

- no rung that is left pays for itself: the value a year that the curve still gains is less than what those
  rungs cost more a year; or
- none comes within the margin of what the leader earns already.

Money is net value of a year as the validation block sees it. That block is a sample: how unsure it leaves
the difference between the track and the leader counts, and so do the leader's few seeds. Several forms of the
curve may fit: every one of them has to say so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from toolkit.analysis.forecast_record import StopReason
from toolkit.analysis.stacks import Floats
from toolkit.analysis.stops.growth import fit_growth
from toolkit.analysis.stops.prospect_record import FormProspect, Prospect
from toolkit.analysis.validation import Validation, standard_error

__all__ = [
    "SURE",
    "Noise",
    "Odds",
    "Standing",
    "leader_of",
    "margin_of",
    "noise_of",
    "odds",
    "reason_to_stop",
]

SURE = 0.9
"""A track stops when what would speak for climbing on has less than the rest of this probability."""

MARGIN_SHARE = 0.01
"""The margin when none is declared, as a share of the leader's gross value; as in the verdict."""


N_PLACES = 200
_SCORES = np.array([NormalDist().inv_cdf((i + 0.5) / N_PLACES) for i in range(N_PLACES)])


class Standing(NamedTuple):
    """What one rung of a track earns a year as the validation block sees it, before and after its costs."""

    track: str
    rung: int
    gross: float
    net: float


@dataclass(frozen=True)
class Noise:
    """How unsure measured rows and seeds leave a difference, as money a decision.

    Parameters
    ----------
    standard_error : float
    degrees_of_freedom : int
        Of its t distribution, at least 5.
    """

    standard_error: float
    degrees_of_freedom: int

    def draws(self) -> Floats:
        """Return the distribution about zero at equal steps of probability, shape (N_PLACES,).

        Quantiles of t by the expansion of Abramowitz and Stegun (1964, Handbook of Mathematical Functions,
        26.7.5): SciPy takes longer to load than a whole re-pricing.
        """
        n, z = self.degrees_of_freedom, _SCORES
        t = z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        return np.asarray(self.standard_error * t)


@dataclass(frozen=True)
class Odds:
    """What speaks for climbing on, under the form of the curve that says so most.

    Parameters
    ----------
    pays : float
        Probability that a rung that is left gains more a year than it costs more: by the curve alone.
    catches : float
        Probability that one, as it would be measured, comes within the margin of the leader, or passes it.
    overtakes : float
        Probability that one, as it would be measured, earns more than the leader does now.
    forgone : float
        Expected net value a year by which the best of them passes the leader; where none does, 0 counts.
    gained : float
        The same for the track's own rungs in place of the leader: by the curve, as in `pays`.
    """

    pays: float
    catches: float
    overtakes: float
    forgone: float
    gained: float


def leader_of(known: Iterable[Standing]) -> Standing | None:
    """Return the standing of the highest net value; None where nothing is known."""
    return max(known, key=lambda one: one.net, default=None)


def margin_of(declared: float | None, leader: Standing) -> float:
    """Return what counts as a tie, money a year."""
    return MARGIN_SHARE * abs(leader.gross) if declared is None else declared


def noise_of(own: Validation, leader: Validation) -> Noise | None:
    """Return how unsure the validation block is of a rung's value over the leader's, whose seeds are few.

    What the seeds of the rung itself leave unsure is in the forecast of its track. None where too few
    clusters were validated to tell.

    Parameters
    ----------
    own : Validation
        Of the track's largest rung that has run.
    leader : Validation
        Of the rung that earns most.
    """
    rows = standard_error(own, leader)
    if rows is None:
        return None
    by_seed = list(leader.values.values())
    seeds = float(np.std(by_seed, ddof=1)) / math.sqrt(len(by_seed)) if len(by_seed) > 1 else 0.0
    return Noise(math.hypot(rows[0], seeds), rows[1])


def odds(
    prospect: Prospect,
    *,
    volume: float,
    yearly_costs: Sequence[float | None],
    leader: float,
    margin: float,
    noise: Noise,
) -> Odds:
    """Return what speaks for climbing on.

    Parameters
    ----------
    prospect : Prospect
        With at least one form.
    volume : float
        Decisions a year.
    yearly_costs : sequence of float or None
        Of the measured rungs. They are taken to grow with rows; where none was measured, not at all.
    leader, margin : float
        What the leader earns a year, and what counts as a tie.
    noise : Noise
        Of a decision's value over the leader's.
    """
    growth = fit_growth(prospect.rows, yearly_costs)
    spent = np.array([0.0 if growth is None else growth.at(rows) for rows in prospect.rows])
    ahead = np.array([0.0 if growth is None else growth.at(rows) for rows in prospect.left_rows])
    leads = leader + volume * noise.draws()
    each = [_of_form(form, volume, spent, ahead, leads, margin) for form in prospect.forms]
    return Odds(*(max(values) for values in zip(*each, strict=True)))


def _of_form(
    form: FormProspect, volume: float, spent: Floats, ahead: Floats, leads: Floats, margin: float
) -> tuple[float, ...]:
    now = float((volume * np.array(form.fitted) - spent).max())
    # The curve itself, without the luck of single rungs, which no climbing buys.
    expected = (volume * np.array(form.expected) - ahead[:, None]).max(axis=0)
    best = (volume * np.array(form.new_rung) - ahead[:, None]).max(axis=0)
    ahead_by = best[:, None] - leads
    return (
        float((expected > now).mean()),
        float((ahead_by > -margin).mean()),
        float((ahead_by > 0).mean()),
        float(np.maximum(ahead_by, 0.0).mean()),
        float(np.maximum(expected - now, 0.0).mean()),
    )


def reason_to_stop(found: Odds, *, is_leader: bool) -> tuple[StopReason, float] | None:
    """Return why a track stops, with the probability of the opposite; None where it climbs on."""
    if found.pays < 1 - SURE:
        return "does_not_pay", found.pays
    if not is_leader and found.catches < 1 - SURE:
        return "behind_leader", found.catches
    return None
