"""Early stops in plain sentences, for the terminal, findings and the report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from toolkit.analysis.forecast_record import EarlyStop, Replay, Saved
from toolkit.analysis.interval import Interval
from toolkit.analysis.results import Finding, Verdict
from toolkit.analysis.stops.stopping import SURE
from toolkit.analysis.verdict import money

__all__ = [
    "chance",
    "check_stops",
    "told_contradiction",
    "told_replay",
    "told_risk",
    "told_saved",
    "told_stop",
    "told_stops",
]


def chance(probability: float) -> str:
    """Return a probability for people; the forecasts' are known to about .01."""
    if probability < 0.01:
        return "under .01"
    return "over .99" if probability > 0.99 else f"{probability:.2f}".lstrip("0")


def told_stop(stop: EarlyStop) -> str:
    """Return that a track stops climbing, why, and on which rows that was decided."""
    n = len(stop.skipped)
    rungs = "the rung that is left is" if n == 1 else f"the {n} rungs that are left are"
    why = (
        f"a further one would pay for itself with probability {chance(stop.probability)}"
        if stop.reason == "does_not_pay"
        else f"one would come within the margin of {stop.leader} with probability {chance(stop.probability)}"
    )
    return (
        f"{stop.track} stops climbing after rung {stop.rung}: {rungs} skipped ({stop.n_cells} cells); "
        f"on validation rows, {why}"
    )


def told_saved(saved: Saved, currency: str) -> str:
    """Return what was saved; empty where no cell tells."""
    if saved.cpu_seconds is None:
        return ""
    parts = [f"{_amount(saved.cpu_seconds)} CPU-seconds"]
    if saved.wall_seconds is not None:
        parts.append(f"{_amount(saved.wall_seconds)} s of wall time")
    if saved.money is not None:
        parts.append(f"{_amount(saved.money)} {currency}")
    if saved.kg_co2e is not None:
        parts.append(f"{_amount(saved.kg_co2e)} kg CO2e (modelled)")
    return f"{'' if saved.measured else 'about '}{', '.join(parts)}"


def _amount(value: Interval) -> str:
    if value.low == value.high:
        return f"{value.estimate:,.3g}"
    return f"{value.estimate:,.3g} [{value.low:,.3g} to {value.high:,.3g}]"


def told_risk(stop: EarlyStop) -> str:
    """Return what stopping risks."""
    value = money(stop.forgone_per_year, stop.currency)
    if stop.leader == stop.track:
        return (
            f"a skipped rung would have been worth more with probability "
            f"{chance(stop.probability_leader_changes)}; expected net value forgone: {value} a year"
        )
    return (
        f"a skipped rung would have overtaken {stop.leader} with probability "
        f"{chance(stop.probability_leader_changes)}; expected net value forgone: {value} a year"
    )


def told_contradiction(stop: EarlyStop, verdict: Verdict) -> str:
    """Return where the verdict, which is of test rows, speaks against a stop; empty where it does not.

    Only a track that stopped behind another is held against it: that its next rung does not pay says nothing
    of where a leader stands.

    Parameters
    ----------
    stop : EarlyStop
    verdict : Verdict
    """
    tracks = {one.track: one for one in verdict.tracks if not one.excluded}
    own = tracks.get(stop.track)
    if own is None or stop.leader == stop.track:
        return ""
    share = f"is best with probability {chance(own.probability_best)}"
    best = tracks.get(verdict.best or "")
    gap = math.inf if best is None else best.net_value_per_year.estimate - own.net_value_per_year.estimate
    if verdict.best == stop.track:
        what = f"leads ({share})"
    elif verdict.margin is not None and gap <= verdict.margin:
        what = f"is within the margin of {verdict.best} ({share})"
    elif own.probability_best > 1 - SURE:
        what = share
    else:
        return ""
    return (
        f"the verdict speaks against this stop: on test rows {stop.track} {what}, and on validation rows, "
        f"where the stop was decided, it was behind {stop.leader}; the skipped rungs may change the verdict, "
        "so run it again without --stop-early"
    )


def check_stops(stops: Iterable[EarlyStop], verdict: Verdict) -> Iterator[Finding]:
    """Yield a finding for every stop that the verdict speaks against."""
    for stop in stops:
        against = told_contradiction(stop, verdict)
        if against:
            yield Finding(
                "stop_contradicted", "warning", f"{stop.track} stopped climbing early, but {against}"
            )


def told_stops(stops: Iterable[EarlyStop], verdict: Verdict) -> Iterator[str]:
    """Yield the lines of the terminal: each stop, what it saved, what it risks, what speaks against it."""
    for stop in stops:
        yield told_stop(stop)
        saved = told_saved(stop.saved, stop.currency)
        if saved:
            yield f"  saved: {saved}"
        yield f"  risk, on validation rows: {told_risk(stop)}"
        against = told_contradiction(stop, verdict)
        if against:
            yield f"  but {against}"


def told_replay(replay: Replay) -> str:
    """Return what ``--stop-early`` would have done on cells that all ran."""
    if not replay.stops:
        return (
            "--stop-early would have skipped nothing: every track that could be asked would have climbed on"
        )
    n_cells = sum(stop.n_cells for stop in replay.stops)
    part = 100 * replay.cpu_seconds_saved / replay.cpu_seconds if replay.cpu_seconds else None
    share = "" if part is None else f" ({part:.0f} % of all)"
    tracks = ", ".join(f"{stop.track} after rung {stop.rung}" for stop in replay.stops)
    same = (
        f"the verdict would have been the same, {replay.best}"
        if replay.right
        else f"the verdict would have been {replay.best_then}, and not {replay.best}"
    )
    return (
        f"--stop-early would have skipped {n_cells} cells ({tracks}) and saved "
        f"{replay.cpu_seconds_saved:,.3g} CPU-seconds{share}; {same}"
    )
