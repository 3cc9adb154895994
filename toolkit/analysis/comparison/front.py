"""The front: rungs that nothing else beats on both training cost and error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolkit.analysis.comparison.comparison_record import Front
from toolkit.analysis.results import RungSummary

__all__ = ["mark_front", "training_cpu_seconds"]


def training_cpu_seconds(summary: RungSummary) -> float | None:
    """Return the CPU-seconds of search and fit at a rung; None when fit was not measured."""
    fit = summary.costs.get("cost_fit_cpu_seconds")
    if fit is None:
        return None
    return fit + (summary.costs.get("cost_search_cpu_seconds") or 0.0)


def mark_front(
    summaries: Sequence[RungSummary], error: str, fronts: Sequence[Front] = ()
) -> tuple[RungSummary, ...]:
    """Return the summaries with `on_front` set where no other is cheaper and better (or equal in one).

    Parameters
    ----------
    summaries : sequence of RungSummary
    error : str
        The error that counts; rungs without it, or without a measured cost, are not on the front.
    fronts : sequence of Front
        Of which the one of this error tells `front_probability`.
    """
    points = {
        index: (cost, summary.scores[error].estimate)
        for index, summary in enumerate(summaries)
        if (cost := training_cpu_seconds(summary)) is not None and error in summary.scores
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
