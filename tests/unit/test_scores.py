from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from toolkit import scores
from toolkit.errors import TrackError
from toolkit.records import N_BINS, N_VALID_GROUPS, Evidence


def draw(n_rows=200_000, n_clusters=900, seed=0):
    """Return labels, clusters and the probabilities of a middling model, all distinct."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-2.6, 1.3, n_rows)
    labels = (rng.random(n_rows) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    clusters = (3 * rng.integers(0, n_clusters, n_rows) + 5).astype(np.int32)
    return labels, clusters, 1 / (1 + np.exp(-(logits + rng.normal(0, 0.5, n_rows))))


def evidence_of(labels, probabilities, clusters=None, strata=None) -> Evidence:
    return scores.make_evidence(
        labels=labels,
        probabilities=probabilities,
        clusters=np.zeros(len(labels), np.int32) if clusters is None else clusters,
        strata=strata or {},
        valid_labels=labels,
        valid_probabilities=probabilities,
        valid_clusters=np.arange(len(labels)),
    )


@pytest.fixture(scope="module")
def large():
    labels, clusters, probabilities = draw()
    return labels, clusters, probabilities, evidence_of(labels, probabilities, clusters)


def test_exact_scores_are_scikit_learns(large):
    labels, _, probabilities, _ = large
    found = scores.score_probabilities(labels, probabilities)
    precision = average_precision_score(labels, probabilities)
    assert found == {
        "score_average_precision": pytest.approx(precision, abs=1e-12),
        "score_roc_auc": pytest.approx(roc_auc_score(labels, probabilities), abs=1e-12),
        "error_log_loss": pytest.approx(log_loss(labels, probabilities), abs=1e-12),
        "error_brier": pytest.approx(brier_score_loss(labels, probabilities), abs=1e-12),
        "error_one_minus_average_precision": pytest.approx(1 - precision, abs=1e-12),
    }


def test_scores_from_bins_are_exact_within_1e_4(large):
    labels, _, probabilities, evidence = large
    counts = scores.pooled_counts(evidence)
    exact = scores.score_probabilities(labels, probabilities)
    assert scores.average_precision(*counts) == pytest.approx(exact["score_average_precision"], abs=1e-4)
    assert scores.roc_auc(*counts) == pytest.approx(exact["score_roc_auc"], abs=1e-4)


def test_a_bin_taken_for_a_tie_would_be_wrong_by_a_margin(large):
    labels, _, probabilities, evidence = large
    exact = average_precision_score(labels, probabilities)
    tied = average_precision_score(labels, scores.bin_of(probabilities))
    integrated = float(scores.average_precision(*scores.pooled_counts(evidence)))
    assert exact - tied > 0.001
    assert abs(exact - integrated) < abs(exact - tied) / 10


def test_true_ties_get_what_a_random_order_gives_on_average():
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 4, 3000)
    labels = (rng.random(3000) < 0.1 + 0.2 * levels).astype(np.int8)
    counts = scores.pooled_counts(evidence_of(labels, 0.1 + 0.2 * levels))
    shuffled = [average_precision_score(labels, levels + rng.random(3000)) for _ in range(200)]
    assert scores.average_precision(*counts) == pytest.approx(np.mean(shuffled), abs=1e-3)
    assert scores.roc_auc(*counts) == pytest.approx(roc_auc_score(labels, levels), abs=1e-12)


def test_one_class_has_no_ranking_scores_but_errors():
    found = scores.score_probabilities(np.zeros(4, np.int8), np.full(4, 0.25))
    assert found["score_average_precision"] is None
    assert found["score_roc_auc"] is None
    assert found["error_one_minus_average_precision"] is None
    assert found["error_log_loss"] == pytest.approx(-math.log(0.75))
    assert found["error_brier"] == pytest.approx(0.0625)


def test_no_rows_have_no_scores_at_all():
    found = scores.score_probabilities(np.array([], np.int8), np.array([]))
    assert set(found.values()) == {None}


def test_a_wrong_certainty_costs_much_but_not_infinity():
    loss = scores.row_log_loss(np.array([1, 0, 1, 0]), np.array([0.0, 1.0, 1.0, 0.0]))
    assert np.isfinite(loss).all()
    assert loss[:2] == pytest.approx(-math.log(np.finfo(float).eps))
    assert loss[2:] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [
        ([0.5, float("nan")], "1 of 2 probabilities are not finite"),
        ([0.5, float("inf")], "1 of 2 probabilities are not finite"),
        ([0.5, 1.01], r"probabilities must lie in \[0, 1\], got values from 0.5 to 1.01"),
        ([-0.1, 0.5], r"must lie in \[0, 1\], got values from -0.1"),
        ([0.5], r"expected one probability a row, shape \(2,\), got shape \(1,\)"),
        ([[0.5, 0.5], [0.5, 0.5]], r"got shape \(2, 2\)"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, sentence):
    with pytest.raises(TrackError, match=sentence):
        scores.score_probabilities(np.array([0, 1]), np.array(probabilities))
    with pytest.raises(TrackError, match=sentence):
        evidence_of(np.array([0, 1]), np.array(probabilities))


def test_bins_and_edges_agree():
    edges = scores.bin_edges()
    assert edges.shape == (N_BINS + 1,)
    assert (edges[0], edges[-1]) == (0.0, 1.0)
    assert np.all(np.diff(edges) > 0)
    middles = (edges[:-1] + edges[1:]) / 2
    assert scores.bin_of(middles).tolist() == list(range(N_BINS))
    assert scores.bin_of(np.array([0.0, 1e-300, 1.0])).tolist() == [0, 0, N_BINS - 1]


def test_evidence_counts_every_row_once_and_numbers_clusters(large):
    labels, clusters, probabilities, evidence = large
    n_clusters = len(np.unique(clusters))
    assert evidence.n_clusters == n_clusters
    assert (evidence.cluster.min(), evidence.cluster.max()) == (0, n_clusters - 1)
    assert evidence.positives.sum() == labels.sum()
    assert evidence.negatives.sum() == len(labels) - labels.sum()
    assert (evidence.positives + evidence.negatives).min() > 0
    assert evidence.cluster_rows.tolist() == np.unique(clusters, return_counts=True)[1].tolist()
    first = clusters == clusters.min()
    assert evidence.cluster_log_loss[0] == pytest.approx(
        log_loss(labels[first], probabilities[first], normalize=False, labels=[0, 1])
    )
    assert evidence.cluster_brier.sum() == pytest.approx(
        len(labels) * brier_score_loss(labels, probabilities)
    )
    assert evidence.valid_log_loss == pytest.approx(log_loss(labels, probabilities))
    for name, kind in (
        ("cluster", "int32"),
        ("bin", "int16"),
        ("positives", "int32"),
        ("cluster_rows", "int64"),
    ):
        assert getattr(evidence, name).dtype == kind


def test_strata_are_counted_apart():
    labels = np.array([0, 1, 1, 0], np.int8)
    evidence = evidence_of(labels, np.full(4, 0.5), strata={"first": np.array([True, True, False, False])})
    assert evidence.strata["first"].sum(axis=1).tolist() == [1, 1]
    assert evidence.strata["first"].shape == (2, N_BINS)


def test_resampled_counts_are_those_of_the_rows_resampled(large):
    labels, clusters, probabilities, evidence = large
    rng = np.random.default_rng(2)
    weights = rng.multinomial(
        evidence.n_clusters, np.full(evidence.n_clusters, 1 / evidence.n_clusters), size=3
    )
    positives, negatives = scores.resample(evidence, weights)
    assert positives.shape == negatives.shape == (3, N_BINS)
    _, number = np.unique(clusters, return_inverse=True)
    for index in range(3):
        times = weights[index][number]
        exact = roc_auc_score(labels, probabilities, sample_weight=times)
        assert scores.roc_auc(positives, negatives)[index] == pytest.approx(exact, abs=1e-4)
        exact = average_precision_score(labels, probabilities, sample_weight=times)
        assert scores.average_precision(positives, negatives)[index] == pytest.approx(exact, abs=2e-4)
        mean = mean_log_loss(weights[index], evidence)
        assert mean == pytest.approx(log_loss(labels, probabilities, sample_weight=times))


def mean_log_loss(times, evidence) -> float:
    """Return the mean log loss of the rows, each cluster taken so many times."""
    return float(times @ evidence.cluster_log_loss / (times @ evidence.cluster_rows))


def test_taking_every_cluster_once_gives_the_block_itself(large):
    evidence = large[3]
    once = np.ones((1, evidence.n_clusters), dtype=int)
    for resampled, pooled in zip(
        scores.resample(evidence, once), scores.pooled_counts(evidence), strict=True
    ):
        assert np.array_equal(resampled[0], pooled)


def test_confusion_counts_rows_at_every_threshold(large):
    labels, _, probabilities, evidence = large
    confusion = scores.confusion(*scores.pooled_counts(evidence))
    bins = scores.bin_of(probabilities)
    for threshold in (0, 100, 222, 300, N_BINS):
        yes = bins >= threshold
        assert confusion.true_positive[threshold] == np.count_nonzero(yes & (labels == 1))
        assert confusion.false_positive[threshold] == np.count_nonzero(yes & (labels == 0))
        assert confusion.true_negative[threshold] == np.count_nonzero(~yes & (labels == 0))
        assert confusion.false_negative[threshold] == np.count_nonzero(~yes & (labels == 1))


def test_a_threshold_on_the_edge_says_yes_to_the_bin_above(large):
    labels, _, probabilities, evidence = large
    edges = scores.bin_edges()
    confusion = scores.confusion(*scores.pooled_counts(evidence))
    for threshold in (150, 222, 300):
        yes = probabilities >= edges[threshold]
        assert confusion.true_positive[threshold] == np.count_nonzero(yes & (labels == 1))


def test_counts_may_have_leading_dimensions(large):
    positives, negatives = scores.pooled_counts(large[3])
    stacked = np.stack([positives, negatives]), np.stack([negatives, positives])
    precision = scores.average_precision(*stacked)
    assert precision.shape == (2,)
    assert precision[0] == scores.average_precision(positives, negatives)
    assert scores.roc_auc(*stacked).sum() == pytest.approx(1)
    assert scores.confusion(*stacked).true_negative.shape == (2, N_BINS + 1)


def test_a_missing_class_is_not_a_number_without_a_warning():
    none, some = np.zeros(N_BINS), np.eye(N_BINS)[7]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(scores.average_precision(none, some))
        assert np.isnan(scores.roc_auc(none, some))
        assert np.isnan(scores.roc_auc(some, none))
        assert scores.average_precision(some, none) == 1


def test_reliability_of_true_probabilities_lies_on_the_diagonal():
    rng = np.random.default_rng(3)
    probabilities = rng.beta(1, 4, 200_000)
    labels = (rng.random(200_000) < probabilities).astype(np.int8)
    groups = scores.reliability(*scores.pooled_counts(evidence_of(labels, probabilities)))
    assert groups.rows.sum() == 200_000
    assert len(groups.rows) == 10
    assert np.allclose(groups.predicted, groups.observed, atol=0.01)
    halved = scores.reliability(*scores.pooled_counts(evidence_of(labels, probabilities / 2)))
    assert np.all(halved.predicted[3:] < halved.observed[3:] - 0.02)


def test_reliability_leaves_out_empty_groups():
    groups = scores.reliability(*scores.pooled_counts(evidence_of(np.array([0, 1, 1, 0]), np.full(4, 0.5))))
    assert groups.rows.tolist() == [4]
    assert groups.observed.tolist() == [0.5]
    assert groups.predicted[0] == pytest.approx(0.5, abs=0.02)


def test_a_test_block_without_validation_rows_is_possible():
    evidence = scores.make_evidence(
        labels=np.array([1]),
        probabilities=np.array([0.5]),
        clusters=np.array([9]),
        strata={},
        valid_labels=np.array([], np.int8),
        valid_probabilities=np.array([]),
        valid_clusters=np.array([], np.int32),
    )
    assert math.isnan(evidence.valid_log_loss)
    assert evidence.valid_positives.sum() == 0


def test_validation_rows_are_counted_by_groups_of_whole_clusters():
    clusters = np.repeat(np.arange(100, 100 + N_VALID_GROUPS + 1), 3)
    labels = np.tile([1, 0, 0], N_VALID_GROUPS + 1)
    evidence = scores.make_evidence(
        labels=labels,
        probabilities=np.full(len(labels), 0.5),
        clusters=clusters,
        strata={},
        valid_labels=labels,
        valid_probabilities=np.full(len(labels), 0.9),
        valid_clusters=clusters,
    )
    assert evidence.valid_positives.shape == (N_VALID_GROUPS, N_BINS)
    assert evidence.valid_positives.sum(axis=1).tolist() == [2] + [1] * (N_VALID_GROUPS - 1)
    assert evidence.valid_negatives.sum(axis=1).tolist() == [4] + [2] * (N_VALID_GROUPS - 1)
    (seen,) = np.flatnonzero(evidence.valid_positives.sum(axis=0))
    assert seen == scores.bin_of(np.array([0.9]))[0]
