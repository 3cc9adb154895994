"""Asks of priced rungs whether a track climbs on: a sweep while it runs, a replay and a report afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from toolkit.analysis.economics import RungEconomics
from toolkit.analysis.forecast_record import EarlyStop, Saved, SkippedCell, StopReason
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.stops.prospect_record import Prospect
from toolkit.analysis.stops.saved import labels_not_bought
from toolkit.analysis.stops.stopping import (
    Odds,
    Standing,
    leader_of,
    margin_of,
    noise_of,
    odds,
    reason_to_stop,
)
from toolkit.analysis.stops.terms import terms_of
from toolkit.analysis.stops.words import chance
from toolkit.analysis.validation import MIN_GROUPS

__all__ = ["Answer", "ask", "weigh"]


@dataclass(frozen=True)
class Answer:
    """Whether a track climbs on, and the figures that say so.

    Parameters
    ----------
    track, leader : str
        The track that was asked, and the one that earns most so far.
    odds : Odds
    reason : {"does_not_pay", "behind_leader"} or None
        Why it stops; None where it climbs on.
    probability : float or None
        Of the opposite.
    """

    track: str
    leader: str
    odds: Odds
    reason: StopReason | None
    probability: float | None

    @property
    def leads(self) -> bool:
        """Whether the track is itself the leader."""
        return self.leader == self.track

    @property
    def overtakes(self) -> float | None:
        """Probability that a rung that is left earns more than another leader; None without one."""
        return None if self.leads else self.odds.overtakes

    @property
    def forgone(self) -> float:
        """What rungs that are left earn more a year, times the probability, than the leader does."""
        return self.odds.gained if self.leads else self.odds.forgone

    @property
    def told(self) -> str:
        """What speaks for climbing on, in words."""
        pays = f"by its curve, a further rung pays for itself with probability {chance(self.odds.pays)}"
        if self.leads:
            return pays
        return (
            f"{pays}, and as it would be measured, one comes within the margin of {self.leader} with "
            f"{chance(self.odds.catches)}"
        )


def _yearly(one: RungEconomics) -> float:
    return sum(float(cost[0]) for cost in one.costs.values())


def _standing(one: RungEconomics) -> Standing | None:
    """Return what a rung earns a year as the validation block sees it; None without such rows."""
    if one.validation_value is None:
        return None
    return Standing(one.track, one.rung, one.validation_value + _yearly(one), one.validation_value)


def weigh(prospect: Prospect, known: Mapping[StackKey, RungEconomics], inputs: Inputs) -> Answer | str:
    """Return whether a track climbs on, or in words why it cannot be asked.

    Parameters
    ----------
    prospect : Prospect
    known : mapping of (track, rung) to RungEconomics
        The rungs of all tracks that have run so far.
    inputs : Inputs
    """
    if prospect.refusal:
        return prospect.refusal
    leader = leader_of(one for rung in known.values() if (one := _standing(rung)) is not None)
    if leader is None:
        return "no rung can be valued"
    own = [known.get((prospect.track, rung)) for rung in prospect.rungs]
    sides = (own[-1], known[leader.track, leader.rung])
    seen = [one.validation for one in sides if one is not None and one.validation is not None]
    noise = noise_of(*seen) if len(seen) == len(sides) else None
    if noise is None:
        return (
            "the validation block does not tell how sure it is of the leader: it takes "
            f"{MIN_GROUPS} clusters, and cells of this version"
        )
    found = odds(
        prospect,
        volume=float(inputs.volume[0]),
        yearly_costs=[None if one is None else _yearly(one) for one in own],
        leader=leader.net,
        margin=margin_of(inputs.economics.margin, leader),
        noise=noise,
    )
    reason, probability = reason_to_stop(found, is_leader=leader.track == prospect.track) or (None, None)
    return Answer(prospect.track, leader.track, found, reason, probability)


def ask(
    prospect: Prospect,
    known: Mapping[StackKey, RungEconomics],
    inputs: Inputs,
    *,
    n_cells: int,
    saved: Callable[[], Saved],
    cells: Sequence[SkippedCell] = (),
) -> EarlyStop | str:
    """Return the stop, or in words why the track climbs on.

    Parameters
    ----------
    prospect, known, inputs
        As in `weigh`.
    n_cells : int
        Cells of the rungs that are left.
    saved : callable
        Returns what not running them saves.
    cells : sequence of SkippedCell
        Those cells; none in a replay.
    """
    answer = weigh(prospect, known, inputs)
    if isinstance(answer, str):
        return answer
    if answer.reason is None:
        return answer.told
    return EarlyStop(
        track=prospect.track,
        rung=prospect.reached,
        n_measured=len(prospect.rungs),
        skipped=prospect.left,
        n_cells=n_cells,
        reason=answer.reason,
        leader=answer.leader,
        probability=answer.probability,
        probability_leader_changes=answer.overtakes,
        forgone_per_year=answer.forgone,
        currency=inputs.economics.currency,
        saved=saved(),
        labels_saved=labels_not_bought(
            list(zip(prospect.rungs, prospect.rows, strict=True)),
            list(zip(prospect.left, prospect.left_rows, strict=True)),
            inputs,
        ),
        cells=tuple(cells),
        terms=terms_of(inputs),
    )
