"""Fixed pieces of work whose CPU time says how fast this machine is, here and now.

The same work on every machine for ever: the ratio of two machines' times converts CPU-seconds from one
to the other. Four pieces, because machines differ by kind of work: a fast cache helps scattered
updates, wide registers help matrix products, and an interpreter asks for neither.
"""

from __future__ import annotations

import mmap
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CALIBRATION_VERSION", "RUNS", "Kernel", "calibrate", "kernels"]

CALIBRATION_VERSION = 1
"""Stands in the name of every figure: raise it when the work of any kernel changes.

1. first version
"""

RUNS = 3
"""Timed runs of each kernel; their median counts."""

_RECORDS = 1000
_PYTHON_ROUNDS = 50
_SIDE = 192
"""Three float32 matrices of this side take 442 kB: they stay in the second-level cache (512 kB and more)."""

_PRODUCTS = 60
_STREAM_VALUES = 4 << 20
"""Float64 values, 32 MiB: more than a core's own caches hold."""

_STREAM_PASSES = 4
_UPDATES = 1 << 20
_BINS = 1 << 17
"""Float64 sums, 1 MiB, like the histograms of a boosting with some hundred features."""

_SCATTER_ROUNDS = 3


@dataclass(frozen=True)
class Kernel:
    """One fixed piece of work.

    Parameters
    ----------
    name : str
    work : callable
        Does so many rounds of the work and returns a number that depends on all of them.
    rounds : int
        How many rounds are the whole work.
    """

    name: str
    work: Callable[[int], float]
    rounds: int

    def run(self) -> float:
        """Do all of the work and return its check sum."""
        return self.work(self.rounds)


class _Record:
    __slots__ = ("count", "kind")

    def __init__(self, count: int, kind: int) -> None:
        self.count = count
        self.kind = kind


def _python() -> Callable[[int], float]:
    records = [_Record(number, number % 7) for number in range(_RECORDS)]

    def work(rounds: int) -> float:
        total = 0
        by_kind: dict[int, int] = {}
        for _ in range(rounds):
            for record in records:
                total = (total * 31 + record.count + record.kind) % 1000003
                by_kind[record.kind] = by_kind.get(record.kind, 0) + record.count
        return float(total + by_kind[3])

    return work


def _matmul() -> Callable[[int], float]:
    cells = np.arange(_SIDE * _SIDE)
    left = (cells % 7).astype(np.float32).reshape(_SIDE, _SIDE)
    right = (cells % 5).astype(np.float32).reshape(_SIDE, _SIDE)
    product = np.empty_like(left)

    def work(rounds: int) -> float:
        for _ in range(rounds):
            np.matmul(left, right, out=product)
        return float(product.sum(dtype=np.float64))

    return work


def _stream() -> Callable[[int], float]:
    values = np.frombuffer(_pages(8 * _STREAM_VALUES), np.float64)

    def work(rounds: int) -> float:
        values.fill(0.0)
        for _ in range(rounds):
            np.add(values, 1.0, out=values)
        return float(values.sum())

    return work


def _scatter() -> Callable[[int], float]:
    bins = _scattered_bins()
    weights = np.frombuffer(_pages(8 * _UPDATES), np.float64)
    weights.fill(1.0)

    def work(rounds: int) -> float:
        total = 0.0
        for _ in range(rounds):
            sums = np.bincount(bins, weights, minlength=_BINS)
            total += float(sums[12345])
        return total + float(sums.max())

    return work


def _scattered_bins() -> NDArray[np.int64]:
    """Return bin numbers without order: the high bits of Knuth's multiplicative hash."""
    numbers = np.frombuffer(_pages(8 * _UPDATES), np.int64)
    numbers.fill(1)
    np.cumsum(numbers, out=numbers)
    numbers -= 1
    numbers *= 2654435761
    numbers >>= 7
    numbers &= _BINS - 1
    return numbers


def _pages(n_bytes: int) -> mmap.mmap:
    """Return zeroed memory from the system itself.

    Freeing as much of the C library's would raise the size from which it asks the system (glibc's
    dynamic ``M_MMAP_THRESHOLD``), and so change what the cell's own work costs.
    """
    return mmap.mmap(-1, n_bytes)


def kernels() -> tuple[Kernel, ...]:
    """Return the pieces of work, with their data made (about 45 MB, freed with them)."""
    return (
        Kernel("python", _python(), _PYTHON_ROUNDS),
        Kernel("matmul", _matmul(), _PRODUCTS),
        Kernel("stream", _stream(), _STREAM_PASSES),
        Kernel("scatter", _scatter(), _SCATTER_ROUNDS),
    )


def calibrate(clock: Callable[[], float] = time.process_time) -> dict[str, float]:
    """Time the kernels in this process, which should have one thread.

    It takes about 0.12 CPU-seconds on a server of 2023. The runs of the kernels take turns, so that a
    short disturbance meets one run of each and not all runs of one.

    Parameters
    ----------
    clock : callable
        CPU-seconds of the process.

    Returns
    -------
    dict of str to float
        CPU-seconds of one run, by ``<kernel>_v<version>_seconds``.
    """
    pieces = kernels()
    seconds: Mapping[str, list[float]] = {piece.name: [] for piece in pieces}
    for piece in pieces:
        piece.work(1)  # the first use of a page, and of the BLAS library, is not the machine's speed
    for _ in range(RUNS):
        for piece in pieces:
            begun = clock()
            piece.run()
            seconds[piece.name].append(clock() - begun)
    return {
        f"{name}_v{CALIBRATION_VERSION}_seconds": statistics.median(runs) for name, runs in seconds.items()
    }
