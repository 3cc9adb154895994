"""Tracks compared two by two on the same test rows, seeds crossed with clusters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from toolkit.analysis.intervals import ADDITIVE, LEVEL, Crossed, ScoreDraws, crossed_bootstrap, crossed_means
from toolkit.analysis.results import Pair
from toolkit.analysis.stacks import Scored, pair_seeds

__all__ = ["DEFAULT_MARGINS", "compare", "difference", "holm"]

DEFAULT_MARGINS = {"error_log_loss": 0.001, "score_average_precision": 0.005}
"""Differences that count as a tie when the task declares none: nats a row, and average precision."""


def difference(
    first: Scored, first_drawn: ScoreDraws, second: Scored, second_drawn: ScoreDraws, score: str
) -> Crossed | None:
    """Return `first` minus `second` on one score, None where the block cannot give it."""
    left, right = pair_seeds(first, second)
    if score in ADDITIVE:
        return crossed_means(first.sums(score)[left] - second.sums(score)[right], first.rows)
    points = first_drawn.points[score][left] - second_drawn.points[score][right]
    if not np.isfinite(points).all():
        return None
    draws = first_drawn.draws[score][:, left] - second_drawn.draws[score][:, right]
    return crossed_bootstrap(points, draws, first.n_clusters)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number after Holm (1979), in the given order."""
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def compare(
    stacks: Sequence[tuple[Scored, ScoreDraws]],
    *,
    margins: Mapping[str, float] | None = None,
    level: float = LEVEL,
) -> tuple[Pair, ...]:
    """Compare all tracks two by two on every score that has a margin.

    Parameters
    ----------
    stacks : sequence of (Scored, ScoreDraws)
        One a track, at the rung it is deployed at.
    margins : mapping of str to float, optional
        Score -> difference that counts as a tie; `DEFAULT_MARGINS` where not given.
    level : float

    Returns
    -------
    tuple of Pair
        ``better`` and ``worse`` are told of `first` only when the difference is beyond the margin and
        significant after Holm among the pairs of that score; ``tie`` when the interval lies within the
        margin, or the difference is significant but not beyond it; else ``unclear``.
    """
    pairs = []
    for score, margin in {**DEFAULT_MARGINS, **(margins or {})}.items():
        found = []
        for (first, first_drawn), (second, second_drawn) in itertools.combinations(stacks, 2):
            one = difference(first, first_drawn, second, second_drawn, score)
            if one is not None:
                found.append((first.track, second.track, one))
        adjusted = holm([one.p_value() for _, _, one in found])
        for (first_name, second_name, one), p_value in zip(found, adjusted, strict=True):
            interval = one.interval(level)
            pairs.append(
                Pair(
                    first=first_name,
                    second=second_name,
                    score=score,
                    difference=interval,
                    verdict=_judge(one, p_value, margin, level, lower_is_better=score.startswith("error_")),
                    p_holm=p_value,
                    margin=margin,
                )
            )
    return tuple(pairs)


def _judge(
    one: Crossed, p_value: float, margin: float, level: float, *, lower_is_better: bool
) -> Literal["better", "worse", "tie", "unclear"]:
    interval = one.interval(level)
    significant = p_value < 1 - level
    if math.isfinite(interval.low) and -margin <= interval.low and interval.high <= margin:
        return "tie"
    if not significant:
        return "unclear"
    if abs(one.estimate) <= margin:
        return "tie"
    return "better" if (one.estimate < 0) == lower_is_better else "worse"
