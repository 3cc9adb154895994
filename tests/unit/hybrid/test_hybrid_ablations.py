"""The hybrid with a part of its knowledge left out or put elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit.errors import TooFewLabelsError
from toolkit.knowledge.base import load
from toolkit.tracks._hybrid_ablations import FiringColumns, logic_target
from toolkit.tracks.hybrid import Hybrid


class TestAblations:
    def test_without_certainties_the_rules_are_weighed_by_labels_alone(self, path, make):
        bare = Hybrid(knowledge=path, ablation="no_certainties", witnesses=0, strength="strong", epochs=1)
        without = bare.fit(make(0, unlabelled=100), seed=0)
        rows = make(50, seed=3).features
        assert np.allclose(without.predict_proba(rows), rows["habit"], atol=1e-6)
        learned = replace(bare).fit(make(4000), seed=0)
        keen, curious, away = learned.teacher_.shifts
        assert keen > curious > 0 > away

    def test_without_unlabelled_rows_they_make_no_difference(self, path, make):
        track = Hybrid(knowledge=path, ablation="no_unlabelled", strength="strong", epochs=2)
        rows = make(50, seed=3).features
        few, many = (
            replace(track).fit(make(200, unlabelled=unlabelled), seed=0).predict_proba(rows)
            for unlabelled in (0, 500)
        )
        train = make(200)
        assert (few == replace(track).fit(train, seed=0).predict_proba(rows)).all()
        assert many.shape == few.shape
        other = replace(make(200), unlabelled=make(0, seed=9, unlabelled=300).unlabelled)
        assert (few == replace(track).fit(other, seed=0).predict_proba(rows)).all()

    def test_firings_become_columns_of_ones_and_zeros(self, expert, make, schema):
        columns = FiringColumns(expert)
        rows = make(300).features
        added = columns.add(rows)
        assert columns.schema(schema).names == tuple(added.columns)
        assert list(rows.columns) == list(schema.names)
        counted = added[columns.names].to_numpy()
        assert (counted == expert.effective(expert.firings(rows))).all()

    def test_without_a_teacher_it_needs_the_labels_that_a_net_needs(self, path, make):
        alone = Hybrid(knowledge=path, teacher_labels=0)
        for n_labels in (0, 1, 19):
            with pytest.raises(TooFewLabelsError, match=r"\(teacher_labels: 0\) needs at least 20"):
                replace(alone).fit(make(n_labels, unlabelled=50), seed=0)

    def test_firings_as_features_need_labels_and_know_no_teacher(self, path, make):
        track = Hybrid(knowledge=path, ablation="firings_as_features", strength="strong", epochs=2)
        with pytest.raises(TooFewLabelsError, match="at least 20 labelled rows, got 0"):
            replace(track).fit(make(0, unlabelled=50), seed=0)
        fitted = track.fit(make(200, unlabelled=100), seed=0)
        assert fitted.lambda_ == 0
        assert not fitted.taught_
        assert any(name.startswith("rule ") for name in fitted.net_.encoder.numbers)

    def test_the_penalty_of_logic_is_that_of_contradicted_rules(self, path, expert, make, schema):
        from toolkit.knowledge.fuzzy.system import compile_fuzzy
        from toolkit.tracks._encode import Encoder

        rows = make(4000).features
        knowledge = load(path)
        encoder = Encoder.learn(rows, schema)
        target = logic_target(knowledge, schema, encoder, rows, expert=expert, weight=3.0, seed=0)
        assert target is not None
        soft = compile_fuzzy(knowledge, schema)
        truth = soft.truth(soft.inputs(rows)).exp().detach().numpy()
        chance = 0.3
        paid = truth @ np.where(
            expert.weights > 0, -expert.weights * np.log(chance), expert.weights * np.log1p(-chance)
        )
        wanted = target.probabilities
        drawn = -(wanted * np.log(chance) + (1 - wanted) * np.log1p(-chance))
        assert target.weight * drawn.mean() == pytest.approx(3.0 * paid.mean(), rel=0.05)

    def test_logic_pulls_towards_the_rules_without_a_label(self, path, make):
        fitted = Hybrid(knowledge=path, ablation="logic_loss").fit(make(0, unlabelled=2000), seed=0)
        rows = make(2000, seed=5).features
        keen, away = (fitted.predict_proba(rows[rows["visits"] == n]).mean() for n in (7, 0))
        assert keen > away + 0.3
