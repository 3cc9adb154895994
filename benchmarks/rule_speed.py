"""How fast both compilers decide rules, on one thread, and whether they agree.

    python benchmarks/rule_speed.py [--rows 1000000]

Rules are made up, of the kinds people write: thresholds, ranges, choices in lists, pairs of columns,
or, not, shared terms, groups. Speeds are rule-rows a second: rules times rows over seconds, best of a few.
Compiler A makes log-odds and the whole matrix of firings; compiler B, made sharp, must fire the same.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import numpy as np
import pandas as pd
import torch

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.fuzzy.system import CRISP, compile_fuzzy
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.tasks.base import Column, Schema

WHOLE = [f"n{number}" for number in range(12)]
REAL = [f"x{number}" for number in range(12)]
FLAGS = [f"f{number}" for number in range(4)]
CHOICES = {"small": 8, "middle": 40, "large": 300}
MOST_CELLS = 200_000_000
"""Of the matrix of firings, a byte each."""


def schema() -> Schema:
    numbers = [Column(name) for name in (*WHOLE, *REAL, *FLAGS)]
    choices = [
        Column(name, "category", tuple(f"level {code}" for code in range(count)))
        for name, count in CHOICES.items()
    ]
    return Schema((*numbers, *choices))


class Author:
    """Writes rules at random."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def comparison(self) -> str:
        random = self.random
        whole, real = random.choice(WHOLE), random.choice(REAL)
        count, share = int(random.integers(1, 30)), int(random.integers(1, 20)) / 20
        kind = random.integers(10)
        if kind < 3:
            return f"{whole} {random.choice(['>=', '<=', '>', '<', '=='])} {count}"
        if kind < 5:
            return f"{real} {random.choice(['>=', '<='])} {share}"
        if kind == 5:
            return f"{share / 2} <= {real} <= {share}"
        if kind == 6:
            name = random.choice(list(CHOICES))
            codes = random.choice(CHOICES[name], min(int(random.integers(1, 20)), CHOICES[name] - 1), False)
            return f"{name} in [" + ", ".join(f'"level {code}"' for code in codes) + "]"
        if kind == 7:
            left, right = random.choice(WHOLE, 2, replace=False)
            return f"{random.integers(1, 14)} * {left} >= {random.integers(1, 14)} * {right}"
        if kind == 8:
            return str(random.choice(FLAGS))
        return f"not {real} > {share}"

    def condition(self) -> str:
        shape = self.random.integers(8)
        parts = [self.comparison() for _ in range(3)]
        if shape == 0:
            return parts[0]
        if shape < 4:
            return f"{parts[0]} and {parts[1]}"
        if shape < 6:
            return " and ".join(parts)
        if shape == 6:
            return f"({parts[0]} or {parts[1]}) and {parts[2]}"
        return f"term{self.random.integers(4)} and {parts[0]}"

    def knowledge(self, n_rules: int) -> KnowledgeBase:
        random = self.random
        rules = [
            {
                "id": f"rule {number}",
                "when": self.condition(),
                "then": "buys" if random.random() < 0.6 else "does not buy",
                "certainty": int(random.integers(1, 19)) / 20,
                "group": f"group {random.integers(n_rules // 5)}" if random.random() < 0.4 else None,
                "because": "made up",
            }
            for number in range(n_rules)
        ]
        types = {**dict.fromkeys(WHOLE, "whole number"), **dict.fromkeys(REAL, "number")}
        types |= {**dict.fromkeys(FLAGS, "yes/no"), **dict.fromkeys(CHOICES, "choice")}
        columns: dict[str, object] = {name: {"type": kind} for name, kind in types.items()}
        columns["x0"] = {"type": "number", "missing": 0.5}
        return KnowledgeBase.model_validate(
            {
                "knowledge_base": "made up",
                "predicts": "y",
                "prior": "10 %",
                "columns": columns,
                "terms": {f"term{n}": f"{self.comparison()} and {self.comparison()}" for n in range(4)},
                "rules": rules,
            }
        )


def make_rows(n_rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    columns: dict[str, np.ndarray] = {name: random.integers(0, 30, n_rows).astype("f4") for name in WHOLE}
    for name in REAL:
        values = random.random(n_rows, np.float32)
        # a third lie on the numbers of the rules, and one in twenty is missing
        values = np.where(random.random(n_rows) < 1 / 3, np.rint(values * 20) / np.float32(20), values)
        columns[name] = np.where(random.random(n_rows) < 0.05, np.float32(np.nan), values).astype("f4")
    columns |= {name: random.integers(0, 2, n_rows).astype("f4") for name in FLAGS}
    columns |= {name: random.integers(-1, count, n_rows).astype("i4") for name, count in CHOICES.items()}
    return pd.DataFrame(columns)


def best(call: Callable[[], object], repeats: int = 4) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def compiler_a(n_rules: int, n_rows: int) -> None:
    system = compile_knowledge(Author(n_rules).knowledge(n_rules), schema())
    features = make_rows(min(n_rows, MOST_CELLS // n_rules), seed=1)
    cells = n_rules * len(features) / 1e6
    calls: dict[str, Callable[[], object]] = {
        "score + firings": lambda: system.score(features),
        "score": lambda: system.logit(features),
        "packed firings": lambda: system.firings_packed(features),
        "counts": lambda: system.firing_counts(features),
    }
    speeds = "  ".join(f"{name} {cells / best(call):5.0f}" for name, call in calls.items())
    print(f"A  {n_rules:>5,} rules  {len(features):>9,} rows  {speeds}  (million rule-rows/s)", flush=True)


def compiler_b(n_rules: int, n_rows: int, batch_rows: int = 2_048) -> None:
    knowledge = Author(n_rules).knowledge(n_rules)
    expert = compile_knowledge(knowledge, schema())
    sharp = compile_fuzzy(knowledge, schema(), sharpness=CRISP)
    features = make_rows(min(n_rows, MOST_CELLS // n_rules // 6), seed=2)
    logit, firings = expert.score(features)
    inputs, differences, worst = sharp.inputs(features), 0, 0.0
    start = time.perf_counter()
    with torch.no_grad():
        for first in range(0, len(features), batch_rows):
            rows = slice(first, first + batch_rows)
            fired = sharp.truth(inputs.take(rows)).numpy() > np.log(0.5)
            differences += int((fired != firings[rows]).sum())
            worst = max(worst, float(np.abs(sharp(inputs.take(rows)).numpy() - logit[rows]).max()))
    seconds = (time.perf_counter() - start) / 2  # truth and logit, one pass each
    soft = compile_fuzzy(knowledge, schema(), learn=["thresholds", "weights", "scale", "bias"])
    batch = inputs.take(slice(0, batch_rows))
    step = best(lambda: soft(batch).sum().backward(), repeats=10)
    forward, both = n_rules * len(features) / 1e6 / seconds, n_rules * batch_rows / 1e6 / step
    print(
        f"B  {n_rules:>5,} rules  {len(features):>9,} rows  forward {forward:5.1f}"
        f"  with gradients {both:5.1f} (million rule-rows/s)"
        f"  differences from A: {differences:,} firings, log-odds at most {worst:.1e}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="at most; fewer for many rules")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for n_rules in (10, 30, 100, 300, 1_000):
        compiler_a(n_rules, options.rows)
    for n_rules in (10, 30, 100):
        compiler_b(n_rules, options.rows)


if __name__ == "__main__":
    main()
