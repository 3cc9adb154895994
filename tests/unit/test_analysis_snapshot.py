from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from toolkit.analysis.analyse import analyse, analyse_cells
from toolkit.analysis.export import to_json
from toolkit.analysis.pricing import price
from toolkit.analysis.snapshot import decode, encode

TRACKS = ["baseline", "rules", "classical", "neural"]


@pytest.fixture(scope="module")
def world(truth, draw_world):
    learned = {name: truth(0.9, gain=0.3, cpu_seconds=5.0) for name in ("classical", "neural")}
    return draw_world({"baseline": truth(0.4), "rules": truth(0.5), **learned}, n_clusters=60, rows=20)


def through_files(analysed):
    document, arrays = encode(analysed)
    read = json.loads(json.dumps(document))
    return decode(read, {name: array.copy() for name, array in arrays.items()}, analysed.evidence)


@pytest.mark.parametrize(
    "economics",
    [
        {},
        {"hardware": "own-server", "country": "PL", "carbon_price_per_tonne": [50, 80, 150]},
        {"hardware": "aws-g4dn.xlarge", "volume_per_year": 1e9},
        {"volume_per_year": [1e3, 1e4, 1e5], "retrains_per_year": 52, "wage_per_hour": 90},
    ],
)
def test_a_kept_analysis_is_priced_as_the_cells_are(world, declare_experiment, economics) -> None:
    cells, evidence = world
    analysed = analyse_cells(declare_experiment(TRACKS), task={}, cells=cells, evidence=evidence)
    experiment = declare_experiment(TRACKS, **economics)
    whole = analyse(experiment, task={}, cells=cells, evidence=evidence)
    assert to_json(price(through_files(analysed), experiment)) == to_json(whole)


def test_rungs_that_other_prices_send_are_compared_anew(world, declare_experiment) -> None:
    cells, evidence = world
    experiment = declare_experiment(TRACKS)
    analysed = analyse_cells(experiment, task={}, cells=cells, evidence=evidence)
    results = price(analysed, experiment)
    entering = tuple((one.track, one.rung) for one in results.verdict.tracks)
    kept = through_files(replace(analysed, pairs={entering: results.pairs}))
    assert kept.pairs == {entering: results.pairs}
    dear = declare_experiment(TRACKS, volume_per_year=1.0, retrains_per_year=1e9)
    moved = price(kept, dear)
    assert tuple((one.track, one.rung) for one in moved.verdict.tracks) != entering
    assert moved.pairs == price(analysed, dear).pairs


def test_known_comparisons_are_used_for_the_rungs_that_they_are_of(world, declare_experiment) -> None:
    cells, evidence = world
    experiment = declare_experiment(TRACKS)
    analysed = analyse_cells(experiment, task={}, cells=cells, evidence=evidence)
    results = price(analysed, experiment)
    entering = tuple((one.track, one.rung) for one in results.verdict.tracks)
    some = replace(analysed, pairs={entering: results.pairs[:1]})
    assert price(through_files(some), experiment).pairs == results.pairs[:1]


def test_nothing_at_all_is_kept_too(declare_experiment) -> None:
    experiment = declare_experiment(TRACKS)
    analysed = analyse_cells(experiment, task={}, cells=[], evidence={})
    assert to_json(price(through_files(analysed), experiment)) == to_json(price(analysed, experiment))


def test_scores_without_evidence_failures_and_repeats_are_kept(cell, declare_experiment) -> None:
    cells = [
        cell("neural", 0, 0, scores={"error_log_loss": 0.3}, costs={"cost_fit_cpu_seconds": 1 / 3}),
        cell("neural", 0, 0, repeat=1, costs={"cost_fit_cpu_seconds": 0.7}),
        cell("neural", 1, 0, status="failed", reason="it broke"),
    ]
    experiment = declare_experiment(["neural"])
    analysed = analyse_cells(experiment, task={}, cells=cells, evidence={})
    kept = through_files(analysed)
    assert kept.records == tuple(cells)
    (scores,) = kept.scores.values()
    assert np.isinf(scores["error_log_loss"].high)
    assert to_json(price(kept, experiment)) == to_json(price(analysed, experiment))


def test_arrays_that_do_not_fit_are_refused(world, declare_experiment) -> None:
    cells, evidence = world
    analysed = analyse_cells(declare_experiment(TRACKS), task={}, cells=cells, evidence=evidence)
    document, arrays = encode(analysed)
    with pytest.raises(ValueError, match="zip"):
        decode(document, {**arrays, "decisions": arrays["decisions"][1:]}, evidence)
