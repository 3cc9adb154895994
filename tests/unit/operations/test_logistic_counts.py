"""Evaluations of logistic regression, against a count of its sparse products."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression, _linear_loss

from toolkit.operations import logistic
from toolkit.operations.logistic import counting_evaluations, fit_counts


class Watched(csr_matrix):
    """A sparse matrix that counts its products, and those of its transpose, by itself."""

    products = 0

    def __matmul__(self, other):
        Watched.products += 1
        return csr_matrix(self) @ other

    @property
    def T(self):  # noqa: N802 (scipy's name)
        return self.transpose()

    def transpose(self, *args, **kwargs):
        return Transposed(csr_matrix(self).transpose(*args, **kwargs))


class Transposed:
    def __init__(self, matrix):
        self.matrix = matrix

    def __matmul__(self, other):
        Watched.products += 1
        return self.matrix @ other


def rows(seed: int = 0, n_rows: int = 400) -> tuple[csr_matrix, np.ndarray]:
    generator = np.random.default_rng(seed)
    dense = generator.normal(size=(n_rows, 12)) * (generator.random((n_rows, 12)) < 0.5)
    chances = 1 / (1 + np.exp(-dense @ generator.normal(size=12)))
    return csr_matrix(dense), (generator.random(n_rows) < chances).astype(int)


def fitted(matrix, labels) -> tuple[int | None, int]:
    model = LogisticRegression(C=10.0, tol=1e-6)
    with counting_evaluations() as evaluations:
        model.fit(matrix, labels)
    iterations = int(model.n_iter_[0])
    return evaluations.told(iterations), iterations


@pytest.mark.parametrize("seed", range(4))
def test_every_evaluation_is_two_products(seed, monkeypatch):
    matrix, labels = rows(seed)
    Watched.products = 0
    original = _linear_loss.LinearModelLoss.loss_gradient

    def with_watched(self, coef, X, *args, **kwargs):
        return original(self, coef, Watched(X), *args, **kwargs)

    monkeypatch.setattr(_linear_loss.LinearModelLoss, "loss_gradient", with_watched)
    evaluations, iterations = fitted(matrix, labels)
    assert evaluations is not None
    assert Watched.products == 2 * evaluations
    assert evaluations > iterations, "iterations are too few"


def test_the_count_is_the_same_every_time():
    assert len({fitted(*rows())[0] for _ in range(3)}) == 1


def test_the_loss_is_left_as_it_was():
    before = _linear_loss.LinearModelLoss.loss_gradient
    with pytest.raises(ValueError, match="stop"), counting_evaluations():
        raise ValueError("stop")
    assert _linear_loss.LinearModelLoss.loss_gradient is before


def test_fits_of_other_threads_are_not_counted():
    alone = fitted(*rows())[0]
    model, other = LogisticRegression(C=10.0, tol=1e-6), LogisticRegression()
    with counting_evaluations() as evaluations:
        thread = threading.Thread(target=other.fit, args=rows(1))
        thread.start()
        model.fit(*rows())
        thread.join()
    assert evaluations.seen == alone


def test_threads_that_count_do_not_disturb_one_another():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: fitted(*rows(seed)), range(8)))
    assert found == [fitted(*rows(seed)) for seed in range(8)]


def test_counts_within_counts():
    alone = fitted(*rows())[0]
    with counting_evaluations() as outer:
        assert fitted(*rows())[0] == alone
    assert outer.seen == alone


@pytest.mark.parametrize("moved", ["class", "method"])
def test_where_the_library_has_moved_the_count_is_withheld(moved, monkeypatch):
    if moved == "class":
        monkeypatch.setattr(logistic, "_loss_class", lambda: None)
    else:
        original = _linear_loss.LinearModelLoss.loss_gradient
        monkeypatch.setattr(
            "sklearn.linear_model._logistic.LinearModelLoss",
            type("Other", (_linear_loss.LinearModelLoss,), {"loss_gradient": original}),
        )
    evaluations, _ = fitted(*rows())
    assert evaluations is None
    assert set(fit_counts(400, 100, evaluations).values()) == {None}


def test_the_closed_form():
    assert fit_counts(10, 35, 4) == {"sparse_flop": 4 * 35 * 4, "element_operations": 2 * 10 * 4}
