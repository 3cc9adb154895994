from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from toolkit.errors import MissingColumnError
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks._encode import KNOTS, Encoder, hinged, row_blocks, usual_penalty
from toolkit.tracks._models import MAX_LEVELS, Boosting, Logistic
from toolkit.tracks._search import Budget, Contest, Trial, sample_clusters
from toolkit.tracks.classical import Classical

N_LEVELS = 300
SCHEMA = Schema(
    (
        Column("money"),
        Column("month"),
        Column("gap"),
        Column("shop", "category", tuple(f"shop {i}" for i in range(N_LEVELS))),
    )
)


def make(n_rows: int = 2000, seed: int = 0) -> TrainingData:
    generator = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "money": generator.lognormal(2, 2, n_rows).astype(np.float32),
            "month": np.full(n_rows, 9, np.float32),
            "gap": np.where(generator.random(n_rows) < 0.3, np.nan, generator.random(n_rows)).astype(
                np.float32
            ),
            "shop": generator.integers(-1, N_LEVELS, n_rows).astype(np.int32),
        }
    )
    chance = expit((np.log(features["money"]) - 2 + 1.5 * features["gap"].isna()).to_numpy())
    return TrainingData(
        features=features,
        labels=(generator.random(n_rows) < chance).astype(np.int8),
        clusters=np.repeat(np.arange(n_rows // 10, dtype=np.int32), 10),
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
    )


@pytest.fixture(scope="module")
def train() -> TrainingData:
    return make()


class TestEncoder:
    def test_numbers_are_standard_and_long_tails_short(self, train):
        rows = Encoder.learn(train.features, SCHEMA).transform(train.features)
        money = rows.numbers[:, 0]
        assert money.mean() == pytest.approx(0, abs=0.01)
        assert money.std() == pytest.approx(1, abs=0.02)
        assert money.max() <= 4

    def test_missing_becomes_the_mean_and_an_indicator(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        rows = encoder.transform(train.features)
        missing = train.features["gap"].isna().to_numpy()
        assert encoder.n_inputs == 4
        assert (rows.numbers[missing, 2] == 0).all()
        assert (rows.numbers[:, 3] == missing).all()

    def test_nothing_outside_the_training_range_is_extrapolated_to(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        extreme = train.features.head(2).assign(month=np.float32(12), money=np.float32(1e30))
        rows = encoder.transform(extreme)
        assert (rows.numbers[:, 1] == 0).all()
        assert (rows.numbers[:, 0] == encoder.highest[0]).all()

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
    def test_what_is_not_finite_counts_as_missing(self, train, value):
        encoder = Encoder.learn(train.features, SCHEMA)
        rows = encoder.transform(train.features.head(1).assign(gap=np.float32(value)))
        assert rows.numbers[0, 2] == 0
        assert rows.numbers[0, 3] == 1

    def test_unknown_levels_are_missing(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        codes = np.array([-1, 0, N_LEVELS - 1, N_LEVELS, -7], np.int32)
        rows = encoder.transform(train.features.head(5).assign(shop=codes))
        assert rows.codes[:, 0].tolist() == [0, 1, N_LEVELS, 0, 0]

    def test_order_of_columns_and_further_columns_do_not_matter(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
        wanted = encoder.transform(train.features)
        shuffled = train.features[["shop", "gap", "month", "money"]]
        for features in (shuffled, shuffled.assign(note="text")):
            rows = encoder.transform(features)
            assert (rows.numbers == wanted.numbers).all()
            assert (rows.codes == wanted.codes).all()

    def test_a_missing_column_is_named(self, train):
        encoder = Encoder.learn(train.features, SCHEMA)
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


class TestFamilies:
    def test_logistic_is_the_penalised_optimum_of_its_design(self, train):
        model = Logistic.fit(train, penalty=5.0)
        rows = model.encoder.transform(train.features)
        wide = hinged(rows.numbers).astype(np.float64)
        residuals = expit(wide @ model.slopes + model.bias + model.levels[0][rows.codes[:, 0]]) - train.labels
        gradient = wide.T @ residuals + 5.0 * model.slopes
        assert np.abs(gradient).max() / len(rows) < 1.5e-3
        assert abs(residuals.sum()) / len(rows) < 1.5e-3

    def test_more_levels_than_bins_share_the_last_one(self, train):
        features = train.features.assign(shop=np.sort(np.arange(len(train)) % N_LEVELS).astype(np.int32))
        many = np.tile(features["shop"], 120)
        wide = TrainingData(
            features=pd.DataFrame(
                {**{n: np.tile(features[n], 120) for n in ("money", "month", "gap")}, "shop": many}
            ),
            labels=np.tile(train.labels, 120),
            clusters=np.tile(train.clusters, 120),
            time=np.tile(train.time, 120),
            unlabelled=train.unlabelled,
            schema=SCHEMA,
        )
        model = Boosting.fit(wide, learning_rate=0.5, max_leaf_nodes=3, seed=0)
        bins = model.bins[0]
        assert np.isnan(bins[0])
        assert (bins[1:] == MAX_LEVELS).sum() == N_LEVELS - MAX_LEVELS
        assert len(np.unique(bins[1:])) == MAX_LEVELS + 1

    @pytest.mark.parametrize("family", ["logistic", "boosting"])
    def test_learns_what_is_there(self, train, family):
        held_out = make(seed=1)
        track = Classical(family=family, penalty_factor=0.01).fit(train, seed=0)
        chances = track.predict_proba(held_out.features)
        loss = -np.where(held_out.labels == 1, np.log(chances), np.log1p(-chances)).mean()
        rate = held_out.labels.mean()
        assert loss < -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)) - 0.1
        assert track.chosen()["family"] == family


class _Fixed(Classical):
    """A candidate whose loss on every held-out row is known."""

    def __init__(self, chance: float, tried: list[float]) -> None:
        self.chance = chance
        self.tried = tried

    def fit(self, train, *, seed):
        self.tried.append(self.chance)
        return self

    def predict_proba(self, features, sequence=None):
        return np.full(len(features), self.chance)


class TestContest:
    def test_the_best_leads_and_ties_stay_with_the_first(self, train):
        rate = float(train.labels.mean())
        trial, tried = Trial.of(train, 5000, 0), []
        contest = Contest(trial)
        contest.enter(_Fixed(chance, tried) for chance in (0.01, rate, rate, 0.99))
        assert contest.best(_Fixed(0.5, [])).chance == rate
        assert tried == [0.01, rate, rate, 0.99]

    def test_a_path_ends_where_it_gets_worse(self, train):
        tried: list[float] = []
        contest = Contest(Trial.of(train, 5000, 0))
        rate = float(train.labels.mean())
        contest.enter((_Fixed(chance, tried) for chance in (rate, 0.99, 0.01)), path=True)
        assert tried == [rate, 0.99]

    def test_without_budget_nothing_is_tried(self, train):
        tried: list[float] = []
        contest = Contest(Trial.of(train, 5000, 0), Budget(0.0))
        contest.enter([_Fixed(0.2, tried)])
        otherwise = _Fixed(0.3, [])
        assert contest.best(otherwise) is otherwise
        assert tried == []

    def test_trials_share_no_cluster_and_keep_to_their_rows(self, train):
        trial = Trial.of(train, 500, 0)
        assert not set(trial.fitting.clusters) & set(trial.held_out.clusters)
        assert len(trial.fitting) + len(trial.held_out) == 500

    def test_samples_are_whole_clusters_and_the_same_for_a_seed(self, train):
        first, again = (sample_clusters(train, 95, 3) for _ in range(2))
        assert len(first) == 90
        assert (np.unique(first.clusters, return_counts=True)[1] == 10).all()
        assert (first.clusters == again.clusters).all()


def test_search_gives_a_new_track_with_a_family(train):
    track = Classical()
    found = track.search(train, budget_fits=10.0, seed=0)
    assert found is not track
    assert track.family == "auto"
    assert found.family in ("logistic", "boosting")
    assert not hasattr(found, "model_") or found.model_ is not None


def test_search_without_budget_changes_nothing(train):
    assert Classical().search(train, budget_fits=0.0, seed=0) == Classical()
