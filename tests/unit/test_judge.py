from __future__ import annotations

import numpy as np
import pytest

from toolkit.tracks._judge import clearly_below_zero, surely_below_zero, telling_clusters


class TestJudge:
    def test_few_clusters_must_say_more_than_many(self):
        generator = np.random.default_rng(0)
        lead = -0.5 + generator.normal(0, 1, 2000)
        assert clearly_below_zero(lead, 2000)
        assert not clearly_below_zero(lead[:1], 1)
        assert not clearly_below_zero(np.array([-1.0, -0.2, 0.1]), 3)
        assert clearly_below_zero(np.full(4, -1.0) + generator.normal(0, 0.01, 4), 4)
        assert not clearly_below_zero(-lead, 2000)

    def test_a_lead_that_is_asked_for_at_least(self):
        for errors in (0.5, 0.99, 1.01):
            lead = np.tile([-1.0, 1.0], 200) - errors / 400**0.5
            assert clearly_below_zero(lead, 400)
            assert clearly_below_zero(lead, 400, at_least=1.0) == (errors > 1)
        few = np.tile([-1.0, 1.0], 2) - 1.2 / 2
        assert not clearly_below_zero(few, 4, at_least=1.0)

    def test_luck_alone_seldom_leads_with_few_clusters(self):
        generator = np.random.default_rng(0)
        for n_clusters, most in ((2, 0.01), (5, 0.03)):
            leads = [clearly_below_zero(generator.normal(0, 1, n_clusters), n_clusters) for _ in range(2000)]
            assert np.mean(leads) < most

    def test_what_is_sure_is_so_in_nineteen_of_twenty(self):
        generator = np.random.default_rng(0)
        for n_clusters in (3, 30):
            sure = [surely_below_zero(generator.normal(0, 1, n_clusters), n_clusters) for _ in range(4000)]
            assert np.mean(sure) == pytest.approx(0.05, abs=0.012)
        assert not surely_below_zero(np.array([-1.0]), 1)

    def test_many_of_one_outcome_tell_little(self):
        """Boldness pays on customers of whom nobody leaves; it takes some who do to tell."""
        clusters = np.arange(15, dtype=np.int32)
        lead = np.full(15, -0.1) + np.random.default_rng(0).normal(0, 0.05, 15)
        for n_leavers, leads in ((0, False), (1, False), (2, False), (7, True)):
            labels = (clusters < n_leavers).astype(np.int8)
            telling = telling_clusters(labels, clusters)
            assert telling == n_leavers
            assert clearly_below_zero(lead, telling) == leads
        assert telling_clusters(np.array([0, 1, 0, 1, 0], np.int8), np.array([1, 1, 2, 2, 3], np.int32)) == 2
