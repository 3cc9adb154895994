"""Measured rungs as they are drawn against one cost, and how far the picture goes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from toolkit.analysis.results import Interval, Results, RungSummary
from toolkit.report import axes, formats
from toolkit.report.axes import Scale
from toolkit.report.curve_axes import CostAxis, ErrorAxis
from toolkit.report.curve_lines import FittedLine
from toolkit.report.rungs import deployed

__all__ = ["Picture", "Point", "facts", "measured", "picture"]

NEAR = 10.0
"""A level whose own cost is at most this factor below the ladders is drawn from there."""


@dataclass(frozen=True)
class Point:
    """One rung: its place, its interval, and the lowest and highest of its seeds."""

    summary: RungSummary
    x: float
    y: Interval
    seeds: tuple[float, float]
    is_deployed: bool = False

    @property
    def bar(self) -> Interval:
        """The mean with the ends of the seeds."""
        at = self.y.estimate
        return Interval(at, min(self.seeds[0], at), max(self.seeds[1], at))


@dataclass(frozen=True)
class Picture:
    """All that is drawn of one error against one cost.

    Parameters
    ----------
    ladders : mapping of str to tuple of Point
        Tracks that climb a ladder of data; the cheapest rung first.
    levels : mapping of str to Point
        Tracks that more data do not change.
    fits : mapping of str to FittedLine
    x, y : Scale
    """

    ladders: Mapping[str, tuple[Point, ...]]
    levels: Mapping[str, Point]
    fits: Mapping[str, FittedLine]
    x: Scale
    y: Scale


def measured(results: Results, error: ErrorAxis, cost: CostAxis) -> list[Point]:
    """Return the rungs that have both numbers."""
    seeds, chosen = error.seeds(results), deployed(results)
    found = []
    for summary in results.summaries:
        x, y = cost.read(summary), error.read(summary)
        if x is None or y is None:
            continue
        own = seeds.get((summary.track, summary.rung), (y.estimate,))
        is_deployed = chosen.get(summary.track) is summary
        found.append(Point(summary, x, y, (min(own), max(own)), is_deployed))
    return found


def picture(points: Sequence[Point], tracks: Sequence[str], fits: Mapping[str, FittedLine]) -> Picture | None:
    """Return what is drawn of the points; None where no cost is positive.

    Parameters
    ----------
    points : sequence of Point
    tracks : sequence of str
        In the order of the report.
    fits : mapping of str to FittedLine
    """
    ladders: dict[str, tuple[Point, ...]] = {}
    levels: dict[str, Point] = {}
    for track in tracks:
        own = [point for point in points if point.summary.track == track]
        if not own:
            continue
        if track == "baseline" or all(point.summary.n_train == 0 for point in own):
            levels[track] = next((point for point in own if point.is_deployed), own[-1])
        elif climbed := sorted((point for point in own if point.x > 0), key=lambda point: point.x):
            ladders[track] = tuple(climbed)
    x = _horizontal(ladders, levels, fits)
    return None if x is None else Picture(ladders, levels, fits, x, _vertical(ladders, levels, fits))


def _horizontal(
    ladders: Mapping[str, Sequence[Point]], levels: Mapping[str, Point], fits: Mapping[str, FittedLine]
) -> Scale | None:
    """Return the axis of costs: all ladders and forecasts, and levels that are near.

    A level far to the left would squeeze the ladders into a corner: its line comes in from there.
    """
    climbed = [point.x for points in ladders.values() for point in points]
    flat = [level.x for level in levels.values() if level.x > 0]
    near = [x for x in flat if not climbed or x >= min(climbed) / NEAR]
    shown = [*climbed, *near, *(end.cost for line in fits.values() for end in line.points)]
    if not shown:
        return None
    logarithmic = axes.log_axis(shown)
    if not logarithmic:
        return Scale(0.0, max(shown) * 1.08, logarithmic=False)
    return Scale(min(shown), max(shown), logarithmic=True).padded(0.04, 0.03)


def _vertical(
    ladders: Mapping[str, Sequence[Point]], levels: Mapping[str, Point], fits: Mapping[str, FittedLine]
) -> Scale:
    """Return the axis of errors: measured means, seeds and fits in full, bands as far as they are no wider.

    Intervals over clusters are left out: they hold what all points share, and would flatten the curves.
    """
    points = [*(point for own in ladders.values() for point in own), *levels.values()]
    lines = [end for line in fits.values() for end in line.points]
    whole = [value for point in points for value in (point.bar.low, point.y.estimate, point.bar.high)]
    whole += [end.error for end in lines]
    edges = [value for end in lines for value in (end.low, end.high) if math.isfinite(value)]
    logarithmic = min(whole) > 0
    if max(whole) == min(whole):
        room = abs(whole[0]) * 0.05 or 0.05
        return Scale(whole[0] - room, whole[0] + room, logarithmic and whole[0] > room)
    tight = Scale(min(whole), max(whole), logarithmic)
    shares = [tight.share(edge) for edge in edges if edge > 0 or not logarithmic]
    below = min([0.0, *(max(share, -0.5) for share in shares)])
    above = max([1.0, *(min(share, 1.5) for share in shares)])
    return tight.padded(-below, above - 1).padded(0.05, 0.06)


def facts(point: Point, cost: CostAxis, leader: str | None) -> tuple[str, ...]:
    """Return all that a hover box says of one rung."""
    summary = point.summary
    leads = " and leads" if summary.track == leader else ""
    return (
        f"{summary.track}, rung {summary.rung}",
        f"error: {formats.interval(point.y)}",
        *_seeds(point),
        f"training rows: {formats.count(summary.n_train)}",
        *([f"rules: {formats.count(summary.n_rules)}"] if summary.n_rules is not None else []),
        *([f"{cost.choice}: {cost.show(point.x)}"] if cost.name != "rows" else []),
        *([f"enters the verdict{leads}"] if point.is_deployed else []),
        *_front(summary),
    )


def _seeds(point: Point) -> Iterable[str]:
    if point.summary.n_seeds < 2:
        return ["seeds: 1"]
    digits = formats.digits_for(Interval(point.y.estimate, *point.seeds))
    low, high = (formats.number(end, max(digits, 4)) for end in point.seeds)
    return [f"seeds: {point.summary.n_seeds}, from {low} to {high}"]


def _front(summary: RungSummary) -> Iterable[str]:
    """Return whether a rung is on the front, and how sure that is where it was computed."""
    chance = getattr(summary, "front_probability", None)
    sure = "" if chance is None else f", probability {formats.probability(chance)}"
    if summary.on_front:
        return [f"on the front{sure}"]
    return [] if chance is None else [f"not on the front{sure}"]
