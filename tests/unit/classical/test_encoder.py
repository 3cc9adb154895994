from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import MissingColumnError
from toolkit.tasks.base import Column, Schema
from toolkit.tracks._encode import KNOTS, Encoder, hinged, row_blocks, usual_penalty


class TestEncoder:
    @pytest.mark.parametrize("offset", [0.0, 1e4, -1e6, 1.7e9])
    def test_numbers_far_from_zero_keep_their_differences(self, offset):
        told = np.repeat(np.arange(6) * 600.0, 50) + offset
        frame = pd.DataFrame({"time": told.astype(np.float32)})
        encoder = Encoder.learn(frame, Schema((Column("time"),)))
        seen = encoder.transform(frame).numbers[:, 0]
        assert len(np.unique(seen)) == 6
        assert seen.std() == pytest.approx(1.0, abs=0.01)

    def test_scales_do_not_hang_on_the_order_of_many_rows(self):
        """Every fifth row of a panel sorted by customer and week is one and the same week."""
        week = (np.arange(250_000) % 5).astype(np.float32)
        schema = Schema((Column("week"),))
        encoder = Encoder.learn(pd.DataFrame({"week": week}), schema)
        told = encoder.transform(pd.DataFrame({"week": week[:5]})).numbers[:, 0]
        assert len(np.unique(told)) == 5
        assert abs(told.mean()) < 0.01

    def test_numbers_are_standard_and_long_tails_short(self, train):
        rows = Encoder.learn(train.features, train.schema).transform(train.features)
        money = rows.numbers[:, 0]
        assert money.mean() == pytest.approx(0, abs=0.01)
        assert money.std() == pytest.approx(1, abs=0.02)
        assert money.max() <= 4

    def test_missing_becomes_the_mean_and_an_indicator(self, train):
        encoder = Encoder.learn(train.features, train.schema)
        rows = encoder.transform(train.features)
        missing = train.features["gap"].isna().to_numpy()
        assert encoder.n_inputs == 4
        assert (rows.numbers[missing, 2] == 0).all()
        assert (rows.numbers[:, 3] == missing).all()

    def test_nothing_outside_the_training_range_is_extrapolated_to(self, train):
        encoder = Encoder.learn(train.features, train.schema)
        extreme = train.features.head(2).assign(month=np.float32(12), money=np.float32(1e30))
        rows = encoder.transform(extreme)
        assert (rows.numbers[:, 1] == 0).all()
        assert (rows.numbers[:, 0] == encoder.highest[0]).all()

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
    def test_what_is_not_finite_counts_as_missing(self, train, value):
        encoder = Encoder.learn(train.features, train.schema)
        rows = encoder.transform(train.features.head(1).assign(gap=np.float32(value)))
        assert rows.numbers[0, 2] == 0
        assert rows.numbers[0, 3] == 1

    def test_unknown_levels_are_missing(self, train):
        encoder = Encoder.learn(train.features, train.schema)
        n_levels = len(train.schema.column("shop").levels)
        codes = np.array([-1, 0, n_levels - 1, n_levels, -7], np.int32)
        rows = encoder.transform(train.features.head(5).assign(shop=codes))
        assert rows.codes[:, 0].tolist() == [0, 1, n_levels, 0, 0]

    def test_order_of_columns_and_further_columns_do_not_matter(self, train):
        encoder = Encoder.learn(train.features, train.schema)
        wanted = encoder.transform(train.features)
        shuffled = train.features[["shop", "gap", "month", "money"]]
        for features in (shuffled, shuffled.assign(note="text")):
            rows = encoder.transform(features)
            assert (rows.numbers == wanted.numbers).all()
            assert (rows.codes == wanted.codes).all()

    def test_a_missing_column_is_named(self, train):
        encoder = Encoder.learn(train.features, train.schema)
        with pytest.raises(MissingColumnError, match="gap"):
            encoder.transform(train.features.drop(columns="gap"))

    def test_hinges_bend_at_the_knots(self):
        numbers = np.array([[-3.0, 0.0], [3.0, 1.0]], np.float32)
        wide = hinged(numbers)
        assert wide.shape == (2, 2 * (1 + len(KNOTS)))
        assert (wide[:, :2] == numbers).all()
        for position, knot in enumerate(KNOTS, start=1):
            assert wide[1, 2 * position] == pytest.approx(3 - knot)
            assert wide[0, 2 * position] == 0

    def test_blocks_cover_every_row_once(self):
        features = pd.DataFrame({"x": np.arange(20_000)})
        parts = [block["x"].to_numpy() for _, block in row_blocks(features)]
        assert (np.concatenate(parts) == features["x"]).all()

    def test_the_penalty_falls_with_rows(self):
        penalties = [usual_penalty(n_rows) for n_rows in (0, 100, 20_000, 200_000, 10**9)]
        assert penalties == sorted(penalties, reverse=True)
        assert penalties[2] == pytest.approx(400)
