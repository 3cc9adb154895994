"""Early stops under the economics of a report: as they were decided, asked again, or not to be asked."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from toolkit.analysis.analyse import analyse_cells
from toolkit.analysis.export import to_json
from toolkit.analysis.forecast_record import EarlyStop, SkippedCell
from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.pricing import price
from toolkit.analysis.results import Results
from toolkit.analysis.stops.review import joined, still_missing
from toolkit.analysis.stops.saved import labels_not_bought
from toolkit.analysis.stops.standpoint import Standpoint
from toolkit.analysis.stops.terms import changed, terms_of
from toolkit.analysis.stops.words import check_stops, told_risk, told_saved, told_stop
from toolkit.records import CellSpec
from toolkit.report.stop_tables import stopped

TRACKS = ["rules", "classical", "neural"]
HOURS = {"neural": {"build": 1e6}}


@pytest.fixture(scope="module")
def sweep(equals_world):
    """Return the cells of a sweep whose neural track stopped after rung 6."""
    cells, evidence = equals_world
    ran = [cell for cell in cells if cell.track != "neural" or cell.rung <= 6]
    return ran, {key: one for key, one in evidence.items() if key[0] != "neural" or key[1] <= 6}


def decide(equals_world, experiment) -> EarlyStop:
    cells, evidence = equals_world
    left = [
        CellSpec(
            experiment="made_up",
            task="made_up",
            track="neural",
            rung=cell.rung,
            data_rung=cell.rung,
            n_rules=None,
            seed=cell.seed,
            n_train=cell.n_train,
            fingerprint=cell.fingerprint,
        )
        for cell in cells
        if cell.track == "neural" and cell.rung > 6
    ]
    found = Standpoint(experiment, [cell for cell in cells if cell.rung <= 6], evidence).ask("neural", left)
    assert isinstance(found, EarlyStop), found
    return found


@pytest.fixture(scope="module")
def decided(equals_world, declare_experiment) -> EarlyStop:
    return decide(equals_world, declare_experiment(TRACKS, hours=HOURS))


def reported(sweep, stop: EarlyStop, then, now) -> Results:
    cells, evidence = sweep
    return price(analyse_cells(then, task={}, cells=cells, evidence=evidence, stops=[stop]), now)


def told(results: Results, stop: EarlyStop) -> list[str]:
    """Return all that a reader is told of a stop: terminal and findings, table, results.json."""
    return [
        told_stop(stop),
        told_risk(stop),
        *(one.sentence for one in check_stops([stop], results.verdict)),
        str(stopped(results)),
        json.dumps(to_json(results)["stop_early"]["stops"]),
    ]


def test_under_the_same_economics_a_stop_is_told_as_it_was_decided(
    sweep, decided, declare_experiment
) -> None:
    same = declare_experiment(TRACKS, hours=HOURS)
    (stop,) = reported(sweep, decided, same, same).stops
    assert stop == decided
    assert [one.severity for one in reported(sweep, decided, same, same).findings if "stop" in one.code] == [
        "info"
    ]


def test_a_stop_that_still_holds_is_told_at_the_new_prices(sweep, decided, declare_experiment) -> None:
    then = declare_experiment(TRACKS, hours=HOURS)
    now = declare_experiment(
        TRACKS, hours={"neural": {"build": 2e6}}, currency="EUR", currency_per_usd=0.5, price_per_label=0.1
    )
    results = reported(sweep, decided, then, now)
    (stop,) = results.stops
    again = stop.asked_again
    assert again is not None
    assert (again.stops, again.reason, again.leader) == (True, "behind_leader", "classical")
    assert set(again.changed) == {"currency", "currency_per_usd", "hours", "price_per_label"}
    assert stop.currency == "EUR"
    assert stop.saved.money is not None
    assert decided.saved.money is not None
    assert stop.saved.money.estimate == pytest.approx(0.5 * decided.saved.money.estimate)
    assert stop.saved.cpu_seconds == decided.saved.cpu_seconds
    assert stop.labels_saved is not None
    for text in told(results, stop):
        assert "USD" not in text
    assert "it would stop too" in told_stop(stop)
    assert "decided under other economics than these (" in told_stop(stop)


def test_a_stop_that_would_not_be_made_any_more_says_so(sweep, decided, declare_experiment) -> None:
    then, now = declare_experiment(TRACKS, hours=HOURS), declare_experiment(TRACKS, volume_per_year=3e6)
    results = reported(sweep, decided, then, now)
    (stop,) = results.stops
    again = stop.asked_again
    assert again is not None
    assert (again.stops, again.reason, stop.probability) == (False, None, None)
    assert again.changed == ("volume_per_year", "hours")
    assert stop.probability_leader_changes is not None
    assert stop.probability_leader_changes > 0.1 > (decided.probability_leader_changes or 0.0)
    assert stop.forgone_per_year is not None
    assert stop.forgone_per_year > (decided.forgone_per_year or 0.0)
    assert "asked again under these, on validation rows, it would climb on" in told_stop(stop)
    (finding,) = [one for one in results.findings if one.code == "stopped_early"]
    assert finding.severity == "warning"
    assert "run it again without --stop-early" in finding.sentence
    assert "would climb on" in str(stopped(results))


def test_a_stop_of_an_earlier_version_shows_no_old_money(sweep, decided, declare_experiment) -> None:
    old = replace(
        decided,
        terms=None,
        probability=0.07,
        forgone_per_year=987_654.0,
        cells=tuple(SkippedCell(one.fingerprint) for one in decided.cells),
    )
    now = declare_experiment(TRACKS, hours=HOURS)
    results = reported(sweep, old, now, now)
    (stop,) = results.stops
    assert stop.asked_again is not None
    assert (stop.asked_again.stops, stop.asked_again.changed) == (None, ())
    assert stop.saved == decided.saved
    assert "decided under economics not on record" in told_stop(stop)
    assert told_risk(stop) == "not known under these economics"
    for text in told(results, stop):
        assert "987" not in text
        assert ".07" not in text


def test_the_economics_of_a_stop_are_known_by_key(declare_experiment) -> None:
    def terms(**economics) -> dict[str, str]:
        return terms_of(draw_inputs(declare_experiment(TRACKS, **economics).economics, TRACKS))

    one = terms()
    assert changed(one, terms(hardware="cloud-vcpu", margin=None)) == ()
    assert changed(one, terms(country="PL", volume_per_year=2e6)) == ("volume_per_year", "country")
    assert changed(terms(country="PL"), one) == ("country",)
    assert changed({**one, "price tables": "other"}, one) == ("price tables",)


def test_cells_that_were_trained_since_are_no_longer_saved(
    sweep, equals_world, decided, declare_experiment
) -> None:
    experiment = declare_experiment(TRACKS, hours=HOURS, price_per_label=0.1)
    stop = decide(equals_world, experiment)
    prints = {one.fingerprint for one in stop.cells}
    first = {one.fingerprint for one in stop.cells if one.fingerprint.endswith("/0") or one.rung == 7}
    (kept,) = still_missing([stop], asked=prints, absent=prints - first)
    assert (kept.n_cells, kept.n_trained_since, kept.skipped) == (9, len(first), (8, 9))
    assert f"9 cells, of which {len(first)} have been trained since" in told_stop(kept)
    (part,) = reported(sweep, kept, experiment, experiment).stops
    assert part.saved.cpu_seconds is not None
    assert stop.saved.cpu_seconds is not None
    assert part.saved.cpu_seconds.estimate < stop.saved.cpu_seconds.estimate
    assert still_missing([stop], asked=prints, absent=()) == []
    assert still_missing([stop], asked=prints - first, absent=prints - first)[0].n_cells == 9 - len(first)


def test_a_track_that_stops_again_in_a_run_of_a_part_is_one_stop(decided) -> None:
    prints = {one.fingerprint for one in decided.cells}
    first = {one.fingerprint for one in decided.cells if one.fingerprint.endswith("/0")}
    before = still_missing([decided], asked=prints, absent=prints - first)
    now = replace(
        decided, cells=tuple(one for one in decided.cells if one.fingerprint in first), n_cells=len(first)
    )
    (stop,) = joined(before, [now])
    assert (stop.fingerprints, stop.n_cells, stop.skipped) == (prints, 9, (7, 8, 9))
    assert stop.n_trained_since == 0
    assert [one.track for one in joined(before, [replace(now, track="classical")])] == ["neural", "classical"]


def with_lone_cells(equals_world, sweep, rungs, seeds=(0,)):
    """Return the sweep with some cells of skipped rungs, trained since, and their fingerprints."""
    (every, evidence), (ran, seen) = equals_world, sweep
    lone = [one for one in every if one.track == "neural" and one.rung in rungs and one.seed in seeds]
    keys = [(one.track, one.rung, one.seed) for one in lone]
    more = {**seen, **{key: evidence[key] for key in keys}}
    return ([*ran, *lone], more), {one.fingerprint for one in lone}


def missing(stop: EarlyStop, trained: set[str]) -> EarlyStop:
    prints = {one.fingerprint for one in stop.cells}
    (kept,) = still_missing([stop], asked=prints, absent=prints - trained)
    return kept


@pytest.mark.parametrize("rungs", [(9,), (7, 8, 9)])
@pytest.mark.parametrize("now", [{"hours": {"neural": {"build": 2e6}}}, {"volume_per_year": 3e6}])
def test_lone_cells_of_skipped_rungs_change_no_answer(
    sweep, equals_world, decided, declare_experiment, rungs, now
) -> None:
    then, now = declare_experiment(TRACKS, hours=HOURS), declare_experiment(TRACKS, **now)
    (before,) = reported(sweep, decided, then, now).stops
    more, trained = with_lone_cells(equals_world, sweep, rungs)
    (after,) = reported(more, missing(decided, trained), then, now).stops
    assert before.asked_again is not None
    assert before.asked_again.stops is not None
    assert after.asked_again == before.asked_again
    assert (after.probability, after.probability_leader_changes, after.forgone_per_year) == (
        before.probability,
        before.probability_leader_changes,
        before.forgone_per_year,
    )
    assert (after.skipped, after.n_trained_since) == ((7, 8, 9), len(rungs))


def test_a_skipped_rung_that_is_complete_by_now_has_a_say(
    sweep, equals_world, decided, declare_experiment
) -> None:
    (cells, evidence), trained = with_lone_cells(equals_world, sweep, (7,), seeds=(0, 1, 2))
    stop = missing(decided, trained)
    then = declare_experiment(TRACKS, hours=HOURS)
    analysed = analyse_cells(then, task={}, cells=cells, evidence=evidence, stops=[stop])
    assert [one.reached for one in analysed.prospects if one.left == (8, 9)][-1] == 7
    (again,) = price(analysed, declare_experiment(TRACKS, volume_per_year=3e6)).stops
    assert again.asked_again is not None
    assert again.asked_again.stops is False
    assert again.skipped == (8, 9)


@pytest.mark.parametrize(("rungs", "bought"), [((7, 8, 9), None), ((9,), None), ((7, 8), 8), ((), 6)])
def test_labels_that_any_seed_was_trained_on_are_bought(
    sweep, equals_world, declare_experiment, rungs, bought
) -> None:
    """Planned rows are a few more than a cell trains on; these few are not labels that were saved."""
    experiment = declare_experiment(TRACKS, hours=HOURS, price_per_label=5.0)
    stop = decide(equals_world, experiment)
    stop = replace(stop, cells=tuple(replace(one, n_train=(one.n_train or 0) + 3) for one in stop.cells))
    more, trained = with_lone_cells(equals_world, sweep, rungs)
    (told_of,) = reported(more, missing(stop, trained), experiment, experiment).stops
    if bought is None:
        assert told_of.labels_saved is None
        assert "labels" not in told_saved(told_of)
        return
    assert told_of.labels_saved is not None
    rows = {cell.rung: cell.n_train for cell in equals_world[0] if cell.track == "neural"}
    assert told_of.labels_saved.labels == rows[9] + 3 - rows[bought]


def test_labels_that_were_not_bought_are_told_apart_from_computing(equals_world, declare_experiment) -> None:
    stop = decide(equals_world, declare_experiment(TRACKS, hours=HOURS, price_per_label=[0.1, 0.2, 0.3]))
    labels = stop.labels_saved
    assert labels is not None
    highest = {cell.rung: cell.n_train for cell in equals_world[0] if cell.track == "neural"}
    assert labels.labels == highest[9] - highest[6]
    assert labels.money.low < labels.money.estimate < labels.money.high
    assert labels.money.estimate == pytest.approx(0.2 * labels.labels)
    computing, _, declared = told_saved(stop).partition("; ")
    assert "USD of computing" in computing
    assert "about 448,000 labels, 89,600 [" in declared
    assert "at the declared price, as far as no other track needs them" in declared
    free = draw_inputs(declare_experiment(TRACKS).economics, TRACKS)
    dear = draw_inputs(declare_experiment(TRACKS, price_per_label=1.0).economics, TRACKS)
    assert labels_not_bought([(6, 10.0)], [(7, 20.0)], free) is None
    assert labels_not_bought([(6, 20.0)], [(7, 20.0)], dear) is None


def test_labels_stand_in_the_table_only_where_they_have_a_price(
    sweep, equals_world, declare_experiment
) -> None:
    for price_per_label in (0.0, 0.1):
        experiment = declare_experiment(TRACKS, hours=HOURS, price_per_label=price_per_label)
        results = reported(sweep, decide(equals_world, experiment), experiment, experiment)
        assert ("Money for labels" in str(stopped(results))) == bool(price_per_label)
        (told,) = to_json(results)["stop_early"]["stops"]
        assert (told["labels_saved"] is not None) == bool(price_per_label)


def test_a_track_that_leads_itself_has_one_kind_of_risk(equals_world, declare_experiment) -> None:
    """Its own rungs are held against its curve: a lucky rung, noise included, is no gain."""
    hours = {"rules": {"build": 1e8}, "classical": {"build": 1e8}}
    experiment = declare_experiment(TRACKS, hours=hours, price_per_label=1e3)
    stop = decide(equals_world, experiment)
    assert (stop.reason, stop.leader) == ("does_not_pay", "neural")
    assert stop.probability_leader_changes is None
    assert stop.forgone_per_year == 0.0
    assert told_risk(stop) == "expected net value forgone: 0 USD a year, by its own curve"
    assert "by its curve, a further one would pay for itself" in told_stop(stop)
