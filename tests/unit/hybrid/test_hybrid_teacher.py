"""What the experts teach the net: few labels, many, and wrong experts."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.errors import TooFewLabelsError
from toolkit.tracks._hybrid_ablations import flipped
from toolkit.tracks._hybrid_search import LEAST_LAMBDA, TEACHER_LABELS
from toolkit.tracks._net_operations import net_operations
from toolkit.tracks.hybrid import Hybrid
from toolkit.tracks.neural import Neural


class TestLabelsFromNone:
    def test_without_labels_and_witnesses_it_says_what_the_rules_say(self, path, expert, make):
        hybrid = Hybrid(knowledge=path, witnesses=0).fit(make(0, unlabelled=500), seed=0)
        rows = make(200, seed=5).features
        assert np.allclose(hybrid.predict_proba(rows), expert.predict_proba(rows))
        assert hybrid.chosen()["lambda"] is None

    def test_with_few_labels_it_beats_the_neural_track_and_is_no_worse_than_the_rules(
        self, path, expert, make, log_loss, means
    ):
        found = means(
            60, {"hybrid": Hybrid(knowledge=path, witnesses=0), "neural": Neural(strength="strong")}
        )
        held_out = make(4000, seed=77)
        rules = log_loss(held_out.labels, expert.predict_proba(held_out.features))
        assert found["hybrid"] < found["neural"] - 0.02
        assert found["hybrid"] < rules + 0.005

    def test_the_more_the_teacher_is_trusted_the_nearer_the_track_stays_to_it(self, path, make):
        train = make(300, unlabelled=300)
        away = []
        for labels in (300, 3000, 300_000):
            hybrid = Hybrid(knowledge=path, teacher_labels=labels, strength="weak").fit(train, seed=0)
            said = hybrid.teacher_.logit(hybrid.expert_, train.features)
            away.append(np.abs(hybrid.logit(train.features) - said).mean())
        assert away == sorted(away, reverse=True)
        assert away[-1] < 0.1

    def test_never_overrules_the_net(self, path, make):
        hybrid = Hybrid(knowledge=path, strength="strong", epochs=2).fit(make(200, unlabelled=100), seed=0)
        rows = make(10).features.assign(age=np.float32(17))
        assert (hybrid.predict_proba(rows) == 0).all()
        assert (hybrid.predict_proba(rows.assign(age=np.float32(18))) > 0).all()

    def test_full_share_has_no_unlabelled_rows_and_teaches_on_the_labelled(self, path, make):
        hybrid = Hybrid(knowledge=path, strength="strong", teacher_labels=1e6).fit(make(300), seed=0)
        assert hybrid.lambda_ == pytest.approx(1e6 / 300)

    def test_the_teacher_falls_silent_as_labels_grow(self, path):
        track = Hybrid(knowledge=path)
        lambdas = [track.trust(n_labels) for n_labels in (100, 1000, 10_000, 10_000_000)]
        assert lambdas == sorted(lambdas, reverse=True)
        assert lambdas[-1] == 0
        assert track.trust(int(TEACHER_LABELS / LEAST_LAMBDA)) == pytest.approx(LEAST_LAMBDA)

    def test_neither_labels_nor_rows_is_a_named_error(self, path, make):
        with pytest.raises(TooFewLabelsError, match="got neither"):
            Hybrid(knowledge=path).fit(make(0), seed=0)

    def test_flops_count_the_teachers_rows_too(self, path, make):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 2}
        tracks = (
            Hybrid(knowledge=path, teacher_labels=labels, **same).fit(train, seed=0) for labels in (0, 400)
        )
        alone, taught = (net_operations(each.net_, each.recipe_, each.work_).fit["flop"] for each in tracks)
        assert taught == 2 * alone


class TestWrongKnowledge:
    def test_turned_signs_do_not_hurt_once_there_are_labels(self, path, means):
        found = means(
            1200,
            {
                "turned": Hybrid(knowledge=path, witnesses=0, flip_signs=1.0, strength="strong"),
                "right": Hybrid(knowledge=path, witnesses=0, strength="strong"),
                "neural": Neural(strength="strong"),
            },
        )
        assert found["turned"] < found["neural"] + 0.005
        assert found["right"] < found["turned"]

    def test_as_many_signs_are_turned_as_asked_for_and_the_seed_says_which(self, expert):
        assert (flipped(expert, 0.0, 0).weights == expert.weights).all()
        assert (flipped(expert, 1.0, 0).weights == -expert.weights).all()
        assert (flipped(expert, 0.01, 0).weights != expert.weights).sum() == 1, "asked for is asked for"
        third = [flipped(expert, 1 / 3, seed).weights != expert.weights for seed in range(20)]
        assert {int(each.sum()) for each in third} == {1}
        assert len({each.tobytes() for each in third}) > 1
