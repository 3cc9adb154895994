"""FLOPs of torch: one probe, on the meta device where nothing is computed, every operation accounted for.

torch's own counter passes over what it does not know, so an LSTM, fused attention or a bilinear layer count
as nothing on a CPU. Here every operation that is dispatched is one of four: a product of matrices (in
FLOPs, two a multiply-add), element operations, known to be free (views, memory that is made, filled or
copied), or listed as uncounted. On the meta device torch takes most modules apart into operations that
it does count; what cannot run there is run on CPU tensors of the same shapes, and `TorchCount.device` says
so.

====================================  =============================================================
layer (forward, B rows)               FLOP
====================================  =============================================================
linear I to O                         2 B I O
matrix times vector, dot product      2 · elements of the matrix, or of one vector
convolution, L outputs a row          2 B L C_out (C_in / groups) · kernel; zeros of padding count too
LSTM, T steps                         2 B T · 4 H (I + H), times the directions; the second layer on has
                                      I = H · directions. GRU: 3 in place of 4
attention of S queries on T keys      projections 2 B (2 S + 2 T) D², scores and sums 4 B S T D
transformer encoder layer             attention, and 4 B T D F
embedding, embedding bag              none: a look-up is an element operation, one an element read
bilinear I_1, I_2 to O                2 B O I_1 I_2 + 2 B O I_2
int8 and quantised linear             2 B I O, as if they were floating-point operations
====================================  =============================================================

A backward pass costs a forward pass for every gradient asked for: towards weights, and towards inputs
unless they need none. torch 2.13 charges grouped convolutions `groups` times for the gradient of their
weights; the formula here does not.

`element_operations` are elements that pointwise operations and random draws write, and elements that
reductions and normalisations read; in an embedding or a scatter those that are moved; of a fused optimiser
those of the weights and of its states. What fused kernels do beside products of matrices cannot be seen:
they stand in `TorchCount.fused`.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.flop_counter import flop_registry as known_to_torch

from toolkit.operations._torch_formulas import FORMULAS, FUSED
from toolkit.operations._torch_kinds import elements_of, is_free

__all__ = ["TorchCount", "count", "probe"]


@dataclass(frozen=True)
class TorchCount:
    """What a call of torch did.

    Parameters
    ----------
    flop : float
        Of products of matrices; a lower bound where something is uncounted.
    element_operations : float
        A lower bound where something is uncounted or fused.
    by_operation : mapping of str to float
        FLOPs by operation.
    uncounted : tuple of str
        Operations of which it is not known what they do, sorted.
    fused : tuple of str
        Operations whose products are counted and whose element operations are not, sorted.
    device : {"meta", "cpu", "cuda"}
        Where it ran.
    """

    flop: float
    element_operations: float
    by_operation: Mapping[str, float]
    uncounted: tuple[str, ...]
    fused: tuple[str, ...]
    device: str

    def counts(self) -> dict[str, float | None]:
        """Return the quantities of `toolkit.operations.counts`; None for a lower bound."""
        return {
            "flop": None if self.uncounted else self.flop,
            "element_operations": None if self.uncounted or self.fused else self.element_operations,
        }


def count(call: Callable[..., Any], *inputs: Any, backward: bool = False) -> TorchCount:
    """Count what a call does, where its tensors are.

    Parameters
    ----------
    call : callable
        E.g. a module.
    *inputs
        What it is called with.
    backward : bool
        Whether the gradients of all outputs that have one are counted, too.
    """
    seen = _Seen()
    formulas = {operation: _of_dense(formula) for operation, formula in FORMULAS.items()}
    matrices = FlopCounterMode(display=False, custom_mapping=formulas)
    # the counter takes operations apart first, and what is left of them is seen
    with seen, matrices:
        outputs = _tensors(call(*inputs))
    if backward:
        ends = [output for output in outputs if output.requires_grad]
        slopes = [torch.ones_like(output) for output in ends]
        first, matrices = matrices, FlopCounterMode(display=False, custom_mapping=formulas)
        with seen, matrices:
            torch.autograd.backward(ends, slopes)
        parts = [first, matrices]
    else:
        parts = [matrices]
    by_operation: dict[str, float] = defaultdict(float)
    for part in parts:
        for operation, flop in part.get_flop_counts().get("Global", {}).items():
            by_operation[str(operation)] += flop
    devices = sorted({tensor.device.type for tensor in [*_tensors(inputs), *outputs]})
    return TorchCount(
        flop=float(sum(by_operation.values())),
        element_operations=float(seen.elements),
        by_operation=dict(by_operation),
        uncounted=tuple(sorted(seen.uncounted)),
        fused=tuple(sorted(seen.fused)),
        device=devices[0] if devices else "cpu",
    )


def probe(module: nn.Module, *inputs: Tensor, backward: bool = False) -> TorchCount:
    """Count what a module does with inputs of given shapes, without computing it where that is possible.

    Parameters
    ----------
    module : Module
        Left as it is: a copy is called, in the module's mode (training or not).
    *inputs : Tensor
        Of the shapes that count; on the CPU, so that they can be computed with where they must.
    backward : bool
        Whether the gradients are counted, too.

    Returns
    -------
    TorchCount
        Its `device` is ``cpu`` where an operation does not exist on the meta device.
    """
    try:
        return count(*_placed("meta", module, inputs), backward=backward)
    except NotImplementedError:
        # torch's word for an operation that does not exist on the meta device
        return count(*_placed("cpu", module, inputs), backward=backward)


def _placed(device: str, module: nn.Module, inputs: Sequence[Tensor]) -> list[Any]:
    """Return a copy of a module and its inputs on a device."""
    moved = [each.detach().to(device).requires_grad_(each.requires_grad) for each in inputs]
    return [copy.deepcopy(module).to(device), *moved]


class _Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sorts every operation that is dispatched into what it is."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.elements = 0
        self.uncounted: set[str] = set()
        self.fused: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[Any], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        packet = getattr(func, "_overloadpacket", func)
        if _has_nested((args, kwargs)) and not is_free(func):
            self.uncounted.add(f"{packet} of nested tensors")
        elif packet in FUSED:
            self.fused.add(str(packet))
        elif packet in FORMULAS or packet in known_to_torch or is_free(func):
            pass
        else:
            elements = elements_of(func, args, kwargs, out)
            if elements is None:
                self.uncounted.add(str(packet))
            else:
                self.elements += elements
        return out


def _of_dense(formula: Callable[..., int]) -> Callable[..., int]:
    """Return a formula that takes tensors; of nested ones, which have no shape, it counts nothing."""

    def of_tensors(*args: Any, out_val: Any = None, **kwargs: Any) -> int:
        if _has_nested((args, out_val, kwargs)):
            return 0
        shapes, out_shape, named = tree_map(
            lambda leaf: leaf.shape if isinstance(leaf, Tensor) else leaf, (args, out_val, kwargs)
        )
        return formula(*shapes, out_shape=out_shape, **named)

    of_tensors._get_raw = True  # type: ignore[attr-defined]  # how torch's counter knows
    return of_tensors


def _has_nested(tree: Any) -> bool:
    return any(tensor.is_nested for tensor in _tensors(tree))


def _tensors(tree: Any) -> list[Tensor]:
    leaves: Iterable[Any] = tree_leaves(tree)
    return [leaf for leaf in leaves if isinstance(leaf, Tensor)]
