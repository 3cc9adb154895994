from __future__ import annotations

import itertools

import numpy as np
import pytest

from toolkit.seeding import derive_seed


def test_a_seed_never_changes():
    assert derive_seed("retail", "subset", 2) == 164171782


def test_names_their_order_and_their_kind_all_count():
    calls = [
        ("a", "b"),
        ("b", "a"),
        ("ab",),
        ("a", "b", ""),
        ("a", 1),
        ("a", "1"),
        ("a\x1fb",),
        ('a", "b',),
        (),
    ]
    seeds = [derive_seed(*names) for names in calls]
    assert len(set(seeds)) == len(calls)


def test_numpy_integers_are_integers():
    assert derive_seed("subset", np.int64(3)) == derive_seed("subset", 3)


def test_seeds_fit_numpy_and_spread_over_the_range():
    seeds = [derive_seed("spread", index) for index in range(2000)]
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert len(set(seeds)) == len(seeds)
    share_upper_half = sum(seed >= 2**31 for seed in seeds) / len(seeds)
    assert share_upper_half == pytest.approx(0.5, abs=0.05)


def test_streams_of_neighbouring_names_are_unrelated():
    draws = [np.random.default_rng(derive_seed("cell", seed)).normal(size=500) for seed in range(5)]
    for first, second in itertools.combinations(draws, 2):
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
