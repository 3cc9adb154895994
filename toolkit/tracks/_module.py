"""The net with gradients, and its parameters as one long tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from toolkit.tracks._encode import KNOTS, Encoded, Encoder
from toolkit.tracks._filters_torch import FilterBankModule
from toolkit.tracks._net import Net, Recipe

__all__ = ["Signal", "TrainingModule", "bent", "flattened", "signal_of", "tensors"]

Signal = tuple[int, int]
"""Channels and steps of the raw signal."""


def tensors(rows: Encoded, device: str) -> list[Tensor]:
    """Return what the module is called with."""
    arrays = [rows.numbers, rows.codes, *([] if rows.sequence is None else [rows.sequence])]
    return [torch.from_numpy(array).to(device) for array in arrays]


def signal_of(rows: Encoded) -> Signal | None:
    """Return the channels and steps of the raw signal, if rows carry one."""
    return None if rows.sequence is None else (rows.sequence.shape[1], rows.sequence.shape[2])


def bent(numbers: Tensor) -> list[Tensor]:
    """Return the numbers and what they exceed every knot by; side by side, as `hinged` has them."""
    return [numbers, *(torch.relu(numbers - knot) for knot in KNOTS)]


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
        wide = torch.cat(bent(numbers), dim=1)
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

    def mask(self, hidden: Tensor) -> Tensor | None:
        """Return the factors of dropout, 0 or what makes up for it; None where nothing is dropped."""
        # functional.dropout draws from the global generator, which is not ours to advance
        if not self.dropout or not self.training:
            return None
        kept = torch.empty_like(hidden).bernoulli_(1 - self.dropout, generator=self.generator)
        return kept.div_(1 - self.dropout)

    def _drop(self, hidden: Tensor) -> Tensor:
        mask = self.mask(hidden)
        return hidden if mask is None else hidden * mask

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


def flattened(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """Return one long parameter that the given ones, and their gradients, become views of."""
    flat = nn.Parameter(torch.cat([each.detach().reshape(-1) for each in parameters]))
    gradient = torch.zeros_like(flat)
    start = 0
    for each in parameters:
        part = slice(start, start + each.numel())
        each.data = flat.data[part].view_as(each)
        each.grad = gradient[part].view_as(each)
        start = part.stop
    flat.grad = gradient
    return flat
