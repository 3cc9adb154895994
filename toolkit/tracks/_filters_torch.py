"""The bank of filters with gradients: an encoder of a raw signal that any torch net can join."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from toolkit.tracks._filters import FURTHEST, LARGEST, SMALLEST, FilterBank, ages

__all__ = ["FilterBankModule"]

SHORTEST, LONGEST = 1.5, 2.2
"""Half-lives to begin with: of the fastest filter in steps, of the slowest in lengths of the signal."""


class FilterBankModule(nn.Module):
    """The bank of decays with gradients: an encoder of the signal that any net can join.

    Parameters
    ----------
    n_channels, n_steps : int
    n_filters : int
        Filters of every channel.
    """

    def __init__(self, n_channels: int, n_steps: int, n_filters: int) -> None:
        super().__init__()
        self.n_outputs = n_channels * n_filters
        lives = np.geomspace(SHORTEST, max(LONGEST * n_steps, SHORTEST), n_filters)
        rates = torch.from_numpy(np.log(math.log(2) / lives).astype(np.float32))
        self.rates = nn.Parameter(rates.to(torch.get_default_device()).repeat(n_channels, 1))
        self.ages: Tensor
        self.centre: Tensor
        self.spread: Tensor
        self.register_buffer("ages", torch.from_numpy(ages(n_steps)).to(torch.get_default_device()))
        self.register_buffer("centre", torch.zeros(self.n_outputs))
        self.register_buffer("spread", torch.ones(self.n_outputs))

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the standardised filters.

        Parameters
        ----------
        sequence : Tensor of shape (n_rows, n_channels, n_steps), uint8

        Returns
        -------
        Tensor of shape (n_rows, n_channels * n_filters), float32
        """
        return ((self._raw(sequence) - self.centre) / self.spread).clamp(-FURTHEST, FURTHEST)

    def settle(self, sequence: Tensor) -> None:
        """Take the scales of the outputs from training rows, at the rates as they are."""
        with torch.no_grad():
            outputs = self._raw(sequence)
            self.centre.copy_(outputs.mean(dim=0))
            # a filter that is the same in all rows says nothing, and must not be blown up
            self.spread.copy_(outputs.std(dim=0, correction=0).clamp_min(0.05))

    def _raw(self, sequence: Tensor) -> Tensor:
        decays = self.ages[:, None] * torch.exp(self.rates)[:, None, :]
        kernels = torch.exp(-decays.clamp(max=LARGEST))
        kernels = kernels / kernels.sum(dim=1, keepdim=True)
        happened = (sequence != 0).float()
        shares = [torch.mm(happened[:, channel], kernel) for channel, kernel in enumerate(kernels)]
        return torch.log(torch.cat(shares, dim=1) + SMALLEST)

    def trained(self) -> FilterBank:
        """Return the bank as plain arrays."""
        return FilterBank(
            n_steps=len(self.ages),
            rates=self.rates.detach().cpu().numpy().copy(),
            centre=self.centre.cpu().numpy().copy(),
            spread=self.spread.cpu().numpy().copy(),
        )
