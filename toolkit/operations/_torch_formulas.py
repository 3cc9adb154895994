"""FLOPs of the products of matrices that torch's counter knows nothing of, two a multiply-add.

Functions take shapes in place of tensors, as `torch.utils.flop_counter` calls them; keys are operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch

__all__ = ["FORMULAS", "FUSED"]

Shape = Sequence[int]

aten = torch.ops.aten


def _matrices(left: Shape, right: Shape, *args: Any, **kwargs: Any) -> int:
    """Return the FLOPs of a product of (stacks of) matrices: ``(…, m, k) @ (…, k, n)``."""
    return 2 * prod(left) * right[-1]


def _plus_matrices(total: Shape, left: Shape, right: Shape, *args: Any, **kwargs: Any) -> int:
    return _matrices(left, right)


def _matrix_vector(matrix: Shape, vector: Shape, *args: Any, **kwargs: Any) -> int:
    return 2 * prod(matrix)


def _plus_matrix_vector(total: Shape, matrix: Shape, vector: Shape, *args: Any, **kwargs: Any) -> int:
    return 2 * prod(matrix)


def _outer(left: Shape, right: Shape, *args: Any, **kwargs: Any) -> int:
    return 2 * left[0] * right[0]


def _plus_outer(total: Shape, left: Shape, right: Shape, *args: Any, **kwargs: Any) -> int:
    return _outer(left, right)


def _transposed_weights(rows: Shape, weights: Shape, *args: Any, **kwargs: Any) -> int:
    """Return the FLOPs of ``(…, k) @ (n, k).T``."""
    return 2 * prod(rows) * weights[0]


def _packed_linear(rows: Shape, *args: Any, out_shape: Shape, **kwargs: Any) -> int:
    """Return the FLOPs of a linear layer whose weights are packed: their shape is known from the result."""
    return 2 * prod(rows) * out_shape[-1]


def _convolution_backward(
    slope: Shape,
    inputs: Shape,
    weights: Shape,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    output_mask: Sequence[bool],
    **kwargs: Any,
) -> int:
    """Return the FLOPs of the gradients asked for, of inputs and weights: each those of a pass forward."""
    places = inputs[2:] if transposed else slope[2:]
    forward = 2 * inputs[0] * prod(places) * prod(weights)
    return forward * sum(output_mask[:2])


def _trilinear(
    first: Shape,
    second: Shape,
    third: Shape,
    expand_first: Sequence[int],
    expand_second: Sequence[int],
    expand_third: Sequence[int],
    sums: Sequence[int],
    *args: Any,
    **kwargs: Any,
) -> int:
    """Return the FLOPs of a sum of products of three: two at a time, as torch computes it.

    Shapes get axes of length 1 at `expand_*`; then axes that the third has no part in are summed at once.
    """
    shapes = [list(first), list(second), list(third)]
    for shape, axes in zip(shapes, (expand_first, expand_second, expand_third), strict=True):
        for axis in sorted(axes):
            shape.insert(axis, 1)
    both = [max(left, right) for left, right in zip(shapes[0], shapes[1], strict=True)]
    early = {axis for axis in sums if shapes[2][axis] == 1}
    late = [
        max(kept, last)
        for axis, (kept, last) in enumerate(zip(both, shapes[2], strict=True))
        if axis not in early
    ]
    return 2 * prod(both) + 2 * prod(late)


def _rnn_layer(inputs: Shape, weights_inputs: Shape, weights_hidden: Shape, *args: Any, **kwargs: Any) -> int:
    """Return the FLOPs of a layer of a recurrent net: every row and step meets both matrices."""
    return 2 * prod(inputs[:2]) * (prod(weights_inputs) + prod(weights_hidden))


def _rnn_layer_backward(*args: Any, **kwargs: Any) -> int:
    """Return the FLOPs of all gradients of such a layer, those towards its inputs always included."""
    return 2 * _rnn_layer(*args)


def _attention(query: Shape, key: Shape, value: Shape, *args: Any, **kwargs: Any) -> int:
    """Return the FLOPs of scores and sums, shapes (rows, heads, steps, dimensions); a mask saves nothing."""
    rows, heads, n_queries, dimensions = query
    return 2 * rows * heads * n_queries * key[2] * (dimensions + value[3])


def _attention_backward(
    slope: Shape, query: Shape, key: Shape, value: Shape, *args: Any, **kwargs: Any
) -> int:
    """Return the FLOPs backward: the scores once more, then five gradients' products in all."""
    rows, heads, n_queries, dimensions = query
    return 2 * rows * heads * n_queries * key[2] * (3 * dimensions + 2 * value[3])


def _whole_attention(
    query: Shape, key: Shape, value: Shape, embed_dim: int, *args: Any, **kwargs: Any
) -> int:
    """Return the FLOPs of attention with its projections, shapes (rows, steps, dimensions)."""
    rows, n_queries, _ = query
    projections = 2 * rows * (2 * n_queries + key[1] + value[1]) * embed_dim**2
    return projections + 4 * rows * n_queries * key[1] * embed_dim


def _encoder_layer(
    source: Shape,
    embed_dim: int,
    num_heads: int,
    qkv_weight: Shape,
    qkv_bias: Shape,
    proj_weight: Shape,
    proj_bias: Shape,
    use_gelu: bool,
    norm_first: bool,
    eps: float,
    norm_weight_1: Shape,
    norm_bias_1: Shape,
    norm_weight_2: Shape,
    norm_bias_2: Shape,
    ffn_weight_1: Shape,
    *args: Any,
    **kwargs: Any,
) -> int:
    """Return the FLOPs of a transformer encoder layer on the fast path."""
    attention = _whole_attention(source, source, source, embed_dim)
    return attention + 4 * prod(source[:2]) * prod(ffn_weight_1)


def _existing(namespace: Any, formulas: dict[str, Callable[..., int]]) -> dict[Any, Callable[..., int]]:
    """Return the formulas of the operations that this version of torch has, by operation."""
    return {getattr(namespace, name): each for name, each in formulas.items() if hasattr(namespace, name)}


FUSED = _existing(
    aten,
    {
        "mkldnn_rnn_layer": _rnn_layer,
        "mkldnn_rnn_layer_backward": _rnn_layer_backward,
        "_scaled_dot_product_flash_attention_for_cpu": _attention,
        "_scaled_dot_product_flash_attention_for_cpu_backward": _attention_backward,
        "_scaled_dot_product_fused_attention_overrideable": _attention,
        "_native_multi_head_attention": _whole_attention,
        "_transformer_encoder_layer_fwd": _encoder_layer,
    },
)
"""Kernels that do element operations, too, which nothing shows."""

FORMULAS = {
    **_existing(
        aten,
        {
            "addmm_": _plus_matrices,
            "_addmm_activation": _plus_matrices,
            "addbmm": _plus_matrices,
            "addbmm_": _plus_matrices,
            "baddbmm_": _plus_matrices,
            "mv": _matrix_vector,
            "addmv": _plus_matrix_vector,
            "addmv_": _plus_matrix_vector,
            "dot": _matrix_vector,
            "vdot": _matrix_vector,
            "ger": _outer,
            "addr": _plus_outer,
            "addr_": _plus_outer,
            "_int_mm": _matrices,
            "_weight_int8pack_mm": _transposed_weights,
            "mkldnn_linear": _transposed_weights,
            "convolution_backward": _convolution_backward,
            "_trilinear": _trilinear,
        },
    ),
    **_existing(
        torch.ops.quantized,
        {
            "linear": _packed_linear,
            "linear_relu": _packed_linear,
            "linear_dynamic": _packed_linear,
            "linear_relu_dynamic": _packed_linear,
        },
    ),
    **FUSED,
}
"""Operation -> FLOPs, from the shapes it is called with; beside those that torch's own counter knows."""
