"""What a search of the hybrid tries, pays for and takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolkit.errors import DivergedError
from toolkit.tracks import _search
from toolkit.tracks._hybrid_search import TEACHER_LABELS, recorded_tau
from toolkit.tracks._hybrid_trials import TrustTrials
from toolkit.tracks._work import search_budget
from toolkit.tracks.hybrid import Hybrid
from toolkit.tracks.neural import Neural


class TestHybrid:
    def test_search_sets_tau_and_the_teachers_weight(self, path, make):
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
    def test_the_record_says_what_was_chosen(self, path, monkeypatch, trusted, make):
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

    def test_a_doubt_that_diverges_is_a_failed_trial(self, path, monkeypatch, make):
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

    def test_wrong_experts_do_little_harm_once_labels_can_tell(self, path, make, log_loss):
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

    def test_a_small_budget_still_buys_a_doubt(self, path, make):
        train = make(3000, unlabelled=500, rows_per_cluster=70)
        wrong = Hybrid(knowledge=path, flip_signs=1.0)
        for multiple, most_rows in ((10.0, 2500), (4.0, 1300)):
            budget = search_budget(multiple, train)
            found = wrong.search(train, budget_cpu_seconds=budget, seed=0)
            tried = [trial for trial in found.trials_ if "teacher_labels" in trial.params]
            assert len(tried) >= 2, multiple
            assert tried[0].rows <= most_rows
            assert sum(trial.nominal_cpu_seconds for trial in tried[:2]) <= 0.7 * budget

    def test_only_what_was_compared_with_it_replaces_what_doubt_has_led_to(
        self, path, monkeypatch, make, schema
    ):
        """A budget may reach a strong net and not the medium one that was better without the experts."""
        monkeypatch.setattr(
            TrustTrials, "surely_better", lambda _, challenger, *rest: challenger.teacher_labels == 0
        )
        train = make(3000, unlabelled=500)
        medium, strong = (
            Hybrid(knowledge=path, teacher_labels=0, strength=strength).fit_seconds(2400, schema, 500)
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

    def test_who_was_only_met_on_fewer_rows_was_not_met(self, path, monkeypatch, make):
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

    def test_a_trial_of_trust_pays_for_the_epochs_that_it_used(self, path, monkeypatch, make):
        train = make(3000, unlabelled=500)
        taken = []
        for used in (1.0, 0.25):
            attempt = Hybrid.attempt
            monkeypatch.setattr(Hybrid, "attempt", lambda *args, a=attempt, u=used: replace(a(*args), used=u))
            found = Hybrid(knowledge=path, tau=1.0).search(train, budget_cpu_seconds=2.0, seed=0)
            trust = [trial for trial in found.trials_ if "teacher_labels" in trial.params]
            taken.append(sum(trial.nominal_cpu_seconds for trial in trust) / len(trust))
        assert taken[1] == pytest.approx(taken[0] / 4)

    def test_no_more_than_the_budget_is_charged(self, path, make):
        train = make(3000, unlabelled=500)
        for budget in (0.5, 2.0, 8.0):
            found = Hybrid(knowledge=path).search(train, budget_cpu_seconds=budget, seed=0)
            assert sum(trial.nominal_cpu_seconds for trial in found.trials_) <= budget

    def test_search_without_labels_has_nothing_to_choose_by(self, path, make):
        train = make(0, unlabelled=50)
        assert Hybrid(knowledge=path).search(train, budget_cpu_seconds=1.0, seed=0) == Hybrid(knowledge=path)
