"""What torch does at once on a CPU, what nobody knows, and element operations."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from toolkit.operations.torch_flops import count, probe

B, T = 3, 5
steps = torch.ones(B, T, 8)


class Spectrum(nn.Module):
    def forward(self, rows: Tensor) -> Tensor:
        return torch.fft.rfft(rows @ rows.T).abs()


def known_to_torch(module: nn.Module, *inputs: Tensor) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return int(counter.get_total_flops())


@pytest.mark.parametrize(
    ("module", "inputs", "kernel"),
    [
        (nn.LSTM(5, 7, 2, batch_first=True, bidirectional=True), [torch.ones(B, T, 5)], "mkldnn_rnn_layer"),
        (nn.MultiheadAttention(8, 2, batch_first=True), [steps] * 3, "_native_multi_head_attention"),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), [steps], "_transformer_encoder_layer_fwd"),
    ],
)
def test_fused_kernels_count_as_the_same_module_taken_apart(module, inputs, kernel):
    module.eval()
    with torch.no_grad():
        found = count(module, *inputs)
    assert found.fused == (f"aten.{kernel}",)
    assert found.flop == probe(module, *inputs).flop
    assert known_to_torch(module, *inputs) == 0, "what the formulas are for"
    assert found.counts() == {"flop": found.flop, "element_operations": None}


def test_an_lstms_gradient_on_a_cpu_includes_that_of_its_inputs_and_first_state():
    module = nn.LSTM(5, 7, batch_first=True)
    found = count(module, torch.ones(B, T, 5), backward=True)
    assert found.flop == 3 * count(module, torch.ones(B, T, 5)).flop
    assert found.uncounted == ()


def test_fused_attention_on_a_cpu():
    query = torch.ones(B, 2, T, 4, requires_grad=True)
    found = count(nn.functional.scaled_dot_product_attention, query, query, query, backward=True)
    assert found.fused[0] == "aten._scaled_dot_product_flash_attention_for_cpu"
    scores = 2 * B * 2 * T * T * 4
    assert found.flop == 2 * scores + 5 * scores, "backward, the scores are computed once more"


def test_layers_of_whole_numbers_count_as_if_they_were_not():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(8, 4)), {nn.Linear})
        found = probe(layer, torch.ones(B, 8))
    assert (found.flop, found.device, found.uncounted) == (2 * B * 8 * 4, "cpu", ())
    product = count(torch._int_mm, *(torch.ones(32, 32, dtype=torch.int8, device="meta") for _ in range(2)))
    assert product.flop == 2 * 32**3


def test_products_in_place_count():
    total, left, right = (torch.ones(6, 6) for _ in range(3))
    assert count(total.addmm_, left, right).flop == 2 * 6**3
    assert count(torch.outer, left[0], right[0]).flop + count(torch.dot, left[0], right[0]).flop == 2 * 6
    assert count(torch.einsum, "ij,jk->ik", left, right).flop == 2 * 6**3


def test_what_is_not_known_is_told():
    found = probe(Spectrum(), torch.ones(4, 4))
    assert found.uncounted == ("aten._fft_r2c",)
    assert found.flop == 2 * 4**3, "a lower bound"
    assert found.counts() == {"flop": None, "element_operations": None}


def test_rows_of_different_lengths_packed_into_one_tensor_are_told():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1).eval()
    padding = torch.zeros(B, T, dtype=torch.bool)
    padding[0, 3:] = True
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = count(lambda: encoder(steps, src_key_padding_mask=padding))
    assert "aten._transformer_encoder_layer_fwd of nested tensors" in found.uncounted
    assert found.counts() == {"flop": None, "element_operations": None}


@pytest.mark.parametrize(
    "layer",
    [
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)),
        nn.Sequential(
            nn.GELU(), nn.PReLU(), nn.GLU(), nn.Softplus(), nn.SiLU(), nn.Hardswish(), nn.Dropout()
        ),
        nn.Sequential(
            nn.GroupNorm(3, 3), nn.LayerNorm(8), nn.RMSNorm(8), nn.LogSoftmax(1), nn.ELU(), nn.Mish()
        ),
    ],
)
def test_usual_layers_leave_nothing_uncounted(layer):
    images = torch.ones(2, 3, 8, 8, requires_grad=True)
    assert probe(layer, images, backward=True).uncounted == ()


def test_a_mistake_of_the_caller_is_an_error():
    with pytest.raises(RuntimeError, match="same reduction dim"):
        probe(nn.Linear(3, 2), torch.ones(1, 4))


@pytest.mark.parametrize(
    ("call", "inputs", "elements"),
    [
        (torch.relu, [torch.ones(6)], 6),
        (torch.add, [torch.ones(6, 1), torch.ones(1, 5)], 30),
        (torch.sum, [torch.ones(6, 5)], 30),
        (torch.softmax, [torch.ones(6, 5), 1], 30),
        (nn.LayerNorm(5), [torch.ones(6, 5)], 30),
        (nn.Embedding(1000, 4), [torch.zeros(7, dtype=torch.int64)], 28),
        (nn.EmbeddingBag(1000, 4), [torch.zeros(7, 3, dtype=torch.int64)], 84),
        (torch.ones(9).view, [3, 3], 0),
        (torch.cat, [[torch.ones(9), torch.ones(9)]], 0),
        (torch.ones(9).clone, [], 0),
    ],
)
def test_element_operations(call, inputs, elements):
    assert count(call, *inputs).element_operations == elements


def test_gradients_of_look_ups_are_what_is_looked_up():
    found = probe(nn.Embedding(1000, 4), torch.zeros(7, dtype=torch.int64), backward=True)
    assert found.element_operations == 28 + 28


def test_a_fused_step_of_adam_writes_weights_and_two_moments():
    weights = nn.Parameter(torch.ones(100))
    weights.grad = torch.ones(100)
    adam = torch.optim.Adam([weights], fused=True, weight_decay=0.1)
    adam.step()
    found = count(adam.step)
    assert found.uncounted == ()
    assert found.element_operations == 3 * 100 + 1, "and its count of steps"
