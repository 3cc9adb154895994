"""How many rows a second are explained in words, on one thread.

    python benchmarks/explanations.py [--rows 100000]

The supermarket's 25 rules on rows of the retail task's validation block, then made-up rules in larger
numbers. A text holds the prior, every rule that counts with its reason, rules that fired but did not
count, and the nearest rule that did not fire with the smallest change that would make it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import numpy as np
import pandas as pd

from toolkit import config, registry
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.explain.explainer import Explainer
from toolkit.knowledge.spread import column_spread
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.tasks.base import Column, Schema

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "retail.yaml"
TARGET = 50_000
REPEATS = 3


def best(run: Callable[[], object]) -> float:
    """Return the least CPU-seconds of some runs: a neighbour only ever makes one slower."""
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def show(title: str, explainer: Explainer, rows: pd.DataFrame) -> float:
    explanations = explainer.explain(rows)
    explaining = best(lambda: explainer.explain(rows))
    telling = best(explanations.texts)
    single = best(lambda: [explainer.explain(rows.iloc[[row]])[0] for row in range(20)]) / 20
    rate = len(rows) / (explaining + telling)
    print(
        f"{title}: {rate:,.0f} rows/s as text ({len(rows) / explaining:,.0f} explained, "
        f"{len(rows) / telling:,.0f} written); {len(set(explanations.patterns.tolist())):,} patterns of "
        f"firing in {len(rows):,} rows; one row alone {1e3 * single:.1f} ms"
    )
    return rate


def made_up(n_rules: int, n_rows: int) -> tuple[Explainer, pd.DataFrame]:
    """Return rules of three comparisons each on ten columns, and rows on which few of them fire."""
    generator = np.random.default_rng(0)
    names = [f"x{number}" for number in range(10)]
    rules = []
    for number in range(n_rules):
        chosen = generator.choice(names, 3, replace=False)
        cuts = np.round(generator.uniform(0.5, 0.95, 3), 2)
        when = " and ".join(f"{name} > {cut:g}" for name, cut in zip(chosen, cuts, strict=True))
        rules.append({"id": f"r{number}", "when": when, "then": "buys", "certainty": 0.1, "because": "so"})
    content = {"knowledge_base": "made-up", "predicts": "y", "prior": "10 %", "rules": rules}
    columns = {name: {"min": 0, "max": 1} for name in names}
    knowledge = KnowledgeBase.model_validate({**content, "columns": columns})
    system = compile_knowledge(knowledge, Schema(tuple(Column(name) for name in names)))
    rows = pd.DataFrame({name: generator.random(n_rows, np.float32) for name in names})
    return Explainer.of(knowledge, system, {}), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()

    experiment = config.load(EXPERIMENT)
    task = registry.build("tasks", experiment.task_name, experiment.task_params)
    task.prepare(lambda text, share: None)
    rows = task.load(rung=None, seed=0).valid.features.iloc[: options.rows]
    knowledge = load(EXPERIMENT.parent / "knowledge" / "retail.yaml")
    schema = task.schema()
    explainer = Explainer.of(
        knowledge,
        compile_knowledge(knowledge, schema),
        {column.name: column.levels for column in schema.categories},
        spread=column_spread(rows, list(knowledge.columns)),
    )
    rate = show(f"the supermarket's {len(knowledge.all_rules)} rules", explainer, rows)
    print(f"  {rate / TARGET:.1f} x the target of {TARGET:,} rows/s")
    for n_rules in (100, 1000):
        show(f"{n_rules} made-up rules", *made_up(n_rules, options.rows // 10))


if __name__ == "__main__":
    main()
