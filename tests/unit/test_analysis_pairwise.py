from __future__ import annotations

import numpy as np
import pytest

from toolkit.analysis.comparison.pairwise import compare, holm
from toolkit.analysis.intervals import draw_scores, draw_weights, score_intervals
from toolkit.analysis.stacks import stack_evidence


def compared(evidence, **options):
    stacks, _ = stack_evidence(evidence)
    weights = draw_weights(next(iter(stacks.values())).n_clusters, 200, "test")
    pairs = compare([(stack, draw_scores(stack, weights)) for stack in stacks.values()], **options)
    return {(pair.first, pair.second, pair.score): pair for pair in pairs}


def test_a_better_track_is_better_on_errors_and_on_scores(truth, draw_world) -> None:
    _, evidence = draw_world({"classical": truth(0.95, gain=0.05), "rules": truth(0.3)}, rungs=1)
    pairs = compared(evidence)
    loss = pairs["classical", "rules", "error_log_loss"]
    precision = pairs["classical", "rules", "score_average_precision"]
    assert loss.verdict == "better"
    assert loss.difference.high < 0
    assert loss.p_holm is not None
    assert loss.p_holm < 0.01
    assert precision.score == "score_average_precision"


def test_the_order_of_a_pair_turns_the_verdict_round(truth, draw_world) -> None:
    _, evidence = draw_world({"a": truth(0.3), "b": truth(0.95, gain=0.05)}, rungs=1)
    assert compared(evidence)["a", "b", "error_log_loss"].verdict == "worse"


def test_equal_tracks_tie_within_the_margin_and_are_unclear_without_one(truth, draw_world) -> None:
    _, evidence = draw_world(
        {"neural": truth(0.9, gain=0.1), "hybrid": truth(0.9, gain=0.1)}, rungs=1, n_clusters=400
    )
    wide = compared(evidence, margins={"error_log_loss": 0.05})
    narrow = compared(evidence, margins={"error_log_loss": 1e-9})
    assert wide["hybrid", "neural", "error_log_loss"].verdict == "tie"
    assert narrow["hybrid", "neural", "error_log_loss"].verdict == "unclear"


def test_a_sure_difference_within_the_margin_is_no_win(truth, draw_world) -> None:
    _, evidence = draw_world({"classical": truth(0.95, gain=0.05), "rules": truth(0.3)}, rungs=1)
    pairs = compared(evidence, margins={"error_log_loss": 10.0, "score_average_precision": 1.0})
    assert {pair.verdict for pair in pairs.values()} == {"tie"}


def test_pairing_makes_the_difference_surer_than_its_parts(truth, draw_world) -> None:
    _, evidence = draw_world({"a": truth(0.90), "b": truth(0.80)}, rungs=1)
    stacks, _ = stack_evidence(evidence)
    weights = draw_weights(150, 200, "test")
    widths = []
    for stack in stacks.values():
        one = score_intervals(stack, draw_scores(stack, weights))["score_roc_auc"]
        widths.append(one.high - one.low)
    pair = compared(evidence, margins={"score_roc_auc": 0.001})["a", "b", "score_roc_auc"].difference
    assert pair.high - pair.low < 0.7 * np.hypot(*widths)


def test_one_track_has_no_pairs(truth, draw_world) -> None:
    _, evidence = draw_world({"rules": truth(0.5)})
    assert compared(evidence) == {}


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
