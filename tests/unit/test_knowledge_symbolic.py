from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.program import BLOCK_ROWS
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge, log_odds
from toolkit.tasks._retail_columns import schema_of
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema(
    (
        Column("p"),
        Column("n"),
        Column("x"),
        Column("live"),
        Column("goods", kind="category", levels=("milk", "beer", "rice")),
        Column("unused"),
    )
)
COLUMNS = {
    "p": {},
    "n": {"type": "whole number"},
    "x": {},
    "live": {"type": "yes/no"},
    "goods": {"type": "choice"},
}


def rule(when: str, certainty: str | float = "likely", **more: Any) -> dict[str, Any]:
    return {"id": when, "when": when, "then": "buys", "certainty": certainty, "because": "so", **more}


def base(*rules: dict[str, Any], **more: Any) -> KnowledgeBase:
    entries = {"knowledge_base": "k", "predicts": "y", "prior": "20 %", "columns": COLUMNS, "rules": rules}
    return KnowledgeBase.model_validate({**entries, **more})


def system(*rules: dict[str, Any], **more: Any) -> ExpertSystem:
    return compile_knowledge(base(*rules, **more), SCHEMA)


def frame(**columns: list[float]) -> pd.DataFrame:
    n_rows = len(next(iter(columns.values())))
    data = {name: columns.get(name, [0.0] * n_rows) for name in SCHEMA.names}
    return pd.DataFrame(data).astype(dict.fromkeys(SCHEMA.numbers, "float32") | {"goods": "int32"})


def fires(when: str, **columns: list[float]) -> list[bool]:
    return system(rule(when)).firings(frame(**columns))[:, 0].tolist()


NAN = math.nan


@pytest.mark.parametrize(
    ("when", "columns", "expected"),
    [
        ("x >= 0.3", {"x": [0.3, 0.2999, NAN]}, [True, False, False]),
        ("x == 0.1", {"x": [0.1, 0.2]}, [True, False]),
        ("x != 0.1", {"x": [0.1, 0.2, NAN]}, [False, True, False]),
        ("not x > 5", {"x": [4, 5, 6, NAN]}, [True, True, False, False]),
        ("10 * n >= 3 * x", {"n": [3, 2, 3], "x": [10, 10, NAN]}, [True, False, False]),
        ("live", {"live": [0, 1, NAN]}, [False, True, False]),
        ('goods in ["milk", "rice"]', {"goods": [0, 1, 2, -1]}, [True, False, True, False]),
        ('goods != "beer"', {"goods": [0, 1, 2, -1]}, [True, False, True, False]),
        (
            "n > 1 and x > 1 and live or n == 9",
            {"n": [2, 2, 9], "x": [2, 0, 0], "live": [1, 1, 0]},
            [True, False, True],
        ),
    ],
)
def test_firings(when: str, columns: dict[str, list[float]], expected: list[bool]) -> None:
    assert fires(when, **columns) == expected


def test_a_declared_missing_value_stands_in_before_anything_is_compared() -> None:
    columns = {**COLUMNS, "x": {"missing": 182}, "goods": {"type": "choice", "missing": "beer"}}
    compiled = system(
        rule("x > 5"), rule("not x > 5"), rule('goods == "beer"'), rule('goods != "beer"'), columns=columns
    )
    fired = compiled.firings(frame(x=[NAN, 3], goods=[-1, 0]))
    assert fired.tolist() == [[True, False, True, False], [False, True, False, True]]


def test_weights_are_the_log_odds_of_mycins_certainty_factors() -> None:
    compiled = system(rule("n > 0", 0.6), rule("n > 1", "somewhat", then="does not buy"), rule("n > 2", -0.5))
    assert compiled.weights == pytest.approx([-math.log(0.4), math.log(0.6), math.log(0.5)])
    assert log_odds(-0.5) == -log_odds(0.5)


def test_probability_is_the_prior_moved_by_what_fires() -> None:
    compiled = system(rule("n >= 1", 0.5), rule("x >= 1", 0.75, then="does not buy"))
    features = frame(n=[0, 1, 1, 0], x=[0, 0, 1, 1])
    # odds of 1:4, times 2 for the first rule, divided by 4 for the second
    expected = [0.25, 0.5, 0.125, 0.0625]
    odds = compiled.predict_proba(features) / (1 - compiled.predict_proba(features))
    assert odds == pytest.approx(expected)
    assert compiled.contributions(features).sum(axis=1) == pytest.approx(compiled.evidence(features))
    assert compiled.logit(features, n_rules=1) == pytest.approx(np.log([0.25, 0.5, 0.5, 0.25]))
    assert compiled.logit(features, scale=0.0) == pytest.approx(np.log([0.25] * 4))


def test_in_a_group_only_the_strongest_that_fires_counts_whatever_its_sign() -> None:
    compiled = system(
        rule("n >= 1", 0.3, group="g"),
        rule("n >= 2", 0.5, then="does not buy", group="g"),
        rule("n >= 3", 0.4, group="g"),
        rule("x >= 1", 0.2),
    )
    features = frame(n=[0, 1, 2, 3], x=[1, 1, 1, 0])
    counted = compiled.effective(compiled.firings(features))
    assert counted.tolist() == [
        [False, False, False, True],
        [True, False, False, True],
        [False, True, False, True],
        [False, True, False, False],
    ]
    assert compiled.evidence(features) == pytest.approx(counted @ compiled.weights)
    # without the second rule, the first is the strongest of the two that are left
    assert compiled.evidence(features, n_rules=1).tolist() == pytest.approx([0, *[-math.log(0.7)] * 3])


def test_effective_leaves_its_argument_alone() -> None:
    compiled = system(rule("n >= 1", 0.3, group="g"), rule("n >= 0", 0.5, group="g"))
    fired = compiled.firings(frame(n=[1, 1]))
    before = fired.copy()
    compiled.effective(fired)
    assert (fired == before).all()


def test_a_head_is_the_same_as_the_first_rules_of_the_whole() -> None:
    knowledge = base(rule("n >= 1", 0.3, group="g"), rule("n >= 2", 0.5, group="g"), rule("x >= 1", 0.2))
    features = frame(n=[0, 1, 2], x=[1, 0, 1])
    whole = compile_knowledge(knowledge, SCHEMA)
    for count in range(4):
        head = compile_knowledge(knowledge.head(count), SCHEMA)
        assert head.predict_proba(features).tolist() == whole.predict_proba(features, n_rules=count).tolist()


def many(n_rows: int, seed: int = 1) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return frame(
        p=generator.random(n_rows).tolist(),
        n=generator.integers(0, 30, n_rows).tolist(),
        x=np.where(generator.random(n_rows) < 0.1, NAN, generator.random(n_rows)).tolist(),
        live=generator.integers(0, 2, n_rows).tolist(),
        goods=generator.integers(-1, 3, n_rows).tolist(),
    )


def mixed(n_rules: int) -> ExpertSystem:
    """Rules of every kind of comparison, a third of them in groups."""
    shapes = (
        "n >= {0} and x < 0.{0}",
        "0.1 <= x <= 0.{0}",
        'goods in ["milk", "beer"] or n == {0}',
        "{0} * n >= 5 * x and live",
        "not (x > 0.{0} or live) and n != {0}",
    )
    rules = []
    for index in range(n_rules):
        when = shapes[index % len(shapes)].format(2 + index % 7)
        group = f"g{index % 5}" if index % 3 == 0 else None
        sign = 1 if index % 2 else -1
        rules.append(rule(when, sign * (5 + index % 90) / 100, group=group) | {"id": str(index)})
    return system(*rules, prior="p")


@pytest.mark.parametrize("n_rules", [0, 1, 8, 21])
def test_score_gives_what_logit_and_firings_give(n_rules: int) -> None:
    compiled, features = mixed(n_rules), many(500)
    scored = compiled.score(features, scale=0.5)
    assert scored.logit.tolist() == compiled.logit(features, scale=0.5).tolist()
    assert scored.firings.shape == (500, n_rules)
    assert (scored.firings == compiled.firings(features)).all()
    by_hand = compiled.prior_logit(features) + 0.5 * compiled.contributions(features).sum(axis=1)
    assert scored.logit == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("n_rules", [0, 1, 8, 21])
def test_packed_firings_are_numpys_packed_bits(n_rules: int) -> None:
    compiled, features = mixed(n_rules), many(BLOCK_ROWS + 300)
    packed, firings = compiled.firings_packed(features), compiled.firings(features)
    assert packed.dtype == np.uint8
    assert packed.shape == (len(features), -(-n_rules // 8))
    assert (packed == np.packbits(firings, axis=1)).all()
    assert (np.unpackbits(packed, axis=1, count=n_rules) == firings).all()
    assert compiled.firing_counts(features).tolist() == firings.sum(axis=0).tolist()
    some = features["n"].to_numpy() > 10
    assert compiled.firing_counts(features, some).tolist() == firings[some].sum(axis=0).tolist()


def test_packed_firings_and_counts_never_hold_the_firings() -> None:
    compiled, features = mixed(64), many(8 * BLOCK_ROWS)
    whole = 64 * len(features)
    tracemalloc.start()
    try:
        compiled.firing_counts(features)
        assert tracemalloc.get_traced_memory()[1] < whole / 2
        tracemalloc.reset_peak()
        assert compiled.firings_packed(features).nbytes == whole / 8
        assert tracemalloc.get_traced_memory()[1] < whole / 2
    finally:
        tracemalloc.stop()


def test_rules_with_the_same_condition_may_stand_in_one_group() -> None:
    first, second = rule("n >= 1", 0.5, group="g"), rule("n >= 1", 0.3, group="g") | {"id": "again"}
    scored = system(first, second, rule("n >= 2", 0.2)).score(frame(n=[0, 1, 2]))
    assert scored.firings.tolist() == [[False] * 3, [True, True, False], [True] * 3]
    expected = math.log(0.25) - np.array([0, math.log(0.5), math.log(0.5) + math.log(0.8)])
    assert scored.logit == pytest.approx(expected)


def test_columns_may_lie_apart_in_memory() -> None:
    compiled, features = mixed(10), many(200)
    numbers = features.drop(columns="goods").to_numpy(np.float32)
    apart = pd.DataFrame(np.ascontiguousarray(numbers), columns=features.columns.drop("goods"))
    apart["goods"] = features["goods"]
    assert (compiled.firings(apart) == compiled.firings(features)).all()


def test_a_code_beyond_the_levels_is_an_error_not_another_level() -> None:
    with pytest.raises(IndexError):
        system(rule('goods == "milk"')).firings(frame(goods=[4]))


def test_never_shields_and_overrules_always() -> None:
    compiled = system(
        rule("n >= 1"),
        never=[{"id": "law", "when": 'goods == "beer"', "because": "law"}],
        always=[{"id": "standing", "when": "live", "because": "order"}],
    )
    features = frame(n=[1, 1, 1, 1], goods=[0, 1, 0, 1], live=[0, 0, 1, 1])
    assert compiled.forbidden(features).tolist() == [False, True, False, True]
    assert compiled.required(features).tolist() == [False, False, True, False]
    probability = compiled.predict_proba(features)
    assert probability[1:].tolist() == [0.0, 1.0, 0.0]
    assert 0 < probability[0] < 1


def test_a_column_as_prior_stays_away_from_certainty() -> None:
    compiled = system(rule("n >= 1", 0.5), prior="p")
    probability = compiled.predict_proba(frame(p=[0.2, 0.0, 1.0]))
    assert probability == pytest.approx([0.2, 1e-6, 1 - 1e-6])


@pytest.mark.parametrize("bad", [NAN, -0.1, 1.5])
def test_a_prior_that_is_no_probability_is_an_error(bad: float) -> None:
    with pytest.raises(KnowledgeError, match="1 of 2 rows are not"):
        system(rule("n >= 1"), prior="p").predict_proba(frame(p=[0.5, bad]))


def test_a_missing_prior_takes_its_declared_value() -> None:
    compiled = system(rule("n >= 1"), prior="p", columns={**COLUMNS, "p": {"missing": 0.25}})
    assert compiled.predict_proba(frame(p=[NAN])) == pytest.approx([0.25])


def test_rows_do_not_depend_on_their_neighbours() -> None:
    compiled = system(
        rule("n >= 1", group="g"), rule("x >= 0.5", 0.3, group="g"), rule('goods == "rice"'), prior="p"
    )
    generator = np.random.default_rng(1)
    n_rows = 2 * BLOCK_ROWS + 77
    features = frame(
        p=generator.random(n_rows).tolist(),
        n=generator.integers(0, 3, n_rows).tolist(),
        x=generator.random(n_rows).tolist(),
        goods=generator.integers(-1, 3, n_rows).tolist(),
    )
    whole = compiled.predict_proba(features)
    order = generator.permutation(n_rows)
    shuffled = compiled.predict_proba(features.iloc[order])
    assert (shuffled == whole[order]).all()
    assert (compiled.predict_proba(features.iloc[-5:]) == whole[-5:]).all()
    assert compiled.predict_proba(features.iloc[:0]).shape == (0,)
    assert compiled.firings(features.iloc[:0]).shape == (0, 3)


def test_only_columns_that_are_used_are_read() -> None:
    compiled = system(rule("n >= 1"), prior="p", never=[{"id": "l", "when": "live", "because": "l"}])
    assert set(compiled.columns) == {"n", "p", "live"}
    assert compiled.predict_proba(frame(n=[1], p=[0.5])[["p", "live", "n"]]).shape == (1,)


@pytest.mark.parametrize(
    ("knowledge", "message"),
    [
        (base(rule("n > 1"), columns={"n": {}, "recncy": {}}), "no column 'recncy'"),
        (base(rule("x > 1"), columns={"x": {}, "unusd": {}}), "did you mean 'unused'"),
        (
            base(rule("n > 1"), columns={"n": {}, "goods": {}}),
            "'goods' is a choice in the task, but a number here",
        ),
        (base(rule("n > 1"), columns={"n": {}, "x": {"type": "choice"}}), "'x' is a number in the task"),
        (base(rule('goods == "mlik"')), "has no value 'mlik'; did you mean 'milk'"),
        (base(rule('goods == "zzz"')), "has no value 'zzz'; known: milk, beer, rice"),
        (base(rule("n > 1"), columns={"n": {}, "goods": {"type": "choice", "values": ["mlik"]}}), "'mlik'"),
        (base(rule("n > 1"), columns={"n": {}, "goods": {"type": "choice", "missing": "mlik"}}), "'mlik'"),
        (base(rule("n > 1"), never=[{"id": "l", "when": 'goods == "bee"', "because": "l"}]), "'bee'"),
    ],
)
def test_what_the_task_does_not_have_is_an_error(knowledge: KnowledgeBase, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        compile_knowledge(knowledge, SCHEMA)


def test_a_long_list_of_levels_is_not_poured_into_a_message() -> None:
    schema = schema_of(tuple(f"category {number}" for number in range(300)), promotions=True)
    knowledge = base(rule('category == "zzz"'), columns={"category": {"type": "choice"}})
    with pytest.raises(KnowledgeError) as caught:
        compile_knowledge(knowledge, schema)
    assert len(str(caught.value)) < 100


@pytest.mark.retail
def test_the_retail_base_fits_the_real_categories() -> None:
    from pathlib import Path

    from toolkit.knowledge.base import load
    from toolkit.tasks._retail_events import package_folder

    products = pd.read_parquet(package_folder() / "products.parquet", columns=["product_category"])
    categories = tuple(sorted(products["product_category"].dropna().unique()))
    root = Path(__file__).parents[2]
    knowledge = load(root / "experiments" / "knowledge" / "retail.yaml")
    compiled = compile_knowledge(knowledge, schema_of(categories, promotions=True))
    assert compiled.n_rules >= 18
    assert (np.abs(compiled.weights) < log_odds(0.95)).all()
