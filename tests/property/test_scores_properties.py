from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score

from toolkit import scores
from toolkit.config import Experiment
from toolkit.records import N_BINS, CellRecord, Evidence
from toolkit.seeding import derive_seed

MAX_ROWS = 60


@st.composite
def predictions(draw, both_classes: bool = True):
    """Draw labels, probabilities (ties, zeros and ones included) and clusters of the same rows."""
    n_rows = draw(st.integers(2, MAX_ROWS))
    labels = draw(hnp.arrays(np.int8, n_rows, elements=st.integers(0, 1)))
    if both_classes:
        assume(0 < labels.sum() < n_rows)
    levels = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
    probabilities = draw(hnp.arrays(np.float64, n_rows, elements=levels))
    clusters = draw(hnp.arrays(np.int32, n_rows, elements=st.integers(0, 8)))
    return labels, probabilities, clusters


@st.composite
def bin_counts(draw):
    """Draw counts of positives and negatives in a few bins; at least one of each."""
    counts = np.zeros((2, N_BINS))
    for row in counts:
        where = draw(st.lists(st.integers(0, N_BINS - 1), min_size=1, max_size=12))
        row[where] = draw(st.lists(st.integers(1, 500), min_size=len(where), max_size=len(where)))
    return counts[0], counts[1]


def make(labels, probabilities, clusters) -> Evidence:
    return scores.make_evidence(
        labels=labels,
        probabilities=probabilities,
        clusters=clusters,
        strata={"odd": clusters % 2 == 1},
        valid_labels=labels[::2],
        valid_probabilities=probabilities[::2],
        valid_clusters=clusters[::2],
    )


def same(first: Evidence, second: Evidence) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("cluster", "bin", "positives", "negatives", "cluster_rows", "valid_positives")
    )


@given(predictions(both_classes=False))
def test_evidence_survives_the_trip_through_bytes(drawn):
    evidence = make(*drawn)
    read = Evidence.from_bytes(evidence.to_bytes())
    assert same(read, evidence)
    assert np.array_equal(read.cluster_log_loss, evidence.cluster_log_loss)
    assert np.array_equal(read.cluster_brier, evidence.cluster_brier)
    assert np.array_equal(read.valid_negatives, evidence.valid_negatives)
    assert read.valid_log_loss == evidence.valid_log_loss
    assert np.array_equal(read.strata["odd"], evidence.strata["odd"])
    assert read.cluster.dtype == evidence.cluster.dtype
    assert read.bin.dtype == evidence.bin.dtype


@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(drawn, random):
    order = np.arange(len(drawn[0]))
    random.shuffle(order)
    evidence = make(*drawn)
    labels, probabilities, clusters = drawn
    shuffled = scores.make_evidence(
        labels=labels[order],
        probabilities=probabilities[order],
        clusters=clusters[order],
        strata={"odd": clusters[order] % 2 == 1},
        valid_labels=labels[::2],
        valid_probabilities=probabilities[::2],
        valid_clusters=clusters[::2],
    )
    assert same(evidence, shuffled)
    assert np.allclose(evidence.cluster_log_loss, shuffled.cluster_log_loss)
    exact = scores.score_probabilities(labels, probabilities)
    for name, value in scores.score_probabilities(labels[order], probabilities[order]).items():
        assert value == pytest.approx(exact[name])


@given(predictions())
def test_names_of_clusters_do_not_matter(drawn):
    labels, probabilities, clusters = drawn
    assert same(make(labels, probabilities, clusters), make(labels, probabilities, 2 * clusters + 70))


@given(predictions())
def test_ranking_from_bins_is_that_of_the_bins(drawn):
    labels, probabilities, clusters = drawn
    evidence = make(labels, probabilities, clusters)
    exact = roc_auc_score(labels, scores.bin_of(probabilities))
    assert scores.roc_auc(*scores.pooled_counts(evidence)) == pytest.approx(exact, abs=1e-12)


@given(bin_counts(), st.data())
def test_moving_scores_without_changing_their_order_changes_no_ranking(counts, data):
    used = np.flatnonzero(counts[0] + counts[1])
    places = st.lists(st.integers(0, N_BINS - 1), min_size=len(used), max_size=len(used), unique=True)
    moved = np.zeros((2, N_BINS))
    target = np.sort(data.draw(places))
    for row, old in zip(moved, counts, strict=True):
        row[target] = old[used]
    assert scores.average_precision(*moved) == pytest.approx(float(scores.average_precision(*counts)))
    assert scores.roc_auc(*moved) == pytest.approx(float(scores.roc_auc(*counts)))


@given(bin_counts())
def test_scores_stay_in_their_range_and_reversing_turns_the_area_over(counts):
    positives, negatives = counts
    area = float(scores.roc_auc(positives, negatives))
    assert 0 <= area <= 1
    assert scores.roc_auc(positives[::-1], negatives[::-1]) == pytest.approx(1 - area)
    assert scores.roc_auc(negatives, positives) == pytest.approx(1 - area)
    assert 0 < scores.average_precision(positives, negatives) <= 1 + 1e-12


@given(bin_counts())
def test_a_perfect_order_scores_one(counts):
    total = counts[0].sum(), counts[1].sum()
    positives, negatives = np.zeros(N_BINS), np.zeros(N_BINS)
    positives[300], negatives[200] = total
    assert scores.average_precision(positives, negatives) == pytest.approx(1)
    assert scores.roc_auc(positives, negatives) == 1


@given(bin_counts())
def test_one_bin_for_all_scores_the_base_rate(counts):
    positives, negatives = np.zeros(N_BINS), np.zeros(N_BINS)
    positives[256], negatives[256] = total = counts[0].sum(), counts[1].sum()
    assert scores.roc_auc(positives, negatives) == 0.5
    # The first of few rows weighs much: a chance order is a little above the base rate.
    base_rate = total[0] / sum(total)
    rise = float(scores.average_precision(positives, negatives)) - base_rate
    assert -1e-12 <= rise <= np.log1p(2 * sum(total)) / (2 * sum(total)) + 1e-12


@given(bin_counts())
def test_every_threshold_accounts_for_every_row(counts):
    confusion = scores.confusion(*counts)
    assert np.all(np.sum(confusion, axis=0) == counts[0].sum() + counts[1].sum())
    assert np.all(confusion.true_positive + confusion.false_negative == counts[0].sum())
    assert np.all(np.diff(confusion.true_positive) <= 0)
    assert np.all(np.diff(confusion.false_positive) <= 0)
    assert confusion.true_positive[-1] == confusion.false_positive[-1] == 0


@given(bin_counts(), st.integers(1, 20))
def test_reliability_keeps_every_row_and_rises_in_prediction(counts, n_groups):
    groups = scores.reliability(*counts, n_groups=n_groups)
    assert groups.rows.sum() == counts[0].sum() + counts[1].sum()
    assert (groups.rows * groups.observed).sum() == pytest.approx(counts[0].sum())
    assert len(groups.rows) <= n_groups
    assert np.all(np.diff(groups.predicted) > 0)


@given(predictions(both_classes=False), st.data())
def test_resampling_adds_up_clusters(drawn, data):
    evidence = make(*drawn)
    times = data.draw(hnp.arrays(np.int64, (3, evidence.n_clusters), elements=st.integers(0, 4)))
    positives, negatives = scores.resample(evidence, times)
    both = times[:1] + times[1:2]
    assert np.array_equal(scores.resample(evidence, both)[0][0], positives[0] + positives[1])
    assert np.array_equal((positives + negatives).sum(axis=1), times @ evidence.cluster_rows)


amounts = st.one_of(
    st.floats(0, 1e12),
    st.lists(st.floats(0, 1e12), min_size=3, max_size=3).map(sorted),
    st.integers(0, 10**12),
)


@given(st.data())
def test_an_experiment_reads_back_what_it_says(data):
    shares = sorted(data.draw(st.sets(st.floats(1e-4, 1), min_size=1, max_size=12)))
    plain = {
        "experiment": data.draw(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,20}\Z")),
        "task": {"name": "synthetic", "noise": data.draw(st.floats(0, 0.5))},
        "ladder": {"rungs": [{"share": share} for share in shares], "seeds": data.draw(st.integers(1, 9))},
        "tracks": {name: {} for name in data.draw(st.sets(st.sampled_from("abc"), min_size=1))},
        "economics": {
            "value": {"true_positive": data.draw(amounts), "false_positive": data.draw(amounts)},
            "volume_per_year": data.draw(amounts),
            "margin": data.draw(st.none() | st.floats(0, 1e9)),
        },
    }
    experiment = Experiment.model_validate(plain)
    dumped = experiment.model_dump()
    assert Experiment.model_validate(dumped).model_dump() == dumped
    assert Experiment.model_validate_json(experiment.model_dump_json()).model_dump() == dumped
    assert [rung.share for rung in experiment.ladder.rungs] == shares


@given(
    st.dictionaries(st.text(max_size=8), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    st.dictionaries(
        st.text(max_size=8), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
    ),
)
def test_a_record_survives_the_trip_through_json(costs, chosen):
    record = CellRecord(
        experiment="a", task="b", track="c", rung=0, seed=1, n_train=2, fingerprint="f", status="lost",
        costs=costs, chosen=chosen,
    )  # fmt: skip
    read = CellRecord.model_validate_json(record.model_dump_json())
    assert read == record
    assert [type(value) for value in read.chosen.values()] == [type(value) for value in chosen.values()]


@given(
    st.lists(st.text(max_size=5) | st.integers(-9, 9), max_size=4), st.lists(st.text(max_size=5), max_size=4)
)
def test_other_names_give_other_seeds(first, second):
    assert (derive_seed(*first) == derive_seed(*second)) == (first == second)
