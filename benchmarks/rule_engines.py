"""The expert system against three rule engines: the same rules, the same rows, the same firings.

    python benchmarks/rule_engines.py [--rows 20000]

The rules are the supermarket's, the rows are made up in their columns, a third of the values on the rules'
own numbers. Every engine is used as its manual shows, is given rows in the form it likes best, and must
fire exactly the same rules; compiling rules and preparing rows are not counted, reading out what fired is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import clips
import numpy as np
import pandas as pd
import rule_engine
import zen
from numpy.typing import NDArray

from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.condition import Condition, Junction, Member, Pair, columns
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.tasks.base import Column, Schema

KNOWLEDGE = Path(__file__).parents[1] / "experiments" / "knowledge" / "retail.yaml"
OTHERS = 150
"""Categories that no rule names."""

MANY_ROWS = 1_000_000
SAME = """\
Not the same problem, so read the ratios with care:
- CLIPS is a production system: it joins facts with one another, chains rules forward and keeps its matches
  up to date as facts come and go (Rete). Here it gets the one thing that a table of rows needs.
- rule-engine evaluates a Python object against an expression, with decimals, types and time zones.
- zen-engine runs whole decision graphs in Rust on one JSON request after the other, as a service does.
- The expert system only compares columns with numbers, but all rows of a block at once.
Missing values are left out: CLIPS takes NaN for met, the other two raise; ours meets nothing with it.
"""

Rows = list[dict[str, Any]]
Firings = NDArray[np.bool_]


def schema(knowledge: KnowledgeBase) -> Schema:
    named = {str(value) for values in knowledge.sets.values() for value in values}
    levels = (*sorted(named), *(f"OTHER {number}" for number in range(OTHERS)))
    return Schema(
        tuple(
            Column(name, "category", levels) if spec.type == "choice" else Column(name)
            for name, spec in knowledge.columns.items()
        )
    )


def make_features(knowledge: KnowledgeBase, task: Schema, n_rows: int) -> pd.DataFrame:
    """Rows without missing values; counts are mostly small, as they are in a shop."""
    random = np.random.default_rng(0)
    data: dict[str, NDArray[Any]] = {}
    for name, spec in knowledge.columns.items():
        low, high = -4.0 if spec.min is None else spec.min, spec.max or 4.0
        if spec.type == "choice":
            data[name] = random.integers(0, len(task.column(name).levels), n_rows).astype(np.int32)
        elif spec.type == "yes/no":
            data[name] = (random.random(n_rows) < 0.1).astype(np.float32)
        elif spec.type == "whole number" and high - low < 12:
            data[name] = random.integers(int(low), int(high) + 1, n_rows).astype(np.float32)
        elif spec.type == "whole number":
            few = np.floor(low + random.exponential((high - low) / 8 + 0.5, n_rows))
            data[name] = np.minimum(few, high).astype(np.float32)
        else:
            values = low + random.random(n_rows) * (high - low)
            data[name] = np.where(random.random(n_rows) < 1 / 3, values.round(1), values).astype(np.float32)
        if name == knowledge.prior:
            data[name] = random.random(n_rows, np.float32)
    return pd.DataFrame(data)


def as_dictionaries(features: pd.DataFrame, task: Schema) -> Rows:
    numbers = [name for name in features if name in task.numbers]
    plain = features.astype(dict.fromkeys(numbers, "float64"))
    for name in features.columns.difference(numbers):
        plain[name] = np.array(task.column(name).levels)[features[name]]
    return plain.to_dict("records")


def number(value: Any) -> str:
    """A rule's 0.3 means the column's own 0.3, in 32 bits; other engines are told so digit by digit."""
    return repr(float(np.float32(float(value))))


def expression(condition: Condition) -> str:
    """Both rule-engine and zen write conditions this way."""
    if isinstance(condition, Junction):
        return "(" + f" {condition.kind} ".join(map(expression, condition.parts)) + ")"
    if isinstance(condition, Member):
        levels = ", ".join(json.dumps(level) for level in condition.levels)
        return f"{condition.column} {'not in' if condition.negated else 'in'} [{levels}]"
    if isinstance(condition, Pair):
        left, right = condition.left_factor, condition.right_factor
        return f"{left} * {condition.left} {condition.op} {right} * {condition.right}"
    return f"{condition.column} {condition.op} {number(condition.value)}"


class Clips:
    """One template, one fact a row; what concerns one slot is tested in its pattern, as CLIPS advises."""

    def __init__(self, rules: list[Condition], names: list[str], *, read_out: bool) -> None:
        self.read_out = read_out
        self.fired: list[tuple[int, int]] = []
        self.n_rules = len(rules)
        self.environment = clips.Environment()
        self.environment.build(f"(deftemplate row (slot id) {' '.join(f'(slot {name})' for name in names)})")
        # a Python function is the quickest way out; asserting facts and reading them back takes longer
        self.environment.define_function(lambda row, rule: self.fired.append((row, rule)), name="fired")
        for index, rule in enumerate(rules):
            slots, tests = self.patterns(rule)
            action = f"(fired ?id {index})" if read_out else ""
            self.environment.build(f"(defrule r{index} (row (id ?id) {slots}) {tests} => {action})")
        self.template = self.environment.find_template("row")

    def patterns(self, rule: Condition) -> tuple[str, str]:
        parts = rule.parts if isinstance(rule, Junction) and rule.kind == "and" else (rule,)
        literals: dict[str, str] = {}
        slots: dict[str, list[str]] = {}
        tests = []
        for part in parts:
            if isinstance(part, Member) and not part.negated and part.column not in literals:
                literals[part.column] = "|".join(json.dumps(level) for level in part.levels)
            elif len(columns(part)) == 1:
                slots.setdefault(columns(part)[0], []).append(self.call(part))
            else:
                tests.append(f"(test {self.call(part)})")
                for name in columns(part):
                    slots.setdefault(name, [])
        written = [f"({name} {literal})" for name, literal in literals.items()]
        written += [
            f"({name} ?{name}{''.join(f'&:{call}' for call in calls)})" for name, calls in slots.items()
        ]
        return " ".join(written), " ".join(tests)

    def call(self, part: Condition) -> str:
        if isinstance(part, Junction):
            return f"({part.kind} {' '.join(map(self.call, part.parts))})"
        if isinstance(part, Member):
            same = " ".join(f"(eq ?{part.column} {json.dumps(level)})" for level in part.levels)
            return f"(not (or {same} FALSE))" if part.negated else f"(or {same} FALSE)"
        op = {"==": "=", "!=": "<>"}.get(part.op, part.op)
        if isinstance(part, Pair):
            return f"({op} (* {part.left_factor} ?{part.left}) (* {part.right_factor} ?{part.right}))"
        return f"({op} ?{part.column} {number(part.value)})"

    def __call__(self, rows: Rows) -> Firings | int:
        """Assert all rows, run, and return the firings, or only how many rules fired."""
        self.environment.reset()
        self.fired.clear()
        for index, row in enumerate(rows):
            self.template.assert_fact(id=index, **row)
        count = int(self.environment.run())
        if not self.read_out:
            return count
        firings = np.zeros((len(rows), self.n_rules), np.bool_)
        if self.fired:
            firings[tuple(np.array(self.fired).T)] = True
        return firings


def rule_engine_run(knowledge: KnowledgeBase, rules: list[Condition]) -> Callable[[Rows], Firings]:
    kinds = {
        name: rule_engine.DataType.STRING if spec.type == "choice" else rule_engine.DataType.FLOAT
        for name, spec in knowledge.columns.items()
    }
    context = rule_engine.Context(type_resolver=rule_engine.type_resolver_from_dict(kinds))
    compiled = [rule_engine.Rule(expression(rule), context=context) for rule in rules]
    return lambda rows: np.array([[rule.matches(row) for rule in compiled] for row in rows])


def zen_run(rules: list[Condition]) -> Callable[[Rows], Firings]:
    named = [
        {"id": f"e{index}", "key": f"r{index}", "value": expression(rule)} for index, rule in enumerate(rules)
    ]
    graph = {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "rules", "name": "rules", "type": "expressionNode", "content": {"expressions": named}},
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "1", "type": "edge", "sourceId": "in", "targetId": "rules"},
            {"id": "2", "type": "edge", "sourceId": "rules", "targetId": "out"},
        ],
    }
    content = zen.ZenDecisionContent(json.dumps(graph))
    engine = zen.ZenEngine({"loader": lambda key: content})
    keys = [expressions["key"] for expressions in named]

    def run(rows: Rows) -> Firings:
        answers = engine.evaluate_batch([{"key": "rules", "context": row} for row in rows])
        return np.array([[answer["data"]["result"][key] for key in keys] for answer in answers])

    return run


def timed(call: Callable[[], Any], repeats: int = 2) -> tuple[float, Any]:
    """Return the least CPU-seconds, of all threads, and the last answer."""
    seconds, answer = [], None
    for _ in range(repeats):
        start = time.process_time()
        answer = call()
        seconds.append(time.process_time() - start)
    return min(seconds), answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000, help="for the slow engines a quarter of it")
    options = parser.parse_args()

    knowledge = load(KNOWLEDGE)
    rules = list(knowledge.conditions().rules)
    task = schema(knowledge)
    system = compile_knowledge(knowledge, task)
    names = list(dict.fromkeys(name for rule in rules for name in columns(rule)))
    features = make_features(knowledge, task, max(MANY_ROWS, options.rows))
    expected = system.firings(features.iloc[: options.rows])
    rows = as_dictionaries(features.iloc[: options.rows][names], task)
    print(
        f"{len(rules)} rules; {expected.mean():.1%} of {expected.size:,} rule-rows fire; million rule-rows a "
        "CPU-second,\nfirings read out; the expert system also makes the log-odds\n"
    )

    seconds, _ = timed(lambda: system.score(features), repeats=5)
    ours = len(rules) * len(features) / 1e6 / seconds
    print(f"{'expert system':<40}{len(features):>10,} rows {ours:>10.3f}")
    few = features.iloc[: options.rows]
    seconds, _ = timed(lambda: system.score(few), repeats=20)
    print(f"{'expert system, on as few rows':<40}{len(few):>10,} rows {expected.size / 1e6 / seconds:>10.3f}")
    engines: list[tuple[str, int, Callable[[Rows], Any]]] = [
        ("clipspy", options.rows, Clips(rules, names, read_out=True)),
        ("clipspy, only how many rules fired", options.rows, Clips(rules, names, read_out=False)),
        ("rule-engine", options.rows // 4, rule_engine_run(knowledge, rules)),
        ("zen-engine", options.rows // 4, zen_run(rules)),
    ]
    differing = 0
    for name, n_rows, run in engines:
        seconds, got = timed(lambda run=run, n_rows=n_rows: run(rows[:n_rows]))
        speed = len(rules) * n_rows / 1e6 / seconds
        wrong = (
            abs(got - int(expected.sum())) if isinstance(got, int) else int((got != expected[:n_rows]).sum())
        )
        differing += wrong
        print(
            f"{name:<40}{n_rows:>10,} rows {speed:>10.3f}   expert system: x {ours / speed:<6,.0f}   "
            f"{wrong} firings differ",
            flush=True,
        )
    print(f"\n{SAME}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
