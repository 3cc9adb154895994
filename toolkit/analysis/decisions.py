"""What a decision of a track is worth: the part of the money that no price of a machine changes.

The threshold is chosen for every seed on its validation counts, at the means of the declared values; the
value of a decision is then that of the test block, sampled over groups of clusters, seeds and declared
values. Draws of declared values and of groups are shared by all tracks, so that differences keep only what
differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toolkit import scores
from toolkit.analysis.choices import N_GROUPS, RungChoices
from toolkit.analysis.draws import N_DRAWS, drawn, mean_of
from toolkit.analysis.intervals import draw_weights, seed_share
from toolkit.analysis.stacks import Floats
from toolkit.analysis.validation import OUTCOMES, Validation
from toolkit.business import OutcomeValue
from toolkit.seeding import derive_seed

__all__ = [
    "Decision",
    "OutcomeDraws",
    "draw_outcomes",
    "mean_values",
    "seed_scale",
    "value_rung",
]


@dataclass(frozen=True)
class OutcomeDraws:
    """What all tracks share: entry 0 is the mean, the rest are draws.

    Parameters
    ----------
    values : ndarray of shape (1 + n_draws, 4)
        Money of each outcome, in the order of `OUTCOMES`.
    weights : ndarray of shape (1 + n_draws, n_groups)
        How often each group of clusters counts; the first row is ones.
    seed_normals : mapping of int to ndarray of shape (1 + n_draws,)
        By seed.
    """

    values: Floats
    weights: Floats
    seed_normals: Mapping[int, Floats]


@dataclass(frozen=True)
class Decision:
    """The value of one decision of one track at one rung.

    Parameters
    ----------
    track : str
    rung : int
    threshold : float
        Probability from which on to say yes, chosen on validation; the median over seeds.
    validation : Validation or None
        What the validation block says; None without such rows.
    value : ndarray of shape (1 + n_draws,)
        Entry 0 the mean.
    """

    track: str
    rung: int
    threshold: float
    validation: Validation | None
    value: Floats


def draw_outcomes(
    value: OutcomeValue, seeds: Sequence[int], n_clusters: int, *, n_draws: int = N_DRAWS
) -> OutcomeDraws:
    """Draw what the value of a decision rests on.

    Parameters
    ----------
    value : OutcomeValue
    seeds : sequence of int
        All seeds of the experiment.
    n_clusters : int
        Test clusters.
    n_draws : int
    """
    n_groups = min(n_clusters, N_GROUPS)
    return OutcomeDraws(
        values=np.stack(
            [drawn(getattr(value, name), "value", name, n_draws=n_draws) for name in OUTCOMES], axis=1
        ),
        weights=np.vstack([np.ones(n_groups), draw_weights(n_groups, n_draws, "economics")]),
        seed_normals={
            seed: np.concatenate(
                [[0.0], np.random.default_rng(derive_seed("seed effect", seed)).standard_normal(n_draws)]
            )
            for seed in seeds
        },
    )


def mean_values(value: OutcomeValue) -> Floats:
    """Return the mean money of each outcome, shape (4,) in the order of `OUTCOMES`."""
    return np.array([mean_of(getattr(value, name)) for name in OUTCOMES])


def seed_scale(n_seeds: int, n_draws: int) -> Floats:
    """Return how much wider than the spread seen in a few seeds theirs may be: t over normal draws.

    Parameters
    ----------
    n_seeds : int
        At least two; tracks with as many share the draws.
    n_draws : int
    """
    generator = np.random.default_rng(derive_seed("seed scale", n_seeds))
    drawn = np.sqrt((n_seeds - 1) / generator.chisquare(n_seeds - 1, n_draws))
    return np.concatenate([[1.0], drawn])


def _value_of_decision(choices: RungChoices, places: Sequence[int], shared: OutcomeDraws) -> Floats:
    """Return the value of one decision, sampled over groups of clusters, seeds and declared values.

    The mean over seeds is resampled over groups. To it comes a t-distributed seed effect, drawn with the
    same random numbers for the same seed of other tracks, of the variance that crossed seeds and groups
    leave to the seeds.
    """
    outcomes, rows = choices.outcomes(places), choices.rows
    shares = (shared.weights @ outcomes.mean(axis=0)) / (shared.weights @ rows)[:, None]
    n_seeds = len(choices.seeds)
    if n_seeds > 1:
        by_seed = outcomes.sum(axis=1) / rows.sum()
        own = seed_share(outcomes @ shared.values[0], rows)
        normals = np.stack([shared.seed_normals[seed] for seed in choices.seeds], axis=1)
        effect = normals @ (by_seed - by_seed.mean(axis=0)) / np.sqrt(n_seeds * (n_seeds - 1))
        scale = seed_scale(n_seeds, len(shares) - 1)
        shares = _possible(shares, shares + np.sqrt(own) * scale[:, None] * effect)
    return np.asarray((shares * shared.values).sum(axis=1))


def _possible(shares: Floats, moved: Floats) -> Floats:
    """Return moved shares of outcomes within what there is: t-distributed effects have no end.

    Parameters
    ----------
    shares, moved : ndarray of shape (1 + n_draws, 4)
        In the order of `OUTCOMES`; the first add up to the shares of positives and of negatives.
    """
    positives, negatives = shares[:, 0] + shares[:, 3], shares[:, 1] + shares[:, 2]
    hits, false_alarms = np.clip(moved[:, 0], 0, positives), np.clip(moved[:, 1], 0, negatives)
    return np.stack([hits, false_alarms, negatives - false_alarms, positives - hits], axis=1)


def value_rung(choices: RungChoices, validation: Validation | None, shared: OutcomeDraws) -> Decision:
    """Value the decisions of one track at one rung.

    Parameters
    ----------
    choices : RungChoices
    validation : Validation or None
        What the validation block says of it.
    shared : OutcomeDraws
    """
    places = choices.chosen(shared.values[0])
    edges = scores.bin_edges()
    bins = [one.thresholds[place] for one, place in zip(choices.choices, places, strict=True)]
    return Decision(
        track=choices.track,
        rung=choices.rung,
        threshold=float(np.median(edges[bins])),
        validation=validation,
        value=_value_of_decision(choices, places, shared),
    )
