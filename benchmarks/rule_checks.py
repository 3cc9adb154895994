"""The exact analysis of 1,000 rules: all pairs at once, and z3 on a sample of the same pairs.

    python benchmarks/rule_checks.py [--rules 1000] [--z3-pairs 300]

The rules are made up: two to four comparisons each over 20 columns, one rule in ten an ``or`` of two
conditions, one in twenty with a comparison of two columns. Prints the time that boxes, overlap and
containment of all pairs, and all checks take, how much longer z3 takes for one pair, and on how many
of the sampled pairs the two disagree. One thread.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from toolkit.machine import single_thread_environment

os.environ.update(single_thread_environment())

import z3

from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.boxes.overlaps import pairwise
from toolkit.knowledge.boxes.regions import Space
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.condition import Condition, Junction, Member, Pair, Threshold, join, to_text
from toolkit.knowledge.entries import ColumnSpec

RETAIL = Path(__file__).parents[1] / "experiments" / "knowledge" / "retail.yaml"
LEVELS = tuple(f"level {number}" for number in range(200))
REPEATS = 5

COLUMNS: dict[str, ColumnSpec] = {
    **{f"number{index}": ColumnSpec(type="number", min=0) for index in range(9)},
    **{f"whole{index}": ColumnSpec(type="whole number", min=0, max=182) for index in range(7)},
    **{f"flag{index}": ColumnSpec(type="yes/no") for index in range(2)},
    **{f"choice{index}": ColumnSpec(type="choice", values=LEVELS) for index in range(2)},
}


def comparison(name: str, generator: random.Random) -> Condition:
    kind = COLUMNS[name].type
    if kind == "choice":
        chosen = generator.sample(LEVELS, generator.choice([1, 5, 30]))
        return Member(name, tuple(sorted(chosen)), negated=generator.random() < 0.2)
    if kind == "yes/no":
        return Threshold(name, ">" if generator.random() < 0.5 else "<=", Fraction(1, 2))
    value = (
        Fraction(generator.randint(0, 150))
        if kind == "whole number"
        else Fraction(generator.randint(0, 200), 20)
    )
    return Threshold(name, generator.choice(["<", "<=", ">", ">="]), value)


def rule(generator: random.Random) -> Condition:
    names = generator.sample(list(COLUMNS), generator.randint(2, 4))
    parts = [comparison(name, generator) for name in names]
    if generator.random() < 0.05:
        numbers = [name for name in COLUMNS if name.startswith(("number", "whole"))]
        left, right = generator.sample(numbers, 2)
        parts.append(Pair(left, generator.randint(1, 4), generator.choice([">", "<="]), right, 5))
    condition = join("and", parts)
    if generator.random() < 0.1:
        names = generator.sample(list(COLUMNS), 2)
        condition = join("or", [condition, join("and", [comparison(name, generator) for name in names])])
    return condition


class Judge:
    """The same columns and conditions for z3."""

    def __init__(self) -> None:
        self.solver = z3.Solver()
        self.missing = {name: z3.Bool(f"{name} missing") for name in COLUMNS}
        self.values: dict[str, Any] = {}
        for name, spec in COLUMNS.items():
            value = z3.Real(name) if spec.type == "number" else z3.ToReal(z3.Int(name))
            high = {"yes/no": 1, "choice": len(LEVELS) - 1}.get(spec.type, spec.max)
            self.solver.add(value >= 0)
            if high is not None:
                self.solver.add(value <= high)
            self.values[name] = value

    def formula(self, condition: Condition) -> Any:
        if isinstance(condition, Junction):
            parts = [self.formula(part) for part in condition.parts]
            return z3.And(parts) if condition.kind == "and" else z3.Or(parts)
        if isinstance(condition, Member):
            chosen = [self.values[condition.column] == LEVELS.index(level) for level in condition.levels]
            met = z3.Not(z3.Or(chosen)) if condition.negated else z3.Or(chosen)
            return z3.And(z3.Not(self.missing[condition.column]), met)
        if isinstance(condition, Pair):
            left = condition.left_factor * self.values[condition.left]
            right = condition.right_factor * self.values[condition.right]
            known = z3.Not(z3.Or(self.missing[condition.left], self.missing[condition.right]))
        else:
            left, right = self.values[condition.column], z3.RealVal(str(condition.value))
            known = z3.Not(self.missing[condition.column])
        compared = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
        return z3.And(known, compared[condition.op])

    def can_be(self, *formulas: Any) -> bool:
        self.solver.push()
        self.solver.add(*formulas)
        answer = self.solver.check()
        self.solver.pop()
        return bool(answer == z3.sat)


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--z3-pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)  # noqa: S311 (no secret depends on it)
    rules = [rule(generator) for _ in range(arguments.rules)]

    def boxed() -> list[Any]:
        space = Space.of(rules, COLUMNS)
        return [space.region(one) for one in rules]

    boxes_seconds, _ = best(boxed)
    pairs_seconds = float("inf")
    for _ in range(REPEATS):  # a space remembers what it has decided, so each time with a new one
        regions = boxed()
        start = time.perf_counter()
        pairs = pairwise(regions)
        pairs_seconds = min(pairs_seconds, time.perf_counter() - start)
    n_boxes = sum(len(region.parts) for region in regions)
    inside, open_pairs = int(pairs.within.sum()) - len(rules), int(pairs.unknown.sum())
    print(f"{len(rules):,} rules in {n_boxes:,} boxes; {pairs.overlap.mean():.0%} of all pairs overlap,")
    print(f"{inside:,} lie one in another, {open_pairs:,} not decided")
    print(f"rules into boxes            {boxes_seconds:8.3f} s")
    print(f"overlap and containment     {pairs_seconds:8.3f} s")

    judge = Judge()
    formulas = [judge.formula(one) for one in rules]
    sample = [generator.sample(range(len(rules)), 2) for _ in range(arguments.z3_pairs)]
    start = time.perf_counter()
    told = [
        (
            judge.can_be(formulas[one], formulas[other]),
            not judge.can_be(formulas[one], z3.Not(formulas[other])),
        )
        for one, other in sample
    ]
    z3_pair = (time.perf_counter() - start) / len(sample)
    own_pair = pairs_seconds / len(rules) ** 2
    wrong = sum(
        answer != (pairs.overlap[one, other], pairs.within[one, other])
        for answer, (one, other) in zip(told, sample, strict=True)
    )
    print(f"a pair                      {own_pair * 1e6:8.3f} us")
    print(f"a pair with z3              {z3_pair * 1e6:8.0f} us = {z3_pair / own_pair:,.0f} times as long")
    print(f"disagreements with z3       {wrong:8,} of {len(sample):,} pairs")

    knowledge = KnowledgeBase.model_validate(
        {
            "knowledge_base": "made-up",
            "predicts": "y",
            "prior": "10 %",
            "columns": COLUMNS,
            "rules": [
                {
                    "id": f"r{number}",
                    "when": to_text(one),
                    "then": generator.choice(["buys", "does not buy"]),
                    "certainty": generator.choice([0.1, 0.2, 0.4]),
                    "because": "made up",
                }
                for number, one in enumerate(rules)
            ],
        }
    )
    start = time.perf_counter()
    findings = check_knowledge(knowledge)
    print(f"all checks                  {time.perf_counter() - start:8.3f} s, {len(findings)} findings")
    retail = load(RETAIL)
    seconds, findings = best(lambda: check_knowledge(retail))
    print(f"all checks of {RETAIL.name}   {seconds:8.3f} s, {len(findings)} findings")


if __name__ == "__main__":
    main()
