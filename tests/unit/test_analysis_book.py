"""The book adds up to what the pricing of rungs says, whatever is declared."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.whatif.levers import levers_of

NET = {"cost_fit_flop": 4e12, "cost_import_cpu_seconds": 1.5, "cost_predict_single_cpu_seconds": 2e-4}
HOURS = {
    "rules": {"rules": [20, 40, 90], "features": 5, "per_year": [10, 20, 40]},
    "classical": {"build": 40, "per_year": [10, 20, 40]},
    "neural": {"build": [40, 80, 200], "per_year": 60},
}
BUSINESSES = {
    "as it is": {},
    "with people": {"hours": HOURS, "wage_per_hour": [30, 60, 120]},
    "on a gpu": {"hours": HOURS, "hardware": "aws-g4dn.xlarge"},
    "one at a time": {"serving": "single", "always_on_vcpus": 2.0, "speed": [0.5, 1.5, 3]},
    "labels": {"price_per_label": [0.01, 0.02, 0.08], "horizon_years": 0.5, "retrains_per_year": 1},
    "searched anew": {"search_each_retrain": True, "retrains_per_year": [4, 52, 365]},
    "ranges": {
        "value": {
            "true_positive": [1, 10, 12],
            "false_positive": [-5, -3, 0],
            "true_negative": [0, 0.1, 0.2],
        },
        "volume_per_year": [1e4, 1e6, 5e6],
        "carbon_price_per_tonne": [0, 80, 300],
    },
    "own machine": {
        "own_hardware": {
            "usd_per_hour": 0.1,
            "vcpus": 8,
            "memory_gb": 16,
            "idle_watts": 1,
            "max_watts": [3, 5, 9],
        },
        "price_per_kwh": [0.1, 0.2, 0.5],
        "carbon_price_per_tonne": 80,
        "pue": 1.5,
    },
}


@pytest.fixture(scope="module")
def world(truth, draw_world):
    return draw_world(
        {
            "rules": truth(0.5, costs=NET),
            "classical": truth(0.8, gain=0.3, cpu_seconds=2.0, costs=NET),
            "neural": truth(0.85, gain=0.5, cpu_seconds=20.0, costs=NET),
        },
        n_clusters=80,
    )


def results_of(world, declare_experiment, **economics):
    cells, evidence = world
    experiment = declare_experiment(["rules", "classical", "neural"], **economics)
    return analyse(experiment, task={"name": "made_up"}, cells=cells, evidence=evidence)


@pytest.mark.parametrize("business", BUSINESSES)
def test_expected_net_values_are_those_of_the_pricing(world, declare_experiment, business: str) -> None:
    results = results_of(world, declare_experiment, **BUSINESSES[business])
    book = results.sheet.book
    seen, earned = book.earned(book.money.values)
    costs = book.costs(book.money)
    summaries = {(one.track, one.rung): one for one in results.summaries}
    for place, key in enumerate(book.keys):
        told = summaries[key]
        net = book.money.volume * earned[place] - costs[place]
        foreseen = book.money.volume * seen[place] - costs[place]
        assert net == pytest.approx(told.net_value.estimate, rel=1e-9, abs=1e-6)
        assert foreseen == pytest.approx(told.validation_value, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("business", BUSINESSES)
def test_tracks_stand_as_in_the_verdict(world, declare_experiment, business: str) -> None:
    results = results_of(world, declare_experiment, **BUSINESSES[business])
    book, verdict = results.sheet.book, results.verdict
    standing = book.stand(book.money)
    assert standing.leader == verdict.best
    assert standing.margin(None) == pytest.approx(verdict.margin)
    for entry in verdict.tracks:
        assert book.keys[standing.rungs[entry.track]] == (entry.track, entry.rung)
        assert standing.net[entry.track] == pytest.approx(entry.net_value_per_year.estimate, abs=1e-6)
        assert standing.gross[entry.track] == pytest.approx(entry.gross_value_per_year, abs=1e-6)


def test_a_lever_that_is_not_moved_changes_nothing(world, declare_experiment) -> None:
    results = results_of(world, declare_experiment, **BUSINESSES["with people"])
    book = results.sheet.book
    today = book.stand(book.money).net
    levers = levers_of(results.sheet.inputs, book)
    assert len({lever.key for lever in levers}) == len(levers) > 12
    for lever in levers:
        assert lever.at(book.money, lever.now.likely) is not None
        if lever.now.likely:
            moved = book.stand(lever.at(book.money, lever.now.likely)).net
            assert moved == pytest.approx(today, rel=1e-12), lever.key


def test_net_value_is_straight_in_what_it_is_proportional_to(world, declare_experiment) -> None:
    results = results_of(world, declare_experiment, **BUSINESSES["with people"])
    book = results.sheet.book
    for key in (
        "wage_per_hour",
        "hours.neural.build",
        "hardware",
        "carbon_price_per_tonne",
        "price_per_label",
    ):
        lever = next(one for one in levers_of(results.sheet.inputs, book) if one.key == key)
        amounts = np.array([1.0, 2.0, 3.0]) * (lever.now.likely or lever.scale)
        first, second, third = (book.costs(lever.at(book.money, amount)) for amount in amounts)
        assert third - second == pytest.approx(second - first, rel=1e-9, abs=1e-9), key
