"""Tables of how far to climb: the last step and the next, every step, and the next point of error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from markupsafe import Markup

from toolkit.analysis.results import Interval, Results, RungSummary
from toolkit.analysis.whatif.record import RungStep
from toolkit.report import elements, formats
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import effort
from toolkit.report.score_names import score_name

__all__ = ["next_table", "pays", "pays_badge", "steps_table", "stop_table"]

PAYS, LOSES, OPEN = "pays", "does not pay", "cannot tell"
_KINDS = {PAYS: "good", LOSES: "bad", OPEN: "open"}


def pays(step: RungStep) -> str:
    """Return whether the further value of a step exceeds its further cost, by its interval."""
    return PAYS if step.net.low > 0 else LOSES if step.net.high < 0 else OPEN


def pays_badge(step: RungStep) -> Markup:
    """Return the same as a badge."""
    told = pays(step)
    return elements.badge(told, _KINDS[told])


def _summaries(results: Results) -> Mapping[tuple[str, int], RungSummary]:
    return {(one.track, one.rung): one for one in results.summaries}


def stop_table(results: Results) -> Markup:
    """Return where each track stops, with the step that leads there and the one that would follow."""
    known, show = track_names(results), formats.in_money(results.verdict.currency)
    summaries = _summaries(results)
    rungs = {entry.track: entry.rung for entry in results.verdict.tracks}
    rows: list[list[str | Markup]] = []
    for track in dict.fromkeys(step.track for step in results.steps):
        rung = rungs.get(track)
        if rung is None:
            continue
        own = [step for step in results.steps if step.track == track]
        last = next((step for step in own if step.rung == rung), None)
        following = next((step for step in own if step.below == rung), None)
        used = summaries.get((track, rung))
        rows.append(
            [
                label(track, known),
                f"rung {rung}" + ("" if used is None else f", {effort(used)}"),
                _step(last, show, "the lowest rung"),
                _step(following, show, "the top of the ladder: larger was not tried"),
            ]
        )
    return elements.table(
        "Where to stop: the rung that the validation block values most, money a year on test rows",
        [
            Column("Track"),
            Column("Stop at"),
            Column("The step up to it adds", note="further value less further cost"),
            Column("The next step would add"),
        ],
        rows,
    )


def _step(step: RungStep | None, show: formats.Show, none: str) -> Markup | str:
    if step is None:
        return none
    return elements.join(_money(step.net, show), pays_badge(step))


def _money(value: Interval, show: formats.Show) -> Markup:
    """Return an amount with three digits at each end: a difference may be far smaller than its interval."""
    return elements.split(f"{show(value.estimate)} [{show(value.low)},\u00a0{show(value.high)}]")


def steps_table(results: Results, steps: Iterable[RungStep]) -> Markup:
    """Return every step: what it adds in value and in cost, and whether that pays."""
    known, show = track_names(results), formats.in_money(results.verdict.currency)
    summaries = _summaries(results)
    return elements.table(
        "What each rung adds to the one below it, a year",
        [
            Column("Track"),
            Column("Rung"),
            Column("Further value of decisions", numeric=True, note="95 % interval"),
            Column("Further cost", numeric=True, note="95 % interval"),
            Column("What is left", numeric=True, note="95 % interval"),
            Column("It"),
        ],
        [
            [
                label(step.track, known),
                rung_told(step, summaries.get((step.track, step.rung))),
                _money(step.gross, show),
                _money(step.cost, show),
                _money(step.net, show),
                elements.join(pays_badge(step), elements.badge("stop here", "plain"))
                if step.deployed
                else pays_badge(step),
            ]
            for step in steps
        ],
    )


def rung_told(step: RungStep, summary: RungSummary | None) -> str:
    """Return a step in words, e.g. ``3 → 4 (61,400 rows)``."""
    return f"{step.below} → {step.rung}" + ("" if summary is None else f" ({effort(summary)})")


def next_table(results: Results) -> Markup:
    """Return what the next point of error would cost each track; nothing without any curve."""
    points = results.next_points
    if not points:
        return Markup("")
    known, show = track_names(results), formats.in_money(results.verdict.currency)
    error, step = points[0].error, points[0].step
    return elements.table(
        f"The price of the next point: {score_name(error)} lower by {formats.plain(step)}",
        [
            Column("Track"),
            Column("Error now", numeric=True, note="at the rung it stops at"),
            Column("It takes", numeric=True, note="times that rung's CPU-seconds, 95 % interval"),
            Column("Further training a year", numeric=True, note="95 % interval"),
            Column("Why there is no price"),
        ],
        [
            [
                label(one.track, known),
                formats.number(one.now),
                "" if one.times is None else _outwards(one.times, _times),
                "" if one.money is None else _outwards(one.money, show),
                formats.sentence(one.why),
            ]
            for one in points
        ],
        hide_empty=True,
    )


def _times(value: float, digits: int = 3, /) -> str:
    return f"{formats.number(value, digits)}\u00a0×"


def _outwards(value: Interval, show: formats.Show) -> Markup:
    """Return an interval whose ends may be infinite, with ends rounded outwards."""
    if not math.isfinite(value.high):
        low = show(formats.bound(value.low, up=False), 3)
        return elements.split(f"{show(value.estimate, 3)} [{low}, no upper end]")
    return elements.estimate(value, show)
