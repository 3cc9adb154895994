from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from toolkit import scores
from toolkit.analysis.choices import N_GROUPS, choices_of, yes_gains
from toolkit.analysis.stacks import Stack, stack_evidence
from toolkit.records import N_BINS

money = st.floats(-1e6, 1e6, allow_nan=False)
outcomes = st.tuples(money, money, money, money)


def stack_of(draw: int, n_rows: int, n_clusters: int, skill: float) -> Stack:
    generator = np.random.default_rng(draw)
    clusters = generator.integers(0, n_clusters, n_rows)
    labels, valid = ((generator.random(n_rows) < 0.3).astype(np.int8) for _ in range(2))
    by_seed = {}
    for seed in range(2):
        told, valid_told = (
            1 / (1 + np.exp(1 - skill * one - 2 * generator.normal(size=n_rows))) for one in (labels, valid)
        )
        by_seed["classical", 0, seed] = scores.make_evidence(
            labels=labels,
            probabilities=told,
            clusters=clusters,
            strata={},
            valid_labels=valid,
            valid_probabilities=valid_told,
            valid_clusters=clusters,
        )
    stacks, _ = stack_evidence(by_seed)
    return stacks["classical", 0]


stacks = st.builds(
    stack_of, st.integers(0, 2**31), st.integers(2, 400), st.integers(1, 200), st.floats(-2.0, 4.0)
)


def said_yes(counts: np.ndarray) -> np.ndarray:
    """Return how many get a yes at each of the N_BINS + 1 thresholds."""
    return np.array([counts[threshold:].sum() for threshold in range(N_BINS + 1)])


@given(stacks, outcomes)
def test_no_threshold_earns_more_than_the_best_corner_whatever_outcomes_are_worth(
    stack: Stack, values: tuple[float, float, float, float]
) -> None:
    gain, loss = yes_gains(np.array(values))
    for one, choices in zip(stack.evidence, choices_of(stack).choices, strict=True):
        yes = gain * said_yes(one.valid_positives.sum(axis=0)) + loss * said_yes(
            one.valid_negatives.sum(axis=0)
        )
        place = choices.best(gain, loss)
        scale = max(abs(gain), abs(loss)) * one.valid_positives.size + 1
        assert yes[choices.thresholds[place]] >= yes.max() - 1e-9 * scale
        assert len(choices.thresholds) <= N_BINS + 1


@given(stacks)
def test_corners_hold_the_counts_of_their_thresholds(stack: Stack) -> None:
    found = choices_of(stack)
    for one, choices in zip(stack.evidence, found.choices, strict=True):
        positives, negatives = scores.pooled_counts(one)
        at = choices.thresholds
        assert (np.diff(at) > 0).all()
        assert (choices.test.sum(axis=1)[:, 0] == said_yes(positives)[at]).all()
        assert (choices.test.sum(axis=1)[:, 1] == said_yes(negatives)[at]).all()
        assert (choices.validation[:, 0] == said_yes(one.valid_positives.sum(axis=0))[at]).all()


@given(stacks, outcomes)
def test_outcomes_are_all_rows_in_at_most_64_groups(
    stack: Stack, values: tuple[float, float, float, float]
) -> None:
    found = choices_of(stack)
    outcomes = found.outcomes(found.chosen(np.array(values)))
    assert outcomes.shape == (2, min(stack.n_clusters, N_GROUPS), 4)
    assert (outcomes >= 0).all()
    assert (outcomes.sum(axis=2) == found.rows).all()
    assert found.rows.sum() == sum(map(sum, map(np.ndarray.tolist, scores.pooled_counts(stack.evidence[0]))))
