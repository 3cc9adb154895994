from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.comparison.front import mark_front
from toolkit.analysis.export import CELL_KEYS, SCHEMA_VERSION, to_json
from toolkit.analysis.results import Interval, RungSummary

TRACKS = ["baseline", "rules", "classical", "neural", "hybrid"]


@pytest.fixture(scope="module")
def world(truth, draw_world):
    learned = {name: truth(0.9, gain=0.3, cpu_seconds=1.0) for name in ("classical", "neural", "hybrid")}
    return draw_world({"baseline": truth(0.4), "rules": truth(0.5), **learned}, n_clusters=60, rows=20)


def dumped(results) -> dict:
    return json.loads(json.dumps(to_json(results), allow_nan=False))


def codes(results) -> list[str]:
    return [finding.code for finding in results.findings]


def test_a_whole_experiment(world, declare_experiment) -> None:
    cells, evidence = world
    results = analyse(
        declare_experiment(TRACKS),
        task={"name": "made_up", "title": "made up"},
        cells=cells,
        evidence=evidence,
        knowledge=[{"name": "k", "tracks": ["rules"]}],
        environment={"commit": "abc"},
    )
    assert len(results.cells) == len(cells) == 29
    assert len(results.summaries) == 11
    assert [entry.track for entry in results.verdict.tracks] == TRACKS
    assert len(results.pairs) == 2 * 10
    assert {curve.track for curve in results.curves} == {"classical", "neural", "hybrid"}
    assert results.task["primary_error"] == "error_log_loss"
    assert results.prices
    assert any(summary.on_front for summary in results.summaries)
    for summary in results.summaries:
        assert summary.net_value is not None
        assert summary.validation_value is not None
        assert summary.threshold is not None


def test_the_same_input_gives_the_same_output_whatever_the_order_of_cells(world, declare_experiment) -> None:
    cells, evidence = world
    experiment = declare_experiment(TRACKS)
    once = analyse(experiment, task={}, cells=cells, evidence=evidence)
    backwards = dict(reversed(list(evidence.items())))
    again = analyse(experiment, task={}, cells=cells[::-1], evidence=backwards)
    assert to_json(once) == to_json(again)


def test_another_track_does_not_change_a_tracks_figures(world, declare_experiment) -> None:
    cells, evidence = world
    experiment = declare_experiment(TRACKS)
    everything = analyse(experiment, task={}, cells=cells, evidence=evidence)
    some = {"classical", "rules"}
    fewer = analyse(
        experiment,
        task={},
        cells=[cell for cell in cells if cell.track in some],
        evidence={key: one for key, one in evidence.items() if key[0] in some},
    )
    pick = {(one.track, one.rung): one.net_value for one in everything.summaries}
    assert all(pick[one.track, one.rung] == one.net_value for one in fewer.summaries)


def test_nothing_at_all(declare_experiment) -> None:
    results = analyse(declare_experiment(TRACKS), task={}, cells=[], evidence={})
    assert results.summaries == ()
    assert results.curves == ()
    assert results.pairs == ()
    assert results.verdict.best is None
    assert codes(results).count("track_missing") == 5
    assert dumped(results)["cells"] == []


def test_one_cell(world, declare_experiment) -> None:
    cells, evidence = world
    results = analyse(
        declare_experiment(TRACKS),
        task={},
        cells=cells[:1],
        evidence={key: one for key, one in evidence.items() if key == ("baseline", 0, 0)},
    )
    assert len(results.summaries) == 1
    assert results.verdict.best is None
    assert "one_seed" in codes(results)


def test_only_failed_cells(cell, declare_experiment) -> None:
    failed = [cell("neural", 0, seed, status="failed", reason="it broke") for seed in range(3)]
    results = analyse(declare_experiment(["neural"]), task={}, cells=failed, evidence={})
    assert len(results.cells) == 3
    assert codes(results) == ["track_missing", "cells_not_finished"]
    assert "it broke" in results.findings[1].sentence
    assert dumped(results)["cells"][0]["reason"] == "it broke"


def test_evidence_of_failed_cells_is_not_used(world, declare_experiment) -> None:
    cells, evidence = world
    broken = [
        one.model_copy(update={"status": "failed"}) if one.track == "neural" and one.seed == 0 else one
        for one in cells
    ]
    results = analyse(declare_experiment(TRACKS), task={}, cells=broken, evidence=evidence)
    assert all(one.n_seeds == 2 for one in results.summaries if one.track == "neural")
    assert ("neural", 0, 0) not in results.evidence


def test_finished_cells_without_evidence_have_scores_but_no_intervals(cell, declare_experiment) -> None:
    bare = [cell("neural", 0, 0, scores={"error_log_loss": 0.3}), cell("neural", 0, 1, scores={})]
    results = analyse(declare_experiment(["neural"]), task={}, cells=bare, evidence={})
    (summary,) = results.summaries
    assert summary.scores["error_log_loss"] == Interval(0.3, -math.inf, math.inf)
    assert summary.net_value is None
    assert "evidence_missing" in codes(results)
    assert dumped(results)["summaries"][0]["scores"]["error_log_loss"]["low"] is None


def test_doubtful_costs_are_told(world, declare_experiment) -> None:
    cells, evidence = world
    doubtful = [
        one.model_copy(update={"quality": "contended"})
        if one.track == "neural"
        else one.model_copy(update={"quality": "too_short", "costs": {}})
        if one.track == "rules"
        else one
        for one in cells
    ]
    results = analyse(declare_experiment(TRACKS), task={}, cells=doubtful, evidence=evidence)
    assert {"costs_contended", "costs_too_short", "cost_missing"} <= set(codes(results))
    rules = next(one for one in results.summaries if one.track == "rules")
    assert rules.costs == {}
    assert rules.net_value is not None


def test_a_refused_forecast_is_told_once_a_track_and_each_reason_once(world, declare_experiment) -> None:
    cells, evidence = world
    results = analyse(declare_experiment(TRACKS), task={}, cells=cells, evidence=evidence)
    refused = [finding.sentence for finding in results.findings if finding.code == "forecast_refused"]
    assert len(refused) == 3
    assert all(sentence.count("a forecast needs at least 8") == 1 for sentence in refused)


def test_sound_cells_raise_no_alarm(world, declare_experiment) -> None:
    cells, evidence = world
    results = analyse(declare_experiment(TRACKS), task={}, cells=cells, evidence=evidence)
    assert [finding for finding in results.findings if finding.severity != "info"] == []


def test_single_cluster_and_single_row_do_not_break_it(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world(
        {"rules": truth(0.5), "classical": truth(0.9, gain=0.1)}, n_clusters=1, rows=2
    )
    results = analyse(declare_experiment(["rules", "classical"]), task={}, cells=cells, evidence=evidence)
    assert "few_clusters" in codes(results)
    dumped(results)


def test_the_primary_error_may_be_the_tasks_own(cell, declare_experiment) -> None:
    cells = [
        cell(
            "neural",
            rung,
            seed,
            scores={"error_wape": 0.3 - 0.02 * rung},
            costs={"cost_fit_cpu_seconds": 1.0},
        )
        for rung in range(5)
        for seed in range(3)
    ]
    results = analyse(
        declare_experiment(["neural"]), task={"primary_error": "error_wape"}, cells=cells, evidence={}
    )
    assert {curve.error for curve in results.curves} == {"error_wape"}
    assert [one.rung for one in results.summaries if one.on_front] == [4]


def test_json_keeps_to_the_contract(world, declare_experiment, cell) -> None:
    cells, evidence = world
    lost = cell("hybrid", 2, 9, status="lost", n_train=4000, n_rules=7)
    document = dumped(
        analyse(
            declare_experiment(TRACKS, currency="EUR", currency_per_usd=0.8),
            task={},
            cells=[*cells, lost],
            evidence=evidence,
        )
    )
    assert document["schema_version"] == SCHEMA_VERSION
    assert {"experiment", "task", "cells", "curves", "verdict", "environment"} <= set(document)
    for one in document["cells"]:
        assert set(CELL_KEYS) <= set(one)
        assert isinstance(one["rung"], int)
    missing = next(one for one in document["cells"] if one["status"] == "lost")
    assert missing["cost_fit_cpu_seconds"] is None
    assert missing["n_rules"] == 7
    assert isinstance(missing["n_rules"], int)
    verdict = document["verdict"]
    assert set(verdict["tracks"]) == set(TRACKS)
    for entry in verdict["tracks"].values():
        value = entry["net_value_usd_per_year"]
        assert value["low"] <= value["estimate"] <= value["high"]
        assert value["estimate"] == pytest.approx(entry["net_value_per_year"]["estimate"] / 0.8)
    assert {"best", "probability_best", "too_close_to_call", "deep_learning_worth_it", "sentence"} <= set(
        verdict
    )
    assert verdict["deep_learning_worth_it"] in (True, False, None)
    assert all(
        set(refusal) == {"code", "sentence"} for one in document["curves"] for refusal in one["refusals"]
    )


def test_infinite_and_missing_numbers_become_null(world, declare_experiment) -> None:
    cells, evidence = world
    results = analyse(declare_experiment(TRACKS), task={}, cells=cells, evidence=evidence)
    odd = replace(
        results,
        task={"facts": {"a": math.nan, "b": np.float64(2), "c": np.array([1, math.inf]), "d": (1, {2})}},
    )
    assert dumped(odd)["task"] == {"facts": {"a": None, "b": 2.0, "c": [1.0, None], "d": [1, [2]]}}


def summary(track: str, cost: float | None, error: float | None) -> RungSummary:
    return RungSummary(
        track=track,
        rung=0,
        n_train=1,
        n_rules=None,
        n_seeds=1,
        scores={} if error is None else {"error_log_loss": Interval(error, error, error)},
        costs={"cost_fit_cpu_seconds": cost},
    )


def test_the_front_is_what_nothing_beats() -> None:
    found = mark_front(
        [
            summary("cheap", 1, 0.5),
            summary("good", 10, 0.3),
            summary("worse and dearer", 11, 0.4),
            summary("as dear, worse", 10, 0.35),
            summary("twin of good", 10, 0.3),
            summary("not measured", None, 0.1),
            summary("no error", 1, None),
        ],
        "error_log_loss",
    )
    assert [one.track for one in found if one.on_front] == ["cheap", "good", "twin of good"]
