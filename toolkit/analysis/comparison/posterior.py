"""One joint posterior of one score of several stacks: what is probable of all of them at once.

The prior is flat. The same test clusters and, by their names, the same seeds stand behind all stacks, so
differences keep only what differs. The two errors are those of `toolkit.analysis.comparison.crossed`: one
of clusters, and one of seeds where they differ by more than noise of clusters explains, each t-distributed
with its own degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from toolkit.analysis.intervals import ADDITIVE, ScoreDraws
from toolkit.analysis.stacks import Floats, Scored
from toolkit.seeding import derive_seed

__all__ = ["Posterior", "joint_posterior", "shortfalls"]

N_DRAWS = 4000
WINDOW = 2
"""Rungs on each side whose seeds tell of a rung's."""


@dataclass(frozen=True)
class Posterior:
    """Draws of the true scores of several stacks.

    Parameters
    ----------
    stacks : tuple of int
        Which of the given ones can be scored at all, as positions.
    estimate : ndarray of shape (n_stacks,)
    draws : ndarray of shape (n_draws, n_stacks)
    """

    stacks: tuple[int, ...]
    estimate: Floats
    draws: Floats


@dataclass(frozen=True)
class _Errors:
    """How the scores of one stack vary: by seed, and over pieces whose squares add up to a variance.

    Parameters
    ----------
    track : str
    seeds : tuple of int
    points : ndarray of shape (n_seeds,)
    pieces : ndarray of shape (n_seeds, n_pieces)
        The variance over clusters of a weighted sum of scores is the sum of squares of that sum of pieces.
    """

    track: str
    seeds: tuple[int, ...]
    points: Floats
    pieces: Floats

    @cached_property
    def rest(self) -> Floats:
        """What a seed's pieces have beside the mean; scaled so that squares give the variance of a mean."""
        return np.asarray(
            (self.pieces - self.pieces.mean(axis=0)) / math.sqrt(self.degrees * len(self.seeds))
        )

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the spread of the seeds; of one seed nothing is told, and 1 keeps it 0."""
        return max(len(self.seeds) - 1, 1)

    @property
    def own(self) -> Floats:
        """Distances of the seeds from their mean; scaled so that squares give the variance of a mean."""
        return np.asarray((self.points - self.points.mean()) / math.sqrt(self.degrees * len(self.seeds)))


def _errors(stack: Scored, drawn: ScoreDraws, score: str) -> _Errors | None:
    """Return how a stack's scores vary; None where the block cannot give the score."""
    if score in ADDITIVE:
        sums, rows = stack.sums(score), stack.rows
        points = sums.sum(axis=1) / rows.sum()
        table = (sums - points.mean() * rows) / rows.mean()
        pieces = table - table.mean(axis=1, keepdims=True)
        n_clusters = stack.n_clusters
        return _Errors(
            stack.track, stack.seeds, points, pieces / np.sqrt(n_clusters * max(n_clusters - 1, 1))
        )
    points, draws = drawn.points[score], drawn.draws[score]
    if not np.isfinite(points).all():
        return None
    usable = np.atleast_1d(np.isfinite(draws).all(axis=1))
    if usable.sum() < max(2, len(draws) // 2):
        return None
    middle = draws[usable].mean(axis=0)
    # Resamples keep their places: the same one stands behind the same piece of every stack.
    pieces = np.where(usable[:, None], draws - middle, 0.0).T / np.sqrt(usable.sum() - 1)
    return _Errors(stack.track, stack.seeds, points, pieces)


def joint_posterior(
    stacks: Sequence[tuple[Scored, ScoreDraws]],
    score: str,
    *names: str,
    pooled: bool = False,
    n_draws: int = N_DRAWS,
) -> Posterior:
    """Draw the true scores of stacks that were scored on the same test clusters.

    Parameters
    ----------
    stacks : sequence of (Scored, ScoreDraws)
    score : str
    *names : str
        What the draws are for: they depend on these, on the score and on the stacks alone.
    pooled : bool
        For whole ladders, the rungs of each track in their order: the variance of seeds is that of a rung and
        of `WINDOW` neighbours on each side together, and rungs have seed effects of their own. Three seeds of
        one rung alone leave it so open that among many rungs one would always seem to be far better.
    n_draws : int

    Returns
    -------
    Posterior
        Without stacks that cannot be scored; with one cluster nothing is known, and there are none.
    """
    found = {
        place: one
        for place, (stack, drawn) in enumerate(stacks)
        if stack.n_clusters > 1 and (one := _errors(stack, drawn, score)) is not None
    }
    if not found:
        return Posterior((), np.empty(0), np.empty((n_draws, 0)))
    errors = list(found.values())
    seeds = _pool(errors) if pooled else [_Seeds(one) for one in errors]
    generator = np.random.default_rng(derive_seed("posterior", *names, score, n_draws))
    degrees = stacks[next(iter(found))][0].n_clusters - 1
    scale = np.sqrt(degrees / generator.chisquare(degrees, n_draws))
    draws = scale[:, None] * _draw_normal(_covariance(seeds), n_draws, generator)
    draws += (_draw_by_rung if pooled else _draw_by_seed)(seeds, n_draws, *names)
    estimate = np.array([float(each.points.mean()) for each in errors])
    return Posterior(tuple(found), estimate, estimate + draws)


class _Seeds:
    """The error that seeds bring to the score of one stack.

    Parameters
    ----------
    errors : _Errors
    among : sequence of _Errors
        Stacks whose variance is taken together with its own.
    """

    def __init__(self, errors: _Errors, among: Sequence[_Errors] = ()) -> None:
        several = [one for one in among or (errors,) if len(one.seeds) > 1]
        self.errors = errors
        self.degrees = sum(one.degrees for one in several)
        known = len(errors.seeds) > 1
        # By degrees of freedom; each a variance of a mean over the seeds of this stack.
        shares = [one.degrees * len(one.seeds) / (self.degrees * len(errors.seeds)) for one in several]
        total = sum(share * float((one.own**2).sum()) for share, one in zip(shares, several, strict=True))
        noise = sum(share * float((one.rest**2).sum()) for share, one in zip(shares, several, strict=True))
        self.has_effect = known and total > noise
        """Whether seeds differ by more than noise of clusters explains."""
        self.variance = total if self.has_effect else 0.0


def _pool(errors: Sequence[_Errors]) -> list[_Seeds]:
    """Take the variance of each rung together with that of its neighbours on the same ladder."""
    found = []
    for place, one in enumerate(errors):
        near = errors[max(place - WINDOW, 0) : place + WINDOW + 1]
        found.append(_Seeds(one, [other for other in near if other.track == one.track]))
    return found


def _covariance(seeds: Sequence[_Seeds]) -> Floats:
    """Return the covariance over clusters, what the error of seeds already holds of it taken off."""
    means = np.array([one.errors.pieces.mean(axis=0) for one in seeds])
    covariance = means @ means.T
    for seed in dict.fromkeys(seed for one in seeds for seed in one.errors.seeds):
        own = [
            (place, one.errors.rest[one.errors.seeds.index(seed)])
            for place, one in enumerate(seeds)
            if one.has_effect and seed in one.errors.seeds
        ]
        if own:
            places = [place for place, _ in own]
            rest = np.array([values for _, values in own])
            covariance[np.ix_(places, places)] -= rest @ rest.T
    return np.asarray(covariance)


def _draw_normal(covariance: Floats, n_draws: int, generator: np.random.Generator) -> Floats:
    """Draw from the nearest covariance that there can be, shape (n_draws, n)."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    # The symmetric root hangs on no choice of signs.
    return np.asarray(generator.standard_normal((n_draws, len(covariance))) @ (root @ vectors.T))


def _draw_by_seed(seeds: Sequence[_Seeds], n_draws: int, *names: str) -> Floats:
    """Draw the error of the seeds, the same for seeds of the same name, shape (n_draws, n)."""
    normals = {
        seed: np.random.default_rng(derive_seed("posterior", "seed", seed, *names)).standard_normal(n_draws)
        for seed in dict.fromkeys(seed for one in seeds for seed in one.errors.seeds)
    }
    # A chi square of n degrees is a sum of n squares, which stacks of fewer seeds share in part.
    generator = np.random.default_rng(derive_seed("posterior", "scale", *names))
    most = max(one.errors.degrees for one in seeds)
    squares = np.cumsum(generator.standard_normal((n_draws, most)) ** 2, axis=1)
    drawn = np.zeros((n_draws, len(seeds)))
    for place, one in enumerate(seeds):
        if one.has_effect:
            degrees = one.errors.degrees
            scale = np.sqrt(degrees / squares[:, degrees - 1])
            own = np.stack([normals[seed] for seed in one.errors.seeds], axis=1) @ one.errors.own
            drawn[:, place] = scale * own
    return drawn


def _draw_by_rung(seeds: Sequence[_Seeds], n_draws: int, *names: str) -> Floats:
    """Draw the error of the seeds, each rung for itself, shape (n_draws, n)."""
    drawn = np.zeros((n_draws, len(seeds)))
    numbers: dict[str, int] = {}
    for place, one in enumerate(seeds):
        track = one.errors.track
        numbers[track] = number = numbers.get(track, -1) + 1
        if one.has_effect:
            seed = derive_seed("posterior", "rung", track, number, *names)
            generator = np.random.default_rng(seed)
            scale = np.sqrt(one.variance * one.degrees / generator.chisquare(one.degrees, n_draws))
            drawn[:, place] = scale * generator.standard_normal(n_draws)
    return drawn


def shortfalls(draws: Floats, *, lower_is_better: bool) -> Floats:
    """Return how far each falls short of the best of its draw, shape (n_draws, n), never below 0."""
    if lower_is_better:
        return np.asarray(draws - draws.min(axis=1, keepdims=True))
    return np.asarray(draws.max(axis=1, keepdims=True) - draws)
