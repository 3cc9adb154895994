from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.knowledge.boxes.overlaps import pairwise
from toolkit.knowledge.boxes.regions import Space
from toolkit.knowledge.condition import Condition, Junction, Member, Pair, Threshold, holds, join, negate
from toolkit.knowledge.entries import ColumnSpec

# A loaded machine must not fail a test: no clock decides here.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

OPS = ["<", "<=", ">", ">=", "==", "!="]
LEVELS = ("red", "green", "blue")
FACTORS = [factor for factor in range(-5, 6) if factor]

Columns = Mapping[str, ColumnSpec]
Row = dict[str, Fraction | str | None]


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (no secret depends on it)


def comparison(draw: random.Random, columns: Columns) -> Condition:
    numbers = [name for name, spec in columns.items() if spec.type != "choice"]
    choices = [name for name, spec in columns.items() if spec.type == "choice"]
    kind = draw.random()
    if kind < 0.5:
        value = Fraction(draw.randint(-8, 16), draw.choice([1, 1, 2, 3]))
        return Threshold(draw.choice(numbers), draw.choice(OPS), value)  # type: ignore[arg-type]
    if kind < 0.8:
        left, right = draw.sample(numbers, 2)
        first, second = draw.choice(FACTORS), draw.choice(FACTORS)
        divisor = math.gcd(first, second)
        return Pair(left, first // divisor, draw.choice(OPS), right, second // divisor)  # type: ignore[arg-type]
    levels = draw.sample(LEVELS, draw.randint(1, len(LEVELS)))
    return Member(draw.choice(choices), tuple(sorted(levels)), draw.random() < 0.5)


def condition(draw: random.Random, columns: Columns, depth: int = 3) -> Condition:
    if depth == 0 or draw.random() < 0.3:
        return comparison(draw, columns)
    kind = "and" if draw.random() < 0.5 else "or"
    made = join(kind, [condition(draw, columns, depth - 1) for _ in range(draw.randint(2, 3))])  # type: ignore[arg-type]
    return negate(made) if draw.random() < 0.3 else made


def some_columns(draw: random.Random) -> dict[str, ColumnSpec]:
    def number(kind: str) -> ColumnSpec:
        low, high = draw.choice([(None, None), (None, None), (0, None), (None, 5), (-3, 4.5), (0, 2)])
        missing = draw.choice([None, None, 0, 1]) if kind != "yes/no" else draw.choice([None, "no"])
        return ColumnSpec.model_validate(
            {"type": kind, "missing": missing} | ({} if kind == "yes/no" else {"min": low, "max": high})
        )

    values = draw.choice([None, LEVELS, (*LEVELS, "grey")])
    return {
        "a": number("number"),
        "b": number("number"),
        "c": number("number"),
        "n": number("whole number"),
        "m": number("whole number"),
        "flag": number("yes/no"),
        "kind": ColumnSpec(type="choice", values=values, missing=draw.choice([None, "red", "blue"])),
    }


# --- brute force: every row of columns that take few values


SMALL: dict[str, ColumnSpec] = {
    "n": ColumnSpec(type="whole number", min=0, max=3),
    "m": ColumnSpec(type="whole number", min=-1, max=1, missing=1),
    "flag": ColumnSpec(type="yes/no"),
    "kind": ColumnSpec(type="choice", values=LEVELS),
}


def all_rows() -> list[Row]:
    values: dict[str, list[Fraction | str | None]] = {
        "n": [None, *map(Fraction, range(4))],
        "m": [*map(Fraction, range(-1, 2))],
        "flag": [None, Fraction(0), Fraction(1)],
        "kind": [None, *LEVELS],
    }
    return [dict(zip(values, row, strict=True)) for row in itertools.product(*values.values())]


ROWS = all_rows()


@unhurried
@given(st.integers(0, 2**32))
def test_regions_are_the_rows_that_meet_their_conditions(seed: int) -> None:
    draw = dice(seed)
    conditions = [condition(draw, SMALL, depth=2) for _ in range(3)]
    space = Space.of(conditions, SMALL)
    regions = [space.region(one) for one in conditions]
    met = np.array([[holds(one, row) for row in ROWS] for one in conditions])
    assert [[region.contains(row) for row in ROWS] for region in regions] == met.tolist()
    assert [bool(region) for region in regions] == met.any(axis=1).tolist()
    one, other = regions[:2]
    for made, expected in (
        (one & other, met[0] & met[1]),
        (one | other, met[0] | met[1]),
        (one - other, met[0] & ~met[1]),
    ):
        assert [made.contains(row) for row in ROWS] == expected.tolist()
        witness = made.witness()
        assert (witness is None) == (not expected.any())
        if witness is not None:
            row: Row = {"m": Fraction(1), **dict.fromkeys(["n", "flag", "kind"]), **witness}
            assert expected[ROWS.index({name: row[name] for name in SMALL})]
    assert bool(one.outside([other, regions[2]])) == bool((met[0] & ~met[1] & ~met[2]).any())


@unhurried
@given(st.integers(0, 2**32))
def test_all_pairs_at_once_agree_with_every_row(seed: int) -> None:
    draw = dice(seed)
    conditions = [condition(draw, SMALL, depth=draw.choice([0, 1, 2])) for _ in range(10)]
    space = Space.of(conditions, SMALL)
    pairs = pairwise([space.region(one) for one in conditions])
    met = np.array([[holds(one, row) for row in ROWS] for one in conditions])
    assert not pairs.unknown.any()
    assert (pairs.overlap == (met[:, None] & met).any(axis=2)).all()
    assert (pairs.within == (met[:, None] <= met).all(axis=2)).all()


# --- rows of any numbers


@unhurried
@given(st.integers(0, 2**32))
def test_a_region_contains_a_row_where_its_condition_holds(seed: int) -> None:
    draw = dice(seed)
    columns = some_columns(draw)
    one = condition(draw, columns)
    region = Space.of([one], columns).region(one)
    for _ in range(20):
        row: Row = {}
        for name, spec in columns.items():
            low, high = spec.min if spec.min is not None else -8, spec.max if spec.max is not None else 16
            value: Fraction | str | None = Fraction(draw.randint(math.ceil(4 * low), math.floor(4 * high)), 4)
            if spec.type == "yes/no":
                value = Fraction(draw.randint(0, 1))
            elif spec.type == "whole number":
                value = Fraction(draw.randint(math.ceil(low), math.floor(high)))
            elif spec.type == "choice":
                value = draw.choice([*LEVELS, "grey"] if spec.values is None else spec.values)
            row[name] = spec.read(spec.missing) if draw.random() < 0.2 else value
        assert region.contains(row) == holds(one, row)


# --- z3 as the judge


class Judge:
    """The rows of some columns, and conditions over them, for z3."""

    def __init__(self, columns: Columns) -> None:
        self.values: dict[str, Any] = {}
        self.missing: dict[str, Any] = {}
        self.solver = z3.Solver()
        for name, spec in columns.items():
            self.missing[name] = z3.Bool(f"{name} missing") if spec.missing is None else z3.BoolVal(val=False)
            if spec.type == "number":
                self.values[name] = z3.Real(name)
            else:
                self.values[name] = z3.ToReal(z3.Int(name))
            low, high = {"yes/no": (0, 1), "choice": (0, len(spec.values or (*LEVELS, "other")) - 1)}.get(
                spec.type, (spec.min, spec.max)
            )
            if low is not None:
                self.solver.add(self.values[name] >= self.number(Fraction(repr(low))))
            if high is not None:
                self.solver.add(self.values[name] <= self.number(Fraction(repr(high))))

    @staticmethod
    def number(value: Fraction) -> Any:
        return z3.RealVal(str(value))

    def formula(self, one: Condition) -> Any:
        if isinstance(one, Junction):
            parts = [self.formula(part) for part in one.parts]
            return z3.And(parts) if one.kind == "and" else z3.Or(parts)
        if isinstance(one, Member):
            met = z3.Or([self.values[one.column] == LEVELS.index(level) for level in one.levels])
            return z3.And(z3.Not(self.missing[one.column]), z3.Not(met) if one.negated else met)
        if isinstance(one, Pair):
            left = one.left_factor * self.values[one.left]
            right = one.right_factor * self.values[one.right]
            known = z3.Not(z3.Or(self.missing[one.left], self.missing[one.right]))
        else:
            left, right = self.values[one.column], self.number(one.value)
            known = z3.Not(self.missing[one.column])
        compared = {
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
            "==": left == right,
            "!=": left != right,
        }
        return z3.And(known, compared[one.op])

    def can_be(self, formula: Any) -> bool:
        self.solver.push()
        self.solver.add(formula)
        answer = self.solver.check()
        self.solver.pop()
        assert answer != z3.unknown
        return bool(answer == z3.sat)


def disagreements(n_pairs: int, seed: int) -> list[tuple[Condition, Condition]]:
    """Return the pairs of random conditions about which the boxes and z3 say different things."""
    draw = dice(seed)
    found = []
    for _ in range(n_pairs):
        columns = some_columns(draw)
        one, other = condition(draw, columns), condition(draw, columns)
        space = Space.of([one, other], columns)
        first, second = space.region(one), space.region(other)
        shared, rest = first & second, first - second
        pairs = pairwise([first, second])
        judge = Judge(columns)
        one_z3, other_z3 = judge.formula(one), judge.formula(other)
        overlap = judge.can_be(z3.And(one_z3, other_z3))
        within = not judge.can_be(z3.And(one_z3, z3.Not(other_z3)))
        agrees = (
            (bool(first), bool(second)) == (judge.can_be(one_z3), judge.can_be(other_z3))
            and bool(shared) == pairs.overlap[0, 1] == overlap
            and (not rest) == pairs.within[0, 1] == within
            and not pairs.unknown.any()
        )
        witness, both = rest.witness(), shared.witness()
        rows_hold = (witness is None or (holds(one, witness) and not holds(other, witness))) and (
            both is None or (holds(one, both) and holds(other, both))
        )
        if not (agrees and rows_hold):
            found.append((one, other))
    return found


def test_z3_agrees_on_random_pairs() -> None:
    assert disagreements(400, seed=1) == []


@pytest.mark.slow
def test_z3_agrees_on_ten_thousand_random_pairs() -> None:
    assert disagreements(10_000, seed=2) == []
