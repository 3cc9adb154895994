"""The verdict: which track to use, how sure that is, and whether deep learning is worth its cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from toolkit.analysis.economics import RungEconomics, draw_interval
from toolkit.analysis.results import TrackVerdict, Verdict
from toolkit.analysis.stacks import Floats
from toolkit.analysis.verdict_words import (
    SENTENCES,
    best_of,
    chance,
    money,
    told_excluded,
    without_deep,
)
from toolkit.analysis.whatif.book import MARGIN_SHARE

__all__ = ["CLEAR", "DEEP", "HYBRID", "PLAIN", "SURE", "decide", "deployed"]

SURE = 0.9
"""Probability from which deep learning is said to be worth its cost, or not to be."""
CLEAR = 0.975
"""Probability of being best from which a verdict is clear. Of two tracks that earn the same, one or the
other reaches .9 in a fifth of all experiments, .975 in a twentieth."""
DEEP = "neural"
"""Plug-ins, of which an experiment may hold several tracks."""
PLAIN = ("baseline", "rules", "classical")
HYBRID = "hybrid"


class _Worth(NamedTuple):
    answer: bool | None
    probability: float | None
    track: str = ""


def deployed(rungs: Sequence[RungEconomics]) -> dict[str, RungEconomics]:
    """Return for each track the rung that the validation block values most, else the largest."""
    chosen: dict[str, RungEconomics] = {}
    for one in sorted(rungs, key=lambda rung: (rung.track, rung.rung)):
        before = chosen.get(one.track)
        if (
            before is None
            or before.validation_value is None
            or (one.validation_value is not None and one.validation_value > before.validation_value)
        ):
            chosen[one.track] = one
    return chosen


def _worth(
    chosen: Mapping[str, RungEconomics], tracks: Sequence[str], others: Sequence[str], margin: float
) -> _Worth:
    """Tell whether the one of `tracks` that the validation block values most beats the best of the others.

    To count, the lead must exceed the margin. One of them is sent: the best of several draws would
    win by their number.
    """
    if not tracks or not others:
        return _Worth(None, None)
    track = max(tracks, key=lambda name: _or_least(chosen[name].validation_value))
    rivals = [chosen[name].net[1:] for name in others]
    probability = float((chosen[track].net[1:] - np.max(rivals, axis=0) > margin).mean())
    if probability >= SURE:
        return _Worth(True, probability, track)
    return _Worth(False if probability <= 1 - SURE else None, probability, track)


def _or_least(value: float | None) -> float:
    return -math.inf if value is None else value


def _shares_best(draws: Floats) -> Floats:
    """Return how often each track is best, shape (n_tracks,); equal tracks share a draw."""
    best = draws == draws.max(axis=0)
    return np.asarray((best / best.sum(axis=0)).mean(axis=1))


def _most(draws: Floats, earned: Floats, nothing_earns: float | None) -> float:
    """Return what whoever knew the best of each draw would earn, by expectation.

    The draws are moved to the expected values: else luck of the draws would stand in what one track earns
    less than another.
    """
    moved = draws - draws.mean(axis=1, keepdims=True) + earned[:, np.newaxis]
    best = moved.max(axis=0)
    # Where doing nothing earns a known amount, that is a choice too.
    return float((best if nothing_earns is None else np.maximum(best, nothing_earns)).mean())


def decide(
    chosen: Mapping[str, RungEconomics],
    *,
    plugins: Mapping[str, str] | None = None,
    margin: float | None = None,
    currency: str = "USD",
    currency_per_usd: float = 1.0,
    nothing_earns: float | None = 0.0,
    excluded: Sequence[tuple[RungEconomics, str]] = (),
    change: str = "",
) -> Verdict:
    """Give the verdict.

    Parameters
    ----------
    chosen : mapping of str to RungEconomics
        Track -> the rung it enters with, from `deployed`.
    plugins : mapping of str to str, optional
        Track -> its plug-in, where that is not its own name; of excluded tracks too.
    margin : float, optional
        Money a year that counts as a tie; 1 % of the leader's gross value when None.
    currency, currency_per_usd : str, float
    nothing_earns : float or None
        Money a year without any of them; None where that is not known.
    excluded : sequence of (RungEconomics, str)
        Tracks that a constraint forbids, with the reason.
    change : str
        A sentence on what would change the verdict.

    Returns
    -------
    Verdict
        `best` is the track of the highest expected net value, though that be a loss; None with fewer than
        two tracks.
    """
    names = list(chosen)
    if len(names) < 2:
        sentence = _too_few(names, {one.track: why for one, why in excluded})
        entries = (*(_entry(chosen[name], 1.0) for name in names), *(_forbidden(*one) for one in excluded))
        return Verdict(
            None, None, None, None, None, None, sentence, margin, currency, currency_per_usd, entries
        )
    draws = np.stack([chosen[name].net[1:] for name in names])
    shares = _shares_best(draws)
    earned = np.array([float(chosen[name].net[0]) for name in names])
    most = _most(draws, earned, nothing_earns)
    regrets = most - earned
    order = sorted(range(len(names)), key=lambda index: -float(chosen[names[index]].net[0]))
    leader, second = names[order[0]], names[order[1]]
    if margin is None:
        margin = MARGIN_SHARE * abs(float(chosen[leader].gross[0]))
    advantage = float(chosen[leader].net[0] - chosen[second].net[0])
    probability = float(shares[order[0]])
    kinds = {name: (plugins or {}).get(name, name) for name in names}
    deep_tracks = [name for name in names if kinds[name] == DEEP]
    rivals = [name for kind in PLAIN for name in names if kinds[name] == kind]
    deep = _worth(chosen, deep_tracks, rivals, margin)
    hybrids = [name for name in names if kinds[name] == HYBRID]
    hybrid = _worth(chosen, hybrids, [name for name in names if name not in hybrids], margin)
    none_pays = None if nothing_earns is None else _none_pays(chosen, nothing_earns)
    loses = nothing_earns is not None and none_pays is not None and chosen[leader].net[0] < nothing_earns
    worth_knowing = float(regrets[order[0]])
    if loses and nothing_earns is not None and none_pays is not None:
        case = "none pays" if none_pays >= CLEAR else "perhaps none pays"
        worth_knowing = most - nothing_earns
    elif advantage <= margin:
        case = "within the margin"
    elif probability < CLEAR:
        case = "not sure"
    else:
        case = "hardly pays" if none_pays is not None and none_pays > 1 - CLEAR else "clear"
    by_none = case in ("none pays", "perhaps none pays", "hardly pays")
    words = [
        SENTENCES[case].format(
            leader=leader,
            second=second,
            ahead=money(advantage, currency),
            margin=money(margin, currency),
            loss=money(-float(chosen[leader].net[0]), currency),
            earned=money(float(chosen[leader].net[0]), currency),
            probability=chance(none_pays if by_none and none_pays is not None else probability),
        ),
        _deep(deep, rivals, margin, currency, several=len(deep_tracks) > 1)
        if deep_tracks
        else without_deep(_nets(excluded, plugins or {})),
        *([change] if change else []),
    ]
    return Verdict(
        best=leader,
        probability_best=probability,
        too_close_to_call=case not in ("clear", "none pays"),
        deep_learning_worth_it=deep.answer,
        hybrid_worth_it=hybrid.answer,
        probability_deep_learning_worth_it=deep.probability,
        sentence=" ".join(words),
        margin=margin,
        currency=currency,
        currency_per_usd=currency_per_usd,
        tracks=(
            *(
                _entry(chosen[name], float(share), float(regret), None if name == leader else chosen[leader])
                for name, share, regret in zip(names, shares, regrets, strict=True)
            ),
            *(_forbidden(*one) for one in excluded),
        ),
        probability_hybrid_worth_it=hybrid.probability,
        probability_none_pays=none_pays,
        value_of_perfect_information=worth_knowing,
    )


def _none_pays(chosen: Mapping[str, RungEconomics], nothing_earns: float) -> float:
    """Return the probability that no track earns more than doing nothing."""
    best = np.max([one.net[1:] for one in chosen.values()], axis=0)
    return float((best <= nothing_earns).mean())


def _too_few(names: Sequence[str], excluded: Mapping[str, str]) -> str:
    """Return why fewer than two tracks give no verdict."""
    if excluded and names:
        alone = f"Only {names[0]} keeps to the constraints, so there is nothing to compare it with"
        return f"{alone}. Why: {told_excluded(excluded)}."
    if excluded:
        return f"No track keeps to the constraints, so none can be used. Why: {told_excluded(excluded)}."
    if names:
        return f"Only {names[0]} has results to value, so there is nothing to compare it with."
    return "No cell has results to value, so nothing can be said."


def _nets(excluded: Sequence[tuple[RungEconomics, str]], plugins: Mapping[str, str]) -> dict[str, str]:
    return {one.track: why for one, why in excluded if plugins.get(one.track, one.track) == DEEP}


def _forbidden(one: RungEconomics, why: str) -> TrackVerdict:
    return replace(_entry(one, 0.0), excluded=why)


def _entry(
    one: RungEconomics, share: float, regret: float | None = None, leader: RungEconomics | None = None
) -> TrackVerdict:
    return TrackVerdict(
        track=one.track,
        rung=one.rung,
        net_value_per_year=draw_interval(one.net),
        probability_best=share,
        yearly_costs={name: float(cost[0]) for name, cost in one.costs.items()},
        gross_value_per_year=float(one.gross[0]),
        regret_per_year=regret,
        behind_leader_per_year=None if leader is None else draw_interval(leader.net - one.net),
    )


def _deep(deep: _Worth, rivals: Sequence[str], margin: float, currency: str, *, several: bool) -> str:
    if deep.probability is None:
        return SENTENCES["deep is not known"]
    case = {True: "deep pays", False: "deep does not pay", None: "deep is open"}[deep.answer]
    return SENTENCES[case].format(
        probability=chance(deep.probability),
        net=deep.track if several else "it",
        margin=money(margin, currency),
        others=best_of(rivals),
    )
