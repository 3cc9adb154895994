from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.knowledge.condition import (
    TRUE,
    Condition,
    Junction,
    Member,
    Pair,
    Threshold,
    holds,
    join,
    leaves,
    size,
    to_text,
)
from toolkit.knowledge.language import Vocabulary, parse
from toolkit.knowledge.notation.simplification import MAX_ATOMS, simplify

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TYPES = {"a": "number", "b": "number", "n": "whole number", "flag": "yes/no"}
LEVELS = ("red", "green", "blue")
OPS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
# Few limits, so that comparisons have much to do with one another.
LIMITS = st.sampled_from([Fraction(0), Fraction(1), Fraction(3, 2), Fraction(2), Fraction(1, 2)])
PAIRS = st.builds(
    lambda names, by, op: Pair(names[0], by[0] // math.gcd(*by), op, names[1], by[1] // math.gcd(*by)),
    st.permutations(["a", "b", "n"]).map(lambda names: names[:2]),
    st.tuples(*[st.sampled_from([-2, -1, 1, 2])] * 2),
    OPS,
)
LEAVES = st.one_of(
    st.builds(Threshold, st.sampled_from([*TYPES]), OPS, LIMITS),
    PAIRS,
    st.builds(
        Member,
        st.sampled_from(["kind", "other"]),
        st.sets(st.sampled_from(LEVELS), min_size=1).map(lambda levels: tuple(sorted(levels))),
        st.booleans(),
    ),
)
CONDITIONS = st.recursive(
    LEAVES | st.just(TRUE) | st.just(join("or", ())),
    lambda inner: st.builds(join, st.sampled_from(["and", "or"]), st.lists(inner, max_size=4)),
    max_leaves=10,
)
VALUES = st.none() | st.sampled_from([Fraction(quarters, 4) for quarters in range(-2, 11)])
ROWS = st.fixed_dictionaries(
    {
        "a": VALUES,
        "b": VALUES,
        "n": st.none() | st.integers(-1, 3).map(Fraction),
        "flag": st.none() | st.sampled_from([Fraction(0), Fraction(1)]),
        "kind": st.none() | st.sampled_from([*LEVELS, "never heard of"]),
        "other": st.none() | st.sampled_from([*LEVELS, "never heard of"]),
    }
)
WORDS = Vocabulary({**TYPES, "kind": "choice", "other": "choice"})  # type: ignore[dict-item]


@unhurried
@given(CONDITIONS, st.lists(ROWS, min_size=20, max_size=20))
def test_a_simpler_condition_holds_for_the_same_rows(
    condition: Condition, rows: list[dict[str, Fraction | str | None]]
) -> None:
    simpler = simplify(condition, TYPES)  # type: ignore[arg-type]
    assert [holds(simpler, row) for row in rows] == [holds(condition, row) for row in rows]
    assert size(simpler) < size(condition) or simpler is condition
    assert simplify(simpler, TYPES) is simpler  # type: ignore[arg-type]
    assert parse(to_text(simpler), WORDS) == simpler


@unhurried
@given(st.lists(st.sampled_from(range(9)), min_size=2, max_size=12))
def test_beyond_the_budget_a_condition_stays_as_it_is(numbers: list[int]) -> None:
    names = [f"c{number}" for number in numbers]
    parts = [
        join("and", [Threshold(n, ">", Fraction(1)), Threshold(f"{n}x", ">", Fraction(1))]) for n in names
    ]
    absorbed = join("or", [*parts, *(Threshold(name, ">", Fraction(1)) for name in names)])
    simpler = simplify(absorbed)
    if len(set(leaves(absorbed))) > MAX_ATOMS:
        assert simpler is absorbed
    else:
        assert size(simpler) == len(set(names))
    assert isinstance(absorbed, Junction)
