"""Training of the net on the raw signal; `toolkit.tracks._sequence` says what it is."""

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
from toolkit.tracks._filters_torch import FilterBankModule
from toolkit.tracks._sequence import SequenceNet, SequenceRecipe

__all__ = ["SequenceTarget", "count_flops", "train"]

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""

SETTLE_ROWS = 5_000
"""Rows that the scales of the filters are taken from."""

JUDGED_ROWS = 8_192


@dataclass(frozen=True)
class SequenceTarget:
    """Rows and what the net should say about them.

    Parameters
    ----------
    rows : Encoded
        Without numbers where the signal is to replace the features.
    sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8
    probabilities : ndarray of shape (n_rows,)
        Labels, or a teacher's probabilities.
    weight : float
        Factor of the mean loss of these rows.
    """

    rows: Encoded
    sequence: NDArray[np.uint8]
    probabilities: NDArray[np.float64] | NDArray[np.int8]
    weight: float = 1.0


class _Module(nn.Module):
    """Filters, numbers and categories -> log-odds; see `SequenceNet` for the shapes."""

    def __init__(
        self,
        encoder: Encoder,
        recipe: SequenceRecipe,
        shape: tuple[int, int],
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.bank = FilterBankModule(*shape, recipe.n_filters)
        n_numbers = self.bank.n_outputs + encoder.n_inputs
        dimensions = [min(12, math.ceil(math.sqrt(levels + 1))) for levels in encoder.n_levels]
        n_joined, width = n_numbers + sum(dimensions), recipe.width
        self.dropout = recipe.dropout
        self.generator = generator

        def normal(*shape: int, deviation: float) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).normal_(0, deviation, generator=generator))

        self.bias = nn.Parameter(torch.zeros(()))
        self.linear = nn.Parameter(torch.zeros(n_numbers * (1 + len(KNOTS))))
        self.levels = nn.ParameterList(nn.Parameter(torch.zeros(n + 1, 1)) for n in encoder.n_levels)
        self.embeddings = nn.ParameterList(
            normal(levels + 1, size, deviation=0.1)
            for levels, size in zip(encoder.n_levels, dimensions, strict=True)
        )
        self.first = normal(n_joined, width, deviation=math.sqrt(2 / n_joined))
        self.first_bias = nn.Parameter(torch.zeros(width))
        self.second = normal(width, width, deviation=math.sqrt(2 / width))
        self.second_bias = nn.Parameter(torch.zeros(width))
        # zero: training starts from the wide part, and little data moves the net little from it
        self.last = nn.Parameter(torch.zeros(width))

    def forward(self, sequence: Tensor, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return the log-odds, shape (n_rows,)."""
        numbers = torch.cat([self.bank(sequence), numbers], dim=1)
        wide = torch.cat([numbers, *(torch.relu(numbers - knot) for knot in KNOTS)], dim=1)
        # products of matrices, not of a matrix and a vector: the counter of operations knows only these
        logits = torch.addmm(self.bias, wide, self.linear[:, None])
        joined = [numbers]
        for position, (level, table) in enumerate(zip(self.levels, self.embeddings, strict=True)):
            logits = logits + functional.embedding(codes[:, position], level)
            joined.append(functional.embedding(codes[:, position], table))
        hidden = torch.addmm(self.first_bias, torch.cat(joined, dim=1), self.first)
        hidden = self._drop(torch.relu(hidden))
        hidden = self._drop(torch.relu(torch.addmm(self.second_bias, hidden, self.second)))
        return torch.addmm(logits, hidden, self.last[:, None])[:, 0]

    def _drop(self, hidden: Tensor) -> Tensor:
        # functional.dropout draws from the global generator, which is not ours to advance
        if not self.dropout or not self.training:
            return hidden
        mask = torch.empty_like(hidden).bernoulli_(1 - self.dropout, generator=self.generator)
        return hidden * mask.div_(1 - self.dropout)

    def net(self, encoder: Encoder) -> SequenceNet:
        """Return the net as plain arrays."""
        names = {"levels": "level", "embeddings": "embedding"}
        weights = {}
        for name, tensor in self.named_parameters():
            base, _, position = name.partition(".")
            if base != "bank":
                weights[f"{names[base]}_{position}" if position else base] = tensor.detach().numpy().copy()
        return SequenceNet(encoder, self.bank.trained(), weights)


def train(
    encoder: Encoder,
    recipe: SequenceRecipe,
    targets: list[SequenceTarget],
    *,
    seed: int,
    held_out: SequenceTarget | None = None,
) -> tuple[SequenceNet, int]:
    """Train a net on the weighted sum of the targets' mean losses.

    An epoch is one pass over the first target's rows; every further target gives as many rows
    a step, in its own shuffled order.

    Parameters
    ----------
    encoder : Encoder
    recipe : SequenceRecipe
    targets : list of SequenceTarget
        At least one, none of them empty.
    seed : int
        Of the initial weights, the order of rows and dropout. No global state is touched.
    held_out : SequenceTarget, optional
        Rows of other clusters, from inside the rung. With them training ends after
        ``recipe.patience`` epochs without a smaller loss on them, and the best epoch's net is returned.

    Returns
    -------
    net : SequenceNet
    steps : int
        Optimiser steps done.
    """
    generator = torch.Generator().manual_seed(seed)
    module = _Module(encoder, recipe, _shape(targets[0].sequence), generator)
    rate = float(np.clip(np.average(targets[0].probabilities), 1e-3, 1 - 1e-3))
    with torch.no_grad():
        module.bias.fill_(math.log(rate / (1 - rate)))
    n_rows = len(targets[0].rows)
    stride = max(1, n_rows // SETTLE_ROWS)
    module.bank.settle(torch.from_numpy(targets[0].sequence[::stride]))
    optimizer = _optimizer(module, recipe, n_rows)
    batch_rows = min(recipe.batch_rows, n_rows)
    per_epoch = math.ceil(n_rows / batch_rows)
    steps = per_epoch * recipe.epochs
    streams = [_batches(target, batch_rows, generator) for target in targets]
    stop = None if held_out is None else _EarlyStop(held_out, recipe.patience, encoder)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, steps)
        optimizer.zero_grad()
        for target, stream in zip(targets, streams, strict=True):
            *inputs, wanted = next(stream)
            loss = functional.binary_cross_entropy_with_logits(module(*inputs), wanted)
            (loss * target.weight).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if stop is not None and (step + 1) % per_epoch == 0 and stop.after_epoch(module):
            return stop.best, step + 1
    return (module.net(encoder) if stop is None else stop.best), steps


class _EarlyStop:
    """Keeps the net of the epoch with the smallest held-out loss."""

    def __init__(self, held_out: SequenceTarget, patience: int, encoder: Encoder) -> None:
        self.best: SequenceNet
        self._held_out = held_out
        self._patience = patience
        self._encoder = encoder
        self._least = math.inf
        self._since = 0

    def after_epoch(self, module: _Module) -> bool:
        """Judge the net as it is, and tell whether training should end."""
        loss = _mean_loss(module, self._held_out)
        self._since += 1
        if loss < self._least:
            self.best, self._least, self._since = module.net(self._encoder), loss, 0
        return self._since >= self._patience


def _mean_loss(module: _Module, target: SequenceTarget) -> float:
    total = 0.0
    module.eval()
    with torch.no_grad():
        for start in range(0, len(target.rows), JUDGED_ROWS):
            *inputs, wanted = _rows(target, slice(start, start + JUDGED_ROWS))
            total += float(
                functional.binary_cross_entropy_with_logits(module(*inputs), wanted, reduction="sum")
            )
    module.train()
    return total / len(target.rows)


def _shape(sequence: NDArray[np.uint8]) -> tuple[int, int]:
    return sequence.shape[1], sequence.shape[2]


def _optimizer(module: _Module, recipe: SequenceRecipe, n_rows: int) -> torch.optim.Optimizer:
    """Return Adam with the penalty in the gradient, where it moves the optimum as it should.

    A filter's rate is a place on the time axis: zero is no better a value than another.
    """
    free = [module.bias, module.bank.rates]
    shapes = [tensor for tensor in module.parameters() if all(tensor is not one for one in free)]
    groups: list[dict[str, Any]] = [
        {"params": shapes, "weight_decay": recipe.penalty / n_rows},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.Adam(groups, lr=recipe.learning_rate, fused=True)


def _rows(target: SequenceTarget, rows: slice | Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(target.sequence)[rows],
        torch.from_numpy(target.rows.numbers)[rows],
        torch.from_numpy(target.rows.codes)[rows],
        torch.from_numpy(target.probabilities.astype(np.float32))[rows],
    )


def _batches(
    target: SequenceTarget, batch_rows: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield shuffled batches without end."""
    everything = _rows(target, slice(None))
    while True:
        order = torch.randperm(len(everything[-1]), generator=generator)
        for start in range(0, len(order), batch_rows):
            rows = order[start : start + batch_rows]
            sequence, numbers, codes, wanted = everything
            yield sequence[rows], numbers[rows], codes[rows], wanted[rows]


def _schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine down to zero."""
    done = (step + 1) / (steps + 1)
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def count_flops(
    encoder: Encoder, recipe: SequenceRecipe, shape: tuple[int, int], n_rows: int
) -> tuple[float, float]:
    """Count the matrix FLOPs of one probe step on the meta device: nothing is computed.

    Parameters
    ----------
    encoder : Encoder
    recipe : SequenceRecipe
    shape : (int, int)
        Channels and steps of the signal.
    n_rows : int
        Rows of the step.

    Returns
    -------
    step_flop, predict_flop_per_row : float
        Of a training step (forward and backward), and of predicting one row.
    """
    with torch.device("meta"):
        module = _Module(encoder, recipe, shape, None)
        sequence = torch.zeros(n_rows, *shape, dtype=torch.uint8)
        numbers = torch.empty(n_rows, encoder.n_inputs)
        codes = torch.zeros(n_rows, len(encoder.n_levels), dtype=torch.int64)
        with FlopCounterMode(display=False) as counter:
            logits = module(sequence, numbers, codes)
            forward = counter.get_total_flops()
            logits.sum().backward()
        return float(counter.get_total_flops()), forward / n_rows
