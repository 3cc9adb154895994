"""Training of the net that the neural and the hybrid track share; neither imports torch before it trains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toolkit.errors import DivergedError
from toolkit.tracks._backprop import gradient_adder
from toolkit.tracks._encode import Encoded, Encoder, some_rows
from toolkit.tracks._module import TrainingModule, flattened, signal_of, tensors
from toolkit.tracks._net import Net, Recipe
from toolkit.tracks._watch import HeldOut, Watch

__all__ = ["HeldOut", "Target", "Trained", "TrainingModule", "device", "signal_of", "train"]

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""

SETTLE_ROWS = 5_000
"""Rows that the scales of the filters are taken from."""


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


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Parameters
    ----------
    net : Net
        After the last epoch.
    steps : int
        Optimiser steps done.
    epochs : int
        Epochs done.
    best : Net or None
        After the epoch that did best on the held-out rows; None without them.
    """

    net: Net
    steps: int
    epochs: int
    best: Net | None = None


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
        Rows to watch training by; it ends when they have clearly become worse for some time.

    Returns
    -------
    Trained
    """
    place = device()
    generator = torch.Generator().manual_seed(seed)
    module = TrainingModule(encoder, recipe, generator, device=place, signal=signal_of(targets[0].rows))
    if module.bank is not None and targets[0].rows.sequence is not None:
        rows = some_rows(len(targets[0].rows), SETTLE_ROWS)
        module.bank.settle(torch.from_numpy(targets[0].rows.sequence[rows]))
    if targets[0].offset is None:
        rate = float(np.clip(np.average(targets[0].probabilities), 1e-3, 1 - 1e-3))
        with torch.no_grad():
            module.bias.fill_(math.log(rate / (1 - rate)))
    module.to(place)
    n_rows = len(targets[0].rows)
    optimizer = _optimizer(module, recipe, n_rows)
    add_gradient = gradient_adder(module)
    batch_rows = min(recipe.batch_rows, n_rows)
    per_epoch = math.ceil(n_rows / batch_rows)
    planned = per_epoch * recipe.epochs
    streams = [_batches(target, batch_rows, generator, place) for target in targets]
    watch = None if held_out is None else Watch(held_out, encoder, recipe.epochs, place)
    for epoch in range(1, recipe.epochs + 1):
        module.train()
        for step in range(per_epoch * (epoch - 1), per_epoch * epoch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * _schedule(step, planned)
                group["params"][0].grad.zero_()
            for target, stream in zip(targets, streams, strict=True):
                wanted, offset, *inputs = next(stream)
                add_gradient(inputs, wanted, offset, target.weight)
            optimizer.step()
        if not all(bool(torch.isfinite(group["params"][0]).all()) for group in optimizer.param_groups):
            raise DivergedError(
                f"training has diverged after {epoch} of {recipe.epochs} epochs (learning_rate "
                f"{recipe.learning_rate:g}, penalty {recipe.penalty:g}); try a lower learning_rate"
            )
        if watch is not None and watch.ends(module):
            break
    best = None if watch is None else watch.best
    return Trained(module.net(encoder), steps=per_epoch * epoch, epochs=epoch, best=best)


def _optimizer(module: TrainingModule, recipe: Recipe, n_rows: int) -> torch.optim.Optimizer:
    """Return Adam with the penalty in the gradient, where it moves the optimum as it should.

    Decoupled decay (AdamW) shrinks at a pace that has nothing to do with the number of rows.
    The bias, the gains of an ensemble, which are at rest at 1 or -1, and the rates of filters are left alone.
    """
    # one long tensor a group: a step of Adam costs as much for ten small tensors as for ten large ones
    decay = recipe.penalty / n_rows
    free = ("bias", "input_gain", "gain", "bank")
    named = {name: name.split(".")[0] in free for name, _ in module.named_parameters()}
    groups: list[dict[str, Any]] = [
        {
            "params": [
                flattened([tensor for name, tensor in module.named_parameters() if named[name] == is_free])
            ],
            "weight_decay": 0.0 if is_free else decay,
        }
        for is_free in (False, True)
    ]
    return torch.optim.Adam(groups, lr=recipe.learning_rate, fused=True)


def _batches(
    target: Target, batch_rows: int, generator: torch.Generator, device: str
) -> Iterator[list[Tensor]]:
    """Yield shuffled batches without end: what is wanted, the offset, then what the module is called with.

    An epoch's rows are put in order at once: cutting slices is cheaper than gathering rows step by step.
    """
    wanted = torch.from_numpy(target.probabilities.astype(np.float32))
    offset = torch.zeros(1).expand(len(wanted)) if target.offset is None else _floats(target.offset)
    parts = [wanted.to(device), offset.to(device), *tensors(target.rows, device)]
    while True:
        order = torch.randperm(len(wanted), generator=generator).to(device)
        shuffled = [part[order] for part in parts]
        for start in range(0, len(order), batch_rows):
            yield [part[start : start + batch_rows] for part in shuffled]


def _floats(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _schedule(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a linear rise, then half a cosine down to zero."""
    done = (step + 1) / (steps + 1)
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))
