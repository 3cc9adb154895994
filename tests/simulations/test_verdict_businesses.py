"""How often the verdict is right, over made-up businesses whose best track is known.

Each business is looked at many times: test and validation rows, seeds, costs and what people declare are
drawn anew, and the verdict is held against what every track truly earns.

*Clear*, laid down before any verdict was looked at: the true lead is over the margin, and at least `CLEAR_AT`
times as large as the estimated lead varies from look to look. *Tie*: the true lead is within the margin.
"""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.results import Interval

from .businesses.business import Business
from .businesses.catalogue import CLEAR, TIES, any_business
from .businesses.drawing import draw
from .businesses.judging import judge

pytestmark = pytest.mark.slow

REPLICATES = max(200, int(os.environ.get("COSTCURVES_REPLICATES", "200")))
"""Looks at each business."""
CLEAR_AT = 3.0
COVERAGE = 0.93
"""Of 95 % intervals of net value, over all businesses; of a single one as far as its looks can tell."""
BY_NAME = {one.name: one for one in (*CLEAR, *TIES)}
PLAIN = ("baseline", "rules", "classical")
TITLE = "verdicts on made-up businesses"


class Look(NamedTuple):
    """One verdict against the truth.

    Parameters
    ----------
    right : bool
        It names a track that truly earns most.
    lead : float
        Of the true best over the true second, as estimated.
    regret : float
        What its track and rung earn less than the best, as a share of what the best earns.
    covered : float
        Share of the tracks whose interval holds what they truly earn.
    behind : float
        Share of the tracks but the leader whose interval holds how much less they truly earn than it.
    deep : bool or None
        Whether what it says of deep learning is true; None where it leaves that open.
    """

    right: bool
    close: bool
    stated: float
    lead: float
    regret: float
    covered: float
    behind: float
    deep: bool | None


def look(business: Business, generator: np.random.Generator) -> Look:
    verdict = judge(draw(business, generator))
    assert verdict.best is not None
    assert verdict.probability_best is not None
    entries = {one.track: one for one in verdict.tracks}
    first, second = business.ranked()[:2]
    best = business.best_net(first)
    truly = {one.track: business.net(one.track, one.rung) for one in entries.values()}
    held = [_holds(one.net_value_per_year, truly[one.track]) for one in entries.values()]
    behind = [
        _holds(one.behind_leader_per_year, truly[verdict.best] - truly[one.track])
        for one in entries.values()
        if one.behind_leader_per_year is not None
    ]
    estimates = [entries[name].net_value_per_year.estimate for name in (first, second)]
    deep = business.earns_more("neural", PLAIN)
    said = verdict.deep_learning_worth_it
    return Look(
        right=bool(np.isclose(business.best_net(verdict.best), best)),
        close=bool(verdict.too_close_to_call),
        stated=verdict.probability_best,
        lead=estimates[0] - estimates[1],
        regret=(best - business.net(verdict.best, entries[verdict.best].rung)) / abs(best),
        covered=float(np.mean(held)),
        behind=float(np.mean(behind)),
        deep=None if said is None or deep is None else said == deep,
    )


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


@cache
def looks(name: str) -> tuple[Look, ...]:
    place = list(BY_NAME).index(name)
    return tuple(look(BY_NAME[name], np.random.default_rng([place, one])) for one in range(REPLICATES))


def tell(business: Business, simulation_table) -> dict[str, float]:
    """Put a business into the table, and return its row."""
    found = looks(business.name)
    told = [one.deep for one in found if one.deep is not None]
    held = np.array([one.covered for one in found])
    row = {
        "lead, margins": business.lead / business.true_margin,
        "lead, deviations": business.lead / float(np.std([one.lead for one in found], ddof=1)),
        "right": np.mean([one.right for one in found]),
        "too close": np.mean([one.close for one in found]),
        "clear and wrong": np.mean([not one.close and not one.right for one in found]),
        "regret": np.mean([one.regret for one in found]),
        "held": held.mean(),
        "deep learning told": len(told) / len(found),
        "of these wrong": 1 - np.mean(told) if told else "",
    }
    simulation_table(TITLE, {"business": business.name, "best": business.best, "looks": len(found), **row})
    # intervals of one look hang together: a gate that chance alone often misses would be none
    assert held.mean() + 1.645 * held.std(ddof=1) / np.sqrt(len(held)) >= COVERAGE, business.name
    return row


@pytest.mark.parametrize("name", [one.name for one in CLEAR])
def test_a_clear_best_track_is_named(name: str, simulation_table) -> None:
    business = BY_NAME[name]
    row = tell(business, simulation_table)
    assert business.ranked()[0] == business.best
    assert row["lead, margins"] > 1
    assert row["lead, deviations"] >= CLEAR_AT
    assert row["right"] >= 0.95
    assert row["clear and wrong"] <= 0.05
    assert row["regret"] <= 0.02


@pytest.mark.parametrize("name", [one.name for one in TIES])
def test_a_tie_is_called_one(name: str, simulation_table) -> None:
    business = BY_NAME[name]
    row = tell(business, simulation_table)
    assert np.isclose(business.best_net(business.best), business.best_net(business.ranked()[0]))
    assert business.tie
    assert business.lead <= business.true_margin
    assert row["too close"] >= 0.90
    assert row["regret"] <= 0.02


def test_intervals_of_net_value_hold_the_truth(simulation_table) -> None:
    found = [one.covered for name in BY_NAME for one in looks(name)]
    row = {"of": "all businesses", "looks": len(found), "held": np.mean(found)}
    simulation_table("coverage of 95 % intervals of net value", row)
    assert row["held"] >= COVERAGE


def test_intervals_behind_the_leader_hold_the_truth(simulation_table) -> None:
    found = [one.behind for name in BY_NAME for one in looks(name)]
    row = {"of": "all businesses, behind the leader", "looks": len(found), "held": np.mean(found)}
    simulation_table("coverage of 95 % intervals of net value", row)
    assert row["held"] >= COVERAGE


@cache
def any_looks() -> tuple[Look, ...]:
    found = []
    for one in range(REPLICATES):
        generator = np.random.default_rng([99, one])
        found.append(look(any_business(generator), generator))
    return tuple(found)


@pytest.mark.parametrize("which", ["the businesses above with a clear best", "any business"])
def test_the_probability_of_being_best_is_kept(which: str, simulation_table) -> None:
    found = any_looks() if which == "any business" else sum((looks(one.name) for one in CLEAR), ())
    for low, high in ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.01)):
        some = [one for one in found if low <= one.stated < high]
        if some:
            row = {"stated": f"{low:g} to {min(high, 1):g}", "looks": len(some)}
            row |= {"mean": np.mean([one.stated for one in some]), "right": np.mean([x.right for x in some])}
            simulation_table("probability of being best, in money", {"of": which, **row})
    sure = [one for one in found if one.stated >= 0.9]
    assert np.mean([one.right for one in sure]) >= 0.9


@pytest.mark.parametrize("business", [CLEAR[0], CLEAR[-1], TIES[2]], ids=lambda one: one.name)
def test_the_whole_analysis_gives_the_same_verdict(business: Business) -> None:
    drawn = draw(business, np.random.default_rng(0))
    whole = analyse(drawn.experiment, task={}, cells=drawn.cells, evidence=drawn.evidence).verdict
    short = judge(drawn)
    assert (whole.best, whole.too_close_to_call) == (short.best, short.too_close_to_call)
    assert whole.probability_best == pytest.approx(short.probability_best)
    assert whole.deep_learning_worth_it == short.deep_learning_worth_it
    for one, other in zip(whole.tracks, short.tracks, strict=True):
        assert one.net_value_per_year == pytest.approx(other.net_value_per_year)
