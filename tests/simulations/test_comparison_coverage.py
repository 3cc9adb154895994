"""How often comparisons of tracks hold the truth, over drawn worlds whose truth is known.

Test clusters of unequal size are crossed with three seeds, whose effects are none, weak or strong. Beside the
intervals of the toolkit stand two that take rows, or seeds, for all the chance there is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import stdtrit

from toolkit import scores
from toolkit.analysis.comparison.crossed import crossed_means
from toolkit.analysis.comparison.pairwise import compare, difference
from toolkit.analysis.comparison.posterior import joint_posterior
from toolkit.analysis.comparison.ranking import odds
from toolkit.analysis.intervals import RANKED, ScoreDraws, draw_scores, draw_weights
from toolkit.analysis.snapshot import StoredStack
from toolkit.analysis.stacks import Stack
from toolkit.records import N_BINS, Evidence

pytestmark = pytest.mark.slow

SEEDS = 3
GATE = 0.93
LOSS = "error_log_loss"
T_OF_SEEDS = float(stdtrit(SEEDS - 1, 0.975))
NO_DRAWS = ScoreDraws(
    points={score: np.full(SEEDS, np.nan) for score in RANKED},
    draws={score: np.full((2, SEEDS), np.nan) for score in RANKED},
)


class Regime(NamedTuple):
    """Standard deviations of what moves an error, in units of what differs between clusters.

    `seed` is in units of what clusters leave of the mean over all of them, so that it weighs the same for any
    number of clusters.
    """

    seed: float
    both: float = 0.7
    row: float = 3.0


REGIMES = {"no seed effect": Regime(0.0), "weak": Regime(0.7), "strong": Regime(5.0)}


def draw_rows(generator: np.random.Generator, n_clusters: int) -> np.ndarray:
    """Rows of each cluster, as uneven as those of the retail data: 2 to 3 times the mean."""
    return np.clip(np.rint(generator.gamma(3.0, 100 / 3, n_clusters)), 2, 280)


def draw_sums(generator: np.random.Generator, rows: np.ndarray, regime: Regime, mean: float = 0.0):
    """Draw errors summed over clusters, shape (n_seeds, n_clusters), whose true mean is `mean`.

    Tails of clusters are heavy, and large ones differ more. The second value is the mean square of a row's
    error, the mean over seeds.
    """
    n = len(rows)
    own = generator.standard_t(4, n) / np.sqrt(2) * np.sqrt(0.5 + 0.5 * rows / rows.mean())
    seed = regime.seed / np.sqrt(n) * generator.normal(size=(SEEDS, 1))
    both = regime.both * generator.normal(size=(SEEDS, n))
    noise = regime.row * generator.normal(size=(SEEDS, n))
    sums = (mean + seed + own + both) * rows + noise * np.sqrt(rows)
    within = regime.row**2 / SEEDS * generator.chisquare(rows - 1)
    square = float((sums.mean(axis=0) ** 2 / rows).sum() + within.sum()) / rows.sum()
    return sums, square


def stored(name: str, rows: np.ndarray, sums: np.ndarray) -> StoredStack:
    """One track's errors, sums (n_seeds, n_clusters), as comparisons want them."""
    return StoredStack(name, 0, tuple(range(len(sums))), rows, {LOSS: sums})


def by_seeds(points: np.ndarray, truth: float) -> bool:
    """Tell whether a t interval over seeds holds the truth."""
    half = T_OF_SEEDS * points.std(ddof=1) / np.sqrt(SEEDS)
    return bool(abs(points.mean() - truth) <= half)


@pytest.mark.parametrize("n_clusters", [60, 1200])
@pytest.mark.parametrize("name", REGIMES)
def test_mean_differences_are_covered(name: str, n_clusters: int, simulation_table) -> None:
    worlds, generator = 4000, np.random.default_rng([n_clusters, len(name)])
    rows = draw_rows(generator, n_clusters)
    hits = np.zeros(3)
    for _ in range(worlds):
        sums, square = draw_sums(generator, rows, REGIMES[name])
        interval = crossed_means(sums, rows).interval()
        # A bootstrap of rows has the variance of a mean of independent rows.
        half = 1.96 * np.sqrt((square - interval.estimate**2) / rows.sum())
        hits += [
            interval.low <= 0 <= interval.high,
            abs(interval.estimate) <= half,
            by_seeds(sums.sum(axis=1) / rows.sum(), 0.0),
        ]
    crossed, by_row, seeds = hits / worlds
    quantity = f"mean difference, {n_clusters} clusters"
    row = {"quantity": quantity, "seed effects": name, "worlds": worlds, "crossed": crossed}
    simulation_table("coverage of 95 % intervals of differences", {**row, "rows": by_row, "seeds": seeds})
    assert crossed >= GATE
    assert min(by_row, seeds) < GATE, "the world is too easy to tell anything"


class Pool:
    """Clusters and seeds in a finite pool: drawn with replacement, what is true of them is known.

    Two tracks predict the same rows, the first better than the second; what a track overlooks, it overlooks
    by cluster, and with every seed.

    Parameters
    ----------
    seed_noise : float
        How far the skill of a seed lies from that of its track.
    """

    CLUSTERS, SEED_POOL, ROWS = 1500, 24, 30
    SKILLS = (0.85, 0.75)

    def __init__(self, seed_noise: float) -> None:
        generator = np.random.default_rng(7)
        rows = np.clip(np.rint(generator.gamma(3.0, self.ROWS / 3, self.CLUSTERS)), 2, 90).astype(int)
        cluster = np.repeat(np.arange(self.CLUSTERS), rows)
        self.rows, self.first, n = rows, np.concatenate([[0], np.cumsum(rows)]), len(cluster)
        signal = 0.7 * generator.normal(size=self.CLUSTERS)[cluster] + generator.normal(size=n)
        self.labels = generator.random(n) < 1 / (1 + np.exp(1.6 - 1.5 * signal))
        self.bins = np.empty((2, self.SEED_POOL, n), dtype=np.int16)
        for track, skill in enumerate(self.SKILLS):
            own = 0.8 * generator.normal(size=self.CLUSTERS)[cluster] + 0.6 * generator.normal(size=n)
            for seed in range(self.SEED_POOL):
                kept = np.clip(skill + seed_noise * generator.normal(), 0.05, 0.99)
                seen = kept * signal + np.sqrt(1 - kept**2) * (0.9 * own + 0.44 * generator.normal(size=n))
                self.bins[track, seed] = scores.bin_of(1 / (1 + np.exp(1.6 - 1.5 * seen)))

    def truth(self, score: str) -> float:
        """Return the first track's mean score less the second's."""
        means = []
        for bins in self.bins:
            counts = [
                [np.bincount(one[self.labels == label], minlength=N_BINS) for one in bins] for label in (1, 0)
            ]
            means.append(getattr(scores, score.removeprefix("score_"))(*np.array(counts, dtype=float)).mean())
        return float(means[0] - means[1])

    def draw(self, generator: np.random.Generator, n_clusters: int, *, by_row: bool = False) -> list[Stack]:
        """Draw clusters and seeds; with `by_row` each row is a cluster, as if rows did not hang together."""
        chosen = generator.integers(0, self.CLUSTERS, n_clusters)
        seeds = generator.integers(0, self.SEED_POOL, (2, SEEDS))
        rows = np.concatenate([np.arange(self.first[one], self.first[one + 1]) for one in chosen])
        names = np.arange(len(rows)) if by_row else np.repeat(np.arange(n_clusters), self.rows[chosen])
        return [
            Stack(
                f"track {track}",
                0,
                tuple(range(SEEDS)),
                tuple(self._evidence(bins, rows, names) for bins in drawn),
            )
            for track, drawn in enumerate(self.bins[track][seeds[track]] for track in range(2))
        ]

    def _evidence(self, bins: np.ndarray, rows: np.ndarray, names: np.ndarray) -> Evidence:
        entries, entry = np.unique(names * N_BINS + bins[rows], return_inverse=True)
        positives = np.bincount(entry[self.labels[rows]], minlength=len(entries))
        sizes, none = np.bincount(names), np.zeros(N_BINS, dtype=np.int64)
        return Evidence(
            cluster=(entries // N_BINS).astype(np.int32),
            bin=(entries % N_BINS).astype(np.int16),
            positives=positives.astype(np.int32),
            negatives=(np.bincount(entry) - positives).astype(np.int32),
            cluster_rows=sizes,
            cluster_log_loss=np.zeros(len(sizes)),
            cluster_brier=np.zeros(len(sizes)),
            valid_positives=none[None],
            valid_negatives=none[None],
            valid_log_loss=float("nan"),
            strata={},
        )


@pytest.mark.parametrize(("name", "seed_noise"), [("no seed effect", 0.0), ("weak", 0.02), ("strong", 0.12)])
def test_differences_of_ranked_scores_are_covered(name: str, seed_noise: float, simulation_table) -> None:
    worlds, n_clusters, n_draws = 500, 100, 60
    pool = Pool(seed_noise)
    truth = {score: pool.truth(score) for score in RANKED}
    weights = draw_weights(n_clusters, n_draws, "simulation")
    hits = {score: np.zeros(2) for score in RANKED}
    rows, row_worlds = dict.fromkeys(RANKED, 0), 0
    for world in range(worlds):
        stacks = pool.draw(np.random.default_rng(world), n_clusters)
        drawn = [draw_scores(stack, weights) for stack in stacks]
        for score in RANKED:
            interval = difference(stacks[0], drawn[0], stacks[1], drawn[1], score).interval()
            points = drawn[0].points[score] - drawn[1].points[score]
            hits[score] += [interval.low <= truth[score] <= interval.high, by_seeds(points, truth[score])]
        if world % 5 == 0:  # the same world, rows resampled: slow, and far from close
            row_worlds += 1
            alike = pool.draw(np.random.default_rng(world), n_clusters, by_row=True)
            some = draw_weights(alike[0].n_clusters, n_draws, "simulation")
            first, second = (draw_scores(stack, some) for stack in alike)
            for score in RANKED:
                half = 1.96 * (first.draws[score] - second.draws[score]).mean(axis=1).std(ddof=1)
                off = (first.points[score] - second.points[score]).mean() - truth[score]
                rows[score] += abs(off) <= half
    for score in RANKED:
        crossed, seeds = hits[score] / worlds
        row = {"quantity": score, "seed effects": name, "worlds": worlds, "crossed": crossed}
        by_row = rows[score] / row_worlds
        simulation_table("coverage of 95 % intervals of differences", {**row, "rows": by_row, "seeds": seeds})
        assert crossed >= GATE, score


@pytest.mark.parametrize("name", REGIMES)
def test_equal_tracks_are_rarely_told_apart_and_often_called_ties(name: str, simulation_table) -> None:
    worlds, n_clusters = 1000, 200
    generator = np.random.default_rng(len(name))
    rows = draw_rows(generator, n_clusters)
    narrow = {LOSS: 1e-9}
    regime = REGIMES[name]
    error = np.sqrt(2 * (1 + regime.both**2 / SEEDS + regime.seed**2 / SEEDS) / n_clusters)
    wide = {LOSS: 4 * error}
    told, ties, unclear = 0, 0, 0
    for _ in range(worlds):
        tables = [
            (stored(f"track {one}", rows, draw_sums(generator, rows, regime)[0]), NO_DRAWS)
            for one in range(4)
        ]
        told += any(pair.verdict in ("better", "worse") for pair in compare(tables, margins=narrow))
        verdicts = [pair.verdict for pair in compare(tables, margins=wide)]
        ties += verdicts.count("tie")
        unclear += verdicts.count("unclear")
    row = {
        "seed effects": name,
        "worlds": worlds,
        "some pair falsely told apart": told / worlds,
        "pairs called ties": ties / worlds / 6,
        "pairs unclear": unclear / worlds / 6,
    }
    simulation_table("four equal tracks: Holm without a margin, ties with one of four errors", row)
    assert row["some pair falsely told apart"] <= 0.05
    assert row["pairs called ties"] + row["pairs unclear"] >= 0.99


@pytest.mark.parametrize("apart", [0.0, 1.0, 3.0, None])
@pytest.mark.parametrize("name", REGIMES)
def test_the_probability_of_being_best_is_right(name: str, apart: float | None, simulation_table) -> None:
    """Right over distances from a third to ten standard errors; surer than it should be among near equals."""
    worlds, n_clusters, regime = 1000, 200, REGIMES[name]
    generator = np.random.default_rng([len(name), 100 if apart is None else int(apart)])
    rows = draw_rows(generator, n_clusters)
    error = np.sqrt(1 + regime.both**2 / SEEDS + regime.seed**2 / SEEDS) / np.sqrt(n_clusters)
    found = np.zeros((worlds, 5))
    for world in range(worlds):
        spread = 0.3 * 33 ** generator.random() if apart is None else apart
        # Four that may be close, and a fifth that is far behind, as a baseline may be.
        truth = error * np.append(spread * generator.normal(size=4), 60)
        tables = [
            (stored(f"track {one}", rows, draw_sums(generator, rows, regime, truth[one])[0]), NO_DRAWS)
            for one in range(5)
        ]
        draws = joint_posterior(tables, LOSS, "simulation", n_draws=1000).draws
        told = odds(draws, error, lower_is_better=True)
        leader = int(told.best.argmax())
        lost = float(truth[leader] - truth.min())
        right = 0.25 if apart == 0 else lost == 0  # of equal ones any may be best
        found[world] = told.best[leader], right, told.within[leader], lost <= error, lost / error
    stated, right, within_stated, within, lost = found.T
    sure = stated >= 0.9
    row = {
        "seed effects": name,
        "truths apart": ".3 to 10 errors" if apart is None else f"{apart:g} errors",
        "leader stated": stated.mean(),
        "right": right.mean(),
        ".9 stated": sure.mean(),
        ".9 right": right[sure].mean(),
        "within the margin stated": within_stated.mean(),
        "within": within.mean(),
        "errors lost": lost.mean(),
    }
    simulation_table("probability of being best of four tracks and a baseline; the margin is one error", row)
    if apart is None or apart > 1:
        assert row[".9 right"] >= 0.9
    else:
        assert row[".9 stated"] <= 0.1
    assert row["within"] >= row["within the margin stated"] - 0.03
