from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from toolkit.errors import KnowledgeError, ParameterError
from toolkit.tasks.base import Column, Schema
from toolkit.tracks.hybrid import Hybrid
from toolkit.tracks.neural import Neural


class TestHybrid:
    def test_lambda_zero_is_the_neural_track(self, path, make):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 5}
        hybrid = Hybrid(knowledge=path, teacher_labels=0, **same).fit(train, seed=4)
        neural = Neural(**same).fit(train, seed=4)
        np.testing.assert_allclose(
            hybrid.predict_proba(train.features), neural.predict_proba(train.features), atol=1e-12
        )

    def test_tau_without_end_is_a_word_in_the_record(self, path, make):
        fitted = Hybrid(knowledge=path, strength="strong", epochs=1)
        assert replace(fitted, tau=1.0).fit(make(50), seed=0).chosen()["tau"] == 1.0
        fitted.tau = float("inf")
        assert fitted.fit(make(50), seed=0).chosen()["tau"] == "infinite"

    @pytest.mark.parametrize(
        ("given", "idle"),
        [
            ({"teacher_labels": 0.0, "tau": 1.0}, "tau"),
            ({"teacher_labels": 0.0, "flip_signs": 0.5}, "flip_signs"),
            ({"ablation": "no_certainties", "flip_signs": 0.5}, "flip_signs"),
            ({"ablation": "firings_as_features", "teacher_labels": 5.0}, "teacher_labels"),
            ({"ablation": "logic_loss", "tau": 1.0}, "tau"),
        ],
    )
    def test_what_has_no_effect_is_refused(self, path, given, idle, schema):
        with pytest.raises(ParameterError, match=f"'{idle}' has no effect") as caught:
            Hybrid(knowledge=path, **given).check(schema, Path())
        assert caught.value.path == (idle,)
        del given[idle]
        Hybrid(knowledge=path, **given).check(schema, Path())

    def test_unlabelled_rows_are_charged_as_far_as_they_are_read(self, path, schema):
        track = Hybrid(knowledge=path, unlabelled_rows=1000)
        none, some, most, more = (track.fit_seconds(500, schema, n) for n in (0, 500, 1000, 5000))
        assert none < some < most == more
        deaf = replace(track, ablation="no_unlabelled")
        assert deaf.fit_seconds(500, schema, 5000) == deaf.fit_seconds(500, schema, 0)

    def test_rows_that_repeat_one_another_leave_the_experts_more_weight(self, path, make):
        hybrid = Hybrid(knowledge=path, epochs=1)
        alone, repeated = (
            replace(hybrid).fit(make(700, rows_per_cluster=rows), seed=0).lambda_ for rows in (1, 70)
        )
        assert repeated == pytest.approx(70 * alone)
        given = replace(hybrid, teacher_labels=700).fit(make(700, rows_per_cluster=1), seed=0)
        assert given.lambda_ == 1

    @pytest.mark.parametrize(
        "ablation", ["no_certainties", "no_unlabelled", "firings_as_features", "logic_loss"]
    )
    def test_every_ablation_learns_something(self, path, ablation, make):
        train, held_out = make(1500, unlabelled=500), make(3000, seed=8)
        track = Hybrid(knowledge=path, ablation=ablation, strength="medium").fit(train, seed=0)
        chances = track.predict_proba(held_out.features)
        assert roc_auc_score(held_out.labels, chances) > roc_auc_score(
            held_out.labels, held_out.features["visits"]
        ), "more than how often somebody looked"

    def test_check_makes_the_path_absolute_and_names_what_is_wrong(self, path, schema):
        assert Hybrid(knowledge=Path(path.name)).check(schema, path.parent).knowledge == path.resolve()
        with pytest.raises(KnowledgeError, match="visits"):
            Hybrid(knowledge=path).check(Schema((Column("habit"), Column("age"))), path.parent)
