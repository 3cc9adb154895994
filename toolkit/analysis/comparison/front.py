"""The front: rungs that nothing else beats on both training cost and error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolkit.analysis.comparison.comparison_record import Front
from toolkit.analysis.results import RungSummary

__all__ = ["ONE_MINUS", "mark_front", "training_cpu_seconds"]

ONE_MINUS = "error_one_minus_"
"""How the error that is 1 less a score is called."""


def training_cpu_seconds(summary: RungSummary) -> float | None:
    """Return the CPU-seconds of search and fit at a rung; None when fit was not measured."""
    fit = summary.costs.get("cost_fit_cpu_seconds")
    if fit is None:
        return None
    return fit + (summary.costs.get("cost_search_cpu_seconds") or 0.0)


def _error(summary: RungSummary, error: str) -> float | None:
    """Return an error of a rung, or 1 less the score that it names."""
    told = summary.scores.get(error)
    if told is not None or not error.startswith(ONE_MINUS):
        return None if told is None else told.estimate
    score = summary.scores.get(f"score_{error.removeprefix(ONE_MINUS)}")
    return None if score is None else 1 - score.estimate


def mark_front(
    summaries: Sequence[RungSummary], error: str, fronts: Sequence[Front] = ()
) -> tuple[RungSummary, ...]:
    """Return the summaries with `on_front` set where no other is cheaper and better (or equal in one).

    Parameters
    ----------
    summaries : sequence of RungSummary
    error : str
        The error that counts, ``error_one_minus_…`` for 1 less a score; rungs without it, or without a
        measured cost, are not on the front.
    fronts : sequence of Front
        Of which the one of this error tells `front_probability`.
    """
    points = {
        index: (cost, value)
        for index, summary in enumerate(summaries)
        if (cost := training_cpu_seconds(summary)) is not None
        and (value := _error(summary, error)) is not None
    }
    front = {
        index
        for index, (cost, value) in points.items()
        if not any(
            other_cost <= cost and other <= value and (other_cost, other) != (cost, value)
            for other_cost, other in points.values()
        )
    }
    known = {
        (point.track, point.rung): point.probability
        for one in fronts
        if one.error == error
        for point in one.points
    }
    return tuple(
        replace(
            summary,
            on_front=index in front,
            front_probability=known.get((summary.track, summary.rung)),
        )
        for index, summary in enumerate(summaries)
    )
