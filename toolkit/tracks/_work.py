"""What a fit costs, in nominal CPU-seconds: counted work times what it took on one machine.

A search must stop after the same trials on a slow machine and on a busy one, or the same seed would not give
the same result. So its budget is spent by these formulas, not by a clock; what it really took is metered and
shown beside it (`benchmarks/search_budget.py` prints the ratios). The constants were fitted to one thread of
a 2-core cloud machine (AMD EPYC) in November 2026 and say nothing of any other.
"""

from __future__ import annotations

import math

from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import KNOTS
from toolkit.tracks._net import Recipe

__all__ = [
    "boosting_seconds",
    "forest_seconds",
    "logistic_seconds",
    "net_seconds",
    "reference_seconds",
    "search_budget",
]

ENCODE_CELL = 12e-9
"""Seconds to encode one value of a table."""

STEP = 570e-6
"""Seconds of an optimiser step before any row is looked at, by autograd.

By hand (`toolkit.tracks._backprop`) a step takes about half of all this; a single net is charged as before.
"""

FLOP = 0.0126e-9
"""Seconds a floating-point operation of a training step, averaged over sizes of matrices."""

UNIT = 1.27e-9
"""Seconds a row and unit of a layer: activations, gathering rows, embeddings."""

FILTER = 0.4e-6
"""Seconds a row and filter of a raw signal of half a year."""

LOGISTIC_CALL = 6e-3
"""Seconds of a fit before any row is looked at; a forest has that for every tree, boosting for every leaf."""

LOGISTIC_CELL = 1.6e-9
LOGISTIC_PASSES = 60.0
"""Evaluations of loss and gradient that L-BFGS makes, about."""

BOOSTING_CELL = 4e-9
BOOSTING_BIN = 18e-9
BINS = 255
BOOSTING_CALL = 10e-3
BOOSTING_LEAF = 40e-6

FOREST_CELL = 55e-9
SPLIT_NODE = 1.0e-6
FOREST_TREE = 1.7e-3


def _sizes(schema: Schema) -> tuple[int, int]:
    """Return the numbers and the embedding dimensions of a table."""
    dimensions = [min(12, math.ceil(math.sqrt(len(column.levels) + 1))) for column in schema.categories]
    return len(schema.numbers), sum(dimensions)


def net_seconds(recipe: Recipe, n_rows: int, schema: Schema) -> float:
    """Return the seconds of training a net on `n_rows` labelled rows."""
    n_numbers, dimensions = _sizes(schema)
    n_signals = recipe.filters * len(schema.channels)
    n_numbers += n_signals
    n_wide = n_numbers * (1 + len(KNOTS))
    joined = n_wide + dimensions
    steps = recipe.epochs * math.ceil(n_rows / min(recipe.batch_rows, max(n_rows, 1)))
    matrices = joined * recipe.width + (recipe.depth - 1) * recipe.width**2
    # forward, and backward to weights and to inputs
    flop = 2 * 3 * (n_wide + recipe.members * matrices)
    units = 3 * (n_wide + recipe.members * (joined * (recipe.members > 1) + recipe.depth * recipe.width))
    per_step = STEP + matrices * UNIT
    return (
        ENCODE_CELL * n_rows * len(schema.columns)
        + steps * per_step
        + recipe.epochs * n_rows * (flop * FLOP + units * UNIT + n_signals * FILTER)
    )


def reference_seconds(n_rows: int, schema: Schema) -> float:
    """Return what one multiple of the search budget is worth: a fit of the strong net to `n_rows` rows.

    The same for every learned track of a rung, whatever it costs to fit that track once.
    """
    return net_seconds(Recipe.for_rows(n_rows, "strong"), n_rows, schema)


def search_budget(multiple: float, train: TrainingData) -> float:
    """Return the nominal CPU-seconds that a search at a rung may use.

    Parameters
    ----------
    multiple : float
        The experiment's `search`.
    train : TrainingData
        The rung's rows.
    """
    return multiple * reference_seconds(len(train), train.schema)


def logistic_seconds(n_rows: int, schema: Schema) -> float:
    """Return the seconds of a logistic regression on bent lines."""
    n_columns = len(schema.numbers) * (1 + len(KNOTS)) / 2 + len(schema.categories)
    return LOGISTIC_CALL + n_rows * (
        ENCODE_CELL * len(schema.columns) * (1 + len(KNOTS)) + LOGISTIC_CELL * LOGISTIC_PASSES * n_columns
    )


def boosting_seconds(n_rows: int, schema: Schema, *, n_trees: float, leaves: int) -> float:
    """Return the seconds of histogram boosting; of a split, half of the rows are counted."""
    n_columns = len(schema.columns)
    depth = math.log2(max(leaves, 2))
    a_leaf = n_columns * BINS * BOOSTING_BIN + BOOSTING_LEAF
    a_tree = n_rows * n_columns * BOOSTING_CELL * (1 + depth / 2) + leaves * a_leaf
    return BOOSTING_CALL + 5 * ENCODE_CELL * n_rows * n_columns + n_trees * a_tree


def forest_seconds(n_rows: int, schema: Schema, *, n_trees: int, leaf_rows: int, share: float) -> float:
    """Return the seconds of a forest of exhaustive splits over a share of the columns."""
    depth = math.log2(max(n_rows / leaf_rows, 2))
    a_tree = n_rows * depth * max(1.0, share * len(schema.columns)) * FOREST_CELL
    return n_trees * (FOREST_TREE + a_tree + n_rows / leaf_rows * SPLIT_NODE)
