from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.economics import RungEconomics
from toolkit.analysis.verdict import decide, deployed
from toolkit.analysis.verdict_words import money


def rung(track: str, mean: float, spread: float = 1.0, *, rung: int = 0, validation: float | None = None):
    """A rung worth `mean` (before costs of 1) with its own normal noise."""
    generator = np.random.default_rng([len(track), *track.encode(), rung])
    net = np.concatenate([[mean], mean + spread * generator.standard_normal(2000)])
    return RungEconomics(
        track=track,
        rung=rung,
        threshold=0.5,
        validation=None,
        validation_value=validation,
        gross=net + 1,
        net=net,
        costs={"people_build": np.ones(2001)},
    )


def verdict_of(*rungs: RungEconomics, **options):
    return decide({one.track: one for one in rungs}, **options)


def test_a_clear_leader_is_named_with_its_probability() -> None:
    verdict = verdict_of(rung("classical", 100), rung("neural", 50), rung("rules", 60))
    assert verdict.best == "classical"
    assert verdict.probability_best == pytest.approx(1)
    assert verdict.too_close_to_call is False
    assert verdict.deep_learning_worth_it is False
    assert verdict.sentence.startswith("Use classical (probability over .99")
    assert "Deep learning is not worth its cost here (probability under .01" in verdict.sentence


def test_deep_learning_that_wins_beyond_the_margin_is_worth_it() -> None:
    verdict = verdict_of(rung("baseline", 10), rung("classical", 50), rung("neural", 100))
    assert verdict.deep_learning_worth_it is True
    assert "Deep learning is worth its cost here" in verdict.sentence
    assert "the best of baseline and classical" in verdict.sentence


def test_deep_learning_may_be_open() -> None:
    verdict = verdict_of(rung("classical", 50), rung("neural", 50), margin=0.0)
    assert verdict.deep_learning_worth_it is None
    assert verdict.too_close_to_call is True
    assert "is open" in verdict.sentence
    assert verdict.probability_deep_learning_worth_it == pytest.approx(0.5, abs=0.05)


def test_a_sure_lead_within_the_margin_is_too_close_to_call() -> None:
    verdict = verdict_of(rung("classical", 100.5, 0.01), rung("rules", 100, 0.01))
    assert verdict.probability_best == pytest.approx(1)
    assert verdict.margin == pytest.approx(1.015)
    assert verdict.too_close_to_call is True
    assert verdict.sentence.startswith("Too close to call: classical")
    assert "within the margin" in verdict.sentence


def test_the_margin_can_be_declared() -> None:
    verdict = verdict_of(rung("classical", 100.5, 0.01), rung("rules", 100, 0.01), margin=0.1)
    assert verdict.too_close_to_call is False


def test_the_baseline_may_win_and_the_hybrid_is_held_against_all() -> None:
    verdict = verdict_of(rung("baseline", 90), rung("neural", 50), rung("hybrid", 20))
    assert verdict.best == "baseline"
    assert verdict.hybrid_worth_it is False
    winner = verdict_of(rung("neural", 50), rung("hybrid", 90))
    assert winner.hybrid_worth_it is True
    assert winner.deep_learning_worth_it is None
    assert "cannot be told" in winner.sentence


def test_the_hybrid_does_not_count_against_deep_learning() -> None:
    verdict = verdict_of(rung("classical", 50), rung("neural", 80), rung("hybrid", 100))
    assert verdict.best == "hybrid"
    assert verdict.deep_learning_worth_it is True


def test_what_both_tracks_rest_on_cancels_in_what_one_earns_less_than_the_leader() -> None:
    first = rung("classical", 100, spread=500)
    second = replace(first, track="neural", net=first.net - 7)
    third = rung("rules", 40)
    entries = {one.track: one for one in verdict_of(first, second, third).tracks}
    assert entries["classical"].behind_leader_per_year is None
    behind = entries["neural"].behind_leader_per_year
    assert (behind.estimate, behind.low, behind.high) == pytest.approx((7, 7, 7))
    differences = (first.net - third.net)[1:]
    behind = entries["rules"].behind_leader_per_year
    assert behind.estimate == 60
    assert (behind.low, behind.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))


def test_regret_differs_by_what_the_tracks_are_expected_to_earn() -> None:
    rungs = rung("classical", 100, 30), rung("rules", 90, 40), rung("neural", 60, 50)
    for one in rungs:  # luck of the draws: their mean is not the expected value
        one.net[1:] += 4 * len(one.track)
    verdict = verdict_of(*rungs)
    regrets = {one.track: one.regret_per_year for one in verdict.tracks}
    assert regrets["rules"] - regrets["classical"] == pytest.approx(10)
    assert regrets["neural"] - regrets["classical"] == pytest.approx(40)
    assert verdict.value_of_perfect_information == pytest.approx(regrets["classical"])
    assert regrets["classical"] > 0


def test_where_every_draw_is_a_loss_the_regret_is_the_loss() -> None:
    first, second = rung("rules", -100, 0.1), rung("neural", -500, 0.1)
    first.net[1:] += 3
    verdict = verdict_of(first, second)
    assert [one.regret_per_year for one in verdict.tracks] == pytest.approx([100, 500])
    assert verdict.value_of_perfect_information == pytest.approx(0, abs=1e-9)
    assert (verdict.best, verdict.use) == ("rules", None)
    assert verdict_of(first, second, nothing_earns=None).use == "rules"


def test_an_excluded_track_is_not_held_against_the_leader() -> None:
    verdict = verdict_of(rung("classical", 100), rung("rules", 60), excluded=[(rung("neural", 200), "slow")])
    assert [one.track for one in verdict.tracks if one.behind_leader_per_year is not None] == ["rules"]


def test_equal_tracks_share_the_probability() -> None:
    same = rung("classical", 50)
    twin = RungEconomics("rules", 0, 0.5, None, None, same.gross, same.net, same.costs)
    verdict = verdict_of(same, twin)
    assert [entry.probability_best for entry in verdict.tracks] == [0.5, 0.5]
    assert verdict.too_close_to_call is True


def test_one_track_or_none_gives_no_verdict() -> None:
    alone = verdict_of(rung("classical", 50))
    assert alone.best is None
    assert "Only classical" in alone.sentence
    assert [entry.track for entry in alone.tracks] == ["classical"]
    assert verdict_of().best is None
    assert "nothing can be said" in verdict_of().sentence


def test_probabilities_add_up_and_costs_are_named() -> None:
    verdict = verdict_of(rung("a", 50), rung("b", 50.5), rung("c", 51))
    assert sum(entry.probability_best for entry in verdict.tracks) == pytest.approx(1)
    assert verdict.tracks[0].yearly_costs == {"people_build": 1.0}


def test_the_rung_is_the_one_that_validation_values_most_not_the_test() -> None:
    chosen = deployed(
        [
            rung("neural", 90, rung=0, validation=10.0),
            rung("neural", 50, rung=1, validation=30.0),
            rung("neural", 95, rung=2, validation=20.0),
            rung("rules", 5, rung=0),
            rung("rules", 6, rung=1),
        ]
    )
    assert chosen["neural"].rung == 1
    assert chosen["rules"].rung == 1


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0.5, "0.50 USD"),
        (1234.6, "1,230 USD"),
        (682_642, "683,000 USD"),
        (1_530_000, "1.53 million USD"),
        (5.149e9, "5.15 billion USD"),
        (-2_000_000, "−2 million USD"),
        (0.0, "0.00 USD"),
        (0.0123, "0.01 USD"),
        (0.00321, "0.00321 USD"),
        (-0.0004, "−0.0004 USD"),
        (1.234e-7, "0.000000123 USD"),
        (99.999, "100 USD"),
        (999_999, "1 million USD"),
        (999.9e6, "1 billion USD"),
        (1e12, "1 trillion USD"),
        (5.149e12, "5.15 trillion USD"),
        (2.5e15, "2,500 trillion USD"),
    ],
)
def test_money_for_people(amount: float, words: str) -> None:
    assert money(amount, "USD") == words


BUSINESSES = {
    "rules": ({"rules": 0.95, "classical": 0.5, "neural": 0.5, "hybrid": 0.5}, {}),
    "classical": ({"rules": 0.4, "classical": 0.95, "neural": 0.5, "hybrid": 0.5}, {}),
    "neural": ({"rules": 0.3, "classical": 0.4, "neural": 0.98, "hybrid": 0.4}, {}),
    "hybrid": ({"rules": 0.3, "classical": 0.5, "neural": 0.3, "hybrid": 0.98}, {}),
    # Nothing is worth the hours: the baseline costs none.
    "baseline": (
        {"rules": 0.9, "classical": 0.95, "neural": 0.98, "hybrid": 0.98},
        {"volume_per_year": 1000},
    ),
}


@pytest.mark.parametrize("best", BUSINESSES)
def test_the_best_track_by_construction_wins(best: str, truth, draw_world, declare_experiment) -> None:
    skills, economics = BUSINESSES[best]
    truths = {"baseline": truth(0.2), "rules": truth(skills["rules"])}
    truths |= {name: truth(skills[name], gain=0.05) for name in ("classical", "neural", "hybrid")}
    hours = {name: {"build": 100, "per_year": 100} for name in skills}
    cells, evidence = draw_world(truths, rungs=2, n_clusters=300)
    experiment = declare_experiment(list(truths), hours=hours, **economics)
    verdict = analyse(experiment, task={}, cells=cells, evidence=evidence).verdict
    assert verdict.best == best
    assert verdict.too_close_to_call is False
    assert verdict.deep_learning_worth_it is (best == "neural")
    assert verdict.hybrid_worth_it is (best == "hybrid")


@pytest.mark.parametrize("draw_seed", range(5))
def test_ties_are_called(draw_seed: int, truth, draw_world, declare_experiment) -> None:
    truths = {name: truth(0.9, gain=0.05) for name in ("classical", "neural")}
    cells, evidence = draw_world(truths, rungs=1, draw_seed=draw_seed)
    experiment = declare_experiment(list(truths))
    verdict = analyse(experiment, task={}, cells=cells, evidence=evidence).verdict
    assert verdict.too_close_to_call is True
    assert verdict.deep_learning_worth_it is not True


def test_all_tracks_of_the_neural_plugin_are_deep_learning() -> None:
    plugins = {"raw": "neural", "tuned": "classical"}
    rungs = [rung("tuned", 50), rung("neural", 40, validation=40.0), rung("raw", 80, validation=79.0)]
    verdict = verdict_of(*rungs, plugins=plugins)
    assert verdict.deep_learning_worth_it is True
    assert "that raw earns over" in verdict.sentence
    assert "more than tuned)" in verdict.sentence
    assert verdict_of(*rungs).deep_learning_worth_it is None


def test_validation_and_not_test_sends_one_of_several_neural_tracks() -> None:
    rungs = [rung("classical", 50), rung("neural", 90, validation=10.0), rung("raw", 10, validation=20.0)]
    verdict = verdict_of(*rungs, plugins={"raw": "neural"})
    assert verdict.deep_learning_worth_it is False
    assert "that raw earns over" in verdict.sentence


def test_two_hybrids_are_not_held_against_each_other() -> None:
    rungs = [rung("classical", 50), rung("hybrid", 80, validation=2.0), rung("other", 79.9, validation=1.0)]
    assert verdict_of(*rungs, plugins={"other": "hybrid"}).hybrid_worth_it is True
    assert verdict_of(*rungs).hybrid_worth_it is not True


def test_the_analysis_takes_plugins_from_the_experiment(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"classical": truth(0.4, gain=0.05), "raw": truth(0.98, gain=0.05)}, rungs=1)
    experiment = declare_experiment(["classical", "raw"])
    named = experiment.model_copy(update={"tracks": {"classical": {}, "raw": {"track": "neural"}}})
    for declared, answer in ((experiment, None), (named, True)):
        verdict = analyse(declared, task={}, cells=cells, evidence=evidence).verdict
        assert verdict.deep_learning_worth_it is answer


def test_where_none_pays_the_sentence_says_so() -> None:
    verdict = verdict_of(rung("classical", -50), rung("neural", -80), rung("rules", -20))
    assert verdict.best == "rules"
    assert verdict.probability_none_pays == pytest.approx(1)
    assert verdict.sentence.startswith("Use none of them: none is expected to pay (probability over .99")
    assert "rules loses least, 20.00 USD a year" in verdict.sentence
    unsure = verdict_of(rung("classical", -0.2, 1.0), rung("rules", -5))
    assert unsure.probability_none_pays == pytest.approx(0.58, abs=0.03)
    assert unsure.too_close_to_call is True
    assert unsure.sentence.startswith("Too close to call: none is expected to pay (probability .5")
    assert verdict.too_close_to_call is False
    assert verdict_of(rung("classical", 50), rung("rules", -5)).probability_none_pays == 0


def test_a_track_that_hardly_pays_is_not_clear_though_it_beats_all_others() -> None:
    verdict = verdict_of(rung("classical", 0.2, 1.0), rung("rules", -50), margin=0.1)
    assert verdict.probability_best == pytest.approx(1)
    assert verdict.too_close_to_call is True
    assert verdict.sentence.startswith(
        f"Too close to call: classical is expected to earn 0.20 USD a year, but with probability "
        f"{verdict.probability_none_pays:.2f} none pays".replace("y 0.", "y .")
    )
    assert verdict.use == "classical"
    sure = verdict_of(rung("classical", 5, 1.0), rung("rules", -50), margin=0.1)
    assert sure.too_close_to_call is False
    assert sure.sentence.startswith("Use classical")


def test_where_saying_no_has_a_value_doing_nothing_does_not_earn_zero(
    truth, draw_world, declare_experiment
) -> None:
    cells, evidence = draw_world({"rules": truth(0.5), "classical": truth(0.9, gain=0.05)}, rungs=1)
    hours = {"rules": {"build": 1e6}, "classical": {"build": 1e6}}
    plain = declare_experiment(["rules", "classical"], hours=hours)
    value = {"true_positive": 10.0, "false_positive": -3.0, "false_negative": -1.0}
    missed = declare_experiment(["rules", "classical"], hours=hours, value=value)
    verdicts = [analyse(one, task={}, cells=cells, evidence=evidence).verdict for one in (plain, missed)]
    assert [verdict.probability_none_pays for verdict in verdicts] == [1.0, None]
    assert verdicts[0].sentence.startswith("Use none of them")
    assert not verdicts[1].sentence.startswith("Use none of them")


def test_no_rules_are_no_expert_system(truth, draw_world, declare_experiment) -> None:
    """They cost no upkeep, so without any volume they would be used under the name of rules."""
    cells, evidence = draw_world({"baseline": truth(0.3), "rules": truth(0.5)}, rungs=1)
    rules = next(one for one in cells if one.track == "rules")
    cells = [
        *(one for one in cells if one.track != "rules"),
        *(rules.model_copy(update={"rung": number, "n_rules": number}) for number in (0, 1, 2)),
    ]
    evidence |= {("rules", number, 0): evidence["rules", 0, 0] for number in (0, 1, 2)}
    hours = {"rules": {"per_year": 100}}
    experiment = declare_experiment(["baseline", "rules"], hours=hours, volume_per_year=0)
    entering = analyse(experiment, task={}, cells=cells, evidence=evidence).verdict.tracks
    assert [(one.track, one.rung) for one in entering] == [("baseline", 0), ("rules", 1)]
    alone = [one for one in cells if one.track == "baseline" or one.n_rules == 0]
    entering = analyse(experiment, task={}, cells=alone, evidence=evidence).verdict.tracks
    assert [(one.track, one.rung) for one in entering] == [("baseline", 0), ("rules", 0)]


def test_where_constraints_leave_fewer_than_two_tracks_the_sentence_says_so() -> None:
    out = [(rung("classical", 50), "it is slow"), (rung("neural", 80), "it holds much")]
    assert decide({}, excluded=out).sentence == (
        "No track keeps to the constraints, so none can be used. Why: classical is excluded, as it is slow; "
        "neural, as it holds much."
    )
    assert decide({"rules": rung("rules", 9)}, excluded=out[:1]).sentence == (
        "Only rules keeps to the constraints, so there is nothing to compare it with. Why: classical is "
        "excluded, as it is slow."
    )


def test_deep_learning_is_no_option_where_every_net_is_excluded() -> None:
    rungs, out = (rung("classical", 50), rung("rules", 20)), (rung("raw", 80), "it is slow")
    told = "Deep learning is no option here: raw is excluded, as it is slow."
    kinds = {"raw": "neural"}
    assert verdict_of(*rungs, excluded=[out], plugins=kinds).sentence.endswith(told)
    assert "cannot be told" in verdict_of(*rungs, excluded=[out]).sentence
    left = verdict_of(*rungs, rung("neural", 10), excluded=[out], plugins=kinds)
    assert "Deep learning is not worth its cost here" in left.sentence
    alone = verdict_of(rung("neural", 10), rung("hybrid", 20), excluded=[out], plugins=kinds)
    assert "cannot be told" in alone.sentence
