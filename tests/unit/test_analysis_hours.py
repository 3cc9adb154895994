from __future__ import annotations

import pytest

from toolkit.analysis.analyse import analyse

TRACKS = ["rules", "classical", "neural"]
BASE = {"tracks": ["rules"], "name": "experts", "hash": "0", "rules": [], "authoring_hours": 12.0}


@pytest.fixture(scope="module")
def told(truth, draw_world, declare_experiment):
    cells, evidence = draw_world({track: truth(0.5) for track in TRACKS}, rungs=1, n_clusters=40)

    def run(hours: dict, knowledge=()) -> list[tuple[str, str]]:
        found = analyse(
            declare_experiment(TRACKS, hours=hours),
            task={},
            cells=cells,
            evidence=evidence,
            knowledge=knowledge,
        )
        return [(one.severity, one.sentence) for one in found.findings if one.code == "hours_not_declared"]

    return run


def test_tracks_without_hours_beside_tracks_with_them_are_named(told) -> None:
    ((severity, sentence),) = told({"classical": {"build": 40}, "rules": {"build": 10}})
    assert severity == "warning"
    assert "for neural, so people work on it for nothing; rules, classical have theirs" in sentence
    ((severity, sentence),) = told({"classical": {"build": 40}})
    assert "for rules, neural, so people work on them for nothing; classical has its own" in sentence


def test_hours_of_a_knowledge_base_count_as_declared(told) -> None:
    ((severity, sentence),) = told({}, [BASE])
    assert severity == "warning"
    assert "for classical, neural," in sentence
    assert "rules has its own" in sentence


def test_every_track_with_hours_is_no_finding_and_none_at_all_is_told(told) -> None:
    assert told({track: {"build": 1} for track in TRACKS}) == []
    assert told({"classical": {"build": 1}, "neural": {}}, [BASE]) == []
    ((severity, sentence),) = told({})
    assert severity == "info"
    assert sentence.startswith("no hours of people are declared, so all of them work for nothing")
