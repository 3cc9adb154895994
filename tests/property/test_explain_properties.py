from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import Condition, Member, Pair, Threshold, holds, join, leaves, to_text
from toolkit.knowledge.explain.explainer import Explainer
from toolkit.knowledge.explain.explanation import Change, Explanation
from toolkit.knowledge.symbolic import compile_knowledge
from toolkit.tasks.base import Column, Schema

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBERS = ("a", "b", "whole", "known")
LEVELS = ("red", "blue", "green")
COLUMNS = {
    "a": {},
    "b": {"min": -6, "max": 6},
    "whole": {"type": "whole number", "min": -6, "max": 6},
    "known": {"missing": 2},
    "flag": {"type": "yes/no"},
    "kind": {"type": "choice"},
    "p": {"min": 0, "max": 1, "missing": 0.25},
}
SCHEMA = Schema(
    (*(Column(name) for name in (*NUMBERS, "flag", "p")), Column("kind", kind="category", levels=LEVELS))
)
SCALES = {"a": 2.0, "b": 12.0, "whole": 12.0, "known": 2.0, "flag": 1.0, "kind": 1.0}
OPS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
# Multiples of 1/8: exact in float32.
VALUES = st.integers(-48, 48).map(lambda eighths: Fraction(eighths, 8))
THRESHOLDS = st.builds(Threshold, st.sampled_from(NUMBERS), OPS, VALUES) | st.builds(
    Threshold, st.just("flag"), st.sampled_from([">", "<"]), st.just(Fraction(1, 2))
)
MEMBERS = st.builds(
    Member,
    st.just("kind"),
    st.sets(st.sampled_from(LEVELS), min_size=1).map(lambda levels: tuple(sorted(levels))),
    st.booleans(),
)
PAIRS = st.builds(
    lambda two, op, by: Pair(two[0], by[0] // math.gcd(*by), op, two[1], by[1] // math.gcd(*by)),
    st.permutations(NUMBERS).map(lambda names: names[:2]),
    OPS,
    st.tuples(*[st.integers(-9, 9).filter(bool)] * 2),
)


def conditions(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        parts,
        lambda inner: st.builds(
            join, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)
        ),
        max_leaves=5,
    )


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            **{name: st.none() | VALUES for name in ("a", "b", "known")},
            "whole": st.none() | st.integers(-6, 6).map(Fraction),
            "flag": st.none() | st.sampled_from([Fraction(0), Fraction(1)]),
            "kind": st.none() | st.sampled_from(LEVELS),
            "p": st.none() | st.just(Fraction(1, 2)),
        }
    ),
    min_size=1,
    max_size=5,
)
Row = dict[str, Fraction | str | None]
EPSILON = Fraction(1, 10**9)
RULES = st.tuples(
    st.integers(-99, 99).filter(bool).map(lambda percent: percent / 100), st.none() | st.sampled_from("gh")
)


NEVER = [{"id": "no", "when": "a > 4", "because": "so"}]


def explainer(
    rules: list[tuple[Condition, tuple[float, str | None]]],
    never: list[dict[str, str]] = NEVER,
    **options: object,
) -> Explainer:
    knowledge = KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "p",
            "columns": COLUMNS,
            "rules": [
                {
                    "id": f"r{number}",
                    "when": to_text(condition),
                    "then": "buys",
                    "certainty": certainty,
                    "because": "so",
                    "group": group,
                }
                for number, (condition, (certainty, group)) in enumerate(rules)
            ],
            "never": never,
        }
    )
    system = compile_knowledge(knowledge, SCHEMA)
    spread = {"a": SCALES["a"], "known": SCALES["known"]}
    return Explainer.of(knowledge, system, {"kind": LEVELS}, spread=spread, **options)


def frame(rows: list[Row], dtype: type[np.floating] = np.float32) -> pd.DataFrame:
    numbers = {
        name: np.array([math.nan if row[name] is None else float(row[name]) for row in rows], dtype)
        for name in (*NUMBERS, "flag", "p")
    }
    codes = [-1 if row["kind"] is None else LEVELS.index(row["kind"]) for row in rows]
    return pd.DataFrame({**numbers, "kind": np.array(codes, np.int32)})


def applied(row: pd.DataFrame, changes: tuple[Change, ...]) -> pd.DataFrame:
    changed = row.copy()
    for change in changes:
        value = LEVELS.index(change.value) if isinstance(change.value, str) else change.value
        changed[change.column] = np.array([value], row[change.column].dtype)
    return changed


def exact(row: pd.DataFrame) -> Row:
    """Return a row as `condition.holds` reads it, what missing stands for filled in."""
    values = {
        name: None if math.isnan(row[name].iloc[0]) else Fraction(float(row[name].iloc[0]))
        for name in (*NUMBERS, "flag")
    }
    code = int(row["kind"].iloc[0])
    values["known"] = Fraction(2) if values["known"] is None else values["known"]
    return {**values, "kind": None if code < 0 else LEVELS[code]}


@unhurried
@given(
    st.lists(st.tuples(conditions(THRESHOLDS | MEMBERS | PAIRS), RULES), min_size=1, max_size=4),
    ROWS,
    st.sampled_from([np.float32, np.float64]),
)
def test_with_the_change_that_is_named_the_rule_really_fires_and_counts(rules, rows, dtype) -> None:
    told, features = explainer(rules), frame(rows, dtype)
    for number, explanation in enumerate(told.explain(features)):
        why_not = explanation.why_not
        if why_not is None:
            continue
        row = features.iloc[[number]]
        changed = applied(row, why_not.changes)
        index = told.system.rule_ids.index(why_not.rule)
        assert not told.system.firings(row)[0, index]
        assert told.system.effective(told.system.firings(changed))[0, index]
        assert not told.system.facts(row).any()
        assert not told.system.facts(changed).any()
        if not any(isinstance(leaf, Pair) for leaf in leaves(rules[index][0])):
            # a multiple of a column is rounded by the compiled rule, and not by `holds`
            assert holds(rules[index][0], exact(changed))
        for change in why_not.changes:
            assert change.text.startswith(f"{change.column} were ")
            was, value = change.text.removeprefix(f"{change.column} were ").split(" instead of ")
            assert was != value
            assert change.value != change.was


@unhurried
@given(
    st.lists(st.tuples(conditions(THRESHOLDS | MEMBERS | PAIRS), RULES), min_size=1, max_size=4),
    ROWS,
    st.sampled_from([0.0, 0.6, 1.0]),
    st.none() | st.floats(-9, 9),
)
def test_the_parts_add_up_and_one_by_one_is_the_same_as_all_at_once(rules, rows, scale, logit) -> None:
    shifts = np.linspace(-0.5, 0.5, len(rules))
    told, features = explainer(rules, scale=scale, shifts=shifts, bias=0.125), frame(rows)
    learned = None if logit is None else np.full(len(rows), logit)
    explanations = told.explain(features, learned)
    counted = told.system.effective(told.system.firings(features))
    assert explanations.texts() == [explanation.to_text() for explanation in explanations]
    for number, explanation in enumerate(explanations):
        assert math.isclose(explanation.logit, sum_of(explanation), abs_tol=1e-9)
        assert explanation.no_rule_applies == (not told.system.firings(features)[number].any())
        here = {each.rule: each.log_odds for each in explanation.contributions}
        weights = scale * told.system.weights + shifts
        assert here == {f"r{rule}": weights[rule] for rule in np.flatnonzero(counted[number])}
        expected = 0.0 if explanation.facts else 1 / (1 + math.exp(-explanation.logit))
        assert math.isclose(explanation.probability, expected)
    if logit is not None:
        assert (explanations.logit == logit).all()


def sum_of(explanation: Explanation) -> float:
    parts = [explanation.bias, explanation.prior_log_odds, explanation.correction or 0.0]
    return sum(parts) + sum(each.log_odds for each in explanation.contributions)


@unhurried
@given(
    st.lists(conditions(THRESHOLDS | MEMBERS), min_size=1, max_size=2)
    | st.lists(THRESHOLDS | PAIRS, min_size=1, max_size=2).map(lambda parts: [join("and", parts)]),
    ROWS,
)
def test_no_smaller_change_makes_any_rule_fire(rules: list[Condition], rows: list[Row]) -> None:
    pairs = [leaf for rule in rules for leaf in leaves(rule) if isinstance(leaf, Pair)]
    if len(pairs) > 1:
        return
    # of two columns that are compared one is moved; where it is whole, rounding may cost a step
    paired = {leaf.left for leaf in pairs} | {leaf.right for leaf in pairs}
    slack = 1 / SCALES["whole"] + 1e-6 if "whole" in paired else 1e-6
    told, features = explainer([(rule, (0.5, None)) for rule in rules], never=[]), frame(rows, np.float64)
    for number, explanation in enumerate(told.explain(features)):
        row = exact(features.iloc[[number]])
        silent = [rule for rule in rules if not holds(rule, row)]
        best = min((least(rule, row) for rule in silent), default=math.inf)
        found = math.inf if explanation.why_not is None else explanation.why_not.distance
        assert found <= best + slack
        if explanation.why_not is not None:
            price = sum(
                cost(change.column, row[change.column], change.value)
                for change in explanation.why_not.changes
            )
            assert math.isclose(found, price, abs_tol=1e-9)


def cost(column: str, was: Fraction | str | None, value: object) -> float:
    if was is None or isinstance(was, str):
        return float(was != value)
    return abs(float(was) - float(value)) / SCALES[column]


def least(rule: Condition, row: Row) -> float:
    """Return the least price of making a rule fire, over all values at and beside those that matter."""
    candidates = values_that_matter(rule, row)
    names = [name for name in row if len(candidates[name]) > 1]
    best = math.inf
    for values in itertools.product(*(candidates[name] for name in names)):
        moves = {name: value for name, value in zip(names, values, strict=True) if value != row[name]}
        beyond = (name in ("b", "whole") and abs(value) > 6 for name, value in moves.items())
        if None not in moves.values() and not any(beyond) and holds(rule, {**row, **moves}):
            best = min(best, sum(cost(name, row[name], value) for name, value in moves.items()))
    return best


def values_that_matter(rule: Condition, row: Row) -> dict[str, set[Fraction | str | None]]:
    found: dict[str, set[Fraction | str | None]] = {name: {row[name]} for name in row}
    pairs = []
    for leaf in leaves(rule):
        if isinstance(leaf, Threshold):
            found[leaf.column] |= around(leaf.column, leaf.value)
        elif isinstance(leaf, Member):
            found[leaf.column] |= set(LEVELS)
        else:
            pairs.append((leaf.left, leaf.left_factor, leaf.right, leaf.right_factor))
    for left, by_left, right, by_right in pairs:
        for name, factor, other, by in ((left, by_left, right, by_right), (right, by_right, left, by_left)):
            for value in list(found[other]):
                found[name] |= around(name, Fraction(by, factor) * (value or 0))
    return found


def around(column: str, value: Fraction) -> set[Fraction | str | None]:
    if column in ("whole", "flag"):
        return {Fraction(math.floor(value) + step) for step in (-1, 0, 1)}
    return {value, value - EPSILON, value + EPSILON}
