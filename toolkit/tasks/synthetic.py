"""A made-up business with a known truth: which customers order again this month.

Every label is drawn from a probability that the task knows, so the best possible error (the Bayes
error) is known too, and a track can be held against it. `kind` says what the truth is made of, and
so which family of methods should do best on it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from toolkit.config import Rung
from toolkit.scores import score_probabilities
from toolkit.seeding import derive_seed
from toolkit.tasks.base import (
    Block,
    Column,
    Progress,
    Schema,
    Task,
    TaskData,
    TrainingData,
    labels_of,
    share_of,
    unlabelled_of,
)

__all__ = ["Synthetic"]

Floats = NDArray[np.float64]
Part = Literal["train", "valid", "test"]

WINDOW_DAYS = 182
SEGMENTS = ("private", "trade", "wholesale")

SCHEMA = Schema(
    (
        Column("orders", unit="orders in the last 182 days"),
        Column("recency", unit="days since the last order; missing without one"),
        Column("gap_cv", unit="spread of the days between orders over their mean; missing under 3 orders"),
        Column("basket", unit="money an order"),
        Column("discount", unit="share of orders with a discount, 0 to 1"),
        Column("complaints", unit="complaints in the last 182 days"),
        Column("visits", unit="visits to the shop's pages in the last 7 days"),
        Column("segment", kind="category", levels=SEGMENTS, unit="kind of customer"),
        Column("habit_probability", unit="chance of an order from the customer's own rate alone"),
    )
)


@dataclass(frozen=True)
class _Population:
    """All rows: their features, the probability of label 1, the label, and the part they are in."""

    features: pd.DataFrame
    probability: Floats
    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]
    part: NDArray[np.str_]


@dataclass
class Synthetic(Task):
    """Customers with a known chance of ordering again.

    Parameters
    ----------
    n_clusters : int
        Customers; half train, a fifth validate, the rest test.
    rows_per_cluster : float
        Mean number of months (rows) a customer, at least one.
    kind : {"rules", "linear", "steps", "smooth"}
        What moves the chance away from the customer's own habit: a few expert rules, a weighted sum,
        a table of crossed steps (trees do best), or a smooth interaction (networks do best).
    strength : float
        Standard deviation of that movement, in log-odds.
    noise : float
        Share of labels that are a fair coin's, whatever the features say.
    seed : int
        Draws the population and its parts; the seed of a cell only draws training subsets.
    """

    n_clusters: Annotated[int, Field(ge=10, le=1_000_000)] = 1200
    rows_per_cluster: Annotated[float, Field(ge=1, le=1000)] = 20.0
    kind: Literal["rules", "linear", "steps", "smooth"] = "rules"
    strength: Annotated[float, Field(ge=0, le=10)] = 1.0
    noise: Annotated[float, Field(ge=0, lt=1)] = 0.0
    seed: int = 0

    title: ClassVar[str] = "who orders again this month (made-up customers, known truth)"
    cluster: ClassVar[str] = "customer"
    notices: ClassVar[tuple[str, ...]] = ("Made-up data: drawn by the toolkit itself, of no real customers.",)

    def prepare(self, progress: Progress) -> None:
        """Do nothing: the rows are drawn again wherever they are needed, in milliseconds."""
        progress("nothing to prepare", 1.0)

    def schema(self) -> Schema:
        """Return the columns."""
        return SCHEMA

    def data_version(self) -> str:
        """Return a hash of this file and of the parameters."""
        digest = hashlib.sha256(Path(__file__).read_bytes())
        digest.update(json.dumps(asdict(self), sort_keys=True).encode())
        return digest.hexdigest()[:16]

    def n_train(self, rung: Rung) -> int:
        """Return the expected number of labelled rows of `rung`; cut-offs are ignored."""
        is_train = _parts(self.n_clusters, self.seed) == "train"
        if rung.labels is not None:
            return labels_of(rung, int(np.count_nonzero(is_train[self._population().clusters])))
        return round(share_of(rung.share or 0.0, int(is_train.sum())) * self.rows_per_cluster)

    def load(self, *, rung: Rung | None, seed: int) -> TaskData:
        """Draw the population and choose the rung's customers."""
        population = self._population()
        labelled, unlabelled = self._training_rows(population, rung, seed)
        train = TrainingData(
            features=population.features.iloc[labelled].reset_index(drop=True),
            labels=population.labels[labelled],
            clusters=population.clusters[labelled],
            time=np.zeros(len(labelled), dtype=np.int32),
            unlabelled=population.features.iloc[unlabelled].reset_index(drop=True),
            schema=SCHEMA,
        )
        return TaskData(train=train, valid=_block(population, "valid"), test=_block(population, "test"))

    def true_probabilities(self, part: Part) -> Floats:
        """Return the probability that each row's label was drawn from, in the order of the part's rows."""
        population = self._population()
        return np.asarray(population.probability[population.part == part])

    def bayes_scores(self) -> dict[str, float | None]:
        """Return the scores of the true probabilities on the test block: no track can expect better."""
        population = self._population()
        test = population.part == "test"
        return score_probabilities(population.labels[test], population.probability[test])

    def data_facts(self) -> dict[str, str | float]:
        """Return the base rate and the best possible scores of the test block."""
        bayes = {f"best possible {name}": value for name, value in self.bayes_scores().items()}
        base_rate = float(_block(self._population(), "test").labels.mean())
        return {"base rate": base_rate, **{name: value for name, value in bayes.items() if value is not None}}

    def _population(self) -> _Population:
        rng = np.random.default_rng(derive_seed("synthetic", "population", self.seed))
        activity = rng.normal(size=self.n_clusters)
        n_rows = 1 + rng.poisson(self.rows_per_cluster - 1.0, size=self.n_clusters)
        clusters = np.repeat(np.arange(self.n_clusters, dtype=np.int32), n_rows)
        features = _features(rng, activity, clusters)
        habit = features["habit_probability"].to_numpy(dtype=np.float64)
        movement = self.strength * _movement(self.kind, features)
        probability = 1.0 / (1.0 + np.exp(-(np.log(habit / (1.0 - habit)) + movement)))
        probability = (1.0 - self.noise) * probability + self.noise * 0.5
        return _Population(
            features=features,
            probability=probability,
            labels=(rng.random(len(features)) < probability).astype(np.int8),
            clusters=clusters,
            part=_parts(self.n_clusters, self.seed)[clusters],
        )

    def _training_rows(
        self, population: _Population, rung: Rung | None, seed: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows of the rung's customers, and rows of further training customers."""
        if rung is None:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        parts = _parts(self.n_clusters, self.seed)
        rng = np.random.default_rng(derive_seed("synthetic", "subset", seed))
        order = rng.permutation(np.flatnonzero(parts == "train"))
        place = np.full(self.n_clusters, -1)
        place[order] = np.arange(len(order))
        row_place = place[population.clusters]
        # a customer's rows stand in an order of their own, so that numbers of labels nest as well
        ordered = np.lexsort((rng.random(len(row_place)), row_place))[np.count_nonzero(row_place < 0) :]
        n_labels = (
            int(np.count_nonzero(row_place[ordered] < share_of(rung.share or 0.0, len(order))))
            if rung.labels is None
            else labels_of(rung, len(ordered))
        )
        labelled, rest = np.sort(ordered[:n_labels]), ordered[n_labels:]
        return labelled, rest[: unlabelled_of(rung, n_labels)]


def _parts(n_clusters: int, seed: int) -> NDArray[np.str_]:
    """Return the part of each customer: no customer stands in two."""
    order = np.random.default_rng(derive_seed("synthetic", "parts", seed)).permutation(n_clusters)
    parts = np.full(n_clusters, "train", dtype="<U5")
    parts[order[: round(0.3 * n_clusters)]] = "test"
    parts[order[round(0.3 * n_clusters) : round(0.5 * n_clusters)]] = "valid"
    return parts


def _block(population: _Population, part: Part) -> Block:
    rows = np.flatnonzero(population.part == part)
    features = population.features.iloc[rows].reset_index(drop=True)
    return Block(
        features=features,
        labels=population.labels[rows],
        clusters=population.clusters[rows],
        time=np.zeros(len(rows), dtype=np.int32),
        strata={"trade": features["segment"].to_numpy() != 0},
    )


def _features(rng: np.random.Generator, activity: Floats, clusters: NDArray[np.int32]) -> pd.DataFrame:
    """Draw the columns of each row; `activity` (n_clusters,) is what a customer's rows share."""
    active = activity[clusters]
    n_rows = len(clusters)
    orders = rng.poisson(np.exp(1.2 + 0.8 * active))
    recency = np.floor(np.minimum(rng.exponential(WINDOW_DAYS / (orders + 1.0)), WINDOW_DAYS))
    segment = np.searchsorted([0.4, 1.4], active + 0.5 * rng.normal(size=n_rows))
    # The share of the month's chance that the customer's own rate and last order explain.
    rate = (orders + 0.3) / WINDOW_DAYS * 14.0 * np.exp(-recency / 120.0)
    columns = {
        "orders": orders,
        "recency": np.where(orders > 0, recency, np.nan),
        "gap_cv": np.where(orders > 2, rng.gamma(4.0, 0.2, size=n_rows), np.nan),
        "basket": np.round(np.exp(3.5 + 0.4 * activity[clusters] + 0.5 * rng.normal(size=n_rows)), 2),
        "discount": np.round(rng.beta(1.5, 4.0, size=n_rows), 2),
        "complaints": rng.poisson(0.3, size=n_rows),
        "visits": rng.poisson(np.exp(0.4 * active)),
    }
    frame = pd.DataFrame({name: values.astype(np.float32) for name, values in columns.items()})
    frame["segment"] = segment.astype(np.int32)
    frame["habit_probability"] = (1.0 - np.exp(-rate)).clip(0.01, 0.95).astype(np.float32)
    return frame


def _movement(kind: str, features: pd.DataFrame) -> Floats:
    """Return what moves each row's log-odds away from its habit: mean about 0, deviation about 1."""
    column = {name: features[name].to_numpy(dtype=np.float64) for name in features.columns}
    visits, discount, complaints = column["visits"], column["discount"], column["complaints"]
    basket = (np.log(column["basket"]) - 3.5) / 0.65
    recency = np.nan_to_num(column["recency"], nan=float(WINDOW_DAYS))
    regular = np.nan_to_num(column["gap_cv"], nan=9.0) < 0.7
    if kind == "rules":
        moved = (
            1.6 * (visits >= 3)
            - 1.8 * (complaints >= 2)
            - 1.2 * ((complaints == 1) & (discount < 0.3))
            + 1.4 * (regular & (recency > 14) & (recency <= 45))
            - 1.6 * (regular & (recency <= 7))
            + 1.0 * ((column["segment"] == 2) & (discount >= 0.3))
        )
    elif kind == "linear":
        moved = 0.6 * (visits - 1.1) - 0.9 * complaints + 2.5 * (discount - 0.27) + 0.5 * basket
    elif kind == "steps":
        cells = (visits >= 2) * 4 + (discount > 0.25) * 2 + (basket > 0.0)
        moved = np.array([-1.2, 1.0, 1.2, -1.0, 1.1, -1.3, -0.9, 1.1])[cells]
    else:
        # Oblique and crossed: steps along the columns need many cuts, a weighted sum sees nothing.
        first = basket + (discount - 0.27) / 0.17 + 0.7 * (np.minimum(visits, 4.0) - 1.1)
        second = basket - (discount - 0.27) / 0.17 - 0.02 * (np.minimum(recency, 120.0) - 50.0)
        moved = 1.5 * np.tanh(first * second) + 0.5 * np.sin(2.0 * first)
    return np.asarray(moved - moved.mean())
