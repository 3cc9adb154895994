"""Prices put on what is known of the cells: costs, net values, front, pairs and verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from toolkit.amounts import Range
from toolkit.analysis.accelerators import check_accelerators
from toolkit.analysis.accounts import check_hours, check_serving, spending
from toolkit.analysis.analysed import Analysed
from toolkit.analysis.comparison.equal_prices import price_equal_errors
from toolkit.analysis.comparison.front import mark_front
from toolkit.analysis.comparison.pairwise import DEFAULT_MARGINS, compare
from toolkit.analysis.comparison.ranking import rank
from toolkit.analysis.constraints import allow
from toolkit.analysis.decisions import mean_values
from toolkit.analysis.economics import RungEconomics, draw_interval, nothing_earns, price_rung
from toolkit.analysis.forecast_record import Replay
from toolkit.analysis.inputs import Inputs, draw_inputs
from toolkit.analysis.price_list import price_list
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Finding, Interval, Pair, Results, RungSummary, Verdict
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.stops.replay import replay
from toolkit.analysis.stops.review import review
from toolkit.analysis.stops.words import check_stops
from toolkit.analysis.training_prices import training_prices
from toolkit.analysis.verdict import DEEP, PLAIN, decide, deployed
from toolkit.analysis.whatif.book import book_of
from toolkit.analysis.whatif.record import Sensitivity
from toolkit.analysis.whatif.sensitivity import sensitivity
from toolkit.analysis.whatif.sheet import Sheet, sheet_of
from toolkit.analysis.whatif.steps import next_points, steps
from toolkit.analysis.whatif.words import change_sentence
from toolkit.business import Economics, Hours
from toolkit.config import Experiment
from toolkit.errors import shorten
from toolkit.records import CellRecord, without_repeats
from toolkit.sources import Origin

__all__ = ["declared_inputs", "price", "systems"]

_SEVERITY = ("error", "warning", "info")


def price(
    analysed: Analysed,
    experiment: Experiment,
    *,
    knowledge: Sequence[Mapping[str, Any]] = (),
    environment: Mapping[str, str] | None = None,
) -> Results:
    """Price an analysed experiment with its economics.

    Parameters
    ----------
    analysed : Analysed
        Made with the same value of outcomes.
    experiment : Experiment
    knowledge, environment
        As in `Results`.

    Raises
    ------
    ConfigError
        The economics name hardware or a country that the price tables do not have.
    """
    cells = analysed.cells
    inputs = declared_inputs(experiment, analysed.tracks, cells, knowledge)
    readings = analysed.readings
    priced = {
        key: price_rung(decision, readings[key], inputs) for key, decision in analysed.decisions.items()
    }
    allowed = allow(systems(priced, readings), readings, experiment)
    may_enter = {key: priced[key] for key in allowed.keys}
    chosen = deployed(list(may_enter.values()))
    chosen = {track: chosen[track] for track in analysed.tracks if track in chosen}
    forbidden = deployed([one for one in priced.values() if one.track in allowed.excluded])
    forbidden = {track: forbidden[track] for track in analysed.tracks if track in forbidden}
    rungs = [(one.track, one.rung) for one in chosen.values()]
    entering = {track: readings[track, rung] for track, rung in rungs}
    primary = str(analysed.task["primary_error"])
    summaries = [
        _summary(one, analysed.scores.get(key, {}), priced.get(key)) for key, one in readings.items()
    ]
    pairs = _pairs(analysed, tuple(rungs))
    paid = training_prices(readings.values(), inputs)
    sheet = _sheet(analysed, experiment, may_enter, inputs)
    found = None if sheet is None else _sensitivity(sheet)
    verdict = _verdict(
        chosen,
        experiment,
        [(one, allowed.excluded[track]) for track, one in forbidden.items()],
        "" if found is None else change_sentence(found),
    )
    stops = tuple(review(stop, analysed, may_enter, inputs) for stop in analysed.stops)
    findings = [
        *analysed.findings,
        *check_hours(
            [track for track in analysed.tracks if any(track == name for name, _ in priced)], inputs
        ),
        *check_serving(entering, inputs),
        *check_accelerators(entering, inputs.hardware, inputs.host),
        *check_stops(stops, verdict),
        *allowed.findings,
    ]
    return Results(
        experiment=experiment.model_dump(mode="json"),
        task=analysed.task,
        cells=without_repeats(cells),
        evidence=analysed.evidence,
        summaries=mark_front(summaries, primary, analysed.fronts),
        curves=analysed.curves,
        pairs=pairs,
        verdict=verdict,
        findings=_by_severity(findings),
        knowledge=tuple(knowledge),
        environment=dict(environment or {}),
        prices=price_list(inputs),
        labels_saved=analysed.labels_saved,
        statements=analysed.statements,
        spending=replace(spending(entering, cells, analysed.machine.machines, inputs), training_prices=paid),
        backtest=analysed.backtest,
        stops=stops,
        replay=Replay() if analysed.stops else replay(analysed, may_enter, inputs),
        ranking=rank([(analysed.stacks[key], analysed.drawn[key]) for key in rungs], pairs),
        fronts=analysed.fronts,
        equal_errors=price_equal_errors(analysed.equal_errors, paid, inputs),
        sensitivity=found,
        steps=steps(may_enter, chosen),
        next_points=()
        if sheet is None
        else next_points(analysed.curves, chosen, sheet.book, primary, _step(analysed, primary)),
        sheet=sheet,
    )


def declared_inputs(
    experiment: Experiment,
    tracks: Sequence[str],
    cells: Sequence[CellRecord],
    knowledge: Sequence[Mapping[str, Any]],
) -> Inputs:
    """Draw what an experiment declares, with what its knowledge bases and cells add to it.

    Parameters
    ----------
    experiment : Experiment
    tracks : sequence of str
    cells : sequence of CellRecord
    knowledge : sequence of mapping
        As in `Results`.

    Raises
    ------
    ConfigError
        The economics name hardware or a country that the price tables do not have.
    """
    economics = _with_authoring(experiment.economics, knowledge)
    return draw_inputs(economics, tracks, n_rules=_full_effort(cells, knowledge, experiment))


def systems(keys: Iterable[StackKey], readings: Mapping[StackKey, RungReadings]) -> list[StackKey]:
    """Return the rungs that may enter a verdict.

    One of no rules is no expert system, unless it is the only one. It costs no upkeep, so where little is at
    stake it would be used under the name of rules.

    Parameters
    ----------
    keys : iterable of (track, rung)
        Rungs that were priced.
    readings : mapping of (track, rung) to RungReadings
    """
    every = list(keys)
    bare = {
        key for key in every if all(cell.n_rules == 0 and cell.n_train == 0 for cell in readings[key].cells)
    }
    with_others = {track for track, rung in every if (track, rung) not in bare}
    return [key for key in every if key not in bare or key[0] not in with_others]


def _pairs(analysed: Analysed, rungs: tuple[StackKey, ...]) -> tuple[Pair, ...]:
    """Return the comparisons of the rungs that enter; other prices may well send the same ones."""
    if rungs in analysed.pairs:
        return analysed.pairs[rungs]
    return compare(
        [(analysed.stacks[key], analysed.drawn[key]) for key in rungs], margins=analysed.task.get("margins")
    )


def _by_severity(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: _SEVERITY.index(one.severity)))


def _full_effort(
    cells: Sequence[CellRecord], knowledge: Sequence[Mapping[str, Any]], experiment: Experiment
) -> dict[str, int]:
    """Return the number of rules that the declared hours of each track are for.

    Those that the experiment gives it (`n_rules`), else all of its knowledge base; what cells ran with says
    so only where neither is known.
    """
    full: dict[str, int] = {}
    for cell in cells:
        if cell.n_rules is not None:
            full[cell.track] = max(full.get(cell.track, 0), cell.n_rules)
    for base in knowledge:
        if base.get("rules"):
            full |= dict.fromkeys(base.get("tracks", ()), len(base["rules"]))
    for track, declared in experiment.tracks.items():
        if isinstance(count := declared.get("n_rules"), int):
            full[track] = count
    return full


def _with_authoring(economics: Economics, knowledge: Sequence[Mapping[str, Any]]) -> Economics:
    """Take the hours that a knowledge base declares where the experiment declares none for its tracks."""
    hours, sources = dict(economics.hours), dict(economics.sources)
    for base in knowledge:
        spent = base.get("authoring_hours")
        if spent is None:
            continue
        told = Origin(source=shorten(f"authoring hours of the knowledge base {base.get('name', '')}", 200))
        for track in base.get("tracks", ()):
            if track not in hours:
                hours[track] = Hours(build=Range(low=spent, likely=spent, high=spent))
                sources[f"hours.{track}"] = told
    return economics.model_copy(update={"hours": hours, "sources": sources})


def _sheet(
    analysed: Analysed, experiment: Experiment, may_enter: Mapping[StackKey, RungEconomics], inputs: Inputs
) -> Sheet | None:
    """Return the sheet of the rungs that may enter; None with fewer than two tracks."""
    keys = sorted(may_enter, key=lambda key: (analysed.tracks.index(key[0]), key[1]))
    tracks = dict.fromkeys(track for track, _ in keys)
    if len(tracks) < 2:
        return None
    values = mean_values(experiment.economics.value)
    book = book_of(keys, analysed.choices, analysed.readings, inputs, values)
    plugins = {track: experiment.plugin(track) for track in tracks}
    n_clusters = analysed.stacks[keys[0]].n_clusters
    return sheet_of(book, plugins, inputs, analysed.readings, n_clusters)


def _sensitivity(sheet: Sheet) -> Sensitivity:
    kinds = sheet.plugins
    return sensitivity(
        sheet.book,
        sheet.inputs,
        deep=[track for track, kind in kinds.items() if kind == DEEP],
        plain=[track for track, kind in kinds.items() if kind in PLAIN],
    )


def _step(analysed: Analysed, error: str) -> float:
    """Return what counts as a difference of an error."""
    margins = {**DEFAULT_MARGINS, **dict(analysed.task.get("margins") or {})}
    return float(margins.get(error, DEFAULT_MARGINS["error_log_loss"]))


def _verdict(
    chosen: Mapping[str, RungEconomics],
    experiment: Experiment,
    excluded: Sequence[tuple[RungEconomics, str]],
    change: str,
) -> Verdict:
    economics = experiment.economics
    return decide(
        chosen,
        plugins={name: experiment.plugin(name) for name in (*chosen, *(one.track for one, _ in excluded))},
        margin=economics.margin,
        currency=economics.currency,
        currency_per_usd=economics.currency_per_usd,
        nothing_earns=nothing_earns(economics),
        excluded=excluded,
        change=change,
    )


def _summary(
    readings: RungReadings, scores: Mapping[str, Interval], priced: RungEconomics | None
) -> RungSummary:
    cells = readings.cells
    return RungSummary(
        track=readings.track,
        rung=readings.rung,
        n_train=int(median(cell.n_train for cell in cells)),
        n_rules=cells[0].n_rules,
        n_seeds=len({cell.seed for cell in cells}),
        scores=scores,
        costs=readings.medians(),
        validation_value=priced.validation_value if priced else None,
        net_value=draw_interval(priced.net) if priced else None,
        threshold=priced.threshold if priced else None,
    )
