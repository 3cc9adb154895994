"""What metering costs: the same work with and without all meters, in turns, in one process.

    python benchmarks/metering_overhead.py [--blocks 40] [--milliseconds 1 10 50 250] [--no-group]

A block is bare, metered, metered, bare, so that a drift of the machine's speed falls on both alike. The
overhead is the median over blocks of metered over bare less one, with a bootstrap interval of 95 %. It is
given of what the process spends in all, and of what the reading says, which is what a cell is charged with:
most of a meter's work happens before its clock starts and after it stops. The aim is less than 1 % in the
reading of phases over 50 ms. The process stands in a control group like a cell, where one can be made.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolkit.machine import pin_one_thread, single_thread_environment

os.environ.update(single_thread_environment())

import numpy as np
from numpy.typing import NDArray

from toolkit import registry
from toolkit.meters._cgroup import make_group, own_group
from toolkit.meters._processes import inherit_orphans
from toolkit.meters._window import Window
from toolkit.meters.base import Meter

RESAMPLES = 2000


@dataclass(frozen=True)
class Spent:
    """CPU- and wall-seconds of one piece of work."""

    cpu: float
    wall: float


def work(rounds: int) -> float:
    """Do about a tenth of a millisecond a round, with memory that comes and goes as in a fit."""
    total = 0.0
    for step in range(rounds):
        values = np.arange(40_000, dtype=np.float64) * step
        total += float(values[np.argsort(values[:400] % 7)].sum())
        total += sum(number * number for number in range(1000))
    return total


def spend(do: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    do()
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--no-group", action="store_true", help="count processes without a control group")
    parser.add_argument("--milliseconds", type=float, nargs="+", default=[1.0, 10.0, 50.0, 250.0])
    options = parser.parse_args()
    group = None if options.no_group else make_group(0)
    process = os.fork()
    if process == 0:
        if group is not None:
            group.enter()
        compare(options.blocks, options.milliseconds)
        os._exit(0)
    os.waitpid(process, 0)
    if group is not None:
        group.remove()


def compare(blocks: int, milliseconds: Sequence[float]) -> None:
    inherit_orphans()
    pin_one_thread(max(os.sched_getaffinity(0)))
    meters: list[Meter] = [registry.build("meters", name, {}) for name in registry.names("meters")]
    print(f"meters: {', '.join(registry.names('meters'))}; control group: {own_group() is not None}")
    empty = np.array([spend(lambda: metered(meters, 0)).cpu for _ in range(200)]) * 1e3
    print(
        f"an empty phase costs {np.median(empty):.3f} ms of CPU time, 95 % of them less than "
        f"{np.quantile(empty, 0.95):.3f}"
    )
    a_round = np.median([spend(lambda: work(50)).cpu for _ in range(9)]) / 50
    names = ("process, CPU", "process, wall", "reading, CPU", "reading, wall", "added, ms")
    print(f"{'work':>9} " + " ".join(f"{name:>24}" for name in names))
    for each in milliseconds:
        report(meters, max(1, round(each * 1e-3 / a_round)), blocks)


def metered(meters: Sequence[Meter], rounds: int) -> Spent:
    with Window("fit", meters) as window:
        work(rounds)
    quantities = window.reading.quantities
    return Spent(quantities["cpu_seconds"] or 0.0, quantities["wall_seconds"] or 0.0)


def report(meters: Sequence[Meter], rounds: int, blocks: int) -> None:
    bare: list[Spent] = []
    outside: list[Spent] = []
    inside: list[Spent] = []

    def do_metered() -> None:
        inside.append(metered(meters, rounds))

    for _ in range(blocks):
        bare.append(spend(lambda: work(rounds)))
        outside += [spend(do_metered), spend(do_metered)]
        bare.append(spend(lambda: work(rounds)))
    took = np.median([spent.cpu for spent in bare]) * 1e3
    columns = [
        interval(pairs(bare, spents, clock)) for spents in (outside, inside) for clock in ("cpu", "wall")
    ]
    columns.append(f"{np.median(pairs(bare, outside, 'cpu')) * took:.2f}")
    print(f"{took:6.1f} ms " + " ".join(f"{text:>24}" for text in columns))


def pairs(bare: Sequence[Spent], other: Sequence[Spent], clock: str) -> NDArray[np.float64]:
    """Return the overhead of each block, as a share."""
    without, having = (
        np.array([getattr(spent, clock) for spent in spents]).reshape(-1, 2).sum(axis=1)
        for spents in (bare, other)
    )
    shares: NDArray[np.float64] = having / without - 1.0
    return shares


def interval(shares: NDArray[np.float64]) -> str:
    draws = np.random.default_rng(0).choice(shares, (RESAMPLES, len(shares)))
    low, high = np.quantile(np.median(draws, axis=1), (0.025, 0.975))
    return f"{np.median(shares):+.2%} ({low:+.2%}, {high:+.2%})"


if __name__ == "__main__":
    main()
