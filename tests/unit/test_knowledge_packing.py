from __future__ import annotations

import numpy as np
import pytest

from toolkit.knowledge.packing import byte_sums, keep_strongest, pack


@pytest.mark.parametrize("n_rules", [0, 1, 7, 8, 9, 16, 30])
def test_bytes_are_those_of_packbits(n_rules: int) -> None:
    fired = np.random.default_rng(n_rules).random((n_rules, 50)) < 0.4
    packed = np.full((-(-n_rules // 8), 50), 255, np.uint8)
    pack(list(fired), packed)
    assert (np.packbits(fired.T, axis=1) == packed.T).all()


@pytest.mark.parametrize("n_rules", [0, 3, 8, 21])
def test_a_look_up_adds_the_weights_of_a_byte(n_rules: int) -> None:
    generator = np.random.default_rng(n_rules)
    fired, weights = generator.random((n_rules, 40)) < 0.5, generator.normal(size=n_rules)
    packed = np.empty((-(-n_rules // 8), 40), np.uint8)
    pack(list(fired), packed)
    sums = byte_sums(weights)
    assert sums.shape == (len(packed), 256)
    total = sum((table[byte] for table, byte in zip(sums, packed, strict=True)), np.zeros(40))
    assert total == pytest.approx(weights @ fired, abs=1e-12)


def test_a_rule_without_weight_changes_no_bit_of_a_sum() -> None:
    weights = np.random.default_rng(0).normal(size=8)
    alone = byte_sums(np.where(np.arange(8) < 5, weights, 0.0))
    assert (byte_sums(weights[:5]) == alone).all()


def test_of_those_that_fire_only_the_first_is_kept() -> None:
    fired = [np.array(each, np.bool_) for each in ([0, 1, 0, 1], [1, 1, 0, 0], [1, 1, 1, 1])]
    keep_strongest(fired)
    assert np.array(fired).tolist() == [[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0]]
    keep_strongest([])
