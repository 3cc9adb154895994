from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from toolkit.errors import DivergedError, KnowledgeError, ParameterError, TooFewLabelsError
from toolkit.knowledge.base import load
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks import _search
from toolkit.tracks._hybrid_ablations import FiringColumns, flipped, logic_target
from toolkit.tracks._hybrid_search import LEAST_LAMBDA, TEACHER_LABELS, recorded_tau
from toolkit.tracks._hybrid_trials import TrustTrials
from toolkit.tracks._net_operations import net_operations
from toolkit.tracks._work import search_budget
from toolkit.tracks.hybrid import Hybrid
from toolkit.tracks.neural import Neural

SCHEMA = Schema((Column("habit"), Column("visits"), Column("age")))

KNOWLEDGE = """
knowledge_base: shop
predicts: buys
prior: habit
columns:
  habit: {type: number, min: 0, max: 1}
  visits: {type: whole number, min: 0, max: 30}
  age: {type: whole number, min: 0, max: 120}
rules:
  - {id: keen, when: visits >= 6, then: buys, certainty: .8, because: looking often is wanting, group: visits}
  - {id: curious, when: visits >= 3, then: buys, certainty: .5, because: looks around, group: visits}
  - {id: away, when: visits == 0, then: does not buy, certainty: .7, because: did not even look}
never:
  - {id: law, when: age < 18, because: the law}
"""


def make(n_rows: int, seed: int = 0, unlabelled: int = 0, *, rows_per_cluster: int = 2) -> TrainingData:
    generator = np.random.default_rng(seed)
    total = n_rows + unlabelled
    features = pd.DataFrame(
        {
            "habit": generator.beta(2, 6, total).astype(np.float32),
            "visits": generator.poisson(2.5, total).astype(np.float32),
            "age": generator.integers(18, 80, total).astype(np.float32),
        }
    )
    habit = features["habit"].to_numpy(np.float64)
    visits = features["visits"].to_numpy()
    moved = 1.6 * (visits >= 6) + 0.7 * ((visits >= 3) & (visits < 6)) - 1.2 * (visits == 0)
    chance = expit(np.log(habit / (1 - habit)) + moved)
    return TrainingData(
        features=features.iloc[:n_rows],
        labels=(generator.random(total) < chance).astype(np.int8)[:n_rows],
        clusters=np.arange(n_rows, dtype=np.int32) // rows_per_cluster,
        time=np.zeros(n_rows, np.int32),
        unlabelled=features.iloc[n_rows:].reset_index(drop=True),
        schema=SCHEMA,
    )


def log_loss(labels: np.ndarray, chances: np.ndarray) -> float:
    clipped = np.clip(chances, 1e-9, 1 - 1e-9)
    return float(-np.where(labels == 1, np.log(clipped), np.log1p(-clipped)).mean())


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("knowledge") / "shop.yaml"
    file.write_text(KNOWLEDGE)
    return file


@pytest.fixture(scope="module")
def expert(path) -> ExpertSystem:
    return compile_knowledge(load(path), SCHEMA)


def means(path: Path, n_labels: int, tracks: dict[str, object], seeds: int = 2) -> dict[str, float]:
    """Return each track's mean log loss on rows that nobody was trained on."""
    held_out = make(4000, seed=77)
    losses: dict[str, list[float]] = {name: [] for name in tracks}
    for seed in range(seeds):
        train = make(n_labels, seed=seed, unlabelled=1000)
        for name, track in tracks.items():
            fitted = replace(track).fit(train, seed=seed)  # type: ignore[type-var]
            losses[name].append(log_loss(held_out.labels, fitted.predict_proba(held_out.features)))
    return {name: float(np.mean(values)) for name, values in losses.items()}


class TestHybrid:
    def test_lambda_zero_is_the_neural_track(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 5}
        hybrid = Hybrid(knowledge=path, teacher_labels=0, **same).fit(train, seed=4)
        neural = Neural(**same).fit(train, seed=4)
        np.testing.assert_allclose(
            hybrid.predict_proba(train.features), neural.predict_proba(train.features), atol=1e-12
        )

    def test_search_sets_tau_and_the_teachers_weight(self, path):
        track = Hybrid(knowledge=path, strength="strong", epochs=2)
        found = track.search(make(300, unlabelled=300), budget_cpu_seconds=10.0, seed=0)
        assert found.tau is not None
        assert track.tau is None
        assert not hasattr(found, "net_")
        (paid,) = (trial for trial in found.trials_ if "tau" in trial.params)
        assert paid.params["tau"] == recorded_tau(found.tau)
        assert paid.nominal_cpu_seconds > 0
        assert paid.chosen

    @pytest.mark.parametrize("trusted", [True, False])
    def test_the_record_says_what_was_chosen(self, path, monkeypatch, trusted):
        judge = TrustTrials.surely_better

        def surely_better(*args):
            judge(*args)
            return not trusted

        monkeypatch.setattr(TrustTrials, "surely_better", surely_better)
        found = Hybrid(knowledge=path).search(make(3000, unlabelled=500), budget_cpu_seconds=3.0, seed=0)
        told = [trial.params["teacher_labels"] for trial in found.trials_ if "teacher_labels" in trial.params]
        taken = [trial.params for trial in found.trials_ if trial.chosen]
        assert len(told) > 1
        assert [each["teacher_labels"] for each in taken if "teacher_labels" in each] == [
            found.teacher_labels
        ]
        assert [each["strength"] for each in taken if "depth" in each] == [found.strength or "strong"]

    def test_tau_without_end_is_a_word_in_the_record(self, path):
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
    def test_what_has_no_effect_is_refused(self, path, given, idle):
        with pytest.raises(ParameterError, match=f"'{idle}' has no effect") as caught:
            Hybrid(knowledge=path, **given).check(SCHEMA, Path())
        assert caught.value.path == (idle,)
        del given[idle]
        Hybrid(knowledge=path, **given).check(SCHEMA, Path())

    def test_unlabelled_rows_are_charged_as_far_as_they_are_read(self, path):
        track = Hybrid(knowledge=path, unlabelled_rows=1000)
        none, some, most, more = (track.fit_seconds(500, SCHEMA, n) for n in (0, 500, 1000, 5000))
        assert none < some < most == more
        deaf = replace(track, ablation="no_unlabelled")
        assert deaf.fit_seconds(500, SCHEMA, 5000) == deaf.fit_seconds(500, SCHEMA, 0)

    def test_a_doubt_that_diverges_is_a_failed_trial(self, path, monkeypatch):
        """Without its teacher the net is freer, and may diverge where the taught one does not."""
        plain = Hybrid.attempt

        def attempt(self, trial):
            if self.teacher_labels == 0:
                raise DivergedError("training has diverged")
            return plain(self, trial)

        monkeypatch.setattr(Hybrid, "attempt", attempt)
        train = make(3000, unlabelled=500, rows_per_cluster=70)
        found = Hybrid(knowledge=path).search(train, budget_cpu_seconds=search_budget(10.0, train), seed=0)
        (failed,) = (trial for trial in found.trials_ if trial.state == "failed")
        assert failed.params == {"teacher_labels": 0.0, "strength": "medium"}
        assert "training has diverged" in failed.reason
        assert failed.nominal_cpu_seconds > 0
        assert found.teacher_labels != 0

    def test_wrong_experts_do_little_harm_once_labels_can_tell(self, path):
        train, held_out = make(6000, unlabelled=2000, rows_per_cluster=70), make(5000, seed=8)
        wrong = Hybrid(knowledge=path, flip_signs=1.0, strength="weak")
        found = wrong.search(train, budget_cpu_seconds=6.0, seed=0)
        tried = [trial.params.get("teacher_labels") for trial in found.trials_[:2]]
        assert tried == pytest.approx([TEACHER_LABELS, 0.0], rel=0.01)
        assert [trial.number for trial in found.trials_] == list(range(len(found.trials_)))
        neural = Neural(strength="weak").search(train, budget_cpu_seconds=6.0, seed=0)
        misled, untaught = (
            log_loss(held_out.labels, track.fit(train, seed=0).predict_proba(held_out.features))
            for track in (found, neural)
        )
        assert misled < untaught + 0.005

    def test_a_small_budget_still_buys_a_doubt(self, path):
        train = make(3000, unlabelled=500, rows_per_cluster=70)
        wrong = Hybrid(knowledge=path, flip_signs=1.0)
        for multiple, most_rows in ((10.0, 2500), (4.0, 1300)):
            budget = search_budget(multiple, train)
            found = wrong.search(train, budget_cpu_seconds=budget, seed=0)
            tried = [trial for trial in found.trials_ if "teacher_labels" in trial.params]
            assert len(tried) >= 2, multiple
            assert tried[0].rows <= most_rows
            assert sum(trial.nominal_cpu_seconds for trial in tried[:2]) <= 0.7 * budget

    def test_only_what_was_compared_with_it_replaces_what_doubt_has_led_to(self, path, monkeypatch):
        """A budget may reach a strong net and not the medium one that was better without the experts."""
        monkeypatch.setattr(
            TrustTrials, "surely_better", lambda _, challenger, *rest: challenger.teacher_labels == 0
        )
        train = make(3000, unlabelled=500)
        medium, strong = (
            Hybrid(knowledge=path, teacher_labels=0, strength=strength).fit_seconds(2400, SCHEMA, 500)
            for strength in ("medium", "strong")
        )
        for budget, reached in (((strong + medium) / 2, False), (medium + strong * 1.1, True)):
            found = Hybrid(knowledge=path).search(train, budget_cpu_seconds=budget, seed=0)
            assert found.teacher_labels == 0
            nets = [trial for trial in found.trials_ if "strength" in trial.params]
            assert nets[0].params["strength"] == "medium"
            assert (nets[0].loss is not None) == reached
            assert any(trial.loss is not None for trial in nets), "a strong net fits into either"
            assert found.strength == "medium"

    def test_who_was_only_met_on_fewer_rows_was_not_met(self, path, monkeypatch):
        monkeypatch.setattr(
            TrustTrials, "surely_better", lambda _, challenger, *rest: challenger.teacher_labels == 0
        )
        monkeypatch.setattr(_search, "FIRST_ROWS", 60)
        monkeypatch.setattr(
            Hybrid,
            "fit_seconds",
            lambda self, n_rows, *rest: n_rows * (2.0 if self.strength == "medium" else 1.0),
        )
        train, budget = make(3000, unlabelled=500), 3000
        found = Hybrid(knowledge=path).search(train, budget_cpu_seconds=budget, seed=0)
        nets = [trial for trial in found.trials_ if "strength" in trial.params]
        assert [(trial.params["strength"], trial.rows > 100) for trial in nets[:2]] == [
            ("medium", False),
            ("strong", True),
        ]
        assert found.strength == "medium"

    def test_a_trial_of_trust_pays_for_the_epochs_that_it_used(self, path, monkeypatch):
        train = make(3000, unlabelled=500)
        taken = []
        for used in (1.0, 0.25):
            attempt = Hybrid.attempt
            monkeypatch.setattr(Hybrid, "attempt", lambda *args, a=attempt, u=used: replace(a(*args), used=u))
            found = Hybrid(knowledge=path, tau=1.0).search(train, budget_cpu_seconds=2.0, seed=0)
            trust = [trial for trial in found.trials_ if "teacher_labels" in trial.params]
            taken.append(sum(trial.nominal_cpu_seconds for trial in trust) / len(trust))
        assert taken[1] == pytest.approx(taken[0] / 4)

    def test_rows_that_repeat_one_another_leave_the_experts_more_weight(self, path):
        hybrid = Hybrid(knowledge=path, epochs=1)
        alone, repeated = (
            replace(hybrid).fit(make(700, rows_per_cluster=rows), seed=0).lambda_ for rows in (1, 70)
        )
        assert repeated == pytest.approx(70 * alone)
        given = replace(hybrid, teacher_labels=700).fit(make(700, rows_per_cluster=1), seed=0)
        assert given.lambda_ == 1

    def test_no_more_than_the_budget_is_charged(self, path):
        train = make(3000, unlabelled=500)
        for budget in (0.5, 2.0, 8.0):
            found = Hybrid(knowledge=path).search(train, budget_cpu_seconds=budget, seed=0)
            assert sum(trial.nominal_cpu_seconds for trial in found.trials_) <= budget

    @pytest.mark.parametrize(
        "ablation", ["no_certainties", "no_unlabelled", "firings_as_features", "logic_loss"]
    )
    def test_every_ablation_learns_something(self, path, ablation):
        train, held_out = make(1500, unlabelled=500), make(3000, seed=8)
        track = Hybrid(knowledge=path, ablation=ablation, strength="medium").fit(train, seed=0)
        chances = track.predict_proba(held_out.features)
        assert roc_auc_score(held_out.labels, chances) > roc_auc_score(
            held_out.labels, held_out.features["visits"]
        ), "more than how often somebody looked"

    def test_search_without_labels_has_nothing_to_choose_by(self, path):
        train = make(0, unlabelled=50)
        assert Hybrid(knowledge=path).search(train, budget_cpu_seconds=1.0, seed=0) == Hybrid(knowledge=path)

    def test_check_makes_the_path_absolute_and_names_what_is_wrong(self, path):
        assert Hybrid(knowledge=Path(path.name)).check(SCHEMA, path.parent).knowledge == path.resolve()
        with pytest.raises(KnowledgeError, match="visits"):
            Hybrid(knowledge=path).check(Schema((Column("habit"), Column("age"))), path.parent)


class TestLabelsFromNone:
    def test_without_labels_and_witnesses_it_says_what_the_rules_say(self, path, expert):
        hybrid = Hybrid(knowledge=path, witnesses=0).fit(make(0, unlabelled=500), seed=0)
        rows = make(200, seed=5).features
        assert np.allclose(hybrid.predict_proba(rows), expert.predict_proba(rows))
        assert hybrid.chosen()["lambda"] is None

    def test_with_few_labels_it_beats_the_neural_track_and_is_no_worse_than_the_rules(self, path, expert):
        found = means(
            path, 60, {"hybrid": Hybrid(knowledge=path, witnesses=0), "neural": Neural(strength="strong")}
        )
        held_out = make(4000, seed=77)
        rules = log_loss(held_out.labels, expert.predict_proba(held_out.features))
        assert found["hybrid"] < found["neural"] - 0.02
        assert found["hybrid"] < rules + 0.005

    def test_the_more_the_teacher_is_trusted_the_nearer_the_track_stays_to_it(self, path):
        train = make(300, unlabelled=300)
        away = []
        for labels in (300, 3000, 300_000):
            hybrid = Hybrid(knowledge=path, teacher_labels=labels, strength="weak").fit(train, seed=0)
            said = hybrid.teacher_.logit(hybrid.expert_, train.features)
            away.append(np.abs(hybrid.logit(train.features) - said).mean())
        assert away == sorted(away, reverse=True)
        assert away[-1] < 0.1

    def test_never_overrules_the_net(self, path):
        hybrid = Hybrid(knowledge=path, strength="strong", epochs=2).fit(make(200, unlabelled=100), seed=0)
        rows = make(10).features.assign(age=np.float32(17))
        assert (hybrid.predict_proba(rows) == 0).all()
        assert (hybrid.predict_proba(rows.assign(age=np.float32(18))) > 0).all()

    def test_full_share_has_no_unlabelled_rows_and_teaches_on_the_labelled(self, path):
        hybrid = Hybrid(knowledge=path, strength="strong", teacher_labels=1e6).fit(make(300), seed=0)
        assert hybrid.lambda_ == pytest.approx(1e6 / 300)

    def test_the_teacher_falls_silent_as_labels_grow(self, path):
        track = Hybrid(knowledge=path)
        lambdas = [track.trust(n_labels) for n_labels in (100, 1000, 10_000, 10_000_000)]
        assert lambdas == sorted(lambdas, reverse=True)
        assert lambdas[-1] == 0
        assert track.trust(int(TEACHER_LABELS / LEAST_LAMBDA)) == pytest.approx(LEAST_LAMBDA)

    def test_neither_labels_nor_rows_is_a_named_error(self, path):
        with pytest.raises(TooFewLabelsError, match="got neither"):
            Hybrid(knowledge=path).fit(make(0), seed=0)

    def test_flops_count_the_teachers_rows_too(self, path):
        train = make(400, unlabelled=400)
        same = {"strength": "strong", "epochs": 2}
        tracks = (
            Hybrid(knowledge=path, teacher_labels=labels, **same).fit(train, seed=0) for labels in (0, 400)
        )
        alone, taught = (net_operations(each.net_, each.recipe_, each.work_).fit["flop"] for each in tracks)
        assert taught == 2 * alone


class TestWrongKnowledge:
    def test_turned_signs_do_not_hurt_once_there_are_labels(self, path):
        found = means(
            path,
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


class TestAblations:
    def test_without_certainties_the_rules_are_weighed_by_labels_alone(self, path):
        bare = Hybrid(knowledge=path, ablation="no_certainties", witnesses=0, strength="strong", epochs=1)
        without = bare.fit(make(0, unlabelled=100), seed=0)
        rows = make(50, seed=3).features
        assert np.allclose(without.predict_proba(rows), rows["habit"], atol=1e-6)
        learned = replace(bare).fit(make(4000), seed=0)
        keen, curious, away = learned.teacher_.shifts
        assert keen > curious > 0 > away

    def test_without_unlabelled_rows_they_make_no_difference(self, path):
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

    def test_firings_become_columns_of_ones_and_zeros(self, expert):
        columns = FiringColumns(expert)
        rows = make(300).features
        added = columns.add(rows)
        assert columns.schema(SCHEMA).names == tuple(added.columns)
        assert list(rows.columns) == list(SCHEMA.names)
        counted = added[columns.names].to_numpy()
        assert (counted == expert.effective(expert.firings(rows))).all()

    def test_without_a_teacher_it_needs_the_labels_that_a_net_needs(self, path):
        alone = Hybrid(knowledge=path, teacher_labels=0)
        for n_labels in (0, 1, 19):
            with pytest.raises(TooFewLabelsError, match=r"\(teacher_labels: 0\) needs at least 20"):
                replace(alone).fit(make(n_labels, unlabelled=50), seed=0)

    def test_firings_as_features_need_labels_and_know_no_teacher(self, path):
        track = Hybrid(knowledge=path, ablation="firings_as_features", strength="strong", epochs=2)
        with pytest.raises(TooFewLabelsError, match="at least 20 labelled rows, got 0"):
            replace(track).fit(make(0, unlabelled=50), seed=0)
        fitted = track.fit(make(200, unlabelled=100), seed=0)
        assert fitted.lambda_ == 0
        assert not fitted.taught_
        assert any(name.startswith("rule ") for name in fitted.net_.encoder.numbers)

    def test_the_penalty_of_logic_is_that_of_contradicted_rules(self, path, expert):
        from toolkit.knowledge.fuzzy.system import compile_fuzzy
        from toolkit.tracks._encode import Encoder

        rows = make(4000).features
        knowledge = load(path)
        encoder = Encoder.learn(rows, SCHEMA)
        target = logic_target(knowledge, SCHEMA, encoder, rows, expert=expert, weight=3.0, seed=0)
        assert target is not None
        soft = compile_fuzzy(knowledge, SCHEMA)
        truth = soft.truth(soft.inputs(rows)).exp().detach().numpy()
        chance = 0.3
        paid = truth @ np.where(
            expert.weights > 0, -expert.weights * np.log(chance), expert.weights * np.log1p(-chance)
        )
        wanted = target.probabilities
        drawn = -(wanted * np.log(chance) + (1 - wanted) * np.log1p(-chance))
        assert target.weight * drawn.mean() == pytest.approx(3.0 * paid.mean(), rel=0.05)

    def test_logic_pulls_towards_the_rules_without_a_label(self, path):
        fitted = Hybrid(knowledge=path, ablation="logic_loss").fit(make(0, unlabelled=2000), seed=0)
        rows = make(2000, seed=5).features
        keen, away = (fitted.predict_proba(rows[rows["visits"] == n]).mean() for n in (7, 0))
        assert keen > away + 0.3
