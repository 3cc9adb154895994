"""FLOPs of torch against closed forms, forward and backward, on the meta device."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from toolkit.operations.torch_flops import count, probe

B, T, S = 3, 5, 7
"""Rows, steps, and steps of what is attended to."""


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 1)

    def forward(self, rows: Tensor) -> Tensor:
        hidden = torch.relu(self.first(rows))
        return self.last(hidden + torch.relu(self.second(hidden)))


class Separable(nn.Module):
    """A convolution of every channel by itself, then of all channels at every place."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.point = nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.Conv2d(6, 10, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.point(self.depth(images))


class Levels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.layer = nn.Embedding(11, 6), nn.Linear(6, 2)

    def forward(self, codes: Tensor) -> Tensor:
        return self.layer(self.table(codes))


class Head(nn.Module):
    """A matrix times a vector, with and without something added."""

    def __init__(self) -> None:
        super().__init__()
        self.weights, self.bias = nn.Parameter(torch.ones(8)), nn.Parameter(torch.ones(B))

    def forward(self, rows: Tensor) -> Tensor:
        return rows @ self.weights + torch.addmv(self.bias, rows, self.weights)


class Cross(nn.Module):
    """Attention of one sequence on another; `fused` asks for torch's fused kernel."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.attention, self.fused = nn.MultiheadAttention(8, 2, batch_first=True), fused

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return self.attention(query, key, key, need_weights=not self.fused)[0]


def lstm(
    inputs: int, hidden: int, *, layers: int = 1, directions: int = 1, gates: int = 4
) -> tuple[int, int]:
    """Return the FLOPs forward, and backward without the gradient of the inputs and of the first state."""
    forward = backward = 0
    for layer in range(layers):
        width = inputs if layer == 0 else hidden * directions
        from_inputs = 2 * B * T * gates * hidden * width * directions
        from_state = 2 * B * T * gates * hidden * hidden * directions
        forward += from_inputs + from_state
        backward += 2 * (from_inputs + from_state) - from_state // T - (from_inputs if layer == 0 else 0)
    return forward, backward


def conv(outputs: int, weights: int) -> tuple[int, int]:
    return 2 * B * outputs * weights, 2 * B * outputs * weights


ATTENTION = 2 * B * (2 * T + 2 * S) * 8**2 + 4 * B * T * S * 8
SELF = 8 * B * T * 8**2 + 4 * B * T * T * 8
ENCODER = SELF + 4 * B * T * 8 * 16

rows = torch.ones(B, 4)
steps = torch.ones(B, T, 8)
CASES = {
    "mlp": (
        nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)),
        [rows],
        2 * B * 48,
        2 * B * (48 + 16),
    ),
    "residual mlp": (Residual(), [rows], 2 * B * 104, 2 * B * (104 + 64 + 8)),
    "convolution": (nn.Conv1d(4, 6, 3), [torch.ones(B, 4, 20)], *conv(18, 72)),
    "strided and dilated": (nn.Conv1d(4, 6, 3, stride=2, dilation=2), [torch.ones(B, 4, 20)], *conv(8, 72)),
    "grouped": (nn.Conv1d(4, 6, 3, groups=2), [torch.ones(B, 4, 20)], *conv(18, 36)),
    "transposed": (nn.ConvTranspose1d(4, 6, 3, stride=2), [torch.ones(B, 4, 20)], *conv(20, 72)),
    "2-d convolution": (nn.Conv2d(3, 5, 3, padding=1), [torch.ones(B, 3, 6, 6)], *conv(36, 135)),
    "depthwise separable": (
        Separable(),
        [torch.ones(B, 6, 4, 4)],
        2 * B * 16 * (54 + 60),
        2 * B * 16 * (54 + 2 * 60),
    ),
    "lstm": (nn.LSTM(5, 7, batch_first=True), [torch.ones(B, T, 5)], *lstm(5, 7)),
    "lstm of two layers": (nn.LSTM(5, 7, 2, batch_first=True), [torch.ones(B, T, 5)], *lstm(5, 7, layers=2)),
    "lstm both ways": (
        nn.LSTM(5, 7, 2, batch_first=True, bidirectional=True),
        [torch.ones(B, T, 5)],
        *lstm(5, 7, layers=2, directions=2),
    ),
    "gru": (nn.GRU(5, 7, batch_first=True), [torch.ones(B, T, 5)], *lstm(5, 7, gates=3)),
    "self-attention": (Cross(False), [steps, steps], SELF, 2 * SELF - 6 * B * T * 64),
    "cross-attention": (
        Cross(False),
        [steps, torch.ones(B, S, 8)],
        ATTENTION,
        2 * ATTENTION - 2 * B * (T + 2 * S) * 64,
    ),
    "attention, fused": (
        Cross(True),
        [steps, torch.ones(B, S, 8)],
        ATTENTION,
        2 * ATTENTION - 2 * B * (T + 2 * S) * 64,
    ),
    "transformer encoder": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        [steps],
        ENCODER,
        2 * ENCODER - 6 * B * T * 64,
    ),
    "embedding and linear": (
        Levels(),
        [torch.zeros(B, T, dtype=torch.int64)],
        2 * B * T * 12,
        4 * B * T * 12,
    ),
    "embedding bag, sum": (nn.EmbeddingBag(11, 6, mode="sum"), [torch.zeros(B, T, dtype=torch.int64)], 0, 0),
    "embedding bag, mean": (
        nn.EmbeddingBag(11, 6, mode="mean"),
        [torch.zeros(B, T, dtype=torch.int64)],
        0,
        0,
    ),
    "matrix and vector": (Head(), [torch.ones(B, 8)], 4 * B * 8, 4 * B * 8),
    "bilinear": (
        nn.Bilinear(4, 6, 5),
        [torch.ones(B, 4), torch.ones(B, 6)],
        2 * B * (120 + 30),
        2 * B * (20 + 120),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_flops_are_those_of_the_closed_form(name):
    module, inputs, forward, backward = CASES[name]
    found = probe(module.train(), *inputs)
    assert found.flop == forward
    assert found.device == "meta"
    assert probe(module.train(), *inputs, backward=True).flop == forward + backward


@pytest.mark.parametrize("name", CASES)
def test_every_operation_is_accounted_for(name):
    module, inputs, *_ = CASES[name]
    found = probe(module, *inputs, backward=True)
    assert found.uncounted == found.fused == ()
    assert found == probe(module, *inputs, backward=True), "the same on every call"


# the bias of the matrix and vector has one value a row
@pytest.mark.parametrize("name", [name for name in CASES if name != "matrix and vector"])
def test_it_grows_evenly_with_the_rows(name):
    module, inputs, *_ = CASES[name]
    twice = [torch.cat([each, each]) for each in inputs]
    assert probe(module, *twice, backward=True).flop == 2 * probe(module, *inputs, backward=True).flop


def test_a_gradient_of_the_inputs_costs_a_pass_forward():
    layer = nn.Conv1d(4, 6, 3, groups=2)
    plain, towards = (
        probe(layer, torch.ones(B, 4, 20, requires_grad=wanted), backward=True).flop
        for wanted in (False, True)
    )
    assert plain == 2 * towards / 3


def test_nothing_is_changed_and_nothing_computed():
    layer = nn.Linear(10**6, 10**6, device="meta")
    assert count(layer, torch.ones(2, 10**6, device="meta")).flop == 4 * 10**12
    small = nn.Linear(2, 2)
    probe(small, torch.ones(1, 2), backward=True)
    assert small.weight.grad is None
    assert small.weight.device.type == "cpu"
