"""Which track scores best, how sure that is, and what choosing another would lose.

One joint posterior of the scores of all tracks, each at the rung that it enters the verdict with. Money plays
no part here: the verdict is in `toolkit.analysis.verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from toolkit.analysis.comparison.posterior import Posterior, joint_posterior, shortfalls
from toolkit.analysis.intervals import LEVEL, ScoreDraws
from toolkit.analysis.results import Interval, Pair, Ranked
from toolkit.analysis.stacks import Floats, Scored

__all__ = ["Odds", "odds", "rank"]

Standing = Literal["leads", "tie", "unclear"]


@dataclass(frozen=True)
class Odds:
    """What is probable of several tracks at once; arrays of shape (n_tracks,).

    Parameters
    ----------
    best : ndarray
        Probability of being the best; they add up to 1, and equal tracks share.
    regret, regret_low, regret_high : ndarray
        Expected distance from the best, and where 95 % of it lies.
    within : ndarray
        Probability of being no further from the best than the margin.
    """

    best: Floats
    regret: Floats
    regret_low: Floats
    regret_high: Floats
    within: Floats


def odds(draws: Floats, margin: float, *, lower_is_better: bool) -> Odds:
    """Tell what draws of true scores come to.

    Parameters
    ----------
    draws : ndarray of shape (n_draws, n_tracks)
    margin : float
    lower_is_better : bool
    """
    behind = shortfalls(draws, lower_is_better=lower_is_better)
    is_best = behind == 0
    low, high = np.quantile(behind, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Odds(
        best=np.asarray((is_best / is_best.sum(axis=1, keepdims=True)).mean(axis=0)),
        regret=np.asarray(behind.mean(axis=0)),
        regret_low=low,
        regret_high=high,
        within=np.asarray((behind <= margin).mean(axis=0)),
    )


def rank(stacks: Sequence[tuple[Scored, ScoreDraws]], pairs: Sequence[Pair]) -> tuple[Ranked, ...]:
    """Rank the tracks on every score that was compared in pairs.

    Parameters
    ----------
    stacks : sequence of (Scored, ScoreDraws)
        One a track, as they were given to `toolkit.analysis.comparison.pairwise.compare`.
    pairs : sequence of Pair
        What came of it; they decide who shares a group.

    Returns
    -------
    tuple of Ranked
        By score, group and estimate. The first of a group has its best estimate, and the others are those
        that are not shown to be worse: a tie, or not to be told apart from it.
    """
    found: list[Ranked] = []
    for score in dict.fromkeys(pair.score for pair in pairs):
        own = [pair for pair in pairs if pair.score == score]
        posterior = joint_posterior(stacks, score, "ranking")
        if len(posterior.stacks) > 1:
            found += _rank_score(score, [stacks[place][0] for place in posterior.stacks], posterior, own)
    return tuple(found)


def _rank_score(
    score: str, stacks: Sequence[Scored], posterior: Posterior, pairs: Sequence[Pair]
) -> list[Ranked]:
    lower_is_better = score.startswith("error_")
    margin = next((pair.margin for pair in pairs if pair.margin is not None), 0.0)
    told = odds(posterior.draws, margin, lower_is_better=lower_is_better)
    sign = 1.0 if lower_is_better else -1.0
    order = sorted(range(len(stacks)), key=lambda place: sign * float(posterior.estimate[place]))
    groups = _groups([stacks[place].track for place in order], pairs)
    ranked = []
    for place in order:
        group, standing = groups[stacks[place].track]
        ranked.append(
            Ranked(
                track=stacks[place].track,
                score=score,
                estimate=float(posterior.estimate[place]),
                probability_best=float(told.best[place]),
                regret=Interval(
                    *(float(each[place]) for each in (told.regret, told.regret_low, told.regret_high))
                ),
                margin=margin,
                probability_within_margin=float(told.within[place]),
                group=group,
                standing=standing,
            )
        )
    return sorted(ranked, key=lambda one: one.group)


def _groups(tracks: Sequence[str], pairs: Sequence[Pair]) -> Mapping[str, tuple[int, Standing]]:
    """Return the group of each track, 1 the best, and how it stands to the first of it.

    Parameters
    ----------
    tracks : sequence of str
        The best estimate first.
    pairs : sequence of Pair
        Of one score.
    """
    said = {frozenset((pair.first, pair.second)): pair.verdict for pair in pairs}
    groups: dict[str, tuple[int, Standing]] = {}
    left, number = list(tracks), 0
    while left:
        leader, number = left[0], number + 1
        groups[leader] = (number, "leads")
        for track in left[1:]:
            verdict = said.get(frozenset((leader, track)), "unclear")
            if verdict in ("tie", "unclear"):  # of the two, only the leader could be the better one
                groups[track] = (number, "tie" if verdict == "tie" else "unclear")
        left = [track for track in left if track not in groups]
    return groups
