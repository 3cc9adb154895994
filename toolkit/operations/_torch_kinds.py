"""What torch's operations are besides products of matrices: element operations, or free."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

__all__ = ["elements_of", "is_free"]

_FREE = """
empty empty_like empty_strided empty_permuted new_empty new_empty_strided zeros zeros_like new_zeros ones
ones_like new_ones full full_like new_full scalar_tensor fill fill_ zero zero_ arange eye clone copy copy_
_to_copy lift_fresh_copy cat stack repeat resize_ set_ detach_ _unsafe_view _reshape_copy unsafe_split
unsafe_split_with_sizes unsafe_chunk squeeze_ unsqueeze_ transpose_ t_ constant_pad_nd flip roll
select_backward slice_backward _local_scalar_dense is_same_size _nested_tensor_from_mask_left_aligned
"""
FREE = frozenset(_FREE.split())
"""Operations that compute nothing: memory is made, filled, copied or laid out anew. Views are free, too."""

_READING = """
sum mean prod amax amin max min argmax argmin any all var std var_mean std_mean norm linalg_vector_norm
logsumexp cumsum cumprod _softmax _log_softmax _safe_softmax _softmax_backward_data
_log_softmax_backward_data native_layer_norm native_layer_norm_backward native_group_norm
native_group_norm_backward native_batch_norm native_batch_norm_backward _native_batch_norm_legit
_native_batch_norm_legit_no_training _native_batch_norm_legit_functional batch_norm_backward _fused_rms_norm
_fused_rms_norm_backward avg_pool2d avg_pool2d_backward avg_pool1d max_pool2d_with_indices
max_pool2d_with_indices_backward _adaptive_avg_pool2d _adaptive_avg_pool2d_backward binary_cross_entropy
binary_cross_entropy_backward binary_cross_entropy_with_logits mse_loss mse_loss_backward nll_loss_forward
nll_loss_backward smooth_l1_loss smooth_l1_loss_backward huber_loss huber_loss_backward log_sigmoid_forward
log_sigmoid_backward glu glu_backward bernoulli bernoulli_ normal_ uniform_ native_dropout randperm rand
randn rand_like randn_like masked_fill_ threshold_ _prelu_kernel _prelu_kernel_backward tril triu
hardswish hardswish_ hardswish_backward hardsigmoid_backward hardtanh_backward softplus_backward elu_backward
leaky_relu_backward rrelu_with_noise softshrink_backward mish_backward renorm
"""
READING = frozenset(_READING.split())
"""Operations counted by the largest tensor that they read or write: reductions, normalisations, losses."""

WRITING = frozenset(["embedding", "gather", "index_select", "index", "take", "one_hot"])
"""Look-ups, counted by what they write: the table is read in part."""

MOVED = {
    "embedding_dense_backward": 0,
    "index_add": 3,
    "index_add_": 3,
    "index_put": 2,
    "index_put_": 2,
    "_index_put_impl_": 2,
    "scatter": 2,
    "scatter_": 2,
    "scatter_add": 3,
    "scatter_add_": 3,
}
"""Scatters -> the argument whose elements are moved."""

_BAGS = """
_embedding_bag _embedding_bag_forward_only _embedding_bag_backward _embedding_bag_dense_backward
"""
BAGS = frozenset(_BAGS.split())
"""Bags of embeddings: the second axis of the first argument is an embedding's, the second are indices."""

OPTIMISERS = {"_fused_adam_": (0, 2, 3, 4), "_fused_adamw_": (0, 2, 3, 4), "_fused_sgd_": (0, 2)}
"""Fused steps of optimisers -> the arguments that they write: weights and states."""


def is_free(func: Any) -> bool:
    """Return whether an operation computes nothing; marks for a profiler among them."""
    marks = str(func).startswith("profiler.")
    return marks or bool(getattr(func, "is_view", False)) or _name(func) in FREE


def elements_of(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> int | None:
    """Return the element operations of an operation, or None where it is not known what it does.

    Parameters
    ----------
    func : OpOverload
    args, kwargs
        What it was called with.
    out
        What it returned.
    """
    name = _name(func)
    if name in OPTIMISERS:
        return sum(_numel(args[position]) for position in OPTIMISERS[name])
    if name.startswith("_foreach_"):
        return _numel(args[0])
    if name in MOVED:
        return _numel(args[MOVED[name]])
    if name in BAGS:
        return int(args[1].numel() * args[0].shape[1])
    if name in WRITING:
        return _numel(out)
    if name in READING or torch.Tag.pointwise in getattr(func, "tags", ()):
        return max((tensor.numel() for tensor in _tensors((args, kwargs, out))), default=0)
    return None


def _numel(tree: Any) -> int:
    return sum(tensor.numel() for tensor in _tensors(tree))


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _name(func: Any) -> str:
    """Return the name of one of torch's own operations; empty for one of another library."""
    namespace, _, name = str(getattr(func, "_overloadpacket", func)).rpartition(".")
    return name if namespace == "aten" else ""
