from __future__ import annotations

import itertools

import numpy as np
import pytest

from toolkit.config import Rung
from toolkit.errors import ParameterError
from toolkit.scores import score_probabilities
from toolkit.tasks import synthetic
from toolkit.tasks.synthetic import Synthetic

KINDS = ("rules", "linear", "steps", "smooth")
FULL = Rung(share=1.0)


@pytest.fixture(scope="module", params=KINDS)
def task(request) -> Synthetic:
    return Synthetic(n_clusters=1500, kind=request.param)


def test_labels_are_drawn_from_the_true_probabilities(task):
    test = task.load(rung=FULL, seed=0).test
    truth = task.true_probabilities("test")
    assert truth.shape == test.labels.shape
    assert truth.min() > 0
    assert truth.max() < 1
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 1.0)):
        rows = (truth >= low) & (truth < high)
        expected, spread = truth[rows].sum(), np.sqrt((truth[rows] * (1 - truth[rows])).sum())
        assert abs(test.labels[rows].sum() - expected) < 4 * spread


def test_the_bayes_error_is_the_entropy_of_the_truth(task):
    truth = task.true_probabilities("test")
    entropy = -(truth * np.log(truth) + (1 - truth) * np.log(1 - truth)).mean()
    assert task.bayes_scores()["error_log_loss"] == pytest.approx(entropy, abs=0.015)


def test_nothing_beats_the_truth_and_habit_leaves_something_to_learn(task):
    test = task.load(rung=FULL, seed=0).test
    truth, best = task.true_probabilities("test"), task.bayes_scores()["error_log_loss"]
    assert best is not None
    rng = np.random.default_rng(0)
    for shift in (-0.3, 0.3):
        moved = 1 / (1 + np.exp(-(np.log(truth / (1 - truth)) + shift)))
        noisy = 1 / (1 + np.exp(-(np.log(truth / (1 - truth)) + rng.normal(0, 0.5, len(truth)))))
        for worse in (moved, noisy):
            assert score_probabilities(test.labels, worse)["error_log_loss"] > best
    habit = test.features["habit_probability"].to_numpy(np.float64)
    assert score_probabilities(test.labels, habit)["error_log_loss"] > best + 0.03


def test_without_strength_the_habit_is_the_truth():
    task = Synthetic(n_clusters=200, strength=0.0)
    test = task.load(rung=FULL, seed=0).test
    assert np.allclose(task.true_probabilities("test"), test.features["habit_probability"], atol=1e-6)


def test_noise_pulls_the_truth_to_a_half_and_worsens_the_best():
    clean, noisy = Synthetic(n_clusters=400), Synthetic(n_clusters=400, noise=0.4)
    assert np.allclose(noisy.true_probabilities("test"), 0.6 * clean.true_probabilities("test") + 0.2)
    assert noisy.bayes_scores()["error_log_loss"] > clean.bayes_scores()["error_log_loss"]


def test_the_kinds_share_their_features_and_differ_in_their_labels():
    blocks = [Synthetic(n_clusters=100, kind=kind).load(rung=FULL, seed=0).test for kind in KINDS]
    for block in blocks[1:]:
        assert block.features.equals(blocks[0].features)
        assert not np.array_equal(block.labels, blocks[0].labels)


def test_the_population_belongs_to_its_seed_and_subsets_to_the_cells():
    one, again, other = (Synthetic(n_clusters=100, seed=seed) for seed in (1, 1, 2))
    assert one.load(rung=FULL, seed=0).test.features.equals(again.load(rung=FULL, seed=5).test.features)
    assert not one.load(rung=FULL, seed=0).test.features.equals(other.load(rung=FULL, seed=0).test.features)
    few = Rung(share=0.2)
    subsets = [set(one.load(rung=few, seed=seed).train.clusters.tolist()) for seed in range(3)]
    assert subsets[0] != subsets[1] != subsets[2]


def test_customers_are_parted_half_a_fifth_and_the_rest():
    data = Synthetic(n_clusters=1000).load(rung=FULL, seed=0)
    counts = [len(np.unique(part.clusters)) for part in (data.train, data.valid, data.test)]
    assert counts == [500, 200, 300]


def test_the_columns_have_the_holes_that_real_ones_have():
    features = Synthetic().load(rung=FULL, seed=0).train.features
    assert set(features["segment"].unique()) == {0, 1, 2}
    never = features["orders"] == 0
    assert never.any()
    assert features["recency"].isna().equals(never)
    assert features["gap_cv"].isna().equals(features["orders"] < 3)
    assert not features.drop(columns=["recency", "gap_cv"]).isna().to_numpy().any()


def test_a_customers_rows_are_alike():
    train = Synthetic().load(rung=FULL, seed=0).train
    orders = train.features["orders"].to_numpy()
    means = np.bincount(train.clusters, orders) / np.maximum(np.bincount(train.clusters), 1)
    within = ((orders - means[train.clusters]) ** 2).mean()
    assert within < 0.6 * orders.var()


def test_facts_tell_the_best_possible_error():
    task = Synthetic(n_clusters=200)
    facts = task.data_facts()
    assert facts["best possible error_log_loss"] == task.bayes_scores()["error_log_loss"]
    assert facts["base rate"] == task.load(rung=None, seed=0).test.labels.mean()


def test_the_version_follows_parameters_and_code(tmp_path, monkeypatch):
    version = Synthetic().data_version()
    assert Synthetic().data_version() == version
    assert Synthetic(noise=0.1).data_version() != version
    changed = tmp_path / "synthetic.py"
    changed.write_text("other code")
    monkeypatch.setattr(synthetic, "__file__", str(changed))
    assert Synthetic().data_version() != version


def test_unlabelled_rows_are_capped(monkeypatch):
    monkeypatch.setattr("toolkit.tasks.base.MAX_UNLABELLED", 50)
    data = Synthetic(n_clusters=100).load(rung=Rung(share=0.5), seed=0)
    assert len(data.train.unlabelled) == 50


def rows_of(train) -> set[tuple[float, ...]]:
    return {tuple(row) for row in train.features[["basket", "discount", "habit_probability"]].to_numpy()}


def test_labels_are_counted_exactly_and_nest_within_a_seed():
    task = Synthetic(n_clusters=200)
    numbers = (0, 7, 30, 31, 400)
    for seed in (0, 1):
        trains = [task.load(rung=Rung(labels=n, unlabelled=100), seed=seed).train for n in numbers]
        assert [len(train) for train in trains] == list(numbers)
        assert all(rows_of(low) < rows_of(high) for low, high in itertools.pairwise(trains))
        assert all(len(train.unlabelled) == 100 for train in trains)
    assert [task.n_train(Rung(labels=n)) for n in numbers] == list(numbers)


def test_whole_customers_are_labelled_but_for_the_last():
    task = Synthetic(n_clusters=200)
    sizes = np.bincount(task.load(rung=FULL, seed=0).train.clusters)
    clusters, counts = np.unique(task.load(rung=Rung(labels=300), seed=0).train.clusters, return_counts=True)
    assert np.count_nonzero(counts < sizes[clusters]) <= 1


def test_labelled_and_unlabelled_rows_are_different_rows():
    task = Synthetic(n_clusters=60)
    n_rows = task.n_train(Rung(labels=0)) + len(task.load(rung=FULL, seed=0).train)
    train = task.load(rung=Rung(labels=50, unlabelled=n_rows), seed=0).train
    assert len(train) + len(train.unlabelled) == n_rows
    unlabelled = {
        tuple(row) for row in train.unlabelled[["basket", "discount", "habit_probability"]].to_numpy()
    }
    assert not rows_of(train) & unlabelled


def test_more_labels_than_rows_are_refused():
    task = Synthetic(n_clusters=60)
    with pytest.raises(ParameterError, match=r"asks for 100,000 labels, but there are \d+ training rows"):
        task.n_train(Rung(labels=100_000))
