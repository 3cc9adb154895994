from __future__ import annotations

import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.constraints import allow
from toolkit.analysis.readings import RungReadings
from toolkit.config import Experiment

TRACKS = ["baseline", "rules", "classical", "neural"]
SLOW, FAST = {"cost_predict_single_p95_seconds": 0.05}, {"cost_predict_single_p95_seconds": 0.001}


@pytest.fixture
def constrained(declare_experiment):
    def make(tracks=TRACKS, speed=1.0, **constraints) -> Experiment:
        document = declare_experiment(tracks, speed=speed).model_dump(mode="json")
        return Experiment.model_validate({**document, "constraints": constraints})

    return make


@pytest.fixture
def readings(cell):
    def make(costs_by_rung: dict) -> dict:
        return {
            (track, rung): RungReadings([cell(track, rung, 0, costs=costs)])
            for (track, rung), costs in costs_by_rung.items()
        }

    return make


def codes(found) -> list[str]:
    return [finding.code for finding in found.findings]


def test_nothing_is_excluded_without_constraints(readings, constrained) -> None:
    known = readings({("classical", 0): SLOW, ("neural", 0): {}})
    found = allow(known, known, constrained())
    assert found.keys == tuple(known)
    assert not found.excluded
    assert not found.findings


def test_a_track_whose_every_rung_is_too_slow_is_excluded_and_a_single_rung_is_told(
    readings, constrained
) -> None:
    known = readings(
        {("classical", 0): FAST, ("classical", 1): SLOW, ("neural", 0): SLOW, ("neural", 1): SLOW}
    )
    found = allow(known, known, constrained(latency_ms=10))
    assert found.keys == (("classical", 0),)
    assert found.excluded == {"neural": "a decision takes 50 ms (at most 10 ms)"}
    assert sorted(codes(found)) == ["excluded", "rungs_excluded"]
    assert any("classical may not be deployed at rung 1" in one.sentence for one in found.findings)


def test_a_faster_processor_keeps_to_a_latency(readings, constrained) -> None:
    known = readings({("neural", 0): SLOW, ("classical", 0): FAST})
    assert "neural" in allow(known, known, constrained(latency_ms=10, speed=4.9)).excluded
    assert not allow(known, known, constrained(latency_ms=10, speed=5.1)).excluded


def test_memory_is_the_most_that_any_prediction_holds(readings, constrained) -> None:
    known = readings(
        {
            ("classical", 0): {"cost_predict_batch_peak_bytes": 90e6, "cost_predict_single_peak_bytes": 10e6},
            ("neural", 0): {"cost_predict_batch_peak_bytes": 110e6},
        }
    )
    found = allow(known, known, constrained(memory_mb=100))
    assert found.excluded == {"neural": "predicting holds 110 MB (at most 100 MB)"}


def test_what_breaks_two_constraints_says_both(readings, constrained) -> None:
    known = readings({("rules", 0): FAST, ("neural", 0): {**SLOW, "cost_predict_batch_peak_bytes": 2e9}})
    why = allow(known, known, constrained(latency_ms=10, memory_mb=500)).excluded["neural"]
    assert why == "a decision takes 50 ms (at most 10 ms) and predicting holds 2,000 MB (at most 500 MB)"


def test_only_tracks_that_explain_stay_where_decisions_must_be_explained(readings, constrained) -> None:
    known = readings({(track, 0): {} for track in TRACKS})
    found = allow(known, known, constrained(must_explain=True))
    assert found.keys == (("rules", 0),)
    assert set(found.excluded) == {"baseline", "classical", "neural"}
    assert set(found.excluded.values()) == {"it cannot explain single decisions"}


def test_what_was_not_measured_is_not_held_against_a_track_but_told(readings, constrained) -> None:
    known = readings({("classical", 0): FAST, ("neural", 0): {}})
    found = allow(known, known, constrained(latency_ms=10, memory_mb=100))
    assert found.keys == tuple(known)
    told = {one.code: one.sentence for one in found.findings}
    assert set(told) == {"constraint_unknown"}
    assert sorted(one.sentence for one in found.findings) == [
        "the latency of neural was not measured: it excludes none of these",
        "the memory of classical; neural was not measured: it excludes none of these",
    ]


def test_rungs_that_were_not_measured_are_told_apart_from_those_that_were(readings, constrained) -> None:
    known = readings({("rules", 0): FAST, ("rules", 2): {}, ("rules", 1): {}, ("neural", 0): {}})
    (told,) = allow(known, known, constrained(latency_ms=10)).findings
    assert told.sentence == (
        "the latency of rules at rungs 1, 2; neural was not measured: it excludes none of these"
    )


def test_what_is_out_anyway_is_not_said_to_be_unmeasured(readings, constrained) -> None:
    known = readings({("rules", 0): FAST, ("neural", 0): {}})
    found = allow(known, known, constrained(latency_ms=10, must_explain=True))
    assert [one.code for one in found.findings] == ["excluded"]


def test_a_limit_that_is_just_broken_is_seen_to_be(readings, constrained) -> None:
    known = readings({("neural", 0): {"cost_predict_single_p95_seconds": 0.010001}, ("rules", 0): FAST})
    why = allow(known, known, constrained(latency_ms=10)).excluded["neural"]
    assert why == "a decision takes 10.1 ms (at most 10 ms)"


@pytest.fixture(scope="module")
def world(truth, draw_world):
    return draw_world(
        {
            "rules": truth(0.5, costs=FAST),
            "classical": truth(0.8, gain=0.3, costs=FAST),
            "neural": truth(0.95, gain=0.3, costs=SLOW),
        },
        n_clusters=60,
    )


def test_the_verdict_is_of_the_tracks_that_are_left(world, constrained) -> None:
    cells, evidence = world
    tracks = ["rules", "classical", "neural"]
    free, bound = (
        analyse(constrained(tracks, **some), task={"name": "made_up"}, cells=cells, evidence=evidence)
        for some in ({}, {"latency_ms": 10})
    )
    assert free.verdict.best == "neural"
    assert bound.verdict.best == "classical"
    out = bound.verdict.tracks[-1]
    assert (out.track, out.probability_best, out.regret_per_year) == ("neural", 0.0, None)
    assert out.excluded.startswith("a decision takes 50 ms")
    assert sum(one.probability_best for one in bound.verdict.tracks) == pytest.approx(1)
    assert "neural" not in {track for track, _ in bound.sheet.book.keys}
    assert not any(
        flip and flip.best == "neural"
        for one in bound.sensitivity.assumptions
        for flip in (one.below, one.above)
    )
    assert any(one.code == "excluded" for one in bound.findings)
    assert bound.verdict.deep_learning_worth_it is None
    assert (
        "Deep learning is no option here: neural is excluded, as a decision takes" in bound.verdict.sentence
    )


def test_with_all_tracks_excluded_nothing_is_said_to_be_best(world, constrained) -> None:
    cells, evidence = world
    tracks = ["rules", "classical", "neural"]
    found = analyse(
        constrained(tracks, latency_ms=0.5), task={"name": "made_up"}, cells=cells, evidence=evidence
    )
    assert found.verdict.best is None
    assert found.verdict.sentence.startswith(
        "No track keeps to the constraints, so none can be used. Why: rules "
    )
    assert [bool(one.excluded) for one in found.verdict.tracks] == [True, True, True]
    assert found.sensitivity is None
    assert not found.steps
