"""Fuzzy logic in log space, in torch: comparisons to log-odds, junctions to log truth and log falsehood."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toolkit.knowledge.fuzzy.graph import Graph, Reader, Stage

__all__ = ["Junctions", "Leaves", "log1mexp"]

_FAR = 1e4
"""Log-odds of a comparison that is as good as certain: its truth is 0 or 1 even in 64 bits."""

_LEAST = 1e-30
"""The least truth of a junction. Its inverse times what comes down a gradient must fit 32 bits."""

_LARGEST = float(np.finfo(np.float32).max)


def log1mexp(x: Tensor) -> Tensor:
    """Return ``log(1 - exp(x))`` for x <= 0, right to the last digits on both sides.

    Two formulas meet at ``-log 2`` (M. Mächler, "Accurately computing log(1 - exp(-|a|))", 2012). The
    result is at least ``log(1e-30)``, where the gradient is 0.
    """
    x = x.clamp(max=-_LEAST)
    near = x > -math.log(2)
    # each formula is given only what it is right for, else its gradient there would be NaN
    by_expm1 = torch.log(-torch.expm1(torch.where(near, x, -1.0)))
    by_log1p = torch.log1p(-torch.exp(torch.where(near, -1.0, x)))
    return torch.where(near, by_expm1, by_log1p)


class Leaves:
    """Soft comparisons and crisp look-ups.

    Cuts and factors stay in 64 bits whatever the module's type: midway between two 32-bit numbers
    there is none in 32 bits. So they are no buffers, which ``module.float()`` would round.
    """

    def __init__(self, graph: Graph, reader: Reader) -> None:
        place = {name: index for index, name in enumerate(reader.numbers)}
        pairs = graph.quantities
        self.left = torch.tensor([place[each.left] for each in pairs], dtype=torch.int64)
        self.right = torch.tensor([place.get(each.right, 0) for each in pairs], dtype=torch.int64)
        self.left_factor = _exact([each.left_factor for each in pairs])[:, None]
        self.right_factor = _exact([each.right_factor for each in pairs])[:, None]
        self.quantity = torch.from_numpy(graph.side_quantity)
        self.cut, self.sign = _exact(graph.side_cut), _exact(graph.side_sign)
        # the last shift, always 0, is that of cuts that cannot be moved
        self.written = torch.from_numpy(graph.side_written % (len(graph.written) + 1))
        scale = _exact(
            [
                math.hypot(
                    each.left_factor * reader.scales[each.left],
                    each.right_factor * reader.scales.get(each.right, 0.0),
                )
                for each in pairs
            ]
        )
        self.scale = scale[self.quantity]
        self.members = [reader.choices.index(member.column) for member in graph.members]
        self.tables = [torch.where(torch.from_numpy(table), _FAR, -_FAR) for table in graph.tables]

    def __call__(self, numbers: Tensor, codes: Tensor, shifts: Tensor, log_sharpness: Tensor) -> Tensor:
        """Return log-odds, shape (n_leaves, n_rows); what is missing is as false as can be."""
        known = ~torch.isnan(numbers.T)
        values = numbers.T.double().nan_to_num(nan=0.0).clamp(-_LARGEST, _LARGEST)
        known = known[self.left] & (known[self.right] | (self.right_factor == 0))
        quantities = self.left_factor * values[self.left] - self.right_factor * values[self.right]
        moved = self.scale * torch.cat([shifts, shifts.new_zeros(1)])[self.written]
        away = (quantities[self.quantity] - self.cut[:, None]) - moved[:, None]
        slope = self.sign * log_sharpness.double().exp() / self.scale
        sides = (slope[:, None] * away).clamp(-_FAR, _FAR)
        sides = torch.where(known[self.quantity], sides, -_FAR)
        members = [table[codes[:, choice]] for table, choice in zip(self.tables, self.members, strict=True)]
        return torch.cat([sides, torch.stack(members)] if members else [sides]).to(shifts.dtype)


class Junctions:
    """Junctions of one kind that are joined at once."""

    def __init__(self, stage: Stage) -> None:
        self.kind = stage.kind
        self.count = len(stage.parts)
        self.parts = torch.tensor([part for parts in stage.parts for part in parts], dtype=torch.int64)
        owners = [owner for owner, parts in enumerate(stage.parts) for _ in parts]
        self.owners = torch.tensor(owners, dtype=torch.int64)

    def join(self, log_true: Tensor, log_false: Tensor) -> tuple[Tensor, Tensor]:
        """Return log truth and log falsehood of the junctions, (n_junctions, n_rows) each."""
        summed = log_true if self.kind == "and" else log_false
        start = summed.new_zeros(self.count, summed.shape[1])
        total = start.index_add(0, self.owners, summed[self.parts])
        return (total, log1mexp(total)) if self.kind == "and" else (log1mexp(total), total)


def _exact(values: Sequence[float] | NDArray[np.float64]) -> Tensor:
    return torch.tensor(np.array(values, np.float64))
