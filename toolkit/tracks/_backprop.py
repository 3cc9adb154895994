"""How a training step gets its gradient: worked out by hand for a single net, by autograd for the others.

A net of the usual size does so little a step that most of autograd's time is its own. By hand, the gradient
towards the numbers, the largest part of the first layer's, is left out besides. With x the bent numbers and
e what the categories are looked up as, a single net is

    z_1 = [x, e] A_1 + s_1        h_1 = relu(z_1)
    z_k = h_(k-1) A_k + s_k       h_k = h_(k-1) + relu(z_k)
    logit = x l + bias + levels + h_last · last

(with dropout, every relu times a mask). The mean log loss has the derivative (sigmoid(logit + offset) -
wanted) / n by the logits, and the chain rule gives the rest. Whoever changes the net changes it here, in
`TrainingModule.forward` and in `Net`; tests hold the three against one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from toolkit.tracks._module import TrainingModule, bent

__all__ = ["AddGradient", "AddGradientByHand", "add_gradient_by_autograd", "gradient_adder", "is_single"]

AddGradient = Callable[[Sequence[Tensor], Tensor, Tensor, float], None]
"""Adds the gradient of a weighted mean log loss to the `grad` of every parameter, which must be there.

Called with the inputs of the module (numbers, codes …), each with `n_rows` rows; the wanted probabilities and
the offsets of the log-odds, shape (n_rows,) or one that is broadcast to it; and the weight of the loss.
"""


def is_single(module: TrainingModule) -> bool:
    """Tell whether a net has one member and reads no raw signal; `net_seconds` goes by the same."""
    return module.members == 1 and module.bank is None


def gradient_adder(module: TrainingModule) -> AddGradient:
    """Return the fastest way to the gradient of a module."""
    return AddGradientByHand(module) if is_single(module) else add_gradient_by_autograd(module)


def add_gradient_by_autograd(module: TrainingModule) -> AddGradient:
    """Return what adds the gradient of any module."""

    def add(inputs: Sequence[Tensor], wanted: Tensor, offset: Tensor, weight: float) -> None:
        logits = module(*inputs) + offset
        loss = functional.binary_cross_entropy_with_logits(logits, wanted.expand_as(logits))
        (loss * weight).backward()  # type: ignore[no-untyped-call]

    return add


class AddGradientByHand:
    """Adds the gradient of a single net; an `AddGradient`. Its d_y is the derivative of the loss by y.

    Parameters
    ----------
    module : TrainingModule
        With one member, and without raw signal.

    Raises
    ------
    ValueError
        The module has more members or reads a raw signal; on a call, a parameter has no `grad`.
    """

    def __init__(self, module: TrainingModule) -> None:
        if not is_single(module):
            raise ValueError(
                "only of a net with one member and without raw signal: use autograd for this one"
            )
        # looked up once: an item of a ParameterList costs as much as a small product of matrices
        self._module = module
        self._bias, self._linear, self._last = module.bias, module.linear, module.last
        self._levels, self._tables = list(module.level), list(module.embedding)
        self._matrices, self._shifts = list(module.hidden), list(module.shift)

    @torch.no_grad()
    def __call__(self, inputs: Sequence[Tensor], wanted: Tensor, offset: Tensor, weight: float) -> None:
        # a signal that no filter reads may follow
        numbers, codes, *_ = inputs
        columns = codes.unbind(1)
        joined = torch.cat([*bent(numbers), *map(functional.embedding, columns, self._tables)], dim=1)
        wide = joined[:, : len(self._linear)]
        hidden, added, masks = self._forward(joined)
        logits = torch.addmm(self._bias, wide, self._linear.unsqueeze(1))
        _plus_product(logits, hidden[-1], self._last.T)
        for column, level in zip(columns, self._levels, strict=True):
            logits += functional.embedding(column, level)

        d_logits = torch.sigmoid(logits[:, 0] + offset).sub_(wanted).mul_(weight / len(logits)).unsqueeze(1)
        _grad(self._bias).add_(d_logits.sum())
        _plus_product(_grad(self._linear).unsqueeze(1), wide.T, d_logits)
        _plus_product(_grad(self._last), d_logits.T, hidden[-1])
        d_first = self._backward(d_logits * self._last, [joined, *hidden], added, masks)
        if columns:
            d_embedded = d_first @ self._matrices[0][len(self._linear) :].T
            parts = torch.split(d_embedded, [table.shape[1] for table in self._tables], dim=1)
            for column, level, table, part in zip(columns, self._levels, self._tables, parts, strict=True):
                _grad(level).index_add_(0, column, d_logits)
                _grad(table).index_add_(0, column, part)

    def _forward(self, joined: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor | None]]:
        """Return of every layer: h, what it added to the h before (after relu and mask), and its mask."""
        hidden: list[Tensor] = []
        added, masks = [], []
        for matrix, shift in zip(self._matrices, self._shifts, strict=True):
            moved = torch.addmm(shift, hidden[-1] if hidden else joined, matrix).relu_()
            mask = self._module.mask(moved)
            if mask is not None:
                moved *= mask
            added.append(moved)
            masks.append(mask)
            hidden.append(hidden[-1] + moved if hidden else moved)
        return hidden, added, masks

    def _backward(
        self, d_hidden: Tensor, below: list[Tensor], added: list[Tensor], masks: list[Tensor | None]
    ) -> Tensor:
        """Add the gradients of all layers, the last one first; return d_z of the first.

        `below` holds what every layer was given, and `d_hidden` starts as the derivative by the last h.
        """
        for layer in range(len(self._matrices) - 1, -1, -1):
            mask = masks[layer]
            d_added = d_hidden if mask is None else d_hidden * mask
            # what autograd calls for a relu, in one pass: zero where nothing was added, NaN stays NaN
            d_z: Tensor = torch.ops.aten.threshold_backward(d_added, added[layer], 0)
            _plus_product(_grad(self._matrices[layer]), below[layer].T, d_z)
            _grad(self._shifts[layer]).add_(d_z.sum(0, keepdim=True))
            if layer > 0:
                d_hidden = torch.addmm(d_hidden, d_z, self._matrices[layer].T)
        return d_z


def _plus_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add a product of matrices in place."""
    torch.addmm(total, left, right, out=total)


def _grad(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        raise ValueError("a parameter has no grad yet: call flattened() on all of them first")
    return parameter.grad
