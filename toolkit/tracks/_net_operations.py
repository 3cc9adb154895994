"""What training and predicting with a net take, counted by probes on the meta device.

A step's operations are ``a + b n`` for n rows: two probes give both, and the rows and steps of a fit do the
rest, so the last, smaller batch of an epoch counts as what it is. Neither importing this nor keeping a
`NetWork` needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from toolkit.operations.counts import Operations, added, times
from toolkit.tracks._encode import KNOTS, Encoder
from toolkit.tracks._net import Net, Recipe

if TYPE_CHECKING:
    from toolkit.operations.torch_flops import TorchCount
    from toolkit.tracks._module import Signal, TrainingModule

__all__ = ["NetWork", "count_forward", "count_step", "net_operations", "predict_counts", "rows_of_steps"]

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
    settled_rows : int
        Rows that the scales of filters on a raw signal were taken from.
    """

    steps: int
    batches: int
    rows: int
    encoded_rows: int
    watched_rows: int
    settled_rows: int = 0


class _Parts(NamedTuple):
    """Operations of a call that do not grow with its rows, and those of a row."""

    call: Mapping[str, float | None]
    row: Mapping[str, float | None]
    uncounted: tuple[str, ...]


def rows_of_steps(n_rows: int, batch_rows: int, steps: int) -> int:
    """Return the rows of so many batches, when the last batch of a pass over `n_rows` is what is left."""
    passes, further = divmod(steps, -(-n_rows // batch_rows))
    return passes * n_rows + further * batch_rows


def net_operations(net: Net, recipe: Recipe, work: NetWork) -> Operations:
    """Return what a fit and the prediction of a row took.

    Parameters
    ----------
    net : Net
        As it was trained.
    recipe : Recipe
    work : NetWork

    Returns
    -------
    Operations
        Left out of a fit: the schedule of learning rates, and sums of losses.
    """
    encoder = net.encoder
    signal = None if net.bank is None else (len(net.bank.rates), net.bank.n_steps)
    training = _probed(lambda n_rows: count_step(encoder, recipe, n_rows, signal))
    looking = _probed(lambda n_rows: count_forward(encoder, recipe, n_rows, signal))
    # rows are put in order once an epoch: inputs, what is wanted, and the offset
    moved = encoder.n_inputs + len(encoder.n_levels) + 2 + (0 if signal is None else signal[0] * signal[1])
    fit = added(
        times(training.call, work.batches),
        times(training.row, work.rows),
        times(looking.row, work.watched_rows),
        {
            "flop": 0.0
            if net.bank is None
            else float(2 * net.bank.rates.size * net.bank.n_steps * work.settled_rows),
            "element_operations": float(ADAM * net.n_parameters * work.steps + moved * work.rows),
            "encoded_values": float(_n_columns(encoder) * work.encoded_rows),
        },
    )
    return Operations(fit, predict_counts(net), tuple(sorted({*training.uncounted, *looking.uncounted})))


def predict_counts(net: Net) -> Mapping[str, float | None]:
    """Return what predicting a row takes in numpy, which needs no torch and no probe.

    For every member, and with W hidden units a layer: ``2 W`` FLOP a unit of the layer before, and the
    shift, the maximum with zero and, from the second layer on, adding up, W element operations each; of an
    ensemble also the gain. Besides: bent inputs, look-ups, and the logistic function.
    """
    weights, encoder = net.weights, net.encoder
    members, width = weights["last"].shape
    layers = [weights[name].shape for name in sorted(weights) if name.startswith("hidden_")]
    flop = 2 * len(weights["linear"]) + 2 * members * (sum(rows * units for rows, units in layers) + width)
    n_inputs = len(weights["linear"]) // (1 + len(KNOTS))
    dimensions = [weights[f"embedding_{position}"].shape[1] for position in range(len(encoder.n_levels))]
    # a hinge is a difference and a maximum; of a category, its weight is looked up and added
    elements = 2 * len(KNOTS) * n_inputs + 1 + 2 * len(dimensions) + sum(dimensions)
    if members == 1:
        elements += width * (3 * len(layers) - 1) + 2
    else:
        # log-odds, probability and sum of every member; then the mean, its range and its log-odds
        elements += members * (layers[0][0] + width * (4 * len(layers) - 1) + 3) + 4
    if net.bank is not None:
        channels, filters = net.bank.rates.shape
        flop += 2 * channels * filters * net.bank.n_steps
        elements += channels * net.bank.n_steps + 5 * channels * filters
    return {
        "flop": float(flop),
        "element_operations": float(elements),
        "encoded_values": float(_n_columns(encoder)),
    }


def _n_columns(encoder: Encoder) -> int:
    return len(encoder.numbers) + len(encoder.categories)


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
    """Count the probabilities of rows that training is watched by, without gradients."""
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
