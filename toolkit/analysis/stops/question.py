"""Asks of priced rungs whether a track climbs on: a sweep does so while it runs, a replay afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from toolkit.analysis.economics import RungEconomics
from toolkit.analysis.forecast_record import EarlyStop, Saved
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.stops.prospect_record import Prospect
from toolkit.analysis.stops.stopping import Standing, leader_of, margin_of, noise_of, odds, reason_to_stop
from toolkit.analysis.stops.words import chance
from toolkit.analysis.validation import MIN_GROUPS

__all__ = ["ask"]


def _yearly(one: RungEconomics) -> float:
    return sum(float(cost[0]) for cost in one.costs.values())


def _standing(one: RungEconomics) -> Standing | None:
    """Return what a rung earns a year as the validation block sees it; None without such rows."""
    if one.validation_value is None:
        return None
    return Standing(one.track, one.rung, one.validation_value + _yearly(one), one.validation_value)


def ask(
    prospect: Prospect,
    known: Mapping[StackKey, RungEconomics],
    inputs: Inputs,
    *,
    n_cells: int,
    saved: Callable[[], Saved],
    fingerprints: Sequence[str] = (),
) -> EarlyStop | str:
    """Return the stop, or in words why the track climbs on.

    Parameters
    ----------
    prospect : Prospect
    known : mapping of (track, rung) to RungEconomics
        The rungs of all tracks that have run so far.
    inputs : Inputs
    n_cells : int
        Cells of the rungs that are left.
    saved : callable
        Returns what not running them saves.
    fingerprints : sequence of str
        Of those cells.
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
    why = reason_to_stop(found, is_leader=leader.track == prospect.track)
    if why is None:
        pays = f"a further rung pays for itself with probability {chance(found.pays)}"
        if leader.track == prospect.track:
            return pays
        return f"{pays}, and comes within the margin of {leader.track} with {chance(found.catches)}"
    reason, probability = why
    return EarlyStop(
        track=prospect.track,
        rung=prospect.reached,
        n_measured=len(prospect.rungs),
        skipped=prospect.left,
        n_cells=n_cells,
        reason=reason,
        leader=leader.track,
        probability=probability,
        probability_leader_changes=found.overtakes,
        forgone_per_year=found.forgone,
        currency=inputs.economics.currency,
        saved=saved(),
        fingerprints=tuple(fingerprints),
    )
