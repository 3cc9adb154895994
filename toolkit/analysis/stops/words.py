"""Early stops in plain sentences, for the terminal, findings and the report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from toolkit.analysis.forecast_record import AskedAgain, EarlyStop, Replay, StopReason
from toolkit.analysis.interval import Interval
from toolkit.analysis.results import Finding, Verdict
from toolkit.analysis.stops.stopping import SURE
from toolkit.analysis.verdict_words import compares

__all__ = [
    "chance",
    "check_stops",
    "told_contradiction",
    "told_labels",
    "told_replay",
    "told_risk",
    "told_saved",
    "told_stop",
    "told_stops",
    "told_why",
]


def chance(probability: float) -> str:
    """Return a probability for people; the forecasts' are known to about .01."""
    if probability < 0.01:
        return "under .01"
    return "over .99" if probability > 0.99 else f"{probability:.2f}".lstrip("0")


def told_stop(stop: EarlyStop) -> str:
    """Return that a track stops climbing, why, on which rows that was decided, and under which economics."""
    n = len(stop.skipped)
    rungs = "the rung that is left is" if n == 1 else f"the {n} rungs that are left are"
    trained = stop.n_trained_since
    since = f", of which {trained} {'has' if trained == 1 else 'have'} been trained since" if trained else ""
    return (
        f"{stop.track} stops climbing after rung {stop.rung}: {rungs} skipped ({stop.n_cells} cells{since}); "
        f"{told_why(stop)}"
    )


def told_why(stop: EarlyStop) -> str:
    """Return why a track stops; of one decided under other economics, what the answer is under these."""
    again = stop.asked_again
    if again is None:
        return f"on validation rows, {_why(stop.reason, stop.leader, stop.probability)}"
    then = (
        "no further rung seemed to pay for itself"
        if stop.reason == "does_not_pay"
        else f"it seemed too far behind {stop.leader}"
    )
    decided = f"{_decided_under(again)}, when {then}"
    if again.stops is None:
        return f"{decided}; it cannot be asked again under these: {again.why}"
    if again.reason is None:
        return f"{decided}; asked again under these, on validation rows, it would climb on: {again.why}"
    return (
        f"{decided}; asked again under these, on validation rows, it would stop too: "
        f"{_why(again.reason, again.leader, stop.probability)}"
    )


def _why(reason: StopReason, leader: str, probability: float | None) -> str:
    odds = "that is not known" if probability is None else chance(probability)
    if reason == "does_not_pay":
        return f"by its curve, a further one would pay for itself with probability {odds}"
    return (
        f"as it would be measured, a further one would come within the margin of {leader} with "
        f"probability {odds}"
    )


def _decided_under(again: AskedAgain) -> str:
    if not again.changed:
        return "decided under economics not on record"
    return f"decided under other economics than these ({', '.join(again.changed)})"


def told_saved(stop: EarlyStop) -> str:
    """Return what was saved, and apart from it what is declared; empty where nothing is known."""
    saved = stop.saved
    parts = []
    if saved.cpu_seconds is not None:
        parts.append(f"{_amount(saved.cpu_seconds)} CPU-seconds")
        if saved.wall_seconds is not None:
            parts.append(f"{_amount(saved.wall_seconds)} s of wall time")
        if saved.money is not None:
            parts.append(f"{_amount(saved.money)} {stop.currency} of computing")
        if saved.kg_co2e is not None:
            parts.append(f"{_amount(saved.kg_co2e)} kg CO2e (modelled)")
    computing = f"{'' if saved.measured else 'about '}{', '.join(parts)}" if parts else ""
    return "; ".join(filter(None, (computing, told_labels(stop))))


def told_labels(stop: EarlyStop) -> str:
    """Return the labels that the skipped rungs would have taken, and their money; empty without a price."""
    labels = stop.labels_saved
    if labels is None:
        return ""
    return (
        f"about {_number(labels.labels)} labels, {_amount(labels.money)} {stop.currency} at the declared "
        "price, as far as no other track needs them"
    )


def _amount(value: Interval) -> str:
    if value.low == value.high:
        return _number(value.estimate)
    return f"{_number(value.estimate)} [{_number(value.low)} to {_number(value.high)}]"


def _number(value: float) -> str:
    """Return a number with three significant digits and no power of ten, e.g. ``33,700``."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return str(value)
    for scale, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if abs(value) >= scale:
            return f"{_number(value / scale)}{word}"
    digits = 2 - math.floor(math.log10(abs(value)))
    text = f"{round(value, digits):,.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def told_risk(stop: EarlyStop) -> str:
    """Return what stopping risks, or that it is not known under the economics of the report."""
    if stop.forgone_per_year is None:
        return "not known under these economics"
    forgone = f"expected net value forgone: {_number(stop.forgone_per_year)} {stop.currency} a year"
    if stop.probability_leader_changes is None:
        return f"{forgone}, by its own curve"
    then = " at that moment" if stop.asked_again is None else ""
    return (
        f"as it would be measured, a skipped rung would have earned more than {stop.held_against} did{then} "
        f"with probability {chance(stop.probability_leader_changes)}; {forgone}"
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
    leader = stop.held_against or stop.leader
    if own is None or leader == stop.track:
        return ""
    share = f"is best with probability {chance(own.probability_best)}"
    best = tracks.get(verdict.best or "")
    gap = math.inf if best is None else best.net_value_per_year.estimate - own.net_value_per_year.estimate
    if verdict.best == stop.track:
        what = f"leads ({share})"
    elif verdict.margin is not None and gap <= verdict.margin:
        what = f"is within the margin of {verdict.best} ({share})"
    elif compares(verdict) and own.probability_best > 1 - SURE:
        what = share
    else:
        return ""
    return (
        f"the verdict speaks against this stop: on test rows {stop.track} {what}, and on validation rows, "
        f"where stops are decided, it was behind {leader}; the skipped rungs may change the verdict, so run "
        "it again without --stop-early"
    )


def check_stops(stops: Iterable[EarlyStop], verdict: Verdict) -> Iterator[Finding]:
    """Yield a finding for every stop, and one for every stop that the verdict speaks against."""
    for stop in stops:
        again = stop.asked_again
        holds = again is None or again.stops is True
        advice = "" if holds else "; run it again without --stop-early to train what was skipped"
        yield Finding(
            "stopped_early",
            "info" if holds else "warning",
            f"{told_stop(stop)}; risk: {told_risk(stop)}{advice}",
        )
        against = told_contradiction(stop, verdict)
        if against:
            yield Finding(
                "stop_contradicted", "warning", f"{stop.track} stopped climbing early, but {against}"
            )


def told_stops(stops: Iterable[EarlyStop], verdict: Verdict) -> Iterator[str]:
    """Yield the lines of the terminal: each stop, what it saved, what it risks, what speaks against it."""
    for stop in stops:
        yield told_stop(stop)
        saved = told_saved(stop)
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
        f"{_number(replay.cpu_seconds_saved)} CPU-seconds{share}; {same}"
    )
