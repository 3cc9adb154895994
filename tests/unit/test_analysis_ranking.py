"""One joint posterior of several tracks, and who ranks where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from toolkit.analysis.comparison.crossed import crossed_means
from toolkit.analysis.comparison.pairwise import compare
from toolkit.analysis.comparison.posterior import joint_posterior
from toolkit.analysis.comparison.ranking import odds, rank
from toolkit.analysis.intervals import RANKED, ScoreDraws, draw_scores, draw_weights
from toolkit.analysis.results import Interval, Pair
from toolkit.analysis.stacks import stack_evidence

LOSS = "error_log_loss"


@dataclass(frozen=True)
class Table:
    track: str
    seeds: tuple[int, ...]
    rows: np.ndarray
    table: np.ndarray

    @property
    def n_clusters(self) -> int:
        return len(self.rows)

    def sums(self, score: str) -> np.ndarray:
        return self.table


def made(
    track: str, mean: float, *, seeds: int = 3, seed_sd: float = 0.05, n_clusters: int = 100, own: float = 0.1
):
    generator = np.random.default_rng([len(track), *track.encode()])
    shared = np.random.default_rng(9).normal(size=n_clusters)
    rows = np.random.default_rng(8).integers(5, 50, n_clusters).astype(float)
    table = mean + shared + own * generator.normal(size=(seeds, n_clusters))
    table += seed_sd * generator.normal(size=(seeds, 1)) if seeds > 1 else 0
    nothing = ScoreDraws(
        dict.fromkeys(RANKED, np.full(seeds, np.nan)), dict.fromkeys(RANKED, np.zeros((2, seeds)))
    )
    return Table(track, tuple(range(seeds)), rows, table * rows), nothing


def test_spread_of_a_posterior_is_that_of_the_crossed_analysis() -> None:
    for track in (made("a", 1.0), made("b", 1.0, seeds=1), made("c", 1.0, seed_sd=0.0)):
        drawn = joint_posterior([track], LOSS, "test", n_draws=20_000)
        crossed = crossed_means(track[0].table, track[0].rows).interval(0.5)
        low, high = np.quantile(drawn.draws[:, 0], [0.25, 0.75])
        assert drawn.estimate[0] == pytest.approx(crossed.estimate)
        assert high - low == pytest.approx(crossed.high - crossed.low, rel=0.12)


def test_what_clusters_share_cancels_in_differences() -> None:
    posterior = joint_posterior([made("a", 1.0, seed_sd=0), made("b", 1.0, seed_sd=0)], LOSS, "test")
    apart = posterior.draws[:, 0] - posterior.draws[:, 1]
    assert apart.std() < 0.3 * posterior.draws[:, 0].std()


def test_average_precision_has_a_posterior_as_wide_as_its_interval(truth, draw_world) -> None:
    _, evidence = draw_world({"a": truth(0.9, gain=0.1), "b": truth(0.5)}, rungs=1)
    stacks, _ = stack_evidence(evidence)
    weights = draw_weights(150, 200, "test")
    every = [(stack, draw_scores(stack, weights)) for stack in stacks.values()]
    posterior = joint_posterior(every, "score_average_precision", "test")
    for place, (_, drawn) in enumerate(every):
        width = drawn.draws["score_average_precision"].mean(axis=1).std()
        assert posterior.draws[:, place].std() > 0.8 * width
        assert abs(posterior.draws[:, place].mean() - posterior.estimate[place]) < width / 5


def test_what_cannot_be_scored_has_no_posterior() -> None:
    track = made("a", 1.0)
    assert joint_posterior([track], "score_average_precision", "test").stacks == ()
    assert joint_posterior([made("a", 1.0, n_clusters=1)], LOSS, "test").stacks == ()
    assert joint_posterior([], LOSS, "test").draws.shape[1] == 0


def test_neighbours_on_a_ladder_tell_the_spread_of_seeds() -> None:
    """Two seeds that happen to agree at one rung do not make it sure."""
    rungs = [made("a", 1.0, seeds=2, seed_sd=0.3, own=0.01) for _ in range(5)]
    lucky = rungs[2][0]
    means = lucky.table.sum(axis=1, keepdims=True) / lucky.rows.sum()
    rungs[2] = (
        Table("a", lucky.seeds, lucky.rows, lucky.table - (means - means.mean()) * lucky.rows),
        rungs[2][1],
    )
    alone = joint_posterior(rungs, LOSS, "test").draws.std(axis=0)
    pooled = joint_posterior(rungs, LOSS, "test", pooled=True).draws
    spread = np.subtract(*np.quantile(pooled, [0.84, 0.16], axis=0)) / 2
    assert alone[2] < 0.12
    assert spread[2] > 0.12


def test_equal_tracks_share_and_a_clear_one_has_all() -> None:
    draws = np.random.default_rng(0).normal(size=(500, 1))
    same = odds(np.hstack([draws, draws]), 0.1, lower_is_better=True)
    assert same.best.tolist() == [0.5, 0.5]
    assert same.regret.tolist() == [0, 0]
    clear = odds(np.hstack([draws, draws + 1, draws + 5]), 2.0, lower_is_better=True)
    assert clear.best.tolist() == [1, 0, 0]
    assert clear.regret == pytest.approx([0, 1, 5])
    assert clear.within.tolist() == [1, 1, 0]
    turned = odds(np.hstack([draws, draws + 1]), 0.1, lower_is_better=False)
    assert turned.best.tolist() == [0, 1]


def test_a_ranking_has_groups_and_calls_ties_ties() -> None:
    tracks = [
        made("far", 3.0, own=0.01, seed_sd=0.001),
        made("best", 1.0, own=0.01, seed_sd=0.001),
        made("near", 1.0005, own=0.01, seed_sd=0.001),
        made("vague", 1.3, own=2.0, seed_sd=0.5),
    ]
    pairs = compare(tracks, margins={LOSS: 0.05})
    ranked = rank(tracks, pairs)
    told = {one.track: (one.group, one.standing) for one in ranked}
    assert told["far"] == (2, "leads")
    assert {told["best"], told["near"]} == {(1, "leads"), (1, "tie")}
    assert told["vague"] == (1, "unclear")
    assert [one.group for one in ranked] == [1, 1, 1, 2]
    assert ranked[-1].probability_best == 0
    assert ranked[-1].regret.low > 1.5
    assert all(one.margin == 0.05 for one in ranked)
    assert sum(one.probability_best for one in ranked) == pytest.approx(1)


def test_a_track_that_is_worse_than_the_leader_may_lead_others() -> None:
    def pair(first: str, second: str, verdict) -> Pair:
        return Pair(first, second, LOSS, Interval(0, 0, 0), verdict, 0.0, 0.05)

    tracks = [made(name, mean, seeds=1) for name, mean in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    pairs = [pair("a", "b", "better"), pair("a", "c", "better"), pair("c", "b", "unclear")]
    assert [(one.track, one.group, one.standing) for one in rank(tracks, pairs)] == [
        ("a", 1, "leads"),
        ("b", 2, "leads"),
        ("c", 2, "unclear"),
    ]


def test_one_track_is_not_ranked() -> None:
    assert rank([made("a", 1.0)], []) == ()
