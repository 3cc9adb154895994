from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import (
    Condition,
    Member,
    Pair,
    Threshold,
    columns,
    holds,
    join,
    negate,
    to_text,
)
from toolkit.knowledge.language import Vocabulary, parse
from toolkit.knowledge.program import Program
from toolkit.knowledge.symbolic import compile_knowledge, log_odds
from toolkit.tasks.base import Column, Schema

# A loaded machine must not fail a test: no clock decides here.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBERS = ("a", "b", "c")
LEVELS = ("red", 'the "blue"', "new\nline", "grün")
WORDS = Vocabulary({**dict.fromkeys(NUMBERS, "number"), "flag": "yes/no", "kind": "choice"})  # type: ignore[dict-item]
OPS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
# Multiples of 1/8: exact in float32, as whole numbers and halves of real columns are.
VALUES = st.integers(-40, 40).map(lambda eighths: Fraction(eighths, 8))


def pairs() -> st.SearchStrategy[Condition]:
    names = st.permutations(NUMBERS).map(lambda names: names[:2])
    factors = st.tuples(*[st.integers(-9, 9).filter(bool)] * 2)
    return st.builds(
        lambda two, op, by: Pair(two[0], by[0] // math.gcd(*by), op, two[1], by[1] // math.gcd(*by)),
        names,
        OPS,
        factors,
    )


LEAVES = st.one_of(
    st.builds(Threshold, st.sampled_from([*NUMBERS, "flag"]), OPS, VALUES),
    pairs(),
    st.builds(
        Member,
        st.just("kind"),
        st.sets(st.sampled_from(LEVELS), min_size=1).map(lambda levels: tuple(sorted(levels))),
        st.booleans(),
    ),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(join, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=4)),
    max_leaves=8,
)
ROWS = st.fixed_dictionaries(
    {
        **{name: st.none() | VALUES for name in NUMBERS},
        "flag": st.none() | st.sampled_from([Fraction(0), Fraction(1)]),
        "kind": st.none() | st.sampled_from(LEVELS),
    }
)


def frame(rows: list[dict[str, Fraction | str | None]]) -> pd.DataFrame:
    numbers = {
        name: np.array([math.nan if row[name] is None else float(row[name]) for row in rows], np.float32)  # type: ignore[arg-type]
        for name in (*NUMBERS, "flag")
    }
    codes = [-1 if row["kind"] is None else LEVELS.index(row["kind"]) for row in rows]  # type: ignore[arg-type]
    return pd.DataFrame({**numbers, "kind": np.array(codes, np.int32)})


@unhurried
@given(CONDITIONS)
def test_what_is_written_reads_back_the_same(condition: Condition) -> None:
    assert parse(to_text(condition), WORDS) == condition


@unhurried
@given(st.lists(CONDITIONS, min_size=1, max_size=4), st.lists(ROWS, min_size=1, max_size=6))
def test_compiled_conditions_mean_what_they_say(
    conditions: list[Condition], rows: list[dict[str, Fraction | str | None]]
) -> None:
    program = Program.compile(conditions, {"kind": LEVELS}, {})
    ((_, decided),) = program.run(frame(rows))
    expected = [[holds(condition, row) for row in rows] for condition in conditions]
    assert [answers.tolist() for answers in decided] == expected


@unhurried
@given(CONDITIONS, ROWS)
def test_a_negation_is_the_opposite_where_all_is_known(
    condition: Condition, row: dict[str, Fraction | str | None]
) -> None:
    both = holds(condition, row), holds(negate(condition), row)
    assert both != (True, True)
    if all(row[name] is not None for name in columns(condition)):
        assert both != (False, False)
    assert negate(negate(condition)) == condition


@unhurried
@given(
    st.text(max_size=80)
    | st.text(alphabet="abc<>=!()[]{}'\"\\0123456789.*-+ ,:#@andornotinflagkind\n", max_size=80)
)
def test_any_text_is_a_condition_or_a_named_error(text: str) -> None:
    try:
        condition = parse(text, WORDS)
    except KnowledgeError:
        return
    assert set(columns(condition)) <= set(WORDS.columns)


CERTAINTIES = st.integers(-99, 99).filter(bool).map(lambda percent: Fraction(percent, 100))


def combine(first: Fraction, second: Fraction) -> Fraction:
    """EMYCIN's rule for two certainty factors, exactly."""
    if first >= 0 and second >= 0:
        return first + second - first * second
    if first < 0 and second < 0:
        return first + second + first * second
    return (first + second) / (1 - min(abs(first), abs(second)))


@unhurried
@given(st.lists(CERTAINTIES, min_size=1, max_size=12))
def test_adding_log_odds_is_emycins_combination(certainties: list[Fraction]) -> None:
    combined = certainties[0]
    for certainty in certainties[1:]:
        combined = combine(combined, certainty)
    total = sum(log_odds(float(certainty)) for certainty in certainties)
    factor = -math.expm1(-total) if total >= 0 else math.expm1(total)
    assert abs(factor - float(combined)) < 1e-12


@unhurried
@given(
    st.lists(st.tuples(CERTAINTIES, st.none() | st.sampled_from("gh"), VALUES), min_size=1, max_size=6),
    st.lists(VALUES, min_size=1, max_size=6),
)
def test_a_group_counts_its_strongest_and_all_else_counts(
    rules: list[tuple[Fraction, str | None, Fraction]], values: list[Fraction]
) -> None:
    knowledge = KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "50 %",
            "columns": {"a": {}},
            "rules": [
                {
                    "id": str(index),
                    "when": f"a >= {float(limit)}",
                    "then": "buys",
                    "certainty": float(certainty),
                    "because": "so",
                    "group": group,
                }
                for index, (certainty, group, limit) in enumerate(rules)
            ],
        }
    )
    compiled = compile_knowledge(knowledge, Schema((Column("a"),)))
    evidence = compiled.evidence(pd.DataFrame({"a": np.array([float(v) for v in values], np.float32)}))
    for value, got in zip(values, evidence, strict=True):
        fired = [(log_odds(float(certainty)), group) for certainty, group, limit in rules if value >= limit]
        expected = sum(weight for weight, group in fired if group is None)
        for name in "gh":
            expected += max((weight for weight, group in fired if group == name), key=abs, default=0.0)
        assert math.isclose(got, expected, abs_tol=1e-12)
