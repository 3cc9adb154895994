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
from toolkit.tracks._filters_torch import FilterBankModule
from toolkit.tracks._judge import clearly_below_zero
from toolkit.tracks._net import Net, Recipe

__all__ = ["HeldOut", "Target", "Trained", "TrainingModule", "count_flops", "device", "signal_of", "train"]

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""

PATIENCE = 0.2
"""Share of the epochs, at least 2, that may end clearly above the best before training stops."""

HELD_OUT_BLOCK = 8192

SETTLE_ROWS = 5_000
"""Rows that the scales of the filters are taken from."""

Signal = tuple[int, int]
"""Channels and steps of the raw signal."""


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
    """

    rows: Encoded
    probabilities: NDArray[np.float64] | NDArray[np.int8]
    weight: float = 1.0


@dataclass(frozen=True)
class HeldOut:
    """Labelled rows of other clusters that training is watched by.

    Parameters
    ----------
    rows : Encoded
    labels : ndarray of shape (n_rows,)
    clusters : ndarray of shape (n_rows,)
    """

    rows: Encoded
    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Parameters
    ----------
    net : Net
    steps : int
        Optimiser steps done.
    best_epoch : int
        Epochs after which the weights were taken: all of them, unless an earlier end was clearly better.
    epochs : int
        Epochs done.
    """

    net: Net
    steps: int
    best_epoch: int
    epochs: int


class TrainingModule(nn.Module):
    """The net with gradients; see `toolkit.tracks._net.Net` for the shapes."""

    def __init__(
        self,
        encoder: Encoder,
        recipe: Recipe,
        generator: torch.Generator | None,
        *,
        device: str = "cpu",
        signal: Signal | None = None,
    ) -> None:
        super().__init__()
        n_numbers = encoder.n_inputs
        self.bank: FilterBankModule | None = None
        if recipe.filters and signal is not None:
            self.bank = FilterBankModule(*signal, recipe.filters)
            n_numbers += self.bank.n_outputs
        dimensions = [min(12, math.ceil(math.sqrt(levels + 1))) for levels in encoder.n_levels]
        n_wide = n_numbers * (1 + len(KNOTS))
        inputs = [n_wide + sum(dimensions), *[recipe.width] * (recipe.depth - 1)]
        members, width = recipe.members, recipe.width
        self.dropout = recipe.dropout
        self.members = members
        # dropout draws where the rows are; the order of rows and the first weights come from the other
        self.generator = generator
        if generator is not None and device != "cpu":
            self.generator = torch.Generator(device).manual_seed(generator.initial_seed())

        def normal(*shape: int, deviation: float) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).normal_(0, deviation, generator=generator))

        self.bias = nn.Parameter(torch.zeros(()))
        self.linear = nn.Parameter(torch.zeros(n_wide))
        self.level = nn.ParameterList(nn.Parameter(torch.zeros(n + 1, 1)) for n in encoder.n_levels)
        self.embedding = nn.ParameterList(
            normal(levels + 1, size, deviation=0.1)
            for levels, size in zip(encoder.n_levels, dimensions, strict=True)
        )
        self.hidden = nn.ParameterList(
            normal(size, width, deviation=math.sqrt(2 / max(size, 1))) for size in inputs
        )
        self.shift = nn.ParameterList(nn.Parameter(torch.zeros(members, width)) for _ in inputs)
        # zero: training starts from the wide part, and little data moves the net little from it
        self.last = nn.Parameter(torch.zeros(members, width))
        if members > 1:
            # random signs make the members differ, as TabM does
            signs = torch.empty(members, inputs[0]).bernoulli_(0.5, generator=generator)
            self.input_gain = nn.Parameter(2 * signs - 1)
            self.gain = nn.ParameterList(nn.Parameter(torch.ones(members, width)) for _ in inputs)

    def forward(self, numbers: Tensor, codes: Tensor, sequence: Tensor | None = None) -> Tensor:
        """Return the log-odds, shape (n_rows,), or (members, n_rows) of an ensemble."""
        if self.bank is not None and sequence is not None:
            numbers = torch.cat([self.bank(sequence), numbers], dim=1)
        wide = torch.cat([numbers, *(torch.relu(numbers - knot) for knot in KNOTS)], dim=1)
        # products of matrices, not of a matrix and a vector: the counter of operations knows only these
        logits = torch.addmm(self.bias, wide, self.linear[:, None])
        joined = [wide]
        for position, (level, table) in enumerate(zip(self.level, self.embedding, strict=True)):
            logits = logits + functional.embedding(codes[:, position], level)
            joined.append(functional.embedding(codes[:, position], table))
        inputs = torch.cat(joined, dim=1)
        if self.members > 1:
            return logits[:, 0] + self._members(inputs)
        hidden = self._drop(torch.relu(torch.addmm(self.shift[0][0], inputs, self.hidden[0])))
        for matrix, shift in zip(self.hidden[1:], self.shift[1:], strict=True):
            hidden = hidden + self._drop(torch.relu(torch.addmm(shift[0], hidden, matrix)))
        return torch.addmm(logits, hidden, self.last.T)[:, 0]

    def _members(self, inputs: Tensor) -> Tensor:
        """Return what every member adds, shape (members, n_rows)."""
        hidden = inputs * self.input_gain.unsqueeze(1)
        for layer, (matrix, shift, gain) in enumerate(zip(self.hidden, self.shift, self.gain, strict=True)):
            product = (hidden.reshape(-1, hidden.shape[-1]) @ matrix).view(self.members, -1, matrix.shape[1])
            moved = self._drop(torch.relu(torch.addcmul(shift.unsqueeze(1), product, gain.unsqueeze(1))))
            hidden = moved if layer == 0 else hidden + moved
        return torch.bmm(hidden, self.last.unsqueeze(2))[:, :, 0]

    def _drop(self, hidden: Tensor) -> Tensor:
        # functional.dropout draws from the global generator, which is not ours to advance
        if not self.dropout or not self.training:
            return hidden
        mask = torch.empty_like(hidden).bernoulli_(1 - self.dropout, generator=self.generator)
        return hidden * mask.div_(1 - self.dropout)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return a copy of the weights under the names of `Net`."""
        return {
            name.replace(".", "_"): tensor.detach().cpu().numpy().copy()
            for name, tensor in self.named_parameters()
            if not name.startswith("bank.")
        }

    def net(self, encoder: Encoder) -> Net:
        """Return the net as plain arrays."""
        return Net(encoder, self.arrays(), None if self.bank is None else self.bank.trained())


def device() -> str:
    """Return where nets are trained: a GPU where torch finds one. On it, sums may differ in the last bits."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def train(
    encoder: Encoder,
    recipe: Recipe,
    targets: list[Target],
    *,
    seed: int,
    held_out: HeldOut | None = None,
) -> Trained:
    """Train a net on the weighted sum of the targets' mean losses.

    An epoch is one pass over the first target's rows; every further target gives as many rows
    a step, in its own shuffled order. A GPU is used where torch finds one.

    Parameters
    ----------
    encoder : Encoder
    recipe : Recipe
    targets : list of Target
        At least one, none of them empty.
    seed : int
        Of the initial weights, the order of rows and dropout. No global state is touched.
    held_out : HeldOut, optional
        Rows to stop early by.

    Returns
    -------
    Trained
    """
    place = device()
    generator = torch.Generator().manual_seed(seed)
    module = TrainingModule(encoder, recipe, generator, device=place, signal=signal_of(targets[0].rows))
    if module.bank is not None and targets[0].rows.sequence is not None:
        stride = max(1, len(targets[0].rows) // SETTLE_ROWS)
        module.bank.settle(torch.from_numpy(targets[0].rows.sequence[::stride]))
    rate = float(np.clip(np.average(targets[0].probabilities), 1e-3, 1 - 1e-3))
    with torch.no_grad():
        module.bias.fill_(math.log(rate / (1 - rate)))
    module.to(place)
    n_rows = len(targets[0].rows)
    optimizer = _optimizer(module, recipe, n_rows)
    batch_rows = min(recipe.batch_rows, n_rows)
    per_epoch = math.ceil(n_rows / batch_rows)
    planned = per_epoch * recipe.epochs
    streams = [_batches(target, batch_rows, generator, place) for target in targets]
    watch = None if held_out is None else _Watch(held_out, encoder, recipe.epochs, place)
    for epoch in range(1, recipe.epochs + 1):
        module.train()
        for step in range(per_epoch * (epoch - 1), per_epoch * epoch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * _schedule(step, planned)
            optimizer.zero_grad()
            for target, stream in zip(targets, streams, strict=True):
                wanted, *inputs = next(stream)
                logits = module(*inputs)
                loss = functional.binary_cross_entropy_with_logits(logits, wanted.expand_as(logits))
                (loss * target.weight).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if watch is not None and watch.ends(module, epoch):
            break
    net, best = (module.net(encoder), epoch) if watch is None else watch.choice(module, epoch)
    return Trained(net, steps=per_epoch * epoch, best_epoch=best, epochs=epoch)


class _Watch:
    """Tells by held-out rows whether training has gone on for too long.

    An epoch counts as worse than the best one only by more than one standard error over clusters: with few
    clusters the lowest point of a curve is mostly luck, and training that is broken off there has not
    come to rest.
    """

    def __init__(self, held_out: HeldOut, encoder: Encoder, epochs: int, device: str) -> None:
        self._encoder = encoder
        self._patience = max(2, math.ceil(PATIENCE * epochs))
        self._inputs = _tensors(held_out.rows, device)
        self._wanted = torch.from_numpy(held_out.labels.astype(np.float32)).to(device)
        self._clusters = np.unique(held_out.clusters, return_inverse=True)[1]
        self._best: tuple[int, NDArray[np.float64], Net] | None = None
        self._last_is_worse = False
        self._worse = 0

    def ends(self, module: TrainingModule, epoch: int) -> bool:
        """Look at the module after an epoch; tell whether it has clearly become worse for some time."""
        losses = self._losses(module)
        if self._best is None or losses.sum() < self._best[1].sum():
            self._best = epoch, losses, module.net(self._encoder)
        self._last_is_worse = clearly_below_zero(self._best[1] - losses)
        self._worse = self._worse + 1 if self._last_is_worse else 0
        return self._worse >= self._patience

    def choice(self, module: TrainingModule, epoch: int) -> tuple[Net, int]:
        """Return the net to keep and its epoch: the last one, unless the best was clearly better."""
        if self._best is None or not self._last_is_worse:
            return module.net(self._encoder), epoch
        return self._best[2], self._best[0]

    @torch.no_grad()
    def _losses(self, module: TrainingModule) -> NDArray[np.float64]:
        """Return the summed log loss of every cluster, shape (n_clusters,)."""
        module.eval()
        parts = []
        for start in range(0, len(self._wanted), HELD_OUT_BLOCK):
            rows = slice(start, start + HELD_OUT_BLOCK)
            chances = torch.sigmoid(module(*(part[rows] for part in self._inputs)))
            # an ensemble is judged by its mean probability, which is what it predicts
            mean = chances if chances.dim() == 1 else chances.mean(dim=0)
            parts.append(functional.binary_cross_entropy(mean, self._wanted[rows], reduction="none"))
        losses = torch.cat(parts).cpu().numpy()
        return np.bincount(self._clusters, weights=losses).astype(np.float64)


def _optimizer(module: TrainingModule, recipe: Recipe, n_rows: int) -> torch.optim.Optimizer:
    """Return Adam with the penalty in the gradient, where it moves the optimum as it should.

    Decoupled decay (AdamW) shrinks at a pace that has nothing to do with the number of rows.
    The bias, the gains of an ensemble, which are at rest at 1 or -1, and the rates of filters are left alone.
    """
    decay = recipe.penalty / n_rows
    free = ("bias", "input_gain", "gain", "bank")
    named = {name: name.split(".")[0] in free for name, _ in module.named_parameters()}
    groups: list[dict[str, Any]] = [
        {
            "params": [tensor for name, tensor in module.named_parameters() if named[name] == is_free],
            "weight_decay": 0.0 if is_free else decay,
        }
        for is_free in (False, True)
    ]
    return torch.optim.Adam(groups, lr=recipe.learning_rate, fused=True)


def _tensors(rows: Encoded, device: str) -> list[Tensor]:
    """Return what the module is called with."""
    arrays = [rows.numbers, rows.codes, *([] if rows.sequence is None else [rows.sequence])]
    return [torch.from_numpy(array).to(device) for array in arrays]


def signal_of(rows: Encoded) -> Signal | None:
    """Return the channels and steps of the raw signal, if rows carry one."""
    return None if rows.sequence is None else (rows.sequence.shape[1], rows.sequence.shape[2])


def _batches(
    target: Target, batch_rows: int, generator: torch.Generator, device: str
) -> Iterator[list[Tensor]]:
    """Yield shuffled batches without end: what is wanted, then what the module is called with."""
    wanted = torch.from_numpy(target.probabilities.astype(np.float32)).to(device)
    parts = [wanted, *_tensors(target.rows, device)]
    while True:
        order = torch.randperm(len(wanted), generator=generator).to(device)
        for start in range(0, len(order), batch_rows):
            rows = order[start : start + batch_rows]
            yield [part[rows] for part in parts]


def _schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine down to zero."""
    done = (step + 1) / (steps + 1)
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def count_flops(
    encoder: Encoder, recipe: Recipe, n_rows: int, signal: Signal | None = None
) -> tuple[float, float]:
    """Count the matrix FLOPs of one probe step on the meta device: nothing is computed.

    Parameters
    ----------
    encoder : Encoder
    recipe : Recipe
    n_rows : int
        Rows of the step.
    signal : (int, int), optional
        Channels and steps of the raw signal.

    Returns
    -------
    step_flop, predict_flop_per_row : float
        Of a training step (forward and backward), and of predicting one row.
    """
    with torch.device("meta"):
        module = TrainingModule(encoder, recipe, None, signal=signal)
        numbers = torch.empty(n_rows, encoder.n_inputs)
        codes = torch.zeros(n_rows, len(encoder.n_levels), dtype=torch.int64)
        sequence = None if signal is None else torch.zeros(n_rows, *signal, dtype=torch.uint8)
        with FlopCounterMode(display=False) as counter:
            logits = module(numbers, codes, sequence)
            forward = counter.get_total_flops()
            logits.sum().backward()
        return float(counter.get_total_flops()), forward / n_rows
