"""How steady the calibration kernels are, and what they tell of real fits, alone and beside a busy core.

    python benchmarks/calibration.py [--rounds 25]

Rounds alone and rounds beside a process that streams through memory on another core take turns. Printed are
medians and coefficients of variation, how much more each piece of work takes beside the busy core, and how
well the kernels' geometric mean foretells a fit in the same round: the spread of log CPU time of the fits
before and after dividing by it. ``others`` is how many cores other processes kept busy: above 0.1 in the
rounds alone, the machine was not quiet, and the comparison says little.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable

from toolkit.machine import CoreClock, pin_one_thread, single_thread_environment

os.environ.update(single_thread_environment())

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from toolkit.meters._calibration import calibrate

N_ROWS = 60_000
NEIGHBOUR = """
import os, sys
import numpy as np
os.sched_setaffinity(0, {int(sys.argv[1])})
values = np.ones(8 << 20)
print(flush=True)
while True:
    values *= 1.0000001
"""


def fits() -> dict[str, Callable[[], object]]:
    """Return fits of three families on made-up rows."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N_ROWS, 30))
    labels = (values[:, 0] + rng.normal(size=N_ROWS) > 0).astype(np.int64)
    single, targets = values.astype(np.float32), labels.astype(np.float32)[:, None]

    def net() -> None:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(30, 128), torch.nn.ReLU(), torch.nn.Linear(128, 1))
        optimiser = torch.optim.AdamW(model.parameters())
        for at in range(0, N_ROWS, 256):
            logits = model(torch.from_numpy(single[at : at + 256]))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, torch.from_numpy(targets[at : at + 256])
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return {
        "boosting": lambda: HistGradientBoostingClassifier(max_iter=10).fit(single, labels),
        "logistic": lambda: LogisticRegression(max_iter=100, tol=1e-9).fit(values, labels),
        "net": net,
    }


def measure(work: dict[str, Callable[[], object]]) -> tuple[dict[str, float], float]:
    """Return CPU-seconds of the kernels and fits, and the cores that others kept busy meanwhile."""
    cores = CoreClock()
    begun, began, used = cores(), time.perf_counter(), time.process_time()
    seconds = calibrate()
    for name, fit in work.items():
        before = time.process_time()
        fit()
        seconds[name] = time.process_time() - before
    ended = cores()
    if begun is None or ended is None:
        return seconds, float("nan")
    own = time.process_time() - used
    return seconds, (ended.busy_seconds - begun.busy_seconds - own) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    pin_one_thread(cores[-1])
    work = fits()
    measure(work)
    gc.freeze()
    rounds: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    others: dict[bool, list[float]] = {False: [], True: []}
    for number in range(2 * options.rounds):
        busy = number % 2 == 1
        command = [sys.executable, "-c", NEIGHBOUR, str(cores[0])]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE)
            if busy
            else contextlib.nullcontext() as neighbour
        ):
            if neighbour is not None:
                neighbour.stdout.readline()
            seconds, beside = measure(work)
            if neighbour is not None:
                neighbour.kill()
        rounds[busy].append(seconds)
        others[busy].append(beside)
    report(rounds, others, set(work))


def report(
    rounds: dict[bool, list[dict[str, float]]], others: dict[bool, list[float]], names: set[str]
) -> None:
    alone, beside = np.median(others[False]), np.median(others[True])
    print(f"others kept {alone:.2f} cores busy in rounds alone, {beside:.2f} in those beside a busy core")
    print(f"{'work':>22} {'alone':>10} {'varies':>8} {'beside':>10} {'varies':>8} {'ratio':>7}")
    took = {busy: {name: column(rounds[busy], name) for name in rounds[busy][0]} for busy in rounds}
    for name in took[False]:
        one, two = took[False][name], took[True][name]
        print(
            f"{name:>22} {np.median(one) * 1e3:>7.2f} ms {np.std(one) / np.mean(one):>8.1%} "
            f"{np.median(two) * 1e3:>7.2f} ms {np.std(two) / np.mean(two):>8.1%} "
            f"{np.median(two) / np.median(one):>7.3f}"
        )
    both = {name: np.log(np.concatenate([took[False][name], took[True][name]])) for name in took[False]}
    speed = np.mean([logs for name, logs in both.items() if name not in names], axis=0)
    for name in sorted(names):
        plain, corrected = np.std(both[name]), np.std(both[name] - speed)
        print(f"{name}: log CPU time varies by {plain:.3f}, divided by the kernels' by {corrected:.3f}")


def column(rounds: list[dict[str, float]], name: str) -> NDArray[np.float64]:
    return np.array([seconds[name] for seconds in rounds])


if __name__ == "__main__":
    main()
