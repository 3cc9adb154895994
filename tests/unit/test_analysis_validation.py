"""What the validation block says of a decision, and how unsure it is."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit import scores
from toolkit.analysis.validation import MIN_GROUPS, Validation, standard_error, validate

VALUES = np.array([10.0, -3.0, 0.0, 0.0])


def seen(sums: list[float], rows: list[float] | None = None) -> Validation:
    return Validation({0: 1}, {0: 1.0}, 2.0, tuple(sums), tuple(rows or [10.0] * len(sums)))


def draw(generator: np.random.Generator, *, n_clusters: int, rows: int) -> tuple[Validation, Validation]:
    """Two tracks on the same rows: rows of a cluster are alike, and the first track sees more of them."""
    clusters = np.repeat(np.arange(n_clusters), rows)
    chance = generator.uniform(0.05, 0.6, n_clusters)[clusters]
    labels = (generator.random(len(clusters)) < chance).astype(np.int8)

    def told(noise: float) -> Validation:
        said = np.clip(chance + noise * generator.normal(size=n_clusters)[clusters], 0.01, 0.99)
        evidence = scores.make_evidence(
            labels=labels,
            probabilities=said,
            clusters=clusters,
            strata={},
            valid_labels=labels,
            valid_probabilities=said,
            valid_clusters=clusters,
        )
        found = validate({0: evidence}, VALUES)
        assert found is not None
        return found

    return told(0.05), told(0.15)


def test_the_groups_add_up_to_the_whole_block() -> None:
    one, _ = draw(np.random.default_rng(1), n_clusters=90, rows=7)
    assert sum(one.rows) == 630
    assert sum(one.sums) / 630 == pytest.approx(one.value)
    assert one.value < one.perfect


def test_the_error_is_that_of_the_difference_on_shared_rows() -> None:
    base = np.random.default_rng(2).normal(size=20)
    alike = standard_error(seen((base + 5).tolist()), seen(base.tolist()))
    assert alike == (pytest.approx(0.0, abs=1e-12), 19)
    gained = np.arange(20.0)
    found = standard_error(seen((base + gained).tolist()), seen(base.tolist()))
    assert found is not None
    assert found[0] == pytest.approx(gained.std(ddof=1) / np.sqrt(20) / 10)


def test_groups_without_rows_do_not_count() -> None:
    sums, rows = [*range(12), 0, 0], [5.0] * 12 + [0.0, 0.0]
    found = standard_error(seen(sums, rows), seen([0.0] * 14, rows))
    assert found is not None
    assert found[1] == 11


def test_too_few_groups_or_other_rows_tell_nothing() -> None:
    few = [1.0] * (MIN_GROUPS - 1)
    assert standard_error(seen(few), seen(few)) is None
    assert standard_error(seen([1.0] * 20), seen([1.0] * 20, [9.0] * 20)) is None


def test_the_error_counts_that_rows_of_a_cluster_are_alike() -> None:
    generator = np.random.default_rng(5)
    differences, told = [], []
    for _ in range(300):
        one, other = draw(generator, n_clusters=80, rows=6)
        error = standard_error(one, other)
        assert error is not None
        differences.append(one.value - other.value)
        told.append(error[0])
    # Thresholds that are chosen on the same rows keep the differences a little closer together.
    assert np.mean(told) == pytest.approx(np.std(differences), rel=0.25)
    as_if_rows_were_apart = np.mean(told) / np.sqrt(6)
    assert as_if_rows_were_apart < 0.6 * np.std(differences)
