from __future__ import annotations

import json
from dataclasses import replace

import pytest

from toolkit.analysis.analyse import analyse, analyse_cells
from toolkit.analysis.export import to_json
from toolkit.analysis.forecast_record import LabelsNotBought, Saved, SkippedCell
from toolkit.analysis.interval import Interval
from toolkit.analysis.planned import check_planned
from toolkit.analysis.pricing import price
from toolkit.analysis.snapshot import decode, encode
from toolkit.analysis.stops.standpoint import Standpoint
from toolkit.analysis.stops.words import (
    check_stops,
    told_contradiction,
    told_replay,
    told_risk,
    told_saved,
    told_stop,
    told_stops,
)
from toolkit.records import CellSpec

TRACKS = ["rules", "classical", "neural"]
HOURS = {"neural": {"build": 1e6}}
"""So dear that it never catches up."""


@pytest.fixture(scope="module")
def replayed(equals_world, declare_experiment):
    cells, evidence = equals_world
    return analyse(declare_experiment(TRACKS, hours=HOURS), task={}, cells=cells, evidence=evidence)


def test_a_track_that_cannot_catch_up_would_have_stopped_rightly(replayed) -> None:
    replay = replayed.replay
    (stop,) = replay.stops
    assert (stop.track, stop.rung, stop.skipped, stop.n_cells) == ("neural", 6, (7, 8, 9), 9)
    assert (stop.reason, stop.leader, stop.n_measured) == ("behind_leader", "classical", 7)
    assert stop.probability < 0.1
    assert stop.probability_leader_changes == 0.0
    assert stop.forgone_per_year == 0.0
    assert replay.right
    assert replay.best == "classical"
    assert replay.forgone_per_year is not None
    assert replay.forgone_per_year.estimate == 0.0
    assert "classical" in replay.climbed_on


def test_what_a_replay_saves_is_measured(replayed, equals_world) -> None:
    cells, _ = equals_world
    skipped = [cell for cell in cells if cell.track == "neural" and cell.rung > 6]
    spent = sum(
        cell.costs["cost_fit_cpu_seconds"] + cell.costs["cost_search_cpu_seconds"] for cell in skipped
    )
    saved = replayed.replay.stops[0].saved
    assert saved.measured
    assert saved.cpu_seconds is not None
    assert saved.cpu_seconds.estimate == saved.cpu_seconds.high == pytest.approx(spent)
    assert saved.money is not None
    assert saved.money.estimate > 0
    assert saved.kg_co2e is not None
    assert saved.kg_co2e.low < saved.kg_co2e.estimate < saved.kg_co2e.high
    assert replayed.replay.cpu_seconds > replayed.replay.cpu_seconds_saved > 0


def test_a_price_per_label_makes_climbing_not_pay(equals_world, declare_experiment) -> None:
    cells, evidence = equals_world
    dear = declare_experiment(TRACKS, price_per_label=1e3)
    results = analyse(dear, task={}, cells=cells, evidence=evidence)
    stops = {stop.track: stop for stop in results.replay.stops}
    assert set(stops) == {"classical", "neural"}
    assert {stop.reason for stop in stops.values()} == {"does_not_pay"}
    assert results.replay.right


def test_short_ladders_have_no_replay(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"classical": truth(0.9, gain=0.3)}, rungs=6, n_clusters=40, rows=20)
    results = analyse(declare_experiment(["classical"]), task={}, cells=cells, evidence=evidence)
    assert (results.replay.asked, results.replay.stops) == (0, ())
    assert results.backtest.too_short == {"classical": 6}


def test_forecasts_and_replay_survive_the_snapshot(replayed, equals_world, declare_experiment) -> None:
    cells, evidence = equals_world
    experiment = declare_experiment(TRACKS, hours=HOURS)
    stop = replayed.replay.stops[0]
    analysed = analyse_cells(experiment, task={}, cells=cells, evidence=evidence, stops=[stop])
    document, arrays = encode(analysed)
    kept = decode(json.loads(json.dumps(document)), arrays, evidence)
    assert (kept.backtest, kept.stops, kept.prospects) == (analysed.backtest, (stop,), analysed.prospects)
    told = to_json(price(kept, experiment))
    assert told == to_json(price(analysed, experiment))
    assert len(told["backtest"]["forecasts"]) == 2 * 2 * 2 * 3
    assert told["stop_early"]["stops"][0]["reason"] == "behind_leader"
    whole = analyse_cells(experiment, task={}, cells=cells, evidence=evidence)
    document, arrays = encode(whole)
    told = to_json(price(decode(json.loads(json.dumps(document)), arrays, evidence), experiment))
    assert told["stop_early"]["replay"]["right"] is True
    assert told["stop_early"]["replay"]["cpu_seconds_saved"] > 0


def specs(track: str, rungs: range) -> list[CellSpec]:
    return [
        CellSpec(
            experiment="made_up",
            task="made_up",
            track=track,
            rung=rung,
            data_rung=rung,
            n_rules=None,
            seed=seed,
            n_train=1000 * 2**rung,
            fingerprint=f"{track}{rung}{seed}",
        )
        for rung in rungs
        for seed in range(3)
    ]


def test_a_sweep_decides_as_its_replay_does(replayed, equals_world, declare_experiment) -> None:
    cells, evidence = equals_world
    known = [cell for cell in cells if cell.rung <= 6]
    standpoint = Standpoint(declare_experiment(TRACKS, hours=HOURS), known, evidence)
    assert standpoint.highest("neural") == 6
    assert standpoint.highest("nobody") == -1
    left = specs("neural", range(7, 10))
    stop = standpoint.ask("neural", left)
    then = replayed.replay.stops[0]
    assert not isinstance(stop, str)
    assert (stop.reason, stop.leader, stop.skipped) == (then.reason, then.leader, then.skipped)
    assert stop.probability == pytest.approx(then.probability, abs=0.02)
    assert [one.fingerprint for one in stop.cells] == [spec.fingerprint for spec in left]
    assert not stop.saved.measured
    assert stop.saved.cpu_seconds is not None
    assert then.saved.cpu_seconds is not None
    assert stop.saved.cpu_seconds.estimate == pytest.approx(then.saved.cpu_seconds.estimate, rel=0.05)
    why = standpoint.ask("classical", specs("classical", range(7, 10)))
    assert isinstance(why, str)
    assert "pays for itself" in why


def test_test_labels_decide_nothing(equals_world, declare_experiment) -> None:
    cells, evidence = equals_world
    known = [cell for cell in cells if cell.rung <= 6]
    other = {
        key: type(one)(
            **{
                **one.__dict__,
                "positives": one.negatives,
                "negatives": one.positives,
                "cluster_log_loss": 9 * one.cluster_log_loss,
            }
        )
        for key, one in evidence.items()
    }
    unscored = [cell.model_copy(update={"scores": {}}) for cell in known]
    experiment, left = declare_experiment(TRACKS, hours=HOURS), specs("neural", range(7, 10))
    first = Standpoint(experiment, known, evidence).ask("neural", left)
    assert Standpoint(experiment, unscored, other).ask("neural", left) == first


def test_stops_are_told_in_words(replayed) -> None:
    stop = replayed.replay.stops[0]
    assert told_stop(stop) == (
        "neural stops climbing after rung 6: the 3 rungs that are left are skipped (9 cells); on "
        "validation rows, as it would be measured, a further one would come within the margin of classical "
        "with probability under .01"
    )
    assert "CPU-seconds" in told_saved(stop)
    assert told_risk(stop).startswith(
        "as it would be measured, a skipped rung would have earned more than classical did at that moment "
        "with probability under .01"
    )
    assert len(list(told_stops([stop], replayed.verdict))) == 3
    assert "the verdict would have been the same, classical" in told_replay(replayed.replay)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (33_670.0, "33,700"),
        (0.0000811, "0.0000811"),
        (0.0, "0"),
        (-1234.0, "-1,230"),
        (0.5, "0.5"),
        (6_734, "6,730"),
        (99.96, "100"),
        (211.4, "211"),
        (1_534_000.0, "1.53 million"),
        (2.5e12, "2.5 trillion"),
    ],
)
def test_amounts_have_no_power_of_ten(replayed, amount, text) -> None:
    one = Interval(amount, amount, amount)
    stop = replace(
        replayed.replay.stops[0],
        saved=Saved(one, None, one, None, measured=True),
        labels_saved=LabelsNotBought(6_734, one),
        forgone_per_year=amount,
        probability_leader_changes=None,
    )
    assert told_saved(stop) == (
        f"{text} CPU-seconds, {text} USD of computing; about 6,730 labels, {text} USD at the declared price, "
        "as far as no other track needs them"
    )
    assert told_risk(stop) == f"expected net value forgone: {text} USD a year, by its own curve"
    replay = replace(replayed.replay, cpu_seconds=None, stops=(stop,))
    assert f"saved {text} CPU-seconds;" in told_replay(replay)


@pytest.mark.parametrize(
    ("best", "gap", "share", "told"),
    [
        ("neural", 0.0, 0.88, "on test rows neural leads (is best with probability .88)"),
        ("classical", 5.0, 0.02, "neural is within the margin of classical (is best with probability .02)"),
        ("classical", 50.0, 0.2, "on test rows neural is best with probability .20"),
        ("classical", 50.0, 0.05, ""),
    ],
)
def test_a_verdict_that_speaks_against_a_stop_says_so(replayed, best, gap, share, told) -> None:
    stop, verdict = replayed.replay.stops[0], replayed.verdict
    entries = {one.track: one for one in verdict.tracks}
    level = entries["classical"].net_value_per_year
    own = replace(
        entries["neural"],
        net_value_per_year=replace(level, estimate=level.estimate - gap),
        probability_best=share,
    )
    other = replace(verdict, best=best, margin=10.0, tracks=(entries["classical"], own))
    against = told_contradiction(stop, other)
    assert told in against
    assert bool(against) == bool(told)
    assert len(list(told_stops([stop], other))) == 3 + bool(told)
    assert ("run it again without --stop-early" in against) == bool(told)
    assert told_contradiction(replace(stop, leader=stop.track), other) == ""
    codes = [one.code for one in check_stops([stop], other)]
    assert codes == ["stopped_early"] + ["stop_contradicted"] * bool(told)


def test_skipped_cells_are_no_missing_ones(replayed, declare_experiment) -> None:
    stop = replayed.replay.stops[0]
    skipped = replace(stop, cells=(SkippedCell("a"), SkippedCell("b")))
    asked = {"fingerprints": ["a", "b", "c"], "trained": None}
    both = list(check_planned(declare_experiment(TRACKS), [], **asked, stops=[skipped]))
    assert [one.code for one in both] == ["cells_not_run"]
    assert both[0].sentence.startswith("1 of the 3 cells")
    alone = list(check_planned(declare_experiment(TRACKS), [], **asked))
    assert [one.sentence.split()[0] for one in alone] == ["3"]


def test_a_ladder_that_was_cut_short_is_not_replayed(equals_world, replayed, declare_experiment) -> None:
    cells, evidence = equals_world
    cut = analyse_cells(
        declare_experiment(TRACKS, hours=HOURS),
        task={},
        cells=cells,
        evidence=evidence,
        stops=replayed.replay.stops,
    )
    results = price(cut, declare_experiment(TRACKS, hours=HOURS))
    assert results.stops == replayed.replay.stops
    assert results.replay.asked == 0
    assert results.replay.stops == ()
    assert results.replay.right is None
    assert to_json(results)["stop_early"]["replay"]["right"] is None


def test_a_replay_knows_what_ran_before_the_next_rung(
    truth, draw_world, declare_experiment, monkeypatch
) -> None:
    """Of six rungs of rules, the fifth stands .8 up the ladder: before the ninth of ten, at .89."""
    cells, evidence = draw_world(
        {"neural": truth(0.9, gain=0.4, cpu_seconds=0.1, seed_noise=0.003)}, rungs=10, n_clusters=60, rows=20
    )
    few, told = draw_world({"rules": truth(0.5, gain=1e-6)}, rungs=6, n_clusters=60, rows=20)
    known = []

    def listen(prospect, rungs, *_, **__):
        known.append((prospect.reached, max(rung for track, rung in rungs if track == "rules")))
        return "climbs on"

    monkeypatch.setattr("toolkit.analysis.stops.replay.ask", listen)
    both = declare_experiment(["rules", "neural"])
    analyse(both, task={}, cells=[*cells, *few], evidence={**evidence, **told})
    assert (7, 4) in known
    assert (6, 3) in known
