from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _work
from toolkit.tracks._encode import Encoder
from toolkit.tracks._net import STRENGTHS, Recipe
from toolkit.tracks._net_operations import count_step
from toolkit.tracks._work import (
    Budget,
    boosting_seconds,
    forest_seconds,
    logistic_seconds,
    net_seconds,
    reference_seconds,
    search_budget,
)

SCHEMA = Schema((Column("x"), Column("y"), Column("kind", "category", ("a", "b", "c"))))


class TestBudget:
    def test_what_does_not_fit_takes_nothing(self):
        budget = Budget(1.0)
        assert not budget.take(1.1)
        assert budget.take(0.6)
        budget.settle(-0.3)
        assert budget.take(0.7)
        assert not budget.take(0.1)


class TestWork:
    def test_more_of_anything_costs_more(self):
        def net(n_rows: int, **changes: Any) -> float:
            return net_seconds(replace(Recipe.for_rows(5000, "strong"), **changes), n_rows, SCHEMA)

        assert net(1000) < net(10_000) < net(100_000)
        assert net(1000) < net(1000, width=256) < net(1000, width=256, members=8)
        assert net(1000, epochs=2) < net(1000, epochs=20)
        assert logistic_seconds(1000, SCHEMA) < logistic_seconds(5000, SCHEMA)
        few, many = (boosting_seconds(1000, SCHEMA, n_trees=n_trees, leaves=15) for n_trees in (10, 20))
        assert few < many
        small, large = (
            forest_seconds(1000, SCHEMA, n_trees=50, leaf_rows=rows, share=0.5) for rows in (50, 5)
        )
        assert small < large

    def test_what_a_trial_does_besides_costs_too(self):
        recipe = Recipe.for_rows(5000, "strong")
        plain = net_seconds(recipe, 5000, SCHEMA)
        assert plain < net_seconds(recipe, 5000, SCHEMA, n_watched=1000)
        assert plain < net_seconds(replace(recipe, dropout=0.1), 5000, SCHEMA)
        assert plain < net_seconds(replace(recipe, depth=3), 5000, SCHEMA)

    def test_what_watches_pays_for_a_pass_forward(self, monkeypatch):
        for name in ("ENCODE_CELL", "WEIGHT", "FILTER", "WATCHED_EPOCH"):
            monkeypatch.setattr(_work, name, 0.0)
        monkeypatch.setattr(_work, "BY_AUTOGRAD", _work._Step(call=0.0, layer=0.0, flop=1.0, unit=0.0))
        recipe = replace(Recipe.for_rows(5000, "strong"), members=4)
        trained = net_seconds(recipe, 5000, SCHEMA)
        watched = net_seconds(recipe, 5000, SCHEMA, n_watched=5000) - trained
        assert watched == pytest.approx(_work.LOOK * trained / 3)

    def test_a_net_on_the_raw_signal_pays_for_steps_by_autograd(self, monkeypatch):
        signal = replace(SCHEMA, channels=("bought",))
        recipe = replace(Recipe.for_rows(5000, "strong"), filters=3)
        before = net_seconds(recipe, 5000, signal), net_seconds(recipe, 5000, SCHEMA)
        monkeypatch.setattr(_work, "BY_HAND", _work._Step(call=0.0, layer=0.0, flop=0.0, unit=0.0))
        after = net_seconds(recipe, 5000, signal), net_seconds(recipe, 5000, SCHEMA)
        assert after[0] == before[0]
        assert after[1] < before[1]

    @pytest.mark.parametrize("depth", [1, 2, 5])
    @pytest.mark.parametrize("members", [1, 4])
    def test_the_operations_of_a_net_are_those_that_are_counted(self, depth, members, monkeypatch):
        """All constants but that of a floating-point operation at nothing, what is charged is FLOPs."""
        for name in ("ENCODE_CELL", "WEIGHT", "FILTER"):
            monkeypatch.setattr(_work, name, 0.0)
        for name in ("BY_HAND", "BY_AUTOGRAD"):
            monkeypatch.setattr(_work, name, _work._Step(call=0.0, layer=0.0, flop=1.0, unit=0.0))
        recipe = replace(Recipe.for_rows(5000, "strong"), depth=depth, members=members, epochs=1)
        step_flop = count_step(Encoder.plain(SCHEMA), recipe, 10, None).flop
        # what one weight a member and unit of the last layer takes is left out
        last = 4 if members == 1 else 6
        expected = step_flop / 10 - last * members * recipe.width
        if members > 1:
            # autograd asks for no gradient of the linear part towards the numbers
            expected += 2 * 5 * 2
        assert net_seconds(recipe, 10, SCHEMA) / 10 == pytest.approx(expected)

    def test_the_budget_is_in_proportion_and_the_same_for_every_track(self):
        train = TrainingData(
            features=pd.DataFrame({"x": np.zeros(2000, np.float32)}),
            labels=np.arange(2000, dtype=np.int8) % 2,
            clusters=np.arange(2000, dtype=np.int32),
            time=np.zeros(2000, np.int32),
            unlabelled=pd.DataFrame({"x": np.zeros(0, np.float32)}),
            schema=Schema((Column("x"),)),
        )
        assert search_budget(4.0, train) == pytest.approx(4 * reference_seconds(len(train), train.schema))
        assert search_budget(0.0, train) == 0.0

    @pytest.mark.parametrize("strength", STRENGTHS)
    def test_any_size_has_a_price(self, strength):
        for n_rows in (1, 50, 10**7):
            assert 0 < net_seconds(Recipe.for_rows(n_rows, strength), n_rows, SCHEMA) < 1e6
