"""Training of the net that the neural and the hybrid track share; only this file of both imports torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from toolkit.tracks._encode import KNOTS, Encoded, Encoder
from toolkit.tracks._net import Net, Recipe

__all__ = ["Target", "count_flops", "train"]

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True)
class Target:
    """Rows and what the net should say about them.

    Parameters
    ----------
    rows : Encoded
    probabilities : ndarray of shape (n_rows,)
        Labels, or a teacher's probabilities.
    weight : float
        Factor of the mean loss of these rows.
    offset : ndarray of shape (n_rows,), optional
        Log-odds to which the net's are added: it then learns what they miss.
    """

    rows: Encoded
    probabilities: NDArray[np.float64] | NDArray[np.int8]
    weight: float = 1.0
    offset: NDArray[np.float64] | None = None


class _Module(nn.Module):
    """The net with gradients; see `Net` for the shapes."""

    def __init__(self, encoder: Encoder, recipe: Recipe, generator: torch.Generator | None) -> None:
        super().__init__()
        dimensions = [min(12, math.ceil(math.sqrt(levels + 1))) for levels in encoder.n_levels]
        n_joined = encoder.n_inputs + sum(dimensions)
        width = recipe.width
        self.dropout = recipe.dropout
        self.generator = generator

        def normal(*shape: int, deviation: float) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).normal_(0, deviation, generator=generator))

        self.bias = nn.Parameter(torch.zeros(()))
        self.linear = nn.Parameter(torch.zeros(encoder.n_inputs * (1 + len(KNOTS))))
        self.levels = nn.ParameterList(nn.Parameter(torch.zeros(n + 1, 1)) for n in encoder.n_levels)
        self.embeddings = nn.ParameterList(
            normal(levels + 1, size, deviation=0.1)
            for levels, size in zip(encoder.n_levels, dimensions, strict=True)
        )
        self.first = normal(n_joined, width, deviation=math.sqrt(2 / max(n_joined, 1)))
        self.first_bias = nn.Parameter(torch.zeros(width))
        self.second = normal(width, width, deviation=math.sqrt(2 / width))
        self.second_bias = nn.Parameter(torch.zeros(width))
        # zero: training starts from the wide part, and little data moves the net little from it
        self.last = nn.Parameter(torch.zeros(width))

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return the log-odds, shape (n_rows,)."""
        wide = torch.cat([numbers, *(torch.relu(numbers - knot) for knot in KNOTS)], dim=1)
        logits = torch.addmv(self.bias.expand(len(numbers)), wide, self.linear)
        joined = [numbers]
        for position, (level, table) in enumerate(zip(self.levels, self.embeddings, strict=True)):
            logits = logits + functional.embedding(codes[:, position], level)[:, 0]
            joined.append(functional.embedding(codes[:, position], table))
        hidden = torch.addmm(self.first_bias, torch.cat(joined, dim=1), self.first)
        hidden = self._drop(torch.relu(hidden))
        hidden = self._drop(torch.relu(torch.addmm(self.second_bias, hidden, self.second)))
        return torch.addmv(logits, hidden, self.last)

    def _drop(self, hidden: Tensor) -> Tensor:
        # functional.dropout draws from the global generator, which is not ours to advance
        if not self.dropout:
            return hidden
        mask = torch.empty_like(hidden).bernoulli_(1 - self.dropout, generator=self.generator)
        return hidden * mask.div_(1 - self.dropout)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights under the names of `Net`."""
        names = {"levels": "level", "embeddings": "embedding"}
        arrays = {}
        for name, tensor in self.named_parameters():
            base, _, position = name.partition(".")
            key = f"{names[base]}_{position}" if position else base
            arrays[key] = tensor.detach().numpy().copy()
        return arrays


def train(encoder: Encoder, recipe: Recipe, targets: list[Target], *, seed: int) -> tuple[Net, int]:
    """Train a net on the weighted sum of the targets' mean losses.

    An epoch is one pass over the first target's rows; every further target gives as many rows
    a step, in its own shuffled order.

    Parameters
    ----------
    encoder : Encoder
    recipe : Recipe
    targets : list of Target
        At least one, none of them empty.
    seed : int
        Of the initial weights, the order of rows and dropout. No global state is touched.

    Returns
    -------
    net : Net
    steps : int
        Optimiser steps done.
    """
    generator = torch.Generator().manual_seed(seed)
    module = _Module(encoder, recipe, generator)
    if targets[0].offset is None:
        rate = float(np.clip(np.average(targets[0].probabilities), 1e-3, 1 - 1e-3))
        with torch.no_grad():
            module.bias.fill_(math.log(rate / (1 - rate)))
    n_rows = len(targets[0].rows)
    optimizer = _optimizer(module, recipe, n_rows)
    batch_rows = min(recipe.batch_rows, n_rows)
    per_epoch = math.ceil(n_rows / batch_rows)
    steps = per_epoch * recipe.epochs
    streams = [_batches(target, batch_rows, generator) for target in targets]
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, steps)
        optimizer.zero_grad()
        for target, stream in zip(targets, streams, strict=True):
            numbers, codes, wanted, offset = next(stream)
            logits = module(numbers, codes) + offset
            loss = functional.binary_cross_entropy_with_logits(logits, wanted)
            (loss * target.weight).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return Net(encoder, module.arrays()), steps


def _optimizer(module: _Module, recipe: Recipe, n_rows: int) -> torch.optim.Optimizer:
    """Return Adam with the penalty in the gradient, where it moves the optimum as it should.

    Decoupled decay (AdamW) shrinks at a pace that has nothing to do with the number of rows.
    """
    decay = recipe.penalty / n_rows
    shapes = [tensor for tensor in module.parameters() if tensor.dim() > 0]
    groups: list[dict[str, Any]] = [
        {"params": shapes, "weight_decay": decay},
        {"params": [module.bias], "weight_decay": 0.0},
    ]
    return torch.optim.Adam(groups, lr=recipe.learning_rate, fused=True)


def _batches(
    target: Target, batch_rows: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield shuffled batches without end."""
    numbers = torch.from_numpy(target.rows.numbers)
    codes = torch.from_numpy(target.rows.codes)
    wanted = torch.from_numpy(target.probabilities.astype(np.float32))
    offset = torch.zeros_like(wanted)
    if target.offset is not None:
        offset = torch.from_numpy(target.offset.astype(np.float32))
    while True:
        order = torch.randperm(len(wanted), generator=generator)
        for start in range(0, len(order), batch_rows):
            rows = order[start : start + batch_rows]
            yield numbers[rows], codes[rows], wanted[rows], offset[rows]


def _schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine down to zero."""
    done = (step + 1) / (steps + 1)
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def count_flops(encoder: Encoder, recipe: Recipe, n_rows: int) -> tuple[float, float]:
    """Count the matrix FLOPs of one probe step on the meta device: nothing is computed.

    Parameters
    ----------
    encoder : Encoder
    recipe : Recipe
    n_rows : int
        Rows of the step.

    Returns
    -------
    step_flop, predict_flop_per_row : float
        Of a training step (forward and backward), and of predicting one row.
    """
    with torch.device("meta"):
        module = _Module(encoder, recipe, None)
        numbers = torch.empty(n_rows, encoder.n_inputs)
        codes = torch.zeros(n_rows, len(encoder.n_levels), dtype=torch.int64)
        with FlopCounterMode(display=False) as counter:
            logits = module(numbers, codes)
            forward = counter.get_total_flops()
            logits.sum().backward()
        return float(counter.get_total_flops()), forward / n_rows
