"""What a fit costs, in nominal CPU-seconds: counted work times what it took on one machine.

A search must stop after the same trials on a slow machine and on a busy one, or the same seed would not give
the same result. So its budget is spent by these formulas, not by a clock; what it really took is metered and
shown beside it (`benchmarks/search_budget.py` prints the ratios). The constants were fitted to one thread of
a 2-core cloud machine (AMD EPYC) in November 2026 and say nothing of any other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import KNOTS
from toolkit.tracks._net import Recipe

__all__ = [
    "Budget",
    "boosting_seconds",
    "forest_seconds",
    "logistic_seconds",
    "net_seconds",
    "reference_seconds",
    "search_budget",
]

ENCODE_CELL = 12e-9
"""Seconds to encode one value of a table."""


class _Step(NamedTuple):
    """Seconds of a training step."""

    call: float
    """Before any row or layer is looked at."""
    layer: float
    flop: float
    """A floating-point operation, averaged over sizes of matrices."""
    unit: float
    """A row and unit of a layer: activations, gathering rows, embeddings."""


BY_HAND = _Step(call=260e-6, layer=21e-6, flop=0.0106e-9, unit=0.55e-9)
"""Of a net whose gradient is worked out by hand."""

BY_AUTOGRAD = _Step(call=580e-6, layer=0.0, flop=0.018e-9, unit=0.7e-9)
"""Of an ensemble, and of a net on the raw signal (`toolkit.tracks._backprop.is_single`)."""

WEIGHT = 1.2e-9
"""Seconds a step and weight of a matrix: clearing the gradient, and the optimiser."""

DROPOUT_LAYER = 17e-6
DROPOUT_UNIT = 10e-9
"""Seconds a row and hidden unit of drawing what is dropped."""

CATEGORY = 30e-6
"""Seconds a step and category beyond the first: what is looked up, and its gradient."""

WATCHED_EPOCH = 500e-6
"""Seconds of an epoch's look at held-out rows before any row is looked at; it copies the best net."""

LOOK = 2.5
"""What a look takes of a row, as a multiple of the same operations in training."""

FILTER = 0.4e-6
"""Seconds a row and filter of a raw signal of half a year."""

LOGISTIC_CALL = 6e-3
"""Seconds of a fit before any row is looked at; a forest has that for every tree, boosting for every leaf."""

LOGISTIC_CELL = 1.6e-9
LOGISTIC_PASSES = 60.0
"""Evaluations of loss and gradient that L-BFGS makes, about."""

BOOSTING_CELL = 2.4e-9
BOOSTING_BIN = 5.5e-9
BINS = 255
BOOSTING_CALL = 12e-3
BOOSTING_LEAF = 13e-6

FOREST_CELL = 26e-9
SPLIT_NODE = 0.4e-6
FOREST_TREE = 0.7e-3


class Budget:
    """Nominal CPU-seconds that a search may use."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._whole = seconds

    @property
    def left(self) -> float:
        """What is left."""
        return max(0.0, self._left)

    @property
    def spent(self) -> float:
        """What was taken and settled; more than the whole when something took longer than expected."""
        return self._whole - self._left

    def take(self, seconds: float) -> bool:
        """Take `seconds` from what is left, or nothing when they do not fit; tell which."""
        fits = seconds <= self._left and self._left > 0
        self._left -= seconds if fits else 0.0
        return fits

    def settle(self, seconds: float) -> None:
        """Book what a trial used beyond what was taken for it; less than zero gives back."""
        self._left -= seconds


def _sizes(schema: Schema) -> tuple[int, int]:
    """Return the numbers and the embedding dimensions of a table."""
    dimensions = [min(12, math.ceil(math.sqrt(len(column.levels) + 1))) for column in schema.categories]
    return len(schema.numbers), sum(dimensions)


def net_seconds(recipe: Recipe, n_rows: int, schema: Schema, n_watched: int = 0) -> float:
    """Return the seconds of training a net on `n_rows` labelled rows, watched by `n_watched` others."""
    n_numbers, dimensions = _sizes(schema)
    n_signals = recipe.filters * len(schema.channels)
    n_numbers += n_signals
    n_wide = n_numbers * (1 + len(KNOTS))
    joined = n_wide + dimensions
    is_single = recipe.members == 1 and n_signals == 0
    step = BY_HAND if is_single else BY_AUTOGRAD
    hidden = recipe.members * recipe.depth * recipe.width
    matrices = joined * recipe.width + (recipe.depth - 1) * recipe.width**2
    forward = n_wide + recipe.members * matrices
    # backward to weights and to inputs; by hand, not to the numbers
    products = 3 * forward - (n_wide * (1 + recipe.width) if is_single else 0)
    units = n_wide + hidden + (0 if recipe.members == 1 else recipe.members * joined)
    dropped = hidden if recipe.dropout else 0
    layers = recipe.depth * (step.layer + (DROPOUT_LAYER if recipe.dropout else 0.0))
    steps = math.ceil(n_rows / min(recipe.batch_rows, max(n_rows, 1)))
    row = 2 * products * step.flop + 3 * units * step.unit + n_signals * FILTER + dropped * DROPOUT_UNIT
    categories = max(0, len(schema.categories) - 1) * CATEGORY
    epoch = steps * (step.call + layers + categories + matrices * WEIGHT) + n_rows * row
    if n_watched:
        look = LOOK * (2 * forward * step.flop + units * step.unit) + n_signals * FILTER / 3
        epoch += WATCHED_EPOCH + n_watched * look
    return ENCODE_CELL * (n_rows + n_watched) * len(schema.columns) + recipe.epochs * epoch


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
