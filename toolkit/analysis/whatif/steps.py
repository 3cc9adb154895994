"""How far to climb: what each further rung adds, and what the next point of error would cost.

A ladder is worth climbing to where a rung's further value of decisions is less than what it costs more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from toolkit.analysis.economics import RungEconomics, draw_interval
from toolkit.analysis.results import Curve, Interval
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.whatif.book import Book
from toolkit.analysis.whatif.record import NextPoint, RungStep

__all__ = ["next_points", "steps"]

CPU = "cost_train_cpu_seconds"
ROWS = "n_train"


def steps(
    priced: Mapping[StackKey, RungEconomics], chosen: Mapping[str, RungEconomics]
) -> tuple[RungStep, ...]:
    """Return what every rung but the lowest of a track adds to the one below it.

    Parameters
    ----------
    priced : mapping of (track, rung) to RungEconomics
        Draws are shared by rungs, so differences keep only what differs.
    chosen : mapping of str to RungEconomics
        The rung that each track enters the verdict with.
    """
    found = []
    for track, deployed in chosen.items():
        rungs = sorted(rung for name, rung in priced if name == track)
        for below, rung in pairwise(rungs):
            one, two = priced[track, below], priced[track, rung]
            gross, net = two.gross - one.gross, two.net - one.net
            found.append(
                RungStep(
                    track=track,
                    rung=rung,
                    below=below,
                    gross=draw_interval(gross),
                    cost=draw_interval(gross - net),
                    net=draw_interval(net),
                    deployed=rung == deployed.rung,
                )
            )
    return tuple(found)


def next_points(
    curves: Sequence[Curve], chosen: Mapping[str, RungEconomics], book: Book, error: str, step: float
) -> tuple[NextPoint, ...]:
    """Return what it would cost each track with a curve to err less by `step`.

    Parameters
    ----------
    curves : sequence of Curve
    chosen : mapping of str to RungEconomics
    book : Book
    error : str
        The primary one.
    step : float
        What counts as a difference of that error.
    """
    return tuple(_points(curves, chosen, book, error, step))


def _points(
    curves: Sequence[Curve], chosen: Mapping[str, RungEconomics], book: Book, error: str, step: float
) -> Iterator[NextPoint]:
    paid = dict(zip(book.keys, book.training_costs(book.money).tolist(), strict=True))
    labels = dict(zip(book.keys, book.label_costs(book.money).tolist(), strict=True))
    by_cost = {(curve.track, curve.cost): curve for curve in curves if curve.error == error}
    for track, one in chosen.items():
        curve, rows = by_cost.get((track, CPU)), by_cost.get((track, ROWS))
        if curve is None or not curve.points or (track, one.rung) not in paid:
            continue
        now = curve.points[-1][1]
        times, why = _times(curve, now - step)
        money = None if times is None else _times_money(times, paid[track, one.rung])
        price = labels[track, one.rung]
        if money is not None and price > 0:
            more, why = (
                (None, "labels have a price, and no curve over rows")
                if rows is None
                else _times(rows, rows.points[-1][1] - step)
            )
            money = None if more is None else _sum(money, _times_money(more, price))
        yield NextPoint(track, error, now, step, times, money, why)


def _times(curve: Curve, target: float) -> tuple[Interval | None, str]:
    """Return how many times the largest cost a curve needs for an error, or why that is not told."""
    if curve.refusals:
        return None, curve.refusals[0].sentence
    costs, last = np.array(curve.grid_cost), curve.points[-1][0]

    def reached(errors: Sequence[float]) -> float:
        below = np.flatnonzero(np.array(errors) <= target)
        if not len(below):
            return math.inf
        place = int(below[0])
        if place == 0:
            return float(costs[0])
        ends = np.log(costs[place - 1 : place + 1])
        return float(np.exp(np.interp(-target, -np.array(errors[place - 1 : place + 1]), ends)))

    found = [reached(errors) / last for errors in (curve.grid_error, curve.grid_low, curve.grid_high)]
    if math.isinf(found[0]):
        return None, f"not within {costs[-1] / last:.0f} times the largest cost"
    return Interval(*(max(one, 1.0) for one in found)), ""


def _times_money(times: Interval, paid: float) -> Interval:
    return Interval(*((one - 1) * paid for one in (times.estimate, times.low, times.high)))


def _sum(one: Interval, two: Interval) -> Interval:
    return Interval(one.estimate + two.estimate, one.low + two.low, one.high + two.high)
