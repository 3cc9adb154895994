"""What training and predicting with a net take, counted by probes on the meta device.

A step's operations are ``a + b n`` for n rows: two probes give both, and the rows and steps of a fit do the
rest, so the last, smaller batch of an epoch counts as what it is. Neither importing this nor keeping a
`NetWork` needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from toolkit.operations.counts import Operations, added, times
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net import Recipe

if TYPE_CHECKING:
    from toolkit.operations.torch_flops import TorchCount
    from toolkit.tracks._module import Signal, TrainingModule

__all__ = ["NetWork", "count_forward", "count_step", "net_operations", "rows_of_steps"]

ADAM = 3
"""Elements that a fused step of Adam writes for every weight: itself and two moments."""

PROBE_ROWS = 8


class NetWork(NamedTuple):
    """How much a net was trained.

    Parameters
    ----------
    steps : int
        Of the optimiser.
    batches : int
        Batches that gradients were taken of: one a step and target.
    rows : int
        Rows of all these batches.
    encoded_rows : int
        Rows that were encoded for training and for watching it.
    watched_rows : int
        Rows that training was watched by, once for every epoch.
    """

    steps: int
    batches: int
    rows: int
    encoded_rows: int
    watched_rows: int


class _Parts(NamedTuple):
    """Operations of a call that do not grow with its rows, and those of a row."""

    call: Mapping[str, float | None]
    row: Mapping[str, float | None]
    uncounted: tuple[str, ...]


def rows_of_steps(n_rows: int, batch_rows: int, steps: int) -> int:
    """Return the rows of so many batches, when the last batch of a pass over `n_rows` is what is left."""
    passes, further = divmod(steps, -(-n_rows // batch_rows))
    return passes * n_rows + further * batch_rows


def net_operations(
    encoder: Encoder, recipe: Recipe, work: NetWork, signal: Signal | None = None
) -> Operations:
    """Return what a fit and the prediction of a row took.

    Parameters
    ----------
    encoder : Encoder
    recipe : Recipe
    work : NetWork
    signal : (int, int), optional
        Channels and steps of the raw signal.

    Returns
    -------
    Operations
        Of predicting, the products are those of numpy, and the element operations those of torch's same net.
    """
    n_columns = len(encoder.numbers) + len(encoder.categories)
    training = _probed(lambda n_rows: count_step(encoder, recipe, n_rows, signal))
    looking = _probed(lambda n_rows: count_forward(encoder, recipe, n_rows, signal))
    # rows are put in order once an epoch: inputs, what is wanted, and the offset
    moved = encoder.n_inputs + len(encoder.n_levels) + 2 + (0 if signal is None else signal[0] * signal[1])
    n_weights = sum(each.numel() for each in _module(encoder, recipe, signal).parameters())
    fit = added(
        times(training.call, work.batches),
        times(training.row, work.rows),
        times(looking.row, work.watched_rows),
        {
            "element_operations": float(ADAM * n_weights * work.steps + moved * work.rows),
            "encoded_values": float(n_columns * work.encoded_rows),
        },
    )
    predict = added(looking.row, {"encoded_values": float(n_columns)})
    uncounted = tuple(sorted({*training.uncounted, *looking.uncounted}))
    return Operations(fit, predict, uncounted)


def _probed(count: Callable[[int], TorchCount]) -> _Parts:
    """Return the parts of a call that grows evenly with its rows."""
    small, large = count(PROBE_ROWS), count(2 * PROBE_ROWS)
    row = times(added(large.counts(), times(small.counts(), -1.0)), 1 / PROBE_ROWS)
    call = added(small.counts(), times(row, -float(PROBE_ROWS)))
    return _Parts(call, row, tuple(sorted({*small.uncounted, *small.fused})))


def _module(encoder: Encoder, recipe: Recipe, signal: Signal | None) -> TrainingModule:
    import torch

    from toolkit.tracks._module import TrainingModule

    with torch.device("meta"):
        return TrainingModule(encoder, recipe, None, signal=signal)


def count_step(encoder: Encoder, recipe: Recipe, n_rows: int, signal: Signal | None) -> TorchCount:
    """Count the gradient of one batch."""
    import torch

    from toolkit.operations.torch_flops import count
    from toolkit.tracks._backprop import gradient_adder
    from toolkit.tracks._module import flattened

    module = _module(encoder, recipe, signal)
    flattened(list(module.parameters()))
    wanted, offset = torch.zeros(2, n_rows, device="meta")
    return count(gradient_adder(module), _inputs(encoder, n_rows, signal), wanted, offset, 1.0)


def count_forward(encoder: Encoder, recipe: Recipe, n_rows: int, signal: Signal | None) -> TorchCount:
    """Count the probabilities of rows, without gradients."""
    import torch

    from toolkit.operations.torch_flops import count

    module = _module(encoder, recipe, signal).eval()
    with torch.no_grad():
        return count(lambda *inputs: torch.sigmoid(module(*inputs)), *_inputs(encoder, n_rows, signal))


def _inputs(encoder: Encoder, n_rows: int, signal: Signal | None) -> Sequence[object]:
    import torch

    with torch.device("meta"):
        numbers = torch.empty(n_rows, encoder.n_inputs)
        codes = torch.zeros(n_rows, len(encoder.n_levels), dtype=torch.int64)
        sequence = [] if signal is None else [torch.zeros(n_rows, *signal, dtype=torch.uint8)]
    return [numbers, codes, *sequence]
