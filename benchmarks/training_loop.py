"""Training steps a second: the tracks' own loop against skorch and Lightning, the same net in all.

    python benchmarks/training_loop.py [--rung 6] [--batch-rows 64 128 256 512 1024]

skorch and Lightning are in the extra `bench` (`pip install -e '.[dev,bench]'`); one that is missing is left
out.

The same module, initial weights, optimiser, loss and batch sizes, on retail rows that are encoded before the
clock starts, on one thread. The tracks' loop puts an epoch's rows in order at once, cuts slices, keeps all
parameters in one tensor, and works out the gradient of this net by hand. The others ask autograd, and fetch
through a DataLoader as it comes, in this process (`num_workers=0`), which collates row by row:

- autograd: the same loop, only with autograd;
- DataLoader: a loop as tutorials have it, with a DataLoader, autograd and separate parameters, no framework;
- skorch: `NeuralNet` with its own iterator, without a validation split, printing or scoring;
- Lightning: `Trainer` as it comes, and lean: without logger, checkpoints, progress bar and summary.

Runs are interleaved and start from the same weights; medians are printed. A run takes as many batches as
`--rows` gives, the same for all, and the first, shorter run of each is not counted. What a framework sets up
once a fit is counted: the tracks fit often.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import gc
import importlib.util
import io
import logging
import math
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from toolkit import config, registry
from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import Encoder

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "retail.yaml"
RATE = 0.003

Rows = tuple[Tensor, Tensor, Tensor]
"""Numbers, category codes and labels, as the tracks' net takes them."""

Train = Callable[[nn.Module, Rows, int], None]


def make_module(encoder: Encoder, n_rows: int) -> nn.Module:
    """Return the tracks' net; all that follows takes any module with `forward(numbers, codes)`."""
    from toolkit.tracks import _torch
    from toolkit.tracks._net import Recipe

    generator = torch.Generator().manual_seed(0)
    return _torch.TrainingModule(encoder, Recipe.for_rows(n_rows, "strong"), generator)


def make_optimizer(module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), lr=RATE, fused=True)


def make_loader(rows: Rows, batch_rows: int) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(*rows), batch_size=batch_rows, shuffle=True)


def make_own(*, by_hand: bool) -> Train:
    from toolkit.tracks import _backprop
    from toolkit.tracks._module import TrainingModule, flattened

    way = _backprop.AddGradientByHand if by_hand else _backprop.add_gradient_by_autograd

    def train(module: nn.Module, rows: Rows, batch_rows: int) -> None:
        assert isinstance(module, TrainingModule)
        flat = flattened(list(module.parameters()))
        optimizer = torch.optim.Adam([flat], lr=RATE, fused=True)
        add_gradient = way(module)
        offset = torch.zeros(1)
        order = torch.randperm(len(rows[0]))
        numbers, codes, labels = (part[order] for part in rows)
        for start in range(0, len(order), batch_rows):
            batch = slice(start, start + batch_rows)
            if flat.grad is not None:
                flat.grad.zero_()
            add_gradient([numbers[batch], codes[batch]], labels[batch], offset, 1.0)
            optimizer.step()

    return train


def train_through_loader(module: nn.Module, rows: Rows, batch_rows: int) -> None:
    optimizer = make_optimizer(module)
    for numbers, codes, labels in make_loader(rows, batch_rows):
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(module(numbers, codes), labels).backward()
        optimizer.step()


def train_with_skorch(module: nn.Module, rows: Rows, batch_rows: int) -> None:
    import skorch

    numbers, codes, labels = rows
    net = skorch.NeuralNet(
        module,
        criterion=nn.BCEWithLogitsLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=RATE,
        max_epochs=1,
        batch_size=batch_rows,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )
    net.fit({"numbers": numbers, "codes": codes}, labels)


def make_lightning(*, lean: bool) -> Train:
    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    # about worker processes, and about logging less often than there are steps
    warnings.filterwarnings("ignore", module="lightning.*")

    class Trained(lightning.LightningModule):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def training_step(self, batch: list[Tensor]) -> Tensor:
            numbers, codes, labels = batch
            return functional.binary_cross_entropy_with_logits(self.module(numbers, codes), labels)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return make_optimizer(self)

    bare = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    options: dict[str, Any] = {**bare, "enable_model_summary": False} if lean else {}

    def train(module: nn.Module, rows: Rows, batch_rows: int) -> None:
        # what the progress bar and the summary draw costs time all the same
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            trainer = lightning.Trainer(
                max_epochs=1, accelerator="cpu", devices=1, default_root_dir=folder, **options
            )
            trainer.fit(Trained(module), make_loader(rows, batch_rows))

    return train


def contenders() -> dict[str, Train]:
    found: dict[str, Train] = {
        "the tracks'": make_own(by_hand=True),
        "autograd": make_own(by_hand=False),
        "DataLoader": train_through_loader,
    }
    if importlib.util.find_spec("skorch") is not None:
        found["skorch"] = train_with_skorch
    if importlib.util.find_spec("lightning") is not None:
        found["Lightning, lean"] = make_lightning(lean=True)
        found["Lightning"] = make_lightning(lean=False)
    return found


def encoded(train: TrainingData) -> tuple[Encoder, Rows]:
    encoder = Encoder.learn(train.features, train.schema)
    rows = encoder.transform(train.features)
    labels = torch.from_numpy(train.labels.astype("float32"))
    return encoder, (torch.from_numpy(rows.numbers), torch.from_numpy(rows.codes), labels)


def seconds(train: Train, module: nn.Module, rows: Rows, batch_rows: int) -> float:
    module = copy.deepcopy(module).train()
    torch.manual_seed(0)
    before = {name: tensor.clone() for name, tensor in module.named_parameters()}
    gc.collect()
    start = time.process_time()
    train(module, rows, batch_rows)
    spent = time.process_time() - start
    if all(torch.equal(tensor, before[name]) for name, tensor in module.named_parameters()):
        sys.exit("no weight has moved: this was no training")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rung", type=int, default=6, help="of experiments/retail.yaml")
    parser.add_argument("--rows", type=int, default=50_000, help="rows of a run")
    parser.add_argument("--batch-rows", type=int, nargs="+", default=[64, 128, 256, 512, 1024])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    torch.set_num_threads(1)
    experiment = config.load(EXPERIMENT)
    task = registry.build("tasks", experiment.task_name, experiment.task_params)
    task.prepare(lambda text, share: None)
    data = task.load(rung=experiment.ladder.rungs[options.rung], seed=0)
    encoder, rows = encoded(data.train)
    module = make_module(encoder, len(data.train))
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))[: options.rows]
    rows = (rows[0][order], rows[1][order], rows[2][order])
    n_weights = sum(tensor.numel() for tensor in module.parameters())
    print(f"{len(order):,} rows of {rows[0].shape[1]} inputs, {n_weights:,} weights, one thread, CPU-seconds")

    trains = contenders()
    for missing in sorted({"skorch", "Lightning"} - set(trains)):
        print(f"without {missing}: it is not installed, see pip install -e '.[dev,bench]'")
    for train in trains.values():
        seconds(train, module, (rows[0][:512], rows[1][:512], rows[2][:512]), 256)
    for batch_rows in options.batch_rows:
        spent: dict[str, list[float]] = {name: [] for name in trains}
        for _ in range(options.repeats):
            for name, train in trains.items():
                spent[name].append(seconds(train, module, rows, batch_rows))
        print(f"\nbatches of {batch_rows} rows, {math.ceil(len(order) / batch_rows)} steps")
        own = statistics.median(spent["the tracks'"])
        for name, times in spent.items():
            middle = statistics.median(times)
            ratios = [other / ours for ours, other in zip(spent["the tracks'"], times, strict=True)]
            spread = f"({min(ratios):.2f} to {max(ratios):.2f})" if name != "the tracks'" else ""
            print(
                f"  {name:<16} {len(order) / middle:>9,.0f} rows/s  {middle / own:5.2f} x the time {spread}"
            )


if __name__ == "__main__":
    main()
