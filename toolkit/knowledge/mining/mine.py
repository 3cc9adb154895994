"""Rules that training rows suggest: what they say that a knowledge base has not said yet.

Shallow trees propose rules on one part of the clusters (`candidates`). How often a rule fires, what
is observed there and how certain it is comes from the other part, which no tree has seen: so the
optimism of a search through thousands of thresholds does not become an expert's certainty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.mining.candidates import Proposal, Proposer
from toolkit.knowledge.mining.cuts import Number
from toolkit.knowledge.mining.declare import Schema
from toolkit.knowledge.mining.weighing import Suggestion, Weighing
from toolkit.knowledge.shift import World
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.seeding import derive_seed

__all__ = ["LEAST_CLUSTERS", "LEAST_OUTCOMES", "MAX_ROWS", "Mined", "mine"]

Floats = NDArray[np.float64]

MAX_ROWS = 250_000
"""More training rows are thinned, by cluster."""

HELD_OUT = 0.4
"""Share of the clusters that candidates are weighed on."""

LEAST_CLUSTERS = 50
LEAST_OUTCOMES = 20
"""Fewer clusters, or fewer rows of either outcome in either part, suggest nothing."""

LEAST_SHARE = 0.002
LEAST_ROWS = 50
"""A rule fires on at least this share of the fitting part, and on so many rows."""

TRIED, LEAST_TRIED = 1.5, 15
"""Candidates looked at, as a multiple of the suggestions asked for; and at least so many, so that a few
suggestions are the best of many."""


@dataclass(frozen=True)
class Mined:
    """What was found, and from how much.

    Parameters
    ----------
    suggestions : tuple of Suggestion
        The one that saves the most log loss first.
    n_candidates : int
        Rules that the trees proposed.
    n_rows, n_clusters : int
        Training rows looked at and their clusters.
    n_held_out : int
        Rows among them that candidates were weighed on.
    observed, expected : float
        Share of the held-out rows with the outcome; the share that is expected without suggestions.
    loss_before, loss_after : float
        Log loss of the held-out rows, in nats a row, without and with all suggestions.
    """

    suggestions: tuple[Suggestion, ...] = ()
    n_candidates: int = 0
    n_rows: int = 0
    n_clusters: int = 0
    n_held_out: int = 0
    observed: float = 0.0
    expected: float = 0.0
    loss_before: float = 0.0
    loss_after: float = 0.0


def mine(
    features: pd.DataFrame,
    labels: NDArray[np.int8],
    clusters: NDArray[np.int32],
    schema: Schema,
    knowledge: KnowledgeBase,
    specs: Mapping[str, ColumnSpec],
    *,
    limit: int = 10,
    scale: float = 1.0,
    seed: int = 0,
) -> Mined:
    """Propose rules on some clusters and weigh them on others.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        Training rows.
    labels : ndarray of shape (n_rows,)
    clusters : ndarray of shape (n_rows,)
        No cluster stands in both parts.
    schema : Schema
        Names, kinds and levels of the columns.
    knowledge : KnowledgeBase
        What is known already; without rules, the prior alone.
    specs : mapping of str to ColumnSpec
        The columns that suggestions may use, as conditions are to understand them.
    limit : int
        At most so many suggestions.
    scale : float
        Factor on the evidence of the known rules.
    seed : int
        Draws the parts; the same seed gives the same suggestions.

    Returns
    -------
    Mined
        Without suggestions where nothing stands out, or there is too little to tell.
    """
    system = compile_knowledge(knowledge, schema)
    open_rows = np.flatnonzero(~system.forbidden(features) & ~system.required(features))
    rows = open_rows[_thinned(clusters[open_rows], seed)]
    features, labels = features.iloc[rows].reset_index(drop=True), labels[rows]
    names, codes = np.unique(clusters[rows], return_inverse=True)
    order = np.random.default_rng(derive_seed("mining", seed)).permutation(len(names))
    held_out = np.isin(codes, order[: round(HELD_OUT * len(names))])
    if len(names) < LEAST_CLUSTERS or _rarest(labels[held_out], labels[~held_out]) < LEAST_OUTCOMES:
        return Mined(n_rows=len(rows), n_clusters=len(names))
    offset = system.logit(features, scale=scale)
    proposals = _propose(
        features[~held_out],
        labels[~held_out],
        codes[~held_out],
        offset[~held_out],
        schema,
        specs,
        limit,
        seed,
    )
    weighed = Weighing(
        features[held_out].reset_index(drop=True),
        World.of(offset[held_out], labels[held_out].astype(np.float64), codes[held_out]),
        {column.name: column.levels for column in schema.columns if column.name in specs},
        specs,
    )
    suggestions = weighed.choose(proposals, limit)
    before, after = weighed.losses(suggestions)
    return Mined(
        suggestions=tuple(suggestions),
        n_candidates=len(proposals),
        n_rows=len(rows),
        n_clusters=len(names),
        n_held_out=int(held_out.sum()),
        observed=float(labels[held_out].mean()),
        expected=float(expit(offset[held_out]).mean()),
        loss_before=before,
        loss_after=after,
    )


def _rarest(*parts: NDArray[np.int8]) -> int:
    """Return how many rows the rarer outcome has in the part that has fewest."""
    return min(int(min(part.sum(), len(part) - part.sum())) for part in parts)


def _thinned(clusters: NDArray[np.int32], seed: int) -> NDArray[np.intp]:
    """Return the rows of as many clusters, in a random order, as make up `MAX_ROWS` rows at most."""
    names, codes, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    order = np.random.default_rng(derive_seed("mining", "thin", seed)).permutation(len(names))
    kept = order[np.cumsum(counts[order]) <= MAX_ROWS]
    return np.flatnonzero(np.isin(codes, kept))


def _propose(
    features: pd.DataFrame,
    labels: NDArray[np.int8],
    clusters: NDArray[np.intp],
    offset: Floats,
    schema: Schema,
    specs: Mapping[str, ColumnSpec],
    limit: int,
    seed: int,
) -> list[Proposal]:
    """Return the trees' proposals on the fitting part."""
    filled: dict[str, NDArray[np.generic]] = {}
    columns: dict[str, Number | tuple[str, ...]] = {}
    for column in schema.columns:
        spec = specs.get(column.name)
        if spec is None:
            continue
        values = features[column.name].to_numpy()
        stands_for = spec.read(spec.missing)
        if column.kind == "category":
            code = -1 if stands_for is None else column.levels.index(str(stands_for))
            filled[column.name] = np.where(values < 0, code, values)
            columns[column.name] = column.levels
        else:
            known = (
                values if stands_for is None else np.where(np.isnan(values), np.float32(stands_for), values)
            )
            filled[column.name] = known
            columns[column.name] = Number.learn(column.name, spec.type, known)
    proposer = Proposer(
        pd.DataFrame(filled),
        labels,
        clusters,
        columns,
        offset,
        least_rows=max(LEAST_ROWS, round(LEAST_SHARE * len(labels))),
    )
    return list(proposer.rounds(max(math.ceil(TRIED * limit), LEAST_TRIED), seed))
