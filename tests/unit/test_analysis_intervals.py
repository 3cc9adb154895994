from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from toolkit.analysis.intervals import (
    crossed_bootstrap,
    crossed_means,
    draw_scores,
    draw_weights,
    score_intervals,
    seed_share,
)
from toolkit.analysis.stacks import pair_seeds, stack_evidence


def crossed_world(generator: np.random.Generator, n_seeds: int, n_clusters: int, sizes: tuple[float, ...]):
    """Sums over clusters of a mean whose truth is 1, with effects of seed, cluster and both."""
    seed, cluster, both = sizes
    rows = generator.integers(5, 60, n_clusters).astype(float)
    means = (
        1
        + seed * generator.normal(size=(n_seeds, 1))
        + cluster * generator.normal(size=n_clusters)
        + both * generator.normal(size=(n_seeds, n_clusters))
    )
    return means * rows, rows


@pytest.mark.parametrize(
    "sizes",
    [(0.05, 0.3, 0.2), (0.0, 0.3, 0.3), (0.2, 0.1, 0.1)],
    ids=["both effects", "no effect of seeds", "mostly seeds"],
)
def test_crossed_intervals_cover_the_truth_as_often_as_they_say(sizes: tuple[float, ...]) -> None:
    generator = np.random.default_rng(1)
    hits = 0
    for _ in range(600):
        interval = crossed_means(*crossed_world(generator, 4, 50, sizes)).interval()
        hits += interval.low <= 1 <= interval.high
    # 600 worlds of 95 % have a standard error of .9 %; a truncated seed effect errs on the wide side.
    assert 0.925 <= hits / 600 <= 0.99


def test_treating_seeds_and_clusters_as_rows_would_not_cover() -> None:
    """The world is hard enough that the naive interval fails, so the test above means something."""
    generator = np.random.default_rng(2)
    hits = 0
    for _ in range(300):
        sums, rows = crossed_world(generator, 4, 50, (0.2, 0.1, 0.1))
        means = (sums / rows).ravel()
        half = 1.96 * means.std(ddof=1) / math.sqrt(len(means))
        hits += abs(means.mean() - 1) <= half
    assert hits / 300 < 0.6


def test_bootstrap_and_analysis_of_variance_agree_on_a_mean() -> None:
    generator = np.random.default_rng(3)
    sums, rows = crossed_world(generator, 3, 200, (0.02, 0.3, 0.2))
    weights = draw_weights(200, 4000, "test")
    draws = (weights @ sums.T) / (weights @ rows)[:, None]
    by_variance = crossed_means(sums, rows)
    by_bootstrap = crossed_bootstrap(sums.sum(axis=1) / rows.sum(), draws, 200)
    assert by_bootstrap.estimate == pytest.approx(by_variance.estimate)
    assert by_bootstrap.variance == pytest.approx(by_variance.variance, rel=0.1)
    assert by_bootstrap.degrees == pytest.approx(by_variance.degrees, rel=0.25)


def test_one_seed_gives_the_interval_over_clusters_alone() -> None:
    sums, rows = crossed_world(np.random.default_rng(4), 1, 80, (0, 0.3, 0))
    one = crossed_means(sums, rows)
    assert one.degrees == 79
    assert 0 < one.variance < 0.01


def test_one_cluster_says_that_nothing_is_known() -> None:
    interval = crossed_means(np.array([[3.0], [4.0]]), np.array([10.0])).interval()
    assert interval.estimate == pytest.approx(0.35)
    assert (interval.low, interval.high) == (-math.inf, math.inf)


def test_no_difference_at_all_is_certain_and_not_significant() -> None:
    one = crossed_means(np.zeros((3, 20)), np.full(20, 5.0))
    assert one.interval().low == one.interval().high == 0
    assert one.p_value() == 1


def test_seed_share_is_none_without_and_all_with_a_pure_seed_effect() -> None:
    generator = np.random.default_rng(5)
    rows = np.full(40, 10.0)
    noise = generator.normal(size=(3, 40)) * 0.01
    assert seed_share(np.array([[1.0], [2.0], [3.0]]) * rows + noise, rows) > 0.99
    assert seed_share(np.tile(generator.normal(size=40), (3, 1)) * rows, rows) == 0
    assert seed_share(np.ones((1, 40)), rows) == 0


def test_weights_depend_on_names_and_sizes_only() -> None:
    first, again, other = (draw_weights(30, 50, name) for name in ("a", "a", "b"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.sum(axis=1) == 30).all()


def test_every_score_of_a_stack_has_an_interval_around_its_estimate(truth, draw_world) -> None:
    _, evidence = draw_world({"classical": truth(0.9, gain=0.2)}, rungs=1)
    stacks, findings = stack_evidence(evidence)
    assert findings == ()
    stack = stacks["classical", 0]
    intervals = score_intervals(stack, draw_scores(stack, draw_weights(stack.n_clusters, 100, "x")))
    assert set(intervals) == {
        "error_log_loss",
        "error_brier",
        "score_average_precision",
        "score_roc_auc",
    }
    for interval in intervals.values():
        assert 0 <= interval.low < interval.estimate < interval.high <= 1


def test_scores_that_one_class_cannot_give_are_left_out(truth, draw_world) -> None:
    _, evidence = draw_world({"classical": truth(0.9, gain=0.2)}, rungs=1)
    no_positives = {
        key: replace(one, positives=np.zeros_like(one.positives)) for key, one in evidence.items()
    }
    stack = stack_evidence(no_positives)[0]["classical", 0]
    intervals = score_intervals(stack, draw_scores(stack, draw_weights(stack.n_clusters, 20, "x")))
    assert set(intervals) == {"error_log_loss", "error_brier"}


def test_cells_scored_on_other_rows_are_left_out_and_named(truth, draw_world) -> None:
    _, evidence = draw_world({"classical": truth(0.9, gain=0.2)}, rungs=1)
    odd = evidence["classical", 0, 1]
    evidence["classical", 0, 1] = replace(odd, cluster_rows=odd.cluster_rows + 1)
    stacks, findings = stack_evidence(evidence)
    assert stacks["classical", 0].seeds == (0, 2)
    assert [finding.code for finding in findings] == ["other_test_rows"]
    assert "seed 1" in findings[0].sentence


def test_seeds_are_paired_by_name_and_a_lone_seed_with_all(truth, draw_world) -> None:
    _, evidence = draw_world({"classical": truth(0.9, gain=0.2), "rules": truth(0.5)}, rungs=1)
    del evidence["classical", 0, 0]
    _, more = draw_world({"neural": truth(0.9, gain=0.2)}, rungs=1)
    stacks, _ = stack_evidence({**evidence, **more})
    classical, rules, neural = (stacks[name, 0] for name in ("classical", "rules", "neural"))
    assert pair_seeds(classical, neural) == ([0, 1], [1, 2])
    assert pair_seeds(rules, neural) == ([0, 0, 0], [0, 1, 2])
    assert pair_seeds(neural, rules) == ([0, 1, 2], [0, 0, 0])
