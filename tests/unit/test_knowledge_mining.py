"""Mined rules: planted ones are found, noise is not, and certainties are those of rows no tree has seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from toolkit.config import Rung
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import Member, Threshold, holds, leaves, to_text
from toolkit.knowledge.mining.declare import declare, starter
from toolkit.knowledge.mining.mine import HELD_OUT, LEAST_CLUSTERS, Mined, mine
from toolkit.knowledge.mining.suggestions import rule_text
from toolkit.knowledge.mining.weighing import Weighing
from toolkit.knowledge.shift import World
from toolkit.knowledge.symbolic import compile_knowledge, log_odds
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tasks.synthetic import SCHEMA, Synthetic

WHOLE = Rung(share=1.0)


def against_habit(train: TrainingData) -> KnowledgeBase:
    return starter("made-up", "orders", "habit_probability", declare(train.features, train.schema))


def dig(train: TrainingData, knowledge: KnowledgeBase | None = None, **options: Any) -> Mined:
    known = against_habit(train) if knowledge is None else knowledge
    specs = declare(train.features, train.schema, known)
    usable = {name: spec for name, spec in specs.items() if name != known.prior}
    return mine(train.features, train.labels, train.clusters, train.schema, known, usable, **options)


def texts(mined: Mined) -> dict[str, bool]:
    return {to_text(suggestion.condition): suggestion.positive for suggestion in mined.suggestions}


@pytest.fixture(scope="module")
def planted() -> TrainingData:
    return Synthetic(n_clusters=5000, seed=1).load(rung=WHOLE, seed=0).train


@pytest.fixture(scope="module")
def found(planted: TrainingData) -> Mined:
    return dig(planted)


def test_planted_rules_are_found_with_their_thresholds(found: Mined) -> None:
    """The truth: visits >= 3; complaints >= 2, or one and discount < 0.3; regular and 14 < recency <= 45;
    regular and recency <= 7; wholesale and discount >= 0.3."""
    limits: dict[tuple[str, bool], list[tuple[str, float]]] = {}
    for suggestion in found.suggestions:
        for leaf in leaves(suggestion.condition):
            if isinstance(leaf, Threshold):
                limits.setdefault((leaf.column, suggestion.positive), []).append((leaf.op, float(leaf.value)))
    assert (">=", 3.0) in limits["visits", True]
    assert (">=", 2.0) in limits["complaints", False]
    assert ("<", 0.3) in limits["discount", False]
    assert (">=", 15.0) in limits["recency", True]
    assert min(abs(value - 45) for op, value in limits["recency", True] if op in ("<", "<=")) <= 3
    assert ("<=", 7.0) in limits["recency", False]
    assert min(abs(value - 0.7) for op, value in limits["gap_cv", True]) <= 0.05
    chosen = [
        leaf for each in found.suggestions for leaf in leaves(each.condition) if isinstance(leaf, Member)
    ]
    assert Member("segment", ("wholesale",)) in chosen


def test_all_suggestions_together_lower_the_loss_of_rows_no_tree_has_seen(found: Mined) -> None:
    assert found.loss_after < found.loss_before - 0.03


def test_they_stand_in_the_order_of_what_they_save(found: Mined) -> None:
    saved = [suggestion.saved for suggestion in found.suggestions]
    assert saved == sorted(saved, reverse=True)
    assert min(saved) > 0
    assert all(each.leader <= place for place, each in enumerate(found.suggestions))


def test_the_same_seed_gives_the_same_suggestions_and_limits_are_kept(planted: TrainingData) -> None:
    small = planted.take(planted.clusters < np.quantile(planted.clusters, 0.3))
    first, second = dig(small, limit=3), dig(small, limit=3)
    assert first == second
    assert 0 < len(first.suggestions) <= 3
    assert dig(small, limit=3, seed=1) != first


def test_inputs_are_left_alone_and_the_order_of_rows_does_not_matter_to_the_support(
    planted: TrainingData,
) -> None:
    small = planted.take(planted.clusters < np.quantile(planted.clusters, 0.2))
    before = small.features.copy(), small.labels.copy(), small.clusters.copy()
    first = dig(small)
    pd.testing.assert_frame_equal(small.features, before[0])
    assert (small.labels == before[1]).all()
    assert (small.clusters == before[2]).all()
    order = np.random.default_rng(0).permutation(len(small))
    assert texts(dig(small.take(order))) == texts(first)


def test_what_the_experts_have_said_is_not_suggested_again(planted: TrainingData) -> None:
    known = against_habit(planted)
    rules = [
        {"when": "visits >= 3", "then": known.outcome.positive, "certainty": 0.8},
        {"when": "complaints >= 2", "then": known.outcome.negative, "certainty": 0.83},
    ]
    told = KnowledgeBase.model_validate(
        {
            **known.model_dump(),
            "rules": [{"id": f"r{index}", "because": "truth", **rule} for index, rule in enumerate(rules)],
        }
    )
    again = texts(dig(planted, told))
    assert "visits >= 3" not in again
    assert "complaints >= 2" not in again
    assert any("gap_cv < 0.7" in text for text in again)


def test_noise_suggests_nothing_more_often_than_the_error_rate() -> None:
    """Twenty businesses in which habit is all there is: one in twenty may suggest something."""
    worlds = (Synthetic(n_clusters=300, seed=seed, strength=0.0) for seed in range(20))
    counts = [len(dig(world.load(rung=WHOLE, seed=0).train).suggestions) for world in worlds]
    assert sum(count > 0 for count in counts) <= 2
    assert sum(counts) <= 2


def test_noise_shared_by_a_cluster_suggests_nothing() -> None:
    """Customers differ, and columns are the same for all rows of one: rows are not independent."""
    suggested = 0
    for seed in range(8):
        train = Synthetic(n_clusters=300, seed=seed).load(rung=WHOLE, seed=0).train
        rng = np.random.default_rng(seed)
        n_clusters = int(train.clusters.max()) + 1
        features = train.features.copy()
        for name in ("basket", "discount", "visits", "complaints", "orders", "recency", "gap_cv"):
            features[name] = rng.integers(0, 30, n_clusters)[train.clusters].astype(np.float32)
        usual = logit(features["habit_probability"].to_numpy(np.float64))
        own = rng.normal(size=n_clusters)[train.clusters]
        labels = (rng.random(len(train)) < expit(usual + own)).astype(np.int8)
        suggested += len(dig(replace(train, features=features, labels=labels)).suggestions)
    assert suggested <= 1


def test_certainties_are_neither_boastful_nor_shy() -> None:
    """Held against the probabilities that labels were drawn from, on customers that were not mined."""
    errors, covered = [], []
    for seed in range(6):
        task = Synthetic(n_clusters=1500, seed=seed)
        data = task.load(rung=WHOLE, seed=0)
        known, test = against_habit(data.train), data.test
        mined = dig(data.train, known, seed=seed)
        offset = compile_knowledge(known, SCHEMA).logit(test.features)
        codes = np.unique(test.clusters, return_inverse=True)[1]
        world = World.of(offset, task.true_probabilities("test"), codes)
        levels = {column.name: column.levels for column in SCHEMA.columns}
        weighing = Weighing(test.features, world, levels, known.columns)
        for each in mined.suggestions:
            truth = world.shift(weighing.rows(each.condition), (0.0, 0.0)).estimate
            size = truth if each.positive else -truth
            errors.append(log_odds(each.certainty) - size)
            covered.append(log_odds(each.certainty_low) <= size <= log_odds(each.certainty_high))
    assert len(errors) > 40
    assert abs(np.mean(errors)) < 0.1  # of a mean of about 1.1
    assert np.mean(covered) > 0.85


def test_a_suggestion_fires_on_exactly_the_rows_of_its_support(planted: TrainingData) -> None:
    """The plain meaning of each condition, decided row by row: a missing value meets no comparison."""
    small = planted.take(planted.clusters < np.quantile(planted.clusters, 0.15))
    mined = dig(small)
    known = against_habit(small)
    conditions = [each.condition for each in mined.suggestions]
    assert any(leaf.column == "gap_cv" for each in conditions for leaf in leaves(each))  # type: ignore[union-attr]
    names = np.unique(small.clusters)
    order = np.random.default_rng(derive_seed("mining", 0)).permutation(len(names))
    held_out = np.isin(small.clusters, names[order[: round(HELD_OUT * len(names))]])
    rows = small.take(held_out)
    specs = known.columns
    segments = SCHEMA.column("segment").levels
    records = [
        {
            name: segments[int(value)]
            if name == "segment"
            else specs[name].read(float(str(np.float32(value))))
            for name, value in row.items()
            if value == value
        }
        for row in rows.features.to_dict("records")
    ]
    for suggestion in mined.suggestions:
        fires = np.array([holds(suggestion.condition, record) for record in records])
        assert fires.sum() == suggestion.n_rows
        assert len(np.unique(rows.clusters[fires])) == suggestion.n_clusters
        assert rows.labels[fires].mean() == pytest.approx(suggestion.observed)


def pattern(n_clusters: int, seed: int, *, known: float, unknown: float) -> TrainingData:
    """Rows whose outcome depends on whether a column is missing, and on nothing else."""
    rng = np.random.default_rng(seed)
    n_rows = n_clusters * 10
    x = rng.random(n_rows).astype(np.float32)
    missing = rng.random(n_rows) < 0.4
    x[missing] = np.nan
    labels = rng.random(n_rows) < np.where(missing, unknown, known)
    features = pd.DataFrame({"x": x, "noise": rng.random(n_rows).astype(np.float32)})
    return TrainingData(
        features=features,
        labels=labels.astype(np.int8),
        clusters=np.repeat(np.arange(n_clusters, dtype=np.int32), 10),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=Schema((Column("x"), Column("noise"))),
    )


def test_missing_values_do_not_become_a_rule_about_something_else() -> None:
    """That x is missing matters, and no comparison can say so: nothing may be said of large or small x."""
    train = pattern(400, 0, known=0.2, unknown=0.5)
    known = starter("missing", "y", float(train.labels.mean()), declare(train.features, train.schema))
    mined = dig(train, known)
    for suggestion in mined.suggestions:
        # what can be said of the rows where x is known, and it holds for them all
        assert not suggestion.positive
        assert suggestion.observed == pytest.approx(0.2, abs=0.04)


def test_what_missing_stands_for_is_mined_as_such() -> None:
    train = pattern(400, 1, known=0.2, unknown=0.5)
    known = starter("missing", "y", float(train.labels.mean()), declare(train.features, train.schema))
    told = known.model_copy(
        update={"columns": {**known.columns, "x": known.columns["x"].model_copy(update={"missing": 1.0})}}
    )
    best = dig(train, told).suggestions[0]
    assert rule_text(best.condition, told.columns).startswith(("x >= ", "x <", "x > "))
    assert {each.positive for each in dig(train, told).suggestions} == {True, False}


def test_settled_rows_are_no_evidence(planted: TrainingData) -> None:
    small = planted.take(planted.clusters < np.quantile(planted.clusters, 0.3))
    known = against_habit(small)
    facts = {"never": [{"id": "no", "when": "visits >= 1", "because": "the law"}]}
    told = KnowledgeBase.model_validate({**known.model_dump(), **facts})
    mined = dig(small, told)
    assert mined.n_rows == int((small.features["visits"] < 1).sum())
    assert not any("visits" in text for text in texts(mined))


def test_many_rows_are_thinned_by_cluster(planted: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.knowledge.mining.mine.MAX_ROWS", 8000)
    mined = dig(planted)
    assert 7900 < mined.n_rows <= 8000
    assert mined.n_clusters < 450
    assert mined.suggestions


@pytest.mark.parametrize("kept", [0, LEAST_CLUSTERS - 1])
def test_too_few_clusters_suggest_nothing(planted: TrainingData, kept: int) -> None:
    few = planted.take(np.isin(planted.clusters, np.unique(planted.clusters)[:kept]))
    mined = dig(few, against_habit(planted))
    assert (mined.suggestions, mined.n_held_out, mined.n_clusters) == ((), 0, kept)


def test_one_outcome_suggests_nothing(planted: TrainingData) -> None:
    small = planted.take(planted.clusters < np.quantile(planted.clusters, 0.1))
    mined = dig(replace(small, labels=np.zeros(len(small), np.int8)))
    assert (mined.suggestions, mined.n_held_out) == ((), 0)


def test_suggestions_that_say_the_same_share_a_leader() -> None:
    """Two columns that are nearly copies of one another: only one of their rules may count."""
    rng = np.random.default_rng(3)
    n_rows = 20_000
    first = rng.random(n_rows).astype(np.float32)
    second = np.where(rng.random(n_rows) < 0.9, first, rng.random(n_rows)).astype(np.float32)
    third = rng.random(n_rows).astype(np.float32)
    score = -2 + 0.8 * (first > 0.5) + 0.8 * (second > 0.5) + 0.8 * (third > 0.5)
    features = pd.DataFrame({"first": first, "second": second, "third": third})
    train = TrainingData(
        features=features,
        labels=(rng.random(n_rows) < expit(score)).astype(np.int8),
        clusters=np.repeat(np.arange(1000, dtype=np.int32), 20),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=Schema((Column("first"), Column("second"), Column("third"))),
    )
    known = starter("copies", "y", float(train.labels.mean()), declare(features, train.schema))
    found = dig(train, known).suggestions
    copies = [
        each
        for each in found
        if each.positive and {leaf.column for leaf in leaves(each.condition)} & {"first", "second"}  # type: ignore[union-attr]
    ]
    assert len(copies) >= 2
    assert len({each.leader for each in copies}) == 1
    assert {each.leader for each in found} != {copies[0].leader}
