"""Ranking, fronts and equal errors of a whole analysis: both errors, their prices, what is missing."""

from __future__ import annotations

import math

import pytest

from toolkit.analysis.analyse import analyse, analyse_cells
from toolkit.analysis.comparison.rung_errors import rung_errors


@pytest.fixture(scope="module")
def world(truth, draw_world):
    learned = {name: truth(0.95, gain=0.3, cpu_seconds=1.0) for name in ("classical", "neural")}
    return draw_world(
        {"baseline": truth(0.3), "rules": truth(0.5), **learned}, rungs=5, n_clusters=60, rows=20
    )


def test_an_analysis_has_all_of_it_for_both_errors(world, declare_experiment) -> None:
    cells, evidence = world
    experiment = declare_experiment(
        ["baseline", "rules", "classical", "neural"], hours={"rules": {"build": 30}}
    )
    results = analyse(experiment, task={}, cells=cells, evidence=evidence)
    errors = ["error_log_loss", "error_one_minus_average_precision"]
    assert [front.error for front in results.fronts] == errors
    assert list(dict.fromkeys(one.error for one in results.equal_errors)) == errors
    assert len(results.equal_errors) == 2 * 4 * 4
    assert all(one.front_probability is not None for one in results.summaries)
    assert {one.score for one in results.ranking} == {"error_log_loss", "score_average_precision"}
    for score in ("error_log_loss", "score_average_precision"):
        own = [one for one in results.ranking if one.score == score]
        assert sum(one.probability_best for one in own) == pytest.approx(1)
        assert own[0].group == 1
    priced = [
        one for one in results.equal_errors if one.reach in ("own", "measured") and one.track == "neural"
    ]
    assert priced
    for one in priced:
        assert one.money is not None
        assert one.joules is not None
        assert one.kg_co2e is not None
        assert 0 < one.money.low <= one.money.estimate <= one.money.high
        assert 0 < one.joules.low < one.joules.mid < one.joules.high
        assert 0 < one.kg_co2e.low < one.kg_co2e.high
        assert one.hours is not None
    assert all(one.hours.estimate == 30 for one in results.equal_errors if one.track == "rules" and one.hours)


def test_money_follows_prices_and_cpu_seconds_do_not(world, declare_experiment) -> None:
    cells, evidence = world
    tracks = ["baseline", "rules", "classical", "neural"]
    plain, slow = (
        analyse(declare_experiment(tracks, speed=speed), task={}, cells=cells, evidence=evidence).equal_errors
        for speed in (1.0, 0.5)
    )
    for one, other in zip(plain, slow, strict=True):
        assert one.cpu_seconds == other.cpu_seconds
        if one.money is not None and math.isfinite(one.money.estimate):
            assert other.money is not None
            assert other.money.estimate == pytest.approx(2 * one.money.estimate)


def test_a_rung_costs_what_its_footprint_says(world, declare_experiment) -> None:
    """Energy of a search and a training less starting and loading is that of its own target."""
    cells, evidence = world
    results = analyse(declare_experiment(["classical", "neural"]), task={}, cells=cells, evidence=evidence)
    own, search = next(
        (own, search)
        for search in results.spending.footprints
        for own in results.equal_errors
        if search.work == "search" and own.reach == "own" and own.joules is not None
        if (own.track, own.of_rung) == (search.track, search.rung)
    )
    summary = next(one for one in results.summaries if (one.track, one.rung) == (search.track, search.rung))
    assert own.joules is not None
    assert own.of_cpu_seconds is not None
    share = (summary.costs["cost_search_cpu_seconds"] or 0) / own.of_cpu_seconds
    assert own.joules.mid * share == pytest.approx(search.joules.mid, rel=0.05)


def test_without_evidence_or_costs_there_is_none(cell, declare_experiment) -> None:
    bare = [cell("neural", 0, 0, scores={"error_log_loss": 0.3}, costs={"cost_fit_cpu_seconds": 1.0})]
    analysed = analyse_cells(declare_experiment(["neural"]), task={}, cells=bare, evidence={})
    assert (analysed.fronts, analysed.equal_errors) == ((), ())
    assert rung_errors(analysed.readings, {}, {}, "error_log_loss") is None
    assert rung_errors({}, {}, {}, "error_wape") is None
